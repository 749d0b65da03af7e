"""Lesions at a threshold: components and holes by runs, what a person decided about stands, nothing jumps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from LiverLesionCascadeLib.engine.grid.voxel_runs import Runs
from LiverLesionCascadeLib.engine.measures.lesions import label_lesions
from LiverLesionCascadeLib.engine.results.lesion_threshold import (
    LOWEST_THRESHOLD,
    LesionThreshold,
    kept_numbers,
    stored_probability,
)
from LiverLesionCascadeLib.engine.results.postprocessing import PostProcessing, postprocess
from scipy import ndimage

SHAPES = arrays.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=7)
THRESHOLDS = st.floats(LOWEST_THRESHOLD, 1.0)


@st.composite
def maps(draw, *kinds):
    """Arrays of one shape: "p" a probability map, "m" a mask."""
    shape = draw(SHAPES)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    share = draw(st.sampled_from([0.05, 0.3, 0.7, 1.0]))
    made = {"p": lambda: rng.integers(0, 256, shape, np.uint8), "m": lambda: rng.random(shape) < share}
    return [made[kind]() for kind in kinds]


def filled_by_slice(mask):
    return np.stack([ndimage.binary_fill_holes(plane) for plane in mask])


@settings(deadline=None)
@given(maps("m"))
def test_runs_have_the_components_and_holes_of_their_mask(case):
    mask = np.pad(case[0], 1)
    runs = Runs.of(np.flatnonzero(mask), mask.shape)
    np.testing.assert_array_equal(runs.voxels(), np.flatnonzero(mask))
    filled = mask.copy()
    filled.ravel()[runs.holes()] = True
    np.testing.assert_array_equal(filled, filled_by_slice(mask))
    component, count = runs.components()
    labels, expected = ndimage.label(mask, np.ones((3, 3, 3)))
    assert count == expected == len(set(zip(component, labels.ravel()[runs.starts], strict=True)))


@settings(deadline=None)
@given(maps("p", "m"), THRESHOLDS, st.floats(0, 4), st.sampled_from([0, 1, 2]))
def test_lesions_are_the_components_in_the_liver_that_are_large_enough(case, threshold, minimum, axis):
    probability, liver = case
    found = LesionThreshold(probability, liver, 2.0, slice_axis=axis).at(threshold, minimum)
    filled = np.moveaxis(filled_by_slice(np.moveaxis(probability > threshold * 255, axis, 0)), 0, axis)
    rules = PostProcessing(False, False, False, min_lesion_mm=minimum)
    expected = postprocess(liver, filled & liver, (1.0, 1.0, 2.0), rules)[1]
    np.testing.assert_array_equal(found.mask(), expected)
    labels = found.labels()
    np.testing.assert_array_equal(np.bincount(labels.ravel(), minlength=found.count + 1)[1:], found.voxels)
    assert (np.diff(found.voxels) <= 0).all() and found.count == label_lesions(expected).max()
    pairs = set(zip(labels[expected], label_lesions(expected)[expected], strict=True))
    assert len(pairs) == found.count


@settings(deadline=None)
@given(maps("p", "m"), THRESHOLDS, THRESHOLDS, st.floats(0, 4), st.floats(0, 4))
def test_a_lower_threshold_and_a_smaller_minimum_lose_no_voxel(case, one, other, small, large):
    lesions = LesionThreshold(*case, 2.0)
    wide = lesions.at(min(one, other), min(small, large)).mask()
    narrow = lesions.at(max(one, other), max(small, large)).mask()
    assert not (narrow & ~wide).any()


@settings(deadline=None)
@given(maps("p", "m", "m", "m"), THRESHOLDS, st.floats(0, 3))
def test_what_a_person_decided_about_is_neither_found_nor_surrounded(case, threshold, minimum):
    probability, liver, held, rebuilt = case
    rebuilt &= ~held
    found = LesionThreshold(probability, liver, 2.0, held, rebuilt).at(threshold, minimum).mask()
    assert not (found & held).any() and not (found & ~liver).any()
    labels, _count = ndimage.label(LesionThreshold(probability, liver, 2.0).at(threshold).mask(), np.ones((3, 3, 3)))
    around = np.isin(labels, np.unique(labels[held & (labels > 0)]))
    assert not (found & around & ~rebuilt).any()
    if not held.any():
        np.testing.assert_array_equal(found, LesionThreshold(probability, liver, 2.0).at(threshold, minimum).mask())


def test_a_lesion_that_grows_into_a_held_one_keeps_the_voxels_it_has():
    probability = np.full((1, 1, 12), 120, np.uint8)
    probability[..., [0, 11]] = 0
    liver = np.ones(probability.shape, bool)
    held, rebuilt = np.zeros_like(liver), np.zeros_like(liver)
    held[..., 1:4] = True
    rebuilt[..., 7:10] = True
    lesions = LesionThreshold(probability, liver, 1.0, held, rebuilt)
    np.testing.assert_array_equal(lesions.at(0.4).mask(), rebuilt)
    assert lesions.at(0.5).count == 0


def test_maps_without_anything_likely_hold_no_lesion():
    for shape in ((0, 0, 0), (3, 4, 5)):
        found = LesionThreshold(np.zeros(shape, np.uint8), np.ones(shape, bool), 1.0, np.ones(shape, bool)).at(0.5)
        assert found.count == 0 and found.labels().shape == shape and not found.mask().any()


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=40))
def test_lesions_are_recognised_by_what_they_have_in_common_each_once(pairs):
    found, present = (np.array([pair[side] for pair in pairs], np.uint16) for side in (0, 1))
    kept = kept_numbers(found, present)
    common = {(a, b): pairs.count((a, b)) for a, b in pairs if a and b}
    assert len(set(kept.values())) == len(kept) and all(pair in common for pair in kept.items())
    for (a, b), voxels in common.items():
        rivals = [pair for pair in kept.items() if pair[0] == a or pair[1] == b]
        assert rivals and max(common[pair] for pair in rivals) >= voxels


@given(st.floats(0, 1, width=16))
def test_a_stored_probability_is_above_a_half_where_it_was(value):
    stored = stored_probability(np.array([value]))[0]
    assert abs(stored / 255 - value) <= 0.5 / 255 + 1e-6
    if not 0.5 < value < 0.5 + 1e-6:
        assert (stored > 0.5 * 255) == (value > 0.5)


def test_a_voxel_at_the_threshold_is_not_above_it():
    probability = np.array([51, 52], np.uint8).reshape(1, 1, 2)  # 51 / 255 is 0.2
    found = LesionThreshold(probability, np.ones(probability.shape, bool), 1.0).at(0.2)
    assert found.mask().ravel().tolist() == [False, True]


def test_arrays_that_do_not_fit_and_thresholds_that_do_not_exist_are_refused():
    probability, liver = np.zeros((2, 3, 4), np.uint8), np.ones((2, 3, 4), bool)
    with pytest.raises(ValueError, match=r"held .* are not of one box"):
        LesionThreshold(probability, liver, 1.0, held=liver[:1])
    with pytest.raises(ValueError, match="threshold is 0.01"):
        LesionThreshold(probability, liver, 1.0).at(0.01)
