"""DICOM CT with DICOM SEG as training cases."""

import shutil

import numpy as np
import pydicom
import pytest
from fixtures.closed_folder import close_folder
from fixtures.dicom_files import body_phantom, write_series
from fixtures.dicom_seg_files import Segment, write_segmentation
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeTrainingLib.layouts.dicom_seg import find_dicom

SHAPE = (24, 32, 40)
POSITIONS = [(-100.0, -50.0, 2.0 * n - 30.0) for n in range(SHAPE[0])]
LIVER = ("10200004", "SCT", "Liver")
MASS = ("4147007", "SCT", "Mass")


def box(*slices: slice) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[slices] = True
    return mask


ORGAN = box(slice(5, 15), slice(8, 20), slice(10, 24))
LESION = box(slice(7, 9), slice(10, 13), slice(12, 17))
EXPECTED = np.where(LESION, 2, ORGAN).astype(np.uint8)
CODED = [Segment("A", ORGAN, LIVER), Segment("B", LESION, MASS)]


def write_study(folder, segments=None, uid=None, seed=0, **options) -> str:
    uid = write_series(folder / "ct", body_phantom(seed=seed), uid, PatientID=options.get("patient", "P1"))
    options = {"series_uid": uid, "positions": POSITIONS, **options}
    write_segmentation(folder / "seg.dcm", segments or CODED, **options)
    return uid


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
@pytest.mark.parametrize("keep_empty", [False, True])
def test_every_kind_of_segmentation_is_read_onto_the_scan(tmp_path, kind, keep_empty):
    segments = [CODED[0], CODED[1]]
    write_study(tmp_path, segments, kind=kind, keep_empty=keep_empty, shuffle=True)
    found = find_dicom(tmp_path)
    assert not found.problems
    ct, labels = found.cases[0].read()
    np.testing.assert_array_equal(labels, EXPECTED)
    np.testing.assert_array_equal(ct.hu, body_phantom().astype(int) - 1024)


def test_segments_without_codes_are_known_by_name(tmp_path):
    write_study(tmp_path, [Segment("Liver", ORGAN), Segment("Liver tumor 1", LESION)])
    np.testing.assert_array_equal(find_dicom(tmp_path).cases[0].read()[1], EXPECTED)


def test_older_snomed_codes_are_known(tmp_path):
    old = [Segment("A", ORGAN, ("T-62000", "SRT", "Liver")), Segment("B", LESION, ("M-8FFFF", "SRT", "Neoplasm"))]
    write_study(tmp_path, old)
    np.testing.assert_array_equal(find_dicom(tmp_path).cases[0].read()[1], EXPECTED)


def test_cropped_and_flipped_frames_are_placed_by_their_position(tmp_path):
    uid = write_series(tmp_path / "ct", body_phantom())
    cut = [Segment(s.label, s.mask[:, 6:21, 8:29][:, ::-1, ::-1], s.type_code) for s in CODED]
    # Packed frames of 315 pixels begin in the middle of a byte.
    # First pixel: the last row and column of the crop; both axes run backwards.
    corner = [(x + 28 * 0.8, y + 20 * 0.7, z) for x, y, z in POSITIONS]
    write_segmentation(tmp_path / "seg.dcm", cut, uid, corner, orientation=(-1, 0, 0, 0, -1, 0))
    np.testing.assert_array_equal(find_dicom(tmp_path).cases[0].read()[1], EXPECTED)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"positions": [(x + 0.4, y, z) for x, y, z in POSITIONS]}, "segment 'A' is not on the scan's grid"),
        ({"positions": [(x, y, z + 40) for x, y, z in POSITIONS]}, "segment 'A' reaches beyond the scan"),
        ({"spacing": (0.7, 0.7)}, "segment 'A' is not on the scan's grid"),
    ],
)
def test_segmentation_on_another_grid_is_refused(tmp_path, change, message):
    write_study(tmp_path, **change)
    with pytest.raises(InputError, match=message):
        find_dicom(tmp_path).cases[0].read()


