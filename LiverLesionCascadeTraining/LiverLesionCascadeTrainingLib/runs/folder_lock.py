"""One process at a time in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock


@contextmanager
def alone_in(folder: Path, wait: bool = False) -> Iterator[None]:
    """Keeps other processes out of a folder that is there; on a disk that knows no locks nobody is.

    The system releases the lock when a process dies, so a killed one leaves none behind.

    Args:
        wait: For a process that is at work there.

    Raises:
        filelock.Timeout: If another process is at work there, and is not waited for.
    """
    lock = FileLock(folder / ".lock", timeout=-1 if wait else 0)
    with suppress(NotImplementedError):
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
