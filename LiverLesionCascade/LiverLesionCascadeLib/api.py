"""What other programs may rely on: open a scan, segment, refine, measure, write outputs, evaluate.

Every other module may move. Arrays are (slice, row, column) on ``ct.hu``'s grid, in axial order; a result's maps are
boxes of it, ``result.lesions.full(ct.hu.shape)`` the whole. Lengths are in mm, volumes in mL, points in LPS mm; what
is unfit raises a `CascadeError` with one clear sentence. Neither Slicer nor Qt is needed; torch is imported by the
first function that needs it. The examples go on from one to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .engine.errors import CascadeError
from .engine.grid.boxed import Boxed
from .engine.loading import load_segmenter
from .engine.measures.lesions import Lesion, label_lesions, measure_lesions
from .engine.progress import CancelCallback, ProgressCallback
from .engine.results.postprocessing import PostProcessing
from .engine.results.result import SegmentationResult
from .engine.run_options import RunOptions
from .engine.scan.ct_volume import CTVolume

if TYPE_CHECKING:
    from LiverLesionCascadeTrainingLib.evaluation.evaluation import EvaluationSummary

    from .engine.segmenter import Segmenter

__all__ = [
    "CTVolume",
    "CascadeError",
    "Lesion",
    "Masks",
    "PostProcessing",
    "RunOptions",
    "SegmentationResult",
    "evaluate",
    "load_segmenter",
    "measure",
    "open_scan",
    "refine",
    "segment",
    "write_image",
    "write_outputs",
]


class Masks(NamedTuple):
    """Bool (slice, row, column) on the scan's grid; the liver with its lesions."""

    liver: np.ndarray
    lesions: np.ndarray


def open_scan(path: str | PathLike[str], series: str | None = None) -> CTVolume:
    """The CT in a NIfTI, NRRD or MHA file, or in a DICOM folder.

    Args:
        series: UID of the DICOM series to take, where a folder holds several.

    Raises:
        CascadeError: If there is no CT, or more than one to choose from.

    Example::

        from LiverLesionCascadeLib import api

        ct = api.open_scan("scan.nii.gz")
        print(ct.name, ct.hu.shape, ct.spacing)
    """
    from .engine.scan.image_io import read_input

    return read_input([path], series)


