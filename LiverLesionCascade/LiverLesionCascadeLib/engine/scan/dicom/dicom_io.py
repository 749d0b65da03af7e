"""DICOM in: finds the CT series that the user means, or says what there is to choose from."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError, InvalidVolumeError, cannot_read, reason
from ...files import files_below
from ...findings import Finding
from ..ct_volume import CTVolume
from .dicom_header import (
    CT_CLASS,
    DICOMDIR_CLASS,
    HeaderError,
    is_dicom,
    number,
    read_dataset,
    read_header,
    require_whole,
    sop_class,
    text,
    unreadable,
)
from .dicom_slice import FRAME_TAGS, TAGS, Slice, frames, position_of

# Enhanced CT and what was converted to it.
_ENHANCED_CT_CLASSES = ("1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2")
# A series shorter than this is passed over beside a longer one: scouts, monitoring and bolus tracking slices.
MIN_SLICES = 20
_TAGS = (
    *TAGS,
    "SOPClassUID",
    "FileSetID",
    "Modality",
    "SeriesDescription",
    "SeriesInstanceUID",
    "SeriesNumber",
    "StudyInstanceUID",
)


@dataclass(frozen=True)
class Unusable:
    """A file that was left out, and why; with its place (LPS mm) where that is known."""

    path: Path
    why: str
    position: np.ndarray | None = None


@dataclass
class Series:
    """The files of one SeriesInstanceUID."""

    uid: str
    number: str = ""
    description: str = ""
    modality: str = ""
    study: str = ""
    slices: list[Slice] = field(default_factory=list)
    set_aside: Counter[str] = field(default_factory=Counter)  # files that are no slices, by what they are
    problems: list[Unusable] = field(default_factory=list)  # CT images whose header lacks what a slice needs
    files: list[Path] = field(default_factory=list)
    instances: list[str] = field(default_factory=list)  # UIDs, in the files' order

    @property
    def title(self) -> str:
        return f"series {self.number or '?'}" + (f" '{self.description}'" if self.description else "")

    @property
    def is_ct(self) -> bool:
        return self.modality == "CT" and bool(self.slices or self.problems)

    @property
    def is_axial(self) -> bool:
        """Whether its slices are; not where it has none."""
        return bool(self.slices) and self.slices[0].is_axial


@dataclass
class Listing:
    """What files and folders hold: the series, ordered by their number, and DICOM files that cannot be used."""

    series: list[Series]
    unusable: list[Unusable]


def read_dicom_files(
    paths: Sequence[Path],
    series_uid: str | None = None,
    acquisition: str | None = None,
    fill_gaps: int = 0,
) -> CTVolume:
    """The CT series of files and folders (subfolders included), or the one with the UID given.

    Raises InputError where there is none, or several (with the list), and for incomplete series; InvalidVolumeError.

    Args:
        acquisition: Which of several passes within the series to take.
        fill_gaps: Up to how many slices that are missing in a row are interpolated.
    """
    from .dicom_series import assemble

    place = str(paths[0]) if len(paths) == 1 else f"the {len(paths)} files given"
    listing = list_series(paths)
    if not listing.series and listing.unusable:
        raise InputError(_left_out(listing.unusable))
    chosen = choose_series(listing.series, place, series_uid)
    missed = [*chosen.problems, *listing.unusable]
    if not chosen.slices:
        raise InputError(_left_out(chosen.problems))
    _require_places_known(chosen)
    name = _capital(chosen.title)
    try:
        assembled = assemble(chosen.slices, name, acquisition, fill_gaps)
    except InputError as error:
        raise InputError(f"{error} Not read: {_left_out(missed)}" if missed else str(error)) from error
    what = f", {assembled.what}" if assembled.what else ""
    ct = CTVolume.from_array(assembled.array, assembled.ijk_to_lps, f"{name}{what}")
    ct.slices, ct.places = tuple(assembled.slices), assembled.places
    left_out = [Finding("files_left_out", "warning", f"Not read: {_left_out(missed)}")] if missed else []
    ct.notes[:0] = [_series_note(chosen, listing.series, len(ct.slices), what), *left_out, *assembled.notes]
    return ct


def _require_places_known(series: Series) -> None:
    """Raise InputError where a file that cannot be used is a slice of its own of the stack."""
    first = series.slices[0]
    places = np.array([one.along(first.normal) for one in series.slices])
    apart = np.median(np.diff(np.sort(places))) if len(places) > 1 else 1.0
    for each in series.problems:
        if each.position is not None and np.abs(places - each.position @ first.normal).min() > 0.5 * apart:
            raise InputError(_left_out(series.problems))


def _left_out(unusable: Sequence[Unusable]) -> str:
    names = ", ".join(each.path.name for each in unusable[1:5])
    more = f" Likewise {names}{', ...' if len(unusable) > 5 else ''}." if names else ""
    return f"{unusable[0].why}{more}"


def list_series(paths: Iterable[Path]) -> Listing:
    """All series in files and folders (subfolders included). Files that are no DICOM are passed over.

    A file that is there twice, the same image of the same series, is listed once.
    """
    found: dict[str, Series] = {}
    unusable: list[Unusable] = []
    seen: dict[tuple[str, ...], Path] = {}
    for path in _files(paths, unusable):
        try:
            if path.name.upper() == "DICOMDIR" or not is_dicom(path):
                continue
            header = read_header(path, _TAGS)
            kind = sop_class(header)
            if kind == DICOMDIR_CLASS:
                continue
            require_whole(path, header)
            uid = text(header, "SeriesInstanceUID")
            image = uid, text(header, "SOPInstanceUID"), text(header, "ImagePositionPatient")
            if image in seen and pixel_digest(seen[image]) == pixel_digest(path):
                continue  # as when a folder was copied into itself
            seen.setdefault(image, path)
        except OSError as error:
            unusable.append(Unusable(path, str(cannot_read(path, error))))
            continue
        except InputError as error:
            unusable.append(Unusable(path, str(error)))
            continue
        one = found.setdefault(uid, Series(uid))
        one.files.append(path)
        one.instances.append(image[1])
        _add(one, path, header, kind)
    series = sorted(found.values(), key=lambda s: (int(s.number) if s.number.isdecimal() else 1 << 30, s.uid))
    return Listing(series, unusable)


def pixel_digest(path: Path) -> bytes:
    """Equal for files with the same pixels, stored in the same way; damaged ones count as a whole. Raises OSError."""
    try:
        pixels = read_dataset(path).get("PixelData")
    except (InputError, *unreadable()) as error:  # type: ignore[misc]
        if isinstance(error, OSError):
            raise
        pixels = None
    return hashlib.blake2b(bytes(pixels) if pixels is not None else path.read_bytes()).digest()


def _files(paths: Iterable[Path], unusable: list[Unusable]) -> Iterable[Path]:
    """The files, and those below the folders, of which the ones that cannot be listed are added to ``unusable``."""

    def closed(error: OSError) -> None:
        folder = Path(error.filename)
        unusable.append(Unusable(folder, f"The folder {folder} cannot be read ({reason(error)}): check its rights."))

    for path in paths:
        if os.path.isdir(path):
            yield from files_below(path, closed)
        else:
            yield path


def _add(series: Series, path: Path, header: Any, kind: str) -> None:
    series.number = series.number or text(header, "SeriesNumber")
    series.description = series.description or text(header, "SeriesDescription")
    series.modality = series.modality or text(header, "Modality").upper()
    series.study = series.study or text(header, "StudyInstanceUID")
    if not series.modality and kind in (CT_CLASS, *_ENHANCED_CT_CLASSES):
        series.modality = "CT"
    image_type = text(header, "ImageType").upper().split("\\")
    if kind in _ENHANCED_CT_CLASSES:
        _add_frames(series, path)
    elif kind not in ("", CT_CLASS) or series.modality not in ("", "CT"):
        series.set_aside["other object"] += 1
    elif "LOCALIZER" in image_type or "SCOUT" in image_type:
        series.set_aside["scout"] += 1
    elif (number(header, "SamplesPerPixel") or 1) != 1:
        series.set_aside["colour picture"] += 1
    elif (number(header, "NumberOfFrames") or 1) > 1:
        why = f"{path.name} holds several frames, which a CT image cannot. Export it as enhanced CT or slice by slice."
        series.problems.append(Unusable(path, why))
    else:
        try:
            series.slices.append(Slice.of(path, header))
        except HeaderError as error:
            series.problems.append(_lacking(path, error, position_of(header)))


def _add_frames(series: Series, path: Path) -> None:
    """Frames of the original kind; derived ones (reformats, projections) only where there are no others."""
    try:
        kinds: dict[str, list[Slice]] = {"ORIGINAL": [], "DERIVED": []}
        for one, kind in frames(path, read_header(path, (*_TAGS, *FRAME_TAGS))):
            if one is None:
                series.set_aside["scout frame"] += 1
            else:
                kinds[kind].append(one)
    except HeaderError as error:
        series.problems.append(_lacking(path, error, None))
        return
    except InputError as error:
        series.problems.append(Unusable(path, str(error)))
        return
    taken = kinds["ORIGINAL"] or kinds["DERIVED"]
    axial = [one for one in taken if one.is_axial]
    if axial and len(axial) < len(taken):
        series.set_aside["frame that is not axial"] += len(taken) - len(axial)
        taken = axial
    if kinds["ORIGINAL"] and kinds["DERIVED"]:
        series.set_aside["derived frame"] += len(kinds["DERIVED"])
    series.slices += taken


def _lacking(path: Path, error: HeaderError, position: np.ndarray | None) -> Unusable:
    why = f"{path.name} lacks a usable {error}: the file is truncated or damaged. Copy or export it again."
    return Unusable(path, why, position)


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
        rival = any(s.problems and s.slices for s in candidates)
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


def _series_note(chosen: Series, series: list[Series], count: int, what: str) -> Finding:
    others = [s for s in series if s is not chosen]
    text = f"Read {chosen.title}{what}, {count} slices, UID {chosen.uid}."
    if chosen.set_aside:
        text += f" Left out of it: {', '.join(f'{n} x {name}' for name, n in chosen.set_aside.items())}."
    if others:
        shown = "; ".join(f"{s.title} ({s.modality or '?'})" for s in others[:10])
        text += f" Other series in the folder, not read: {shown}{' ...' if len(others) > 10 else ''}."
    return Finding("series", "info", text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
