"""Image files that were altered, cut off, or whose headers claim what cannot be: refused before anything is made of
them, in each format and wherever images are read."""

import bz2
import gzip
import struct
import zlib
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from fixtures.dicom_files import body_phantom
from LiverLesionCascadeLib.engine.errors import CascadeError, InputError, InvalidVolumeError
from LiverLesionCascadeLib.engine.grid.geometry import ImageGeometry
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume, inspect
from LiverLesionCascadeLib.engine.scan.image_io import read_image, read_labels
from LiverLesionCascadeLib.engine.scan.stored_voxels import check_stored_voxels

HU = body_phantom().astype(np.int16) - 1024
SPACING = (0.8, 0.8, 2.0)
FORMATS = ("a.nii.gz", "a.nrrd", "a.mha")


def save(path: Path, array: np.ndarray = HU, compress: bool = True) -> Path:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(SPACING)
    sitk.WriteImage(image, str(path), compress)
    return path


def change(path: Path, at: int, data: bytes) -> None:
    raw = bytearray(path.read_bytes())
    raw[at : at + len(data)] = data
    path.write_bytes(raw)


def codes(ct: CTVolume) -> set[str]:
    return {note.code for note in ct.notes}


# altered


@pytest.mark.parametrize("name", [*FORMATS, "a.mhd", "a.nhdr"])
@pytest.mark.parametrize("part", [0.3, 0.5, 0.9])
def test_one_altered_byte_in_a_compressed_scan_or_label_map_is_found(name, part, tmp_path) -> None:
    labels = np.random.default_rng(0).integers(0, 3, HU.shape).astype(np.uint8)
    for array in (HU, labels):
        path = save(tmp_path / name, array)
        grid = ImageGeometry(HU.shape, np.diag([*SPACING, 1.0]))
        stored = next((each for each in tmp_path.iterdir() if each.suffix in (".zraw", ".gz", ".raw")), path)
        raw = bytearray(stored.read_bytes())
        raw[int(len(raw) * part)] ^= 0xFF
        stored.write_bytes(raw)
        read = (lambda p: read_image(p)) if array is HU else (lambda p, grid=grid: read_labels(p, grid))
        with pytest.raises(InputError, match="damaged") as caught:
            read(path)
        assert "again" in str(caught.value)


@pytest.mark.parametrize("name", FORMATS)
def test_a_wrong_checksum_alone_is_found(name, tmp_path) -> None:
    path = save(tmp_path / name)
    raw = path.read_bytes()
    change(path, len(raw) - 6 if name != "a.mha" else len(raw) - 2, b"\x55\xaa")
    with pytest.raises(InputError, match="damaged"):
        read_image(path)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("missing", [1, 3, 9])
def test_the_last_bytes_of_a_compressed_file_are_missed(name, missing, tmp_path) -> None:
    path = save(tmp_path / name)
    path.write_bytes(path.read_bytes()[:-missing])
    with pytest.raises(InputError, match="truncated|damaged"):
        read_image(path)


@pytest.mark.parametrize("name", FORMATS)
def test_whole_files_are_read_as_they_are(name, tmp_path) -> None:
    np.testing.assert_array_equal(read_image(save(tmp_path / name)).hu, HU)
    np.testing.assert_array_equal(read_image(save(tmp_path / f"raw-{name}", compress=False)).hu, HU)


def test_a_gzip_file_of_several_members_is_one_file(tmp_path) -> None:
    raw = gzip.decompress(save(tmp_path / "a.nii.gz").read_bytes())
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(raw[:999]) + gzip.compress(raw[999:]))
    np.testing.assert_array_equal(read_image(tmp_path / "b.nii.gz").hu, HU)


# claims


def nrrd(path: Path, data: bytes | None = None, **fields: str | None) -> Path:
    k, j, i = HU.shape
    lines = {
        "type": "short", "dimension": "3", "space": "left-posterior-superior", "sizes": f"{i} {j} {k}",
        "space directions": "(0.8,0,0) (0,0.8,0) (0,0,2)", "endian": "little", "encoding": "raw",
        "space origin": "(0,0,0)",
    } | {name.replace("_", " "): value for name, value in fields.items()}  # fmt: skip
    header = "NRRD0004\n" + "".join(f"{name}: {value}\n" for name, value in lines.items() if value is not None) + "\n"
    path.write_bytes(header.encode() + (HU.astype("<i2").tobytes() if data is None else data))
    return path


