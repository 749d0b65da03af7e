"""Labels that belong to no scan, and masks that lie elsewhere than on the liver, are never passed over silently."""

import json
import shutil

import numpy as np
import pytest
import SimpleITK as sitk
from fixtures.lits_phantoms import phantom_case, write_case, write_lits_folders
from LiverLesionCascadeLib.cli import main
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeTrainingLib.cases.mask_check import require_on_liver
from LiverLesionCascadeTrainingLib.cases.problems import DataProblems
from LiverLesionCascadeTrainingLib.datasets.added_case import add_case
from LiverLesionCascadeTrainingLib.datasets.cases import find_cases
from LiverLesionCascadeTrainingLib.datasets.prepare import prepare
from LiverLesionCascadeTrainingLib.layouts.lits import find_lits
from LiverLesionCascadeTrainingLib.layouts.msd import find_msd


@pytest.fixture
def lits(tmp_path):
    return write_lits_folders(tmp_path)[0]


def test_a_label_without_its_volume_is_a_problem_of_that_case(lits, tmp_path):
    (lits / "volume-2.nii.gz").unlink()
    with pytest.raises(DataProblems, match=r"case 2: segmentation-2\.nii\.gz has no volume-2\.nii\.gz"):
        prepare([lits], tmp_path / "ds")
    with pytest.raises(DataProblems, match="volume-2"):
        find_cases([lits])
    report = prepare([lits], tmp_path / "ds", skip_problems=True)
    assert any("volume-2" in text for text in report.left_out)


@pytest.mark.parametrize("name", ["Volume-2.nii.gz", "VOLUME-2.NII.GZ", "volume-2.nii"])
def test_a_volume_whose_name_differs_in_capitals_or_ending_is_that_of_its_label(name, lits):
    if name.endswith(".nii"):
        sitk.WriteImage(sitk.ReadImage(str(lits / "volume-2.nii.gz")), str(lits / name))
        (lits / "volume-2.nii.gz").unlink()
    else:
        (lits / "volume-2.nii.gz").rename(lits / name)
    (case,) = [case for case in find_lits(lits).cases if case.name == "2"]
    assert case.files[0].name == name
    assert case.read()[1].any()


def test_two_volumes_of_one_case_are_a_problem(lits):
    shutil.copy(lits / "volume-2.nii.gz", lits / "Volume-2.nii.gz")
    (problem,) = find_lits(lits).problems
    assert "Volume-2.nii.gz" in problem.message and "volume-2.nii.gz" in problem.message


def test_a_decathlon_label_that_is_not_listed_is_noted(tmp_path):
    for folder in ("imagesTr", "labelsTr"):
        (tmp_path / folder).mkdir()
    for number in (1, 2):
        write_case(tmp_path, str(number), *phantom_case(number))
        (tmp_path / f"volume-{number}.nii.gz").rename(tmp_path / "imagesTr" / f"liver_{number}.nii.gz")
        (tmp_path / f"segmentation-{number}.nii.gz").rename(tmp_path / "labelsTr" / f"liver_{number}.nii.gz")
    listed = {"image": "./imagesTr/liver_1.nii.gz", "label": "./labelsTr/liver_1.nii.gz"}
    description = {"labels": {"0": "background", "1": "liver", "2": "cancer"}, "training": [listed]}
    (tmp_path / "dataset.json").write_text(json.dumps(description))
    (note,) = find_msd(tmp_path).notes
    assert "liver_2.nii.gz is not listed" in note


# Flipped masks


@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (1, 2)])
def test_a_mask_that_is_flipped_against_its_scan_is_told(axes, tmp_path):
    hu, labels = body()
    write_case(tmp_path, "1", hu, np.flip(labels, axes))
    write_case(tmp_path, "2", hu + 1, labels)
    with pytest.raises(DataProblems, match="case 1: .*the mask is flipped against the scan"):
        prepare([tmp_path], tmp_path / "ds")
    with pytest.raises(InputError, match="flipped"):
        add_case(tmp_path / "added", "x", hu, np.flip(labels, axes), np.diag([5.0, 5.0, 4.0, 1.0]))
    (good,) = [case for case in find_lits(tmp_path).cases if case.name == "2"]
    good.read()


def test_evaluation_does_not_measure_against_a_flipped_reference(tmp_path, capsys):
    from fixtures.small_bundle import write_tiny_bundle

    hu, labels = body()
    write_case(tmp_path / "cases", "1", hu, labels[::-1])
    bundle = write_tiny_bundle(tmp_path / "bundle")
    assert main(["evaluate", str(tmp_path / "cases"), "--bundle", str(bundle), "--device", "cpu"]) == 3
    assert "flipped" in capsys.readouterr().err


def body() -> tuple[np.ndarray, np.ndarray]:
    """A body with a spine, bowel gas, and a liver that lies on one side, high and to the front, with lesions."""
    random = np.random.default_rng(0)
    k, j, i = np.indices((24, 64, 64))
    inside = ((j - 32) / 28) ** 2 + ((i - 32) / 30) ** 2 < 1
    hu = np.where(inside, 40.0, -1000.0)
    hu[((j - 52) / 6) ** 2 + ((i - 32) / 6) ** 2 < 1] = 400
    hu[:10][(((j - 20) / 9) ** 2 + ((i - 34) / 14) ** 2 < 1)[:10]] = -800
    hu[16:][(inside & (np.abs(i - 32) > 8))[16:] & (((j - 34) / 20) ** 2 < 1)[16:]] = -850
    liver = ((k - 14) / 7) ** 2 + ((j - 26) / 14) ** 2 + ((i - 20) / 14) ** 2 < 1
    hu[liver] = 110
    labels = liver.astype(np.uint8)
    lesion = ((k - 14) / 3) ** 2 + ((j - 26) / 4) ** 2 + ((i - 20) / 4) ** 2 < 1
    hu[lesion], labels[lesion] = 20, 2
    return hu + random.normal(0, 25, hu.shape), labels


def test_a_mask_on_air_or_bone_is_another_scans():
    hu, labels = body()
    elsewhere = np.zeros_like(labels)
    elsewhere[18:, 25:40, 10:20] = 1
    with pytest.raises(InputError, match="lie on air, fat or bone"):
        require_on_liver(np.where(elsewhere > 0, -850.0, hu), elsewhere)


def test_livers_with_noise_lesions_metal_and_without_symmetry_are_no_flips():
    hu, labels = body()
    random = np.random.default_rng(1)
    require_on_liver(hu + random.normal(0, 60, hu.shape), labels)
    hu[13:15, 20:24, 16:20] = 3000
    require_on_liver(hu, labels)
    require_on_liver(hu, (labels == 2).astype(np.uint8))
