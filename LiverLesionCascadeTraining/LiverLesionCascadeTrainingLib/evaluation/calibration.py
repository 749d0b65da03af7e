"""How far a confidence can be believed: reliability by bins, and the expected calibration error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ReliabilityBin:
    """Predictions of similar confidence: their mean confidence, the share of them that is correct, their number."""

    confidence: float
    correct: float
    count: int


def reliability(confidences: Sequence[float], correct: Sequence[bool], bins: int = 10) -> list[ReliabilityBin]:
    """Predictions in bins of equal width over 0..1; empty bins are left out.

    Raises:
        ValueError: If there are not as many of both, or a confidence is not in 0..1.
    """
    values, truth = np.asarray(confidences, float), np.asarray(correct, bool)
    if values.shape != truth.shape:
        raise ValueError(f"{len(values)} confidences and {len(truth)} outcomes: there must be one for each")
    if len(values) and not (0 <= values.min() and values.max() <= 1):
        raise ValueError("A confidence is not in 0..1")
    number = np.minimum((values * bins).astype(int), bins - 1)
    members = [number == i for i in range(bins)]
    return [
        ReliabilityBin(float(values[chosen].mean()), float(truth[chosen].mean()), int(chosen.sum()))
        for chosen in members
        if chosen.any()
    ]


def expected_calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Mean distance of confidence and share correct, weighted by count (Naeini et al. 2015); NaN without bins."""
    total = sum(each.count for each in bins)
    return sum(each.count * abs(each.confidence - each.correct) for each in bins) / total if total else float("nan")
