"""What a training goes on from, damaged: each is named with what to do, and none is taken for what it is not."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from fixtures.dicom_files import write_series
from fixtures.lits_phantoms import phantom_case, write_case
from fixtures.tiny_recipe import tiny_recipe
from LiverLesionCascadeLib.cli import EXIT_CODES, main
from LiverLesionCascadeLib.engine.errors import InputError, OutputError
from LiverLesionCascadeLib.engine.model import bundle
from LiverLesionCascadeTrainingLib import recipes
from LiverLesionCascadeTrainingLib.bundles import export
from LiverLesionCascadeTrainingLib.datasets.cases import find_splits
from LiverLesionCascadeTrainingLib.datasets.prepare import prepare
from LiverLesionCascadeTrainingLib.datasets.prepared import open_dataset
from LiverLesionCascadeTrainingLib.layouts.dicom_seg import find_dicom
from LiverLesionCascadeTrainingLib.layouts.slicer_folder import find_slicer
from LiverLesionCascadeTrainingLib.runs.run_folder import RunFolder, RunStatus
from LiverLesionCascadeTrainingLib.slices import slice_store
from LiverLesionCascadeTrainingLib.slices.slice_store import open_store
from LiverLesionCascadeTrainingLib.training.cascade_training import CascadeTraining
from LiverLesionCascadeTrainingLib.training.checkpoint import (
    DamagedError,
    TrainingError,
    UnwritableError,
)

CPU = torch.device("cpu")
HU, LABELS = phantom_case(1, slices=4, side=16)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    for seed, split in ((1, "train"), (2, "train"), (3, "val")):
        write_case(folder / split, str(seed), *phantom_case(seed))
    return folder


def training_in(folder, data) -> CascadeTraining:
    cases = find_splits([data / "train"], [data / "val"])
    return CascadeTraining(folder, tiny_recipe(1), cases, CPU, lambda line: None)


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04", b"\x80\x02}q\x00.", b"\x80\x04\x95" + bytes(40), b"x" * 1000, b"\x80\x02U\xff" + b"\xff" * 99],
)
def test_a_damaged_checkpoint_is_named_with_what_to_do(content, data, tmp_path):
    training = training_in(tmp_path / "run", data)
    training.prepare()
    folder = tmp_path / "run" / "liver"
    folder.mkdir()
    (folder / "last.pt").write_bytes(content)
    for use in (lambda: training.load("liver"), lambda: training.run("liver")):
        with pytest.raises(TrainingError, match="last.pt is damaged.*delete it"):
            use()


def test_a_checkpoint_of_another_content_is_named_with_what_to_do(data, tmp_path):
    training = training_in(tmp_path / "run", data)
    training.prepare()
    (tmp_path / "run" / "liver").mkdir()
    for state in ({"step": "x"}, [1], {"step": 9, "average": {}, "network": {"a": torch.zeros(1)}}, {"step": 1}):
        torch.save(state, tmp_path / "run" / "liver" / "last.pt")
        with pytest.raises(TrainingError, match="damaged or of another version"):
            training.run("liver")
        with pytest.raises(TrainingError, match="damaged or of another version"):
            training.load("liver")


def test_damaged_slices_and_descriptions_of_a_run_are_named_with_what_to_do(data, tmp_path):
    training_in(tmp_path / "run", data).prepare()
    store = tmp_path / "run" / "slices" / "train-liver"
    whole = {path: path.read_bytes() for path in store.iterdir()}
    for path, content in whole.items():
        for changed in (b"", content[: len(content) // 2], b"\xff" + content[1:]):
            path.write_bytes(changed)
            with pytest.raises(InputError, match="damaged.*delete that folder"):
                open_store(store)
        path.write_bytes(content)
    open_store(store)
    for name in ("recipe.json", "cases.json"):
        (tmp_path / "run" / name).write_bytes(b"\xff{")
        with pytest.raises(InputError, match=f"{name} cannot be read"):
            training_in(tmp_path / "run", data)
        (tmp_path / "run" / name).unlink()


@pytest.mark.parametrize(
    "changes",
    [
        {"spacing_mm": [1, 0, 1]}, {"spacing_mm": "abc"}, {"shape": [1, 2]}, {"ijk_to_lps": [[1]]},
        {"liver_slices": [99]}, {"slice_numbers": [1]}, {"lesions_mm": ["x"]}, {"hu_range": None}, {"warnings": ["a"]},
    ],
    ids=str,
)  # fmt: skip
def test_a_damaged_description_of_a_prepared_case_is_named(changes, data, tmp_path):
    prepare([data / "train"], tmp_path / "out", share=0.5)
    case = open_dataset(tmp_path / "out").cases[0]
    path = case.folder / "case.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    for use in (case.record, case.load, case.read, lambda: case.identity):
        with pytest.raises(InputError, match="incomplete or damaged: prepare the data again"):
            use()


def test_a_prepared_case_lies_in_its_data_set(data, tmp_path):
    prepare([data / "train"], tmp_path / "out", share=0.5)
    path = tmp_path / "out" / "dataset.json"
    content = json.loads(path.read_text())
    for name in ("../../elsewhere", "/etc", "a/b", 7):
        content["cases"][0]["name"] = name
        path.write_text(json.dumps(content))
        with pytest.raises(InputError, match="damaged"):
            open_dataset(tmp_path / "out")


@pytest.mark.parametrize(("key", "text"), [("Layer", "x"), ("Layer", "-1"), ("Layer", "7"), ("LabelValue", "1e-300")])
def test_a_segment_in_no_layer_or_of_no_value_is_named(key, text, tmp_path):
    for name, array in (("a.nrrd", HU.astype(np.int16)), ("a.seg.nrrd", LABELS)):
        image = sitk.GetImageFromArray(array)
        if name == "a.seg.nrrd":
            for field, value in {"ID": "s", "Name": "Liver", "Layer": "0", "LabelValue": "1", key: text}.items():
                image.SetMetaData(f"Segment0_{field}", value)
        sitk.WriteImage(image, str(tmp_path / name))
    (case,) = find_slicer(tmp_path).cases
    with pytest.raises(InputError, match="segment 0 .*save the segmentation again"):
        case.read()


def test_a_dicom_file_that_says_nothing_of_itself_is_a_problem_and_not_passed_over(tmp_path):
    write_series(tmp_path / "ct", (HU + 1024).clip(0).astype(np.uint16))
    (tmp_path / "seg.dcm").write_bytes(bytes(15))
    (problem,) = find_dicom(tmp_path).problems
    assert "seg.dcm is truncated or damaged" in problem.message


@pytest.mark.parametrize(
    "changes",
    [
        {"pid": "x"}, {"pid": 1 << 40}, {"pid": -1}, {"step": 1.5}, {"updated": "now"}, {"updated": float("inf")},
        {"updated": float("nan")}, {"seconds_left": 10**400},
        {"state": 1}, {"job": ["liver"]}, {"seconds_left": "soon"}, {"message": {}}, {"steps": True},
    ],
    ids=str,
)  # fmt: skip
def test_a_status_with_a_value_that_is_none_is_no_status(changes, tmp_path):
    run = RunFolder(tmp_path)
    run.write_status(RunStatus(pid=7, state="training"))
    assert run.status() == RunStatus(pid=7, state="training")
    (tmp_path / "status.json").write_text(json.dumps(RunStatus(pid=7, state="training").__dict__ | changes))
    assert run.status() is None


@pytest.mark.parametrize(
    "content", [b"step,loss\n1,\xff\n", b"step,loss\n1," + b"x" * 200_000 + b"\n", b"\x00\x00\n", b"["]
)
def test_a_damaged_log_has_no_curves(content, tmp_path):
    (tmp_path / "liver").mkdir()
    (tmp_path / "liver" / "log.csv").write_bytes(content)
    assert len(RunFolder(tmp_path).curves("liver").steps) == 0
    (tmp_path / "status.json").write_bytes(b"[" * 100_000)
    assert RunFolder(tmp_path).status() is None


def test_a_run_folder_that_cannot_be_written_is_one_line_with_what_to_do(data, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(recipes.RECIPES, "compact", tiny_recipe(1))
    (tmp_path / "file").write_bytes(b"")
    words = ["train", str(data / "train"), "--validation", str(data / "val"), "--device", "cpu", "--job", "prepare"]
    assert main([*words, "-o", str(tmp_path / "file" / "run")]) == 5
    assert "file/run cannot be written (Not a directory): make room there" in capsys.readouterr().err

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(slice_store, "NpyWriter", full)
    assert main([*words, "-o", str(tmp_path / "run")]) == 5
    assert "run cannot be written (No space left on device): make room there" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "run").rglob("*.partial")] == []


def test_a_training_that_cannot_go_on_for_its_disk_or_its_checkpoint_says_so_by_its_exit_code():
    codes = {kind: next(EXIT_CODES[each] for each in kind.__mro__ if each in EXIT_CODES) for kind in (
        UnwritableError, DamagedError,
    )}  # fmt: skip
    assert codes == {UnwritableError: 5, DamagedError: 3}


def test_a_bundle_that_cannot_be_written_is_an_output_error_and_the_earlier_one_stays(tmp_path, monkeypatch):
    (tmp_path / "bundle").mkdir()
    training = SimpleNamespace(
        recipe=tiny_recipe(1),
        averaged=lambda job: tiny_recipe(1).model.network(job),
        folder=tmp_path,
        cases={"train": []},
        store=lambda *_: SimpleNamespace(
            names=[], case=np.zeros(0, int), kinds=np.zeros(0, "U6"), lesions_known=np.zeros(0, bool)
        ),
        starts=dict,
    )
    export.export_bundle(training, tmp_path / "bundle", export.default_card("a"))

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle, "write_atomically", full)
    with pytest.raises(OutputError, match="No space left.*make room"):
        export.export_bundle(training, tmp_path / "bundle", export.default_card("b"))
    assert bundle.ModelBundle.load(tmp_path / "bundle").name == "a-own"