def mha(path: Path, data: bytes | None = None, **fields: str | None) -> Path:
    k, j, i = HU.shape
    lines = {
        "ObjectType": "Image", "NDims": "3", "BinaryData": "True", "BinaryDataByteOrderMSB": "False",
        "CompressedData": "False", "TransformMatrix": "1 0 0 0 1 0 0 0 1", "Offset": "0 0 0",
        "ElementSpacing": "0.8 0.8 2", "DimSize": f"{i} {j} {k}", "ElementType": "MET_SHORT",
    } | fields | {"ElementDataFile": "LOCAL"}  # fmt: skip
    header = "".join(f"{name} = {value}\n" for name, value in lines.items() if value is not None)
    path.write_bytes(header.encode() + (HU.astype("<i2").tobytes() if data is None else data))
    return path


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: nrrd(folder / "a.nrrd", sizes="2000 2000 2000"),
        lambda folder: nrrd(folder / "a.nrrd", gzip.compress(HU.tobytes()), sizes="2000 2000 2000", encoding="gzip"),
        lambda folder: mha(folder / "a.mha", DimSize="2000 2000 2000"),
        lambda folder: mha(folder / "a.mha", b"x\x9c" + bytes(99), DimSize="2000 2000 2000", CompressedData="True"),
    ],
)
def test_more_voxels_than_the_file_can_hold_are_refused_from_the_header(make, tmp_path) -> None:
    with pytest.raises(InputError, match="header claims 16000000000 bytes"):
        read_image(make(tmp_path))


def test_a_nifti_that_claims_more_than_it_can_hold_is_refused_from_the_header(tmp_path) -> None:
    path = save(tmp_path / "a.nii.gz")
    raw = bytearray(gzip.decompress(path.read_bytes()))
    struct.pack_into("<3h", raw, 42, 1900, 1900, 1900)
    path.write_bytes(gzip.compress(raw))
    with pytest.raises(InvalidVolumeError, match="cannot hold"):
        read_image(path)


# spacing and place


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: nrrd(folder / "a.nrrd", space_directions=None, space=None, space_origin=None),
        lambda folder: nrrd(
            folder / "a.nrrd", space_directions=None, space=None, space_origin=None, spacings="0.8 nan 2"
        ),
        lambda folder: nrrd(folder / "a.nrrd", space_directions="none none none"),
        lambda folder: mha(folder / "a.mha", ElementSpacing=None),
        lambda folder: mha(folder / "a.mha", ElementSpacing="0.8 nan 2"),
        lambda folder: mha(folder / "a.mha", ElementSpacing="inf 0.8 2"),
        lambda folder: nrrd(folder / "a.nrrd", space_origin="(nan,0,0)"),
        lambda folder: mha(folder / "a.mha", Offset="nan nan nan"),
        lambda folder: mha(folder / "a.mha", TransformMatrix="nan 0 0 0 1 0 0 0 1"),
        lambda folder: nrrd(folder / "a.nrrd", space_units='"cm" "cm" "cm"'),
        lambda folder: mha(folder / "a.mha", DistanceUnits="cm"),
    ],
)
def test_a_spacing_or_place_that_is_missing_or_none_is_refused_and_not_taken_for_1_mm(make, tmp_path) -> None:
    with pytest.raises(CascadeError) as caught:
        read_image(make(tmp_path))
    assert "Unexpected" not in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: nrrd(folder / "a.nrrd", byte_skip="-7"),
        lambda folder: nrrd(folder / "a.nrrd", byte_skip="nan"),
        lambda folder: nrrd(folder / "a.nrrd", line_skip="-1"),
        lambda folder: nrrd(folder / "a.nrrd", byte_skip="99999999"),
        lambda folder: nrrd(folder / "a.nrrd", sizes="40 -3 24"),
        lambda folder: nrrd(folder / "a.nrrd", sizes="40 x 24"),
        lambda folder: mha(folder / "a.mha", HeaderSize="-20"),
        lambda folder: mha(folder / "a.mha", HeaderSize="inf"),
        lambda folder: mha(folder / "a.mha", DimSize="40 0 24"),
    ],
)
def test_a_header_that_points_elsewhere_is_an_input_error(make, tmp_path) -> None:
    with pytest.raises(InputError):
        read_image(make(tmp_path))


