"""What is no CT that can be segmented gives one clear line with the remedy, and leaves nothing behind."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from fixtures.dicom_files import body_phantom, write_series, write_slice
from LiverLesionCascadeLib.engine.errors import CascadeError, InputError, InvalidVolumeError, OutputError
from LiverLesionCascadeLib.engine.grid.geometry import ImageGeometry
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from LiverLesionCascadeLib.engine.scan.image_io import read_input, write_image
from pydicom.uid import MRImageStorage, SecondaryCaptureImageStorage

STORED = body_phantom()
HU = STORED.astype(np.int16) - 1024
AXIAL = np.diag([0.8, 0.8, 2.0, 1.0])
REMEDIES = tuple("Load Correct Export Extract Replace Give Copy Check Choose Create Save".split())


def refused(call, *arguments, error=InvalidVolumeError) -> str:
    """The message of the refusal: one line, a sentence on what is wrong and one on what to do."""
    with pytest.raises(CascadeError) as caught:
        call(*arguments)
    assert isinstance(caught.value, error)
    message = str(caught.value)
    assert "\n" not in message
    assert any(f"{remedy} " in message for remedy in REMEDIES), message
    assert len(message) < 400
    return message


def save(path: Path, array: np.ndarray, spacing=(0.8, 0.8, 2.0), vector=False) -> Path:
    image = sitk.GetImageFromArray(array, isVector=vector)
    image.SetSpacing([*spacing, 1.0, 1.0][: image.GetDimension()])
    sitk.WriteImage(image, str(path))
    return path


def nrrd(path: Path, directions: str, data: bytes | None = None) -> Path:
    k, j, i = HU.shape
    header = (
        f"NRRD0004\ntype: short\ndimension: 3\nsizes: {i} {j} {k}\nspace: left-posterior-superior\n"
        f"space directions: {directions}\nspace origin: (0,0,0)\nendian: little\nencoding: raw\n\n"
    )
    path.write_bytes(header.encode() + (HU.astype("<i2").tobytes() if data is None else data))
    return path


# voxels


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_voxel_that_is_no_finite_number(value, tmp_path) -> None:
    array = HU.astype(np.float32)
    array[3, 4, 5] = value
    assert "1 voxels that are not finite" in refused(CTVolume.from_array, array, AXIAL)
    message = refused(read_input, [save(tmp_path / "scan.nii.gz", array)])
    assert "scan.nii.gz" in message


@pytest.mark.parametrize("value", [-1024, 0, 50])
def test_a_constant_volume(value) -> None:
    assert "empty" in refused(CTVolume.from_array, np.full((8, 9, 9), value, np.int16), AXIAL)


def test_only_air(tmp_path) -> None:
    array = np.random.default_rng(0).normal(-1000, 20, (20, 30, 30)).astype(np.int16)
    assert "only air" in refused(CTVolume.from_array, array, AXIAL)
    assert "only air" in refused(read_input, [save(tmp_path / "air.nrrd", array)])


def test_rescale_applied_twice() -> None:
    assert "rescale" in refused(CTVolume.from_array, HU - 1024, AXIAL)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, bool])
def test_an_8_bit_picture_or_mask(dtype) -> None:
    assert "8-bit" in refused(CTVolume.from_array, (HU > 0).astype(dtype), AXIAL)


def test_8_bit_files_are_refused_by_each_reader(tmp_path) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (8, 9, 9)).astype(np.uint8)
    for name in ("a.nii.gz", "a.nrrd", "a.mha"):
        assert name in refused(read_input, [save(tmp_path / name, picture)])


def test_a_colour_volume(tmp_path) -> None:
    colour = np.random.default_rng(0).integers(0, 255, (8, 9, 9, 3)).astype(np.uint8)
    assert "colour" in refused(CTVolume.from_array, colour, AXIAL)
    for name in ("a.nii.gz", "a.nrrd", "a.mha"):
        assert "colour" in refused(read_input, [save(tmp_path / name, colour, vector=True)])


def test_complex_values() -> None:
    assert "not HU" in refused(CTVolume.from_array, HU.astype(np.complex64), AXIAL)


def mr() -> np.ndarray:
    """Values as of an MR: no negative ones, background noise near 0, tissue skewed to thousands."""
    rng = np.random.default_rng(0)
    body = HU > -500
    return np.where(body, rng.gamma(3, 150, HU.shape), np.abs(rng.normal(0, 10, HU.shape))).astype(np.int16)


@pytest.mark.parametrize(
    "array",
    [mr(), mr().astype(np.float32) / 3000, mr() * 20.0, STORED.astype(np.int16)],
    ids=["MR", "normalised", "PET", "CT without rescale"],
)
def test_values_that_are_not_hu(array, tmp_path) -> None:
    ct = CTVolume.from_array(array, AXIAL)
    assert [f.code for f in ct.check() if f.severity == "error"] == ["not_ct"]
    assert "not Hounsfield units" in refused(ct.require_ct_like)
    message = refused(read_input, [save(tmp_path / "mr.nii.gz", array.astype(np.float32))])
    assert "mr.nii.gz is no CT" in message


def test_an_oblique_mr_is_not_taken_for_a_ct_by_the_air_it_is_padded_with() -> None:
    c, s = np.cos(0.3), np.sin(0.3)
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    refused(CTVolume.from_array(mr(), matrix).require_ct_like)


# dimensions


def test_a_2d_image(tmp_path) -> None:
    assert "2D" in refused(CTVolume.from_array, HU[0], AXIAL)
    for name in ("a.nii.gz", "a.nrrd", "a.mha"):
        assert name in refused(read_input, [save(tmp_path / name, HU[0])])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_one_slice_in_any_plane(axis) -> None:
    assert "one slice" in refused(CTVolume.from_array, HU.take([5], axis=axis), AXIAL)


def test_one_slice_in_a_file(tmp_path) -> None:
    for name in ("a.nii.gz", "a.nrrd", "a.mha"):
        assert name in refused(read_input, [save(tmp_path / name, HU[:1])])


def test_a_4d_series(tmp_path) -> None:
    series = np.stack([HU, HU])
    assert "several volumes" in refused(CTVolume.from_array, series, AXIAL)
    for name in ("a.nii.gz", "a.nrrd", "a.mha"):
        message = refused(read_input, [save(tmp_path / name, series)])
        assert "several volumes" in message
        assert name in message


def test_no_voxels() -> None:
    assert "no voxels" in refused(CTVolume.from_array, np.zeros((0, 4, 4), np.int16), AXIAL)


# geometry


def test_spacing_of_zero_and_singular_or_infinite_directions_in_a_matrix() -> None:
    refused(CTVolume.from_array, HU, np.diag([0.8, 0.0, 2.0, 1.0]))
    singular = AXIAL.copy()
    singular[:3, 1] = singular[:3, 0]
    assert "singular" in refused(CTVolume.from_array, HU, singular)
    endless = AXIAL.copy()
    endless[0, 3] = np.inf
    assert "finite" in refused(CTVolume.from_array, HU, endless)


@pytest.mark.parametrize(
    "directions",
    ["(1,0,0) (0,1,0) (0,0,0)", "(1,0,0) (0,1,0) (0,1,0)", "(1,0,0) (0,1,0) (0,0,1e-30)", "(nan,0,0) (0,1,0) (0,0,1)"],
    ids=["zero", "singular", "tiny", "nan"],
)
def test_an_nrrd_with_impossible_directions(directions, tmp_path) -> None:
    assert "scan.nrrd" in refused(read_input, [nrrd(tmp_path / "scan.nrrd", directions)])


@pytest.mark.parametrize("value", [0.0, -2.0, float("nan")])
def test_a_nifti_with_impossible_spacing(value, tmp_path) -> None:
    path = save(tmp_path / "scan.nii", HU)
    raw = bytearray(path.read_bytes())
    struct.pack_into("<f", raw, 76 + 3 * 4, value)
    path.write_bytes(raw)
    assert "not possible" in refused(read_input, [path])


@pytest.mark.parametrize("value", ["0 1 1", "1 1 0"])
def test_an_mha_with_a_spacing_of_zero(value, tmp_path) -> None:
    k, j, i = HU.shape
    header = (
        f"ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nElementSpacing = {value}\n"
        f"DimSize = {i} {j} {k}\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    )
    (tmp_path / "scan.mha").write_bytes(header.encode() + HU.tobytes())
    assert "not possible" in refused(read_input, [tmp_path / "scan.mha"])


# files


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mha"])
@pytest.mark.parametrize("keep", [0.0, 0.001, 0.5, 0.98])
def test_a_truncated_file(name, keep, tmp_path) -> None:
    path = save(tmp_path / name, HU)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * keep)])
    assert name in refused(read_input, [path], error=InputError)
    assert os.listdir(tmp_path) == [name]


def test_a_damaged_gzip_file(tmp_path) -> None:
    path = save(tmp_path / "a.nii.gz", HU)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 50] = bytes(50)
    path.write_bytes(raw)
    assert "a.nii.gz" in refused(read_input, [path], error=InputError)


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii", "a.nrrd", "a.mha", "a.dcm"])
def test_a_file_that_is_not_what_its_name_says(name, tmp_path) -> None:
    (tmp_path / name).write_text("I am a letter to the referring physician. " * 50)
    assert name in refused(read_input, [tmp_path / name], error=InputError)


@pytest.mark.parametrize("name", ["a.png", "a.txt", "a", "a.mrc"])
def test_a_format_that_is_not_read(name, tmp_path) -> None:
    (tmp_path / name).write_text("x" * 500)
    message = refused(lambda p: read_input([p]), tmp_path / name, error=InputError)
    assert "NIfTI, NRRD or MHA" in message


def test_an_mhd_without_its_raw_file(tmp_path) -> None:
    save(tmp_path / "a.mhd", HU)
    (tmp_path / "a.raw").unlink()
    refused(read_input, [tmp_path / "a.mhd"], error=InputError)


def test_no_such_file_and_no_input_at_all(tmp_path) -> None:
    assert "does not exist" in refused(read_input, [tmp_path / "Müller 1.nii.gz"], error=InputError)
    refused(read_input, [], error=InputError)


def test_several_files_that_are_no_dicom_series(tmp_path) -> None:
    paths = [save(tmp_path / name, HU) for name in ("a.nrrd", "b.nrrd")]
    refused(read_input, paths, error=InputError)


# DICOM


def test_an_empty_folder_and_one_without_dicom(tmp_path) -> None:
    assert "no DICOM files" in refused(read_input, [tmp_path], error=InputError)
    (tmp_path / "notes.txt").write_text("nothing here")
    assert "no DICOM files" in refused(read_input, [tmp_path], error=InputError)


def test_mixed_series_are_refused_with_a_list(tmp_path) -> None:
    write_series(tmp_path, STORED, "1.2.1", SeriesDescription="Arterial", SeriesNumber=3)
    write_series(tmp_path, STORED, "1.2.2", SeriesDescription="Portal", SeriesNumber=4)
    with pytest.raises(InputError) as caught:
        read_input([tmp_path])
    first, *listed = str(caught.value).splitlines()
    assert "2 CT series; say which with --series UID" in first
    assert len(listed) == 2  # below the one clear line, a line for each series
    assert "Arterial" in listed[0]
    assert listed[1].endswith("UID 1.2.2")


def test_a_dicom_mr(tmp_path) -> None:
    write_series(tmp_path, STORED, Modality="MR", SOPClassUID=MRImageStorage, SeriesDescription="T2")
    assert "'T2' is MR, not CT" in refused(read_input, [tmp_path])


def test_a_dicom_ct_without_its_rescale(tmp_path) -> None:
    write_series(tmp_path, STORED, RescaleSlope=None, RescaleIntercept=None)
    assert "rescale" in refused(read_input, [tmp_path])


def test_dicom_with_no_ct_image_in_it(tmp_path) -> None:
    write_series(tmp_path, STORED[:2], SOPClassUID=SecondaryCaptureImageStorage)
    assert "no axial CT images" in refused(read_input, [tmp_path], error=InputError)


def test_one_dicom_file(tmp_path) -> None:
    write_slice(tmp_path / "IM1", STORED[0], (0, 0, 0), "1.2.1")
    assert "one slice (IM1)" in refused(read_input, [tmp_path / "IM1"])


@pytest.mark.parametrize("keep", [0, 100, 300, 700, 2000, 3000])
def test_a_truncated_dicom_slice_is_named(keep, tmp_path) -> None:
    write_series(tmp_path, STORED, "1.2.1")
    path = sorted(tmp_path.iterdir())[7]
    raw = path.read_bytes()
    assert len(raw) > 3000
    path.write_bytes(raw[:keep])
    assert path.name in refused(read_input, [tmp_path], error=InputError)
    assert len(os.listdir(tmp_path)) == len(STORED)


def test_a_truncated_compressed_dicom_slice_is_named(tmp_path) -> None:
    write_series(tmp_path, STORED, "1.2.1", compress=True)
    path = sorted(tmp_path.iterdir())[7]
    path.write_bytes(path.read_bytes()[:-600])
    assert path.name in refused(read_input, [tmp_path], error=InputError)


@pytest.mark.parametrize(
    ("tags", "error"),
    [
        ({"PixelSpacing": [0, 0.7]}, InvalidVolumeError),
        ({"PixelSpacing": [-0.7, 0.7]}, InvalidVolumeError),
        ({"PixelSpacing": None}, InputError),
        ({"ImagePositionPatient": None}, InputError),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, InputError),
        ({"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]}, InputError),
        ({"Rows": None}, InputError),
    ],
)
def test_dicom_slices_without_a_usable_place(tags, error, tmp_path) -> None:
    write_series(tmp_path, STORED, **tags)
    refused(read_input, [tmp_path], error=error)


def test_all_slices_at_one_place(tmp_path) -> None:
    write_series(tmp_path, STORED, positions=np.zeros((len(STORED), 3)))
    assert "more than once" in refused(read_input, [tmp_path], error=InputError)


# output


GRID = ImageGeometry(HU.shape, AXIAL)


def test_output_that_cannot_be_written(tmp_path) -> None:
    refused(write_image, tmp_path / "missing" / "a.nrrd", HU, GRID, error=OutputError)
    refused(write_image, tmp_path / "a.png", HU, GRID, error=OutputError)
    (tmp_path / "file").write_text("in the way")
    refused(write_image, tmp_path / "file" / "a.nrrd", HU, GRID, error=OutputError)
    (tmp_path / "folder.nrrd").mkdir()
    refused(write_image, tmp_path / "folder.nrrd", HU, GRID, error=OutputError)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder.nrrd"]
