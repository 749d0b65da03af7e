"""What is alive, in counts: what a person never notices until there is too much of it."""

import ctypes
import gc
import os
import threading
from collections import Counter
from pathlib import Path

import psutil


def ours():
    """How many objects of each of our classes and of MRML's are alive."""
    gc.collect()
    return Counter(
        type(each).__qualname__
        for each in gc.get_objects()
        if str(type(each).__module__).startswith(("LiverLesionCascade", "slicer.vtkMRML", "vtkMRML"))
    )


def observers(scene):
    """How many listen to a scene."""
    return str(scene).partition("Number Of Items")[0].count("vtkObserver (")


def of_process(*folders):
    """Of this process: others that it started, its threads, open files, and what lies in these folders."""
    return Counter(
        processes=len(psutil.Process().children(recursive=True)),
        threads=psutil.Process().num_threads(),
        **{"Python threads": threading.active_count(), "open files": psutil.Process().num_fds()},
        **{f"files in {folder}": sum(len(files) for _, _, files in os.walk(folder)) for folder in folders},
    )


def memory(pid=None):
    """Bytes that a process has written to: its program and libraries, which others may share, do not count. Linux.

    :param pid: of another one; this process, which first gives back what is free, if None.
    """
    if pid is None:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid or 'self'}/status").read_text().splitlines())
    return 1024 * int(lines["RssAnon"].split()[0])
