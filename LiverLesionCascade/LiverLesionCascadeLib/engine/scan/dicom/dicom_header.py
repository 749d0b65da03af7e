"""Values of DICOM headers as they come: what is not needed may be missing, misspelt or impossible and hurts nobody."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError, cannot_read

CT_CLASS = "1.2.840.10008.5.1.4.1.1.2"
DICOMDIR_CLASS = "1.2.840.10008.1.3.10"
_SUFFIXES = (".dcm", ".dicom", ".ima")
# A read of more than this is not believed without a look at the file's size.
_LARGE_READ = 1 << 16
_LONG_FORM = (b"OB", b"OW", b"SQ", b"UN", b"UT")
_FIRST_GROUPS = (0x0002, 0x0008)


class HeaderError(ValueError):
    """An attribute that is needed is missing or cannot be what it says; the text is its name."""


def is_dicom(path: Path) -> bool:
    """By the mark at byte 128, by its name, or by the elements that it begins with (files from before the mark)."""
    try:
        with open(path, "rb") as file:
            start = file.read(132)
    except OSError as error:
        raise cannot_read(path, error) from error
    return start[128:] == b"DICM" or path.suffix.lower() in _SUFFIXES or _begins_with_elements(start)


def _begins_with_elements(start: bytes) -> bool:
    """Two elements in ascending order, of the groups that files without a preamble begin with."""
    for order in "<>":
        at, last = 0, -1
        for _ in range(2):
            if len(start) < at + 12:
                return False
            group, element = struct.unpack_from(order + "HH", start, at)
            kind = start[at + 4 : at + 6]
            if kind in _LONG_FORM:
                head, length = 12, struct.unpack_from(order + "I", start, at + 8)[0]
            elif kind.isalpha() and kind.isupper():
                head, length = 8, struct.unpack_from(order + "H", start, at + 6)[0]
            else:
                head, length = 8, struct.unpack_from(order + "I", start, at + 4)[0]
            if group not in _FIRST_GROUPS or (group << 16 | element) <= last or length > 100:
                break
            at, last = at + head + length, group << 16 | element
        else:
            return True
    return False


def unreadable() -> tuple[type[Exception], ...]:
    """What pydicom raises for files that are damaged or no DICOM; pydicom is imported where a file is read."""
    from pydicom.errors import BytesLengthException

    return (
        ValueError,
        LookupError,
        ArithmeticError,
        AttributeError,
        TypeError,
        EOFError,
        OSError,
        NotImplementedError,
        RecursionError,
        BytesLengthException,
        struct.error,
        zlib.error,
    )


def read_header(path: Path, tags: Sequence[str] | None = None) -> Any:
    """The header as a pydicom Dataset, with or without the mark at byte 128; only ``tags`` where they are given.

    Raises OSError, and InputError for a file that is none.
    """
    header = read_dataset(path, stop_before_pixels=True, specific_tags=list(tags) if tags else None)
    if not len(header):
        raise damaged(path)
    return header


def read_dataset(path: Path, **choices: Any) -> Any:
    """What pydicom's ``dcmread`` makes of a file, with or without the mark at byte 128. Raises OSError, InputError."""
    import pydicom

    try:
        with _Bounded(io.FileIO(path)) as file:
            return pydicom.dcmread(file, force=True, **choices)
    except unreadable() as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise damaged(path) from error


class _Bounded(io.BufferedReader):
    """A file that takes no memory for bytes that it has not: damaged headers claim gigabytes."""

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > _LARGE_READ:
            size = max(min(size, os.fstat(self.fileno()).st_size - self.tell()), 0)
        return super().read(size)


def damaged(path: Path) -> InputError:
    return InputError(f"{path.name} is truncated or damaged, or no DICOM file. Copy or export it again, or remove it.")


def value(header: Any, name: str) -> Any:
    """As pydicom understands it, else as the text that is there; None where it is missing or empty."""
    try:
        found = header.get(name)
    except unreadable():
        found = _as_written(header, name)
    if isinstance(found, bytes):
        found = found.decode("ascii", errors="replace")
    return found if found is None or not hasattr(found, "__len__") or len(found) else None


def _as_written(header: Any, name: str) -> Any:
    try:
        return header.get_item(name).value
    except unreadable():  # such as a representation of values that does not exist
        return None


def text(header: Any, name: str) -> str:
    """In one line; several values as they are written, with backslashes."""
    found = value(header, name)
    if found is None:
        return ""
    parts = [found] if isinstance(found, str) or not isinstance(found, Sequence) else list(found)
    return " ".join("\\".join(str(part) for part in parts).replace("\0", " ").split())


def numbers(header: Any, name: str) -> np.ndarray | None:
    """All values as float64 (n,); None where it is missing or one of them is no finite number.

    A comma for the decimal point, which some senders write, is understood.
    """
    parts = text(header, name).split("\\")
    try:
        found = np.array([float(part.replace(",", ".")) for part in parts])
    except ValueError:
        return None
    return found if np.isfinite(found).all() else None


def number(header: Any, name: str) -> float | None:
    """The first value; None where it is missing or no finite number."""
    found = numbers(header, name)
    return None if found is None else float(found[0])


def day(digits: str) -> date | None:
    """Of YYYYMMDD; None for what is no date."""
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def needed(header: Any, name: str, count: int) -> np.ndarray:
    """That many numbers (count,). Raises HeaderError."""
    found = numbers(header, name)
    if found is None or len(found) != count:
        raise HeaderError(name)
    return found


def sop_class(header: Any) -> str:
    """UID of what the file holds, also where anonymisers took it out of the data set; "" where nothing says it."""
    own = text(header, "SOPClassUID")
    if own:
        return own
    found = text(getattr(header, "file_meta", None) or {}, "MediaStorageSOPClassUID")
    return DICOMDIR_CLASS if not found and "FileSetID" in header else found


def require_whole(path: Path, header: Any) -> None:
    """Raise InputError where what every object says is missing: class or modality, and series or place.

    So it is in files that were cut off, whatever class is left: its UID may be cut short.
    """
    kind = sop_class(header)
    of_a_series = text(header, "SeriesInstanceUID") or numbers(header, "ImagePositionPatient") is not None
    if kind != DICOMDIR_CLASS and not (of_a_series and (kind or text(header, "Modality"))):
        raise damaged(path)


def items(header: Any, name: str) -> Sequence[Any]:
    """Of a sequence; none where it is missing, or what the header holds in its place is none."""
    import pydicom

    found = value(header, name)
    return found if isinstance(found, pydicom.Sequence) else ()


def in_groups(name: str, *groups: Any) -> Any:
    """The first item of a functional group: of the frame's own groups, else of those that all frames share; or None."""
    return next((each for group in groups for each in items(group, name)), None)
