"""The liver's density, and how the lesion pass makes dark and bright livers alike by it."""

import numpy as np
import pytest
from LiverLesionCascadeLib.engine.measures.liver_density import median_liver_hu
from LiverLesionCascadeLib.engine.model.model_settings import LesionPassSettings

WINDOW = (0.0, 160.0)


def test_median_is_that_of_the_liver_alone():
    hu = np.full((3, 4, 4), -900, np.int16)
    liver = np.zeros(hu.shape, np.uint8)
    liver[1, 1:3] = 1
    liver[2, 0, 0] = 2
    hu[1, 1:3] = 70
    hu[2, 0, 0] = 20
    assert median_liver_hu(hu, liver, WINDOW) == 70


def test_values_out_of_the_window_count_as_its_ends():
    hu = np.array([[[500, 400, 10]]], np.int16)
    assert median_liver_hu(hu, np.ones(hu.shape, bool), WINDOW) == 160


@pytest.mark.parametrize("slices", [0, 2])
def test_no_liver_has_no_density(slices):
    empty = np.zeros((slices, 4, 4), np.int16)
    assert median_liver_hu(empty, empty, WINDOW) is None


@pytest.mark.parametrize(
    ("liver_hu", "median", "expected"), [(100.0, 60.0, 40.0), (100.0, None, 0.0), (None, 60.0, 0.0)]
)
def test_a_scan_is_shifted_only_where_the_bundle_wants_it_and_the_liver_is_known(liver_hu, median, expected):
    assert LesionPassSettings(256, 0.16, 1, 0.5, 0.5, liver_hu).shift_hu(median) == expected
