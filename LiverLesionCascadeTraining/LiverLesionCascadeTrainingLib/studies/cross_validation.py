"""Cross-validation by patient: every case is segmented by networks that never saw its patient.

The lesion pass is the one that learns from the image alone (``lesion-image``): cross-fitted priors would take more
networks for each fold than all the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
from LiverLesionCascadeLib.engine.model.lesion_filter import LesionFilter, mean_probabilities
from LiverLesionCascadeLib.engine.passes.presets import Preset
from LiverLesionCascadeLib.engine.results.result import SegmentationResult
from LiverLesionCascadeLib.engine.segmenter import Segmenter

from ..bundles.export import default_card, export_bundle, record_figures
from ..bundles.model_card import RELIABILITY_FILE
from ..bundles.reliability_figure import write_reliability
from ..cases.splits import TRAIN, VALIDATION
from ..datasets.cases import TrainingCase, patient_folds
from ..evaluation.calibration import ReliabilityBin, expected_calibration_error, reliability
from ..evaluation.evaluation import (
    CaseMetrics,
    EvaluationSummary,
    SparseCaseMetrics,
    summarise,
)
from ..evaluation.evaluation_task import segment_case
from ..evaluation.evaluation_text import format_table, markdown_table, number
from ..recipes import Recipe
from ..runs.run_folder import BUNDLE_FOLDER
from ..training.cascade_training import CascadeTraining
from .lesion_filter_fit import fit_lesion_filter

JOBS = ("liver", "lesion-image")

#: The measures of a fold's cases, and the lesions that were found in them.
FoldMeasures = tuple[list[CaseMetrics | SparseCaseMetrics], list["FoundLesion"]]


@dataclass(frozen=True)
class FoundLesion:
    """A lesion that was segmented, right or wrong.

    Attributes:
        correct: Whether it overlaps a lesion of the reference.
        confidence: As the product shows it.
        mean_probability: What the network gave its voxels on average, 0..1.
    """

    case: str
    correct: bool
    confidence: float
    long_axis_mm: float
    mean_probability: float


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
) -> FoldMeasures:
    """Segments a fold's own cases without priors; their measures, and the lesions that were found in whole scans."""
    segmenter = Segmenter(bundle, device)
    preset = replace(preset, iterations=1, priors=False)
    measures: list[CaseMetrics | SparseCaseMetrics] = []
    lesions: list[FoundLesion] = []
    for case in cases:
        result, measured = segment_case(case, preset, segmenter)
        measures.append(measured)
        if isinstance(measured, CaseMetrics):
            lesions += found_lesions(case.name, result, measured.lesions.predicted_overlap)
            report(f"case {case.name}: liver {measured.liver.dice:.3f}, lesion {measured.lesion.dice:.3f}")
    return measures, lesions


def found_lesions(name: str, result: SegmentationResult, overlaps: Sequence[float]) -> list[FoundLesion]:
    """The lesions of a result; ``overlaps`` are those with the reference, in the order of their numbers."""
    probability = result.lesion_probability
    means = mean_probabilities(result.lesions.within(probability.box), probability.values).tolist()
    return [
        FoundLesion(name, overlap > 0, lesion.confidence or 0.0, lesion.long_axis_mm, mean)
        for lesion, overlap, mean in zip(result.table, overlaps, means, strict=True)
    ]


def fit_filters(found: Sequence[Sequence[FoundLesion]]) -> list[LesionFilter | None]:
    """By fold, a filter that was fitted on the lesions of all other folds."""
    return [
        fit_filter([each for k, lesions in enumerate(found) if k != own for each in lesions])
        for own in range(len(found))
    ]


def fit_filter(lesions: Sequence[FoundLesion]) -> LesionFilter | None:
    """A filter that was fitted on these lesions."""
    return fit_lesion_filter(
        [each.mean_probability for each in lesions],
        [each.correct for each in lesions],
        [each.case for each in lesions],
    )


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
    def of(cls, folds: Sequence[FoldMeasures]) -> CrossValidation:
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


def record_cross_validation(
    folder: Path, result: CrossValidation, preset: str, lesion_filter: LesionFilter | None
) -> None:
    """Writes the figures of a cross-validation of a bundle's recipe into its metadata and model card, with a plot of
    how far the confidence of lesions can be believed; and the filter of false lesions that it was fitted for."""
    summary = result.summary
    counts = {"below_10_mm": summary.counts(below_mm=10.0), "from_10_mm": summary.counts(from_mm=10.0)}
    figures = {
        "preset": preset,
        "folds": result.folds,
        "scans": len(summary.cases),
        "single_slice_scans": len(summary.sparse),
        "liver_dice": summary.liver_mean["dice"],
        "lesion_dice": summary.lesion_mean["dice"],
        "single_slices_liver_dice": summary.sparse_liver_dice,
        "single_slices_lesion_dice": summary.sparse_lesion_dice,
        "lesions": {name: {**asdict(each), "false": each.false_positives} for name, each in counts.items()},
        "expected_calibration_error": result.expected_calibration_error,
        "found_lesions": len(result.lesions),
    }
    write_reliability(result.reliability, folder / RELIABILITY_FILE)
    record_figures(folder, "cross_validation", figures)
    if lesion_filter is not None:
        record_figures(folder, "lesion_filter", lesion_filter.to_dict())
