"""What a segmentation run returns."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from ..findings import Finding
from ..grid.boxed import Boxed
from ..measures.lesions import Lesion
from ..model.lesion_filter import LesionFilter
from ..scan.ct_volume import CTVolume


@dataclass(kw_only=True)
class ResultFacts:
    """What is known of a result, whatever grid its masks are on.

    Attributes:
        table: Measures of the lesions, in the order of their numbers.
        findings: What a person should know about the scan and this result.
        timings: Seconds per stage.
        lesion_threshold: Probability above which a voxel was a lesion.
        min_lesion_mm: Equivalent diameter of the smallest lesion that was kept.
        split_lesions: Whether lesions that have grown together were told apart.
        lesion_filter: What gave the lesions their confidence; None for a bundle without a filter.
        lesions_ml: Of all lesions together, where they may have voxels in common; None: the sum of the table.
    """

    table: list[Lesion]
    bundle_name: str
    bundle_version: str
    preset: str
    device: str
    findings: list[Finding] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    lesion_threshold: float = 0.5
    min_lesion_mm: float = 0.0
    split_lesions: bool = False
    lesion_filter: LesionFilter | None = None
    lesions_ml: float | None = None

    @property
    def lesion_volume_ml(self) -> float:
        return sum(lesion.volume_ml for lesion in self.table) if self.lesions_ml is None else self.lesions_ml

    def facts(self) -> dict[str, Any]:
        """All of these by name, for a result on another grid; lists are copied."""
        values = {each.name: getattr(self, each.name) for each in fields(ResultFacts)}
        return values | {name: copy(values[name]) for name in ("table", "findings", "timings")}


@dataclass
class SegmentationResult(ResultFacts):
    """Liver and lesions of one scan, on the grid of ``ct.hu``; ``ct.to_source`` takes them to the source's grid.

    Attributes:
        liver: (slice, row, column) bool, the whole organ, lesions included.
        lesions: (slice, row, column) uint16, lesions 1..n by falling volume.
        liver_probability, lesion_probability: float16, in the liver's box; nothing where they are not known.
    """

    ct: CTVolume
    liver: np.ndarray
    lesions: np.ndarray
    liver_probability: Boxed = field(default_factory=lambda: Boxed.nothing(np.float16))
    lesion_probability: Boxed = field(default_factory=lambda: Boxed.nothing(np.float16))

    @property
    def liver_volume_ml(self) -> float:
        return float(np.count_nonzero(self.liver)) * self.ct.geometry.voxel_volume_ml
