"""The lesions that networks find in patients that they never saw, right or wrong."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from LiverLesionCascadeLib.engine.model.lesion_filter import (
    NEVER_REJECTED_MM,
    LesionFilter,
    mean_probabilities,
    section_diameters_mm,
)
from LiverLesionCascadeLib.engine.results.result import SegmentationResult

from ..evaluation.evaluation import CaseMetrics, SparseCaseMetrics
from ..evaluation.froc import FrocPoint, froc
from ..evaluation.metrics import LesionMatching


@dataclass(frozen=True)
class FoundLesion:
    """A lesion that was segmented.

    Attributes:
        touches: Lesions of the reference that it overlaps, by their index.
        confidence: As the product shows it.
        section_mm: Diameter of the circle that is as large as its largest axial section.
        mean_probability: What the network gave its voxels on average, 0..1.
    """

    case: str
    touches: tuple[int, ...]
    confidence: float
    long_axis_mm: float
    section_mm: float
    mean_probability: float

    @property
    def correct(self) -> bool:
        return bool(self.touches)

    def listing(self, known: LesionFilter | None) -> float:
        """What decides on whether it is listed: its likelihood by a filter; 1 where it is too large to be rejected."""
        if known is None or self.section_mm >= NEVER_REJECTED_MM:
            return 1.0
        return float(known.likelihood(self.mean_probability))


@dataclass(frozen=True)
class FoldMeasures:
    """What networks make of cases.

    Attributes:
        measures: Of each case.
        lesions: What was found in whole scans whose lesions are known.
    """

    measures: list[CaseMetrics | SparseCaseMetrics]
    lesions: list[FoundLesion]

    @property
    def scans(self) -> list[CaseMetrics]:
        """The whole scans whose lesions are known."""
        return [each for each in self.measures if isinstance(each, CaseMetrics) and each.lesions_known]

    def of(self, cases: Collection[str]) -> FoldMeasures:
        """Those of some cases alone."""
        return FoldMeasures(
            [each for each in self.measures if each.name in cases],
            [each for each in self.lesions if each.case in cases],
        )


def found_lesions(name: str, result: SegmentationResult, matching: LesionMatching) -> list[FoundLesion]:
    """The lesions of a result.

    Args:
        result: On the segmenter's grid.
        matching: Of these lesions, in the order of their numbers, with those of the reference.
    """
    probability = result.lesion_probability
    inside = result.lesions.within(probability.box)
    means = mean_probabilities(inside, probability.values).tolist()
    sections = section_diameters_mm(inside, result.grid.spacing[::-1]).tolist()
    return [
        FoundLesion(
            name,
            tuple(reference for found, reference, _ in matching.pairs if found == index),
            lesion.confidence or 0.0,
            lesion.long_axis_mm,
            section,
            mean,
        )
        for index, (lesion, section, mean) in enumerate(zip(result.table, sections, means, strict=True))
    ]


def froc_of(
    folds: Sequence[FoldMeasures], filters: Sequence[LesionFilter | None], from_mm: float = 0.0
) -> list[FrocPoint]:
    """Recall of the reference's lesions against false ones, by how likely the filter of each fold finds them.

    Args:
        folds: Unfiltered.
        from_mm: Axial long diameter of the lesions that are to be found, at least.
    """
    listed = [(each, each.listing(known)) for fold, known in zip(folds, filters, strict=True) for each in fold.lesions]
    scans = [each for fold in folds for each in fold.scans]
    return froc(
        [likely for _, likely in listed],
        [[(each.case, index) for index in each.touches] for each, _ in listed],
        {(s.name, index) for s in scans for index, mm in enumerate(s.lesions.reference_mm) if mm >= from_mm},
        len(scans),
    )
