"""Grids in space: orders, directions and checks."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.errors import InvalidVolumeError
from LiverLesionCascadeLib.engine.grid.geometry import (
    ImageGeometry,
    aligned_axial_geometry,
    axial_order,
    covering_axial_geometry,
    is_axis_aligned,
    tilt_degrees,
)

SHAPE = (4, 5, 6)
SIGNED_PERMUTATIONS = [
    (np.eye(3)[:, list(order)] * signs)
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1.0, -1.0), repeat=3)
]


def rotation(degrees: float, axis: int = 0) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    a, b = [n for n in range(3) if n != axis]
    matrix = np.eye(3)
    matrix[a, a] = matrix[b, b] = c
    matrix[a, b], matrix[b, a] = -s, s
    return matrix


def test_there_are_48_orientations() -> None:
    assert len({tuple(m.ravel() + 0.0) for m in SIGNED_PERMUTATIONS}) == 48


def test_spacing_origin_direction_come_back_from_the_matrix() -> None:
    direction = rotation(20, 1)
    geometry = ImageGeometry.from_axes(SHAPE, (0.7, 0.8, 2.5), (1, -2, 3), direction)
    np.testing.assert_allclose(geometry.spacing, (0.7, 0.8, 2.5))
    np.testing.assert_allclose(geometry.origin, (1, -2, 3))
    np.testing.assert_allclose(geometry.direction, direction)
    assert geometry.voxel_volume_ml == pytest.approx(0.7 * 0.8 * 2.5 / 1000)
    np.testing.assert_allclose(geometry.extent_mm, (6 * 0.7, 5 * 0.8, 4 * 2.5))


def test_voxel_volume_of_a_sheared_grid_is_that_of_its_parallelepiped() -> None:
    matrix = np.diag([1.0, 1.0, 2.0, 1.0])
    matrix[1, 2] = 0.5
    assert ImageGeometry(SHAPE, matrix).voxel_volume_ml == pytest.approx(2.0 / 1000)


@settings(deadline=None)
@given(
    direction=st.sampled_from(SIGNED_PERMUTATIONS),
    point=st.tuples(*[st.floats(-50, 50)] * 3),
    spacing=st.tuples(*[st.floats(0.2, 6)] * 3),
)
def test_positions_survive_the_way_to_lps_and_back(direction, point, spacing) -> None:
    geometry = ImageGeometry.from_axes(SHAPE, spacing, (10, -20, 30), direction @ rotation(12))
    np.testing.assert_allclose(geometry.from_lps(geometry.to_lps(np.array(point))), point, atol=1e-9)


@settings(deadline=None)
@given(direction=st.sampled_from(SIGNED_PERMUTATIONS))
def test_axial_order_is_undone_exactly(direction) -> None:
    array = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    order = axial_order(ImageGeometry.from_axes(SHAPE, (1, 1, 1), direction=direction))
    np.testing.assert_array_equal(order.undo(order.apply(array)), array)


@settings(deadline=None)
@given(
    direction=st.sampled_from(SIGNED_PERMUTATIONS),
    spacing=st.tuples(*[st.floats(0.2, 6)] * 3),
    origin=st.tuples(*[st.floats(-500, 500)] * 3),
)
def test_every_voxel_keeps_its_place_in_axial_order(direction, spacing, origin) -> None:
    source = ImageGeometry.from_axes(SHAPE, spacing, origin, direction)
    axial = aligned_axial_geometry(source)
    np.testing.assert_array_equal(axial.direction, np.eye(3))
    places = source.to_lps(np.stack(np.indices(SHAPE), axis=-1))
    order = axial_order(source)
    moved = np.stack([order.apply(places[..., n]) for n in range(3)], axis=-1)
    np.testing.assert_allclose(axial.to_lps(np.stack(np.indices(axial.shape), axis=-1)), moved, atol=1e-9)


def test_rounding_of_a_header_counts_as_aligned_and_a_tilt_does_not() -> None:
    assert is_axis_aligned(ImageGeometry.from_axes(SHAPE, (1, 1, 1), direction=rotation(0.05)))
    assert not is_axis_aligned(ImageGeometry.from_axes(SHAPE, (1, 1, 1), direction=rotation(0.1)))
    assert tilt_degrees(ImageGeometry.from_axes(SHAPE, (1, 1, 1), direction=rotation(15))) == pytest.approx(15)


@settings(max_examples=30, deadline=None)
@given(
    direction=st.sampled_from(SIGNED_PERMUTATIONS),
    degrees=st.floats(-40, 40),
    axis=st.integers(0, 2),
    shear=st.floats(-0.4, 0.4),
)
def test_the_axial_grid_of_an_oblique_scan_covers_all_of_it(direction, degrees, axis, shear) -> None:
    matrix = ImageGeometry.from_axes(SHAPE, (0.7, 0.9, 3), (5, 6, 7), rotation(degrees, axis) @ direction).ijk_to_lps
    matrix = matrix.copy()
    matrix[:3, 2] += shear * matrix[:3, 1]
    source = ImageGeometry(SHAPE, matrix)
    cover = covering_axial_geometry(source)
    places = cover.from_lps(source.to_lps(np.stack(np.indices(SHAPE), axis=-1)))
    assert places.min() >= -0.5
    assert (places <= np.array(cover.shape) - 0.5).all()


def test_in_plane_spacing_of_an_oblique_scan_is_kept() -> None:
    source = ImageGeometry.from_axes(SHAPE, (0.7, 0.9, 3), direction=rotation(15))
    np.testing.assert_allclose(covering_axial_geometry(source).spacing, (0.7, 0.9, 3))


def test_slice_spacing_of_a_gantry_tilt_is_measured_along_the_normal() -> None:
    tilt = np.radians(20)
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([[1, 0, 0], [0, np.cos(tilt), 0], [0, -np.sin(tilt), 1]]) * (0.7, 0.7, 5)
    cover = covering_axial_geometry(ImageGeometry(SHAPE, matrix))
    np.testing.assert_allclose(cover.spacing, (0.7, 0.7, 5 * np.cos(tilt)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.__setitem__((slice(0, 3), 1), 0), "voxel of"),
        (lambda m: m.__setitem__((slice(0, 3), 1), m[:3, 0]), "singular"),
        (lambda m: m.__setitem__((0, 0), np.nan), "finite"),
        (lambda m: m.__setitem__((2, 2), 1e6), "voxel of"),
        (lambda m: m.__setitem__((3, 3), 2), "finite"),
    ],
)
def test_impossible_geometry_is_refused(change, words) -> None:
    matrix = np.diag([0.7, 0.7, 2.0, 1.0])
    change(matrix)
    with pytest.raises(InvalidVolumeError, match=words):
        ImageGeometry(SHAPE, matrix).validate()


def test_geometry_cannot_be_changed_behind_its_back() -> None:
    matrix = np.eye(4)
    geometry = ImageGeometry(SHAPE, matrix)
    matrix[0, 0] = 5
    assert geometry.spacing == (1, 1, 1)
    with pytest.raises(ValueError, match="read-only"):
        geometry.ijk_to_lps[0, 0] = 5


def test_matches_tells_grids_apart() -> None:
    one = ImageGeometry.from_axes(SHAPE, (1, 1, 2))
    assert one.matches(ImageGeometry.from_axes(SHAPE, (1, 1, 2), (0.01, 0, 0)))
    assert not one.matches(ImageGeometry.from_axes(SHAPE, (1, 1, 2), (0.1, 0, 0)))
    assert not one.matches(ImageGeometry.from_axes(SHAPE, (1, 1, 2.1)))
    assert not one.matches(ImageGeometry.from_axes((5, 5, 6), (1, 1, 2)))
