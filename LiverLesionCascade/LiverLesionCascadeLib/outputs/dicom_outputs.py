"""The result as DICOM, for a scan that was given as DICOM: one SEG and the SR that measures it."""

from __future__ import annotations

import importlib.util
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.errors import CascadeError, InputError

if TYPE_CHECKING:
    from ..engine.findings import Finding
    from ..engine.reports.dicom_export import ExportedSegment
    from ..engine.results.result import SegmentationResult
    from ..engine.scan.ct_volume import CTVolume

SEGMENTATION_FILE = "segmentation.seg.dcm"
REPORT_FILE = "lesions.sr.dcm"
#: Code of the finding that they could not be written.
FAILED = "dicom_failed"

_LIVER_COLOR, _LESION_COLOR = (221 / 255, 130 / 255, 101 / 255), (144 / 255, 238 / 255, 144 / 255)


def require_dicom(ct: CTVolume) -> None:
    """Says before a run what speaks against DICOM files of a scan.

    Raises InputError if it is not from DICOM, or highdicom is not installed.
    """
    if not ct.slices:
        raise InputError(f"{ct.name} is no DICOM series: --dicom needs one. Leave --dicom out.")
    if importlib.util.find_spec("highdicom") is None:
        raise InputError(
            'DICOM output needs highdicom, which is not installed: python -m pip install "highdicom>=0.25,<0.29"'
        )


def write_dicom(ct: CTVolume, result: SegmentationResult, folder: Path) -> list[Finding]:
    """Writes both files of a scan's result on the source's grid, or says why there are none: it costs them alone.

    Raises OSError.
    """
    from ..engine.findings import Finding

    try:
        segments = exported_segments(result)
        if not any(segment.mask.values.any() for segment in segments):
            return [Finding("no_dicom", "warning", "No liver was found: no DICOM SEG and SR were made.")]
        _write(ct, segments, folder)
    except (CascadeError, MemoryError) as error:
        why = error if isinstance(error, CascadeError) else "There is too little memory for them. Close other programs."
        for name in (SEGMENTATION_FILE, REPORT_FILE):
            (folder / name).unlink(missing_ok=True)
        return [Finding(FAILED, "warning", f"DICOM SEG and SR were not written. {why}")]
    return []


def _write(ct: CTVolume, segments: list[ExportedSegment], folder: Path) -> None:
    from ..engine.reports import dicom_export
    from ..engine.scan.dicom.dicom_source import source_images

    if any(each.frame is not None for each in ct.slices):
        raise InputError("Objects that refer to frames of an enhanced (multi-frame) CT cannot be made.")
    even = len(ct.slices) == ct.source.shape[0]
    images = source_images([each.path for each in ct.slices], ct.source.shape, ct.source.ijk_to_lps, even)
    description = "Liver and lesions"
    segmentation = dicom_export.segmentation_object(images, segments, description)
    dicom_export.write_segmentation(folder / SEGMENTATION_FILE, segmentation, images, segments)
    report = dicom_export.measurement_report(images, segmentation, segments, description, ct.source)
    dicom_export.write_report(folder / REPORT_FILE, report, segmentation)


def exported_segments(result: SegmentationResult) -> list[ExportedSegment]:
    """The liver and the lesions in the order of their numbers."""
    from ..engine import codes
    from ..engine.grid.boxed import Boxed
    from ..engine.reports.dicom_export import ExportedSegment, new_uid

    found = partial(ExportedSegment, origin="AUTOMATIC", algorithm=(result.bundle_name, result.bundle_version))
    liver = found(
        label="Liver",
        mask=result.liver,
        category=codes.ANATOMICAL_STRUCTURE,
        type=codes.LIVER,
        color=_LIVER_COLOR,
        tracking_uid=new_uid(),
        volume_ml=result.liver_volume_ml,
    )
    lesions = (
        found(
            label=f"Lesion {lesion.number}",
            mask=Boxed.mask(result.lesions.values == lesion.number, result.lesions.start),
            category=codes.MORPHOLOGICALLY_ALTERED_STRUCTURE,
            type=codes.MASS,
            region=codes.LIVER,
            color=_LESION_COLOR,
            tracking_uid=new_uid(),
            volume_ml=lesion.volume_ml,
            measures=lesion,
        )
        for lesion in result.table
    )
    return [liver, *lesions]
