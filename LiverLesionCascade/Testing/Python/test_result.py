"""Results on the source's own grid: where they lie, how a crop's result is moved back, and their files."""

import json
from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.findings import Finding
from LiverLesionCascadeLib.engine.grid.boxed import Boxed
from LiverLesionCascadeLib.engine.grid.geometry import ImageGeometry
from LiverLesionCascadeLib.engine.measures.lesions import label_lesions, measure_lesions
from LiverLesionCascadeLib.engine.model.lesion_filter import LesionFilter
from LiverLesionCascadeLib.engine.results.result import SegmentationResult
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume

AXIS_ORDERS = [
    np.eye(3)[:, list(order)] * signs for order in permutations(range(3)) for signs in product((1.0, -1.0), repeat=3)
]
SPACING = (0.8, 1.1, 2.5)


def matrix_of(direction, spacing=SPACING, origin=(-20.0, 31.0, -7.5)):
    matrix = np.eye(4)
    matrix[:3, :3] = direction * np.asarray(spacing)
    matrix[:3, 3] = origin
    return matrix


def scan(lesions=True):
    """(k, j, i) int16: liver 110, two lesions 60 of different size, away from every symmetry."""
    hu = np.full((22, 24, 26), 20, np.int16)
    hu[4:18, 5:20, 3:22] = 110
    if lesions:
        hu[6:11, 8:12, 6:13] = 60
        hu[13:15, 15:17, 17:19] = 60
    return hu


def on_source(array, matrix, *keep):
    """As the segmenter would make it of a scan by its values, brought back to the scan's grid."""
    ct = CTVolume.from_array(array, matrix, "Größe 1")
    lesion = ct.hu == 60
    liver = (ct.hu == 110) | lesion
    instances = label_lesions(lesion)
    boxes = [Boxed((mask * 0.75).astype(np.float16), (0, 0, 0)) for mask in (liver, lesion)]
    table = measure_lesions(instances, ct.hu, ct.geometry, boxes[1], liver)
    finding = Finding("example", "warning", "An example.")
    result = SegmentationResult.of(
        ct, liver, instances, liver_probability=boxes[0], lesion_probability=boxes[1], table=table, bundle_name="b",
        bundle_version="1.0", preset="fast", device="cpu (fp32)", findings=[finding], timings={"liver pass": 1.5},
    )  # fmt: skip
    return result.on_source(ct, *keep)


@pytest.mark.parametrize("direction", AXIS_ORDERS, ids=lambda d: "".join(f"{n:+.0f}" for n in d.sum(axis=0) * 1))
def test_a_result_overlays_the_source_voxel_for_voxel_whatever_its_axes(direction):
    array, matrix = scan(), matrix_of(direction)
    result = on_source(array, matrix)
    np.testing.assert_array_equal(result.liver.full(array.shape) > 0, array >= 60)
    lesions = result.lesions.full(array.shape)
    np.testing.assert_array_equal(lesions > 0, array == 60)
    assert (lesions[6:11, 8:12, 6:13] == 1).all(), "the larger one is the first"
    np.testing.assert_array_equal(result.grid.ijk_to_lps, matrix)
    assert result.grid.shape == array.shape
    assert not result.liver_probability and not result.lesion_probability


@pytest.mark.parametrize("direction", AXIS_ORDERS[::5], ids=str)
def test_lesions_points_lie_in_space_where_their_voxels_are_on_the_source(direction):
    array, matrix = scan(), matrix_of(direction)
    result = on_source(array, matrix)
    along = int(np.argmax(np.abs(direction[2])))  # the index axis i, j or k that runs between feet and head
    for lesion in result.table:
        positions = np.argwhere(result.lesions.full(array.shape) == lesion.number)
        expected = matrix @ [*positions.mean(axis=0)[::-1], 1]
        np.testing.assert_allclose(lesion.centroid, expected[:3], atol=1e-9)
        low, high = positions.min(axis=0) - 0.5, positions.max(axis=0) + 0.5
        for point in result.grid.from_lps(np.array((*lesion.long_axis_points, *lesion.short_axis_points))):
            assert (point >= low - 1e-6).all() and (point <= high + 1e-6).all()
            assert point[2 - along] == pytest.approx(lesion.slice_in(result.grid))


def test_probabilities_come_along_where_they_are_asked_for():
    array, matrix = scan(), matrix_of(AXIS_ORDERS[13])
    result = on_source(array, matrix, True)
    np.testing.assert_array_equal(result.lesion_probability.full(array.shape), np.where(array == 60, 0.75, 0))
    np.testing.assert_array_equal(result.liver_probability.full(array.shape), np.where(array >= 60, 0.75, 0))
    assert result.lesion_probability.values.dtype == np.float16
    assert result.lesion_probability.values.shape == (9, 9, 13), "only the box that holds something is kept"


def tilted_matrix():
    tilt = np.eye(4)
    tilt[1, 2] = 0.4
    return tilt @ matrix_of(np.eye(3), (2.0, 2.0, 4.0))


def test_probabilities_of_a_tilted_scan_go_over_evenly_and_never_beyond_their_own():
    values = on_source(scan(), tilted_matrix(), True).liver_probability.values.astype(np.float32)
    assert 0 <= values.min() and values.max() <= 0.75
    assert ((values > 0.05) & (values < 0.7)).any(), "between two voxels, not that of the nearest"