@pytest.mark.parametrize("off", [-100, -1, 1, 5000])
def test_an_mha_whose_header_says_another_length_of_its_compressed_voxels_is_refused(off, tmp_path) -> None:
    data = zlib.compress(HU.tobytes())
    path = mha(tmp_path / "a.mha", data, CompressedData="True", CompressedDataSize=str(len(data) + off))
    with pytest.raises(InputError, match=rf"a\.mha has a damaged header: .* {len(data) + off} bytes, .* {len(data)}"):
        read_image(path)
    mha(path, data, CompressedData="True", CompressedDataSize=str(len(data)))
    np.testing.assert_array_equal(read_image(path).hu, HU)


def test_bzip2_is_named_as_what_cannot_be_read(tmp_path) -> None:
    with pytest.raises(InputError, match="bzip2.*Save it with gzip"):
        read_image(nrrd(tmp_path / "a.nrrd", bz2.compress(HU.tobytes()), encoding="bzip2"))


def test_axes_of_the_scanner_are_not_taken_for_the_patient_s_without_a_word(tmp_path) -> None:
    ct = read_image(nrrd(tmp_path / "a.nrrd", space="scanner-xyz"))
    assert "does not say how the patient lies" in " ".join(each.message for each in ct.notes if each.code == "file")


def test_a_file_that_does_not_say_how_the_patient_lies_is_read_with_a_warning(tmp_path) -> None:
    path = nrrd(tmp_path / "a.nrrd", space_directions=None, space=None, space_origin=None, spacings="0.8 0.8 2")
    ct = read_image(path)
    assert ct.spacing == pytest.approx((2.0, 0.8, 0.8))
    assert "file" in codes(ct)
    path = save(tmp_path / "a.nii", compress=False)
    change(path, 252, struct.pack("<2h", 0, 0))
    assert "file" in codes(read_image(path))
    assert "file" in codes(read_image(mha(tmp_path / "bare.mha", HU.tobytes(), TransformMatrix=None)))
    for name in ("TransformMatrix", "Rotation", "Orientation"):
        words = {"TransformMatrix": None, name: "1 0 0 0 1 0 0 0 1"}
        assert "file" not in codes(read_image(mha(tmp_path / f"{name}.mha", HU.tobytes(), **words)))


def test_a_header_of_thousands_of_segments_is_read_to_its_end(tmp_path) -> None:
    path = nrrd(tmp_path / "a.nrrd", gzip.compress(HU.tobytes()), encoding="gzip")
    header, end, voxels = path.read_bytes().partition(b"\n\n")
    segments = b"".join(b"\nSegment%d_Name:=" % n + b"x" * 800 for n in range(2000))
    path.write_bytes(header + segments + end + voxels)
    assert check_stored_voxels(path) == []
    path.write_bytes(header + segments + end + voxels[:-40])
    with pytest.raises(InputError, match="truncated"):
        check_stored_voxels(path)
    assert "file" not in codes(read_image(save(tmp_path / "b.nii")))


@pytest.mark.parametrize("offset", [0.0, 100.0, -352.0, float("nan"), float("inf"), 1e30])
def test_a_nifti_whose_voxels_begin_within_its_header_or_nowhere_is_an_input_error(offset, tmp_path) -> None:
    path = save(tmp_path / "a.nii", compress=False)
    change(path, 108, struct.pack("<f", offset))
    with pytest.raises(InputError, match="voxels begin"):
        read_image(path)


