"""The result as DICOM, for a scan that was given as DICOM: one SEG and the SR that measures it."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.errors import InputError

if TYPE_CHECKING:
    from ..engine.reports.dicom_export import ExportedSegment
    from ..engine.results.source_result import SourceResult
    from ..engine.scan.ct_volume import CTVolume

SEGMENTATION_FILE = "segmentation.seg.dcm"
REPORT_FILE = "lesions.sr.dcm"

_LIVER_COLOR, _LESION_COLOR = (221 / 255, 130 / 255, 101 / 255), (144 / 255, 238 / 255, 144 / 255)


class DicomOutputs:
    """Writes results of a scan as DICOM. Made before the run, so that what speaks against it is said at once.

    Args:
        inputs: What the user gave.
        series_uid: The series that they chose, where they did.
        ct: The scan that was read from it.

    Raises:
        InputError: If the input is no DICOM, highdicom is not installed, or the images do not make up the scan's grid.
    """

    def __init__(self, inputs: Sequence[Path], series_uid: str | None, ct: CTVolume) -> None:
        from ..engine.scan.dicom_io import choose_series, is_dicom, list_series
        from ..engine.scan.dicom_source import source_images

        if not all(path.is_dir() or is_dicom(path) for path in inputs):
            raise InputError(f"{inputs[0].name} is no DICOM series: --dicom needs one. Leave --dicom out.")
        if importlib.util.find_spec("highdicom") is None:
            raise InputError(
                'DICOM output needs highdicom, which is not installed: python -m pip install "highdicom>=0.25,<0.29"'
            )
        series = choose_series(list_series(inputs), str(inputs[0]), series_uid)
        paths = [each.path for each in series.slices]
        self._images = source_images(paths, ct.source.shape, ct.source.ijk_to_lps)

    def write(self, result: SourceResult, folder: Path) -> None:
        """Write both files into a folder. Raises OutputError, where there is nothing to export too, and OSError."""
        from ..engine.reports.dicom_export import (
            measurement_report,
            segmentation_object,
            write_report,
            write_segmentation,
        )

        description = "Liver and lesions"
        segments = exported_segments(result)
        segmentation = segmentation_object(self._images, segments, description)
        write_segmentation(folder / SEGMENTATION_FILE, segmentation, self._images, segments)
        report = measurement_report(self._images, segmentation, segments, description)
        write_report(folder / REPORT_FILE, report, segmentation)


def exported_segments(result: SourceResult) -> list[ExportedSegment]:
    """The liver and the lesions in the order of their numbers."""
    import numpy as np

    from ..engine import codes
    from ..engine.reports.dicom_export import ExportedSegment, new_uid
    from ..engine.results.source_result import LabelBox

    algorithm = (result.bundle_name, result.bundle_version)
    segments = [
        ExportedSegment(
            label="Liver",
            mask=LabelBox((result.liver.values > 0).astype(np.uint8), result.liver.start),
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
                mask=LabelBox((result.lesions.values == lesion.number).astype(np.uint8), result.lesions.start),
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
