"""Lesions that have grown together are told apart: balls with and without a neck, any orientation, nothing lost."""

from __future__ import annotations

import itertools
import tracemalloc
from unittest import mock

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.measures import lesion_parts
from LiverLesionCascadeLib.engine.measures.lesion_parts import NECK, LesionParts, separate_lesions
from LiverLesionCascadeLib.engine.measures.lesions import label_lesions
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from scipy import ndimage

SPACING = (2.0, 0.9, 0.8)
SHAPE = (28, 60, 80)

_26 = np.ones((3, 3, 3), bool)


def ball(centre_mm: tuple[float, float, float], radius_mm: float) -> np.ndarray:
    axes = ((np.arange(n) * mm - c) for n, mm, c in zip(SHAPE, SPACING, centre_mm, strict=True))
    return sum(axis**2 for axis in np.ix_(*axes)) <= radius_mm**2


def rod(from_mm: tuple[float, float, float], to_mm: tuple[float, float, float], radius_mm: float) -> np.ndarray:
    points = [np.array(from_mm) * (1 - t) + np.array(to_mm) * t for t in np.linspace(0, 1, 40)]
    return np.logical_or.reduce([ball(tuple(point), radius_mm) for point in points])


LEFT, RIGHT = ball((26, 26, 18), 12), ball((28, 28, 44), 9)
DUMBBELL = LEFT | RIGHT | rod((26, 26, 18), (28, 28, 44), 4)


def blobs(seed: int) -> np.ndarray:
    """Something lobed, branched and ragged."""
    random = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(random.normal(size=(14, 22, 26)), random.uniform(1.0, 2.2))
    return np.pad(noise > np.quantile(noise, random.uniform(0.7, 0.9)), 1)


def test_two_lesions_with_a_neck_between_them_are_told_apart_at_the_neck() -> None:
    parts = separate_lesions(label_lesions(DUMBBELL), SPACING)
    assert parts.max() == 2
    for number, lesion in ((1, LEFT), (2, RIGHT)):
        assert np.count_nonzero((parts == number) & lesion) > 0.97 * np.count_nonzero(lesion)


def test_a_wide_joint_or_a_lobe_is_no_neck() -> None:
    lobed = LEFT | ball((26, 26, 29), 9) | ball((30, 36, 16), 6)
    assert separate_lesions(label_lesions(lobed), SPACING).max() == 1
    assert separate_lesions(label_lesions(LEFT), SPACING).max() == 1


def test_a_crumb_at_a_lesion_is_no_lesion() -> None:
    crumb = LEFT | rod((26, 26, 18), (26, 26, 34), 1.2) | ball((26, 26, 34), 2.5)
    assert separate_lesions(label_lesions(crumb), SPACING).max() == 1
    assert LesionParts.of(crumb, SPACING, smallest_mm=4.0).most == 2, "a person may still cut it off"


def test_numbers_fall_with_the_volume_over_all_lesions() -> None:
    other = ball((40, 10, 8), 7)
    parts = separate_lesions(label_lesions(DUMBBELL | other), SPACING)
    voxels = np.bincount(parts.ravel())[1:]
    assert len(voxels) == 3 and (np.diff(voxels) <= 0).all()
    assert (parts[other] == 3).all() and np.array_equal(parts > 0, DUMBBELL | other)


def test_in_a_large_scan_memory_is_used_for_the_lesions_only() -> None:
    instances = np.zeros((100, 256, 256), np.uint16)
    instances[50:80, 100:140, 100:140] = 1
    tracemalloc.start()
    try:
        parts = separate_lesions(instances, SPACING)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(parts, instances)
    assert peak < 2 * parts.nbytes


def test_missing_numbers_and_an_empty_map_are_taken() -> None:
    instances = np.where(LEFT, 7, 0).astype(np.uint16)
    assert np.array_equal(separate_lesions(instances, SPACING), LEFT)
    assert not separate_lesions(np.zeros(SHAPE, np.uint16), SPACING).any()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(1.0, 1.0, 1.0), (3.0, 0.8, 0.9)]), st.floats(1.0, 5.0))
