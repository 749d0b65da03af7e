"""What the client needs of an operating system process, so that Qt, plain Python and a test's fake can each give it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class ProcessEvents:
    """What a process reports, always from the event loop, never from within a call of the process's methods.

    Attributes:
        on_output: Bytes of its standard output, as they come.
        on_error_output: Bytes of its standard error.
        on_ended: (exit code, crashed), once, after the last output; where it crashed on Unix, the code is the signal.
        on_failed_to_start: (reason), instead of on_ended.
    """

    on_output: Callable[[bytes], None]
    on_error_output: Callable[[bytes], None]
    on_ended: Callable[[int, bool], None]
    on_failed_to_start: Callable[[str], None]


class Process(Protocol):
    """One process, from its start to its end."""

    @property
    def pid(self) -> int:
        """0 before it runs."""

    def start(self) -> None:
        """Starts it and returns at once."""

    def write(self, data: bytes) -> None:
        """Sends bytes to its standard input; they are buffered, and lost where it has ended."""

    def kill(self) -> None:
        """Ends it at once; ``on_ended`` follows.

        Its standard input ends too. PythonSlicer is a launcher, and that is how the Python behind it learns of it.
        """

    def wait(self, seconds: float) -> None:
        """Blocks until it has ended, at most so long. Only for closing."""


#: Makes a process that has not been started; each start of the worker takes a new one.
ProcessFactory = Callable[[ProcessEvents], Process]


def worker_command() -> list[str]:
    """The program and arguments that start the worker: PythonSlicer in Slicer, else this Python."""
    python = shutil.which("PythonSlicer") or sys.executable
    return [python, "-u", str(Path(__file__).with_name("main.py"))]
