"""``prepare``: labelled scans of every layout become one data set; all that is wrong is said at once."""

import errno
import json
import os
import shutil
from collections import defaultdict
from dataclasses import asdict

import numpy as np
import pytest
import SimpleITK as sitk
from filelock import FileLock
from fixtures.dicom_files import body_phantom, write_series
from fixtures.dicom_seg_files import Segment, write_segmentation
from fixtures.lits_phantoms import phantom_case, write_case, write_lits_folders
from fixtures.tiny_recipe import tiny_recipe
from LiverLesionCascadeLib.cli import main
from LiverLesionCascadeLib.engine.errors import InputError, OutputError
from LiverLesionCascadeTrainingLib import recipes
from LiverLesionCascadeTrainingLib.cases.problems import DataProblems
from LiverLesionCascadeTrainingLib.datasets.cases import find_cases, find_splits
from LiverLesionCascadeTrainingLib.datasets.dataset_report import data_report
from LiverLesionCascadeTrainingLib.datasets.prepare import find_sources, prepare
from LiverLesionCascadeTrainingLib.datasets.prepared import open_dataset


@pytest.fixture
def lits(tmp_path):
    return write_lits_folders(tmp_path / "lits")


def write_msd(folder, seeds=(1, 2), labels=None, spare=()):
    """A Decathlon task: the files of LiTS phantoms under its names, ``spare`` listed but missing."""
    for seed in seeds:
        write_case(folder, str(seed), *phantom_case(seed))
        for kind, place in (("volume", "imagesTr"), ("segmentation", "labelsTr")):
            (folder / place).mkdir(exist_ok=True)
            (folder / f"{kind}-{seed}.nii.gz").rename(folder / place / f"liver_{seed}.nii.gz")
    listed = [f"liver_{seed}.nii.gz" for seed in (*seeds, *spare)]
    description = {
        "name": "Liver",
        "labels": labels or {"0": "background", "1": "liver", "2": "cancer"},
        "training": [{"image": f"./imagesTr/{name}", "label": f"./labelsTr/{name}"} for name in listed],
    }
    (folder / "dataset.json").write_text(json.dumps(description))
    return folder


def write_dicom_study(folder, patient="P1"):
    stored = body_phantom()
    uid = write_series(folder / "ct", stored, PatientID=patient)
    mask = np.zeros(stored.shape, bool)
    mask[5:15, 8:20, 10:24] = True
    positions = [(-100.0, -50.0, 2.0 * n - 30.0) for n in range(len(stored))]
    write_segmentation(folder / "seg.dcm", [Segment("Liver", mask)], uid, positions)


def snapshot(dataset):
    return {path.relative_to(dataset): path.stat().st_mtime_ns for path in (dataset / "cases").rglob("*.npy")}


def test_prepared_cases_are_the_same_as_those_in_their_files(lits, tmp_path):
    prepare([lits[0]], tmp_path / "data")
    prepared = {case.name: case for case in open_dataset(tmp_path / "data").cases}
    for case in find_cases([lits[0]]):
        for cached, original in zip(prepared[case.name].load(), case.load(), strict=True):
            np.testing.assert_array_equal(cached, original)
        ct, labels = prepared[case.name].read()
        original_ct, _ = case.read()
        assert ct.geometry.matches(original_ct.geometry)
        assert (prepared[case.name].patient, prepared[case.name].sparse) == (case.patient, case.sparse)


def test_prepared_arrays_stay_on_disk(lits, tmp_path):
    prepare([lits[0]], tmp_path / "data")
    hu, labels, _ = open_dataset(tmp_path / "data").cases[0].load()
    assert isinstance(hu, np.memmap) and isinstance(labels, np.memmap)
    assert (hu.dtype, labels.dtype) == (np.int16, np.uint8)


def test_all_layouts_come_together_in_one_data_set(lits, tmp_path):
    shutil.copytree(lits[1], tmp_path / "mixed")
    write_dicom_study(tmp_path / "mixed" / "dicom")
    report = prepare([write_msd(tmp_path / "msd", (7, 8)), tmp_path / "mixed"], tmp_path / "data", share=0)
    names = [case.name for case in open_dataset(tmp_path / "data").cases]
    assert len(names) == 4 and {"9", "liver_7", "liver_8"} < set(names)
    assert report.splits["train"].cases == 4


