"""Cases in DICOM: a CT series and a segmentation object (DICOM SEG) that refers to it.

Binary, fractional and label map segmentations are read with pydicom, frame by frame: a frame is found in the scan by
its own position, whatever frames are left out and however they are ordered.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from LiverLesionCascadeLib.engine.errors import InputError, reason
from LiverLesionCascadeLib.engine.files import files_below
from LiverLesionCascadeLib.engine.reports.seg_frames import unpacked
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from LiverLesionCascadeLib.engine.scan.dicom.dicom_header import (
    in_groups,
    is_dicom,
    items,
    needed,
    read_dataset,
    read_header,
    require_whole,
    sop_class,
    text,
    unreadable,
)
from LiverLesionCascadeLib.engine.scan.dicom.dicom_io import read_dicom_files

from ..cases.case_source import Found
from ..cases.problems import Problem
from .placement import Piece, label_map
from .segment_labels import SegmentIdentity
from .segments_source import SegmentsSource

# Also enhanced, and converted to that.
_CT_CLASSES = ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2")
_SEG_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")  # segmentation, label map segmentation
_TAGS = [
    "SOPClassUID",
    "FileSetID",
    "Modality",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "PatientID",
    "FrameOfReferenceUID",
    "ReferencedSeriesSequence",
    "ImagePositionPatient",
]


@dataclass(frozen=True)
class DicomSource(SegmentsSource):
    """A segmentation object (the first file) and the files of its CT series."""

    def open(self) -> tuple[CTVolume, Path, Callable[[], np.ndarray]]:
        segmentation, *slices = self.files
        ct = read_dicom_files(slices)
        return ct, segmentation, lambda: label_map(read_segments(segmentation), ct.source, self.ignore)


@dataclass
class _Objects:
    """The CT series and segmentations below a folder, from their headers."""

    series: dict[str, list[Path]] = field(default_factory=lambda: defaultdict(list))
    frames_of_reference: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    segmentations: list[tuple[Path, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)


def find_dicom(folder: Path, ignore: tuple[str, ...] = ()) -> Found:
    """Every segmentation below a folder with the CT series that it refers to.

    Names and patients are digests of the DICOM identifiers: what is learnt from patients shall not carry their names.
    """
    objects = _scan(folder)
    found = Found(problems=objects.problems)
    if objects.series or objects.segmentations:
        found.problems += [Problem("", message) for message in objects.closed]
    else:
        # Nothing says that DICOM lies there: ``lost+found`` beside cases of another layout costs nothing.
        found.notes += objects.closed
    taken: dict[str, Path] = {}
    for path, header in objects.segmentations:
        name = f"dicom-{_digest(text(header, 'SOPInstanceUID') or str(path))}"
        uid = _series_of(header, objects)
        if uid is None:
            message = f"the CT series that {path} refers to is not in {folder}: copy it there"
            found.problems.append(Problem(name, message))
        elif uid in taken:
            message = f"one CT series has two segmentations, {taken[uid]} and {path}: keep one of them"
            found.problems.append(Problem(name, message))
        else:
            taken[uid] = path
            patient = text(header, "PatientID") or text(header, "SOPInstanceUID") or str(path)
            files = (path, *objects.series[uid])
            found.cases.append(DicomSource(name, f"dicom-{_digest(patient)}", False, files, ignore))
    if objects.segmentations:
        for uid, slices in objects.series.items():
            if uid not in taken:
                found.notes.append(f"The CT series in {slices[0].parent} ({len(slices)} files) has no segmentation")
    return found


def _scan(folder: Path) -> _Objects:
    objects = _Objects()

    def closed(error: OSError) -> None:
        objects.closed.append(f"the folder {error.filename} cannot be read ({reason(error)}): check its rights")

    for path in files_below(folder, closed):
        if path.name.upper() == "DICOMDIR":
            continue
        try:
            if not is_dicom(path):
                continue
            header = read_header(path, _TAGS)
            kind = sop_class(header)
            require_whole(path, header)
        except (OSError, InputError):
            message = f"{path} is truncated or damaged, or no DICOM file: copy it again or remove it"
            objects.problems.append(Problem("", message))
            continue
        if kind in _CT_CLASSES or (not kind and text(header, "Modality") == "CT"):
            uid = text(header, "SeriesInstanceUID")
            objects.series[uid].append(path)
            objects.frames_of_reference[text(header, "FrameOfReferenceUID")].add(uid)
        elif kind in _SEG_CLASSES:
            objects.segmentations.append((path, header))
    return objects


def _series_of(header: Any, objects: _Objects) -> str | None:
    """The series that a segmentation names, else the only one in its frame of reference."""
    for reference in items(header, "ReferencedSeriesSequence"):
        uid = text(reference, "SeriesInstanceUID")
        if uid in objects.series:
            return uid
    same_space = objects.frames_of_reference.get(text(header, "FrameOfReferenceUID") or "none", set())
    return next(iter(same_space)) if len(same_space) == 1 else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def read_segments(path: Path) -> Iterator[tuple[SegmentIdentity, list[Piece]]]:
    """The segments of a DICOM SEG object. Raises InputError where it cannot be read."""
    try:
        dataset = read_dataset(path)
        identities = {int(item.SegmentNumber): _identity(item) for item in items(dataset, "SegmentSequence")}
        kind = str(dataset.SegmentationType).upper()
        mask = _frame_reader(dataset, kind)
        groups = items(dataset, "PerFrameFunctionalGroupsSequence")
        shared = items(dataset, "SharedFunctionalGroupsSequence")[:1]
        if len(groups) != int(dataset.NumberOfFrames):
            raise ValueError("number of frames")
        of_segment: dict[int, list[int]] = defaultdict(list)
        for index, group in enumerate(groups):
            if kind == "LABELMAP":
                numbers = list(identities)
            else:
                numbers = [int(_from_groups(group, shared, "SegmentIdentificationSequence").ReferencedSegmentNumber)]
            for number in numbers:
                of_segment[number].append(index)
        for number, identity in identities.items():
            if number == 0 and kind == "LABELMAP":
                continue  # the background, which label maps may list
            yield identity, [_piece(groups[i], shared, mask(i, number)) for i in of_segment[number]]
    except (RuntimeError, *unreadable()) as error:  # type: ignore[misc]
        raise InputError(f"it cannot be read as a DICOM segmentation ({error}): export it again") from error


def _identity(item: Any) -> SegmentIdentity:
    def code(name: str) -> str:
        return next((text(each, "CodeValue") for each in items(item, name)), "")

    label = text(item, "SegmentLabel") or f"Segment {item.SegmentNumber}"
    return SegmentIdentity(label, code("SegmentedPropertyTypeCodeSequence"), code("AnatomicRegionSequence"))


def _from_groups(group: Any, shared: Sequence[Any], sequence: str) -> Any:
    """A macro of a frame, or the one that all frames share."""
    item = in_groups(sequence, group, *shared)
    if item is None:
        raise ValueError(f"{sequence} is missing")
    return item


def _piece(group: Any, shared: Sequence[Any], mask: np.ndarray) -> Piece:
    position = needed(_from_groups(group, shared, "PlanePositionSequence"), "ImagePositionPatient", 3)
    axes = needed(_from_groups(group, shared, "PlaneOrientationSequence"), "ImageOrientationPatient", 6)
    between_rows, between_columns = needed(_from_groups(group, shared, "PixelMeasuresSequence"), "PixelSpacing", 2)
    return Piece(mask, position, np.stack([axes[3:] * between_rows, axes[:3] * between_columns]))


def _frame_reader(dataset: Any, kind: str) -> Callable[[int, int], np.ndarray]:
    """What makes the mask (row, column) of a frame, bool, from its index and the number of the segment."""
    if kind not in ("BINARY", "FRACTIONAL", "LABELMAP"):
        raise ValueError(f"type {kind}")
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    half = int(dataset.get("MaximumFractionalValue") or 1) / 2
    if int(dataset.BitsAllocated) == 1 and not dataset.file_meta.TransferSyntaxUID.is_compressed:
        packed = np.frombuffer(dataset.PixelData, np.uint8)
        return lambda index, segment: unpacked(packed, index, (rows, columns))
    pixels = dataset.pixel_array.reshape(-1, rows, columns)
    if kind == "LABELMAP":
        return lambda index, segment: pixels[index] == segment
    return lambda index, segment: pixels[index] >= half if kind == "FRACTIONAL" else pixels[index] > 0
