"""How a training is computed and steered: precision, parts of a batch, batches made ahead, pause, stop, full disks."""

import csv
import json
import math
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from fixtures.lits_phantoms import write_lits_folders
from fixtures.tiny_recipe import tiny_recipe
from LiverLesionCascadeLib.cli import main
from LiverLesionCascadeLib.engine.errors import CancelledError
from LiverLesionCascadeLib.engine.model.network import SliceNetwork
from LiverLesionCascadeTrainingLib import recipes
from LiverLesionCascadeTrainingLib.datasets.cases import find_splits
from LiverLesionCascadeTrainingLib.runs import run_control
from LiverLesionCascadeTrainingLib.runs.curves import write_curves
from LiverLesionCascadeTrainingLib.runs.run_control import RunControl
from LiverLesionCascadeTrainingLib.runs.run_folder import RunFolder
from LiverLesionCascadeTrainingLib.slices.batches import Batch, BatchMaker
from LiverLesionCascadeTrainingLib.slices.sampling import EpochSampler
from LiverLesionCascadeTrainingLib.training import trainer as trainer_module
from LiverLesionCascadeTrainingLib.training.cascade_training import CascadeTraining
from LiverLesionCascadeTrainingLib.training.checkpoint import TrainingError
from LiverLesionCascadeTrainingLib.training.prefetch import prefetched
from LiverLesionCascadeTrainingLib.training.trainer import Execution, Trainer
from LiverLesionCascadeTrainingLib.training.training_log import TrainingLog, read_rows
from torch import nn

CPU = torch.device("cpu")
STEPS = 8


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_lits_folders(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, data):
    training = CascadeTraining(
        tmp_path_factory.mktemp("run"), tiny_recipe(STEPS), find_splits([data[0]], [data[1]]), CPU, lambda line: None
    )
    training.prepare()
    return training


