"""Cross-validation by patient: every case is segmented by networks that never saw its patient.

The lesion pass is the one that learns from the image alone (``lesion-image``): cross-fitted priors would take more
networks for each fold than all the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from LiverLesionCascadeLib.engine.bundle import ModelBundle
from LiverLesionCascadeLib.engine.presets import Preset
from LiverLesionCascadeLib.engine.result import SegmentationResult
from LiverLesionCascadeLib.engine.segmenter import Segmenter

from .calibration import ReliabilityBin, expected_calibration_error, reliability
from .cascade_training import CascadeTraining
from .cases import TrainingCase, patient_folds
from .datasets.splits import TRAIN, VALIDATION
from .evaluation import (
    CaseMetrics,
    EvaluationSummary,
    SparseCaseMetrics,
    format_table,
    markdown_table,
    measure,
    number,
    summarise,
)
from .evaluation_task import segment_case
from .export import default_card, export_bundle
from .recipes import Recipe
from .run_folder import BUNDLE_FOLDER

JOBS = ("liver", "lesion-image")


@dataclass(frozen=True)
class FoundLesion:
    """A lesion that was found, right or wrong, and what it looks like.

    Attributes:
        correct: Whether it overlaps a lesion of the reference.
        confidence: As the product shows it.
        highest: Highest probability within it.
        contrast_hu: Its mean HU less that of the liver around lesions.
    """

    case: str
    correct: bool
    confidence: float
    highest: float
    volume_ml: float
    long_axis_mm: float
    short_axis_mm: float
    slices: int
    contrast_hu: float
    distance_to_liver_surface_mm: float | None


def fold_cases(cases: Sequence[TrainingCase], folds: int, seed: int) -> list[dict[str, list[TrainingCase]]]:
    """By fold, the cases for ``train`` and, of the fold's own patients, for ``validation``."""
    fold = patient_folds(cases, folds, seed)
    return [
        {
            TRAIN: [case for case in cases if fold[case.patient] != number],
            VALIDATION: [case for case in cases if fold[case.patient] == number],
        }
        for number in range(folds)
    ]


def train_fold(
    folder: Path,
    recipe: Recipe,
    cases: dict[str, list[TrainingCase]],
    device: torch.device,
    report: Callable[[str], None] = print,
) -> ModelBundle:
    """Trains the networks of a fold, from their checkpoints if there are any; their bundle is in ``folder/bundle``.

    Raises:
        InputError: If the folder belongs to another run.
        TrainingError: If training cannot go on.
        CancelledError: If it was told to stop.
    """
    training = CascadeTraining(folder, recipe, cases, device, report)
    training.prepare()
    for job in JOBS:
        training.run(job)
    export_bundle(training, folder / BUNDLE_FOLDER, default_card(recipe.name), lesion_job="lesion-image")
    return ModelBundle.load(folder / BUNDLE_FOLDER)


def measure_fold(
    bundle: ModelBundle,
    cases: Sequence[TrainingCase],
    preset: Preset,
    device: str,
    report: Callable[[str], None] = print,
) -> tuple[list[CaseMetrics | SparseCaseMetrics], list[FoundLesion]]:
    """Segments a fold's own cases without priors; their measures, and the lesions that were found in whole scans."""
    segmenter = Segmenter(bundle, device)
    preset = replace(preset, iterations=1, priors=False)
    measures: list[CaseMetrics | SparseCaseMetrics] = []
    lesions: list[FoundLesion] = []
    for case in cases:
        result, reference = segment_case(case, preset, segmenter)
        measured = measure(case, result.ct, result.liver, result.lesions, reference)
        measures.append(measured)
        if isinstance(measured, CaseMetrics):
            lesions += found_lesions(case.name, result, measured.lesions.predicted_overlap)
            report(f"case {case.name}: liver {measured.liver.dice:.3f}, lesion {measured.lesion.dice:.3f}")
    return measures, lesions


def found_lesions(name: str, result: SegmentationResult, overlaps: Sequence[float]) -> list[FoundLesion]:
    """The lesions of a result; ``overlaps`` are those with the reference, in the order of their numbers."""
    liver = result.liver & (result.lesions == 0)
    liver_hu = float(result.ct.hu[liver].mean()) if liver.any() else float("nan")
    probability = result.lesion_probability.full(result.lesions.shape)
    found = []
    for lesion, overlap in zip(result.table, overlaps, strict=True):
        mask = result.lesions == lesion.number
        found.append(
            FoundLesion(
                case=name,
                correct=overlap > 0,
                confidence=lesion.confidence or 0.0,
                highest=float(probability[mask].max()),
                volume_ml=lesion.volume_ml,
                long_axis_mm=lesion.long_axis_mm,
                short_axis_mm=lesion.short_axis_mm,
                slices=int(np.count_nonzero(mask.any(axis=(1, 2)))),
                contrast_hu=lesion.mean_hu - liver_hu,
                distance_to_liver_surface_mm=lesion.distance_to_liver_surface_mm,
            )
        )
    return found


@dataclass(frozen=True)
class CrossValidation:
    """All folds together.

    Attributes:
        summary: Measures of all cases, each by the networks that never saw its patient.
        lesions: What was found in whole scans.
    """

    folds: int
    summary: EvaluationSummary
    lesions: tuple[FoundLesion, ...]

    @classmethod
    def of(cls, folds: Sequence[tuple[list[CaseMetrics | SparseCaseMetrics], list[FoundLesion]]]) -> CrossValidation:
        """From what `measure_fold` gave for each fold."""
        measures = [each for measured, _ in folds for each in measured]
        lesions = [lesion for _, found in folds for lesion in found]
        return cls(len(folds), summarise(measures), tuple(lesions))

    @property
    def reliability(self) -> list[ReliabilityBin]:
        """Of the lesions' confidence."""
        return reliability([each.confidence for each in self.lesions], [each.correct for each in self.lesions])

    @property
    def expected_calibration_error(self) -> float | None:
        """Of the lesions' confidence; None where none was found."""
        return expected_calibration_error(self.reliability) if self.lesions else None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "folds": self.folds,
            **self.summary.to_dict(),
            "found_lesions": [asdict(lesion) for lesion in self.lesions],
            "reliability": [asdict(each) for each in self.reliability],
            "expected_calibration_error": self.expected_calibration_error,
        }

    def format_table(self) -> str:
        """Markdown tables for people."""
        lines = [format_table(self.summary)]
        if self.lesions:
            rows = [[number(b.confidence, 2), number(b.correct, 2), str(b.count)] for b in self.reliability]
            lines.append(markdown_table(["Confidence", "Correct", "Lesions"], rows, left=0))
            lines.append(f"Expected calibration error: {number(self.expected_calibration_error)}")
        return "\n\n".join(lines)