def test_decathlon_labels_are_understood_by_their_names(tmp_path):
    folder = write_msd(tmp_path / "msd", labels={"0": "background", "1": "cancer", "2": "liver"})
    labels = find_sources(folder).cases[0].read()[1]
    swapped = phantom_case(1)[1]
    np.testing.assert_array_equal(np.bincount(labels.ravel())[[2, 1]], np.bincount(swapped.ravel())[1:])
    folder = write_msd(tmp_path / "other", labels={"0": "background", "1": "liver", "2": "spleen"})
    with pytest.raises(InputError, match=r"liver_1\.nii\.gz: unknown labels 2 \(spleen\)"):
        find_sources(folder).cases[0].read()


def test_labels_of_the_decathlon_are_ignored_by_their_names(tmp_path):
    folder = write_msd(tmp_path / "msd", seeds=(1,), labels={"0": "background", "1": "liver", "2": "spleen"})
    with pytest.raises(InputError, match=r"unknown labels 2 \(spleen\); prepare with --ignore NAME"):
        find_sources(folder).cases[0].read()
    labels = find_sources(folder, ["SPL*"]).cases[0].read()[1]
    np.testing.assert_array_equal(labels, phantom_case(1)[1] == 1)


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ({"volume-1.nii.gz": {"patient": "a"}}, "describes volume-1.nii.gz, and no case .*, but 1: correct"),
        ({"1": "a", "2": "a"}, "case 1: .* says nothing of a patient in this form: write"),
        ({"01": {"patient": "a"}, "2": {"patient": "a"}}, "describes 01, and no case here is called that"),
    ],
)
def test_what_is_said_of_patients_in_vain_is_a_problem(described, message, tmp_path):
    for seed in (1, 2):
        write_case(tmp_path / "lits", str(seed), *phantom_case(seed, slices=4, side=24))
    (tmp_path / "lits" / "dataset.json").write_text(json.dumps(described))
    for find in (lambda: find_cases([tmp_path / "lits"]), lambda: prepare([tmp_path / "lits"], tmp_path / "data")):
        with pytest.raises(DataProblems, match=message):
            find()


def test_what_is_said_of_cases_elsewhere_or_of_one_that_was_removed_is_no_problem(lits):
    train, _ = lits
    assert find_sources(train).problems == []  # dataset.json beside it
    (train / "dataset.json").write_text(json.dumps({name: {"patient": name} for name in "12345x"}))
    assert find_sources(train).problems == []


def test_a_description_that_trained_before_is_at_most_noted(tmp_path):
    for split, seeds in {"train": (1, 2, 3), "val": (4, 5)}.items():
        for seed in seeds:
            write_case(tmp_path / split, str(seed), *phantom_case(seed, slices=4, side=24))
    pairs = {"1": {"patient": "a"}, "2": {"patient": "a"}, "4": {"patient": "b"}, "9": {"patient": "b"}}
    for folder in (tmp_path / "train", tmp_path / "val", tmp_path):
        (folder / "dataset.json").write_text(json.dumps({**pairs, "3": "scanner A", "volume-7.nii": {"patient": "c"}}))
    for split, notes in (("train", ("4", "9", "volume-7.nii")), ("val", ("1", "2", "9", "volume-7.nii"))):
        found = find_sources(tmp_path / split)
        assert found.problems == []
        said = [note for note in found.notes if "Case 3" not in note]
        assert [f"describes {name}, " in note for name, note in zip(notes, said, strict=True)] == [True] * len(notes)


