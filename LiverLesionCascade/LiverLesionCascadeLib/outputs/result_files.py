"""The files of a result, and its summary for scripts: what the commands and archives write."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..engine.errors import OutputError, system_errors_as
from . import dicom_outputs

if TYPE_CHECKING:
    from ..engine.results.result import SegmentationResult
    from ..engine.scan.ct_volume import CTVolume

SEGMENTATION_FILE = "segmentation.seg.nrrd"
TABLE_FILE = "lesions.csv"
REPORT_FILE = "report.html"
SUMMARY_FILE = "summary.html"  # of an archive
LIVER_PROBABILITY_FILE = "liver-probability.nrrd"
LESION_PROBABILITY_FILE = "lesion-probability.nrrd"
OUTPUT_FILES = (SEGMENTATION_FILE, TABLE_FILE, REPORT_FILE, LIVER_PROBABILITY_FILE, LESION_PROBABILITY_FILE)
#: Kinds of report: with all slices of the liver to scroll through, or only the key images.
REPORTS = ("full", "light")
DICOM_FILES = (dicom_outputs.SEGMENTATION_FILE, dicom_outputs.REPORT_FILE)


def write_outputs(
    ct: CTVolume,
    result: SegmentationResult,
    folder: Path,
    input_name: str,
    probabilities: bool,
    dicom: bool = False,
    report: str = REPORTS[0],
) -> None:
    """Write all files of a run, ``OUTPUT_FILES`` and with ``dicom`` those, into a folder. Raises OutputError.

    Args:
        result: On the grid of ``ct.hu``; what speaks against the DICOM files is added to its findings.
        report: One of ``REPORTS``.
    """
    import numpy as np

    from ..engine.grid.boxed import Boxed
    from ..engine.reports.html_report import render_report
    from ..engine.reports.lesion_csv import lesion_csv
    from ..engine.reports.page import write_page
    from ..engine.scan.image_io import write_image
    from ..scene.headless import writeSegmentation

    remedy = "make room there or choose another folder"
    with system_errors_as(OutputError, f"The results cannot be written to {folder.parent}", remedy):
        on_source = result.on_source(ct)
        writeSegmentation(on_source, folder / SEGMENTATION_FILE)
        if dicom:
            result.findings += dicom_outputs.write_dicom(ct, on_source, folder)
        (folder / TABLE_FILE).write_bytes(lesion_csv(result.table, ct).encode("utf-8"))
        if probabilities:
            for name, box in (
                (LIVER_PROBABILITY_FILE, result.liver_probability),
                (LESION_PROBABILITY_FILE, result.lesion_probability),
            ):
                on_grid = ct.boxed_to_source(Boxed(box.values.astype(np.float32), box.start), order=1)
                write_image(folder / name, on_grid.full(ct.source.shape), ct.source)
        page = render_report(ct, result, input_name=input_name, with_viewer=report == "full")
        write_page(folder / REPORT_FILE, page)


def summary(ct: CTVolume, result: SegmentationResult, inputs: list[Path], written: list[Path]) -> dict[str, Any]:
    """What ``--json`` prints after a run."""
    from ..engine.reports.html_report import tumour_burden
    from ..engine.reports.lesion_csv import lesion_rows

    return {
        "status": "ok",
        "version": __version__,
        "input": [str(path) for path in inputs],
        "scan": {
            "name": ct.name,
            "voxels_ijk": list(ct.source.shape[::-1]),
            "spacing_ijk_mm": list(ct.source.spacing),
            "resampled": ct.resampled,
        },
        "outputs": {path.name: str(path) for path in written},
        "bundle": {"name": result.bundle_name, "version": result.bundle_version},
        "preset": result.preset,
        "device": result.device,
        "liver_volume_ml": result.liver_volume_ml,
        "lesion_volume_ml": result.lesion_volume_ml,
        "tumour_burden_percent": tumour_burden(result),
        "lesions": lesion_rows(result.table, ct),
        "findings": [asdict(finding) for finding in result.findings],
        "timings_s": dict(result.timings),
    }
