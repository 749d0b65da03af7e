"""Training cases: found, read, split by patient, and refused with the case's name."""

import json

import numpy as np
import pytest
from fixtures.lits_phantoms import phantom_case, write_case, write_lits_folders
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeTrainingLib.datasets.cases import find_cases, patient_folds


def test_cases_and_their_patients_are_found(tmp_path):
    train, _ = write_lits_folders(tmp_path)
    cases = {case.name: case for case in find_cases([train])}
    assert sorted(cases) == ["1", "2", "3", "4", "5"]
    assert cases["4"].patient == cases["5"].patient == "g4"
    assert cases["1"].patient == "p1" and not cases["1"].sparse


def test_single_slices_are_known_by_their_description(tmp_path):
    write_case(tmp_path, "7", *phantom_case(7))
    (tmp_path / "dataset.json").write_text(json.dumps({"7": {"slice_index": [3, 9]}}))
    assert find_cases([tmp_path])[0].sparse


def test_case_is_read_in_axial_order_whatever_its_file_order(tmp_path):
    import SimpleITK as sitk

    hu, labels = phantom_case(1)
    write_case(tmp_path, "1", hu, labels)
    expected = find_cases([tmp_path])[0].load()
    for kind in ("volume", "segmentation"):
        path = str(tmp_path / f"{kind}-1.nii.gz")
        sitk.WriteImage(sitk.DICOMOrient(sitk.ReadImage(path), "SAR"), path)
    turned = find_cases([tmp_path])[0].load()
    np.testing.assert_array_equal(turned[0], expected[0])
    np.testing.assert_array_equal(turned[1], expected[1])
    assert turned[2] == pytest.approx((4.0, 5.0, 5.0))


@pytest.mark.parametrize("seed", range(5))
def test_patients_are_never_split_between_folds_and_folds_are_even(tmp_path, seed):
    train, _ = write_lits_folders(tmp_path)
    folds = patient_folds(find_cases([train]), 2, seed)
    assert sorted(folds) == ["g4", "p1", "p2", "p3"]
    assert sorted(folds.values()) == [0, 0, 1, 1]


def test_missing_segmentation_is_named(tmp_path):
    train, _ = write_lits_folders(tmp_path)
    (train / "segmentation-2.nii.gz").unlink()
    with pytest.raises(InputError, match=r"volume-2\.nii\.gz has no segmentation-2"):
        find_cases([train])


def test_case_in_two_folders_is_refused(tmp_path):
    train, _ = write_lits_folders(tmp_path)
    write_case(tmp_path / "more", "2", *phantom_case(2))
    with pytest.raises(InputError, match="Case 2 is in"):
        find_cases([train, tmp_path / "more"])


def test_empty_and_missing_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match="holds no volume-N"):
        find_cases([tmp_path])
    with pytest.raises(InputError, match="does not exist"):
        find_cases([tmp_path / "gone"])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda hu, labels: (hu[:-1], labels), r"segmentation-1\.nii\.gz is not on the scan's grid"),
        (lambda hu, labels: (hu, labels + 5), r"segmentation-1\.nii\.gz: unknown labels 5, 6, 7"),
    ],
)
def test_wrong_label_map_is_refused_with_the_case(tmp_path, damage, message):
    write_case(tmp_path, "1", *damage(*phantom_case(1)))
    with pytest.raises(InputError, match=message):
        find_cases([tmp_path])[0].load()


def test_unreadable_file_is_named(tmp_path):
    train, _ = write_lits_folders(tmp_path)
    (train / "volume-1.nii.gz").write_bytes(b"not an image")
    with pytest.raises(InputError, match="volume-1"):
        find_cases([train])[0].load()
