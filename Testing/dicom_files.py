"""Writes small DICOM series for tests: every tag that a reader relies on, and any that a test wants different."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RLELossless, generate_uid


def write_slice(
    path: Path, stored: np.ndarray, position: Any, series_uid: str, compress: bool = False, **tags: Any
) -> None:
    """One CT image: ``stored`` (row, column) uint16 values, HU = stored * RescaleSlope + RescaleIntercept.

    A tag given as None is left out.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = tags.get("SOPClassUID", CTImageStorage)
    meta.MediaStorageSOPInstanceUID = tags.get("SOPInstanceUID", generate_uid())
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    values: dict[str, Any] = {
        "SOPClassUID": meta.MediaStorageSOPClassUID,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "Modality": "CT",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "PatientName": "Test^Patient",
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": series_uid,
        "SeriesNumber": 1,
        "SeriesDescription": "Portal",
        "Rows": stored.shape[0],
        "Columns": stored.shape[1],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 0,
        "RescaleSlope": 1,
        "RescaleIntercept": -1024,
        "PixelSpacing": [0.7, 0.8],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "ImagePositionPatient": [f"{float(x):.6g}" for x in position],
        "SliceThickness": 2,
    }
    values.update(tags)
    for name, value in values.items():
        if value is not None:
            setattr(dataset, name, value)
    dataset.PixelData = np.ascontiguousarray(stored).tobytes()
    if compress:
        dataset.compress(RLELossless)
    dataset.save_as(path)


def write_series(
    folder: Path,
    stored: np.ndarray,
    series_uid: str | None = None,
    positions: Any = None,
    per_slice: list[dict[str, Any]] | None = None,
    names: list[str] | None = None,
    **tags: Any,
) -> str:
    """A series of ``stored`` (slice, row, column) uint16; slices 2 mm apart along z unless positions (n, 3) are given.

    Returns the SeriesInstanceUID.
    """
    folder.mkdir(parents=True, exist_ok=True)
    uid = series_uid or generate_uid()
    if positions is None:
        positions = [(-100.0, -50.0, 2.0 * n - 30.0) for n in range(len(stored))]
    for n, image in enumerate(stored):
        own = per_slice[n] if per_slice else {}
        name = names[n] if names else f"{uid.split('.')[-1]}-{n:03}.dcm"
        write_slice(folder / name, image, positions[n], uid, **{"InstanceNumber": n + 1, **tags, **own})
    return uid


def body_phantom(shape: tuple[int, int, int] = (24, 32, 40), seed: int = 0) -> np.ndarray:
    """A CT's stored values (HU + 1024) as uint16: an elliptic body of noisy soft tissue with fat, air around it."""
    rng = np.random.default_rng(seed)
    _, y, x = np.indices(shape)
    radius = np.hypot((y / (shape[1] - 1) - 0.5) / 0.4, (x / (shape[2] - 1) - 0.5) / 0.45)
    hu = np.where(radius < 0.8, 80, np.where(radius < 1, -100, -1000)) + rng.normal(0, 15, shape)
    return np.clip(np.rint(hu) + 1024, 0, 4000).astype(np.uint16)
