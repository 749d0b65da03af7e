"""DICOM series: which one is meant, in what order its slices lie, and what makes it no volume."""

import os
import shutil

import numpy as np
import pytest
from fixtures.closed_folder import close_folder
from fixtures.dicom_files import body_phantom, write_series, write_slice
from LiverLesionCascadeLib.engine.errors import InputError, InvalidVolumeError
from LiverLesionCascadeLib.engine.scan.dicom.dicom_io import list_series, read_dicom_files
from LiverLesionCascadeLib.engine.scan.image_io import read_input
from pydicom.uid import (
    CTImageStorage,
    MRImageStorage,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
)

STORED = body_phantom()
HU = STORED.astype(np.int16) - 1024
COUNT = len(STORED)


def codes(ct) -> set[str]:
    return {note.code for note in ct.notes}


def stack(step=(0.0, 0.0, 2.0), start=(-100.0, -50.0, -30.0), count=COUNT) -> np.ndarray:
    return np.array(start) + np.arange(count)[:, None] * np.array(step)


def test_a_series_is_read_in_hu_with_its_place(tmp_path) -> None:
    uid = write_series(tmp_path, STORED)
    ct = read_dicom_files([tmp_path])
    assert ct.hu.dtype == np.int16
    np.testing.assert_array_equal(ct.hu, HU)
    assert ct.spacing == pytest.approx((2.0, 0.7, 0.8))  # PixelSpacing is between rows, then between columns
    assert ct.geometry.origin == pytest.approx((-100, -50, -30))
    assert uid in ct.notes[0].message
    assert "Portal" in ct.name


def test_slices_are_ordered_by_place_not_by_number_or_name(tmp_path) -> None:
    order = np.random.default_rng(0).permutation(COUNT)
    names = [f"IM{n:04}" for n in order]
    tags = [{"InstanceNumber": int(n) + 1} for n in order[::-1]]
    write_series(tmp_path, STORED, names=names, per_slice=tags)
    np.testing.assert_array_equal(read_dicom_files([tmp_path]).hu, HU)


def test_each_slice_has_its_own_rescale(tmp_path) -> None:
    slopes = [1 + n % 3 for n in range(COUNT)]
    intercepts = [-1024 + 10 * n for n in range(COUNT)]
    tags = [{"RescaleSlope": s, "RescaleIntercept": i} for s, i in zip(slopes, intercepts, strict=True)]
    write_series(tmp_path, STORED, per_slice=tags)
    expected = STORED.astype(int) * np.reshape(slopes, (-1, 1, 1)) + np.reshape(intercepts, (-1, 1, 1))
    np.testing.assert_array_equal(read_dicom_files([tmp_path]).hu, expected)


def test_a_fractional_rescale_in_one_slice_keeps_all_slices_exact(tmp_path) -> None:
    tags = [{"RescaleSlope": 0.5} if n == 7 else {} for n in range(COUNT)]
    write_series(tmp_path, STORED, per_slice=tags)
    ct = read_dicom_files([tmp_path])
    expected = HU.astype(np.float32)
    expected[7] = STORED[7] * 0.5 - 1024
    np.testing.assert_array_equal(ct.hu, expected)


def test_signed_pixels_and_compressed_pixels_are_read(tmp_path) -> None:
    write_series(tmp_path / "a", HU.view(np.uint16), PixelRepresentation=1, RescaleIntercept=0)
    np.testing.assert_array_equal(read_dicom_files([tmp_path / "a"]).hu, HU)
    write_series(tmp_path / "b", STORED, compress=True)
    np.testing.assert_array_equal(read_dicom_files([tmp_path / "b"]).hu, HU)


def test_names_without_extension_subfolders_umlauts_and_other_files_do_not_matter(tmp_path) -> None:
    folder = tmp_path / "Größe Läsion 1"
    write_series(folder / "DICOM" / "S 0001", STORED[:10], "1.2.9", names=[f"I{n}" for n in range(10)])
    write_series(
        folder / "DICOM" / "S 0002", STORED[10:], "1.2.9", stack()[10:], names=[f"I{n}" for n in range(10, COUNT)]
    )
    (folder / "readme.txt").write_text("not DICOM")
    (folder / "viewer.exe").write_bytes(bytes(500))
    (folder / "leer").write_bytes(b"")
    (folder / "DICOM" / "._I3.dcm").write_bytes(b"resource fork")
    write_slice(folder / "DICOMDIR", STORED[0], (0, 0, 0), "1.2.77", SOPClassUID="1.2.840.10008.1.3.10", Modality=None)
    ct = read_dicom_files([folder])
    np.testing.assert_array_equal(ct.hu, HU)
    assert "Other series" not in ct.notes[0].message


