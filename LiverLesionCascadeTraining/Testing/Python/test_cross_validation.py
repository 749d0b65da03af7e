"""Cross-validation: no network is asked about a patient that it saw; figures, lesions and card come from all folds."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from fixtures.lits_phantoms import phantom_case, write_case, write_lits_folders
from fixtures.tiny_recipe import tiny_recipe
from LiverLesionCascadeLib.cli import main
from LiverLesionCascadeLib.engine.grid.boxed import Boxed
from LiverLesionCascadeLib.engine.measures.lesions import label_lesions, measure_lesions
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
from LiverLesionCascadeLib.engine.model.lesion_filter import LesionFilter
from LiverLesionCascadeLib.engine.passes.presets import PRESETS
from LiverLesionCascadeLib.engine.results.result import SegmentationResult
from LiverLesionCascadeTrainingLib.bundles.export import record_figures
from LiverLesionCascadeTrainingLib.cases.labels import LESIONS_UNKNOWN
from LiverLesionCascadeTrainingLib.datasets.cases import find_cases
from LiverLesionCascadeTrainingLib.evaluation.evaluation import evaluate_case, measure
from LiverLesionCascadeTrainingLib.studies import cross_validation, lesion_filter_fit
from LiverLesionCascadeTrainingLib.studies.cross_validation import (
    CrossValidation,
    fold_cases,
    measure_fold,
    record_cross_validation,
)
from LiverLesionCascadeTrainingLib.studies.found_lesions import FoldMeasures, FoundLesion


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_lits_folders(tmp_path_factory.mktemp("data"))


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr("LiverLesionCascadeTrainingLib.recipes.RECIPES", {"compact": tiny_recipe()})


@pytest.fixture(scope="module")
def run(tmp_path_factory, data):
    """A finished cross-validation on two folds; its folder."""
    folder = tmp_path_factory.mktemp("run") / "cv"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("LiverLesionCascadeTrainingLib.recipes.RECIPES", {"compact": tiny_recipe()})
        assert main(["cross-validate", *map(str, data), "-o", str(folder), "--folds", "2"]) == 0
    return folder


def test_every_patient_is_validated_once_and_never_trained_on_in_that_fold(data):
    cases = find_cases(data)
    folds = fold_cases(cases, 3, 1)
    assert sorted(case.name for fold in folds for case in fold["validation"]) == sorted(case.name for case in cases)
    for fold in folds:
        assert not {case.patient for case in fold["train"]} & {case.patient for case in fold["validation"]}
        assert len(fold["train"]) + len(fold["validation"]) == len(cases)


def test_the_figures_are_of_all_cases(run, data):
    figures = json.loads((run / "cross-validation.json").read_text())
    assert figures["folds"] == 2
    assert {case["name"] for case in figures["cases"]} == {case.name for case in find_cases(data) if not case.sparse}


def test_again_it_trains_nothing_and_gives_the_same(run, data, tiny, monkeypatch, capsys):
    before = (run / "cross-validation.json").read_text()
    steps = []
    monkeypatch.setattr("LiverLesionCascadeTrainingLib.training.trainer.Trainer.train_step", lambda *_: steps.append(1))
    assert main(["cross-validate", *map(str, data), "-o", str(run), "--folds", "2"]) == 0
    assert steps == []
    assert (run / "cross-validation.json").read_text() == before
    assert "Dice" in capsys.readouterr().out


def test_a_single_fold_is_trained_and_nothing_measured(data, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(cross_validation, "segment_case", None)
    words = ["cross-validate", *map(str, data), "-o", str(tmp_path / "cv"), "--folds", "2", "--fold", "1"]
    assert main(words) == 0
    assert [path.name for path in (tmp_path / "cv").iterdir()] == ["fold-1"]
    assert (tmp_path / "cv" / "fold-1" / "bundle" / "weights.pt").is_file()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--folds", "99"), "99 folds"),
        (("--folds", "1"), "1 folds"),
        (("--folds", "2", "--fold", "2"), "no fold 2"),
        (("--folds", "2", "--fold", "1", "--fold", "-1"), "no fold -1"),
    ],
)
def test_impossible_folds_are_refused_before_anything_is_written(data, tiny, tmp_path, words, named, capsys):
    assert main(["cross-validate", *map(str, data), "-o", str(tmp_path / "cv"), *words]) == 3
    message = capsys.readouterr().err
    assert named in message and "choose" in message
    assert not (tmp_path / "cv").exists()


def test_folds_without_a_patient_are_refused_before_anything_is_trained(tiny, tmp_path, capsys):
    for seed in (1, 2, 3, 4):
        write_case(tmp_path / "data", str(seed), *phantom_case(seed, slices=4, side=24))
    sparse = {name: {"slice_index": [0]} for name in ("3", "4")}
    (tmp_path / "data" / "dataset.json").write_text(json.dumps(sparse))
    assert main(["cross-validate", str(tmp_path / "data"), "-o", str(tmp_path / "cv")]) == 3
    assert "Too few patients for 3 folds: 4" in capsys.readouterr().err and not (tmp_path / "cv").exists()


def test_a_run_folder_that_cannot_be_written_is_an_output_error(data, tiny, tmp_path, capsys):
    (tmp_path / "file").write_text("x")
    for command in (["cross-validate", *map(str, data), "--folds", "2"], ["table2", "--data", str(data[0].parent)]):
        assert main([*command, "-o", str(tmp_path / "file" / "run"), "--device", "cpu"]) == 5
        assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("lacking", ["bundle", "matplotlib"])
def test_what_is_needed_to_record_is_missed_before_anything_is_trained(
    run, data, tiny, tmp_path, monkeypatch, capsys, lacking
):
    bundle = run / "fold-0" / "bundle"
    if lacking == "bundle":
        bundle = tmp_path / "nothing"
    else:
        monkeypatch.setitem(sys.modules, "matplotlib", None)
    words = ["cross-validate", *map(str, data), "-o", str(tmp_path / "cv"), "--folds", "2", "--record", str(bundle)]
    assert main(words) == (4 if lacking == "bundle" else 1)
    told = capsys.readouterr().err
    assert ("is not a model bundle" if lacking == "bundle" else "pip install -e '.[train]'") in told
    assert not (tmp_path / "cv").exists()


def test_where_no_filter_can_be_fitted_an_earlier_one_is_removed_and_that_is_said(
    run, data, tiny, tmp_path, monkeypatch, capsys
):
    bundle = shutil.copytree(run / "fold-0" / "bundle", tmp_path / "bundle")
    record_figures(bundle, "lesion_filter", LesionFilter(1.0, 2.0, 0.4).to_dict())
    monkeypatch.setattr(lesion_filter_fit, "fit_filter", lambda folds: None)
    words = ["cross-validate", *map(str, data), "-o", str(run), "--folds", "2", "--record", str(bundle)]
    assert main(words) == 0
    assert "No filter of false lesions was fitted" in capsys.readouterr().out
    assert ModelBundle.load(bundle).lesion_filter is None


def test_figures_and_filter_are_recorded_though_the_plots_cannot_be_drawn(run, tmp_path, monkeypatch):
    bundle = shutil.copytree(run / "fold-0" / "bundle", tmp_path / "bundle")

    def no_room(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cross_validation, "write_reliability", no_room)
    known, nothing = LesionFilter(1.0, 2.0, 0.4), [FoldMeasures([], [])]
    with pytest.raises(OSError, match="No space"):
        record_cross_validation(bundle, CrossValidation.of(nothing, nothing, [known]), "fast", known)
    assert ModelBundle.load(bundle).lesion_filter == known
    assert "cross_validation" in json.loads((bundle / "metadata.json").read_text())


def test_the_figures_go_into_a_bundle_and_its_card_with_a_plot(run, tmp_path):
    labels = np.zeros((4, 8, 8), np.uint8)
    labels[1:3, 2:7, 2:7] = 1
    labels[1, 3:5, 3:5] = 2
    measures = evaluate_case(labels > 0, labels == 2, labels, (1.0, 1.0, 1.0), "7")
    lesions = [FoundLesion("7", touches, 0.9, 9.0, 9.0, 0.9) for touches in ((0,), (0,), ())]
    found = [FoldMeasures([measures], lesions), FoldMeasures([], [])]
    bundle = shutil.copytree(run / "fold-0" / "bundle", tmp_path / "bundle")
    weights = (bundle / "weights.pt").read_bytes()
    known = LesionFilter(1.0, 2.0, 0.4)
    record_cross_validation(bundle, CrossValidation.of(found, found, [known, known]), "fast", known)
    recorded = json.loads((bundle / "metadata.json").read_text())["cross_validation"]
    assert recorded["lesion_dice"] == 1.0
    assert recorded["lesions"]["below_10_mm"]["found"] == 1
    assert recorded["expected_calibration_error"] == pytest.approx(0.9 - 2 / 3)
    likely = float(known.likelihood(0.9))
    assert recorded["froc"] == [{"confidence": likely, "recall": 1.0, "false_per_scan": 1.0}] * 3, "for 1, 2 and 4"
    for plot in ("reliability.png", "froc.png"):
        assert (bundle / plot).read_bytes().startswith(b"\x89PNG")
        assert plot in (bundle / "MODEL_CARD.md").read_text()
    assert (bundle / "weights.pt").read_bytes() == weights
    assert ModelBundle.load(bundle).lesion_filter == known


@pytest.mark.parametrize("label", [LESIONS_UNKNOWN, 1])
def test_scans_whose_lesions_nobody_labelled_say_nothing_of_lesions(run, data, monkeypatch, label):
    case = next(case for case in find_cases(data) if not case.sparse)

    def segment(case, _preset, _segmenter):
        ct, reference = case.read()
        liver, lesions = reference > 0, label_lesions(reference == 2)
        probability = Boxed.of(np.full(liver.shape, 0.9, np.float16), (0, 0, 0))
        table = measure_lesions(lesions, ct.hu, ct.geometry, probability)
        words = dict.fromkeys(("bundle_name", "bundle_version", "preset", "device"), "")
        result = SegmentationResult.of(ct, liver, lesions, table=table, lesion_probability=probability, **words)
        return result, measure(case, ct, liver, lesions, np.where(liver, label, 0).astype(reference.dtype))

    monkeypatch.setattr(cross_validation, "segment_case", segment)
    bundle = ModelBundle.load(run / "fold-0" / "bundle")
    fold = measure_fold(bundle, [case], PRESETS["fast"], "cpu")
    assert [each.name for each in fold.measures] == [case.name]
    known = label == 1
    assert [each.name for each in fold.scans] == [case.name] * known
    assert bool(fold.lesions) == known and not any(lesion.correct for lesion in fold.lesions)


@pytest.mark.parametrize("file", ["metadata.json", "MODEL_CARD.md"])
def test_a_disk_that_is_full_leaves_the_file_of_a_bundle_as_it_was(run, tmp_path, monkeypatch, file):
    bundle = shutil.copytree(run / "fold-0" / "bundle", tmp_path / "bundle")
    before = {path.name: path.read_bytes() for path in bundle.iterdir()}
    open_file = Path.open

    def full(path, mode="r", *arguments, **options):
        opened = open_file(path, mode, *arguments, **options)
        # The new metadata are written first, the card after them.
        if "w" in mode and (
            file == "metadata.json" or (bundle / "metadata.json").read_bytes() != before["metadata.json"]
        ):
            opened.close()
            raise OSError("no space left on device")
        return opened

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OSError, match="no space"):
        record_figures(bundle, "remark", {"preset": "fast"})
    monkeypatch.undo()
    assert (bundle / file).read_bytes() == before[file]
    assert set(before) == {path.name for path in bundle.iterdir()}
