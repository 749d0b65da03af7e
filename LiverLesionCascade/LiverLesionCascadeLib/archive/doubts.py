"""How much a result needs a second look, so that the most doubtful of thousands come first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..engine.results.result import SegmentationResult

#: Probabilities in between are those of voxels that could as well be the other.
_UNSURE = (0.25, 0.75)


def doubts(result: SegmentationResult) -> dict[str, Any]:
    """A score, 0 for none, and its parts.

    One point for every warning; the share of the liver's volume that could as well be none (voxels of probability 0.25
    to 0.75) times ten, at most one point; and how unsure the lesions are: 1 - their mean confidence by volume.
    """
    warnings = [finding.message for finding in result.findings if finding.severity != "info"]
    voxels = result.liver.count
    values = result.liver_probability.values
    unsure = int(np.count_nonzero((values > _UNSURE[0]) & (values < _UNSURE[1])))
    outline = min(1.0, 10.0 * unsure / voxels) if voxels else 1.0
    sure = [(lesion.volume_ml, lesion.confidence) for lesion in result.table if lesion.confidence is not None]
    volume = sum(ml for ml, _ in sure)
    lesions = 1.0 - sum(ml * confidence for ml, confidence in sure) / volume if volume > 0 else 0.0
    return {
        "score": len(warnings) + outline + lesions,
        "warnings": warnings,
        "unsure_liver": outline,
        "unsure_lesions": lesions,
    }