def write_halves(folder) -> None:
    """One series whose slices lie in two subfolders, a and b."""
    write_series(folder / "a", STORED[:12], "1.2.9", stack()[:12])
    write_series(folder / "b", STORED[12:], "1.2.9", stack()[12:])


def test_a_subfolder_that_cannot_be_listed_is_said(tmp_path, monkeypatch) -> None:
    write_halves(tmp_path)
    close_folder(tmp_path / "b", monkeypatch)
    (said,) = [note.message for note in read_dicom_files([tmp_path]).notes if note.code == "files_left_out"]
    assert f"{tmp_path / 'b'} cannot be read (Permission denied)" in said
    with pytest.raises(InputError, match="Permission denied"):
        read_dicom_files([tmp_path / "b"])


@pytest.mark.skipif(os.name == "nt", reason="links and pipes there need rights that tests do not have")
def test_links_to_folders_are_followed_once_and_pipes_are_passed_over(tmp_path) -> None:
    write_halves(tmp_path / "disk")
    folder = tmp_path / "given"
    (tmp_path / "disk" / "a").rename(folder)
    (folder / "b").symlink_to(tmp_path / "disk" / "b")
    (folder / "again").symlink_to(tmp_path / "disk" / "b")
    (folder / "b" / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    ct = read_dicom_files([folder])
    np.testing.assert_array_equal(ct.hu, HU)
    assert codes(ct) == {"series"}


@pytest.mark.skipif(os.name == "nt", reason="links there need rights that tests do not have")
def test_a_link_to_what_a_folder_lies_in_does_not_lead_out_of_it(tmp_path) -> None:
    write_series(tmp_path / "1", STORED)
    write_series(tmp_path / "2", STORED)
    (tmp_path / "1" / "up").symlink_to("..")
    assert read_dicom_files([tmp_path / "1"]).hu.shape == HU.shape


def test_a_part_of_a_series_in_a_hidden_folder_is_read(tmp_path) -> None:
    write_halves(tmp_path)
    (tmp_path / "b").rename(tmp_path / ".b")
    np.testing.assert_array_equal(read_dicom_files([tmp_path]).hu, HU)


@pytest.mark.skipif(os.name == "nt", reason="links there need rights that tests do not have")
def test_links_to_files_that_are_gone_are_said(tmp_path) -> None:
    write_series(tmp_path, STORED)
    (tmp_path / "gone.dcm").symlink_to("elsewhere.dcm")
    (said,) = [note.message for note in read_dicom_files([tmp_path]).notes if note.code == "files_left_out"]
    assert "gone.dcm cannot be read" in said


def test_the_same_image_twice_is_read_once(tmp_path) -> None:
    write_series(tmp_path / "a", STORED)
    shutil.copytree(tmp_path / "a", tmp_path / "a" / "copy")
    np.testing.assert_array_equal(read_dicom_files([tmp_path / "a"]).hu, HU)


def test_scouts_reports_and_segmentations_beside_the_scan_are_passed_over_and_named(tmp_path) -> None:
    write_series(tmp_path, STORED, "1.2.1", SeriesNumber=2)
    write_series(
        tmp_path, STORED[:2], "1.2.2", SeriesNumber=1, SeriesDescription="Topo", ImageType=["ORIGINAL", "LOCALIZER"]
    )
    write_series(tmp_path, STORED[:1], "1.2.3", SeriesDescription="Dose", SOPClassUID=SecondaryCaptureImageStorage)
    write_series(tmp_path, STORED[:1], "1.2.4", Modality="SEG", SOPClassUID=SegmentationStorage, SeriesNumber=10)
    write_series(tmp_path, STORED[:5], "1.2.5", SeriesDescription="Bolus", SeriesNumber=11)
    ct = read_dicom_files([tmp_path])
    np.testing.assert_array_equal(ct.hu, HU)
    for word in ("1.2.1", "Topo", "Dose", "SEG", "Bolus"):
        assert word in ct.notes[0].message


def test_a_scout_within_the_series_is_left_out_and_said(tmp_path) -> None:
    write_series(tmp_path, STORED, "1.2.1")
    write_slice(
        tmp_path / "scout",
        STORED[0],
        (0, 0, 0),
        "1.2.1",
        ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
        ImageOrientationPatient=[1, 0, 0, 0, 0, -1],
    )
    ct = read_dicom_files([tmp_path])
    np.testing.assert_array_equal(ct.hu, HU)
    assert "1 x scout" in ct.notes[0].message


def test_several_ct_series_are_refused_with_a_list_and_one_is_taken_by_its_uid(tmp_path) -> None:
    write_series(tmp_path, STORED, "1.2.1", SeriesDescription="Arterial", SeriesNumber=3)
    write_series(tmp_path, STORED[::-1], "1.2.2", SeriesDescription="Portal", SeriesNumber=4)
    with pytest.raises(InputError, match="--series") as refused:
        read_dicom_files([tmp_path])
    for word in ("Arterial", "Portal", "1.2.1", "1.2.2", str(COUNT)):
        assert word in str(refused.value)
    np.testing.assert_array_equal(read_dicom_files([tmp_path], "1.2.2").hu, HU[::-1])
    with pytest.raises(InputError, match=r"no series 9\.9(.|\n)*Arterial"):
        read_dicom_files([tmp_path], "9.9")


def test_screenshots_stored_as_ct_are_no_rival_but_a_damaged_series_is(tmp_path) -> None:
    write_series(tmp_path / "scan", STORED, "1.2.1")
    write_series(tmp_path / "shots", STORED[:3], "1.2.2", ImagePositionPatient=None, SeriesDescription="Shots")
    ct = read_dicom_files([tmp_path])
    np.testing.assert_array_equal(ct.hu, HU)
    assert "Shots" in ct.notes[0].message
    damaged = [{"PixelSpacing": None}] + [{}] * 9
    write_series(tmp_path / "thin", STORED[:10], "1.2.3", per_slice=damaged)
    with pytest.raises(InputError, match="--series"):
        read_dicom_files([tmp_path])
    with pytest.raises(InputError, match=r"3-000\.dcm lacks a usable PixelSpacing"):
        read_dicom_files([tmp_path], "1.2.3")


def test_the_axial_series_is_taken_where_the_other_is_a_coronal_reformat(tmp_path) -> None:
    write_series(tmp_path, STORED, "1.2.1")
    write_series(
        tmp_path,
        STORED,
        "1.2.2",
        stack((0, 2, 0)),
        ImageOrientationPatient=[1, 0, 0, 0, 0, -1],
        SeriesDescription="Cor",
    )
    ct = read_dicom_files([tmp_path])
    np.testing.assert_array_equal(ct.hu, HU)
    assert "Cor" in ct.notes[0].message
    coronal = read_dicom_files([tmp_path], "1.2.2")  # asked for by name, it is read and brought to axial order
    assert coronal.hu.shape == (STORED.shape[1], COUNT, STORED.shape[2])
    np.testing.assert_array_equal(coronal.to_source(coronal.hu), HU)


def test_two_short_series_are_not_guessed_between(tmp_path) -> None:
    write_series(tmp_path, STORED[:6], "1.2.1")
    write_series(tmp_path, STORED[:8], "1.2.2")
    with pytest.raises(InputError, match="2 CT series"):
        read_dicom_files([tmp_path])


def test_read_input_takes_a_folder_several_folders_or_files(tmp_path) -> None:
    write_series(tmp_path / "a", STORED[:12], "1.2.1")
    write_series(tmp_path / "b", STORED[12:], "1.2.1", stack()[12:])
    np.testing.assert_array_equal(read_input([tmp_path]).hu, HU)
    np.testing.assert_array_equal(read_input([tmp_path / "b", tmp_path / "a"]).hu, HU)
    files = [*sorted((tmp_path / "b").iterdir()), *(tmp_path / "a").iterdir()]
    np.testing.assert_array_equal(read_input(files).hu, HU)


@pytest.mark.parametrize("downwards", [False, True])
def test_a_gantry_tilt_is_resampled_to_axial_slices_at_its_true_place(tmp_path, downwards) -> None:
    tilt = np.radians(15)
    shape = (30, 40, 40)
    orientation = [1, 0, 0, 0, np.cos(tilt), -np.sin(tilt)]
    positions = stack((0, 0, -2.0 if downwards else 2.0), count=30)
    column, row = np.array(orientation[3:]) * 1.0, np.array(orientation[:3]) * 1.0
    j, i = np.indices(shape[1:])
    places = positions[:, None, None] + j[..., None] * column + i[..., None] * row
    centre = places.mean(axis=(0, 1, 2))
    stored = np.where(np.linalg.norm(places - centre, axis=-1) < 12, 1124, 924).astype(np.uint16)
    write_series(
        tmp_path, stored, positions=positions, ImageOrientationPatient=[f"{x:.6f}" for x in orientation],
        PixelSpacing=[1, 1],
    )  # fmt: skip
    ct = read_dicom_files([tmp_path])
    assert ct.resampled
    assert "resampled" in codes(ct)
    ball = np.argwhere(ct.hu > 0)
    np.testing.assert_allclose(ct.geometry.to_lps(ball).mean(axis=0), centre, atol=0.5)
    assert len(ball) * ct.geometry.voxel_volume_ml == pytest.approx(4 / 3 * np.pi * 12**3 / 1000, rel=0.03)


def test_missing_slices_are_refused_and_their_place_is_said(tmp_path) -> None:
    keep = [n for n in range(COUNT) if n not in (5, 6, 15)]
    write_series(tmp_path, STORED[keep], positions=stack()[keep])
    with pytest.raises(InputError, match=r"missing \(2 between z = -22\.0 and -16\.0 mm, 1 between z = -2\.0 and 2\.0"):
        read_dicom_files([tmp_path])


def test_slightly_uneven_slices_are_read_with_a_finding(tmp_path) -> None:
    positions = stack()
    positions[::2, 2] += 0.05
    write_series(tmp_path / "a", STORED, positions=positions)
    ct = read_dicom_files([tmp_path / "a"])
    assert "uneven_slices" in codes(ct)
    np.testing.assert_array_equal(ct.hu, HU)


def test_positions_rounded_in_the_header_are_no_finding(tmp_path) -> None:
    write_series(tmp_path, STORED, positions=np.round(stack((0, 0, 0.625)), 2))
    assert codes(read_dicom_files([tmp_path])) == {"series"}


def test_gaps_between_thin_slices_are_said(tmp_path) -> None:
    write_series(tmp_path, STORED, SliceThickness=1)
    assert "slice_gap" in codes(read_dicom_files([tmp_path]))


def test_doubled_positions_of_different_images_name_the_files(tmp_path) -> None:
    write_series(tmp_path, STORED, "1.2.1")
    write_slice(tmp_path / "extra", STORED[4], stack()[3], "1.2.1")
    with pytest.raises(InputError, match="extra"):
        read_dicom_files([tmp_path])


def test_a_stack_that_jumps_sideways_is_refused(tmp_path) -> None:
    positions = stack()
    positions[12:, 0] += 40
    write_series(tmp_path, STORED, positions=positions)
    with pytest.raises(InputError, match="straight stack"):
        read_dicom_files([tmp_path])


@pytest.mark.parametrize(
    ("tags", "what"),
    [
        ({"PixelSpacing": [0.9, 0.9]}, "pixel spacings"),
        ({"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}, "orientations"),
    ],
)
def test_a_series_of_different_images_is_refused(tmp_path, tags, what) -> None:
    write_series(tmp_path, STORED, "1.2.1", per_slice=[tags if n == 4 else {} for n in range(COUNT)])
    with pytest.raises(InputError, match=what):
        read_dicom_files([tmp_path])


def test_images_of_different_size_are_refused(tmp_path) -> None:
    write_series(tmp_path, STORED[:12], "1.2.1")
    write_series(tmp_path / "b", STORED[12:, :, ::2], "1.2.1", stack()[12:])
    with pytest.raises(InputError, match="image sizes"):
        read_dicom_files([tmp_path])


def test_a_ct_without_modality_is_known_by_its_class(tmp_path) -> None:
    write_series(tmp_path, STORED, Modality=None, SOPClassUID=CTImageStorage)
    np.testing.assert_array_equal(read_dicom_files([tmp_path]).hu, HU)


def test_list_series_gives_what_a_person_chooses_by(tmp_path) -> None:
    write_series(tmp_path, STORED[:3], "1.2.1", SeriesNumber=10)
    write_series(tmp_path, STORED, "1.2.2", SeriesNumber=9, SeriesDescription="Thin")
    write_series(tmp_path, STORED[:2], "1.2.3", SeriesNumber=1, Modality="MR", SOPClassUID=MRImageStorage)
    listed = list_series([tmp_path]).series
    assert [s.number for s in listed] == ["1", "9", "10"]
    assert [(s.modality, len(s.slices)) for s in listed] == [("MR", 0), ("CT", COUNT), ("CT", 3)]
    assert listed[1].title == "series 9 'Thin'"
    with pytest.raises(InvalidVolumeError, match="MR"):
        read_dicom_files([tmp_path], "1.2.3")
