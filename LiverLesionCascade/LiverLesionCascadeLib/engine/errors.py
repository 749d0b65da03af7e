"""Errors that a user can act on: every message names the thing that is wrong and the remedy."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class CascadeError(Exception):
    """Base of every error that is shown to the user as one line, without a traceback."""


class InvalidVolumeError(CascadeError, ValueError):
    """The voxels or the geometry of an image cannot be a CT volume that is segmented."""


class InputError(CascadeError):
    """A file or folder cannot be read, is not what was asked for, or is ambiguous."""


class OutputError(CascadeError):
    """An output exists already or cannot be written."""


class BundleError(CascadeError):
    """A model bundle is missing, incomplete, altered or of an unknown format."""


class DeviceError(CascadeError):
    """The device that was asked for is absent, unusable or out of memory."""


class CancelledError(CascadeError):
    """The user cancelled the run."""


# How torch and the systems say it where the error's type does not: on the CPU torch raises a plain RuntimeError.
_MEMORY_PHRASES = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "cannot allocate memory",
    "failed to allocate memory",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error, or what caused it, says that memory ran out, be it the computer's or a GPU's."""
    if not isinstance(error, (RuntimeError, DeviceError)):
        return isinstance(error, MemoryError)
    # torch's own type by its name: torch need not be imported for this.
    told = type(error).__name__ == "OutOfMemoryError" or any(each in str(error).lower() for each in _MEMORY_PHRASES)
    return told or (error.__cause__ is not None and is_out_of_memory(error.__cause__))


def reason(error: Exception) -> str:
    """What went wrong in one line: in the system's words where there are any, else the last of its own."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__


@contextmanager
def system_errors_as(kind: type[CascadeError], what: str, remedy: str) -> Iterator[None]:
    """Raises an error of a kind, ``what (why): remedy``, for an OSError meanwhile."""
    try:
        yield
    except OSError as error:
        raise kind(f"{what} ({reason(error)}): {remedy}") from error


def cannot_read(path: Path, error: OSError) -> InputError:
    """The error to raise for a file that the system does not let be read."""
    return InputError(f"{path} cannot be read: {reason(error)}. Check the file and its rights.")
