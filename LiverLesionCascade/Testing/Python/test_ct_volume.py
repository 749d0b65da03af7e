"""CTVolume: any grid in, axial order inside, the source's grid out."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from LiverLesionCascadeLib.engine.findings import edges_touched, liver_findings
from LiverLesionCascadeLib.engine.grid import resampling
from LiverLesionCascadeLib.engine.grid.geometry import ImageGeometry
from LiverLesionCascadeLib.engine.scan.ct_volume import AIR_HU, CTVolume

SIGNED_PERMUTATIONS = [
    (np.eye(3)[:, list(order)] * signs)
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1.0, -1.0), repeat=3)
]
SHAPE = (4, 5, 6)
AXIAL = np.diag([0.7, 0.8, 2.0, 1.0])

orientations = st.sampled_from(SIGNED_PERMUTATIONS)
spacings = st.tuples(*[st.floats(0.3, 6)] * 3)
origins = st.tuples(*[st.floats(-500, 500)] * 3)
shapes = st.tuples(*[st.integers(2, 7)] * 3)


def scan(shape: tuple[int, int, int] = SHAPE, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-1000, 1000, shape).astype(np.int16)


def rotation(degrees: float, axis: int) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    a, b = [n for n in range(3) if n != axis]
    matrix = np.eye(3)
    matrix[a, a] = matrix[b, b] = c
    matrix[a, b], matrix[b, a] = -s, s
    return matrix


def codes(findings) -> set[str]:
    return {finding.code for finding in findings}


@pytest.mark.parametrize(("degrees", "axis"), [(10, 0), (30, 2)])
def test_beyond_the_source_a_resampled_scan_is_air_that_was_not_looked_at(degrees, axis):
    matrix = AXIAL.copy()
    matrix[:3, :3] = rotation(degrees, axis) @ matrix[:3, :3]
    ct = CTVolume.from_array(np.abs(scan((9, 20, 24))), matrix)
    beyond = ct.beyond()
    np.testing.assert_array_equal(beyond, ct.from_source(np.ones(ct.source.shape, np.uint8)) == 0)
    assert 0 < beyond.mean() < 0.7
    assert (ct.hu[beyond] == AIR_HU).all() and (ct.hu[~beyond] >= 0).all()
    assert CTVolume.from_array(scan(), AXIAL).beyond() is None


@settings(deadline=None)
@given(direction=orientations, spacing=spacings, origin=origins, shape=shapes, data=st.data())
def test_to_source_undoes_from_source_for_every_orientation(direction, spacing, origin, shape, data) -> None:
    geometry = ImageGeometry.from_axes(shape, spacing, origin, direction)
    ct = CTVolume.from_array(scan(shape), geometry.ijk_to_lps)
    labels = data.draw(hnp.arrays(np.uint8, shape))
    assert not ct.resampled
    np.testing.assert_array_equal(ct.to_source(ct.from_source(labels)), labels)
    np.testing.assert_array_equal(ct.to_source(ct.hu), scan(shape))


@settings(deadline=None)
@given(direction=orientations, spacing=spacings, origin=origins, shape=shapes, data=st.data())
def test_a_marked_voxel_keeps_its_place_in_the_world(direction, spacing, origin, shape, data) -> None:
    geometry = ImageGeometry.from_axes(shape, spacing, origin, direction)
    array = np.full(shape, -1000, np.int16)
    marked = tuple(data.draw(st.integers(0, n - 1)) for n in shape)
    array[marked] = 500
    ct = CTVolume.from_array(array, geometry.ijk_to_lps)
    found = np.argwhere(ct.hu == 500)
    assert len(found) == 1
    np.testing.assert_allclose(ct.geometry.to_lps(found[0]), geometry.to_lps(np.array(marked)), atol=1e-9)


@pytest.mark.parametrize("direction", SIGNED_PERMUTATIONS)
def test_axes_run_to_head_back_and_left(direction) -> None:
    geometry = ImageGeometry.from_axes(SHAPE, (1, 1, 1), direction=direction)
    places = geometry.to_lps(np.stack(np.indices(SHAPE), axis=-1))
    for world, axis in ((2, 0), (1, 1), (0, 2)):
        ct = CTVolume.from_array(np.rint(places[..., world] * 50).astype(np.int16), geometry.ijk_to_lps)
        assert (np.diff(ct.hu, axis=axis) == 50).all()
        assert ct.spacing == pytest.approx(ct.geometry.spacing[::-1])


@settings(max_examples=30, deadline=None)
@given(direction=orientations, axis=st.integers(0, 2), degrees=st.floats(-0.057, 0.057))
def test_rounded_direction_cosines_are_not_resampled(direction, axis, degrees) -> None:
    geometry = ImageGeometry.from_axes(SHAPE, (0.7, 0.8, 2), (1, 2, 3), rotation(degrees, axis) @ direction)
    ct = CTVolume.from_array(scan(), geometry.ijk_to_lps)
    assert not ct.resampled
    assert not ct.notes
    np.testing.assert_array_equal(ct.to_source(ct.hu), scan())
    centre = (np.array(SHAPE) - 1) / 2
    middle = (np.array(ct.hu.shape) - 1) / 2
    np.testing.assert_allclose(ct.geometry.to_lps(middle), geometry.to_lps(centre), atol=1e-9)


def ball_scan(geometry: ImageGeometry, centre: np.ndarray, radius: float) -> np.ndarray:
    places = geometry.to_lps(np.stack(np.indices(geometry.shape), axis=-1))
    inside = np.linalg.norm(places - centre, axis=-1) < radius
    return np.where(inside, 100, -100).astype(np.int16)


def assert_ball_kept(geometry: ImageGeometry) -> None:
    """In axial order, and back on the source's grid, a ball has its centre and volume."""
    centre = geometry.to_lps((np.array(geometry.shape) - 1) / 2)
    array = ball_scan(geometry, centre, 12.0)
    ct = CTVolume.from_array(array, geometry.ijk_to_lps)
    assert ct.resampled
    assert codes(ct.notes) == {"resampled"}
    np.testing.assert_array_equal(ct.geometry.direction, np.eye(3))
    volume = 4 / 3 * np.pi * 12**3 / 1000
    for mask, grid in ((ct.hu > 0, ct.geometry), (ct.to_source(ct.hu > 0), geometry)):
        np.testing.assert_allclose(grid.to_lps(np.argwhere(mask)).mean(axis=0), centre, atol=0.5)
        assert mask.sum() * grid.voxel_volume_ml == pytest.approx(volume, rel=0.05)
    back = ct.to_source(ct.hu > 0)
    assert back.dtype == bool
    truth = array > 0
    assert 2 * (back & truth).sum() / (back.sum() + truth.sum()) > 0.94
    # outside the source there is air, inside there is none
    assert ct.hu.min() == AIR_HU
    assert ct.to_source(ct.hu != AIR_HU)[1:-1, 1:-1, 1:-1].all()


