"""Axial diameters: analytic ellipses, brute force on the outline, symmetry, and shapes that break naive code."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from LiverLesionCascadeLib.engine.measures import diameters
from LiverLesionCascadeLib.engine.measures.diameters import Diameters, axial_diameters, convex_hull, outline_pieces
from scipy import ndimage

spacings = st.tuples(st.floats(0.4, 1.6), st.floats(0.4, 1.6))
planes = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=8))
volumes = arrays(bool, array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=6))


def edge_middles(plane: np.ndarray) -> list[tuple[float, float]]:
    """Middles of the pixel edges between inside and outside, (row, column)."""
    found = []
    for r, c in np.argwhere(plane):
        for dr, dc in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            y, x = r + dr, c + dc
            if not (0 <= y < plane.shape[0] and 0 <= x < plane.shape[1] and plane[y, x]):
                found.append((r + dr / 2, c + dc / 2))
    return found


def longest_outside(
    plane: np.ndarray, start: tuple[float, float], end: tuple[float, float], spacing: tuple[float, float]
) -> float:
    """Longest stretch in mm of a line (row, column) in pixels that are not in the plane, by dense sampling."""
    samples = 997  # a prime: no sample on the border of two pixels
    share = (np.arange(samples) + 0.5) / samples
    rows, columns = (np.rint(a + share * (b - a)).astype(int) + 1 for a, b in zip(start, end, strict=True))
    # Along the border of two pixels the line is inside where one of them is.
    inside = np.zeros(samples, bool)
    for dr in (0,) if start[0] != end[0] or start[0] % 1 == 0 else (0, -1, 1):
        for dc in (0,) if start[1] != end[1] or start[1] % 1 == 0 else (0, -1, 1):
            near = (abs(rows + dr - 1 - (start[0] + share * (end[0] - start[0]))) <= 0.5) & (
                abs(columns + dc - 1 - (start[1] + share * (end[1] - start[1]))) <= 0.5
            )
            inside |= near & np.pad(plane, 2)[rows + dr + 1, columns + dc + 1]
    run = longest = 0
    for each in inside:
        run = 0 if each else run + 1
        longest = max(longest, run)
    return longest / samples * math.hypot((end[0] - start[0]) * spacing[0], (end[1] - start[1]) * spacing[1])


def brute_force_long_axis(mask: np.ndarray, spacing: tuple[float, float], slack: float) -> float:
    """Largest distance of two edge middles of one part of one slice, over all pairs whose line leaves the part by one
    pixel and `slack` mm at most."""
    longest = 0.0
    for plane in mask:
        labels, count = ndimage.label(plane, structure=np.ones((3, 3)))
        for number in range(1, count + 1):
            points = edge_middles(labels == number)
            shape = ndimage.binary_fill_holes(labels == number)
            for index, (y0, x0) in enumerate(points):
                for y1, x1 in points[:index]:
                    length = math.hypot((y0 - y1) * spacing[0], (x0 - x1) * spacing[1])
                    if length > longest and (
                        longest_outside(shape, (y0, x0), (y1, x1), spacing) <= max(spacing) + slack
                    ):
                        longest = length
    return longest


def part_with(plane: np.ndarray, points: tuple) -> np.ndarray:
    """The part on whose outline the two points lie: several parts may have a long axis of the same length."""
    labels, count = ndimage.label(plane, structure=np.ones((3, 3)))
    ends = {point[1:] for point in points}
    (number,) = (n for n in range(1, count + 1) if ends <= set(edge_middles(labels == n)))
    return labels == number


def length(points: tuple, spacing: tuple[float, float]) -> float:
    (_, r0, c0), (_, r1, c1) = points
    return math.hypot((r1 - r0) * spacing[0], (c1 - c0) * spacing[1])


def direction(points: tuple, spacing: tuple[float, float]) -> np.ndarray:
    (_, r0, c0), (_, r1, c1) = points
    vector = np.array([(r1 - r0) * spacing[0], (c1 - c0) * spacing[1]])
    return vector / np.linalg.norm(vector)


def ellipsoid(
    half_axes: tuple[float, float, float],
    angle: float,
    spacing: tuple[float, float, float],
    centre_offset: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> np.ndarray:
    """Voxels with their centre in an ellipsoid: half axes (slice, first, second) mm, the latter turned by an angle."""
    reach = max(half_axes)
    counts = [math.ceil(reach / s) + 2 for s in spacing]
    z, y, x = ((np.arange(-n, n + 1) - o) * s for n, o, s in zip(counts, centre_offset, spacing, strict=True))
    z, y, x = np.meshgrid(z, y, x, indexing="ij")
    first = np.cos(angle) * x + np.sin(angle) * y
    second = -np.sin(angle) * x + np.cos(angle) * y
    return (z / half_axes[0]) ** 2 + (first / half_axes[1]) ** 2 + (second / half_axes[2]) ** 2 <= 1.0


def same_lengths(a: Diameters, b: Diameters) -> bool:
    return a.long_mm == pytest.approx(b.long_mm, rel=1e-9) and a.short_mm == pytest.approx(b.short_mm, rel=1e-7)


@settings(max_examples=150, deadline=None)
@given(
    st.floats(3.0, 20.0),
    st.floats(0.3, 0.95),
    st.floats(0.0, math.pi),
    spacings,
    st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)),
)
def test_a_turned_ellipse_has_its_analytic_diameters_within_one_voxel(
    half_long: float, ratio: float, angle: float, spacing: tuple[float, float], offset: tuple[float, float]
) -> None:
    mask = ellipsoid((1.0, half_long, half_long * ratio), angle, (5.0, *spacing), (0.0, *offset))
    assume(half_long * ratio > 2.5 * max(spacing))
    voxel = math.hypot(*spacing)
    found = axial_diameters(mask, spacing)
    assert found.long_mm == pytest.approx(2 * half_long, abs=voxel)
    # The short axis also turns with the long axis of the digitised outline.
    assert found.short_mm == pytest.approx(2 * half_long * ratio, abs=1.25 * voxel)


@settings(max_examples=25, deadline=None)
@given(st.floats(6.0, 10.0), st.floats(0.5, 0.9), st.floats(0.0, math.pi), st.floats(1.5, 4.0))
def test_an_ellipsoid_is_measured_in_the_slice_through_its_centre(
    half_long: float, ratio: float, angle: float, slice_mm: float
) -> None:
    spacing = (slice_mm, 0.7, 0.9)
    mask = ellipsoid((half_long * 1.2, half_long, half_long * ratio), angle, spacing)
    voxel = math.hypot(*spacing[1:])
    found = axial_diameters(mask, spacing[1:])
    assert found.long_mm == pytest.approx(2 * half_long, abs=voxel)
    # The short axis also turns with the long axis of the digitised outline.
    assert found.short_mm == pytest.approx(2 * half_long * ratio, abs=1.25 * voxel)
    areas = mask.sum(axis=(1, 2))
    assert areas[found.slice_index] >= 0.8 * areas.max()


@settings(deadline=None)
@given(volumes, spacings)
def test_the_long_axis_is_the_longest_line_that_stays_in_its_part(
    mask: np.ndarray, spacing: tuple[float, float]
) -> None:
    assume(mask.any())
    found = axial_diameters(mask, spacing).long_mm
    # Sampling knows the stretches outside to a hundredth of a pixel only.
    slack = 0.05 * min(spacing)
    assert found >= brute_force_long_axis(mask, spacing, -slack) * (1 - 1e-9)
    assert found <= brute_force_long_axis(mask, spacing, slack) * (1 + 1e-9)


@settings(deadline=None)
@given(planes, spacings)
def test_the_axes_have_the_given_ends_and_are_perpendicular(plane: np.ndarray, spacing: tuple[float, float]) -> None:
    assume(plane.any())
    found = axial_diameters(plane[None], spacing)
    assert length(found.long_points, spacing) == pytest.approx(found.long_mm, rel=1e-9)
    assert length(found.short_points, spacing) == pytest.approx(found.short_mm, rel=1e-7, abs=1e-9)
    assert 0 < found.short_mm <= found.long_mm * (1 + 1e-9)
    assert abs(direction(found.long_points, spacing) @ direction(found.short_points, spacing)) < 1e-6


TWO_PARTS_OF_ONE_LENGTH = np.zeros((7, 3), bool)
TWO_PARTS_OF_ONE_LENGTH[[0, 1, 5, 5, 6], [0, 1, 0, 1, 0]] = True


@settings(deadline=None, max_examples=60)
@given(planes, spacings)
@example(TWO_PARTS_OF_ONE_LENGTH, (1.0, 1.5))
@example(TWO_PARTS_OF_ONE_LENGTH, (1.0, 1.0))
def test_the_short_axis_is_the_longest_inner_line_that_dense_sampling_finds(
    plane: np.ndarray, spacing: tuple[float, float]
) -> None:
    assume(plane.any())
    found = axial_diameters(plane[None], spacing)
    shape = ndimage.binary_fill_holes(part_with(plane, found.long_points))
    along = direction(found.long_points, spacing)
    across = np.array([along[1], -along[0]])
    pieces = outline_pieces(shape) / 2.0 * np.array(spacing)
    positions = pieces @ along
    longest = 0.0
    for at in np.linspace(positions.min(), positions.max(), 400)[1:-1]:
        crossed = (positions.min(axis=1) < at) & (at <= positions.max(axis=1)) & (np.ptp(positions, axis=1) > 0)
        share = (at - positions[crossed, 0]) / (positions[crossed, 1] - positions[crossed, 0])
        points = pieces[crossed, 0] + share[:, None] * (pieces[crossed, 1] - pieces[crossed, 0])
        heights = np.sort(points @ across)
        assert len(heights) % 2 == 0
        if len(heights):
            longest = max(longest, float((heights[1::2] - heights[::2]).max()))
    # Other long axes of the same length may have a longer perpendicular, but the one that was taken has none.
    assert found.short_mm >= longest - 1e-9
    assert found.short_mm <= longest + 0.1 * max(spacing)


@settings(deadline=None)
@given(planes, spacings, st.integers(0, 3), st.booleans())
def test_turning_by_quarters_and_mirroring_do_not_change_the_diameters(
    plane: np.ndarray, spacing: tuple[float, float], quarters: int, mirrored: bool
) -> None:
    assume(plane.any())
    turned = np.rot90(plane[:, ::-1] if mirrored else plane, quarters)
    turned_spacing = spacing[::-1] if quarters % 2 else spacing
    assert same_lengths(axial_diameters(plane[None], spacing), axial_diameters(turned[None], turned_spacing))


@settings(deadline=None)
@given(volumes, spacings, st.tuples(*[st.integers(0, 4)] * 3))
@example(np.array([[[True, True, False, False, True, True]]]), (1.0, 0.40234375), (0, 0, 1))
def test_moving_a_lesion_moves_its_axes_and_keeps_their_length(
    mask: np.ndarray, spacing: tuple[float, float], shift: tuple[int, int, int]
) -> None:
    assume(mask.any())
    moved = np.pad(mask, [(s, 1) for s in shift])
    before, after = axial_diameters(mask, spacing), axial_diameters(moved, spacing)
    assert same_lengths(before, after)
    assert after.slice_index == before.slice_index + shift[0]
    assert np.allclose(np.array(after.long_points) - before.long_points, shift)
    assert np.allclose(np.array(after.short_points) - before.short_points, shift)


def test_one_voxel_is_as_long_and_wide_as_a_pixel() -> None:
    found = axial_diameters(np.ones((1, 1, 1), dtype=bool), (0.7, 1.2))
    assert found.long_mm == pytest.approx(1.2)
    assert found.short_mm == pytest.approx(0.7)
    assert sorted(found.long_points) == [(0.0, 0.0, -0.5), (0.0, 0.0, 0.5)]


@pytest.mark.parametrize("shape", [(1, 1, 9), (1, 9, 1)])
def test_a_lesion_of_one_row_or_column_is_as_long_as_its_pixels(shape: tuple[int, int, int]) -> None:
    spacing = (0.5, 0.8)
    found = axial_diameters(np.ones(shape, dtype=bool), spacing)
    along, across = (spacing[1], spacing[0]) if shape[2] == 9 else spacing
    assert found.long_mm == pytest.approx(9 * along)
    assert found.short_mm == pytest.approx(across)


def test_a_diagonal_line_of_pixels_is_one_part() -> None:
    found = axial_diameters(np.eye(6, dtype=bool)[None], (1.0, 1.0))
    # From the left edge of the first pixel to the right edge of the last.
    assert found.long_mm == pytest.approx(math.hypot(5, 6))


def test_no_diameter_crosses_the_tissue_between_two_parts_in_a_slice() -> None:
    mask = np.zeros((1, 5, 30), dtype=bool)
    mask[0, 2, 2:8] = True
    mask[0, 2, 20:24] = True
    assert axial_diameters(mask, (1.0, 1.0)).long_mm == pytest.approx(6.0)


def test_both_axes_of_a_crescent_stay_inside_it() -> None:
    y, x = np.mgrid[0:32, -31:32]
    crescent = (x**2 + y**2 <= 30**2) & (x**2 + y**2 >= 24**2)
    found = axial_diameters(crescent[None], (1.0, 1.0))
    # Past the inner circle: 2 sqrt(30^2 - 24^2). Calipers would measure 60 across the hollow.
    assert found.long_mm == pytest.approx(36, abs=2)
    ends = [point[1:] for point in found.long_points]
    assert longest_outside(crescent, *ends, (1.0, 1.0)) <= 1.0
    # In the arms, which are 19 high.
    assert found.short_mm == pytest.approx(19, abs=1)


def open_ring(size: int) -> np.ndarray:
    """A frayed body wall that is open at the back: its longest line is none of its hull."""
    y, x = (np.indices((size, size)) - size / 2 + 0.5) / size * 2
    radius = np.hypot(y, x * 0.8)
    noise = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=(size, size)), 0.6)
    ring = (radius < 0.85) & (radius > 0.7) & ~((abs(x) < 0.1) & (y < 0)) & (noise > -noise.std())
    labels, _ = ndimage.label(ring, structure=np.ones((3, 3)))
    plane: np.ndarray = labels == np.argmax(np.bincount(labels.ravel())[1:]) + 1
    return plane


def test_what_a_very_long_outline_needs_does_not_grow_with_its_square() -> None:
    plane = open_ring(384)
    corners = len(np.unique(outline_pieces(ndimage.binary_fill_holes(plane)).reshape(-1, 2), axis=0))
    tracemalloc.start()
    try:
        found = axial_diameters(plane[None], (0.75, 0.75))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert corners > 3000
    assert peak < 8 * corners**2  # one array of all pairs; with every corner as an end there were several
    ends = [point[1:] for point in found.long_points]
    assert longest_outside(ndimage.binary_fill_holes(plane), *ends, (0.75, 0.75)) <= 0.75 + 0.2
    assert found.long_mm == pytest.approx(length(found.long_points, (0.75, 0.75)))
    assert 0 < found.short_mm <= found.long_mm


def test_the_short_axis_of_a_very_long_outline_does_not_compare_every_piece_with_every_strip() -> None:
    pieces = outline_pieces(ndimage.binary_fill_holes(open_ring(384)))
    tracemalloc.start()
    try:
        diameters._longest_perpendicular(pieces, pieces[0, 0], pieces[-1, 0], np.array([0.4, 0.4]))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.5 * len(pieces) ** 2


def test_with_a_part_of_the_corners_the_long_axis_is_little_shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    plane = open_ring(96)
    exact = axial_diameters(plane[None], (1.0, 1.0)).long_mm
    monkeypatch.setattr(diameters, "_MOST_CORNERS", 150)
    found = axial_diameters(plane[None], (1.0, 1.0))
    assert 0.9 * exact < found.long_mm < exact
    ends = [point[1:] for point in found.long_points]
    assert longest_outside(ndimage.binary_fill_holes(plane), *ends, (1.0, 1.0)) <= 1.0 + 0.02


def test_where_no_pair_of_the_tried_corners_will_do_there_is_an_axis_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diameters, "_MOST_CORNERS", 2)
    plane = np.pad(np.zeros((3, 3), bool), 1, constant_values=True)
    plane[0, 1] = False
    found = axial_diameters(plane[None], (1.0, 1.0))
    assert found.long_mm == pytest.approx(math.hypot(0.5, 0.5))  # a piece of the outline
    assert found.short_mm > 0


@pytest.mark.parametrize(("crack", "longest", "shortest"), [(1, 22.0, 21.0), (2, 13.0, 10.0)])
def test_the_long_axis_crosses_a_crack_of_one_pixel_but_no_notch(crack: int, longest: float, shortest: float) -> None:
    mask = np.zeros((1, 5, 20 + crack), dtype=bool)
    mask[0, :3] = True
    mask[0, :3, 10 : 10 + crack] = False
    # A bridge that no straight line through both halves comes near.
    mask[0, 3:, [9, 10 + crack]] = True
    mask[0, 4, 9 : 11 + crack] = True
    assert shortest <= axial_diameters(mask, (1.0, 1.0)).long_mm <= longest


def test_holes_do_not_interrupt_the_short_axis() -> None:
    mask = np.ones((1, 9, 15), dtype=bool)
    whole = axial_diameters(mask, (1.0, 1.0))
    mask[0, 3:6, 3:12] = False
    assert same_lengths(axial_diameters(mask, (1.0, 1.0)), whole)


def test_of_equal_slices_the_lowest_is_named() -> None:
    assert axial_diameters(np.ones((4, 3, 7), dtype=bool), (1.0, 1.0)).slice_index == 0


def test_of_slices_with_equal_long_axes_the_one_with_the_longer_short_axis_is_named() -> None:
    mask = np.zeros((2, 9, 9), dtype=bool)
    mask[0, 4, :] = True
    mask[1, 4, :] = True
    mask[1, 3:6, 3:6] = True
    found = axial_diameters(mask, (1.0, 1.0))
    assert found.slice_index == 1
    assert found.long_mm == pytest.approx(9.0)
    assert found.short_mm == pytest.approx(3.0)


def test_an_empty_lesion_is_refused() -> None:
    with pytest.raises(ValueError, match="without a voxel"):
        axial_diameters(np.zeros((2, 3, 4), dtype=bool), (1.0, 1.0))


points = st.lists(st.tuples(st.integers(-6, 6), st.integers(-6, 6)), min_size=1, max_size=20)


@settings(deadline=None)
@given(points)
def test_all_points_lie_on_or_inside_their_convex_hull_and_its_corners_are_points(
    cloud: list[tuple[int, int]],
) -> None:
    hull = convex_hull(np.array(cloud))
    assert {tuple(p) for p in hull.tolist()} <= set(cloud)
    if len(hull) >= 3:
        for (ay, ax), (by, bx) in zip(hull, np.roll(hull, -1, axis=0), strict=True):
            sides = [(by - ay) * (x - ax) - (bx - ax) * (y - ay) for y, x in cloud]
            assert min(sides) >= 0
    else:
        spread = np.array(cloud) - cloud[0]
        assert np.linalg.matrix_rank(spread) <= 1
        assert {tuple(p) for p in hull.tolist()} == {min(cloud), max(cloud)}