class PlainNetwork(SliceNetwork):
    """Two convolutions: no normalisation, no dropout, so that a batch in parts is exactly the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.width = 1.0
        self.blocks = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 3, padding=1))

    def forward(self, x):
        return self.blocks(x).float()


def a_trainer(training, folder, execution=None, control=None, network=None, validate=None, recipe=None) -> Trainer:
    recipe = recipe or training.recipe
    torch.manual_seed(3)
    maker = BatchMaker(training.store("train", "liver"), recipe, recipe.liver, "liver")
    network = network or training.network("liver")
    return Trainer(network, maker, folder, CPU, validate, lambda line: None, execution, control)


def weights(trainer: Trainer) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in trainer.network.parameters()])


def test_batch_in_parts_gives_the_gradient_of_the_whole_batch(prepared, tmp_path):
    recipe = replace(prepared.recipe, batch=5, dice_loss=0.0)
    found = []
    for parts in (1, 2, 5):
        torch.manual_seed(1)
        trainer = a_trainer(
            prepared, tmp_path / str(parts), Execution("fp32", parts), network=PlainNetwork(), recipe=recipe
        )
        losses = [trainer.train_step(trainer.make_parts(step)) for step in range(3)]
        found.append((losses, weights(trainer)))
    for losses, values in found[1:]:
        assert losses == pytest.approx(found[0][0], rel=1e-5)
        torch.testing.assert_close(values, found[0][1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("before", "after"), [("auto", "fp16"), ("fp16", "auto")])
def test_a_training_goes_on_with_another_precision(prepared, tmp_path, before, after):
    first = a_trainer(prepared, tmp_path, Execution(before))
    first.train_step(first.make_parts(0))
    first.save()
    resumed = a_trainer(prepared, tmp_path, Execution(after))
    resumed.resume()
    assert resumed.step == 1
    resumed.train_step(resumed.make_parts(1))


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_learns_what_single_precision_learns(prepared, tmp_path, precision):
    losses = {}
    for name in ("fp32", precision):
        trainer = a_trainer(prepared, tmp_path / name, Execution(name), recipe=tiny_recipe(40))
        batch = trainer.make_parts(0)
        losses[name] = [trainer.train_step(batch) for _ in range(40)]
        assert trainer.network.stem.weight.dtype == torch.float32
    assert losses[precision] != losses["fp32"]
    assert losses[precision][-1] < 0.9 * losses[precision][0]
    assert losses[precision][-1] == pytest.approx(losses["fp32"][-1], rel=0.2)


def test_overflow_in_fp16_skips_the_step_and_lowers_the_scale_also_after_a_resume(prepared, tmp_path):
    trainer = a_trainer(prepared, tmp_path, Execution("fp16"))
    scaler = trainer._precision.scaler
    scaler._init_scale = 2.0**120
    before = weights(trainer).clone()
    trainer.train_step(trainer.make_parts(0))
    assert torch.equal(weights(trainer), before)
    assert scaler.get_scale() == 2.0**119
    trainer.save()
    resumed = a_trainer(prepared, tmp_path, Execution("fp16"))
    resumed.resume()
    assert resumed._precision.scaler.get_scale() == 2.0**119


def test_gradient_that_is_no_number_never_reaches_the_weights(prepared, tmp_path, monkeypatch):
    trainer = a_trainer(prepared, tmp_path)
    trainer.run(stop_at=2)
    good = trainer.checkpoint.read_bytes()

    class Broken(torch.autograd.Function):
        @staticmethod
        def forward(ctx, loss):
            return loss.clone()

        @staticmethod
        def backward(ctx, gradient):
            return gradient * math.nan

    loss = trainer_module.cascade_loss
    monkeypatch.setattr(trainer_module, "cascade_loss", lambda *args: Broken.apply(loss(*args)))
    again = a_trainer(prepared, tmp_path)
    with pytest.raises(TrainingError, match="gradient became nan at step 2"):
        again.run()
    assert torch.isfinite(weights(again)).all()
    assert trainer.checkpoint.read_bytes() == good


FULL_DISK = """
import resource, sys
from pathlib import Path
from xml.etree import ElementTree
import torch
torch.set_num_threads(1)
from test_training_engine import a_trainer, CPU
from LiverLesionCascadeTrainingLib.training.cascade_training import CascadeTraining
from LiverLesionCascadeTrainingLib.datasets.cases import find_splits
from fixtures.tiny_recipe import tiny_recipe
folder, run, train, validation = map(Path, sys.argv[1:5])
training = CascadeTraining(run, tiny_recipe(8), find_splits([train], [validation]), CPU, lambda line: None)
trainer = a_trainer(training, folder)
trainer.run(stop_at=4)
size = trainer.checkpoint.stat().st_size
# No file may grow beyond this: what a full disk does to the next checkpoint.
resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))
a_trainer(training, folder).run()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX resource limits")
def test_full_disk_ends_in_one_sentence_and_keeps_the_last_checkpoint(prepared, tmp_path, data):
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    arguments = [str(tmp_path / "job"), str(prepared.folder), str(data[0]), str(data[1])]
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, *arguments],
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    last = done.stderr.strip().splitlines()[-1]
    assert "UnwritableError" in last and "cannot be written" in last and "Free disk space" in last
    assert torch.load(tmp_path / "job" / "last.pt", weights_only=True)["step"] == 4
    assert not list((tmp_path / "job").glob("*.partial"))


def test_best_network_is_kept_beside_the_last(prepared, tmp_path):
    answers = iter([(0.5, math.nan), (0.9, 0.7), (0.8, 0.6), (0.9, 0.5)])
    trainer = a_trainer(prepared, tmp_path, validate=lambda network, size: next(answers))
    kept = {}
    step = trainer.train_step

    def remembered(parts):
        value = step(parts)
        kept[trainer.step] = {name: value.clone() for name, value in trainer.average.state_dict().items()}
        return value

    trainer.train_step = remembered
    trainer.run(validation_interval=2)
    best = torch.load(tmp_path / "best.pt", weights_only=True)
    assert best["step"] == 4 and best["dice"] == [0.9, 0.7]
    assert all(torch.equal(best["average"][name], value) for name, value in kept[4].items())
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] == STEPS


