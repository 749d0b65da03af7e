"""Fitting the filter of false lesions."""

import numpy as np
import pytest
from fixtures.found_lesions import fold
from LiverLesionCascadeTrainingLib.studies.lesion_filter_fit import fit_filter, fit_likelihood


def made_up(count, intercept, slope, seed=0):
    """Mean probabilities, outcomes drawn by a known logistic model, and the scan of each."""
    random = np.random.default_rng(seed)
    log_odds = random.normal(1.0, 1.0, count)
    correct = random.random(count) < 1 / (1 + np.exp(-(intercept + slope * log_odds)))
    return 1 / (1 + np.exp(-log_odds)), correct, np.arange(count).astype(str)


def test_a_known_model_is_found_again():
    found = fit_likelihood(*made_up(20_000, -2.0, 1.5))
    assert (found.intercept, found.log_odds) == pytest.approx((-2.0, 1.5), abs=0.2)


def test_few_lesions_give_a_cautious_filter():
    probabilities, correct, scans = made_up(12, 0.0, 0.0)
    likely = fit_likelihood(probabilities, correct, scans).likelihood(probabilities)
    assert max(abs(likely - correct.mean())) < 0.45


def test_a_scan_full_of_false_lesions_counts_as_one_scan():
    probabilities, correct, scans = made_up(400, 1.0, 1.0)
    alone = fit_likelihood(probabilities, correct, scans)
    flooded = fit_likelihood([*probabilities, *[0.8] * 400], [*correct, *[False] * 400], [*scans, *["another"] * 400])
    assert abs(alone.likelihood(0.8) - flooded.likelihood(0.8)) < 0.1
    equal = fit_likelihood([*probabilities, *[0.8] * 400], [*correct, *[False] * 400], [str(n) for n in range(800)])
    assert alone.likelihood(0.8) - equal.likelihood(0.8) > 0.3, "else the scan would not have mattered"


@pytest.mark.parametrize("outcome", [True, False])
def test_there_is_no_filter_where_there_is_nothing_to_tell_apart(outcome):
    assert fit_likelihood([0.6, 0.7, 0.8], [outcome] * 3, ["1", "2", "3"]) is None
    assert fit_likelihood([], [], []) is None


def test_probabilities_that_never_differ_do_no_harm():
    found = fit_likelihood([0.7] * 10, [True, False] * 5, ["1"] * 10)
    assert found.likelihood(0.7) == pytest.approx(0.5, abs=0.01)


def test_as_many_are_rejected_as_leaves_one_false_lesion_a_scan():
    """Two scans: the likelier a lesion is, the rarer it is false; of the four false ones two have to go."""
    first = [(0.9, True), (0.8, False), (0.7, True), (0.5, False)]
    found = fold({"a": first, "b": [(0.85, True), (0.6, False), (0.4, False)]})
    known = fit_filter([found])
    kept = [each.correct for each in found.lesions if known.likelihood(each.mean_probability) >= known.reject_below]
    assert kept.count(False) == 2 and kept.count(True) == 3


def test_what_is_likelier_a_lesion_than_not_is_never_rejected():
    found = fold({"a": [(0.9, True)] * 8 + [(0.85, False)] * 4 + [(0.2, False)] * 4})
    known = fit_filter([found])
    assert known.reject_below == 0.5 and known.likelihood(0.85) > 0.5


def test_lesions_that_are_never_rejected_are_listed_first():
    small = fold({"a": [(0.9, True), (0.3, False), (0.2, False)]})
    large = fold({"a": [(0.9, True), (0.3, False), (0.2, False)]}, section_mm=25.0)
    assert fit_filter([small]).reject_below < 0.5
    assert fit_filter([large]).reject_below == 0.5, "both false ones are listed whatever the filter says"
