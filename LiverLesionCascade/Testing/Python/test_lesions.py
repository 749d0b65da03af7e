"""Lesion instances and their measures, against direct computation on the whole grid."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from LiverLesionCascadeLib.engine.grid.boxed import Boxed
from LiverLesionCascadeLib.engine.grid.geometry import ImageGeometry
from LiverLesionCascadeLib.engine.measures.diameters import axial_diameters
from LiverLesionCascadeLib.engine.measures.lesions import (
    Lesion,
    border,
    label_lesions,
    measure_lesion,
    measure_lesions,
)
from LiverLesionCascadeLib.engine.measures.segment_measures import SourceMeasures
from scipy import ndimage

SPACING = (2.5, 0.7, 0.9)  # slice, row, column
masks = arrays(bool, array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=7))


def geometry_of(array: np.ndarray) -> ImageGeometry:
    return ImageGeometry.from_axes(array.shape, SPACING[::-1], origin=(-100.0, 40.0, 7.0))


def random_hu(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).integers(-100, 200, shape).astype(np.int16)


def measure_in(liver: np.ndarray, lesion: np.ndarray, hu: np.ndarray, geometry: ImageGeometry) -> Lesion:
    (found,) = measure_lesions(lesion.astype(np.uint8), hu, geometry, liver=liver)
    return found


def sphere(shape: tuple[int, int, int], centre: tuple[int, int, int], radius: float) -> np.ndarray:
    squared = sum((axis - c) ** 2 for axis, c in zip(np.ogrid[tuple(slice(n) for n in shape)], centre, strict=True))
    return squared <= radius**2


def brute_force_distance(mask: np.ndarray, liver: np.ndarray) -> float | None:
    """Over all pairs of a lesion voxel and a liver voxel that has a face neighbour outside of the liver."""
    outside = np.zeros_like(liver)
    for z, y, x in np.argwhere(liver):
        for dz, dy, dx in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)):
            at = (z + dz, y + dy, x + dx)
            if all(0 <= v < n for v, n in zip(at, liver.shape, strict=True)) and not liver[at]:
                outside[z, y, x] = True
    if not outside.any():
        return None
    if (mask & ~liver).any():
        return 0.0
    pairs = (np.argwhere(mask)[:, None, :] - np.argwhere(outside)[None]) * np.array(SPACING)
    return float(np.sqrt((pairs**2).sum(axis=2)).min())


@settings(deadline=None)
@given(masks)
def test_instances_are_the_26_connected_components_by_falling_volume(mask: np.ndarray) -> None:
    instances = label_lesions(mask)
    labels, count = ndimage.label(mask, structure=np.ones((3, 3, 3)))
    assert instances.dtype == np.uint16
    assert np.array_equal(instances > 0, mask)
    assert instances.max(initial=0) == count
    assert len(np.unique(np.stack([labels[mask], instances[mask]]), axis=1).T) == count
    sizes = np.bincount(instances.ravel(), minlength=count + 1)[1:]
    assert (np.diff(sizes) <= 0).all()


def test_voxels_that_meet_at_a_corner_are_one_lesion() -> None:
    mask = np.zeros((4, 4, 4), dtype=bool)
    mask[1, 1, 1] = mask[2, 2, 2] = True
    assert label_lesions(mask).max() == 1


def test_of_lesions_of_equal_volume_the_first_in_the_array_comes_first() -> None:
    mask = np.zeros((1, 1, 9), dtype=bool)
    mask[0, 0, [1, 4, 7]] = True
    assert label_lesions(mask)[0, 0].tolist() == [0, 1, 0, 0, 2, 0, 0, 3, 0]


def test_beyond_what_uint16_can_number_the_smallest_lesions_are_left_out() -> None:
    mask = np.zeros((3, 1, 2 * 65_540), dtype=bool)
    mask[1, 0, ::2] = True
    mask[0, 0, -2] = True  # the last lesion has two voxels
    instances = label_lesions(mask)
    assert instances.max() == 65_535
    assert instances[1, 0, -2] == instances[0, 0, -2] == 1
    assert np.count_nonzero(mask & (instances == 0)) == 65_540 - 65_535


@settings(deadline=None)
@given(masks, st.data())
def test_every_measure_is_that_of_the_lesions_voxels(mask: np.ndarray, data: st.DataObject) -> None:
    liver = data.draw(arrays(bool, mask.shape)) | data.draw(st.sampled_from([mask, np.zeros_like(mask)]))
    hu, geometry = random_hu(mask.shape), geometry_of(mask)
    probability = np.random.default_rng(1).random(mask.shape).astype(np.float16)
    instances = label_lesions(mask)
    lesions = measure_lesions(instances, hu, geometry, Boxed(probability, (0, 0, 0)), liver)
    assert [lesion.number for lesion in lesions] == list(range(1, instances.max(initial=0) + 1))
    for lesion in lesions:
        own = instances == lesion.number
        where = np.argwhere(own)
        assert lesion.voxels == len(where)
        assert lesion.volume_ml == pytest.approx(len(where) * math.prod(SPACING) / 1000)
        assert lesion.mean_hu == pytest.approx(hu[own].mean())
        assert lesion.sd_hu == pytest.approx(hu[own].std(ddof=1) if len(where) > 1 else 0.0)
        assert lesion.confidence == pytest.approx(probability[own].astype(float).mean())
        z, y, x = where.mean(axis=0)
        assert lesion.centroid == pytest.approx((x * SPACING[2] - 100, y * SPACING[1] + 40, z * SPACING[0] + 7))
        expected = axial_diameters(own, SPACING[1:])
        assert lesion.long_axis_mm == pytest.approx(expected.long_mm)
        assert lesion.short_axis_mm == pytest.approx(expected.short_mm)
        assert lesion.slice_in(geometry) == expected.slice_index
        assert np.allclose(lesion.long_axis_points, geometry.to_lps(np.array(expected.long_points)))
        assert np.allclose(lesion.short_axis_points, geometry.to_lps(np.array(expected.short_points)))
        distance = brute_force_distance(own, liver)
        assert lesion.distance_to_liver_surface_mm == (None if distance is None else pytest.approx(distance))


def test_a_lesion_deep_in_the_liver_is_as_far_from_its_surface_as_all_pairs_say() -> None:
    shape = (30, 60, 60)
    liver = sphere(shape, (15, 30, 30), 14)
    for centre, radius in (((15, 30, 30), 3), ((12, 33, 26), 4), ((15, 30, 21), 2.5)):
        lesion = sphere(shape, centre, radius)
        found = measure_in(liver, lesion, random_hu(shape), geometry_of(liver))
        assert found.distance_to_liver_surface_mm == pytest.approx(brute_force_distance(lesion, liver))
        assert found.distance_to_liver_surface_mm > 0


def test_a_lesion_that_touches_or_crosses_the_surface_has_distance_zero() -> None:
    shape = (6, 20, 20)
    liver = np.zeros(shape, dtype=bool)
    liver[:, 5:15, 5:15] = True
    touching, crossing = np.zeros_like(liver), np.zeros_like(liver)
    touching[2, 5, 10] = True
    crossing[2, 3:8, 10] = True
    for lesion in (touching, crossing):
        found = measure_in(liver, lesion, random_hu(shape), geometry_of(liver))
        assert found.distance_to_liver_surface_mm == 0.0


def test_the_edge_of_the_image_is_no_liver_surface() -> None:
    shape = (6, 20, 20)
    liver = np.ones(shape, dtype=bool)
    lesion = np.zeros(shape, dtype=bool)
    lesion[2, 0, 0] = True
    geometry = geometry_of(liver)
    assert measure_in(liver, lesion, random_hu(shape), geometry).distance_to_liver_surface_mm is None
    liver[:, :, 15:] = False
    found = measure_in(liver, lesion, random_hu(shape), geometry)
    assert found.distance_to_liver_surface_mm == pytest.approx(14 * SPACING[2])


@settings(deadline=None)
@given(masks)
def test_the_border_is_what_erosion_by_faces_removes(mask: np.ndarray) -> None:
    assert np.array_equal(border(mask), mask & ~ndimage.binary_erosion(mask, border_value=1))


def test_without_liver_and_probability_their_measures_are_unknown_not_zero() -> None:
    mask = np.ones((2, 3, 4), dtype=bool)
    found = measure_lesion(mask, random_hu(mask.shape), geometry_of(mask))
    assert found.confidence is None
    assert found.distance_to_liver_surface_mm is None


def test_a_lesion_of_one_voxel_has_the_size_of_a_voxel_and_no_spread() -> None:
    mask = np.zeros((3, 4, 5), dtype=bool)
    mask[1, 2, 3] = True
    found = measure_lesion(mask, np.full(mask.shape, 42, np.int16), geometry_of(mask))
    assert (found.mean_hu, found.sd_hu, found.voxels) == (42.0, 0.0, 1)
    assert (found.long_axis_mm, found.short_axis_mm) == pytest.approx((SPACING[2], SPACING[1]))
    assert found.centroid == pytest.approx(geometry_of(mask).to_lps(np.array((1.0, 2.0, 3.0))))


def test_a_digital_sphere_has_the_volume_and_diameter_of_a_sphere() -> None:
    shape = (40, 40, 40)
    mask = sphere(shape, (20, 20, 20), 12)
    geometry = ImageGeometry.from_axes(shape, (1.0, 1.0, 1.0))
    found = measure_lesion(mask, random_hu(shape), geometry)
    assert found.volume_ml == pytest.approx(4 / 3 * math.pi * 12**3 / 1000, rel=0.02)
    assert found.equivalent_diameter_mm == pytest.approx(24, rel=0.01)
    assert found.long_axis_mm == pytest.approx(24, abs=1)
    assert found.short_axis_mm == pytest.approx(24, abs=1)
    assert found.slice_in(geometry) == 20


@settings(deadline=None)
@given(masks, st.data())
def test_probabilities_of_a_box_count_as_those_of_the_whole_grid(mask: np.ndarray, data: st.DataObject) -> None:
    assume(mask.any())
    start = tuple(data.draw(st.integers(0, n - 1)) for n in mask.shape)
    stop = tuple(data.draw(st.integers(s + 1, n)) for s, n in zip(start, mask.shape, strict=True))
    box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    whole = np.zeros(mask.shape, np.float32)
    whole[box] = np.random.default_rng(2).random(whole[box].shape)
    boxed = Boxed(whole[box], start)
    hu, geometry = random_hu(mask.shape), geometry_of(mask)
    expected = whole[mask].mean(dtype=np.float64)
    assert measure_lesion(mask, hu, geometry, boxed).confidence == pytest.approx(expected)


def test_numbers_that_are_missing_after_an_edit_are_skipped_and_the_others_kept() -> None:
    instances = np.zeros((2, 6, 6), dtype=np.uint16)
    instances[0, 1, 1] = 2
    instances[1, 4, 2:5] = 7
    lesions = measure_lesions(instances, random_hu(instances.shape), geometry_of(instances))
    assert [(lesion.number, lesion.voxels) for lesion in lesions] == [(2, 1), (7, 3)]


def test_one_lesion_is_measured_alone_as_among_others() -> None:
    shape = (20, 40, 40)
    mask = sphere(shape, (8, 12, 12), 5) | sphere(shape, (12, 28, 28), 4)
    hu, geometry = random_hu(shape), geometry_of(mask)
    instances = label_lesions(mask)
    together = measure_lesions(instances, hu, geometry)
    assert len(together) == 2
    for lesion in together:
        own = instances == lesion.number
        assert replace(measure_lesion(own, hu, geometry), number=lesion.number) == lesion


def test_no_lesions_give_an_empty_list() -> None:
    mask = np.zeros((3, 4, 5), dtype=bool)
    assert label_lesions(mask).max() == 0
    assert measure_lesions(label_lesions(mask), random_hu(mask.shape), geometry_of(mask)) == []


def test_an_empty_lesion_and_arrays_of_two_grids_are_refused() -> None:
    mask = np.zeros((3, 4, 5), dtype=bool)
    with pytest.raises(ValueError, match="without a voxel"):
        measure_lesion(mask, random_hu(mask.shape), geometry_of(mask))
    with pytest.raises(ValueError, match="not on one grid"):
        measure_lesions(mask.astype(np.uint16), random_hu((3, 4, 6)), geometry_of(mask))
    with pytest.raises(ValueError, match="not on one grid"):
        measure_lesion(mask, random_hu((3, 4, 6)), geometry_of(mask))


def test_what_the_scan_did_not_look_at_is_no_outside_of_the_liver():
    shape = (12, 12, 12)
    liver, lesion, beyond = (np.zeros(shape, bool) for _ in range(3))
    liver[2:9, 1:11, 1:11] = lesion[6:8, 5:7, 5:7] = True
    beyond[9:] = True
    geometry = geometry_of(liver)
    given = lesion.astype(np.uint8), np.zeros(shape, np.int16), geometry, None, liver
    assert measure_lesions(*given)[0].distance_to_liver_surface_mm == pytest.approx(geometry.spacing[2])
    sideways = 4 * min(geometry.spacing[:2])
    assert measure_lesions(*given, beyond)[0].distance_to_liver_surface_mm == pytest.approx(sideways)
    assert measure_lesions(*given, ~liver)[0].distance_to_liver_surface_mm is None
    with pytest.raises(ValueError, match="not on one grid"):
        measure_lesions(*given, beyond[1:])


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("side", ["before", "behind"])
def test_a_lesion_that_reaches_out_of_the_livers_box_touches_the_surface(axis, side):
    shape = (14, 14, 14)
    measures = SourceMeasures(np.zeros(shape, np.int16), ImageGeometry(shape, np.eye(4)))
    measures.set_liver(Boxed(np.ones((6, 6, 6), bool), (4, 4, 4)))
    inner = np.ones((2, 2, 2), bool)
    assert measures.distance_mm(Boxed(inner, (6, 6, 6))) == 2.0
    start = [6, 6, 6]
    start[axis] = 2 if side == "before" else 10
    assert measures.distance_mm(Boxed(inner, tuple(start))) == 0.0


@pytest.mark.parametrize("start", [(0, 0, 0), (2, 3, 1), (4, 4, 4)])
def test_the_distance_in_a_box_of_the_liver_is_that_in_the_whole_image(start):
    shape = (12, 12, 12)
    liver, lesion = np.zeros(shape, bool), np.zeros(shape, bool)
    liver[tuple(slice(n, n + 8) for n in start)] = True
    place = tuple(n + 3 for n in start)
    lesion[tuple(slice(n, n + 2) for n in place)] = True
    geometry = ImageGeometry(shape, np.diag([1.0, 1.5, 2.5, 1.0]))
    measures = SourceMeasures(np.zeros(shape, np.int16), geometry)
    measures.set_liver(Boxed(np.ones((8, 8, 8), bool), start))
    whole = measure_in(liver, lesion, np.zeros(shape, np.int16), geometry)
    assert measures.distance_mm(Boxed(np.ones((2, 2, 2), bool), place)) == whole.distance_to_liver_surface_mm
