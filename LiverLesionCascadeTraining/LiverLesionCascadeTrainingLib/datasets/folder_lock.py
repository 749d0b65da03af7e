"""One process at a time in a folder."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

#: What a disk answers that knows no locks, as some network disks do.
_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP}


@contextmanager
def alone_in(folder: Path, wait: bool = False) -> Iterator[None]:
    """Keeps other processes out of a folder that is there; on a disk that knows no locks nobody is.

    The system releases the lock when a process dies, so a killed one leaves none behind.

    Args:
        wait: For a process that is at work there.

    Raises:
        filelock.Timeout: If another process is at work there, and is not waited for.
        OSError: If the lock's file cannot be written.
    """
    lock = FileLock(folder / ".lock", timeout=-1 if wait else 0)
    try:
        lock.acquire()
    except NotImplementedError:
        pass
    except OSError as error:
        if isinstance(error, Timeout) or error.errno not in _NO_LOCKS:
            raise
    try:
        yield
    finally:
        lock.release()