def test_everything_that_is_wrong_is_said_at_once_by_case(lits, tmp_path):
    train, validation = lits
    hu, labels = phantom_case(20)
    write_case(train, "20", hu[:-1], labels)  # grids differ
    write_case(train, "21", hu + 1, np.zeros_like(labels))  # no liver
    write_case(train, "22", hu + 2, labels * 4)  # unknown labels
    (train / "volume-1.nii.gz").write_bytes(b"not an image")
    (train / "segmentation-2.nii.gz").unlink()
    write_case(train, "23", *phantom_case(9))  # the scan of validation case 9
    write_case(validation, "24", *phantom_case(24))
    write_case(validation, "5", *phantom_case(25))  # the name of a training case
    described = {"4": {"patient": "g4"}, "24": {"patient": "g4"}, "5": {"patient": "p5"}}
    (train.parent / "dataset.json").write_text(json.dumps(described))
    with pytest.raises(DataProblems) as caught:
        prepare([train, tmp_path / "gone"], tmp_path / "data", [validation])
    said = defaultdict(str)
    for problem in caught.value.problems:
        said[problem.case] += problem.message
    for case, text in {
        "20": "not on the scan's grid",
        "21": "the liver is empty",
        "22": "unknown labels 4, 8",
        "1": "volume-1.nii.gz",
        "2": "has no segmentation-2.nii.gz",
        "9": "the same scan as case 23",
        "24": "patient g4 is for validation here and for training in case 4",
        "5": "Case 5 is in",
        "": "does not exist",
    }.items():
        assert text in said[case], said
        assert f"case {case}: " in str(caught.value) or not case
    assert not (tmp_path / "data" / "dataset.json").exists()


def test_cases_with_problems_can_be_left_out_and_are_reported(lits, tmp_path):
    (lits[0] / "volume-1.nii.gz").write_bytes(b"not an image")
    report = prepare([lits[0]], tmp_path / "data", skip_problems=True)
    assert sorted(case.name for case in open_dataset(tmp_path / "data").cases) == ["2", "3", "4", "5"]
    assert len(report.left_out) == 1 and "case 1: volume-1.nii.gz" in report.left_out[0]
    assert "left out: case 1" in report.to_text()


def test_only_what_changed_is_prepared_again(lits, tmp_path):
    train, data = lits[0], tmp_path / "data"
    prepare([train], data)
    before = snapshot(data)
    prepare([train], data)
    assert snapshot(data) == before
    hu, labels = phantom_case(2)
    write_case(train, "2", hu, np.where(labels == 2, 1, labels))
    write_case(train, "30", *phantom_case(30))
    for kind in ("volume", "segmentation"):
        (train / f"{kind}-1.nii.gz").unlink()
    prepare([train], data)
    after = snapshot(data)
    changed = {path.parts[1] for path in after.keys() | before.keys() if after.get(path) != before.get(path)}
    assert changed == {"1", "2", "30"}
    cases = {case.name: case for case in open_dataset(data).cases}
    assert not (cases["2"].load()[1] == 2).any()


def test_half_written_case_of_an_interrupted_preparation_is_made_again(lits, tmp_path):
    def stop(done, of, case):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare([lits[0]], tmp_path / "data", progress=stop)
    shutil.copytree(tmp_path / "data" / "cases" / "1", tmp_path / "data" / "cases" / "3.partial")
    assert prepare([lits[0]], tmp_path / "data").splits["train"].cases == 4
    assert sorted(path.name for path in (tmp_path / "data" / "cases").iterdir()) == ["1", "2", "3", "4", "5"]


def test_full_disk_is_said_and_leaves_the_earlier_data_set(lits, tmp_path, monkeypatch):
    prepare([lits[0]], tmp_path / "data")
    write_case(lits[0], "30", *phantom_case(30))

    def full(self, items):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("LiverLesionCascadeTrainingLib.datasets.npy_file.NpyWriter.append", full)
    with pytest.raises(OutputError, match="the disk is full"):
        prepare([lits[0]], tmp_path / "data")
    assert len(open_dataset(tmp_path / "data").cases) == 5
    assert not list((tmp_path / "data" / "cases").glob("*.partial"))


def test_folder_with_other_things_in_it_is_left_alone(lits, tmp_path):
    (tmp_path / "home" / "cases" / "2").mkdir(parents=True)
    (tmp_path / "home" / "cases" / "2" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="is no part of a prepared data set"):
        prepare([lits[0]], tmp_path / "home")
    described = (lits[0].parent / "dataset.json").read_text()
    with pytest.raises(OutputError, match=r"dataset\.json is no part"):
        prepare([lits[0]], lits[0].parent)
    assert (tmp_path / "home" / "cases" / "2" / "notes.txt").read_text() == "mine"
    assert (lits[0].parent / "dataset.json").read_text() == described


