"""Headers of source images as objects that are made from them may repeat them: checked, repaired, or emptied.

Scanners and archives write much that the standard does not allow and that writers refuse: dates with dashes, times with
colons, ``f`` for the sex, unknown or half declared character sets, a series number that is none.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...errors import InputError, reason
from .dicom_header import CT_CLASS, damaged, day, number, numbers, read_header, sop_class, text

_UNICODE = "ISO_IR 192"
#: What DICOM wants in every object of a study, with or without a value. Of keys, how long they may be: a part of one
#: would be somebody else's.
_KEYS = {"AccessionNumber": 16, "StudyID": 16, "IssuerOfPatientID": 64}
_TEXTS = ("PositionReferenceIndicator", "StudyDescription")
_NAMES = ("PatientName", "ReferringPhysicianName")
_IDENTIFIERS = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID")
_LONGEST = 64
_UNDECLARED = ("", "ISO_IR 6")
_SEXES = {
    **dict.fromkeys(("M", "MALE", "MÄNNLICH", "MAENNLICH", "MASCULIN", "HOMME"), "M"),
    **dict.fromkeys(("F", "FEMALE", "WEIBLICH", "FÉMININ", "FEMININ", "FEMME"), "F"),
    **dict.fromkeys(("O", "OTHER"), "O"),
}


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
    clean.PatientID = _key(_words(header, "PatientID"), _LONGEST)
    if clean.PatientID is None:
        raise InputError(
            f"{path.name} has a PatientID that is longer than DICOM allows, or several: a part may be somebody else's. "
            "Correct it at its source."
        )
    for name, longest in _KEYS.items():
        setattr(clean, name, _key(_words(header, name), longest) or "")
    for name in _TEXTS:
        setattr(clean, name, _line(_words(header, name))[:_LONGEST].strip())
    for name in _NAMES:
        setattr(clean, name, _person(_words(header, name)))
    for name in ("PatientBirthDate", "StudyDate"):
        setattr(clean, name, _date(text(header, name)))
    clean.StudyTime = _time(text(header, "StudyTime"))
    clean.PatientSex = _SEXES.get(_words(header, "PatientSex").upper(), "")
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
    if text(header, "LossyImageCompression") == "01":
        _keep_lossy(clean, header)
    return clean


def _keep_lossy(clean: Any, header: Any) -> None:
    """What is made of images that lost detail says so too."""
    clean.LossyImageCompression = "01"
    ratios = numbers(header, "LossyImageCompressionRatio")
    if ratios is not None:
        clean.LossyImageCompressionRatio = [f"{ratio:.6g}" for ratio in ratios]
    methods = text(header, "LossyImageCompressionMethod").split("\\")
    if all(re.fullmatch(r"[A-Z0-9_ ]{1,16}", method) for method in methods):
        clean.LossyImageCompressionMethod = methods


def _words(header: Any, name: str) -> str:
    """A text; where no character set is declared it is UTF-8 if it can be that, else Latin-1."""
    raw = header.get_item(name)
    if text(header, "SpecificCharacterSet") in _UNDECLARED and raw is not None and isinstance(raw.value, bytes):
        with suppress(UnicodeDecodeError):
            return text({name: raw.value.decode()}, name)
    return text(header, name)


def _key(found: str, longest: int) -> str | None:
    """What finds a patient or study: as it is, None where DICOM cannot hold it."""
    value = found.rstrip("\\ ")
    key = _line(value)
    return None if len(key) > longest or "\\" in value else key


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
    return "=".join("^".join(group.split("^")[:5])[:_LONGEST].strip() for group in groups).rstrip("=^ ")


def _date(found: str) -> str:
    """YYYYMMDD, also of dates with dashes, dots or slashes; "" for what is no date, or may be two: 03/05/1960."""
    parts = re.findall(r"[0-9]+", found.split(" ")[0])
    if len(parts) == 3 and len(parts[2]) == 4:
        if int(parts[0]) <= 12:
            return ""
        parts.reverse()  # day, month, year
    digits = parts[0] + "".join(part.rjust(2, "0") for part in parts[1:]) if parts else ""
    return digits if len(digits) == 8 and day(digits) else ""


def _time(found: str) -> str:
    """HHMMSS.FFFFFF, also of times with colons; "" for what is no time."""
    match = re.fullmatch(r"([01]\d|2[0-3])(?:([0-5]\d)(?:([0-5]\d)(\.\d{1,6})?)?)?", found.replace(":", "").strip())
    return match[0] if match else ""
