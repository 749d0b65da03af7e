"""Cases saved from Slicer: a CT and a segmentation (``.seg.nrrd``) beside it, all in one folder or in subfolders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.files import files_below, has_text_name, shown_name
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from LiverLesionCascadeLib.engine.scan.image_io import READABLE, image_stem, read_image
from LiverLesionCascadeLib.engine.scan.stored_voxels import check_stored_voxels

from ..cases.case_source import Found, descriptions, safe_name
from ..cases.problems import Problem
from .placement import Piece, label_map
from .segment_labels import SegmentIdentity, terminology_codes
from .segments_source import SegmentsSource

if TYPE_CHECKING:
    import SimpleITK

SUFFIX = ".seg.nrrd"
#: Segment tag in which results of this extension record the volume's name.
_VOLUME_TAG = "LiverLesionCascade.Volume"


@dataclass(frozen=True)
class SlicerSource(SegmentsSource):
    """A CT in an image file and a segmentation of Slicer."""

    def open(self) -> tuple[CTVolume, Path, Callable[[], np.ndarray]]:
        volume, segmentation = self.files
        ct = read_image(volume)
        return ct, segmentation, lambda: label_map(read_segments(segmentation), ct.source, self.ignore)


def find_slicer(folder: Path, ignore: tuple[str, ...] = ()) -> Found:
    """Pairs each segmentation with the CT beside it.

    The CT is the image with the segmentation's name (``a.nrrd`` and ``a.seg.nrrd``), the one that a result of this
    extension was made from, one whose name the segmentation's begins with, or the only image there. ``dataset.json``
    may name each case's ``patient``; else all cases of a subfolder are one patient's, and those at the top each a
    patient's of their own.
    """
    found = Found()
    described = descriptions(folder)
    taken: dict[Path, Path] = {}
    for segmentation in [path for path in files_below(folder) if path.name.lower().endswith(SUFFIX)]:
        images = [path for path in sorted(segmentation.parent.iterdir()) if _is_image(path)]
        name = safe_name("_".join(segmentation.relative_to(folder).parts)[: -len(SUFFIX)])
        try:
            volume = _volume_of(segmentation, images)
        except InputError as error:
            found.problems.append(Problem(name, str(error)))
            continue
        name = safe_name(image_stem("_".join(volume.relative_to(folder).parts)))
        if volume in taken:
            message = f"{volume} has two segmentations, {taken[volume].name} and {segmentation.name}: keep one of them"
            found.problems.append(Problem(name, message))
            continue
        taken[volume] = segmentation
        inside = segmentation.relative_to(folder).parts[:-1]
        patient = described.get(name, {}).get("patient", f"{folder.name}/{inside[0]}" if inside else f"p{name}")
        found.cases.append(SlicerSource(name, str(patient), False, (volume, segmentation), ignore))
    for parent in sorted({volume.parent for volume in taken}):
        for image in sorted(parent.iterdir()):
            if _is_image(image) and image not in taken:
                found.notes.append(f"{image} has no segmentation beside it and was left out")
    return found


def read_segments(path: Path) -> Iterator[tuple[SegmentIdentity, list[Piece]]]:
    """The segments of a ``.seg.nrrd`` file. Raises InputError where it cannot be read."""
    import SimpleITK as sitk

    header = _header(path)
    check_stored_voxels(path)
    try:
        image = header.Execute()
    except RuntimeError as error:
        raise InputError("the file is truncated or damaged: save the segmentation again") from error
    fields = _metadata(header)
    layers = sitk.GetArrayViewFromImage(image)
    if layers.ndim == 3:
        layers = layers[..., None]
    directions = np.reshape(image.GetDirection(), (3, 3)) * np.asarray(image.GetSpacing())
    number = 0
    while f"Segment{number}_ID" in fields or f"Segment{number}_Name" in fields:
        prefix = f"Segment{number}_"
        tags = _tags(fields.get(f"{prefix}Tags", ""))
        type_code, region_code = terminology_codes(tags.get("TerminologyEntry", ""))
        # Files of Slicer before 4.11 have a layer for every segment.
        try:
            layer = int(fields.get(f"{prefix}Layer", number))
            value = int(fields.get(f"{prefix}LabelValue", 1))
        except ValueError as error:
            raise InputError(f"segment {number} has no usable layer or value: save the segmentation again") from error
        if not 0 <= layer < layers.shape[-1]:
            raise InputError(f"segment {number} is in layer {layer}, which the file lacks: save the segmentation again")
        mask = layers[..., layer] == value
        piece = Piece(mask, np.asarray(image.GetOrigin()), directions.T[::-1])
        yield SegmentIdentity(fields.get(f"{prefix}Name", f"Segment {number}"), type_code, region_code), [piece]
        number += 1
    if number == 0:
        raise InputError("the file holds no segments: save the segmentation from Slicer again")


def _header(path: Path) -> SimpleITK.ImageFileReader:
    import SimpleITK as sitk

    if not has_text_name(path):
        raise InputError(f"{shown_name(path)}: the path holds bytes that are no text (UTF-8): give it another name")
    reader = sitk.ImageFileReader()
    reader.SetFileName(os.fspath(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputError(f"{path.name} cannot be read as a segmentation: save it from Slicer again") from error
    if reader.GetDimension() != 3:
        raise InputError(f"{path.name} is no 3D segmentation: save it from Slicer again")
    return reader


def _metadata(header: SimpleITK.ImageFileReader) -> dict[str, str]:
    """Of its fields, those whose names are text."""
    return {key: header.GetMetaData(key) for key in header.GetMetaDataKeys() if has_text_name(key)}


def _tags(text: str) -> dict[str, str]:
    """``key:value|key:value|`` as Slicer writes segment tags."""
    pairs = (part.partition(":") for part in text.split("|"))
    return {key.strip(): value for key, _, value in pairs}


def _volume_of(segmentation: Path, images: list[Path]) -> Path:
    stem = segmentation.name[: -len(SUFFIX)]
    by_stem = {image_stem(image.name): image for image in images}
    if stem in by_stem:
        return by_stem[stem]
    for key, text in _metadata(_header(segmentation)).items():
        recorded = _tags(text).get(_VOLUME_TAG) if key.endswith("_Tags") else None
        match = next((image for image in images if recorded in (image.name, image_stem(image.name))), None)
        if match is not None:
            return match
    beginning = max((known for known in by_stem if stem.startswith(known)), key=len, default=None)
    if beginning is not None:
        return by_stem[beginning]
    if len(images) == 1:
        return images[0]
    listed = ", ".join(image.name for image in images) or "none"
    raise InputError(
        f"which CT {segmentation} belongs to cannot be told (images beside it: {listed}); give both one name, as "
        f"{stem}.nrrd and {segmentation.name}"
    )


def _is_image(path: Path) -> bool:
    name = path.name.lower()
    return name.endswith(READABLE) and not name.endswith(SUFFIX) and not name.startswith(".")