def test_two_preparations_of_one_folder_do_not_mix(lits, tmp_path):
    def again(done, of, case):
        if done == 1:
            with pytest.raises(OutputError, match="another process"):
                prepare([lits[0]], tmp_path / "data")

    assert prepare([lits[0]], tmp_path / "data", progress=again).splits["train"].cases


@pytest.mark.parametrize("error", [NotImplementedError(), OSError(errno.ENOLCK, "No locks available")])
def test_on_a_disk_without_locks_data_are_prepared_all_the_same(error, lits, tmp_path, monkeypatch):
    def none(self, *_, **__):
        raise error

    monkeypatch.setattr(FileLock, "acquire", none)
    assert prepare([lits[1]], tmp_path / "data").splits["train"].cases == 1


def test_patients_keep_their_split_when_cases_are_added(lits, tmp_path):
    data = tmp_path / "data"
    prepare([lits[0]], data, share=0.5, seed=3)
    before = {case.patient: split for split, cases in open_dataset(data).splits.items() for case in cases}
    for number in range(40, 46):
        write_case(lits[0], str(number), *phantom_case(number))
    prepare([lits[0]], data, share=0.5, seed=3)
    after = {case.patient: split for split, cases in open_dataset(data).splits.items() for case in cases}
    assert {patient: after[patient] for patient in before} == before
    assert sorted(after.values()) == ["train"] * 5 + ["validation"] * 5


@pytest.mark.parametrize("by", ["folder", "label"])
def test_validation_is_never_drawn_from_patients_in_whom_nobody_has_looked_for_lesions(by, tmp_path):
    for seed in (1, 2, 3, 4):
        write_case(tmp_path / "lits", str(seed), *phantom_case(seed, slices=4, side=24))
    for seed in range(11, 19):
        hu, labels = phantom_case(seed, lesion=False, slices=4, side=24)
        write_case(tmp_path / "livers", str(seed), hu, labels if by == "folder" else 3 * labels)
    livers = [tmp_path / "livers"]
    sources, unknown = ([], livers) if by == "folder" else (livers, [])
    prepare([tmp_path / "lits", *sources], tmp_path / "data", share=0.5, lesions_unknown=unknown)
    splits = open_dataset(tmp_path / "data").splits
    assert {case.name for case in splits["train"]} >= {str(seed) for seed in range(11, 19)}
    assert len(splits["validation"]) == 2


def test_patients_keep_their_split_though_they_would_not_be_drawn_for_validation_any_more(tmp_path):
    for seed in (1, 2, 3, 4):
        write_case(tmp_path / "lits", str(seed), *phantom_case(seed, slices=4, side=24))
        hu, labels = phantom_case(10 + seed, lesion=False, slices=4, side=24)
        write_case(tmp_path / "livers", str(10 + seed), hu, labels)
    prepare([tmp_path / "lits", tmp_path / "livers"], tmp_path / "data", share=0.5)
    before = open_dataset(tmp_path / "data").splits
    prepare([tmp_path / "lits"], tmp_path / "data", share=0.5, lesions_unknown=[tmp_path / "livers"])
    after = open_dataset(tmp_path / "data").splits
    for split, cases in before.items():
        assert [case.name for case in after[split]] == [case.name for case in cases]
    assert any(int(case.name) > 10 for case in after["validation"])


def test_a_case_of_other_slices_than_are_described_is_named_and_can_be_left_out(tmp_path):
    for seed in (1, 2):
        write_case(tmp_path / "lits", str(seed), *phantom_case(seed, slices=4, side=24))
    (tmp_path / "lits" / "dataset.json").write_text(json.dumps({"1": {"source_slice_index": [1, 2, 3]}}))
    with pytest.raises(DataProblems, match="case 1: it has 4 slices, but 3 numbers"):
        prepare([tmp_path / "lits"], tmp_path / "data", share=0.0)
    report = prepare([tmp_path / "lits"], tmp_path / "data", share=0.0, skip_problems=True)
    assert report.splits["train"].cases == 1