def test_parts_are_of_the_lesion_alone_connected_nested_and_not_small(
    seed: int, spacing: tuple[float, float, float], smallest: float
) -> None:
    mask = blobs(seed)
    assume(mask.any())
    lesion = LesionParts.of(mask, spacing, smallest)
    assert 1 <= lesion.fewest <= lesion.count() <= lesion.most
    assert lesion.fewest == ndimage.label(mask, _26)[1]
    least = np.pi / 6 * smallest**3 / np.prod(spacing)
    components = ndimage.label(mask, _26)[0]
    sizes = np.bincount(components.ravel())
    coarser = None
    for count in range(lesion.fewest, min(lesion.most, lesion.fewest + 6) + 1):
        parts = lesion.parts(count)
        voxels = np.bincount(parts.ravel())[1:]
        assert parts.max() == count and np.array_equal(parts > 0, mask) and (np.diff(voxels) <= 0).all()
        for number in range(1, count + 1):
            part = parts == number
            assert ndimage.label(part, _26)[1] == 1
            alone = sizes[components[part][0]] == voxels[number - 1]
            assert alone or voxels[number - 1] >= least * (1 - 1e-9)
            assert coarser is None or len(np.unique(coarser[part])) == 1
        coarser = parts


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.permutations([0, 1, 2]), st.tuples(*[st.booleans()] * 3))
def test_the_result_is_the_same_in_any_orientation_of_the_scan(
    seed: int, axes: list[int], flips: tuple[bool, bool, bool]
) -> None:
    mask = blobs(seed)
    matrix = np.diag([0.8, 0.9, 2.0, 1.0])
    flipped = [axis for axis in range(3) if flips[axis]]
    # The same voxels in the same places of the world, stored in another order.
    there = np.flip(mask.transpose(axes), flipped)
    turned = np.eye(4)
    first = np.zeros(3)
    for target, source in enumerate(axes):
        turned[:3, 2 - target] = matrix[:3, 2 - source] * (-1 if flips[target] else 1)
        if flips[target]:
            first += matrix[:3, 2 - source] * (mask.shape[source] - 1)
    turned[:3, 3] = first
    found = []
    for array, place in ((mask, matrix), (there, turned)):
        ct = CTVolume.from_array(np.where(array, 40, 100).astype(np.int16), place)
        instances = label_lesions(ct.from_source(array.astype(np.uint8)) > 0)
        with mock.patch.object(lesion_parts, "SMALLEST_PART_MM", 3.0):
            found.append(ct.to_source(separate_lesions(instances, ct.spacing)))
    assert np.array_equal(np.flip(found[0].transpose(axes), flipped), found[1])


@pytest.mark.parametrize("flipped", [axes for n in (1, 2, 3) for axes in itertools.combinations(range(3), n)])
def test_a_mirrored_patient_has_mirrored_parts(flipped: tuple[int, ...]) -> None:
    # Without even the axial order; ties between voxels of exactly mirrored lesions aside.
    lesion = DUMBBELL | ball((27, 36, 50), 7.3)
    parts = LesionParts.of(lesion, SPACING).parts(3)
    mirrored = LesionParts.of(np.flip(lesion, flipped), SPACING).parts(3)
    assert np.count_nonzero(np.flip(mirrored, flipped) != parts) <= 0.002 * np.count_nonzero(lesion)


def test_an_empty_lesion_is_refused() -> None:
    with pytest.raises(ValueError, match="without a voxel"):
        LesionParts.of(np.zeros((2, 3, 4), bool), SPACING)


def test_a_lesion_that_fills_its_box_is_one() -> None:
    lesion = LesionParts.of(np.ones((6, 9, 11), bool), SPACING)
    assert lesion.fewest == lesion.count(NECK) == 1