def test_the_lesions_volume_is_their_sum_unless_some_have_voxels_in_common():
    result = on_source(scan(), matrix_of(np.eye(3)))
    assert result.lesion_volume_ml == sum(lesion.volume_ml for lesion in result.table) > 0
    assert replace(result, lesions_ml=0.25).lesion_volume_ml == 0.25


def test_a_tilted_scan_keeps_its_slices():
    array, matrix = scan(), tilted_matrix()
    result = on_source(array, matrix)
    found = result.liver.full(array.shape) > 0
    expected = array >= 60
    assert 2 * np.count_nonzero(found & expected) / (found.sum() + expected.sum()) > 0.85
    assert all(0 <= lesion.slice_in(result.grid) < array.shape[0] for lesion in result.table)


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(range(len(AXIS_ORDERS))),
    st.tuples(*[st.integers(0, 3)] * 3),
    st.tuples(*[st.integers(0, 3)] * 3),
)
def test_the_result_of_a_crop_moved_back_is_that_of_the_whole(order, before, after):
    whole, matrix = scan(), matrix_of(AXIS_ORDERS[order])
    box = tuple(slice(b, n - a) for b, a, n in zip(before, after, whole.shape, strict=True))
    crop_matrix = matrix.copy()
    crop_matrix[:3, 3] = (matrix @ [*before[::-1], 1])[:3]
    crop = on_source(whole[box], crop_matrix, True).moved(before, ImageGeometry(whole.shape, matrix))
    full = on_source(whole, matrix, True)
    assert (crop.grid.shape, crop.liver.start) == (full.grid.shape, full.liver.start)
    for name in ("liver", "lesions", "liver_probability", "lesion_probability"):
        np.testing.assert_array_equal(
            getattr(crop, name).full(whole.shape), getattr(full, name).full(whole.shape), err_msg=name
        )
    for ours, other in zip(crop.table, full.table, strict=True):
        assert ours.slice_in(crop.grid) == other.slice_in(full.grid)
        for name in ("centroid", "long_axis_points", "short_axis_points"):
            np.testing.assert_allclose(getattr(ours, name), getattr(other, name), atol=1e-9, err_msg=name)


def test_a_crop_that_does_not_lie_in_the_grid_is_refused():
    result = on_source(scan(), matrix_of(np.eye(3)))
    with pytest.raises(ValueError, match="does not lie within"):
        result.moved((1, 0, 0), result.grid)


@pytest.mark.parametrize("keep", [False, True])
def test_a_result_read_is_the_one_written(tmp_path, keep):
    written = on_source(scan(), matrix_of(AXIS_ORDERS[7]), keep)
    if keep:
        written.lesion_filter = LesionFilter(0.5, 2.0, 0.4)
    folder = tmp_path / "Ergebnis mit Leerzeichen"
    written.write(folder)
    read = SegmentationResult.read(folder)
    for name in ("liver", "lesions", "liver_probability", "lesion_probability"):
        ours, other = getattr(read, name), getattr(written, name)
        assert (type(ours), ours.start, ours.values.dtype) == (type(other), other.start, other.values.dtype)
        np.testing.assert_array_equal(ours.values, other.values)
    np.testing.assert_array_equal(read.grid.ijk_to_lps, written.grid.ijk_to_lps)
    assert read.grid.shape == written.grid.shape
    for name in (
        "name", "table", "liver_volume_ml", "lesion_volume_ml", "bundle_name", "bundle_version", "preset",
        "device", "findings", "timings", "lesion_filter",
    ):  # fmt: skip
        assert getattr(read, name) == getattr(written, name), name


def test_a_result_without_lesions_is_written_and_read(tmp_path):
    on_source(scan(lesions=False), matrix_of(np.eye(3))).write(tmp_path)
    read = SegmentationResult.read(tmp_path)
    assert read.table == []
    assert read.lesions.values.size == 0
    assert not read.lesions.full(read.grid.shape).any()


def test_a_half_written_result_is_told_from_a_whole_one(tmp_path):
    on_source(scan(), matrix_of(np.eye(3))).write(tmp_path)
    (tmp_path / "lesions.npy").write_bytes(b"")
    with pytest.raises((OSError, ValueError)):
        SegmentationResult.read(tmp_path)
    (tmp_path / "result.json").write_text('{"starts": {}}')
    with pytest.raises(ValueError, match="no complete result"):
        SegmentationResult.read(tmp_path)


@pytest.mark.parametrize("shape", [[0, 4, 5], [-1, 4, 5], [1 << 20, 1 << 20, 1 << 20]])
def test_a_result_of_impossible_size_is_refused_before_memory_is_taken(tmp_path, shape):
    on_source(scan(), matrix_of(np.eye(3))).write(tmp_path)
    description = json.loads((tmp_path / "result.json").read_text())
    description["grid"]["shape"] = shape
    (tmp_path / "result.json").write_text(json.dumps(description))
    with pytest.raises(ValueError, match="impossible size"):
        SegmentationResult.read(tmp_path)


@pytest.mark.parametrize(("number", "dtype"), [(255, np.uint8), (256, np.uint16)])
def test_labels_take_one_byte_a_voxel_while_their_numbers_fit(number, dtype):
    labels = np.zeros((3, 4, 5), np.uint16)
    labels[1, 2, 3] = number
    box = Boxed.labels(labels)
    assert (box.values.dtype, box.values.shape, box.start) == (dtype, (1, 1, 1), (1, 2, 3))
    np.testing.assert_array_equal(box.full(labels.shape), labels)