@settings(max_examples=25, deadline=None)
@given(direction=orientations, axis=st.integers(0, 2), degrees=st.sampled_from([15.0, -15.0, 7.0]))
def test_a_ball_in_an_oblique_scan_keeps_its_centre_and_volume(direction, axis, degrees) -> None:
    spacing = (1.1, 0.9, 1.5)
    assert_ball_kept(
        ImageGeometry.from_axes((26, 44, 36), spacing, (-50, 20, 700), rotation(degrees, axis) @ direction)
    )


@settings(max_examples=15, deadline=None)
@given(tilt=st.floats(2, 25), sign=st.sampled_from([1.0, -1.0]), flip=st.sampled_from([1.0, -1.0]))
def test_a_ball_under_a_gantry_tilt_keeps_its_centre_and_volume(tilt, sign, flip) -> None:
    t = np.radians(tilt * sign)
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([[1, 0, 0], [0, np.cos(t), 0], [0, -np.sin(t), flip]]) * (1.0, 1.0, 1.5)
    matrix[:3, 3] = (-30, 40, -500)
    assert_ball_kept(ImageGeometry((30, 44, 40), matrix))


def test_probabilities_return_by_linear_interpolation_and_labels_by_nearest() -> None:
    geometry = ImageGeometry.from_axes((20, 30, 30), (1, 1, 1), direction=rotation(15, 0))
    ct = CTVolume.from_array(scan((20, 30, 30)), geometry.ijk_to_lps)
    ramp = np.broadcast_to(np.linspace(0, 1, ct.hu.shape[0], dtype=np.float32)[:, None, None], ct.hu.shape)
    expected = ct.geometry.from_lps(geometry.to_lps(np.stack(np.indices((20, 30, 30)), axis=-1)))[..., 0]
    expected = np.clip(expected, 0, ct.hu.shape[0] - 1) / (ct.hu.shape[0] - 1)
    np.testing.assert_allclose(ct.to_source(ramp, order=1), expected, atol=1e-5)
    labels = np.where(ramp > 0.5, 7, 3).astype(np.uint16)
    assert set(np.unique(ct.to_source(labels))) == {3, 7}
    assert ct.to_source(labels).dtype == np.uint16
    assert ct.to_source(ramp.astype(np.float16), order=1).dtype == np.float16


