"""Image files in and out."""

import gzip
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from LiverLesionCascadeLib.engine.errors import InputError, OutputError
from LiverLesionCascadeLib.engine.grid.geometry import ImageGeometry
from LiverLesionCascadeLib.engine.scan.image_io import read_image, read_input, read_labels, write_image

SHAPE = (5, 6, 7)
DIRECTION = np.array([[0, 0, -1], [1, 0, 0], [0, -1, 0]], float)
GEOMETRY = ImageGeometry.from_axes(SHAPE, (0.7, 0.8, 2.5), (-120.5, 33.25, 900.125), DIRECTION)
SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")


def scan(shape=SHAPE, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-1000, 1000, shape).astype(np.int16)


def nifti_file(path: Path, array: np.ndarray, order: str = "<", **fields) -> Path:
    """A NIfTI file made by hand; fields: slope, intercept, qform, sform (code), srow (3, 4), pixdim."""
    code = {"i2": 4, "f4": 16, "u2": 512}[array.dtype.str[1:]]
    dim = (array.ndim, *array.shape[::-1], *[1] * (7 - array.ndim))
    pixdim = (1.0, *fields.get("pixdim", (0.7, 0.8, 2.5)), *[1.0] * 4)
    srow = np.asarray(fields.get("srow", np.diag([-0.7, -0.8, 2.5, 1])[:3]), float).ravel()
    slope, intercept = fields.get("slope", 1.0), fields.get("intercept", 0.0)
    header = bytearray(352)
    struct.pack_into(order + "i", header, 0, 348)
    struct.pack_into(order + "8h", header, 40, *dim)
    struct.pack_into(order + "hh", header, 70, code, 8 * array.dtype.itemsize)
    struct.pack_into(order + "8f", header, 76, *pixdim)
    struct.pack_into(order + "3f", header, 108, 352, slope, intercept)
    header[123] = 2  # mm
    struct.pack_into(order + "hh", header, 252, fields.get("qform", 0), fields.get("sform", 1))
    struct.pack_into(order + "12f", header, 280, *srow)
    header[344:348] = b"n+1\0"
    data = bytes(header) + array.astype(array.dtype.newbyteorder(order)).tobytes()
    path.write_bytes(gzip.compress(data) if path.name.endswith(".gz") else data)
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_read_back_with_its_place(tmp_path, suffix) -> None:
    path = tmp_path / f"scan{suffix}"
    write_image(path, scan(), GEOMETRY)
    ct = read_image(path)
    assert ct.source.matches(GEOMETRY, 1e-4)
    np.testing.assert_array_equal(ct.to_source(ct.hu), scan())
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_paths_with_spaces_and_umlauts_work(tmp_path, suffix) -> None:
    folder = tmp_path / "Müller, Jörg – Läsion 1"
    folder.mkdir()
    path = folder / f"größe 2,5 mm{suffix}"
    write_image(path, scan(), GEOMETRY)
    np.testing.assert_array_equal(read_image(path).to_source(read_image(path).hu), scan())


@pytest.mark.parametrize("suffix", (".nrrd", ".mha"))
def test_a_sheared_grid_survives_in_formats_that_hold_it(tmp_path, suffix) -> None:
    matrix = GEOMETRY.ijk_to_lps.copy()
    matrix[:3, 2] += 0.5 * matrix[:3, 1]
    sheared = ImageGeometry(SHAPE, matrix)
    write_image(tmp_path / f"a{suffix}", scan(), sheared)
    ct = read_image(tmp_path / f"a{suffix}")
    assert ct.resampled
    assert ct.source.matches(sheared, 1e-4)


def test_a_sheared_grid_is_not_straightened_into_nifti(tmp_path) -> None:
    matrix = GEOMETRY.ijk_to_lps.copy()
    matrix[:3, 2] += 0.5 * matrix[:3, 1]
    with pytest.raises(OutputError, match=r"\.nrrd"):
        write_image(tmp_path / "a.nii.gz", scan(), ImageGeometry(SHAPE, matrix))
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("qform", [0, 1])
def test_a_sheared_nifti_is_resampled_as_its_sform_says(tmp_path, qform) -> None:
    ras = np.diag([-0.7, -0.8, 2.5, 1.0])
    ras[1, 2] = 0.9
    path = nifti_file(tmp_path / "tilted.nii.gz", scan(), srow=ras[:3], qform=qform)
    ct = read_image(path)
    assert ct.resampled
    np.testing.assert_allclose(ct.source.ijk_to_lps, np.diag([-1, -1, 1, 1]) @ ras, atol=1e-6)


