"""Reliability bins and the expected calibration error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from LiverLesionCascadeTrainingLib.evaluation.calibration import expected_calibration_error, reliability


def test_bins_hold_the_mean_confidence_and_the_share_that_is_correct():
    bins = reliability([0.1, 0.12, 0.9, 1.0], [False, True, True, True])
    assert [(round(b.confidence, 3), b.correct, b.count) for b in bins] == [(0.11, 0.5, 2), (0.95, 1.0, 2)]
    assert expected_calibration_error(bins) == pytest.approx((2 * 0.39 + 2 * 0.05) / 4)


def test_confidences_that_are_as_often_right_as_they_say_have_no_error():
    random = np.random.default_rng(0)
    confidences = random.random(20_000)
    bins = reliability(confidences.tolist(), (random.random(20_000) < confidences).tolist())
    assert expected_calibration_error(bins) < 0.02


def test_without_lesions_the_error_is_not_defined():
    assert reliability([], []) == []
    assert expected_calibration_error([]) is None


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50))
def test_every_prediction_is_in_one_bin_and_the_error_in_0_to_1(predictions):
    bins = reliability(*zip(*predictions, strict=True))
    assert sum(b.count for b in bins) == len(predictions)
    assert 0 <= expected_calibration_error(bins) <= 1
