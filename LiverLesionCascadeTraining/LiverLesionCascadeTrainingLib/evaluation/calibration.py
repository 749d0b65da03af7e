"""How far a confidence can be believed: reliability by bins, and the expected calibration error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_BINS = 10


@dataclass(frozen=True)
class ReliabilityBin:
    """Predictions of similar confidence: their mean confidence, the share of them that is correct, their number."""

    confidence: float
    correct: float
    count: int


def reliability(confidences: Sequence[float], correct: Sequence[bool]) -> list[ReliabilityBin]:
    """Predictions, with confidences 0..1, in ten bins of equal width; empty bins are left out."""
    values, truth = np.asarray(confidences, float), np.asarray(correct, bool)
    number = np.minimum((values * _BINS).astype(int), _BINS - 1)
    members = [number == i for i in np.unique(number)]
    return [
        ReliabilityBin(float(values[chosen].mean()), float(truth[chosen].mean()), int(chosen.sum()))
        for chosen in members
    ]


def expected_calibration_error(bins: Sequence[ReliabilityBin]) -> float | None:
    """Mean distance of confidence and share correct, weighted by count (Naeini et al. 2015); None without bins."""
    total = sum(each.count for each in bins)
    return sum(each.count * abs(each.confidence - each.correct) for each in bins) / total if total else None
