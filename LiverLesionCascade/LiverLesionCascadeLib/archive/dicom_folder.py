"""The DICOM series of one folder's own files: what a worker says of them when an archive is searched."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..engine.errors import CascadeError, InputError
from ..engine.files import files_below, may_be_read
from ..engine.scan.dicom.dicom_header import is_dicom
from ..engine.scan.dicom.dicom_io import Series, choose_series, list_series, pixel_digest
from .entries import files_fingerprint

#: A folder and the names of those of its files that are to be looked at.
FolderFiles = tuple[str, list[str]]


@dataclass(frozen=True)
class SeriesPart:
    """The images of a CT series that lie in one folder.

    Attributes:
        fingerprint: Changes with the files.
        contents: Changes with the images' UIDs and places and with the pixels in the middle: equal for copies.
        slices: Number of its slices that are axial.
        is_axial: Whether they are, as far as any can be used.
        study: UID of its study; "" where none is given.
        is_damaged: Whether files here could not be read, which may be its slices.
    """

    uid: str
    title: str
    fingerprint: str
    contents: str
    slices: int
    is_axial: bool = True
    study: str = ""
    is_damaged: bool = False


@dataclass
class FolderContents:
    """What a folder holds besides image files; ``problems`` are (path, why) of what gives no case."""

    folder: str
    series: list[SeriesPart] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)


def scan_folder(files: FolderFiles) -> FolderContents:
    """Reads the headers of the files of a folder; raises nothing that a file can cause."""
    folder, names = files
    found = FolderContents(folder)
    dicom: list[Path] = []
    for name in names:
        path = Path(folder) / name
        try:
            if is_dicom(path):
                dicom.append(path)
            elif path.stat().st_size == 0:
                found.problems.append((str(path), f"{name} is empty (0 bytes). Copy or export it again."))
            elif name.upper() != "DICOMDIR":
                found.problems.append((str(path), f"{name} is neither an image file nor DICOM."))
        except (CascadeError, OSError) as error:
            found.problems.append((str(path), str(error)))
    try:
        listing = list_series(dicom)
        series = [one for one in listing.series if one.is_ct]
        if not series:  # else the case itself says what of its folder was not read
            found.problems += [(str(each.path), each.why) for each in listing.unusable]
            if listing.series:
                choose_series(listing.series, folder)  # raises: it knows why there is no CT
        for one in series:
            slices = len(one.slices) if one.is_axial else 0
            is_axial = one.is_axial or not one.slices
            fingerprint = files_fingerprint(one.files)
            damaged = bool(one.problems or listing.unusable)
            part = SeriesPart(one.uid, one.title, fingerprint, _contents(one), slices, is_axial, one.study, damaged)
            found.series.append(part)
    except (CascadeError, OSError) as error:
        found.series.clear()
        found.problems.append((folder, " ".join(str(error).split())))
    return found


def _contents(series: Series) -> str:
    """UIDs alone do not tell copies: some senders give the same ones to several phases."""
    digest = hashlib.blake2b("\n".join(sorted(series.instances)).encode(errors="replace"), digest_size=16)
    if series.slices:
        ordered = sorted(series.slices, key=lambda one: (one.along(series.slices[0].normal), one.path))
        digest.update(pixel_digest(ordered[len(ordered) // 2].path))
    return digest.hexdigest()


def dicom_below(folder: Path) -> list[Path]:
    """The DICOM files that are read for a folder: its own, else those of its subfolders. Raises OSError."""
    files = dicom_files((str(folder),)) or _dicom(files_below(folder))
    return [path for path in files if os.path.exists(path)]


def dicom_files(folders: tuple[str, ...]) -> list[Path]:
    """The DICOM files that lie in the folders themselves. Raises OSError."""
    return _dicom(Path(folder) / name for folder in folders for name in sorted(os.listdir(folder)))


def _dicom(paths: Iterable[Path]) -> list[Path]:
    """Where any is DICOM, what cannot be opened is among them, for the reader to say so."""
    found, closed = [], []
    for path in paths:
        try:
            if may_be_read(path) and is_dicom(path):
                found.append(path)
        except InputError:
            closed.append(path)
    return [*found, *closed] if found else []
