"""Cross-validation by patient: every case is segmented by networks that never saw its patient.

The lesion pass is the one that learns from the image alone (``lesion-image``): cross-fitted priors would take more
networks for each fold than all the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
from LiverLesionCascadeLib.engine.model.lesion_filter import LesionFilter
from LiverLesionCascadeLib.engine.passes.presets import Preset
from LiverLesionCascadeLib.engine.segmenter import Segmenter

from ..bundles.export import default_card, export_bundle, record_figures
from ..bundles.lesion_figures import write_froc, write_reliability
from ..bundles.model_card import FROC_FILE, RELIABILITY_FILE
from ..cases.splits import TRAIN, VALIDATION
from ..datasets.cases import TrainingCase, patient_folds, require_folds
from ..evaluation.calibration import ReliabilityBin, expected_calibration_error, reliability
from ..evaluation.evaluation import CaseMetrics, EvaluationSummary, summarise
from ..evaluation.evaluation_task import segment_case
from ..evaluation.evaluation_text import format_table, markdown_table, number
from ..evaluation.froc import FrocPoint, at_false_rates
from ..recipes import Recipe
from ..runs.run_folder import BUNDLE_FOLDER
from ..training.cascade_training import CascadeTraining
from .found_lesions import FoldMeasures, FoundLesion, found_lesions, froc_of

JOBS = ("liver", "lesion-image")
#: False lesions a scan for which the model card says what is found.
FALSE_RATES = (0.25, 0.5, 1.0, 2.0, 4.0)


def fold_cases(cases: Sequence[TrainingCase], folds: int, seed: int) -> list[dict[str, list[TrainingCase]]]:
    """By fold, the cases for ``train`` and, of the fold's own patients, for ``validation``.

    Raises InputError where a fold would have no patient.
    """
    fold = patient_folds(cases, folds, seed)
    require_folds(fold, folds)
    return [
        {
            TRAIN: [case for case in cases if fold[case.patient] != number],
            VALIDATION: [case for case in cases if fold[case.patient] == number],
        }
        for number in range(folds)
    ]


def train_fold(folder: Path, recipe: Recipe, cases: dict[str, list[TrainingCase]], device: torch.device) -> ModelBundle:
    """Trains the networks of a fold, from their checkpoints if there are any; their bundle is in ``folder/bundle``.

    Raises:
        InputError: If the folder belongs to another run.
        TrainingError: If training cannot go on.
        CancelledError: If it was told to stop.
    """
    training = CascadeTraining(folder, recipe, cases, device)
    training.prepare(JOBS)
    for job in JOBS:
        training.run(job)
    export_bundle(training, folder / BUNDLE_FOLDER, default_card(recipe.name), lesion_job="lesion-image")
    return ModelBundle.load(folder / BUNDLE_FOLDER)


def measure_fold(bundle: ModelBundle, cases: Sequence[TrainingCase], preset: Preset, device: str) -> FoldMeasures:
    """Segments a fold's own cases without priors, and prints what each gives."""
    segmenter = Segmenter(bundle, device)
    preset = replace(preset, iterations=1, priors=False)
    fold = FoldMeasures([], [])
    for case in cases:
        result, measured = segment_case(case, preset, segmenter)
        fold.measures.append(measured)
        if isinstance(measured, CaseMetrics):
            if measured.lesions_known:
                fold.lesions.extend(found_lesions(case.name, result, measured.lesions))
            print(f"case {case.name}: liver {measured.liver.dice:.3f}, lesion {measured.lesion.dice:.3f}")
    return fold


@dataclass(frozen=True)
class CrossValidation:
    """All folds together.

    Attributes:
        summary: Measures of all cases, each by the networks that never saw its patient.
        lesions: What was found in whole scans.
        froc: Recall of the reference's lesions against false ones, before any is rejected.
        froc_from_10_mm: The same for those with a long diameter of 10 mm and more.
    """

    folds: int
    summary: EvaluationSummary
    lesions: tuple[FoundLesion, ...]
    froc: tuple[FrocPoint, ...]
    froc_from_10_mm: tuple[FrocPoint, ...]

    @classmethod
    def of(
        cls, folds: Sequence[FoldMeasures], unfiltered: Sequence[FoldMeasures], filters: Sequence[LesionFilter | None]
    ) -> CrossValidation:
        """From what `measure_fold` gave for each fold with its filter, and without."""
        measures = [each for fold in folds for each in fold.measures]
        lesions = tuple(each for fold in folds for each in fold.lesions)
        curves = [tuple(froc_of(unfiltered, filters, from_mm)) for from_mm in (0.0, 10.0)]
        return cls(len(folds), summarise(measures), lesions, *curves)

    @property
    def reliability(self) -> list[ReliabilityBin]:
        """Of the lesions' confidence."""
        return reliability([each.confidence for each in self.lesions], [each.correct for each in self.lesions])

    @property
    def expected_calibration_error(self) -> float | None:
        """Of the lesions' confidence; None where none was found."""
        return expected_calibration_error(self.reliability)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "folds": self.folds,
            **self.summary.to_dict(),
            "found_lesions": [asdict(lesion) for lesion in self.lesions],
            "reliability": [asdict(each) for each in self.reliability],
            "expected_calibration_error": self.expected_calibration_error,
            "froc": [asdict(each) for each in self.froc],
            "froc_from_10_mm": [asdict(each) for each in self.froc_from_10_mm],
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
    """Writes the figures of a cross-validation of a bundle's recipe into its metadata and model card, with plots of how
    far the confidence of lesions can be believed and of what it finds and costs to list more of them; and the filter of
    false lesions that it was fitted for; None removes an earlier one, which these figures are not those of."""
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
        "froc": [asdict(each) for each in at_false_rates(result.froc, FALSE_RATES)],
    }
    record_figures(folder, "lesion_filter", None if lesion_filter is None else lesion_filter.to_dict())
    record_figures(folder, "cross_validation", figures)
    write_reliability(result.reliability, folder / RELIABILITY_FILE)
    write_froc({"all": result.froc, "10 mm and more": result.froc_from_10_mm}, folder / FROC_FILE)
