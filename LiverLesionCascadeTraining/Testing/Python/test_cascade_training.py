"""The training of the whole cascade, from folders to a bundle that segments, and its command line."""

import json
import shutil
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from filelock import FileLock
from fixtures.lits_phantoms import phantom_case, write_case, write_lits_folders
from fixtures.small_bundle import IntensityNetwork
from fixtures.tiny_recipe import tiny_recipe
from LiverLesionCascadeLib.cli import main
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle, trained_on
from LiverLesionCascadeTrainingLib import recipes
from LiverLesionCascadeTrainingLib.bundles.export import default_card, export_bundle, record_figures, validation_figures
from LiverLesionCascadeTrainingLib.datasets.cases import find_cases, find_splits
from LiverLesionCascadeTrainingLib.evaluation.evaluation import evaluate_case, summarise
from LiverLesionCascadeTrainingLib.runs.run_folder import LOG_FILE
from LiverLesionCascadeTrainingLib.slices.batches import BatchMaker
from LiverLesionCascadeTrainingLib.slices.cross_fitting import write_priors
from LiverLesionCascadeTrainingLib.slices.slice_store import build_store, open_store
from LiverLesionCascadeTrainingLib.slices.validation import slice_dice
from LiverLesionCascadeTrainingLib.training import cascade_training
from LiverLesionCascadeTrainingLib.training.cascade_training import CascadeTraining, scaled
from LiverLesionCascadeTrainingLib.training.trainer import TrainingError
from torch import nn

CPU = torch.device("cpu")


def with_model(**changes):
    """The tiny recipe for another model."""
    return replace(tiny_recipe(), model=replace(tiny_recipe().model, **changes))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_lits_folders(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory, data):
    """A run folder after the command ``train`` with a tiny recipe."""
    folder = tmp_path_factory.mktemp("run") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(recipes.RECIPES, "compact", tiny_recipe())
        assert main(["train", str(data[0]), "--validation", str(data[1]), "-o", str(folder), "--device", "cpu"]) == 0
    return folder


def training_in(folder, data, recipe=None) -> CascadeTraining:
    return CascadeTraining(folder, recipe or tiny_recipe(), find_splits([data[0]], [data[1]]), CPU, lambda line: None)