def segment(
    ct: CTVolume,
    options: RunOptions | None = None,
    segmenter: Segmenter | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> SegmentationResult:
    """Liver and lesions of a scan.

    Args:
        options: Choices such as ``RunOptions(preset="paper", device="cuda", crf=True)``.
        segmenter: Loaded networks to use instead of loading those of the options: keep one for many scans.
        progress: Called with the fraction done and the name of the stage.
        cancel: Asked often; returning True ends the run.

    Raises:
        CascadeError: If the scan, the bundle or the device is unfit, or the run was cancelled.

    Example::

        segmenter = api.load_segmenter(device="cpu")
        result = api.segment(ct, segmenter=segmenter)
        for lesion in result.table:
            print(lesion.number, f"{lesion.volume_ml:.1f} mL", f"{lesion.long_axis_mm:.0f} mm")
    """
    options = options or RunOptions()
    segmenter = segmenter or load_segmenter(options.bundle, options.device)
    return segmenter.segment(ct, options.resolved_preset(), progress, cancel)


def refine(
    ct: CTVolume,
    result: SegmentationResult,
    lesions: np.ndarray,
    liver: np.ndarray | None = None,
    options: RunOptions | None = None,
    segmenter: Segmenter | None = None,
) -> Masks:
    """Carries corrections of a result on to what is around them; corrected voxels stay as they are.

    Args:
        result: As it was found.
        lesions: As they are now, not 0 in a lesion: what was painted and erased is the difference.
        liver: The same of the liver, lesions included; None where it was not corrected.
        options, segmenter: As in `segment`.

    Raises:
        CascadeError: If the bundle or the device is unfit.
        ValueError: If the masks are not on the scan's grid.

    Example::

        corrected = result.lesions.full(ct.hu.shape) > 0
        corrected[12, 60:63, 48:51] = True  # a lesion that was missed, marked in one slice
        masks = api.refine(ct, result, corrected, segmenter=segmenter)
        print(int(masks.lesions.sum()) - int(corrected.sum()), "voxels more")
    """
    from .engine.corrections.refine import Corrections

    options = options or RunOptions()
    segmenter = segmenter or load_segmenter(options.bundle, options.device)
    shape = ct.hu.shape
    for name, array in (("liver", liver), ("lesions", lesions)):
        if array is not None and array.shape != shape:
            raise ValueError(f"{name} {array.shape} and scan {shape} are not on one grid")
    before = result.liver, Boxed.mask(result.lesions.values, result.lesions.start)
    now = result.liver if liver is None else Boxed.mask(liver), Boxed.mask(lesions)
    corrections = Corrections.between(before, now, ct)
    if corrections is None:
        return Masks(np.zeros(shape, bool), np.zeros(shape, bool))
    refined = segmenter.refine(ct, corrections, options.resolved_preset())
    return Masks(*(Boxed(mask, refined.start).full(shape) for mask in (refined.liver, refined.lesions)))


def measure(ct: CTVolume, lesions: np.ndarray, liver: np.ndarray | None = None) -> list[Lesion]:
    """Volume, axial diameters, density and place of each lesion, the largest first.

    Args:
        lesions: A mask (bool), whose components are the lesions, or their numbers.
        liver: A mask of the liver, for the lesions' distances to its surface.

    Raises:
        ValueError: If the masks are not on the scan's grid.

    Example::

        for lesion in api.measure(ct, masks.lesions, masks.liver):
            print(lesion.number, f"{lesion.short_axis_mm:.0f} mm", lesion.centroid)
    """
    instances = label_lesions(lesions) if lesions.dtype == bool else lesions
    return measure_lesions(instances, ct.hu, ct.geometry, liver=liver, beyond=None if liver is None else ct.beyond())


def write_outputs(
    ct: CTVolume,
    result: SegmentationResult,
    folder: str | PathLike[str],
    probabilities: bool = False,
    replace: bool = False,
) -> list[Path]:
    """Writes segmentation, lesion table and report, as ``liver-lesion-cascade segment`` does; the files' paths.

    Args:
        probabilities: Whether the maps are written too.
        replace: Whether files of an earlier run in the folder are replaced.

    Raises:
        CascadeError: If the folder cannot be written, or holds results already.

    Example::

        for path in api.write_outputs(ct, result, "results"):
            print(path.name)
    """
    from .outputs import result_files
    from .outputs.output_folder import OutputFolder

    names = (*result_files.OUTPUT_FILES, *result_files.DICOM_FILES)
    with OutputFolder(Path(folder), names, replace, "replace=True") as output:
        result_files.write_outputs(ct, result, output.staging, ct.name, probabilities)
        return output.commit()


def write_image(ct: CTVolume, array: np.ndarray | Boxed, path: str | PathLike[str]) -> None:
    """Writes a map of a result, a mask or any other array of the scan's grid on the grid of the scan's own file.

    Args:
        path: Ends in ``.nii.gz``, ``.nii``, ``.nrrd`` or ``.mha``.

    Raises:
        CascadeError: If the file cannot be written.
        ValueError: If the array is not on the scan's grid.

    Example::

        api.write_image(ct, result.lesions, "lesions.nii.gz")  # 1..n
    """
    from .engine.scan import image_io

    values = array.full(ct.hu.shape) if isinstance(array, Boxed) else array
    image_io.write_image(path, ct.to_source(values, order=1 if values.dtype.kind == "f" else 0), ct.source)


def evaluate(
    folders: Sequence[str | PathLike[str]], options: RunOptions | None = None, segmenter: Segmenter | None = None
) -> EvaluationSummary:
    """Segments labelled cases and measures the results against their references.

    Args:
        folders: In LiTS layout (``volume-N.nii.gz``, ``segmentation-N.nii.gz``), or prepared data sets, of which the
            validation cases count.
        options, segmenter: As in `segment`.

    Raises:
        CascadeError: If a case cannot be read, or the bundle or the device is unfit.

    Example::

        summary = api.evaluate(["cases"], segmenter=segmenter)
        print(summary.liver_mean["dice"], summary.lesion_mean["dice"], summary.counts())
    """
    from LiverLesionCascadeTrainingLib.cases.splits import VALIDATION
    from LiverLesionCascadeTrainingLib.datasets.cases import find_cases
    from LiverLesionCascadeTrainingLib.evaluation.evaluation_task import evaluate_cases

    options = options or RunOptions()
    cases = find_cases([Path(folder) for folder in folders], VALIDATION)
    return evaluate_cases(cases, options.resolved_preset(), segmenter or load_segmenter(options.bundle, options.device))