def test_resampled_hu_are_rounded_not_cut_off() -> None:
    geometry = ImageGeometry.from_axes((20, 30, 30), (1, 1, 1), direction=rotation(15, 0))
    array = np.random.default_rng(0).integers(-200, 0, (20, 30, 30)).astype(np.int16)
    rounded = CTVolume.from_array(array, geometry.ijk_to_lps).hu
    exact = CTVolume.from_array(array + np.float32(0.25), geometry.ijk_to_lps).hu - 0.25
    inside = exact > AIR_HU + 1
    assert rounded.dtype == np.int16
    assert np.abs(rounded[inside] - exact[inside]).max() <= 0.501


def test_a_scan_too_large_for_one_slab_is_resampled_alike(monkeypatch) -> None:
    geometry = ImageGeometry.from_axes((20, 30, 30), (1, 1, 1), direction=rotation(15, 0))
    whole = CTVolume.from_array(scan((20, 30, 30)), geometry.ijk_to_lps)
    monkeypatch.setattr(resampling, "_SLAB_VOXELS", 7 * whole.hu[0].size)
    slabs = CTVolume.from_array(scan((20, 30, 30)), geometry.ijk_to_lps)
    np.testing.assert_array_equal(slabs.hu, whole.hu)
    np.testing.assert_array_equal(slabs.to_source(slabs.hu > 0), whole.to_source(whole.hu > 0))


def test_int16_in_axial_order_is_not_copied_and_cannot_be_written_through() -> None:
    array = scan()
    ct = CTVolume.from_array(array, AXIAL)
    assert np.shares_memory(ct.hu, array)
    with pytest.raises(ValueError, match="read-only"):
        ct.hu[0, 0, 0] = 0
    array[0, 0, 0] = 0  # the source's own array stays writable
    assert not np.shares_memory(ct.to_source(ct.hu), array)


@pytest.mark.parametrize("dtype", ["<i2", ">i2", "<i4", "<u2", "<f4", ">f4", "<f8", "<i8"])
def test_whole_numbers_of_any_type_become_int16(dtype) -> None:
    array = np.clip(scan(), 0, None).astype(dtype)
    ct = CTVolume.from_array(array, AXIAL)
    assert ct.hu.dtype == np.int16
    assert ct.hu.dtype.isnative
    np.testing.assert_array_equal(ct.hu, array)


def test_fractions_and_large_values_stay_float32() -> None:
    for array in (scan() + 0.5, scan().astype(np.float64) * 100):
        ct = CTVolume.from_array(array, AXIAL)
        assert ct.hu.dtype == np.float32
        np.testing.assert_array_equal(ct.hu, array.astype(np.float32))


@pytest.mark.parametrize("add", [lambda a: a[None], lambda a: a[..., None]])
def test_a_fourth_axis_of_length_one_is_dropped(add) -> None:
    np.testing.assert_array_equal(CTVolume.from_array(add(scan()), AXIAL).hu, scan())


def test_arrays_of_another_grid_are_not_accepted() -> None:
    ct = CTVolume.from_array(scan(), np.diag([-1.0, 1, 2, 1]) @ np.eye(4)[:, [2, 1, 0, 3]])
    assert ct.hu.shape == (6, 5, 4)
    with pytest.raises(ValueError, match="grid of hu"):
        ct.to_source(np.zeros(SHAPE))
    with pytest.raises(ValueError, match="source's grid"):
        ct.from_source(np.zeros((6, 5, 4)))


