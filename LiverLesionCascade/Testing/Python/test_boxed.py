"""Boxes of a grid: whatever is done with them is what would be done with whole arrays."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.grid.boxed import EMPTY, Boxed, difference, joint_box, overlap, union
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume

SHAPE = (6, 7, 8)
AXIS_ORDERS = [
    np.eye(3)[:, list(order)] * signs
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]


@st.composite
def arrays(draw, kind=np.uint8):
    """Values in a random box of the grid, perhaps none."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    array = np.zeros(SHAPE, kind)
    ends = [sorted(draw(st.tuples(st.integers(0, n), st.integers(0, n)))) for n in SHAPE]
    box = tuple(slice(low, high) for low, high in ends)
    array[box] = random.integers(0, 4, array[box].shape)
    return array


@given(arrays())
def test_a_box_holds_all_of_the_grid_and_no_more(array):
    boxed = Boxed.of(array)
    np.testing.assert_array_equal(boxed.full(SHAPE), array)
    assert boxed.count == np.count_nonzero(array) and bool(boxed) == array.any()
    if boxed:
        assert all(boxed.values.any(axis=(a, b)).take([0, -1]).all() for a, b in ((1, 2), (0, 2), (0, 1)))
    np.testing.assert_array_equal(Boxed.mask(array).full(SHAPE), array > 0)
    np.testing.assert_array_equal(boxed.has(2).full(SHAPE), array & 2 > 0)


@given(arrays(), st.tuples(*[st.tuples(st.integers(-3, 8), st.integers(0, 5))] * 3))
def test_what_lies_in_another_box_is_there_and_the_rest_is_zero(array, ends):
    box = tuple(slice(first, first + n) for first, n in ends)
    padded = np.pad(array, 20)
    expected = padded[tuple(slice(s.start + 20, s.stop + 20) for s in box)]
    np.testing.assert_array_equal(Boxed.of(array).within(box), expected)


@given(arrays(bool), arrays(bool))
def test_masks_are_joined_and_compared_as_whole_ones_are(a, b):
    one, other = Boxed.mask(a), Boxed.mask(b)
    np.testing.assert_array_equal(union([one, other, EMPTY]).full(SHAPE), a | b)
    assert difference(one, other) == Boxed.mask(a ^ b)
    assert (one == other) == np.array_equal(a, b)
    box = joint_box([one, other])
    assert box is None if not (a | b).any() else (a | b)[box].sum() == (a | b).sum()


def test_boxes_apart_have_nothing_in_common():
    apart = overlap((slice(0, 2),) * 3, (slice(2, 4),) * 3)
    assert apart == ((slice(0, 0),) * 3, (slice(0, 0),) * 3)


def test_numbers_of_labels_take_as_many_bytes_as_they_need():
    assert Boxed.labels(np.full((1, 1, 1), 255, np.uint16)).values.dtype == np.uint8
    assert Boxed.labels(np.full((1, 1, 1), 256, np.uint16)).values.dtype == np.uint16
    assert Boxed.labels(np.zeros((1, 1, 1), bool)).values.dtype == np.uint8


def scan_on(matrix, shape=(12, 13, 14)):
    hu = np.random.default_rng(1).integers(-100, 200, shape).astype(np.int16)
    return CTVolume.from_array(hu, matrix, "CT")


@pytest.mark.parametrize("direction", AXIS_ORDERS, ids=str)
def test_a_box_comes_to_the_source_and_back_as_the_whole_grid_does(direction):
    matrix = np.eye(4)
    matrix[:3, :3] = direction * (0.8, 0.9, 2.5)
    ct = scan_on(matrix)
    array = np.zeros(ct.hu.shape, np.uint8)
    array[2:5, 1:9, 3:7] = np.random.default_rng(2).integers(1, 5, (3, 8, 4))
    boxed = Boxed.of(array)
    there = ct.boxed_to_source(boxed)
    np.testing.assert_array_equal(there.full(ct.source.shape), ct.to_source(array))
    assert ct.boxed_from_source(there) == boxed


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("where", [(slice(3, 6), slice(4, 9), slice(5, 9)), (slice(0, 12), slice(0, 4), slice(10, 30))])
def test_of_a_tilted_scan_too_also_at_the_edge(order, where):
    tilt = np.eye(4)
    tilt[1, 2], tilt[0, 1] = 0.371, 0.113  # no voxel lies half-way between two
    ct = scan_on(tilt @ np.diag([0.83, 0.91, 2.47, 1.0]))
    assert ct.resampled
    array = np.zeros(ct.hu.shape, np.float32)
    array[where] = np.random.default_rng(3).random(array[where].shape)
    there = ct.boxed_to_source(Boxed.of(array), order)
    np.testing.assert_allclose(there.full(ct.source.shape), ct.to_source(array, order), atol=1e-5)
    on_source = ct.to_source(array, order)
    back = ct.boxed_from_source(Boxed.of(on_source))
    np.testing.assert_allclose(back.full(ct.hu.shape), ct.from_source(on_source), atol=1e-5)


@pytest.mark.parametrize(
    "matrix", [np.eye(4), np.array([[1, 0.3, 0, 0], [0, 1, 0.4, 0], [0, 0, 2, 0], [0, 0, 0, 1.0]])]
)
def test_nothing_stays_nothing_on_another_grid(matrix):
    assert not scan_on(matrix).boxed_to_source(Boxed.nothing(np.uint8))
