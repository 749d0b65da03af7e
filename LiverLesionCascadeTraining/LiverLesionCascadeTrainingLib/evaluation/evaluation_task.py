"""Cases segmented by the cascade and measured, in this process or in a worker of a cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from LiverLesionCascadeLib.engine.errors import CascadeError, is_out_of_memory
from LiverLesionCascadeLib.engine.passes.presets import Preset
from LiverLesionCascadeLib.engine.results.result import SegmentationResult
from LiverLesionCascadeLib.engine.segmenter import Segmenter

from ..cases.training_case import TrainingCase
from .evaluation import CaseMetrics, EvaluationSummary, SparseCaseMetrics, measure, summarise


@dataclass(frozen=True)
class Measured:
    """What came of a case: its measures, or the error for want of which it has none."""

    measures: CaseMetrics | SparseCaseMetrics | None = None
    error: str | None = None
    seconds: float | None = None


def evaluate_cases(
    cases: Sequence[TrainingCase],
    preset: Preset,
    segmenter: Segmenter,
    progress: Callable[[int, int, str], None] | None = None,
) -> EvaluationSummary:
    """Segments and measures every case.

    Args:
        progress: Called before each case with the number of cases done, of cases in all, and the case's name; at the
            end once with "".

    Raises:
        InputError: A file cannot be read, or a label map is on another grid than its scan or holds other labels.
        InvalidVolumeError: A scan cannot be a CT.
    """
    report = progress or (lambda *_: None)
    measures = []
    for number, case in enumerate(cases):
        report(number, len(cases), case.name)
        measures.append(measure_case(case, preset, segmenter))
    report(len(cases), len(cases), "")
    return summarise(measures)


def measure_case(case: TrainingCase, preset: Preset, segmenter: Segmenter) -> CaseMetrics | SparseCaseMetrics:
    """Segments a case and measures it against its reference. Raises InputError, InvalidVolumeError, DeviceError."""
    return segment_case(case, preset, segmenter)[1]


def segment_case(
    case: TrainingCase, preset: Preset, segmenter: Segmenter
) -> tuple[SegmentationResult, CaseMetrics | SparseCaseMetrics]:
    """The result and its measures. Raises as `measure_case`."""
    if case.sparse:
        rules = replace(preset.postprocessing, largest_liver_component=False, split_lesions=False, min_lesion_mm=0.0)
        preset = replace(preset, postprocessing=rules)
    ct, reference = case.read_as_scanned()
    result = segmenter.segment(ct, preset)
    shape = ct.hu.shape
    return result, measure(case, ct, result.liver.full(shape), result.lesions.full(shape), reference)


def try_case(case: TrainingCase, preset: Preset, segmenter: Segmenter) -> Measured:
    """As `measure_case`; whatever goes wrong with the case is in the answer."""
    started = time.perf_counter()
    try:
        return Measured(measure_case(case, preset, segmenter), None, time.perf_counter() - started)
    # One case must never end the evaluation, whatever a library raises for it.
    except Exception as error:  # noqa: BLE001
        return Measured(None, reason_of(error), time.perf_counter() - started)


def try_case_on_worker(case: TrainingCase, preset: Preset, bundle: str, model: str, device: str) -> Measured:
    """As `try_case`, by the process's own segmenter; ``model`` is what the bundle's folder has to hold.

    Raises:
        BundleError: If the bundle cannot be used, or is another.
        DeviceError: If the device cannot be used.
    """
    from LiverLesionCascadeLib.archive.case_run import ONE_AT_A_TIME, segmenter_of_process

    with ONE_AT_A_TIME:
        return try_case(case, preset, segmenter_of_process(bundle, model, device))


def reason_of(error: Exception) -> str:
    """Why a case failed, in one line."""
    line = " ".join(str(error).split())
    if isinstance(error, CascadeError):
        return line
    if is_out_of_memory(error):
        return "The computer has too little free memory for this scan."
    return f"Unexpected {type(error).__name__}: {line}"
