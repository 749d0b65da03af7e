"""Metrics against brute force on small arrays, and the cases in which they are not defined."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from LiverLesionCascadeTrainingLib.evaluation.metrics import (
    SIZE_CLASSES,
    Criterion,
    LesionCounts,
    LesionMatching,
    match_lesions,
    region_metrics,
    surface_distances,
)
from scipy import ndimage

SPACING = (2.5, 0.7, 0.9)


@st.composite
def mask_pairs(draw: st.DrawFn, side: int = 5) -> tuple[np.ndarray, np.ndarray]:
    shape = draw(array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=side))
    return draw(arrays(bool, shape)), draw(arrays(bool, shape))


def voxels(mask: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(v) for v in np.argwhere(mask).tolist()}


def brute_force_surface(mask: np.ndarray) -> list[tuple[int, ...]]:
    own = voxels(mask)
    steps = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))
    return [v for v in own if any(tuple(a + b for a, b in zip(v, s, strict=True)) not in own for s in steps)]


def brute_force_distances(a: np.ndarray, b: np.ndarray) -> list[float]:
    def nearest(here: list[tuple[int, ...]], there: list[tuple[int, ...]]) -> list[float]:
        scaled = [tuple(x * s for x, s in zip(v, SPACING, strict=True)) for v in there]
        return [min(math.dist([x * s for x, s in zip(v, SPACING, strict=True)], w) for w in scaled) for v in here]

    first, second = brute_force_surface(a), brute_force_surface(b)
    return nearest(first, second) + nearest(second, first)


def empty() -> np.ndarray:
    return np.zeros((6, 30, 40), dtype=bool)


def bar(start: int, stop: int, row: int = 5, height: int = 3) -> np.ndarray:
    """A lesion in slices 2 and 3, in columns start to stop."""
    mask = empty()
    mask[2:4, row : row + height, start:stop] = True
    return mask


@settings(deadline=None)
@given(mask_pairs())
def test_overlap_and_volume_follow_their_set_definitions(pair: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = map(voxels, pair)
    found = region_metrics(*pair, SPACING)
    if a or b:
        assert found.dice == pytest.approx(2 * len(a & b) / (len(a) + len(b)))
        assert found.jaccard == pytest.approx(len(a & b) / len(a | b))
    else:
        assert found.dice == found.jaccard == 1.0
    if b:
        assert found.rvd == pytest.approx((len(a) - len(b)) / len(b))


@settings(deadline=None)
@given(mask_pairs())
def test_surface_distances_are_those_of_all_pairs_of_surface_voxels(pair: tuple[np.ndarray, np.ndarray]) -> None:
    assd, msd = surface_distances(*pair, SPACING)
    if pair[0].any() and pair[1].any():
        expected = brute_force_distances(*pair)
        assert assd == pytest.approx(sum(expected) / len(expected))
        assert msd == pytest.approx(max(expected))
    elif pair[0].any() or pair[1].any():
        assert (assd, msd) == (None, None)
    else:
        assert (assd, msd) == (0.0, 0.0)


@settings(deadline=None)
@given(mask_pairs())
def test_all_but_the_volume_difference_are_the_same_with_masks_exchanged(pair: tuple[np.ndarray, np.ndarray]) -> None:
    one, other = region_metrics(*pair, SPACING), region_metrics(*pair[::-1], SPACING)
    for name in ("dice", "jaccard", "voe", "assd_mm", "msd_mm"):
        left, right = getattr(one, name), getattr(other, name)
        assert left == (None if right is None else pytest.approx(right)), name
    assert (one.volume_ml, one.reference_ml) == (other.reference_ml, other.volume_ml)


def test_a_shift_by_one_slice_is_at_most_one_slice_away() -> None:
    ball = sum((axis - 8) ** 2 for axis in np.ogrid[:17, :17, :17]) <= 25
    assd, msd = surface_distances(np.roll(ball, 1, axis=0), ball, SPACING)
    assert assd is not None and msd is not None
    assert 0 < assd < msd <= SPACING[0]


def test_region_metrics_of_half_a_lesion() -> None:
    found = region_metrics(bar(5, 10), bar(5, 15), SPACING)
    assert found.dice == pytest.approx(2 / 3)
    assert found.jaccard == pytest.approx(0.5)
    assert found.voe == pytest.approx(0.5)
    assert found.rvd == pytest.approx(-0.5)
    assert found.msd_mm == pytest.approx(5 * 0.9)
    assert found.volume_ml == pytest.approx(30 * math.prod(SPACING) / 1000)
    assert found.reference_ml == pytest.approx(60 * math.prod(SPACING) / 1000)


def test_two_empty_masks_agree_perfectly() -> None:
    found = region_metrics(empty(), empty(), SPACING)
    assert (found.dice, found.jaccard, found.voe) == (1.0, 1.0, 0.0)
    assert (found.rvd, found.assd_mm, found.msd_mm) == (0.0, 0.0, 0.0)


def test_one_empty_mask_gives_zero_overlap_and_no_distance() -> None:
    missed = region_metrics(empty(), bar(5, 10), SPACING)
    assert (missed.dice, missed.jaccard, missed.voe, missed.rvd) == (0.0, 0.0, 1.0, -1.0)
    assert missed.assd_mm is None and missed.msd_mm is None
    invented = region_metrics(bar(5, 10), empty(), SPACING)
    assert (invented.dice, invented.jaccard, invented.voe) == (0.0, 0.0, 1.0)
    assert invented.rvd is None and invented.assd_mm is None and invented.msd_mm is None


@settings(deadline=None)
@given(mask_pairs(side=7))
def test_touched_lesions_are_found_and_others_are_not(pair: tuple[np.ndarray, np.ndarray]) -> None:
    prediction, reference = pair
    structure = np.ones((3, 3, 3))
    expected, references = ndimage.label(reference, structure)
    predicted, predictions = ndimage.label(prediction, structure)
    counts = match_lesions(prediction, reference, SPACING).counts()
    assert counts == LesionCounts(
        reference=references,
        found=len(np.unique(expected[reference & prediction])),
        predicted=predictions,
        correct=len(np.unique(predicted[reference & prediction])),
    )


@settings(deadline=None)
@given(mask_pairs(side=7))
def test_a_stricter_overlap_finds_no_more_lesions_and_overlaps_are_shares(pair: tuple[np.ndarray, np.ndarray]) -> None:
    matching = match_lesions(*pair, SPACING)
    assert all(0 <= overlap <= 1 for overlap in matching.reference_overlap + matching.predicted_overlap)
    counts = [matching.counts(Criterion(overlap)) for overlap in (0.0, 0.25, 0.5, 0.9)]
    assert all(a.found >= b.found and a.correct >= b.correct for a, b in zip(counts, counts[1:], strict=False))


def test_a_perfect_prediction_finds_every_lesion_at_full_overlap() -> None:
    reference = bar(2, 6) | bar(10, 20) | bar(25, 26)
    matching = match_lesions(reference, reference, SPACING)
    assert matching.reference_overlap == matching.predicted_overlap == (1.0, 1.0, 1.0)
    assert matching.reference_mm == matching.predicted_mm


def test_overlap_is_intersection_over_union_of_one_lesion() -> None:
    matching = match_lesions(bar(5, 11), bar(8, 14), SPACING)
    assert matching.reference_overlap == pytest.approx((3 / 9,))
    assert matching.counts(Criterion(0.5)) == LesionCounts(reference=1, found=0, predicted=1, correct=0)


def test_a_lesion_that_was_split_is_found_by_its_parts_together() -> None:
    split = bar(5, 15)
    split[:, :, 9] = False
    matching = match_lesions(split, bar(5, 15), SPACING)
    assert matching.reference_overlap == pytest.approx((0.9,))
    assert matching.predicted_overlap == pytest.approx((0.9, 0.9))


def test_lesions_that_were_merged_are_found_by_the_one_blob_that_counts_once() -> None:
    merged = bar(5, 15)
    reference = merged.copy()
    reference[:, :, 9] = False
    counts = match_lesions(merged, reference, SPACING).counts(Criterion(0.5))
    assert counts == LesionCounts(reference=2, found=2, predicted=1, correct=1)


def test_a_large_lesion_that_was_missed_does_not_spoil_a_small_one_beside_it() -> None:
    small, large = bar(5, 9), bar(11, 35)
    prediction = bar(5, 9)
    prediction[2, 5, 9:12] = True  # a thin tip that touches the large lesion
    other = bar(30, 35)
    matching = match_lesions(prediction | other, small | large, SPACING)
    by_size = dict(zip(matching.reference_mm, matching.reference_overlap, strict=True))
    assert by_size[min(by_size)] > 0.5
    assert 0 < by_size[max(by_size)] < 0.5


def test_a_lesion_stays_found_when_its_prediction_covers_more_of_another() -> None:
    reference = bar(2, 6) | bar(7, 30)
    prediction = bar(2, 13) | bar(15, 30)  # the first covers all four columns of one and six of the other
    matching = match_lesions(prediction, reference, SPACING)
    assert matching.reference_overlap == pytest.approx((15 / 23, 4 / 11))
    assert matching.predicted_overlap == pytest.approx((15 / 23, 4 / 11))


def test_no_lesions_at_all_give_no_counts() -> None:
    assert match_lesions(empty(), empty(), SPACING).counts() == LesionCounts()
    only_false = match_lesions(bar(5, 9), empty(), SPACING).counts()
    assert only_false == LesionCounts(predicted=1)
    assert only_false.false_positives == 1
    assert match_lesions(empty(), bar(5, 9), SPACING).counts() == LesionCounts(reference=1)


def test_lesions_are_counted_by_their_own_axial_long_diameter() -> None:
    matching = LesionMatching((5.0, 10.0, 19.9, 20.0), (0.6, 0.2, 0.0, 0.9), (9.9, 35.0), (0.6, 0.0))
    by_size = {name: matching.counts(Criterion(), low, high) for name, low, high in SIZE_CLASSES}
    assert by_size["<10 mm"] == LesionCounts(1, 1, 1, 1)
    assert by_size["10-20 mm"] == LesionCounts(2, 1, 0, 0)
    assert by_size[">=20 mm"] == LesionCounts(1, 1, 1, 0)
    assert sum(by_size.values(), LesionCounts()) == matching.counts()


def test_the_diameter_of_a_lesion_is_its_long_axis_in_mm() -> None:
    assert match_lesions(empty(), bar(5, 15, height=1), SPACING).reference_mm == pytest.approx((10 * 0.9,))


def test_recall_precision_and_f1_of_counts() -> None:
    counts = LesionCounts(reference=4, found=3, predicted=6, correct=3)
    assert counts.recall == pytest.approx(0.75)
    assert counts.precision == pytest.approx(0.5)
    assert counts.f1 == pytest.approx(0.6)
    assert counts.false_positives == 3


@pytest.mark.parametrize(
    ("counts", "recall", "precision", "f1"),
    [
        (LesionCounts(), None, None, None),
        (LesionCounts(reference=2), 0.0, None, 0.0),
        (LesionCounts(predicted=2), None, 0.0, 0.0),
        (LesionCounts(reference=2, predicted=2), 0.0, 0.0, 0.0),
    ],
)
def test_scores_without_lesions_are_not_defined_rather_than_perfect(
    counts: LesionCounts, recall: float | None, precision: float | None, f1: float | None
) -> None:
    assert (counts.recall, counts.precision, counts.f1) == (recall, precision, f1)


def test_one_to_one_a_split_lesion_is_one_right_and_one_false() -> None:
    split = bar(5, 15)
    split[:, :, 11] = False
    matching = match_lesions(split, bar(5, 15), SPACING)
    assert matching.one_to_one(0.1) == (pytest.approx((0.6,)), pytest.approx((0.6, 0.0)))
    assert matching.counts(Criterion(0.5, one_to_one=True)) == LesionCounts(1, 1, 2, 1)


def test_one_to_one_a_blob_over_two_lesions_is_one_of_them() -> None:
    reference = bar(5, 15)
    reference[:, :, 11] = False
    matching = match_lesions(bar(5, 15), reference, SPACING)
    assert matching.counts(Criterion(0.1, one_to_one=True)) == LesionCounts(2, 1, 1, 1)


def test_the_most_pairs_are_assigned_even_where_the_best_one_is_given_up() -> None:
    # The first prediction overlaps both lesions, the second only the one that the first overlaps better.
    prediction, reference = np.zeros((1, 3, 30), np.uint8), np.zeros((1, 3, 30), np.uint8)
    reference[0, 0, 0:10], reference[0, 0, 10:20] = 1, 2
    prediction[0, 0, 2:14] = 1
    prediction[0, 0, 0:2] = 2
    matching = match_lesions(prediction, reference, SPACING)
    assert matching.counts(Criterion(0.1, one_to_one=True)).found == 2
    assert matching.counts(Criterion(0.5, one_to_one=True)).found == 1


@settings(deadline=None, max_examples=40)
@given(mask_pairs(side=7), st.floats(0.0, 0.6))
def test_no_other_assignment_has_more_pairs(pair: tuple[np.ndarray, np.ndarray], least: float) -> None:
    matching = match_lesions(*pair, SPACING)
    allowed = [(i, j) for i, j, iou in matching.pairs if iou > least]

    def most(pairs: list[tuple[int, int]]) -> int:
        if not pairs:
            return 0
        (i, j), rest = pairs[0], pairs[1:]
        return max(most(rest), 1 + most([(a, b) for a, b in rest if a != i and b != j]))

    counts = matching.counts(Criterion(least, one_to_one=True))
    assert counts.found == counts.correct
    if len(allowed) <= 12:
        assert counts.found == most(allowed)


def test_lesions_given_by_number_are_not_joined_where_they_touch() -> None:
    prediction = np.where(bar(5, 10), 1, np.where(bar(10, 15), 2, 0)).astype(np.uint16)
    assert match_lesions(prediction, bar(5, 15), SPACING).counts().predicted == 2
    assert match_lesions(prediction > 0, bar(5, 15), SPACING).counts().predicted == 1