def phantom(shape=(40, 64, 64), seed=0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    _, y, x = np.indices(shape)
    radius = np.hypot(y / shape[1] - 0.5, x / shape[2] - 0.5)
    hu = np.where(radius < 0.3, 80, np.where(radius < 0.4, -100, -1000)) + rng.normal(0, 15, shape)
    return np.rint(hu).astype(np.int16)


def check(array, spacing=(5.5, 5.5, 3.0)):
    return CTVolume.from_array(array, np.diag([*spacing, 1.0])).check()


def test_an_ordinary_ct_has_no_findings() -> None:
    large = np.repeat(np.repeat(phantom(), 6, axis=1), 6, axis=2)
    assert check(large, (0.9, 0.9, 3.0)) == []


@pytest.mark.parametrize(("low", "high"), [(-160, 240), (-40, 160), (0, 160), (0, 255), (-150, 250)])
def test_clipped_hu_are_a_warning_not_a_refusal(low, high) -> None:
    ct = CTVolume.from_array(np.clip(phantom(), low, high).astype(np.float32), AXIAL)
    ct.require_ct_like()
    assert [f.severity for f in ct.check() if f.code == "clipped_hu"] == ["warning"]


def test_a_crop_with_much_bone_but_no_air_is_accepted() -> None:
    rng = np.random.default_rng(0)
    array = np.where(rng.random((24, 40, 40)) < 0.12, 900, rng.normal(60, 20, (24, 40, 40)))
    array = np.where(rng.random(array.shape) < 0.1, -90, array)
    CTVolume.from_array(np.rint(array).astype(np.int16), AXIAL).require_ct_like()


@pytest.mark.parametrize(
    ("array", "spacing", "code"),
    [
        (phantom((30, 64, 64)), (5, 5, 7.5), "thick_slices"),
        (phantom((8, 64, 64)), (5, 5, 3), "few_slices"),
        (phantom((30, 64, 64)), (5, 5, 2), "short_scan"),
        (phantom(), (1.4, 1.4, 3), "small_field_of_view"),
        (phantom(), (5, 5, 3), "unusual_pixel_size"),
        (phantom(), (0.9, 1.4, 3), "unusual_pixel_size"),
    ],
)
def test_what_is_unusual_is_said(array, spacing, code) -> None:
    finding = next(f for f in check(array, spacing) if f.code == code)
    assert finding.severity == "warning"
    assert finding.message.endswith(".")
    assert ". " in finding.message  # what it is, then what to do


def test_slices_of_5_mm_are_not_called_thick() -> None:
    assert "thick_slices" not in codes(check(phantom(), (5, 5, 5.0)))


def test_liver_findings() -> None:
    assert codes(liver_findings(0, None)) == {"no_liver"}
    assert not codes(liver_findings(1500, 110))
    assert codes(liver_findings(1500, 50)) == {"non_contrast"}
    assert codes(liver_findings(300, 110)) == {"small_liver"}
    assert codes(liver_findings(300, 110, cut_by=("top",))) == {"liver_cut"}
    assert codes(liver_findings(5000, 110)) == {"large_liver"}


def test_edges_are_named_as_the_patient_has_them() -> None:
    mask = np.zeros((6, 8, 10), bool)
    mask[2:4, 2:6, 3:7] = True
    assert edges_touched(mask) == ()
    mask[3:, :, :4] = True
    assert edges_touched(mask) == ("top", "front", "back", "right")


def test_importing_the_volume_modules_is_light() -> None:
    program = (
        "import sys, time; t = time.perf_counter();"
        "import LiverLesionCascadeLib.engine.scan.image_io, LiverLesionCascadeLib.engine.scan.dicom.dicom_io;"
        "import LiverLesionCascadeLib.engine.scan.dicom.dicom_series;"
        "bad = {'torch', 'SimpleITK', 'pydicom', 'slicer', 'vtk', 'qt'} & set(sys.modules);"
        "sys.exit(f'imports {bad}' if bad else 0)"
    )
    import LiverLesionCascadeLib

    root = str(next(iter(LiverLesionCascadeLib.__path__))) + "/.."
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
