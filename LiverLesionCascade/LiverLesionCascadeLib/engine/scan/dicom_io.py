"""DICOM in: finds the CT series that the user means, or says what there is to choose from."""

from __future__ import annotations

import os
import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, InvalidVolumeError
from ..findings import Finding
from .ct_volume import CTVolume

if TYPE_CHECKING:
    from .dicom_series import Slice

_CT_CLASSES = ("1.2.840.10008.5.1.4.1.1.2",)
_ENHANCED_CT_CLASSES = ("1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2")
_DICOMDIR_CLASS = "1.2.840.10008.1.3.10"
_SUFFIXES = (".dcm", ".dicom", ".ima")
# A series shorter than this is passed over beside a longer one: scouts, monitoring and bolus tracking slices.
MIN_SLICES = 20
_TAGS = [
    "SOPClassUID",
    "SOPInstanceUID",
    "ImageType",
    "Modality",
    "SeriesDescription",
    "SeriesInstanceUID",
    "SeriesNumber",
    "AcquisitionNumber",
    "TemporalPositionIdentifier",
    "InstanceNumber",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "NumberOfFrames",
]


@dataclass
class Series:
    """The files of one SeriesInstanceUID."""

    uid: str
    number: str = ""
    description: str = ""
    modality: str = ""
    slices: list[Slice] = field(default_factory=list)
    set_aside: Counter[str] = field(default_factory=Counter)  # files that are no slices, by what they are
    enhanced: bool = False
    problems: list[str] = field(default_factory=list)  # CT images whose header lacks what a slice needs
    files: list[Path] = field(default_factory=list)
    instances: list[str] = field(default_factory=list)  # UIDs, in the files' order

    @property
    def title(self) -> str:
        return f"series {self.number or '?'}" + (f" '{self.description}'" if self.description else "")

    @property
    def is_ct(self) -> bool:
        return self.modality == "CT" and bool(self.slices or self.enhanced or self.problems)

    @property
    def is_axial(self) -> bool:
        """The slices' normal lies nearer to the body's axis than to any other."""
        if not self.slices:
            return False
        return int(np.argmax(np.abs(self.slices[0].normal))) == 2


def is_dicom(path: Path) -> bool:
    """By the mark at byte 128, or by its name for files without that mark."""
    try:
        with open(path, "rb") as file:
            file.seek(128)
            return file.read(4) == b"DICM" or path.suffix.lower() in _SUFFIXES
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. Check the file and its rights.") from error


def read_dicom_folder(path: str | os.PathLike[str], series_uid: str | None = None) -> CTVolume:
    """The CT series of a folder and its subfolders, or the one with the UID given.

    Raises InputError where there is none, or several (with the list), and for incomplete series; InvalidVolumeError.
    """
    path = Path(path)
    if not path.is_dir():
        raise InputError(f"{path} is not a folder. Give the folder that holds the DICOM files.")
    return read_dicom_files([path], series_uid)


def read_dicom_files(paths: Sequence[str | os.PathLike[str]], series_uid: str | None = None) -> CTVolume:
    """As :func:`read_dicom_folder`, for files and folders together."""
    from .dicom_series import assemble

    given = [Path(p) for p in paths]
    place = str(given[0]) if len(given) == 1 else f"the {len(given)} files given"
    series = list_series(given)
    chosen = choose_series(series, place, series_uid)
    if chosen.enhanced:
        raise InputError(
            f"{_capital(chosen.title)} is an enhanced (multi-frame) CT, which is not supported. "
            "Load it in 3D Slicer and save it as NRRD, or convert it with dcm2niix."
        )
    if chosen.problems:
        more = f" (and {len(chosen.problems) - 1} more)" if len(chosen.problems) > 1 else ""
        raise InputError(f"{chosen.problems[0]}{more}: the file is truncated or damaged. Copy or export it again.")
    array, ijk_to_lps, notes = assemble(chosen.slices, chosen.title)
    ct = CTVolume.from_array(array, ijk_to_lps, _capital(chosen.title))
    ct.notes[:0] = [_series_note(chosen, series), *notes]
    return ct


def list_series(paths: Iterable[Path]) -> list[Series]:
    """All series in files and folders (subfolders included), ordered by their number. Files that are no DICOM are
    passed over; raises InputError for DICOM files that cannot be read."""
    found: dict[str, Series] = {}
    seen: set[str] = set()
    for path in _files(paths):
        header = _header(path)
        if header is None or str(header.get("SOPClassUID", "")) == _DICOMDIR_CLASS:
            continue
        uid, instance = str(header.get("SeriesInstanceUID", "")), str(header.get("SOPInstanceUID", ""))
        if not uid or not header.get("SOPClassUID"):
            raise _damaged(path)
        if instance and instance in seen:
            continue  # the same image twice, as when a folder was copied into itself
        seen.add(instance)
        one = found.setdefault(uid, Series(uid))
        one.files.append(path)
        one.instances.append(instance)
        _add(one, path, header)
    return sorted(found.values(), key=lambda s: (int(s.number) if s.number.isdigit() else 1 << 30, s.uid))


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if path.is_file():
            yield path
            continue
        for folder, subfolders, names in os.walk(path):
            subfolders.sort()
            for name in sorted(names):
                if not name.startswith("."):  # macOS puts "._IM0001" beside every file on foreign disks
                    yield Path(folder) / name