@pytest.mark.parametrize("order", ["<", ">"])
def test_nifti_of_either_byte_order_reads_as_itk_reads_it(tmp_path, order) -> None:
    path = nifti_file(tmp_path / "a.nii", scan(), order, slope=2.0, intercept=-24.0)
    ct = read_image(path)
    image = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(ct.to_source(ct.hu), sitk.GetArrayFromImage(image))
    np.testing.assert_array_equal(ct.to_source(ct.hu), scan() * 2.0 - 24.0)
    np.testing.assert_allclose(ct.source.spacing, image.GetSpacing())


@pytest.mark.parametrize("slope", [0.0, float("nan"), 1.0])
def test_a_nifti_slope_of_zero_means_no_scaling(tmp_path, slope) -> None:
    path = nifti_file(tmp_path / "a.nii", scan(), slope=slope, intercept=0.0)
    ct = read_image(path)
    np.testing.assert_array_equal(ct.to_source(ct.hu), scan())


def test_a_nifti_with_one_time_point_is_a_volume(tmp_path) -> None:
    path = nifti_file(tmp_path / "a.nii.gz", scan()[None])
    np.testing.assert_array_equal(read_image(path).to_source(read_image(path).hu), scan())


def test_a_4d_nrrd_with_one_volume_is_a_volume(tmp_path) -> None:
    sitk.WriteImage(sitk.GetImageFromArray(scan()[None], isVector=False), str(tmp_path / "a.nrrd"))
    np.testing.assert_array_equal(read_image(tmp_path / "a.nrrd").hu, scan())


def test_mhd_with_its_raw_file_is_read(tmp_path) -> None:
    sitk.WriteImage(sitk.GetImageFromArray(scan()), str(tmp_path / "a.mhd"))
    np.testing.assert_array_equal(read_image(tmp_path / "a.mhd").hu, scan())


def test_read_input_takes_one_file(tmp_path) -> None:
    array = scan((12, 20, 20))
    write_image(tmp_path / "a.nrrd", array, ImageGeometry.from_axes(array.shape, (1, 1, 3)))
    np.testing.assert_array_equal(read_input([tmp_path / "a.nrrd"]).hu, array)


def test_masks_and_probabilities_are_written_in_types_that_every_program_reads(tmp_path) -> None:
    write_image(tmp_path / "m.nrrd", scan() > 0, GEOMETRY)
    assert sitk.ReadImage(str(tmp_path / "m.nrrd")).GetPixelID() == sitk.sitkUInt8
    write_image(tmp_path / "p.nrrd", np.full(SHAPE, 0.5, np.float16), GEOMETRY)
    assert sitk.ReadImage(str(tmp_path / "p.nrrd")).GetPixelID() == sitk.sitkFloat32


def test_a_failed_write_leaves_an_older_file_and_nothing_else(tmp_path, monkeypatch) -> None:
    path = tmp_path / "a.nrrd"
    write_image(path, scan(), GEOMETRY)
    before = path.read_bytes()

    def fail(image, name, *rest):
        Path(name).write_bytes(b"half")
        raise RuntimeError("disk full")

    monkeypatch.setattr(sitk, "WriteImage", fail)
    with pytest.raises(OutputError, match="disk full"):
        write_image(path, scan(seed=1), GEOMETRY)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.nrrd"]


def test_an_interrupted_write_leaves_nothing(tmp_path, monkeypatch) -> None:
    def interrupt(image, name, *rest):
        Path(name).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(sitk, "WriteImage", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_image(tmp_path / "a.nrrd", scan(), GEOMETRY)
    assert not os.listdir(tmp_path)


def test_labels_are_read_on_the_scans_grid(tmp_path) -> None:
    labels = np.random.default_rng(0).integers(0, 3, SHAPE)
    write_image(tmp_path / "l.nii.gz", labels.astype(np.float32), GEOMETRY)
    read = read_labels(tmp_path / "l.nii.gz", GEOMETRY)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, labels)
    write_image(tmp_path / "m.nrrd", (labels * 300).astype(np.uint16), GEOMETRY)
    assert read_labels(tmp_path / "m.nrrd", GEOMETRY).max() == 600


@pytest.mark.parametrize(
    ("array", "geometry", "words"),
    [
        (np.zeros(SHAPE, np.uint8), ImageGeometry.from_axes(SHAPE, (1, 1, 1)), "not on the scan's grid"),
        (np.zeros((5, 6, 8), np.uint8), ImageGeometry.from_axes((5, 6, 8), (1, 1, 1)), "sizes differ"),
        (np.full(SHAPE, 0.5, np.float32), GEOMETRY, "no labels"),
        (np.full(SHAPE, -1, np.int16), GEOMETRY, "no labels"),
        (np.full(SHAPE, np.nan, np.float32), GEOMETRY, "no labels"),
    ],
)
def test_what_is_no_label_map_of_the_scan_is_refused(tmp_path, array, geometry, words) -> None:
    write_image(tmp_path / "l.nrrd", array, geometry)
    with pytest.raises(InputError, match=words):
        read_labels(tmp_path / "l.nrrd", GEOMETRY)
