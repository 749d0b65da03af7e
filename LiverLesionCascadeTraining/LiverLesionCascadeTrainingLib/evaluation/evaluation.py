"""Evaluation of a segmentation method on cases with a reference: per case, in the mean, and as JSON.

Whole scans get all measures of `metrics`. Sparse cases, which hold single slices of a scan and have no meaningful
spacing from slice to slice, get the Dice over all their slices only: no volumes, distances or lesions are measured.

A case whose lesions nobody labelled counts for the liver alone.

A case without lesions in its reference says nothing about how well lesions are outlined. Its score, 1 if no lesion was
segmented and else 0, is reported apart; means of lesion measures are over the cases that have lesions. False positives
count in all cases.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume

from ..cases.labels import LESION, LESIONS_UNKNOWN, LIVER
from ..cases.training_case import TrainingCase
from .metrics import (
    ALL_AND_CLASSES,
    TOUCHED,
    Criterion,
    LesionCounts,
    LesionMatching,
    RegionMetrics,
    dice,
    match_lesions,
    region_metrics,
)

#: When a lesion counts as found, by its name in tables and JSON: as LiTS has it, and one to one.
CRITERIA: dict[str, Criterion] = {
    "touched": TOUCHED,
    "IoU > 0.5": Criterion(0.5),
    "1:1, IoU > 0.1": Criterion(0.1, one_to_one=True),
    "1:1, IoU > 0.5": Criterion(0.5, one_to_one=True),
}


@dataclass(frozen=True)
class CaseMetrics:
    """All measures of one scan."""

    name: str
    liver: RegionMetrics
    lesion: RegionMetrics
    lesions: LesionMatching
    lesions_known: bool = True

    @property
    def has_lesions(self) -> bool:
        """Whether the reference has lesions."""
        return len(self.lesions.reference_mm) > 0

    @property
    def lesion_counts(self) -> LesionCounts | None:
        """Its lesions, those that are touched at all being found; None where nobody labelled them: 0 would be a lie."""
        return self.lesions.counts() if self.lesions_known else None

    @property
    def lesion_free_score(self) -> float | None:
        """Of a case without lesions: 1 if none was segmented, else 0. None for a case with lesions, known or not."""
        if self.has_lesions or not self.lesions_known:
            return None
        return float(len(self.lesions.predicted_mm) == 0)

    def to_dict(self) -> dict[str, Any]:
        """For JSON; lengths in mm, volumes in mL."""
        return {
            "name": self.name,
            "liver": asdict(self.liver),
            "lesion": asdict(self.lesion),
            "has_lesions": self.has_lesions,
            "lesions_known": self.lesions_known,
            "lesion_free_score": self.lesion_free_score,
            "lesions": {**asdict(self.lesions), **EvaluationSummary((self,)).detection},
        }


@dataclass(frozen=True)
class SparseCaseMetrics:
    """Dice over all single slices of one patient; `lesion_dice` is 1 or 0 where the reference has no lesion."""

    name: str
    slices: int
    lesion_slices: int
    liver_dice: float
    lesion_dice: float
    lesions_known: bool = True

    @property
    def has_lesions(self) -> bool:
        """Whether the reference has lesions in these slices."""
        return self.lesion_slices > 0

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "has_lesions": self.has_lesions}


@dataclass(frozen=True)
class EvaluationSummary:
    """The cases of an evaluation and what they are in the mean."""

    cases: tuple[CaseMetrics, ...] = ()
    sparse: tuple[SparseCaseMetrics, ...] = ()

    @property
    def with_lesions(self) -> tuple[CaseMetrics, ...]:
        """Cases whose reference has lesions."""
        return tuple(case for case in self.cases if case.has_lesions)

    @property
    def lesion_free(self) -> tuple[CaseMetrics, ...]:
        """Cases whose reference has none."""
        return tuple(case for case in self.cases if case.lesion_free_score is not None)

    @property
    def liver_mean(self) -> dict[str, float | None]:
        """Means over all cases."""
        return _means([case.liver for case in self.cases])

    @property
    def lesion_mean(self) -> dict[str, float | None]:
        """Means over the cases with lesions."""
        return _means([case.lesion for case in self.with_lesions])

    @property
    def lesion_free_score(self) -> float | None:
        """Share of the cases without lesions in which none was segmented."""
        return _mean([case.lesion_free_score for case in self.lesion_free])

    def counts(
        self, criterion: Criterion = TOUCHED, from_mm: float = 0.0, below_mm: float = float("inf")
    ) -> LesionCounts:
        """Lesions of all cases together, as `LesionMatching.counts`."""
        return sum((case.lesions.counts(criterion, from_mm, below_mm) for case in self.cases), LesionCounts())

    @property
    def detection(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Lesions found in all cases together, by the criterion, then by size class."""
        return {
            name: {size: self._counted(criterion, low, high) for size, low, high in ALL_AND_CLASSES}
            for name, criterion in CRITERIA.items()
        }

    def _counted(self, criterion: Criterion, from_mm: float, below_mm: float) -> dict[str, Any]:
        counts = self.counts(criterion, from_mm, below_mm)
        searched = sum(case.lesions_known for case in self.cases)
        return {
            **asdict(counts),
            "recall": counts.recall,
            "precision": counts.precision,
            "f1": counts.f1,
            "false_positives_per_case": counts.false_positives / searched if searched else None,
        }

    @property
    def sparse_liver_dice(self) -> float | None:
        """Mean over the sparse cases."""
        return _mean([case.liver_dice for case in self.sparse])

    @property
    def sparse_lesion_dice(self) -> float | None:
        """Mean over the sparse cases with lesions."""
        return _mean([case.lesion_dice for case in self.sparse if case.has_lesions])

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the cases, and what they are in the mean."""
        result: dict[str, Any] = {
            "cases": [case.to_dict() for case in self.cases],
            "mean": {
                "liver": self.liver_mean,
                "lesion": self.lesion_mean,
                "cases": len(self.cases),
                "cases_with_lesions": len(self.with_lesions),
                "lesion_free_score": self.lesion_free_score,
                "lesions": self.detection,
            },
        }
        if self.sparse:
            result["sparse_cases"] = [case.to_dict() for case in self.sparse]
            result["sparse_mean"] = {
                "liver_dice": self.sparse_liver_dice,
                "lesion_dice": self.sparse_lesion_dice,
                "cases": len(self.sparse),
                "cases_with_lesions": sum(case.has_lesions for case in self.sparse),
            }
        return result


def evaluate_case(
    liver: np.ndarray, lesions: np.ndarray, reference: np.ndarray, spacing: tuple[float, float, float], name: str = ""
) -> CaseMetrics:
    """Measure one scan.

    Args:
        liver: Mask of the whole organ, (slice, row, column) in axial order. Lesions count as liver too, as in LiTS.
        lesions: On the same grid: lesions by whole numbers from 1 on, or a bool mask, whose components are the lesions.
        reference: Label map on the same grid: 0, 1 liver, 2 lesion, 3 liver whose lesions nobody labelled: then only
            the liver is measured.
        spacing: (slice, row, column) in mm.
        name: Of the case, for tables.
    """
    found_liver, found_lesions, true_liver, true_lesions = _masks(liver, lesions, reference)
    return CaseMetrics(
        name=name,
        liver=region_metrics(found_liver, true_liver, spacing),
        lesion=region_metrics(found_lesions, true_lesions, spacing),
        lesions=match_lesions(lesions * found_lesions, true_lesions, spacing),
        lesions_known=_lesions_known(reference),
    )


def evaluate_sparse_case(
    liver: np.ndarray, lesions: np.ndarray, reference: np.ndarray, name: str = ""
) -> SparseCaseMetrics:
    """Measure a case of single slices: Dice over all of them; arrays as for `evaluate_case`."""
    found_liver, found_lesions, true_liver, true_lesions = _masks(liver, lesions, reference)
    return SparseCaseMetrics(
        name=name,
        slices=len(reference),
        lesion_slices=int(np.count_nonzero(true_lesions.any(axis=(1, 2)))),
        liver_dice=dice(found_liver, true_liver),
        lesion_dice=dice(found_lesions, true_lesions),
        lesions_known=_lesions_known(reference),
    )


def measure(
    case: TrainingCase, ct: CTVolume, liver: np.ndarray, lesions: np.ndarray, reference: np.ndarray
) -> CaseMetrics | SparseCaseMetrics:
    """Measure a case, whole or sparse; arrays as for `evaluate_case`."""
    if case.sparse:
        return evaluate_sparse_case(liver, lesions, reference, case.name)
    return evaluate_case(liver, lesions, reference, ct.spacing, case.name)


def summarise(measures: Iterable[CaseMetrics | SparseCaseMetrics]) -> EvaluationSummary:
    """The measures of whole and sparse cases, in their order."""
    every = list(measures)
    return EvaluationSummary(
        tuple(each for each in every if isinstance(each, CaseMetrics)),
        tuple(each for each in every if isinstance(each, SparseCaseMetrics)),
    )


def _masks(
    liver: np.ndarray, lesions: np.ndarray, reference: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Predicted liver and lesions, reference liver and lesions; the liver with its lesions."""
    found_lesions = np.asarray(lesions) > 0
    found_liver = np.asarray(liver) > 0
    if not found_liver.shape == found_lesions.shape == reference.shape:
        raise ValueError(
            f"liver {found_liver.shape}, lesions {found_lesions.shape}, reference {reference.shape} are not on one grid"
        )
    found_liver = found_liver | found_lesions
    if not _lesions_known(reference):
        nothing = np.zeros_like(found_lesions)
        return found_liver, nothing, reference >= LIVER, nothing
    return found_liver, found_lesions, reference >= LIVER, reference == LESION


def _lesions_known(reference: np.ndarray) -> bool:
    """Whether somebody labelled all lesions: where some are not, none can be called missed or false."""
    return not (reference == LESIONS_UNKNOWN).any()


def _mean(values: Iterable[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None


def _means(regions: Sequence[RegionMetrics]) -> dict[str, float | None]:
    """Mean of every measure over the cases where it is defined, and in how many the distances are.

    RVD as the mean of absolute values: too large a volume in one case does not make up for too small a one in another.
    """
    means: dict[str, float | None] = {}
    for field in fields(RegionMetrics):
        values = [getattr(region, field.name) for region in regions]
        if field.name == "rvd":
            means["absolute_rvd"] = _mean(None if value is None else abs(value) for value in values)
        else:
            means[field.name] = _mean(values)
    means["cases_with_distances"] = sum(region.assd_mm is not None for region in regions)
    return means
