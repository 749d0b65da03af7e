"""Fitting the filter of false lesions."""

import numpy as np
import pytest
from LiverLesionCascadeTrainingLib.studies.lesion_filter_fit import fit_lesion_filter


def made_up(count, intercept, slope, seed=0):
    """Mean probabilities, outcomes drawn by a known logistic model, and the scan of each."""
    random = np.random.default_rng(seed)
    log_odds = random.normal(1.0, 1.0, count)
    correct = random.random(count) < 1 / (1 + np.exp(-(intercept + slope * log_odds)))
    return 1 / (1 + np.exp(-log_odds)), correct, np.arange(count).astype(str)


def test_a_known_model_is_found_again():
    found = fit_lesion_filter(*made_up(20_000, -2.0, 1.5))
    assert (found.intercept, found.log_odds) == pytest.approx((-2.0, 1.5), abs=0.2)


def test_few_lesions_give_a_cautious_filter():
    probabilities, correct, scans = made_up(12, 0.0, 0.0)
    likely = fit_lesion_filter(probabilities, correct, scans).likelihood(probabilities)
    assert max(abs(likely - correct.mean())) < 0.45


def test_a_scan_full_of_false_lesions_counts_as_one_scan():
    probabilities, correct, scans = made_up(400, 1.0, 1.0)
    alone = fit_lesion_filter(probabilities, correct, scans)
    flooded = fit_lesion_filter(
        [*probabilities, *[0.8] * 400], [*correct, *[False] * 400], [*scans, *["another"] * 400]
    )
    assert abs(alone.likelihood(0.8) - flooded.likelihood(0.8)) < 0.1
    equal = fit_lesion_filter([*probabilities, *[0.8] * 400], [*correct, *[False] * 400], [str(n) for n in range(800)])
    assert alone.likelihood(0.8) - equal.likelihood(0.8) > 0.3, "else the scan would not have mattered"


@pytest.mark.parametrize("outcome", [True, False])
def test_there_is_no_filter_where_there_is_nothing_to_tell_apart(outcome):
    assert fit_lesion_filter([0.6, 0.7, 0.8], [outcome] * 3, ["1", "2", "3"]) is None
    assert fit_lesion_filter([], [], []) is None


def test_probabilities_that_never_differ_do_no_harm():
    found = fit_lesion_filter([0.7] * 10, [True, False] * 5, ["1"] * 10)
    assert found.likelihood(0.7) == pytest.approx(0.5, abs=0.01)