def test_report_says_what_the_data_set_holds(lits, tmp_path):
    report = prepare([lits[0]], tmp_path / "data", [lits[1]])
    train, validation = report.splits["train"], report.splits["validation"]
    assert (train.cases, train.patients, train.lesion_free, train.sparse) == (5, 4, 1, 0)
    assert (validation.cases, validation.lesion_free) == (1, 0)
    assert len(find_cases([tmp_path / "data"])) == train.cases + validation.cases
    labels = [case.load()[1] for case in find_cases([lits[0]])]
    assert train.slices["lesion"] == sum(int((one == 2).any(axis=(1, 2)).sum()) for one in labels)
    assert sum(train.slices.values()) == 60
    assert sum(train.lesions.values()) == 4 and train.lesions["20 mm and more"] == 4
    assert report.pixel_mm == (5.0, 5.0, 5.0) and report.slice_mm == (4.0, 4.0, 4.0)
    assert report.hu_range[0] < -1000 and report.hu_range[1] > 100
    assert any("12 slices" in warning for warning in report.warnings)
    assert json.loads(json.dumps(asdict(report)))["splits"]["train"]["cases"] == 5
    assert data_report(tmp_path / "data") == report
    assert "train: 5 cases of 4 patients, 1 without a lesion" in report.to_text()


def test_report_warns_of_lesions_apart_from_the_liver_and_of_splits_without_any(tmp_path):
    hu, labels = phantom_case(1)
    labels[labels == 2] = 1
    write_case(tmp_path / "in", "2", hu + 1, labels.copy())
    labels[0:2, 60:62, 60:62] = 2
    write_case(tmp_path / "in", "1", hu, labels)
    write_case(tmp_path / "val", "3", hu + 2, np.minimum(labels, 1))
    warnings = prepare([tmp_path / "in"], tmp_path / "data", [tmp_path / "val"]).warnings
    assert "case 1: 1 of 1 lesions lies apart from the liver: check that they are lesions of the liver." in warnings
    assert "No case for validation shows a lesion." in warnings


def test_prepared_data_set_brings_its_own_split_to_training(lits, tmp_path):
    data = tmp_path / "data"
    prepare([lits[0]], data, [lits[1]])
    splits = find_splits([data])
    assert [case.name for case in splits["train"]] == ["1", "2", "3", "4", "5"]
    assert [case.name for case in splits["validation"]] == ["9"]
    assert [case.name for case in find_cases([data], "validation")] == ["9"]
    assert [case.name for case in find_splits([lits[0]], [data])["validation"]] == ["9"]
    assert find_splits([data], [lits[1]])["validation"][0].load()[0].shape == (12, 64, 64)


def test_command_trains_on_a_prepared_data_set(lits, tmp_path, monkeypatch):
    prepare([lits[0]], tmp_path / "data", [lits[1]])
    monkeypatch.setitem(recipes.RECIPES, "compact", tiny_recipe())
    run = tmp_path / "run"
    assert main(["train", str(tmp_path / "data"), "-o", str(run), "--job", "liver", "--device", "cpu"]) == 0
    cases = json.loads((run / "cases.json").read_text())
    assert [case[0] for case in cases["validation"]] == ["9"] and len(cases["train"]) == 5
    assert (run / "liver" / "last.pt").is_file()


def test_training_without_anything_to_validate_on_is_refused(lits, tmp_path):
    prepare([lits[0]], tmp_path / "data", share=0)
    with pytest.raises(InputError, match="no case for validation"):
        find_splits([tmp_path / "data"])


def test_run_notices_that_a_prepared_case_has_other_labels(lits, tmp_path):
    prepare([lits[0]], tmp_path / "data", share=0)
    before = [case.identity for case in find_cases([tmp_path / "data"])]
    hu, labels = phantom_case(2)
    write_case(lits[0], "2", hu, np.where(labels == 2, 1, labels))
    prepare([lits[0]], tmp_path / "data", share=0)
    after = [case.identity for case in find_cases([tmp_path / "data"])]
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True, True, True]


