"""Fitting the filter of false lesions."""

import numpy as np
import pytest
from LiverLesionCascadeTrainingLib.lesion_filter_fit import fit_lesion_filter


def made_up(count, weights, seed=0):
    """Features, and outcomes drawn by a known logistic model."""
    random = np.random.default_rng(seed)
    features = random.normal([2.0, 1.0], [1.0, 0.5], (count, 2))
    log_odds = weights[0] + features @ np.asarray(weights[1:])
    return features, random.random(count) < 1 / (1 + np.exp(-log_odds))


def test_a_known_model_is_found_again():
    weights = (-3.0, 1.5, 1.0)
    found = fit_lesion_filter(*made_up(20_000, weights))
    assert (found.intercept, *found.weights) == pytest.approx(weights, abs=0.2)


def test_few_lesions_give_a_cautious_filter():
    features, correct = made_up(12, (0.0, 0.0, 0.0))
    assert max(abs(fit_lesion_filter(features, correct).likelihood(features) - correct.mean())) < 0.45


@pytest.mark.parametrize("outcome", [True, False])
def test_there_is_no_filter_where_there_is_nothing_to_tell_apart(outcome):
    features, _ = made_up(5, (0.0,) * 3)
    assert fit_lesion_filter(features, [outcome] * 5) is None
    assert fit_lesion_filter([], []) is None


def test_a_feature_that_never_differs_does_no_harm():
    features, correct = made_up(200, (-3.0, 1.5, 1.0))
    features[:, 1] = 1.0
    assert np.isfinite(fit_lesion_filter(features, correct).likelihood(features)).all()
