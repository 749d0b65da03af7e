"""One case of an evaluation by the cascade, in this process or in a worker of a cluster."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from LiverLesionCascadeLib.engine.presets import Preset
from LiverLesionCascadeLib.engine.result import SegmentationResult
from LiverLesionCascadeLib.engine.segmenter import Segmenter

from .datasets.training_case import TrainingCase
from .evaluation import CaseMetrics, SparseCaseMetrics, measure


def measure_case(case: TrainingCase, preset: Preset, segmenter: Segmenter) -> CaseMetrics | SparseCaseMetrics:
    """Segments a case and measures it against its reference. Raises InputError, InvalidVolumeError, DeviceError."""
    result, reference = segment_case(case, preset, segmenter)
    return measure(case, result.ct, result.liver, result.lesions, reference)


def segment_case(case: TrainingCase, preset: Preset, segmenter: Segmenter) -> tuple[SegmentationResult, np.ndarray]:
    """Segments a case; its reference labels (slice, row, column) come with the result. Raises as `measure_case`."""
    if case.sparse:
        # Single slices: what is a neighbour in the file is none in the patient.
        rules = replace(preset.postprocessing, largest_liver_component=False, min_lesion_mm=0.0)
        preset = replace(preset, liver_step_mm=0.0, lesion_step_mm=0.0, postprocessing=rules)
    ct, reference = case.read()
    return segmenter.segment(ct, preset), reference


def measure_on_worker(
    case: TrainingCase, preset: Preset, bundle: str, model: str, device: str
) -> CaseMetrics | SparseCaseMetrics:
    """As `measure_case`, by the process's own segmenter; ``model`` is what the bundle's folder has to hold."""
    from LiverLesionCascadeLib.archive.case_run import ONE_AT_A_TIME, segmenter_of_process

    with ONE_AT_A_TIME:
        return measure_case(case, preset, segmenter_of_process(bundle, model, device))
