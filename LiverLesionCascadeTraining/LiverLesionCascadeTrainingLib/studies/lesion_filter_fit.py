"""Fits the filter that rejects false lesions: logistic regression on lesions found in patients not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from LiverLesionCascadeLib.engine.model.lesion_filter import LesionFilter, probability_log_odds
from scipy.optimize import minimize

from ..evaluation.froc import listed_from
from .found_lesions import FoldMeasures, froc_of

#: As many false lesions a scan are listed for the sake of true ones.
FALSE_PER_SCAN = 1.0
#: What is likelier a lesion than not is listed in any case.
_MOST_REJECTED = 0.5
#: Pull of the slope towards 0, in units of lesions: there are few, and most are of few patients.
_RIDGE = 1.0


def fit_filters(folds: Sequence[FoldMeasures]) -> list[LesionFilter | None]:
    """By fold, a filter that was fitted on the lesions of all other folds."""
    return [fit_filter([fold for k, fold in enumerate(folds) if k != own]) for own in range(len(folds))]


def fit_filter(folds: Sequence[FoldMeasures]) -> LesionFilter | None:
    """A filter that was fitted on the lesions of these folds, and rejects as much as leaves one false lesion a scan."""
    lesions = [each for fold in folds for each in fold.lesions]
    known = fit_likelihood(
        [each.mean_probability for each in lesions],
        [each.correct for each in lesions],
        [each.case for each in lesions],
    )
    if known is None:
        return None
    points = froc_of(folds, [known] * len(folds))
    return replace(known, reject_below=listed_from(points, FALSE_PER_SCAN, _MOST_REJECTED))


def fit_likelihood(
    mean_probability: Sequence[float], correct: Sequence[bool], scans: Sequence[str]
) -> LesionFilter | None:
    """The filter under which what was seen is likeliest, with a ridge on the slope for the standardised log odds; it
    rejects nothing.

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
    return LesionFilter(float(intercept - slope * mean / spread), float(slope / spread), 0.0)