def _header(path: Path) -> Any:
    """The header as a pydicom Dataset; None for a file that is no DICOM."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    by_name = path.suffix.lower() in _SUFFIXES
    if not by_name and not is_dicom(path):
        return None
    try:
        return pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(_TAGS), force=by_name)
    except OSError as error:
        if error.strerror:
            raise InputError(f"{path} cannot be read: {error.strerror}. Check the file and its rights.") from error
        raise _damaged(path) from error
    except (InvalidDicomError, EOFError, ValueError, KeyError, AttributeError, struct.error) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> InputError:
    return InputError(f"{path.name} is truncated or damaged, or no DICOM file. Copy or export it again, or remove it.")


def _add(series: Series, path: Path, header: Any) -> None:
    from .dicom_series import Slice

    series.number = series.number or str(header.get("SeriesNumber") or "")
    series.description = series.description or str(header.get("SeriesDescription") or "").strip()
    series.modality = series.modality or str(header.get("Modality") or "").upper()
    sop_class = str(header.SOPClassUID)
    if not series.modality and sop_class in _CT_CLASSES:
        series.modality = "CT"
    image_type = [str(part).upper() for part in (header.get("ImageType") or [])]
    if sop_class in _ENHANCED_CT_CLASSES:
        series.enhanced = True
    elif sop_class not in _CT_CLASSES:
        series.set_aside["other object"] += 1
    elif "LOCALIZER" in image_type or "SCOUT" in image_type:
        series.set_aside["scout"] += 1
    elif int(header.get("SamplesPerPixel") or 1) != 1:
        series.set_aside["colour picture"] += 1
    else:
        try:
            series.slices.append(Slice.of(path, header))
        except (ValueError, TypeError, AttributeError) as error:
            series.problems.append(f"{path.name} lacks a usable {error}")


def choose_series(series: list[Series], place: str, series_uid: str | None = None) -> Series:
    """The one CT series of a place, or the one with the UID. Raises InputError, InvalidVolumeError, with the list."""
    if not series:
        raise InputError(f"{place} holds no DICOM files. Give the folder that holds the CT series.")
    if series_uid:
        chosen = next((s for s in series if s.uid == series_uid), None)
        if chosen is None:
            raise InputError(f"{place} holds no series {series_uid}. It holds:{_listed(series)}")
        if not chosen.is_ct:
            raise _not_ct(chosen)
        return chosen
    candidates = [s for s in series if s.is_ct]
    if not candidates:
        if len(series) == 1:
            raise _not_ct(series[0])
        raise InputError(f"{place} holds no CT images. Give the folder of a CT series. It holds:{_listed(series)}")
    if len(candidates) > 1:
        long = [s for s in candidates if s.is_axial and len(s.slices) >= MIN_SLICES]
        # images without any place (screenshots stored as CT) are no rival; a damaged series may be the one meant
        rival = any(s.enhanced or (s.problems and s.slices) for s in candidates)
        if len(long) != 1 or rival:
            raise InputError(
                f"{place} holds {len(candidates)} CT series; say which with --series UID, or give the folder of one. "
                f"They are:{_listed(candidates)}"
            )
        candidates = long
    return candidates[0]


def _not_ct(series: Series) -> InputError | InvalidVolumeError:
    if series.modality and series.modality != "CT":
        return InvalidVolumeError(f"{_capital(series.title)} is {series.modality}, not CT. Give a CT series.")
    what = ", ".join(f"{n} x {name}" for name, n in series.set_aside.items())
    return InputError(f"{_capital(series.title)} holds no axial CT images ({what}). Give the folder of a CT series.")


def _listed(series: list[Series]) -> str:
    lines = []
    for s in series:
        count = len(s.slices) or s.set_aside.total() or 1
        plane = "" if s.is_axial or not s.slices else ", not axial"
        lines.append(f"\n  {s.title}: {s.modality or 'no modality'}, {count} images{plane}, UID {s.uid}")
    return "".join(lines)


def _series_note(chosen: Series, series: list[Series]) -> Finding:
    others = [s for s in series if s is not chosen]
    text = f"Read {chosen.title}, {len(chosen.slices)} slices, UID {chosen.uid}."
    if chosen.set_aside:
        text += f" Left out of it: {', '.join(f'{n} x {name}' for name, n in chosen.set_aside.items())}."
    if others:
        shown = "; ".join(f"{s.title} ({s.modality or '?'})" for s in others[:10])
        text += f" Other series in the folder, not read: {shown}{' ...' if len(others) > 10 else ''}."
    return Finding("series", "info", text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