def test_training_ends_in_a_bundle_that_loads_and_says_what_it_was_trained_on(trained):
    bundle = ModelBundle.load(trained / "bundle")
    assert set(bundle.networks(CPU)) == {"liver", "lesion"}
    assert bundle.metadata["training"]["scans"] == ["1", "2", "3", "4", "5"]
    assert bundle.metadata["training"]["patients"] == 4
    assert bundle.metadata["training"]["jobs"]["lesion"]["steps"] == 3
    card = (trained / "bundle" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "4 patients" in card and "| lesion | 3 | 6 |" in card and "1704.02703" in card


def test_two_processes_that_start_jobs_of_a_run_at_once_make_its_slices_once(data, tmp_path, monkeypatch):
    building, made = threading.Event(), []

    def build(*arguments):
        made.append(arguments[3].name)
        building.set()
        time.sleep(0.05)
        build_store(*arguments)

    monkeypatch.setattr(cascade_training, "build_store", build)
    first = threading.Thread(target=training_in(tmp_path / "run", data).prepare)
    second = training_in(tmp_path / "run", data)
    first.start()
    assert building.wait(60)
    second.prepare()
    first.join()
    assert sorted(made) == ["train-lesion", "train-liver", "validation-lesion", "validation-liver"]


def test_a_long_preparation_says_again_and_again_that_it_goes_on(data, tmp_path):
    said = []
    control = SimpleNamespace(say=lambda state: said.append(state), command=lambda: "")
    splits = find_splits([data[0]], [data[1]])
    CascadeTraining(tmp_path / "run", tiny_recipe(), splits, CPU, lambda line: None, control=control).prepare()
    assert said == ["preparing"] * (1 + 2 * 6)  # once, then after each case in each pass


def learned(network) -> dict[str, torch.Tensor]:
    """Its weights, without the statistics of batch normalisation."""
    return {key: value.detach() for key, value in network.named_parameters()}


def test_bundle_holds_the_last_network_of_the_liver_pass_and_the_mean_of_both_of_the_lesion_pass(trained, data):
    training = training_in(trained, data)
    networks = ModelBundle.load(trained / "bundle").networks(CPU)
    image_first = training.load("lesion-image").state_dict()
    for name in ("liver", "lesion"):
        for key, value in learned(training.load(name)).items():
            if name == "lesion":
                value = 0.25 * value + 0.75 * image_first[key]
            torch.testing.assert_close(networks[name].state_dict()[key].float(), value.float(), atol=2e-3, rtol=2e-3)


def test_without_averaging_the_bundle_holds_the_last_network_of_the_lesion_pass(trained, data, tmp_path):
    training = training_in(trained, data, replace(tiny_recipe(), fine_tuned=1.0))
    export_bundle(training, tmp_path / "bundle", default_card("compact"))
    network = ModelBundle.load(tmp_path / "bundle").networks(CPU)["lesion"].state_dict()
    for key, value in training.load("lesion").state_dict().items():
        torch.testing.assert_close(network[key].float(), value.float(), atol=2e-3, rtol=2e-3)


def test_whatever_a_bundle_says_of_its_scans_their_names_are_read():
    start = {"liver": {"scans": ["a"]}, "lesion-image": 3}
    assert trained_on({"training": {"scans": [1, ["x"]], "single_slice_scans": None, "started_from": start}}) == {
        "1", "['x']", "a",
    }  # fmt: skip
    assert trained_on({"training": {"started_from": "others 1.0"}}) == trained_on({}) == set()


def one_step_from(start, folder, data, *jobs) -> CascadeTraining:
    """A training of one step a job that starts from a bundle, or goes on without one, after some jobs."""
    splits = find_splits([data[0]], [data[1]])
    training = CascadeTraining(folder, tiny_recipe(1), splits, CPU, lambda line: None, start)
    training.prepare()
    for job in jobs:
        training.run(job)
    return training


def test_a_bundle_says_which_jobs_started_from_which_bundle_whoever_exports_it(trained, data, tmp_path):
    assert ModelBundle.load(trained / "bundle").metadata["training"]["started_from"] is None
    bundle, folder = ModelBundle.load(trained / "bundle"), tmp_path / "run"
    one_step_from(bundle, folder, data, "liver", "lesion-image")
    export_bundle(one_step_from(None, folder, data), tmp_path / "bundle", default_card("compact"), "lesion-image")
    card = (tmp_path / "bundle" / "MODEL_CARD.md").read_text()
    assert "The liver and lesion-image networks started from those of compact-own 1.0.0." in card
    started = ModelBundle.load(tmp_path / "bundle").metadata["training"]["started_from"]
    assert started["liver"]["sha256"] == bundle.metadata["weights"]["sha256"]
    assert started["lesion-image"]["scans"] == ["1", "2", "3", "4", "5"]


def test_a_job_that_has_begun_is_given_nothing_else_to_start_from(trained, data, tmp_path):
    one_step_from(None, tmp_path / "run", data, "liver")
    before = (tmp_path / "run" / "liver" / "last.pt").read_bytes()
    with pytest.raises(InputError, match="liver in .* begun from random weights, .* choose another folder"):
        one_step_from(ModelBundle.load(trained / "bundle"), tmp_path / "run", data, "liver")
    assert (tmp_path / "run" / "liver" / "last.pt").read_bytes() == before


def test_a_process_that_is_refused_changes_nothing_of_what_a_job_has_begun_from(trained, data, tmp_path):
    bundle = ModelBundle.load(trained / "bundle")
    run = one_step_from(bundle, tmp_path / "run", data, "liver").folder
    before = (run / "liver" / "start.json").read_bytes()
    (run / "liver" / "last.pt").unlink()  # as before the first checkpoint
    with FileLock(run / "liver" / ".lock"), pytest.raises(TrainingError, match="another process"):
        one_step_from(None, run, data, "liver")
    assert (run / "liver" / "start.json").read_bytes() == before


def test_a_job_goes_on_from_the_same_weights_under_another_name(trained, data, tmp_path):
    one_step_from(ModelBundle.load(trained / "bundle"), tmp_path / "run", data, "liver")
    other = shutil.copytree(trained / "bundle", tmp_path / "other")
    metadata = json.loads((other / "metadata.json").read_text())
    (other / "metadata.json").write_text(json.dumps({**metadata, "name": "renamed", "version": "1.0.1"}))
    one_step_from(ModelBundle.load(other), tmp_path / "run", data, "liver")


def test_a_job_that_began_before_starts_were_remembered_goes_on_with_the_one_that_it_is_given(trained, data, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    (run / "liver" / "start.json").unlink()
    bundle = ModelBundle.load(trained / "bundle")
    for start in (None, bundle):
        training = CascadeTraining(run, tiny_recipe(), find_splits([data[0]], [data[1]]), CPU, lambda line: None, start)
        training.run("liver")
    assert training.starts()["liver"]["name"] == "compact-own 1.0.0"


def test_validation_cases_that_the_start_was_trained_on_are_named(trained, data, tmp_path):
    lines, bundle = [], ModelBundle.load(trained / "bundle")
    CascadeTraining(tmp_path, tiny_recipe(), find_splits([data[1]], [data[0]]), CPU, lines.append, bundle)
    assert "warning: compact-own was trained on scans named 1, 2, 3, 4, 5" in lines[0]


def test_measures_of_training_cases_are_not_recorded_as_those_of_patients_not_trained_on(
    trained, data, tmp_path, capsys
):
    bundle = shutil.copytree(trained / "bundle", tmp_path / "bundle")
    write_case(tmp_path / "cases", "1", *phantom_case(1))
    write_case(tmp_path / "cases", "9", *phantom_case(9))
    assert main(["evaluate", str(tmp_path / "cases"), "--bundle", str(bundle), "--record", "--device", "cpu"]) == 0
    assert "was trained on scans of such names: if these are the cases 1 here" in capsys.readouterr().err
    card = (bundle / "MODEL_CARD.md").read_text()
    assert "patients not trained on" not in card and "The networks were trained on scans named 1." in card


def test_a_bundle_that_is_exported_again_keeps_what_was_recorded_for_its_weights(trained, data, tmp_path):
    bundle, lines = shutil.copytree(trained / "bundle", tmp_path / "bundle"), []
    recorded = {"lesion_filter": {"intercept": 0.0, "log_odds": 1.0, "reject_below": 0.4}, "validation": {
        "preset": "fast", "cases": [], "liver_dice": 0.9, "lesion_dice": None,
    }}  # fmt: skip
    for key, figures in recorded.items():
        record_figures(bundle, key, figures)
    training = training_in(trained, data)
    training.report = lines.append
    export_bundle(training, bundle, {**default_card("compact"), "version": "2.0.0"})
    metadata = ModelBundle.load(bundle).metadata
    assert metadata["version"] == "2.0.0" and not lines
    assert {key: metadata[key] for key in recorded} == recorded
    assert "Preset `fast`" in (bundle / "MODEL_CARD.md").read_text()
    # Another network: its lesions are others.
    export_bundle(training, bundle, default_card("compact"), lesion_job="lesion-image")
    assert not recorded.keys() & ModelBundle.load(bundle).metadata.keys()
    assert "recorded for those is gone (validation, lesion_filter)" in lines[0]


def test_figures_of_other_settings_are_not_kept(trained, data, tmp_path):
    bundle = shutil.copytree(trained / "bundle", tmp_path / "bundle")
    record_figures(bundle, "validation", {"preset": "fast", "cases": [], "liver_dice": 0.9, "lesion_dice": None})
    recipe = with_model(lesion_pass=replace(tiny_recipe().model.lesion_pass, iterations=5))
    export_bundle(training_in(trained, data, recipe), bundle, default_card("compact"))
    assert "validation" not in ModelBundle.load(bundle).metadata


def test_a_bundle_is_exported_though_a_checkpoint_that_it_does_not_need_is_damaged(trained, data, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    (run / "liver-fold-0" / "last.pt").write_bytes(b"xx")
    export_bundle(training_in(run, data), tmp_path / "bundle", default_card("compact"))
    assert "liver-fold-0" not in ModelBundle.load(tmp_path / "bundle").metadata["training"]["jobs"]


@pytest.mark.parametrize("command", ["evaluate", "cross-validate"])
def test_a_bundle_whose_card_cannot_be_written_is_refused_before_anything_is_measured(
    command, trained, data, tmp_path, capsys
):
    bundle = shutil.copytree(trained / "bundle", tmp_path / "bundle")
    metadata = json.loads((bundle / "metadata.json").read_text())
    del metadata["training"]
    (bundle / "metadata.json").write_text(json.dumps(metadata))
    words = {
        "evaluate": ["--bundle", str(bundle), "--record"],
        "cross-validate": ["-o", str(tmp_path / "out"), "--record", str(bundle)],
    }
    assert main([command, str(data[0]), *words[command], "--device", "cpu"]) == 3
    assert f"Nothing can be recorded in {bundle}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_bundle_says_of_whom_only_the_liver_is_labelled_and_what_the_lesion_pass_sees(trained, data, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    path = run / "slices" / "train-liver" / "slices.json"
    slices = json.loads(path.read_text())
    # Beyond the liver there is nothing to label.
    slices["known"] = [
        slices["cases"][case] not in ("2", "4") or kind in ("near", "neither")
        for case, kind in zip(slices["case"], slices["kinds"], strict=True)
    ]
    assert any(slices["known"][slice] and slices["cases"][case] == "2" for slice, case in enumerate(slices["case"]))
    path.write_text(json.dumps(slices))
    export_bundle(training_in(run, data), tmp_path / "bundle", default_card("compact"))
    card = (tmp_path / "bundle" / "MODEL_CARD.md").read_text()
    assert "Of 2 only the liver is labelled (2, 4)." in card
    assert "with the slices 3 mm below and above" in card
    assert "only the liver is labelled" not in (trained / "bundle" / "MODEL_CARD.md").read_text()


def test_a_run_whose_logs_were_not_kept_says_what_it_learned_from_but_not_how_long_it_took(trained, data, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    (run / "lesion" / LOG_FILE).unlink()
    export_bundle(training_in(run, data), tmp_path / "bundle", default_card("compact"))
    assert "| lesion | 3 | 6 | - |" in (tmp_path / "bundle" / "MODEL_CARD.md").read_text()


def test_an_averaged_network_has_the_batch_statistics_of_its_own_activations(trained, data):
    training = training_in(trained, data)
    network, stage = training.averaged("lesion"), training.recipe.lesion
    again = training.averaged("lesion").state_dict()
    assert all(torch.equal(value, again[key]) for key, value in network.state_dict().items())
    batches = BatchMaker(training.store("train", "lesion"), training.recipe, stage, "elsewhere")
    seen = []
    network.norm.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].float()))
    with torch.no_grad():
        for step in range(40):
            network(batches.make(step).inputs)
    mean = torch.cat([each.mean(dim=(0, 2, 3))[None] for each in seen]).mean(dim=0)
    off = (network.norm.running_mean - mean).norm() / mean.norm()
    # A mean of the statistics of networks that were trained for three steps would be off by 0.9 and more.
    assert off < 0.3


def test_stage_2_starts_from_the_network_that_looked_at_the_image_alone(trained, data, tmp_path):
    training = training_in(trained, data)
    image_first, final = training.load("lesion-image").state_dict(), training.load("lesion").state_dict()
    fresh = training.network("lesion").state_dict()
    key = "head.weight"
    assert (final[key] - image_first[key]).norm() < 0.5 * (final[key] - fresh[key]).norm()


def test_only_the_lesion_pass_gets_the_decoder_of_a_recipe_and_starts_from_networks_without(trained, data, tmp_path):
    bundle, recipe = ModelBundle.load(trained / "bundle"), with_model(decoders=frozenset({"lesion"}))
    start = CascadeTraining(tmp_path / "run", recipe, find_splits([data[0]], [data[1]]), CPU, lambda line: None, bundle)
    assert start.network("liver").decoder is None
    network, given = start.network("lesion-image"), bundle.networks(CPU)["lesion"].state_dict()
    assert network.decoder is not None
    assert all(torch.equal(network.state_dict()[key], value) for key, value in given.items())
    with pytest.raises(InputError, match="another recipe"):
        training_in(tmp_path / "run", data)


def test_training_from_a_bundle_starts_with_its_networks_but_for_the_folds(trained, data, tmp_path):
    bundle = ModelBundle.load(trained / "bundle")
    given = bundle.networks(CPU)
    start = CascadeTraining(
        tmp_path / "run", tiny_recipe(), find_splits([data[0]], [data[1]]), CPU, lambda line: None, bundle
    )
    fresh = training_in(tmp_path / "fresh", data)
    for job, name in (("liver", "liver"), ("lesion-image", "lesion")):
        for key, value in start.network(job).state_dict().items():
            assert torch.equal(value, given[name].state_dict()[key]), (job, key)
    for key, value in start.network("liver-fold-0").state_dict().items():
        assert torch.equal(value, fresh.network("liver-fold-0").state_dict()[key]), key


def test_bundle_of_another_width_is_refused_as_a_start(trained, data, tmp_path):
    bundle = ModelBundle.load(trained / "bundle")
    wider = with_model(width=2 * tiny_recipe().model.width)
    with pytest.raises(InputError, match="start from another bundle"):
        CascadeTraining(tmp_path / "run", wider, find_splits([data[0]], [data[1]]), CPU, lambda line: None, bundle)


def test_command_again_on_a_finished_run_trains_nothing(trained, data, capsys, monkeypatch):
    monkeypatch.setitem(recipes.RECIPES, "compact", tiny_recipe())
    before = (trained / "lesion" / "last.pt").read_bytes()
    assert main(["train", str(data[0]), "--validation", str(data[1]), "-o", str(trained), "--device", "cpu"]) == 0
    assert "step" not in capsys.readouterr().out
    assert torch.load(trained / "lesion" / "last.pt", weights_only=True)["step"] == 3
    assert len((trained / "lesion" / "last.pt").read_bytes()) == len(before)


def test_fold_networks_never_saw_the_patients_they_estimate(trained, data, tmp_path):
    """Each fold's network answers with its number: the priors of a patient carry the number of the patient's fold."""

    class Constant(nn.Module):
        def __init__(self, value):
            super().__init__()
            self.value = value

        def forward(self, x):
            return torch.full((len(x), 2, *x.shape[-2:]), self.value)

    training = training_in(trained, data)
    store = training.store("train", "lesion")
    networks = [Constant(-9.0), Constant(9.0)]
    write_priors(store, training.store("train", "liver"), networks, training.fold_of_patient, tmp_path, CPU)
    priors = np.load(tmp_path / "priors.npy")
    for i, patient in enumerate(store.patient):
        fold = training.fold_of_patient[store.patients[patient]]
        centre = priors[i, 0, priors.shape[2] // 2, priors.shape[3] // 2]
        assert (centre > 127) == (fold == 1)


def test_priors_whose_writing_was_interrupted_leave_nothing_and_the_earlier_ones(trained, data, tmp_path):
    training = training_in(trained, data)
    store = training.store("train", "lesion")

    def interrupted(done, total):
        raise KeyboardInterrupt

    (tmp_path / "priors.npy").write_bytes(b"earlier")
    with pytest.raises(KeyboardInterrupt):
        networks = [IntensityNetwork(), IntensityNetwork()]
        write_priors(
            store, training.store("train", "liver"), networks, training.fold_of_patient, tmp_path, CPU, interrupted
        )
    assert [path.name for path in tmp_path.iterdir()] == ["priors.npy"]
    assert (tmp_path / "priors.npy").read_bytes() == b"earlier"


def test_priors_lie_where_the_lesion_pass_sees_the_same_tissue(trained, data, tmp_path):
    training = training_in(trained, data)
    store = training.store("train", "lesion")
    networks = [IntensityNetwork((0.5, 0.9)), IntensityNetwork((0.5, 0.9))]
    write_priors(store, training.store("train", "liver"), networks, training.fold_of_patient, tmp_path, CPU)
    liver = torch.from_numpy(np.load(tmp_path / "priors.npy")[:, 0]).float()[:, None]
    seen = nn.functional.interpolate(liver, size=store.canvas, mode="bilinear")[:, 0].numpy() > 127
    expected = (store.targets[:, 0] > 127) & (store.targets[:, 1] < 128)
    overlap = 2 * (seen & expected).sum() / (seen.sum() + expected.sum())
    assert overlap > 0.85


def test_quick_validation_counts_patients_with_lesions_only(trained):
    store = open_store(trained / "slices" / "train-lesion")
    liver, lesion = slice_dice(IntensityNetwork((0.5, 0.9), (0.24, 0.36)), store, 32, False, CPU)
    assert liver > 0.8
    assert 0.3 < lesion <= 1
    nothing = slice_dice(IntensityNetwork((2, 3), (2, 3)), store, 32, False, CPU)
    assert nothing == (0.0, 0.0)


@pytest.mark.parametrize("sparse", [None, "2"])
def test_too_few_patients_for_the_folds_are_refused_before_any_slice_is_made(tmp_path, data, sparse):
    for name in filter(None, ("1", sparse)):
        write_case(tmp_path / "train", name, *phantom_case(int(name)))
    if sparse:
        (tmp_path / "dataset.json").write_text(json.dumps({sparse: {"slice_index": [0]}}))
    training = training_in(tmp_path / "run", (tmp_path / "train", data[1]))
    with pytest.raises(InputError, match="Too few patients for 2 folds"):
        training.prepare()
    assert not (tmp_path / "run" / "slices").exists()
    training.prepare(["liver", "lesion-image"])  # these need no folds
    training.run("liver")


def test_job_before_its_turn_says_what_is_missing(tmp_path, data):
    training = training_in(tmp_path, data)
    training.prepare()
    with pytest.raises(TrainingError, match="liver-fold-0 has not finished"):
        training.run("lesion")


def test_patient_in_both_splits_is_refused(tmp_path, data):
    validation = tmp_path / "val"
    write_case(validation, "6", *phantom_case(6))
    (tmp_path / "dataset.json").write_text(json.dumps({"6": {"patient": "g4"}}))
    with pytest.raises(InputError, match="g4"):
        CascadeTraining(tmp_path / "run", tiny_recipe(), find_splits([data[0]], [validation]), CPU)


def test_run_folder_of_another_recipe_or_other_cases_is_refused(trained, data, tmp_path):
    with pytest.raises(InputError, match="another recipe"):
        training_in(trained, data, with_model(width=0.0625))
    write_case(tmp_path, "77", *phantom_case(7))
    with pytest.raises(InputError, match="other cases"):
        CascadeTraining(trained, tiny_recipe(), find_splits([tmp_path], [data[1]]), CPU)


def test_the_folder_of_a_compact_run_is_known_by_what_it_has_always_said(data, tmp_path):
    CascadeTraining(tmp_path, recipes.COMPACT, find_splits([data[0]], [data[1]]), CPU)
    assert json.loads((tmp_path / "recipe.json").read_text()) == {
        "name": "compact", "width": 0.125, "window_hu": [0.0, 160.0], "pixel_mm": 2.6, "margin": 0.16, "seed": 2017,
        "liver_size": 160, "lesion_size": 320, "folds": 2, "batch": 8, "decoder": True, "liver_hu": 100.0,
        "neighbour_mm": 3.0,
    }  # fmt: skip


def test_schedules_can_be_lengthened_as_a_whole():
    longer = scaled(recipes.COMPACT, 2.0)
    assert longer.liver.steps == 2 * recipes.COMPACT.liver.steps
    assert longer.lesion_image.phase_at(0).size == recipes.COMPACT.lesion_image.phase_at(0).size


@pytest.mark.parametrize("job", ["liver-fold-0", "lesion-image"])
def test_a_network_that_another_job_has_learned_from_is_not_trained_on(trained, data, tmp_path, job):
    run = shutil.copytree(trained, tmp_path / "run")
    before = {path: path.read_bytes() for path in (run / job).iterdir()}
    with pytest.raises(InputError, match=f"Job {job} .* trained for 3 steps, .* --length of before, or choose another"):
        training_in(run, data, tiny_recipe(6)).run(job)
    assert {path: path.read_bytes() for path in (run / job).iterdir()} == before


def test_a_network_that_others_learned_from_when_shortened_is_not_trained_to_its_first_length(trained, data, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    (run / "slices" / "train-lesion" / "priors.npy").unlink()
    path = run / "liver-fold-0" / "last.pt"
    torch.save({**torch.load(path, weights_only=True), "step": 2}, path)  # stopped at 2 of 3
    training_in(run, data, tiny_recipe(2)).write_priors()
    with pytest.raises(InputError, match="was trained for 2 steps, .* lengthened to 3"):
        training_in(run, data).run("liver-fold-0")


def test_a_run_is_lengthened_as_long_as_no_job_has_built_on_another(trained, data, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    (run / "slices" / "train-lesion" / "priors.npy").unlink()
    shutil.rmtree(run / "lesion")
    longer = training_in(run, data, tiny_recipe(4))
    for job in ("liver-fold-0", "liver", "lesion-image"):
        longer.run(job)
        assert torch.load(run / job / "last.pt", weights_only=True)["step"] == 4


def test_a_network_that_is_trained_again_from_its_start_goes_on_though_another_job_has_learned_from_it(
    trained, data, tmp_path
):
    run = shutil.copytree(trained, tmp_path / "run")
    # Its checkpoint was damaged and removed; the training that followed was interrupted.
    path = run / "liver-fold-0" / "last.pt"
    state = torch.load(path, weights_only=True)
    torch.save({**state, "step": 2}, path)
    training_in(run, data).run("liver-fold-0")
    assert torch.load(path, weights_only=True)["step"] == 3


def test_a_bundle_says_how_long_its_networks_were_trained_whatever_length_the_command_gives(trained, data, tmp_path):
    export_bundle(training_in(trained, data, tiny_recipe(1)), tmp_path / "bundle", default_card("compact"))
    jobs = ModelBundle.load(tmp_path / "bundle").metadata["training"]["jobs"]
    assert {name: (job["steps"], job["images"]) for name, job in jobs.items()} == dict.fromkeys(
        tiny_recipe().jobs, (3, 6)
    )


def test_unknown_job_is_refused_with_the_choices(data, tmp_path, capsys):
    arguments = ["train", str(data[0]), "--validation", str(data[1]), "-o", str(tmp_path / "run"), "--job", "spleen"]
    assert main(arguments) == 3
    assert "choose among prepare, liver-fold-0" in capsys.readouterr().err


def test_evaluate_prints_a_table_and_what_each_stage_is_worth(trained, data, capsys):
    assert main(["evaluate", str(data[1]), "--bundle", str(trained / "bundle"), "--stages", "--device", "cpu"]) == 0
    printed = capsys.readouterr().out
    for text in (
        "| 9 ",
        "Stage 1 alone",
        "Stage 2 without priors",
        "Stage 2 on stage 1's maps",
        "Stage 2, 2 times",
        "| Mean of 1",
    ):
        assert text in printed


def test_evaluate_prints_json_for_scripts(trained, data, capsys):
    command = ["evaluate", str(data[1]), "--bundle", str(trained / "bundle"), "--json", "--device", "cpu"]
    assert main(command) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["Preset fast"]["cases"][0]["name"] == "9"
    assert 0 <= answer["Preset fast"]["mean"]["liver"]["dice"] <= 1


def test_recorded_figures_are_in_the_model_card_and_the_bundle_still_loads(trained, data, tmp_path, capsys):
    bundle = tmp_path / "bundle"
    shutil.copytree(trained / "bundle", bundle)
    assert main(["evaluate", str(data[1]), "--bundle", str(bundle), "--record", "--device", "cpu"]) == 0
    validation = ModelBundle.load(bundle).metadata["validation"]
    assert validation["preset"] == "fast" and validation["cases"][0]["name"] == "9"
    assert "| 9 |" in (bundle / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_in_the_card_a_case_whose_lesions_nobody_labelled_has_no_counts_of_lesions(trained, tmp_path):
    bundle = shutil.copytree(trained / "bundle", tmp_path / "bundle")
    _, labels = phantom_case(9)
    found = [evaluate_case(labels > 0, labels == 2, part, (4.0, 5.0, 5.0), name) for name, part in (
        ("known", labels), ("unknown", np.where(labels > 0, np.uint8(3), labels)),
    )]  # fmt: skip
    record_figures(bundle, "validation", validation_figures(summarise(found), "fast"))
    card = (bundle / "MODEL_CARD.md").read_text()
    assert "| known | 1.000 | 1.000 | 1 | 1 | 0 |" in card and "| unknown | 1.000 | - | - | - | - |" in card


def test_single_slices_are_reported_apart(trained, tmp_path, capsys):
    write_case(tmp_path, "7", *phantom_case(7))
    write_case(tmp_path, "8", *phantom_case(8))
    (tmp_path / "dataset.json").write_text(json.dumps({"7": {"slice_index": [1]}}))
    assert [case.sparse for case in find_cases([tmp_path])] == [True, False]
    assert main(["evaluate", str(tmp_path), "--bundle", str(trained / "bundle"), "--json", "--device", "cpu"]) == 0
    answer = json.loads(capsys.readouterr().out)["Preset fast"]
    assert [case["name"] for case in answer["cases"]] == ["8"]
    assert [case["name"] for case in answer["sparse_cases"]] == ["7"]


@pytest.mark.parametrize(
    ("content", "message"),
    [('{"name": "mine"}', "lacks version, intended_use"), ("5", "no JSON object"), ("[]", "no JSON object")],
)
def test_card_must_say_what_a_user_needs(content, message, data, tmp_path, capsys):
    card = tmp_path / "card.json"
    card.write_text(content)
    arguments = ["train", str(data[0]), "--validation", str(data[1]), "-o", str(tmp_path / "run"), "--card", str(card)]
    assert main(arguments) == 3
    assert message in capsys.readouterr().err
