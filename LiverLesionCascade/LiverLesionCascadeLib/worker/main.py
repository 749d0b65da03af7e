"""The program of the worker process: Slicer starts it by its path, with its own Python."""

import os
import sys
from pathlib import Path
from typing import BinaryIO


def private_streams() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for messages only (unbuffered).

    What libraries print goes to standard error from here on, C++ ones included, and they find an empty standard input:
    on Windows one that another thread reads can block those that look at it when they are loaded.
    """
    requests = os.fdopen(os.dup(0), "rb", buffering=0)
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return requests, replies


def main() -> None:
    requests, replies = private_streams()
    # Threads that wait for work must not spin: with another busy process beside it, a run takes twice as long then.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    here = Path(__file__).resolve().parent
    sys.path = [str(here.parents[1]), *(path for path in sys.path if not path or Path(path).resolve() != here)]

    from LiverLesionCascadeLib.worker.server import Server

    Server(requests, replies).serve()


if __name__ == "__main__":
    main()