def test_damaged_data_set_is_named(lits, tmp_path):
    data = tmp_path / "data"
    prepare([lits[0]], data)
    (data / "cases" / "2" / "hu.npy").write_bytes(b"")
    with pytest.raises(InputError, match="incomplete or damaged"):
        next(case for case in open_dataset(data).cases if case.name == "2").load()
    shutil.rmtree(data / "cases" / "2")
    with pytest.raises(InputError, match="lacks cases that it lists"):
        find_cases([data])
    with pytest.raises(InputError, match="is a prepared data set already"):
        find_sources(data)


@pytest.mark.parametrize(
    "change", [{"liver_slices": [True]}, {"lesion_slices": [1.0]}, {"shape": [10**12, 8, 8]}, {"liver_slices": [-1]}]
)
def test_a_record_that_no_preparation_writes_is_named(lits, tmp_path, change):
    prepare([lits[0]], tmp_path)
    path = tmp_path / "cases" / "2" / "case.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match="incomplete or damaged"):
        for case in open_dataset(tmp_path).cases:
            case.load()


def test_a_case_with_a_name_that_no_file_can_have_is_missing(lits, tmp_path):
    prepare([lits[0]], tmp_path)
    path = tmp_path / "dataset.json"
    content = json.loads(path.read_text())
    content["cases"][0]["name"] = "0" * 500
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="lacks cases that it lists"):
        open_dataset(tmp_path)


def test_folder_without_labelled_scans_says_what_is_looked_for(tmp_path):
    with pytest.raises(InputError, match="holds no labelled scans.*LiTS.*Decathlon.*seg.nrrd.*DICOM SEG"):
        find_sources(tmp_path)


def test_listed_but_missing_decathlon_files_are_named(tmp_path):
    found = find_sources(write_msd(tmp_path, spare=("3",)))
    assert [problem.case for problem in found.problems] == ["liver_3"]
    assert f"imagesTr{os.sep}liver_3.nii.gz" in found.problems[0].message


