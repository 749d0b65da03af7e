"""The folder of a run's results: one run at a time, and nobody else's files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ..engine.errors import OutputError, reason

#: What tells the folder of a run from others: an archive's has both, an evaluation's only the records.
RECORDS, CASES = "records", "cases"
LOCK_FILE = ".lock"


@contextmanager
def run_folder(folder: Path, kind: str = "archive run", parts: tuple[str, ...] = (RECORDS, CASES)) -> Iterator[None]:
    """Makes the folder of a run's results if need be, and keeps other runs out of it.

    Args:
        kind: What runs, for messages.
        parts: The folders in it that runs of this kind have.

    Raises:
        OutputError: If another run is at work in it, or it cannot be written, or holds what is not such a run's.
    """
    try:
        held = {name for name in (RECORDS, CASES) if (folder / name).is_dir()}
        if folder.is_dir() and not _is_free(folder, parts) and held != set(parts):
            raise OutputError(f"{folder} holds other files: choose an empty folder, or that of an earlier {kind}")
        for name in parts:
            (folder / name).mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK_FILE, timeout=0)
        lock.acquire()
    except Timeout as error:
        raise OutputError(
            f"Another run is writing to {folder}: wait for it, end it, or choose another folder"
        ) from error
    except NotImplementedError as error:
        raise OutputError(
            f"The disk of {folder} knows no locks, which keep two runs apart: choose a folder on another disk"
        ) from error
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written ({reason(error)}): choose another folder for the output"
        ) from error
    try:
        for place in (folder, folder / RECORDS):
            for abandoned in place.glob(".writing-*"):  # by a run that was killed
                abandoned.unlink(missing_ok=True)
        yield
    finally:
        lock.release()


def _is_free(folder: Path, parts: tuple[str, ...]) -> bool:
    """Whether nothing lies in it but what a run leaves that the disk stopped before it began."""
    return all(
        path.name == LOCK_FILE or (path.name in parts and path.is_dir() and not any(path.iterdir()))
        for path in folder.iterdir()
    )
