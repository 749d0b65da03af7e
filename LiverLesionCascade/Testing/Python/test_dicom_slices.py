"""Slices at uneven places and slices that are missing; frames of multi-frame objects."""

import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest
from fixtures.dicom_files import body_phantom, write_enhanced, write_series, write_slice
from hypothesis import given
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.reports.source_slices import source_slice
from LiverLesionCascadeLib.engine.scan.dicom.dicom_io import read_dicom_files
from LiverLesionCascadeLib.engine.scan.dicom.dicom_source import source_images
from LiverLesionCascadeLib.engine.scan.dicom.slice_steps import even_places, find_gaps

STORED = body_phantom()
HU = STORED.astype(np.int16) - 1024
COUNT = len(STORED)
CHANGING = np.cumsum([0.0] + [1.0] * 11 + [7.0] * 12)
ALTERNATING = np.cumsum([0.0] + [0.8, 1.6] * 12)[:COUNT]
JITTERED = 3.0 * np.arange(COUNT) + np.random.default_rng(1).uniform(-0.5, 0.5, COUNT)


def places(z: np.ndarray) -> np.ndarray:
    return np.array([-100.0, -50.0, 0.0]) + z[:, None] * np.array([0.0, 0.0, 1.0])


@pytest.mark.parametrize("z", [CHANGING, CHANGING[::-1].max() - CHANGING[::-1], ALTERNATING, JITTERED])
def test_uneven_slices_are_put_on_an_even_grid_at_their_true_places(z, tmp_path) -> None:
    write_series(tmp_path, STORED, positions=places(z))
    ct = read_dicom_files([tmp_path])
    assert "uneven_slices" in {note.code for note in ct.notes}
    low, step, count = ct.geometry.origin[2], ct.spacing[0], ct.hu.shape[0]
    assert low == pytest.approx(z[0], abs=0.01)
    assert low + step * (count - 1) == pytest.approx(z[-1], abs=0.01)
    # What lies halfway between two slices is their mean.
    for index in (0, count // 3, count // 2, count - 2):
        at = low + index * step
        behind = int(np.clip(np.searchsorted(z, at), 1, COUNT - 1))
        part = (at - z[behind - 1]) / (z[behind] - z[behind - 1])
        expected = (1 - part) * HU[behind - 1] + part * HU[behind]
        np.testing.assert_allclose(ct.hu[index], expected, atol=0.02 * np.abs(np.diff(HU.astype(float), axis=0)).max())


def test_small_changes_of_the_step_that_add_up_are_uneven_too(tmp_path) -> None:
    """Every step is within a tenth of their mean, but slices lie up to 5.4 mm from even places."""
    z = np.cumsum([0.0] + [2.0] * 30 + [2.36] * 30)
    stored = body_phantom((len(z), 24, 26))
    write_series(tmp_path, stored, positions=places(z))
    ct = read_dicom_files([tmp_path])
    (note,) = [note for note in ct.notes if note.code == "uneven_slices"]
    assert "resampled" in note.message and "from 2.00 to 2.36 mm" in note.message
    even = ct.geometry.origin[2] + ct.spacing[0] * np.arange(ct.hu.shape[0])
    for index, at in ((20, z[20]), (45, z[45])):
        nearest = int(np.abs(even - at).argmin())
        part = np.interp(even[nearest], z, np.arange(len(z)))
        assert abs(part - index) < 0.5
        low = min(int(part), len(z) - 2)
        expected = (1 - part + low) * stored[low] + (part - low) * stored[low + 1] - 1024.0
        np.testing.assert_allclose(ct.hu[nearest], expected, atol=30)
    images = source_images([each.path for each in ct.slices], ct.source.shape, ct.source.ijk_to_lps, every_slice=False)
    assert len(images) == len(z)


@given(st.lists(st.floats(0.3, 7.0), min_size=2, max_size=40))
def test_no_two_slices_are_nearest_to_the_same_slice_of_an_even_grid(steps) -> None:
    z = np.cumsum([0.0, *steps])
    nearest = np.abs(z[:, None] - even_places(z, [])).argmin(axis=1)
    assert len(set(nearest.tolist())) == len(z)


@pytest.mark.parametrize("z", [CHANGING, ALTERNATING])
def test_slices_are_numbered_as_the_scan_has_them(z, tmp_path) -> None:
    write_series(tmp_path, STORED, positions=places(z))
    ct = read_dicom_files([tmp_path])
    for number in (0, 5, 11, 12, 23):
        assert source_slice(ct, places(z)[number]) == number


def test_numbers_that_leave_some_out_tell_a_gap_from_a_change_of_the_step(tmp_path) -> None:
    every_second = np.r_[np.arange(12), np.arange(12, COUNT, 2)]
    write_series(
        tmp_path,
        STORED[every_second],
        positions=places(2.0 * every_second),
        per_slice=[{"InstanceNumber": int(n) + 1} for n in every_second],
    )
    with pytest.raises(InputError, match="missing"):
        read_dicom_files([tmp_path])


@pytest.mark.parametrize("missing", [[5], [1], [22], [5, 6, 15], [7, 9], [3, 4, 5, 6, 7]])
@pytest.mark.parametrize("numbered", [True, False])
def test_what_is_missing_is_refused_whether_slices_are_numbered_or_not(missing, numbered, tmp_path) -> None:
    keep = [n for n in range(COUNT) if n not in missing]
    tags = [{"InstanceNumber": n + 1 if numbered else None} for n in keep]
    write_series(tmp_path, STORED[keep], positions=places(2.0 * np.array(keep)), per_slice=tags)
    with pytest.raises(InputError, match="slices are missing"):
        read_dicom_files([tmp_path])


def test_a_gap_within_thin_and_within_thick_slices_is_found() -> None:
    for gone in (4, 15):
        z = np.delete(CHANGING, gone)
        (gap,) = find_gaps(z, [None] * len(z))
        assert (gap.after, gap.count) == (gone - 1, 1)
        numbers = np.delete(np.arange(COUNT), gone).tolist()
        (gap,) = find_gaps(z, numbers)
        assert (gap.after, gap.count) == (gone - 1, 1)
    assert find_gaps(CHANGING, [None] * COUNT) == []
    assert find_gaps(ALTERNATING, list(range(COUNT))) == []


def test_missing_slices_are_interpolated_when_asked_and_said(tmp_path) -> None:
    keep = [n for n in range(COUNT) if n not in (5, 6, 15)]
    write_series(tmp_path, STORED[keep], positions=places(2.0 * np.array(keep)))
    with pytest.raises(InputError, match="--fill-gaps 2"):
        read_dicom_files([tmp_path], fill_gaps=1)
    ct = read_dicom_files([tmp_path], fill_gaps=2)
    assert ct.hu.shape == HU.shape
    np.testing.assert_array_equal(ct.hu[keep], HU[keep])
    np.testing.assert_allclose(ct.hu[15], (HU[14].astype(float) + HU[16]) / 2, atol=0.51)
    np.testing.assert_allclose(ct.hu[5], (2.0 * HU[4] + HU[7]) / 3, atol=0.51)
    (note,) = [note for note in ct.notes if note.code == "filled_gaps"]
    assert note.severity == "warning" and "3 slices are missing and were interpolated" in note.message


# Multi-frame


def frames(z: np.ndarray, **more) -> list[dict]:
    return [{"position": place, **more} for place in places(z)]


def test_an_enhanced_ct_is_read_frame_by_frame_wherever_each_lies(tmp_path) -> None:
    order = np.random.default_rng(0).permutation(COUNT)
    groups = frames(2.0 * order)
    for n, group in enumerate(groups):
        group["intercept"] = -1024 + n
    stored = STORED[order] - np.arange(COUNT, dtype=np.uint16)[:, None, None]
    write_enhanced(tmp_path / "enhanced", np.clip(stored.astype(int), 0, 65535).astype(np.uint16), groups)
    ct = read_dicom_files([tmp_path])
    np.testing.assert_array_equal(ct.hu[HU.min(axis=(1, 2)) > -1000], HU[HU.min(axis=(1, 2)) > -1000])
    assert ct.spacing == pytest.approx((2.0, 0.7, 0.8))
    assert "Enhanced" in ct.name


def test_of_an_enhanced_ct_the_original_axial_frames_are_taken_and_the_others_said(tmp_path) -> None:
    z = 2.0 * np.arange(COUNT)
    groups = [
        *frames(z[:2], kind=["ORIGINAL", "PRIMARY", "LOCALIZER", "NONE"]),
        *frames(z),
        *frames(z, kind=["DERIVED", "PRIMARY", "VOLUME", "RESAMPLED"]),
        *frames(z[:3], axes=[1, 0, 0, 0, 0, -1]),
    ]
    stored = np.concatenate([STORED[:2], STORED, STORED[::-1], STORED[:3]])
    write_enhanced(tmp_path / "enhanced", stored, groups)
    ct = read_dicom_files([tmp_path])
    np.testing.assert_array_equal(ct.hu, HU)
    for words in ("2 x scout frame", "24 x derived frame", "3 x frame that is not axial"):
        assert words in ct.notes[0].message


def test_passes_of_an_enhanced_ct_are_chosen_between(tmp_path) -> None:
    z = 2.0 * np.arange(COUNT)
    write_enhanced(
        tmp_path / "enhanced",
        np.concatenate([STORED, STORED[::-1]]),
        [*frames(z, acquisition=1), *frames(z, acquisition=2)],
    )
    with pytest.raises(InputError, match=r"2 acquisitions \(1, 2\)"):
        read_dicom_files([tmp_path])
    np.testing.assert_array_equal(read_dicom_files([tmp_path], acquisition="2").hu, HU[::-1])


def test_an_enhanced_ct_that_was_cut_off_is_refused_by_name(tmp_path) -> None:
    write_enhanced(tmp_path / "enhanced.dcm", STORED, frames(2.0 * np.arange(COUNT)))
    raw = (tmp_path / "enhanced.dcm").read_bytes()
    for keep in (len(raw) - 5000, len(raw) // 20, 400):
        (tmp_path / "enhanced.dcm").write_bytes(raw[:keep])
        with pytest.raises(InputError, match=r"enhanced\.dcm"):
            read_dicom_files([tmp_path])


@pytest.mark.parametrize("tag", [0x52009229, 0x52009230])
def test_an_enhanced_ct_with_text_in_place_of_its_frames_attributes_is_refused_by_name(tag, tmp_path) -> None:
    write_enhanced(tmp_path / "enhanced.dcm", STORED, frames(2.0 * np.arange(COUNT)))
    dataset = pydicom.dcmread(tmp_path / "enhanced.dcm")
    del dataset[tag]
    dataset.add(pydicom.DataElement(tag, "UT", "not a sequence"))
    dataset.save_as(tmp_path / "enhanced.dcm")
    with pytest.raises(InputError, match=r"enhanced\.dcm"):
        read_dicom_files([tmp_path])


@pytest.mark.parametrize("empty", [False, True])
@pytest.mark.parametrize("element", [0x16, 0x18, 0x60, 0x103E])
def test_a_representation_that_does_not_exist_costs_its_attribute_or_the_file(element, empty, tmp_path) -> None:
    write_enhanced(tmp_path / "enhanced.dcm", STORED, frames(2.0 * np.arange(COUNT)), SeriesDescription="Portal")
    raw = (tmp_path / "enhanced.dcm").read_bytes()
    at = raw.index(struct.pack("<HH", 8, element))
    (length,) = struct.unpack_from("<H", raw, at + 6)
    changed = b"\0\0\0" if empty else b"\0" + raw[at + 6 : at + 8 + length]
    (tmp_path / "enhanced.dcm").write_bytes(raw[: at + 5] + changed + raw[at + 8 + length :])
    try:
        np.testing.assert_array_equal(read_dicom_files([tmp_path]).hu, HU)
    except InputError as error:
        assert "enhanced.dcm" in str(error)


# Folders as they come


def test_a_cd_is_read_and_by_its_table_of_contents_too(tmp_path) -> None:
    from LiverLesionCascadeLib.engine.scan.image_io import read_input
    from pydicom.fileset import FileSet

    tags = {"PatientID": "1", "StudyID": "1", "StudyDate": "20240101", "StudyTime": "101112", "AccessionNumber": ""}
    write_series(tmp_path / "files", STORED, **tags)
    cd = FileSet()
    for path in sorted((tmp_path / "files").iterdir()):
        cd.add(path)
    cd.write(tmp_path / "cd")
    assert (tmp_path / "cd" / "DICOMDIR").is_file()
    np.testing.assert_array_equal(read_dicom_files([tmp_path / "cd"]).hu, HU)
    np.testing.assert_array_equal(read_input([tmp_path / "cd" / "DICOMDIR"]).hu, HU)
    (tmp_path / "cd" / "DICOMDIR").rename(tmp_path / "cd" / "contents.dcm")
    np.testing.assert_array_equal(read_dicom_files([tmp_path / "cd"]).hu, HU)


@pytest.mark.parametrize(
    "junk", [b"", b"\0" * 128 + b"DICM", b"\0" * 128 + b"DICM\x08\0\x05\0CS\x0a\0ISO", b"hello" * 99]
)
def test_a_file_that_cannot_be_used_is_left_out_with_a_remark(junk, tmp_path) -> None:
    write_series(tmp_path, STORED)
    (tmp_path / "zzz.dcm").write_bytes(junk)
    ct = read_dicom_files([tmp_path])
    np.testing.assert_array_equal(ct.hu, HU)
    (note,) = [note for note in ct.notes if note.code == "files_left_out"]
    assert "zzz.dcm" in note.message


@pytest.mark.parametrize("bare", [False, True])
def test_wherever_the_last_slice_was_cut_off_it_is_not_left_out_without_a_word(bare, tmp_path) -> None:
    write_series(tmp_path, body_phantom((4, 10, 12)), "1.2.3", bare=bare)
    last = sorted(tmp_path.iterdir())[-1]
    raw = last.read_bytes()
    for keep in range(0, len(raw) - 1, 5):
        last.write_bytes(raw[:keep])
        try:
            ct = read_dicom_files([tmp_path])
        except InputError as error:
            assert last.name in str(error) or "CT series" in str(error)
        else:
            assert any(note.severity == "warning" and last.name in note.message for note in ct.notes), keep


def test_if_the_series_is_not_whole_without_it_that_file_is_named(tmp_path) -> None:
    write_series(tmp_path, STORED, "1.2.1")
    path = sorted(tmp_path.iterdir())[7]
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match=rf"missing(.|\n)*{path.name}"):
        read_dicom_files([tmp_path])


@pytest.mark.parametrize("value", [None, ""])
def test_files_without_the_uid_of_their_class_are_known_by_what_else_they_say(tmp_path, value) -> None:
    write_series(tmp_path, STORED, "1.2.1")
    import pydicom

    for number, path in enumerate(sorted(tmp_path.iterdir())):
        dataset = pydicom.dcmread(path)
        if value is None:
            del dataset.SOPClassUID
        else:
            dataset.SOPClassUID = value
        if number % 2:
            del dataset.file_meta.MediaStorageSOPClassUID
        dataset.save_as(path, enforce_file_format=False)
    np.testing.assert_array_equal(read_dicom_files([tmp_path]).hu, HU)


@pytest.mark.parametrize(
    "raw",
    [
        {0x00200011: ("IS", "abc")},
        {0x00200012: ("IS", "one")},
        {0x00200013: ("IS", "1.5x")},
        {0x00180050: ("DS", "thin")},
        {0x00280002: ("US", "")},
        {0x00080032: ("TM", "10:11:xx")},
        {0x00080022: ("DA", "yesterday")},
        {0x00280030: ("DS", "0,7\\0,8")},
        {0x00080005: ("CS", "KLINGON")},
        {0x00100010: ("PN", "A\\B")},
    ],
)
def test_attributes_that_are_not_needed_or_are_understood_cannot_refuse_a_scan(raw, tmp_path) -> None:
    write_series(tmp_path, STORED, raw=raw)
    ct = read_dicom_files([tmp_path])
    np.testing.assert_array_equal(ct.hu, HU)
    assert ct.spacing == pytest.approx((2.0, 0.7, 0.8))


@pytest.mark.parametrize("tag", [0x00200032, 0x00200037, 0x00280030])
@pytest.mark.parametrize("text", ["abc", "nan\\nan", "1\\2\\3\\4", ""])
def test_what_is_needed_is_named_by_its_attribute(tag, text, tmp_path) -> None:
    write_series(tmp_path, STORED, raw={tag: ("DS", text)})
    with pytest.raises(InputError, match=r"lacks a usable (ImagePosition|ImageOrientation|Pixel)\w+: the file is"):
        read_dicom_files([tmp_path])


def test_files_from_before_the_preamble_are_read_without_an_extension(tmp_path) -> None:
    from LiverLesionCascadeLib.engine.scan.image_io import read_input

    write_series(tmp_path, STORED, names=[f"I{n:03}" for n in range(COUNT)], bare=True)
    assert b"DICM" not in (tmp_path / "I000").read_bytes()[:200]
    np.testing.assert_array_equal(read_dicom_files([tmp_path]).hu, HU)
    np.testing.assert_array_equal(read_input(sorted(tmp_path.iterdir())).hu, HU)


def test_a_stray_image_of_another_size_takes_no_slice_away(tmp_path) -> None:
    write_series(tmp_path, STORED, "1.2.1")
    write_slice(tmp_path / "shot", STORED[0][:20, :20], (0.0, 0.0, 500.0), "1.2.1")
    ct = read_dicom_files([tmp_path])
    np.testing.assert_array_equal(ct.hu, HU)
    assert any("shot" in note.message for note in ct.notes)


def mixed(folder: Path, **tags: str) -> Path:
    """A series whose fourth image has other attributes than the rest."""
    write_series(folder, STORED, PatientID="a", FrameOfReferenceUID="1.2.8")
    image = sorted(folder.iterdir())[3]
    dataset = pydicom.dcmread(image)
    for name, text in tags.items():
        setattr(dataset, name, text)
    dataset.save_as(image)
    return image


def test_images_of_two_patients_are_no_scan_and_are_named_without_their_identities(tmp_path) -> None:
    image = mixed(tmp_path, PatientID="secret")
    with pytest.raises(InputError, match="mixes images of 2 patients") as caught:
        read_dicom_files([tmp_path])
    assert image.name in str(caught.value) and "secret" not in str(caught.value)
    mixed(tmp_path / "emptied", PatientID="")
    np.testing.assert_array_equal(read_dicom_files([tmp_path / "emptied"]).hu, HU)


def test_slices_of_two_frames_of_reference_are_a_remark(tmp_path) -> None:
    mixed(tmp_path, FrameOfReferenceUID="1.2.9")
    ct = read_dicom_files([tmp_path])
    np.testing.assert_array_equal(ct.hu, HU)
    assert "frames_of_reference" in [each.code for each in ct.notes]
