"""One training: it learns, resumes exactly after a kill, and stops cleanly when it cannot go on."""

import csv
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from fixtures.lits_phantoms import write_lits_folders
from fixtures.tiny_recipe import tiny_recipe
from LiverLesionCascadeLib.engine.errors import CancelledError
from LiverLesionCascadeTrainingLib.datasets.cases import find_splits
from LiverLesionCascadeTrainingLib.slices.batches import BatchMaker
from LiverLesionCascadeTrainingLib.training import trainer as trainer_module
from LiverLesionCascadeTrainingLib.training.cascade_training import CascadeTraining, pass_of
from LiverLesionCascadeTrainingLib.training.checkpoint import TrainingError, save_atomically
from LiverLesionCascadeTrainingLib.training.losses import cascade_loss
from LiverLesionCascadeTrainingLib.training.trainer import Trainer

CPU = torch.device("cpu")
STEPS = 24


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_lits_folders(tmp_path_factory.mktemp("data"))


@pytest.fixture
def quiet():
    return lambda line: None


def run_of(folder: Path, data, steps: int = STEPS) -> CascadeTraining:
    training = CascadeTraining(folder, tiny_recipe(steps), find_splits([data[0]], [data[1]]), CPU, lambda line: None)
    training.prepare()
    return training


def a_trainer(training: CascadeTraining, quiet, validate=None, job="liver") -> Trainer:
    stage = training.recipe.stage(job)
    maker = BatchMaker(training.store("train", pass_of(job)), training.recipe, stage, job)
    return Trainer(training.network(job), maker, training.folder / job, CPU, validate, quiet)


