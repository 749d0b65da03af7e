"""Headers of source images as objects that are made from them may repeat them: checked, repaired, or emptied.

Scanners and archives write much that the standard does not allow and that writers refuse: dates with dashes, times with
colons, ``f`` for the sex, unknown or half declared character sets, a series number that is none.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ...errors import InputError, reason
from .dicom_header import CT_CLASS, damaged, day, number, read_header, sop_class, text

_UNICODE = "ISO_IR 192"
#: What DICOM wants in every object of a study, with or without a value, and how long it may be.
_TEXTS = {
    "PatientID": 64,
    "AccessionNumber": 16,
    "StudyID": 16,
    "PositionReferenceIndicator": 64,
    "StudyDescription": 64,
    "IssuerOfPatientID": 64,
}
_NAMES = ("PatientName", "ReferringPhysicianName")
_IDENTIFIERS = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID")
_LONGEST_NAME = 64


def clean_header(path: Path) -> Any:
    """What other objects need of an image's header, as a pydicom Dataset in Unicode.

    Raises InputError where it cannot be read, is no CT image, or lacks what such objects are tied to.
    """
    import pydicom

    try:
        header = read_header(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {reason(error)}. Load the series again.") from error
    kind = sop_class(header)
    if not kind and not text(header, "Modality"):
        raise damaged(path)
    if kind != CT_CLASS and (kind or text(header, "Modality") != "CT"):
        raise InputError(f"{path.name} is no CT image of one slice: only such series can be exported to.")
    clean = pydicom.Dataset()
    clean.SpecificCharacterSet = _UNICODE
    clean.SOPClassUID, clean.Modality = CT_CLASS, "CT"
    for name in _IDENTIFIERS:
        setattr(clean, name, _identifier(header, name, path))
    for name, longest in _TEXTS.items():
        setattr(clean, name, _line(text(header, name))[:longest].strip())
    for name in _NAMES:
        setattr(clean, name, _person(text(header, name)))
    for name in ("PatientBirthDate", "StudyDate"):
        setattr(clean, name, _date(text(header, name)))
    clean.StudyTime = _time(text(header, "StudyTime"))
    sex = text(header, "PatientSex")[:1].upper()
    clean.PatientSex = sex if sex in ("M", "F", "O") else ""
    for name in ("SeriesNumber", "InstanceNumber"):
        found = number(header, name)
        setattr(clean, name, int(found) if found is not None and abs(found) < 1 << 31 else None)
    for name in ("Rows", "Columns"):
        found = number(header, name)
        if found is not None:
            setattr(clean, name, int(found))
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        parts = text(header, name).replace(",", ".")
        if parts:
            setattr(clean, name, [part.strip() for part in parts.split("\\")])
    thickness = number(header, "SliceThickness")
    if thickness is not None and thickness > 0:
        clean.SliceThickness = f"{thickness:.6g}"
    return clean


def _identifier(header: Any, name: str, path: Path) -> str:
    found = text(header, name)
    if re.fullmatch(r"[0-9]+(\.[0-9]+)*", found) and len(found) <= 64:
        return found
    if name == "FrameOfReferenceUID":
        # Of the series alone: all its images get the same.
        from pydicom.uid import generate_uid

        return str(generate_uid(entropy_srcs=[text(header, "SeriesInstanceUID") or str(path.parent)]))
    raise InputError(f"{path.name} has no usable {name}, which DICOM objects made from it need. Export it again.")


def _line(found: str) -> str:
    """Without what texts of DICOM cannot hold; a backslash parts values."""
    return " ".join("".join(c if c.isprintable() and c != "\\" else " " for c in found).split())


def _person(found: str) -> str:
    """A name of up to three groups (=) of up to five components (^)."""
    groups = _line(found).split("=")[:3]
    return "=".join("^".join(group.split("^")[:5])[:_LONGEST_NAME].strip() for group in groups).rstrip("=^ ")


def _date(found: str) -> str:
    """YYYYMMDD, also of dates with dashes, dots or slashes, whichever end the year is at; "" for what is no date."""
    parts = re.findall(r"[0-9]+", found.split(" ")[0])
    if len(parts) == 3 and len(parts[2]) == 4:
        parts.reverse()  # day, month, year
    digits = parts[0] + "".join(part.rjust(2, "0") for part in parts[1:]) if parts else ""
    return digits if len(digits) == 8 and day(digits) else ""


def _time(found: str) -> str:
    """HHMMSS.FFFFFF, also of times with colons; "" for what is no time."""
    match = re.fullmatch(r"([01]\d|2[0-3])(?:([0-5]\d)(?:([0-5]\d)(\.\d{1,6})?)?)?", found.replace(":", "").strip())
    return match[0] if match else ""
