"""Fits the filter that rejects false lesions: logistic regression on lesions found in patients not trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from LiverLesionCascadeLib.engine.model.lesion_filter import LesionFilter, probability_log_odds
from scipy.optimize import minimize

#: Likelihood below which small lesions are rejected; EXPERIMENTS.md has what it costs and saves.
_REJECT_BELOW = 0.4
#: Pull of the slope towards 0, in units of lesions: there are few, and most are of few patients.
_RIDGE = 1.0


def fit_lesion_filter(
    mean_probability: Sequence[float], correct: Sequence[bool], scans: Sequence[str]
) -> LesionFilter | None:
    """The filter under which what was seen is likeliest, with a ridge on the slope for the standardised log odds.

    Args:
        mean_probability: (n,) of lesions that were found, 0..1.
        correct: Which of them are lesions.
        scans: The scan of each. Every scan counts the same: else the few in which a network sees lesions everywhere
            would say what a lesion in any other is worth.

    Returns:
        None where all are lesions or none is: there is nothing to tell apart.
    """
    truth = np.asarray(correct, float)
    if not 0 < truth.sum() < len(truth):
        return None
    values = probability_log_odds(np.asarray(mean_probability, float))
    mean, spread = values.mean(), values.std() or 1.0
    inputs = np.column_stack([np.ones(len(values)), (values - mean) / spread])
    _, scan, counts = np.unique(np.asarray(scans), return_inverse=True, return_counts=True)
    share = 1.0 / counts[scan]
    share *= len(share) / share.sum()

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        log_odds = inputs @ weights
        free = np.array([0.0, weights[1]])
        value = share @ (np.logaddexp(0.0, log_odds) - truth * log_odds) + 0.5 * _RIDGE * free @ free
        return float(value), inputs.T @ (share * (1.0 / (1.0 + np.exp(-log_odds)) - truth)) + _RIDGE * free

    intercept, slope = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B").x.tolist()
    return LesionFilter(float(intercept - slope * mean / spread), float(slope / spread), _REJECT_BELOW)