def test_command_prepares_and_prints_the_report(lits, tmp_path, capsys):
    command = ["prepare", str(lits[0]), "--validation", str(lits[1]), "-o", str(tmp_path / "data"), "--json"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["splits"]["validation"]["cases"] == 1
    (lits[0] / "volume-1.nii.gz").write_bytes(b"not an image")
    assert main(command) == 3
    assert "case 1: volume-1.nii.gz" in capsys.readouterr().err
    assert main([*command, "--skip-problems"]) == 0


def test_folders_whose_lesions_nobody_labelled_give_livers_and_say_so(lits, tmp_path):
    hu, labels = phantom_case(19)
    write_case(tmp_path / "livers", "19", hu, np.minimum(labels, 1))
    report = prepare([lits[0]], tmp_path / "data", [lits[1]], lesions_unknown=[tmp_path / "livers"])
    assert report.splits["train"].lesions_unknown == 1
    assert "1 with the liver alone" in report.to_text()
    case = next(case for case in open_dataset(tmp_path / "data").splits["train"] if case.name == "19")
    stored = case.load()[1]
    assert set(np.unique(stored)) == {0, 3} and ((stored == 3) == (labels > 0)).all()
    # Without the option it is another case: one without lesions.
    prepare([lits[0], tmp_path / "livers"], tmp_path / "data", [lits[1]])
    assert set(np.unique(case.load()[1])) == {0, 1}


def test_labelled_lesions_are_not_thrown_away_by_saying_that_they_are_unknown(lits, tmp_path):
    with pytest.raises(DataProblems, match="said to be unknown"):
        prepare([lits[1]], tmp_path / "data", lesions_unknown=[lits[0]])


def test_a_single_slice_can_be_read_from_a_prepared_data_set(tmp_path):
    hu, labels = phantom_case(4)
    middle = slice(6, 7)
    write_case(tmp_path / "lits", "4", hu[middle], labels[middle])
    (tmp_path / "dataset.json").write_text(json.dumps({"4": {"slice_index": [6]}}))
    prepare([tmp_path / "lits"], tmp_path / "data", share=0.0)
    ct, read = open_dataset(tmp_path / "data").cases[0].read()
    np.testing.assert_array_equal(ct.hu, hu[middle].astype(np.int16))
    np.testing.assert_array_equal(read, labels[middle])


@pytest.mark.parametrize("numbers", [5, "12", ["1", "2"], {"0": 1}, [True], [3, 3, 4], [9, 8, 7]])
def test_slice_numbers_that_are_none_are_named(numbers, tmp_path):
    write_case(tmp_path / "lits", "4", *phantom_case(4))
    (tmp_path / "dataset.json").write_text(json.dumps({"4": {"source_slice_index": numbers}}))
    with pytest.raises(DataProblems, match="source_slice_index of 4"):
        prepare([tmp_path / "lits"], tmp_path / "data", share=0.0)


def test_positions_of_a_selection_of_slices_survive_preparation(tmp_path):
    write_case(tmp_path / "lits", "4", *phantom_case(4))
    slices = phantom_case(4)[0].shape[0]
    numbers = [2 * i + 5 for i in range(slices)]
    (tmp_path / "dataset.json").write_text(json.dumps({"4": {"patient": "a", "source_slice_index": numbers}}))
    source = find_cases([tmp_path / "lits"])[0]
    prepare([tmp_path / "lits"], tmp_path / "data", share=0.0)
    prepared = open_dataset(tmp_path / "data").cases[0]
    for case in (source, prepared):
        np.testing.assert_array_equal(case.positions_mm(slices, 1.5), np.asarray(numbers) * 1.5)
    with pytest.raises(InputError, match="numbers of slices"):
        source.positions_mm(slices + 1, 1.5)


def test_a_selection_of_slices_is_reported_as_it_lay_in_the_scan(tmp_path):
    hu, labels = phantom_case(3, slices=36, side=32)
    chosen = list(range(0, 36, 3))
    write_case(tmp_path / "whole", "1", hu, labels, spacing=(5.0, 5.0, 1.0))
    write_case(tmp_path / "chosen", "1", hu[chosen], labels[chosen], spacing=(5.0, 5.0, 1.0))
    (tmp_path / "chosen" / "dataset.json").write_text(json.dumps({"1": {"source_slice_index": chosen}}))
    whole, report = (prepare([tmp_path / name], tmp_path / f"{name}-data", share=0) for name in ("whole", "chosen"))
    assert report.slice_mm == (3.0, 3.0, 3.0)
    (record,), (other,) = (
        [case.record() for case in open_dataset(tmp_path / f"{name}-data").cases] for name in ("chosen", "whole")
    )
    assert record.spacing_mm == other.spacing_mm  # what networks see of it does not change
    assert record.lesions_mm == pytest.approx(other.lesions_mm, rel=0.2)
    assert report.splits["train"].lesions == whole.splits["train"].lesions


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd"])
def test_the_numbers_of_slices_are_turned_with_a_scan_that_is_stored_from_head_to_feet(tmp_path, suffix):
    hu, labels = phantom_case(3)
    numbers = [0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 20, 35]
    write_case(tmp_path / "up", "1", hu, labels)
    (tmp_path / "down").mkdir()
    for kind, array in (("volume", hu.astype(np.int16)), ("segmentation", labels)):
        image = sitk.GetImageFromArray(array[::-1].copy())
        image.SetSpacing((5.0, 5.0, 4.0))
        image.SetDirection((1, 0, 0, 0, 1, 0, 0, 0, -1))
        sitk.WriteImage(image, str(tmp_path / "down" / f"{kind}-1{suffix}"))
    for name, listed in (("up", numbers), ("down", [35 - number for number in reversed(numbers)])):
        (tmp_path / name / "dataset.json").write_text(json.dumps({"1": {"source_slice_index": listed}}))
    up, down = (find_cases([tmp_path / name])[0] for name in ("up", "down"))
    np.testing.assert_array_equal(down.load()[0], up.load()[0])
    np.testing.assert_array_equal(down.positions_mm(12, 4.0), up.positions_mm(12, 4.0))