def test_lesion_of_another_organ_is_no_lesion_of_the_liver(tmp_path):
    kidney = ("64033007", "SCT", "Kidney")
    write_study(tmp_path, [CODED[0], Segment("Lesion", LESION, MASS, region_code=kidney)])
    with pytest.raises(InputError, match="unknown labels: segments 'Lesion'"):
        find_dicom(tmp_path).cases[0].read()
    labels = find_dicom(tmp_path, ignore=("les*",)).cases[0].read()[1]
    np.testing.assert_array_equal(labels, ORGAN)


def test_each_segmentation_finds_its_series_among_several(tmp_path):
    write_study(tmp_path / "one", patient="P1")
    write_study(tmp_path / "two", patient="P2", seed=1)
    write_study(tmp_path / "three", patient="P2", seed=2)
    cases = find_dicom(tmp_path).cases
    assert len({case.name for case in cases}) == 3
    assert len({case.patient for case in cases}) == 2
    assert {case.files[1].parent.parent == case.files[0].parent for case in cases} == {True}


def test_neither_name_nor_patient_of_a_case_shows_the_patients_identity(tmp_path):
    write_study(tmp_path, patient="Mustermann-1970")
    case = find_dicom(tmp_path).cases[0]
    assert "Mustermann" not in case.name + case.patient


def test_missing_series_second_segmentation_and_damaged_files_are_all_named(tmp_path):
    uid = write_study(tmp_path)
    write_segmentation(tmp_path / "again.dcm", CODED, uid, POSITIONS)
    write_segmentation(tmp_path / "orphan.dcm", CODED, "1.2.3.4", POSITIONS)
    (tmp_path / "damaged.dcm").write_bytes(b"\0" * 128 + b"DICMxx")
    found = find_dicom(tmp_path)
    messages = "\n".join(str(problem) for problem in found.problems)
    assert len(found.cases) == 1 and len(found.problems) == 3
    for text in ("two segmentations", "orphan.dcm refers to is not in", "damaged.dcm is truncated or damaged"):
        assert text in messages


def test_a_subfolder_that_cannot_be_listed_is_named(tmp_path, monkeypatch):
    write_study(tmp_path, CODED)
    close_folder(tmp_path / "ct", monkeypatch)
    assert any("ct cannot be read (Permission denied)" in each.message for each in find_dicom(tmp_path).problems)

    shutil.rmtree(tmp_path)
    (tmp_path / "ct").mkdir(parents=True)  # as ``lost+found`` beside scans of another layout
    found = find_dicom(tmp_path)
    assert not found.problems and "Permission denied" in found.notes[0]


def test_truncated_segmentation_is_refused(tmp_path):
    write_study(tmp_path, PixelData=b"\0" * 100)
    with pytest.raises(InputError, match=r"seg\.dcm: pixels are missing"):
        find_dicom(tmp_path).cases[0].read()


def test_wherever_a_segmentation_was_cut_off_it_is_named(tmp_path):
    write_study(tmp_path / "study")
    raw = (tmp_path / "study" / "seg.dcm").read_bytes()
    (tmp_path / "alone").mkdir()
    for keep in range(200, 700, 3):
        (tmp_path / "alone" / "seg.dcm").write_bytes(raw[:keep])
        (problem,) = find_dicom(tmp_path / "alone").problems
        assert "seg.dcm" in str(problem), keep


@pytest.mark.parametrize("representation", [b"QQ", b"S\0"])
def test_a_reference_that_cannot_be_understood_is_no_traceback(tmp_path, representation):
    write_study(tmp_path)
    raw = (tmp_path / "seg.dcm").read_bytes()
    start = b"\x08\0\x15\x11"
    (tmp_path / "seg.dcm").write_bytes(raw.replace(start + b"SQ", start + representation, 1))
    found = find_dicom(tmp_path)
    assert [str(problem) for problem in found.problems if "seg.dcm" in str(problem)]


@pytest.mark.parametrize("position", [[], [1.0], [1.0, 2.0, 3.0, 4.0]])
def test_a_position_that_is_none_is_named(tmp_path, position):
    write_study(tmp_path)
    dataset = pydicom.dcmread(tmp_path / "seg.dcm")
    dataset.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0].ImagePositionPatient = position
    dataset.save_as(tmp_path / "seg.dcm")
    with pytest.raises(InputError, match=r"seg\.dcm.*ImagePositionPatient"):
        find_dicom(tmp_path).cases[0].read()