def test_log_row_cut_off_by_a_kill_is_dropped(tmp_path):
    log = TrainingLog(tmp_path, 0)
    for step in (1, 2, 3):
        log.write({"step": step, "learning_rate": 0.1, "loss": 1.5, "images_per_second": 9})
    log.close()
    text = (tmp_path / "log.csv").read_text()
    (tmp_path / "log.csv").write_text(text + "4,0.1,1.")
    assert [row["step"] for row in read_rows(tmp_path / "log.csv")] == ["1", "2", "3"]
    TrainingLog(tmp_path, 2).close()
    assert [row["step"] for row in read_rows(tmp_path / "log.csv")] == ["1", "2"]


def control_in(folder: Path) -> tuple[RunControl, RunFolder]:
    return RunControl(folder, CPU, {"liver": tiny_recipe(STEPS).liver}), RunFolder(folder)


def test_paused_training_waits_saved_and_goes_on_when_told(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer_module, "_PAUSE_SECONDS", 0.01)
    control, run = control_in(tmp_path)
    run.send("pause")
    trainer = a_trainer(prepared, tmp_path / "liver", control=control)
    seen = []

    def watch():
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and (run.status() is None or run.status().state != "paused"):
            time.sleep(0.01)
        seen.append((run.status(), torch.load(trainer.checkpoint, weights_only=True)["step"]))
        run.send("resume")

    watcher = threading.Thread(target=watch)
    watcher.start()
    trainer.run()
    watcher.join()
    status, saved = seen[0]
    assert (status.state, status.job, status.step, saved) == ("paused", "liver", 1, 1)
    assert status.pid == os.getpid()
    assert trainer.step == STEPS


def test_stopped_training_is_saved_and_the_next_start_goes_on(prepared, tmp_path):
    control, run = control_in(tmp_path)
    run.send("stop")
    with pytest.raises(CancelledError, match="stopped at step 1"):
        a_trainer(prepared, tmp_path / "liver", control=control).run()
    trainer = a_trainer(prepared, tmp_path / "liver", control=control)
    trainer.run()
    assert trainer.step == STEPS
    with (tmp_path / "liver" / "log.csv").open(newline="") as file:
        assert [row["step"] for row in csv.DictReader(file)] == [str(STEPS)]


def test_time_left_counts_this_job_and_those_that_follow(tmp_path, monkeypatch):
    monkeypatch.setattr(run_control, "_EVERY", 0.0)
    recipe = replace(tiny_recipe(100), batch=4)
    small = replace(recipe.liver, phases=(recipes.Phase(100, 16), recipes.Phase(100, 32)))
    control = RunControl(tmp_path, CPU, {"liver-fold-0": recipe.liver, "liver": small, "lesion": recipe.lesion})
    # 50 steps of 16 px cost a quarter of 50 steps of 32 px; 2 images/s of 16 px are as many as 0.5 of 32 px.
    control.say("training", "liver", 50, 8.0)
    expected = (50 * 16**2 + 100 * 32**2 + 100 * 32**2) / (8.0 * 16**2)
    assert RunFolder(tmp_path).status().seconds_left == pytest.approx(expected)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_batches_made_ahead_come_in_order_and_errors_come_through(workers):
    assert list(prefetched(lambda step: step * 10, range(4, 23), workers)) == [step * 10 for step in range(4, 23)]

    def broken(step):
        if step == 3:
            raise ValueError("slice 3 is damaged")
        return step

    found = []
    with pytest.raises(ValueError, match="slice 3"):
        for step in prefetched(broken, range(10), workers):
            found.append(step)
    assert found == [0, 1, 2]


def test_batches_made_ahead_stay_few_and_end_with_the_training():
    made = []
    batches = prefetched(lambda step: made.append(step), range(1000), 2)
    next(batches)
    batches.close()
    assert len(made) <= 6
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("batches")]