def test_a_nifti_of_two_spacings_is_refused_with_both(tmp_path) -> None:
    path = save(tmp_path / "a.nii", compress=False)
    change(path, 76 + 3 * 4, struct.pack("<f", 5.0))
    with pytest.raises(InvalidVolumeError, match=r"0\.8 x 0\.8 x 5 mm \(pixdim\) and 0\.8 x 0\.8 x 2 mm \(sform\)"):
        read_image(path)


def test_a_nifti_whose_two_orientations_differ_is_read_with_a_warning(tmp_path) -> None:
    path = save(tmp_path / "a.nii", compress=False)
    change(path, 256, struct.pack("<3f", 0.0, 0.0, 0.0))
    (note,) = [note for note in read_image(path).notes if note.code == "file"]
    assert "differ by 180 degrees" in note.message


@pytest.mark.parametrize(
    ("at", "form", "value"), [(280, "<f", np.nan), (268, "<f", np.inf), (256, "<f", np.nan), (116, "<f", np.inf)]
)
def test_numbers_of_a_nifti_header_that_are_none_are_refused(at, form, value, tmp_path) -> None:
    path = save(tmp_path / "a.nii", compress=False)
    change(path, at, struct.pack(form, value))
    if at == 116:
        change(path, 112, struct.pack("<f", 1.0))
    with pytest.raises(CascadeError, match="again"):
        read_image(path)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_nifti_2_is_read_as_nifti_1_is(name, tmp_path) -> None:
    affine = np.array([[-0.7, 0.05, 0, 20], [0.05, -0.7, 0, 30], [0, 0, 2.5, -40], [0, 0, 0, 1]])
    affine[:3, :2] /= np.linalg.norm(affine[:3, 0]) / 0.7
    for kind, file in ((nibabel.Nifti1Image, f"one-{name}"), (nibabel.Nifti2Image, f"two-{name}")):
        nibabel.save(kind(HU.T, affine), tmp_path / file)
    one, two = read_image(tmp_path / f"one-{name}"), read_image(tmp_path / f"two-{name}")
    np.testing.assert_array_equal(one.hu, two.hu)
    np.testing.assert_allclose(one.source.ijk_to_lps, two.source.ijk_to_lps, atol=1e-5)
    big = nibabel.Nifti2Image(HU.T.astype(">i2"), affine, nibabel.Nifti2Header(endianness=">"))
    nibabel.save(big, tmp_path / "big.nii")
    np.testing.assert_array_equal(read_image(tmp_path / "big.nii").hu, two.hu)


# values


@pytest.mark.parametrize("offset", [0, -1024])
def test_values_that_lost_their_sign_are_given_it_back_and_said(offset) -> None:
    array = HU.astype(np.int32)
    array[:, :4] = -2000 + offset
    wrong = np.where(array < 0, array + 65536, array)
    matrix = np.diag([*SPACING, 1.0])
    for given in (wrong, wrong.astype(np.uint16), wrong.astype(np.float32)):
        ct = CTVolume.from_array(given, matrix)
        np.testing.assert_array_equal(ct.hu, array)
        assert "signs_restored" in codes(ct)
        assert "signs_restored" in {finding.code for finding in _last(inspect(given, matrix))}


def test_hu_that_no_ct_has_are_said() -> None:
    array = HU.copy()
    array[:, :4] = 32767
    ct = CTVolume.from_array(array, np.diag([*SPACING, 1.0]))
    assert "impossible_hu" in codes(ct)
    assert not {"impossible_hu", "signs_restored"} & codes(CTVolume.from_array(HU, np.diag([*SPACING, 1.0])))


def _last(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_a_warning_of_itk_is_a_remark_on_the_scan(tmp_path, monkeypatch) -> None:
    from LiverLesionCascadeLib.engine.scan import image_io

    read = image_io._read_itk

    def warn(path):
        result = read(path)
        sitk.WriteImage(sitk.ReadImage(str(save(tmp_path / "b.nii.gz"))), str(tmp_path / "b.mha"))
        return result

    monkeypatch.setattr(image_io, "_read_itk", warn)
    (note, *_) = [note for note in read_image(save(tmp_path / "a.nrrd")).notes if note.code == "file"]
    assert note.message.startswith("a.nrrd: ITK says: Unsupported or empty metaData item")
