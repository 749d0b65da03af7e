"""Fat and gas are told from liver and fluid, in noise and beside each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.grid.boxed import Boxed
from LiverLesionCascadeLib.engine.passes.fat_and_gas import clear_fat_and_gas, fat_or_gas

SPACINGS = st.tuples(st.floats(0.5, 10), st.floats(0.4, 5), st.floats(0.4, 5))


def halves(left: float, right: float) -> np.ndarray:
    hu = np.full((2, 40, 40), left, np.float32)
    hu[:, :, 20:] = right
    return hu


@given(SPACINGS, st.sampled_from([-1000.0, -90.0]), st.floats(30, 200))
def test_liver_beside_gas_or_fat_stays_whole_and_these_are_found_beyond_their_edge(spacing, outside, liver):
    found = fat_or_gas(halves(liver, outside), spacing)
    assert not found[:, :, :20].any()
    assert found[:, :, 20 + round(3.5 / spacing[2]) :].all()


@given(SPACINGS, st.floats(-10, 20))
def test_fluid_is_neither(spacing, fluid):
    assert not fat_or_gas(halves(fluid, 100), spacing).any()


def test_noise_in_a_dark_liver_is_not_taken_for_fat():
    hu = np.random.default_rng(0).normal(30, 25, (4, 64, 64)).astype(np.int16)
    assert (hu < -20).any() and not fat_or_gas(hu, (2.0, 0.75, 0.75)).any()


def test_pixels_wider_than_what_noise_is_averaged_over_stand_for_themselves():
    hu = np.full((1, 5, 5), 40, np.int16)
    hu[0, 2, 2] = -100
    assert np.argwhere(fat_or_gas(hu, (5.0, 5.0, 5.0))).tolist() == [[0, 2, 2]]


@pytest.mark.parametrize(("hu", "found"), [(-21, True), (-19, False)])
def test_what_is_as_dark_as_minus_twenty_hu_is_fat(hu, found):
    assert fat_or_gas(np.full((1, 8, 8), hu, np.int16), (1.0, 1.0, 1.0)).all() == found


def test_clipped_fat_is_still_fat():
    assert fat_or_gas(np.full((1, 8, 8), -40, np.int16), (1.0, 1.0, 1.0)).all()


@pytest.mark.parametrize("kind", [np.int16, np.float32, np.float64])
def test_probabilities_of_a_box_are_cleared_in_its_own_place(kind):
    hu = np.full((4, 60, 60), 80, kind)
    hu[1, 30:50, 30:50] = -900
    boxes = tuple(Boxed(np.full((2, 30, 40), p, np.float16), (1, 25, 15)) for p in (0.9, 0.6))
    clear_fat_and_gas(boxes, hu, (5.0, 0.8, 0.8))
    for box, before in zip(boxes, (0.9, 0.6), strict=True):
        assert (box.values[0, 8:22, 18:32] == 0).all()
        assert (box.values[1] == np.float16(before)).all() and (box.values[0, :3] == np.float16(before)).all()