def test_sample_is_the_same_whoever_makes_it(prepared):
    recipe = replace(prepared.recipe, batch=4)
    maker = BatchMaker(prepared.store("train", "liver"), recipe, recipe.liver, "liver")
    whole = maker.make(3)
    parts = [maker.make(3, range(0, 1)), maker.make(3, range(1, 4))]
    assert torch.equal(torch.cat([part.inputs for part in parts]), whole.inputs)
    assert torch.equal(torch.cat([part.targets for part in parts]), whole.targets)
    assert isinstance(whole, Batch)


def test_every_epoch_shows_each_chosen_slice_once(prepared):
    store = prepared.store("train", "liver")
    sampler = EpochSampler(store, {"lesion", "neither"}, None, (1,))
    shown = np.flatnonzero(np.isin(store.kinds, ("lesion", "neither", "near")))
    steps = -(-2 * len(shown) // 3)
    drawn = np.concatenate([sampler.draw(3, step) for step in range(steps)])[: 2 * len(shown)]
    first, second = drawn[: len(shown)], drawn[len(shown) :]
    assert sorted(first) == sorted(second) == shown.tolist()
    assert first.tolist() != second.tolist()
    assert np.array_equal(sampler.draw(3, 5), EpochSampler(store, {"lesion", "neither"}, None, (1,)).draw(3, 5))


def test_command_tells_its_states_and_shows_validation_slices(tmp_path, data, monkeypatch):
    monkeypatch.setitem(recipes.RECIPES, "compact", tiny_recipe(2))
    folder = tmp_path / "run"
    command = ["train", str(data[0]), "--validation", str(data[1]), "-o", str(folder), "--device", "cpu"]
    states = []
    said = RunControl.say
    monkeypatch.setattr(
        RunControl, "say", lambda self, state, *a, **k: (states.append(state), said(self, state, *a, **k))
    )
    assert main([*command, "--job", "prepare", "--job", "liver"]) == 0
    assert [s for i, s in enumerate(states) if states[i - 1 : i] != [s]] == [
        "preparing",
        "validating",
        "training",
        "validating",
        "training",
        "finished",
    ]
    status = RunFolder(folder).status()
    assert (status.state, status.device) == ("finished", "cpu")
    preview = RunFolder(folder).preview("liver")
    assert preview.images.shape == preview.predicted.shape and set(np.unique(preview.reference)) == {0, 1, 2}
    assert preview.names[0].startswith("9, slice ")


def test_failed_training_says_why_in_its_status(tmp_path, data, monkeypatch, capsys):
    monkeypatch.setitem(recipes.RECIPES, "compact", tiny_recipe(2))
    folder = tmp_path / "run"
    command = ["train", str(data[0]), "--validation", str(data[1]), "-o", str(folder), "--device", "cpu"]
    assert main([*command, "--job", "lesion"]) == 1
    status = json.loads((folder / "status.json").read_text())
    assert status["state"] == "failed" and "liver-fold-0 has not finished" in status["message"]
    assert status["message"] in capsys.readouterr().err


def test_curves_are_drawn_for_every_job_that_has_a_log(tmp_path):
    for job in ("liver", "lesion-image"):
        log = TrainingLog(folder_of(tmp_path, job), 0)
        for step in range(1, 11):
            row = {"step": step, "learning_rate": 0.1, "loss": 2.0 / step, "images_per_second": 9.0}
            if step % 5 == 0:
                row |= {"validation_liver_dice": 0.09 * step, "validation_lesion_dice": math.nan}
            log.write(row)
        log.close()
    svg = ElementTree.parse(write_curves(tmp_path, ("liver", "lesion-image", "lesion"))).getroot()
    texts = [element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert [text for text in texts if "loss" in text] == ["liver: loss", "lesion-image: loss"]
    drawn = [element.get("points").split() for element in svg.iter("{http://www.w3.org/2000/svg}polyline")]
    assert [len(points) for points in drawn] == [10, 2, 0] * 2
    heights = [float(point.split(",")[1]) for point in drawn[0]]
    assert heights == sorted(heights)
    assert write_curves(folder_of(tmp_path, "empty"), ("liver",)) is None


def folder_of(root: Path, name: str) -> Path:
    (root / name).mkdir()
    return root / name