def read_log(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def comparable(rows):
    """Log rows without the throughput, which is no two times the same."""
    return [{key: value for key, value in row.items() if key != "images_per_second"} for row in rows]


def test_network_learns_one_batch_by_heart(tmp_path, data, quiet):
    training = run_of(tmp_path, data, 120)
    trainer = a_trainer(training, quiet, job="lesion-image")
    batch = BatchMaker(training.store("train", "lesion"), training.recipe, training.recipe.lesion_image, "x").make(0)
    losses = [trainer.train_step([batch]) for _ in range(120)]
    assert losses[-1] < 0.6 * losses[0]


# The lesion pass also draws what it was wrong about.
@pytest.mark.parametrize("job", ["liver", "lesion-image"])
def test_stopped_and_resumed_training_is_the_undisturbed_one_bit_for_bit(tmp_path, data, quiet, monkeypatch, job):
    monkeypatch.setattr(trainer_module, "_SETTLE_STEPS", 6)
    whole = a_trainer(run_of(tmp_path / "whole", data), quiet, job=job)
    whole.run(log_interval=4)
    training = run_of(tmp_path / "parts", data)
    for stop in (5, 6, 17, STEPS):
        part = a_trainer(training, quiet, job=job)
        part.run(log_interval=4, stop_at=stop)
        assert part.step == stop
    for undisturbed, resumed in ((whole.network, part.network), (whole.average, part.average)):
        for (name, expected), found in zip(
            undisturbed.state_dict().items(), resumed.state_dict().values(), strict=True
        ):
            assert torch.equal(expected, found), name


def test_hard_slices_are_noted_in_every_step_and_settle_now_and_then(tmp_path, data, quiet, monkeypatch):
    monkeypatch.setattr(trainer_module, "_SETTLE_STEPS", 5)
    trainer = a_trainer(run_of(tmp_path, data, 12), quiet, job="lesion-image")
    trainer.run(stop_at=4)
    state = {key: value.clone() for key, value in trainer._batches.hard_slices.state().items()}
    assert state["errors"].any() and not state["settled"].any()
    trainer.run(stop_at=12)
    after = trainer._batches.hard_slices.state()
    assert after["settled"].any() and not torch.equal(after["settled"], after["errors"])


def test_the_average_follows_the_weights_fast_at_first_and_then_as_slowly_as_the_recipe_says(tmp_path, data, quiet):
    trainer = a_trainer(run_of(tmp_path, data), quiet)
    expected = trainer.network.score.weight.detach().clone()
    for step in range(1, STEPS + 1):
        trainer.train_step(trainer.make_parts(trainer.step))
        decay = min(trainer._stage.average, step / (step + 10))
        expected = decay * expected + (1 - decay) * trainer.network.score.weight.detach()
    torch.testing.assert_close(trainer.average.score.weight, expected)
    assert not trainer.average.training
    norms = trainer.average.state_dict()["norm.running_mean"], trainer.network.state_dict()["norm.running_mean"]
    assert 0 < (norms[0] - norms[1]).abs().max() < norms[1].abs().max()


KILLED_TRAINING = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from test_trainer import run_of, a_trainer
folder, train, validation = map(Path, sys.argv[1:])
trainer = a_trainer(run_of(folder, (train, validation)), print)
trainer.run(log_interval=1, save_seconds=0.0)
"""


def test_training_killed_at_any_moment_ends_as_if_nothing_had_happened(tmp_path, data):
    torch.set_num_threads(1)
    paths = [str(Path(__file__).parent), *sys.path]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}

    def start(folder):
        command = [sys.executable, "-c", KILLED_TRAINING, str(folder), str(data[0]), str(data[1])]
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)

    assert start(tmp_path / "whole").wait(300) == 0
    killed = 0
    for step in (3, 11):
        process = start(tmp_path / "killed")
        deadline = time.monotonic() + 300
        log = tmp_path / "killed" / "liver" / "log.csv"
        while process.poll() is None and time.monotonic() < deadline:
            if log.is_file() and len(log.read_text().splitlines()) > step:
                process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
                break
            time.sleep(0.002)
        process.wait(60)
        killed += process.returncode != 0
    assert killed == 2, "the training was over before it could be killed"
    assert start(tmp_path / "killed").wait(300) == 0
    states = [torch.load(tmp_path / name / "liver" / "last.pt", weights_only=True) for name in ("whole", "killed")]
    assert states[0]["step"] == states[1]["step"] == STEPS
    for name, expected in states[0]["network"].items():
        assert torch.equal(expected, states[1]["network"][name]), name
    assert comparable(read_log(tmp_path / "whole" / "liver")) == comparable(read_log(tmp_path / "killed" / "liver"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_training_finishes_its_step_and_saves_it(tmp_path, data, monkeypatch, quiet, number):
    trainer = a_trainer(run_of(tmp_path, data), quiet)
    step = trainer.train_step

    def interrupted(parts):
        if trainer.step == 7:
            signal.raise_signal(number)
        return step(parts)

    monkeypatch.setattr(trainer, "train_step", interrupted)
    before = signal.getsignal(number)
    with pytest.raises(CancelledError, match="step 8"):
        trainer.run()
    assert signal.getsignal(number) is before
    resumed = a_trainer(run_of(tmp_path, data), quiet)
    resumed.resume()
    assert resumed.step == 8


def test_on_a_disk_without_locks_it_trains_all_the_same(tmp_path, data, quiet, monkeypatch):
    def none(self, *_, **__):
        raise NotImplementedError

    monkeypatch.setattr(FileLock, "acquire", none)
    trainer = a_trainer(run_of(tmp_path, data), quiet)
    trainer.run(stop_at=1)
    assert trainer.step == 1


def test_second_process_on_the_same_training_is_refused(tmp_path, data, quiet):
    trainer = a_trainer(run_of(tmp_path, data), quiet)
    with FileLock(tmp_path / "liver" / ".lock"), pytest.raises(TrainingError, match="another process"):
        trainer.run()
    trainer.run(stop_at=1)
    assert trainer.step == 1


def test_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(tmp_path, data, monkeypatch, quiet):
    training = run_of(tmp_path, data)
    trainer = a_trainer(training, quiet)
    trainer.run(stop_at=4)
    good = trainer.checkpoint.read_bytes()
    monkeypatch.setattr(trainer_module, "cascade_loss", lambda *args: cascade_loss(*args) * math.nan)
    with pytest.raises(TrainingError, match=r"nan at step 4.*checkpoint"):
        a_trainer(training, quiet).run()
    assert trainer.checkpoint.read_bytes() == good


def test_failed_save_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "last.pt"
    save_atomically({"step": 1}, path)

    def full_disk(state, file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(TrainingError, match="No space"):
        save_atomically({"step": 2}, path)
    assert torch.load(path, weights_only=True) == {"step": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["last.pt"]


def test_log_has_the_validation_at_its_interval_and_at_the_end(tmp_path, data, quiet):
    trainer = a_trainer(run_of(tmp_path, data), quiet, validate=lambda network, size: (0.5, 0.25))
    trainer.run(log_interval=5, validation_interval=10)
    rows = read_log(tmp_path / "liver")
    assert [int(row["step"]) for row in rows] == [5, 10, 15, 20, STEPS]
    assert [row["validation_lesion_dice"] for row in rows] == ["", "0.25", "", "0.25", "0.25"]
    assert any(path.name.startswith("events.") for path in (tmp_path / "liver").iterdir())


@pytest.mark.parametrize(("dice_weight", "by_image"), [(0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (1.0, 1.0)])
def test_loss_is_least_for_the_right_answer(dice_weight, by_image):
    targets = torch.zeros(2, 2, 16, 16)
    targets[0, :, 4:12, 4:12] = 1
    right = (targets * 2 - 1) * 9
    assert cascade_loss(right, targets, dice_weight, by_image) < 0.02
    assert cascade_loss(-right, targets, dice_weight, by_image) > 5
    assert cascade_loss(torch.full_like(right, -9), torch.zeros_like(targets), dice_weight, by_image) < 0.1


def test_dice_by_image_makes_a_small_lesion_count_as_much_as_a_large_one():
    targets = torch.zeros(2, 2, 32, 32)
    targets[:, 0] = 1
    targets[0, 1, :16] = 1
    targets[1, 1, 4:6, 4:6] = 1
    right = (targets * 2 - 1) * 9
    small_missed = right.clone()
    small_missed[1, 1] = -9
    batch, image = (
        float(cascade_loss(small_missed, targets, 1.0, by) - cascade_loss(right, targets, 1.0, by)) for by in (0.0, 1.0)
    )
    assert batch < 0.05
    # Half of the images with lesions, one of two maps; their Dice loss is 0.8 (1 px is added to overlap and total).
    assert image == pytest.approx(0.2, abs=0.05)
