"""What a segmentation run returns."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..findings import Finding
from ..grid.boxed import Boxed
from ..measures.lesions import Lesion
from ..model.lesion_filter import LesionFilter
from ..scan.ct_volume import CTVolume


@dataclass
class SegmentationResult:
    """Liver and lesions of one scan, on the grid of ``ct.hu``; ``ct.to_source`` takes them to the source's grid.

    Attributes:
        liver: (slice, row, column) bool, the whole organ, lesions included.
        lesions: (slice, row, column) uint16, lesions 1..n by falling volume.
        liver_probability, lesion_probability: float16, in the liver's box.
        table: Measures of the lesions, in the order of their numbers.
        findings: What a person should know about the scan and this result.
        timings: Seconds per stage.
        lesion_threshold: Probability above which a voxel was a lesion.
        min_lesion_mm: Equivalent diameter of the smallest lesion that was kept.
        split_lesions: Whether lesions that have grown together were told apart.
        lesion_filter: What gave the lesions their confidence; None for a bundle without a filter.
    """

    ct: CTVolume
    liver: np.ndarray
    lesions: np.ndarray
    liver_probability: Boxed
    lesion_probability: Boxed
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

    @property
    def liver_volume_ml(self) -> float:
        return float(np.count_nonzero(self.liver)) * self.ct.geometry.voxel_volume_ml

    @property
    def lesion_volume_ml(self) -> float:
        return sum(lesion.volume_ml for lesion in self.table)
