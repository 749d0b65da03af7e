"""The result as DICOM, for a scan that was given as DICOM: one SEG and the SR that measures it."""

from __future__ import annotations

import importlib.util
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


class DicomOutputs:
    """Writes results of a scan as DICOM. Made before the run, so that what speaks against it is said at once.

    What stands in the way of the DICOM files costs them alone: it is a remark on the result, and ``failed`` says so.

    Args:
        ct: The scan that was read.

    Raises:
        InputError: If the scan is not from DICOM, or highdicom is not installed.
    """

    def __init__(self, ct: CTVolume) -> None:
        if not ct.slices:
            raise InputError(f"{ct.name} is no DICOM series: --dicom needs one. Leave --dicom out.")
        if importlib.util.find_spec("highdicom") is None:
            raise InputError(
                'DICOM output needs highdicom, which is not installed: python -m pip install "highdicom>=0.25,<0.29"'
            )
        self._ct = ct
        self.failed = False

    def write(self, result: SegmentationResult, folder: Path) -> list[Finding]:
        """Write both files of a result on the source's grid, or say why there are none. Raises OSError."""
        from ..engine.findings import Finding

        try:
            segments = exported_segments(result)
            if not any(segment.mask.values.any() for segment in segments):
                text = "No liver was found: no DICOM SEG and SR were made."
                return [Finding("no_dicom", "warning", text)]
            self._write(segments, folder)
        except CascadeError as error:
            for name in (SEGMENTATION_FILE, REPORT_FILE):
                (folder / name).unlink(missing_ok=True)
            self.failed = True
            return [Finding(FAILED, "warning", f"DICOM SEG and SR were not written. {error}")]
        return []

    def _write(self, segments: list[ExportedSegment], folder: Path) -> None:
        from ..engine.reports.dicom_export import (
            measurement_report,
            segmentation_object,
            write_report,
            write_segmentation,
        )
        from ..engine.scan.dicom.dicom_source import source_images

        ct = self._ct
        if any(each.frame is not None for each in ct.slices):
            raise InputError("Objects that refer to frames of an enhanced (multi-frame) CT cannot be made.")
        even = len(ct.slices) == ct.source.shape[0]
        images = source_images([each.path for each in ct.slices], ct.source.shape, ct.source.ijk_to_lps, even)
        description = "Liver and lesions"
        segmentation = segmentation_object(images, segments, description)
        write_segmentation(folder / SEGMENTATION_FILE, segmentation, images, segments)
        report = measurement_report(images, segmentation, segments, description, ct.source)
        write_report(folder / REPORT_FILE, report, segmentation)


def exported_segments(result: SegmentationResult) -> list[ExportedSegment]:
    """The liver and the lesions in the order of their numbers."""
    import numpy as np

    from ..engine import codes
    from ..engine.grid.boxed import Boxed
    from ..engine.reports.dicom_export import ExportedSegment, new_uid

    algorithm = (result.bundle_name, result.bundle_version)
    segments = [
        ExportedSegment(
            label="Liver",
            mask=Boxed(result.liver.values.astype(np.uint8), result.liver.start),
            category=codes.ANATOMICAL_STRUCTURE,
            type=codes.LIVER,
            color=_LIVER_COLOR,
            origin="AUTOMATIC",
            algorithm=algorithm,
            tracking_id="Liver",
            tracking_uid=new_uid(),
            volume_ml=result.liver_volume_ml,
        )
    ]
    for lesion in result.table:
        name = f"Lesion {lesion.number}"
        segments.append(
            ExportedSegment(
                label=name,
                mask=Boxed((result.lesions.values == lesion.number).astype(np.uint8), result.lesions.start),
                category=codes.MORPHOLOGICALLY_ALTERED_STRUCTURE,
                type=codes.MASS,
                region=codes.LIVER,
                color=_LESION_COLOR,
                origin="AUTOMATIC",
                algorithm=algorithm,
                tracking_id=name,
                tracking_uid=new_uid(),
                volume_ml=lesion.volume_ml,
                measures=lesion,
            )
        )
    return segments
