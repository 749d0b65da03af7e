"""Writes DICOM segmentation objects for tests, tag by tag, without help from the code under test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, SegmentationStorage, generate_uid


@dataclass
class Segment:
    """``mask`` (slice, row, column) bool on the CT's grid; codes are (value, scheme, meaning)."""

    label: str
    mask: np.ndarray
    type_code: tuple[str, str, str] = ("85756007", "SCT", "Tissue")
    region_code: tuple[str, str, str] | None = None


def code(value: str, scheme: str, meaning: str) -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return Sequence([item])


def item(**values: Any) -> Sequence:
    dataset = Dataset()
    for name, value in values.items():
        setattr(dataset, name, value)
    return Sequence([dataset])


def write_segmentation(
    path: Path,
    segments: list[Segment],
    series_uid: str,
    positions: list[Any],
    spacing: tuple[float, float] = (0.7, 0.8),
    orientation: tuple[float, ...] = (1, 0, 0, 0, 1, 0),
    kind: str = "BINARY",
    keep_empty: bool = False,
    shuffle: bool = False,
    patient: str = "P1",
    **tags: Any,
) -> None:
    """A SEG object of a series: frames of every segment at ``positions`` (of all slices; LPS mm); empty ones left out.

    ``kind``: BINARY (packed bits), FRACTIONAL (8 bits, 255 is the maximum) or LABELMAP (8 bits).
    """
    frames: list[tuple[int, int, np.ndarray]] = []  # slice, segment number, pixels
    if kind == "LABELMAP":
        values = np.zeros(segments[0].mask.shape, np.uint8)
        for number, segment in enumerate(segments, start=1):
            values[segment.mask] = number
        frames = [(k, 0, plane) for k, plane in enumerate(values) if keep_empty or plane.any()]
    else:
        for number, segment in enumerate(segments, start=1):
            frames += [(k, number, plane) for k, plane in enumerate(segment.mask) if keep_empty or plane.any()]
    if shuffle:
        frames = [frames[i] for i in np.random.default_rng(0).permutation(len(frames))]

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = SegmentationStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = SegmentationStorage, meta.MediaStorageSOPInstanceUID
    dataset.Modality, dataset.PatientID, dataset.StudyInstanceUID = "SEG", patient, "1.2.3"
    dataset.SeriesInstanceUID, dataset.SeriesNumber = generate_uid(), 100
    dataset.SegmentationType = kind
    dataset.ReferencedSeriesSequence = item(SeriesInstanceUID=series_uid)
    dataset.Rows, dataset.Columns = segments[0].mask.shape[1:]
    dataset.NumberOfFrames = len(frames)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PixelRepresentation = 1, "MONOCHROME2", 0
    bits = 1 if kind == "BINARY" else 8
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.SegmentSequence = Sequence()
    for number, segment in enumerate(segments, start=1):
        described = Dataset()
        described.SegmentNumber, described.SegmentLabel = number, segment.label
        described.SegmentedPropertyCategoryCodeSequence = code("49755003", "SCT", "Morphologically Altered Structure")
        described.SegmentedPropertyTypeCodeSequence = code(*segment.type_code)
        if segment.region_code:
            described.AnatomicRegionSequence = code(*segment.region_code)
        dataset.SegmentSequence.append(described)
    dataset.SharedFunctionalGroupsSequence = item(
        PlaneOrientationSequence=item(ImageOrientationPatient=list(orientation)),
        PixelMeasuresSequence=item(PixelSpacing=list(spacing), SliceThickness=2),
    )
    dataset.PerFrameFunctionalGroupsSequence = Sequence()
    for k, number, _ in frames:
        group = Dataset()
        group.PlanePositionSequence = item(ImagePositionPatient=[f"{float(x):.6g}" for x in positions[k]])
        if number:
            group.SegmentIdentificationSequence = item(ReferencedSegmentNumber=number)
        dataset.PerFrameFunctionalGroupsSequence.append(group)
    pixels = np.stack([plane for _, _, plane in frames]).astype(np.uint8)
    if kind == "BINARY":
        packed = np.packbits(pixels.ravel(), bitorder="little").tobytes()
        dataset.PixelData = packed + b"\0" * (len(packed) % 2)
    else:
        if kind == "FRACTIONAL":
            dataset.SegmentationFractionalType, dataset.MaximumFractionalValue = "PROBABILITY", 255
            pixels = pixels * 255
        raw = pixels.tobytes()
        dataset.PixelData = raw + b"\0" * (len(raw) % 2)
    for name, value in tags.items():
        setattr(dataset, name, value)
    dataset.save_as(path)


def read_masks(path: Path, ijk_to_lps: np.ndarray, shape: tuple[int, int, int]) -> dict[str, np.ndarray]:
    """Every segment's mask (k, j, i), placed by the file's own positions and pixels alone."""
    dataset = pydicom.dcmread(path)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    spacing = shared.PixelMeasuresSequence[0].PixelSpacing
    axes = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float)
    labels = {int(item.SegmentNumber): str(item.SegmentLabel) for item in dataset.SegmentSequence}
    found = {label: np.zeros(shape, bool) for label in labels.values()}
    frames = dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns)
    for frame, place in zip(frames, dataset.PerFrameFunctionalGroupsSequence, strict=True):
        rows, columns = np.nonzero(frame)
        lps = np.array(place.PlanePositionSequence[0].ImagePositionPatient, float)[:, None]
        lps = lps + axes[:3, None] * columns * float(spacing[1]) + axes[3:, None] * rows * float(spacing[0])
        i, j, k = np.rint(np.linalg.inv(ijk_to_lps) @ np.vstack([lps, np.ones(len(rows))]))[:3].astype(int)
        number = (place if "SegmentIdentificationSequence" in place else shared).SegmentIdentificationSequence[0]
        found[labels[int(number.ReferencedSegmentNumber)]][k, j, i] = True
    return found
