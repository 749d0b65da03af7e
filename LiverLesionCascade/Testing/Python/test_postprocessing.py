"""Post-processing: hole filling as in the paper, and the product's rules for liver and lesions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from LiverLesionCascadeLib.engine.grid.bounding_box import bounding_box, grown, joint_bounding_box
from LiverLesionCascadeLib.engine.measures.diameters import equivalent_diameter_mm
from LiverLesionCascadeLib.engine.results.postprocessing import (
    PostProcessing,
    largest_component,
    postprocess,
)
from scipy import ndimage

SPACING = (2.0, 1.0, 1.0)
ONLY_INSIDE = PostProcessing(fill_holes=False, largest_liver_component=False, min_lesion_mm=0.0)

masks = arrays(bool, array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=7))


def empty(shape: tuple[int, int, int] = (8, 20, 20)) -> np.ndarray:
    return np.zeros(shape, dtype=bool)


def filled(mask: np.ndarray) -> np.ndarray:
    return np.stack([ndimage.binary_fill_holes(plane) for plane in mask])


def block(*box: slice) -> np.ndarray:
    mask = empty()
    mask[box] = True
    return mask


@settings(deadline=None)
@given(masks)
def test_holes_are_filled_as_scipy_fills_every_axial_slice(mask: np.ndarray) -> None:
    for found in postprocess(mask, mask, SPACING, PostProcessing.paper()):
        assert np.array_equal(found, filled(mask))


def test_a_cavity_that_is_open_in_its_slice_is_not_filled_even_if_closed_in_others() -> None:
    ring = block(slice(2, 5), slice(4, 9), slice(4, 9))
    ring[2:5, 6, 6] = False
    ring[3, 4:7, 6] = False  # slice 3: open to the outside
    found, _ = postprocess(ring, empty(), SPACING, PostProcessing.paper())
    assert found[2, 6, 6] and found[4, 6, 6]
    assert not found[3, 6, 6]


def test_filling_holes_leaves_the_input_as_it_is() -> None:
    mask = block(slice(2, 5), slice(4, 9), slice(4, 9))
    mask[3, 6, 6] = False
    postprocess(mask, mask, SPACING)
    assert not mask[3, 6, 6]


@settings(deadline=None)
@given(masks)
def test_the_largest_component_is_one_piece_and_no_other_is_larger(mask: np.ndarray) -> None:
    labels, count = ndimage.label(mask, structure=np.ones((3, 3, 3)))
    sizes = np.bincount(labels.ravel())[1:]
    kept = largest_component(mask)
    assert not (kept & ~mask).any()
    assert kept.sum() == (sizes.max() if count else 0)
    assert len(np.unique(labels[kept])) <= 1


def test_parts_that_meet_at_a_corner_in_3d_are_one_component() -> None:
    mask = block(slice(1, 3), slice(1, 3), slice(1, 3)) | block(slice(3, 4), slice(3, 4), slice(3, 4))
    assert np.array_equal(largest_component(mask), mask)


def test_a_false_liver_apart_from_the_liver_is_removed() -> None:
    liver = block(slice(1, 7), slice(1, 10), slice(1, 10))
    spleen = block(slice(1, 7), slice(14, 18), slice(14, 18))
    found, _ = postprocess(liver | spleen, empty(), SPACING)
    assert np.array_equal(found, liver)


def test_a_lesion_that_the_liver_map_missed_does_not_cut_off_the_liver_behind_it() -> None:
    front = block(slice(1, 7), slice(1, 10), slice(1, 10))
    behind = block(slice(1, 7), slice(13, 18), slice(1, 10))
    bridge = block(slice(1, 7), slice(8, 15), slice(1, 10))  # four of seven rows are liver
    liver, lesions = postprocess(front | behind, bridge, SPACING)
    assert np.array_equal(liver, front | behind | bridge)
    assert np.array_equal(lesions, bridge)


@pytest.mark.parametrize(("rows_inside", "kept"), [(4, True), (3, True), (2, False), (0, False)])
def test_a_lesion_is_kept_whole_with_at_least_half_of_it_inside_and_else_removed_whole(
    rows_inside: int, kept: bool
) -> None:
    liver = block(slice(1, 7), slice(1, 10), slice(1, 15))
    lesion = block(slice(2, 5), slice(10 - rows_inside, 16 - rows_inside), slice(5, 8))
    found_liver, found_lesions = postprocess(liver, lesion, SPACING, ONLY_INSIDE)
    assert np.array_equal(found_lesions, lesion if kept else empty())
    assert np.array_equal(found_liver, liver | lesion if kept else liver)


def test_a_lesion_that_is_removed_does_not_join_parts_of_the_liver() -> None:
    liver = block(slice(1, 7), slice(1, 10), slice(1, 10))
    spleen = block(slice(1, 7), slice(16, 19), slice(1, 10))
    stomach = block(slice(1, 7), slice(9, 17), slice(1, 10))  # two of eight rows are in the liver mask
    found_liver, found_lesions = postprocess(liver | spleen, stomach, SPACING)
    assert np.array_equal(found_liver, liver)
    assert not found_lesions.any()


def test_a_lesion_in_a_false_part_of_the_liver_goes_with_it() -> None:
    liver = block(slice(1, 7), slice(1, 10), slice(1, 10))
    spleen = block(slice(1, 7), slice(13, 18), slice(13, 18))
    lesion = block(slice(2, 5), slice(14, 17), slice(14, 17))
    assert not postprocess(liver | spleen, lesion, SPACING)[1].any()


def test_every_lesion_is_judged_on_its_own() -> None:
    liver = block(slice(1, 7), slice(1, 10), slice(1, 15))
    inside = block(slice(2, 5), slice(3, 6), slice(3, 6))
    outside = block(slice(2, 5), slice(13, 16), slice(3, 6))
    _, lesions = postprocess(liver, inside | outside, SPACING, ONLY_INSIDE)
    assert np.array_equal(lesions, inside)


def test_a_gap_between_an_added_lesion_and_the_liver_is_filled() -> None:
    liver = block(slice(1, 7), slice(1, 10), slice(1, 15))
    liver[3, 7:10, 6] = False  # a bay, open towards row 10
    lesion = empty()
    lesion[3, 8:11, 5:8] = True
    lesion[3, 8, 6] = False  # closed by the lesion: liver | lesion has a hole at row 7 and 8
    lesion[3, 9, 6] = True
    found_liver, _ = postprocess(liver, lesion, SPACING, PostProcessing(min_lesion_mm=0.0))
    assert found_liver[3, 7, 6]
    assert np.array_equal(found_liver, filled(found_liver))


def test_lesions_in_holes_of_the_liver_count_as_inside() -> None:
    liver = block(slice(1, 7), slice(1, 12), slice(1, 12))
    lesion = block(slice(2, 5), slice(5, 8), slice(5, 8))
    found_liver, found_lesions = postprocess(liver & ~lesion, lesion, SPACING)
    assert np.array_equal(found_liver, liver)
    assert np.array_equal(found_lesions, lesion)


def test_lesions_below_the_minimum_equivalent_diameter_are_removed_and_remain_liver() -> None:
    liver = block(slice(1, 7), slice(1, 15), slice(1, 15))
    lesion = block(slice(2, 4), slice(3, 5), slice(3, 5))  # 8 voxels of 2 mm3
    diameter = equivalent_diameter_mm(16.0)
    keep = PostProcessing(min_lesion_mm=diameter)
    drop = PostProcessing(min_lesion_mm=diameter + 0.01)
    assert np.array_equal(postprocess(liver, lesion, SPACING, keep)[1], lesion)
    found_liver, found_lesions = postprocess(liver, lesion, SPACING, drop)
    assert not found_lesions.any()
    assert np.array_equal(found_liver, liver)


def test_the_equivalent_diameter_is_that_of_a_sphere() -> None:
    assert equivalent_diameter_mm(4.0 / 3.0 * math.pi * 5.0**3) == pytest.approx(10.0)


@settings(deadline=None)
@given(masks, st.data())
def test_without_any_rule_the_masks_stay_as_they_are(liver: np.ndarray, data: st.DataObject) -> None:
    lesions = data.draw(arrays(bool, liver.shape))
    found = postprocess(liver, lesions, SPACING, PostProcessing.none())
    assert np.array_equal(found[0], liver)
    assert np.array_equal(found[1], lesions)


@settings(deadline=None)
@given(masks, st.data())
def test_the_papers_rules_fill_holes_and_do_nothing_else(liver: np.ndarray, data: st.DataObject) -> None:
    lesions = data.draw(arrays(bool, liver.shape))
    found = postprocess(liver, lesions, SPACING, PostProcessing.paper())
    assert np.array_equal(found[0], filled(liver))
    assert np.array_equal(found[1], filled(lesions))


@settings(max_examples=200, deadline=None)
@given(masks, st.data())
def test_with_all_rules_lesions_are_liver_and_a_second_pass_changes_nothing(
    liver: np.ndarray, data: st.DataObject
) -> None:
    lesions = data.draw(arrays(bool, liver.shape))
    options = PostProcessing(min_lesion_mm=2.0)
    found = postprocess(liver, lesions, SPACING, options)
    assert not (found[1] & ~found[0]).any()
    again = postprocess(*found, SPACING, options)
    assert np.array_equal(again[0], found[0])
    assert np.array_equal(again[1], found[1])


def test_without_a_liver_there_are_no_lesions_inside_it() -> None:
    liver, lesions = postprocess(empty(), block(slice(2, 5), slice(3, 6), slice(3, 6)), SPACING)
    assert not liver.any() and not lesions.any()


def test_two_empty_masks_stay_empty() -> None:
    liver, lesions = postprocess(empty(), empty(), SPACING)
    assert liver.dtype == lesions.dtype == bool
    assert liver.shape == empty().shape and not liver.any() and not lesions.any()


def test_masks_of_two_grids_are_refused() -> None:
    with pytest.raises(ValueError, match="not on one grid"):
        postprocess(empty(), empty((8, 20, 21)), SPACING)


@pytest.mark.parametrize("size", [-1.0, float("nan"), float("inf")])
def test_an_impossible_minimum_size_is_refused(size: float) -> None:
    with pytest.raises(ValueError, match="min_lesion_mm"):
        PostProcessing(min_lesion_mm=size)


@settings(deadline=None)
@given(masks)
def test_the_bounding_box_is_the_smallest_that_holds_the_mask(mask: np.ndarray) -> None:
    box = bounding_box(mask)
    where = np.argwhere(mask)
    if box is None:
        assert len(where) == 0
    else:
        assert [s.start for s in box] == where.min(axis=0).tolist()
        assert [s.stop for s in box] == (where.max(axis=0) + 1).tolist()


def test_joint_and_grown_boxes_stay_in_the_array() -> None:
    box = joint_bounding_box(
        block(slice(0, 2), slice(3, 5), slice(3, 5)), empty(), block(slice(6, 8), slice(4, 9), slice(1, 2))
    )
    assert box == (slice(0, 8), slice(3, 9), slice(1, 5))
    assert grown(box, empty().shape, 2) == (slice(0, 8), slice(1, 11), slice(0, 7))
    assert joint_bounding_box(empty(), empty()) is None
