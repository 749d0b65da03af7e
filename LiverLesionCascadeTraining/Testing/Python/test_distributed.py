"""Several processes under torchrun train what one process trains."""

import argparse
import csv
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from fixtures.lits_phantoms import write_lits_folders
from fixtures.tiny_recipe import tiny_recipe
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.model.network import CascadeResNet
from LiverLesionCascadeTrainingLib.commands.train import add_arguments
from LiverLesionCascadeTrainingLib.recipes import Recipe
from LiverLesionCascadeTrainingLib.training.distributed import (
    Ranks,
    ShardedDropout,
    SummedBatchNorm2d,
    hold_shard,
    joined,
)
from torch.distributed.run import get_args_parser

STEPS = 8
#: Odd, so that two processes get different numbers of samples.
BATCH = 5

TRAINING = """
import os, signal, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from LiverLesionCascadeTrainingLib.slices.batches import BatchMaker
from LiverLesionCascadeTrainingLib.training.cascade_training import CascadeTraining
from LiverLesionCascadeTrainingLib.datasets.cases import find_splits
from LiverLesionCascadeLib.engine.model.network import CascadeResNet
from LiverLesionCascadeTrainingLib.training.distributed import joined
from LiverLesionCascadeTrainingLib.training.trainer import Execution, Trainer
from test_distributed import small_recipe

folder, train, validation, killed_at = *map(Path, sys.argv[1:4]), int(sys.argv[4])
cpu = torch.device("cpu")
with joined(cpu) as ranks:
    recipe = small_recipe()
    execution = Execution("fp32", 1, ranks)
    training = CascadeTraining(folder, recipe, find_splits([train], [validation]), cpu, print, execution=execution)
    training.prepare()
    store, stage = training.store("train", "liver"), recipe.liver
    maker = BatchMaker(store, recipe, stage, "liver")
    # In double precision: a network this small makes of the rounding of single precision, where sums in another order
    # differ, a thousandth of the loss within four steps.
    network = training.network("liver").double()
    network.register_forward_pre_hook(lambda module, inputs: (inputs[0].double(),))
    trainer = Trainer(network, maker, folder / "liver", cpu, None, print, execution)
    step = trainer.train_step

    def train_step(parts):
        if trainer.step == killed_at and ranks.rank == 1 and os.environ["TORCHELASTIC_RESTART_COUNT"] == "0":
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        return step(parts)

    trainer.train_step = train_step
    trainer.run(log_interval=1, save_seconds=0.0)
"""


def small_recipe() -> Recipe:
    recipe = tiny_recipe(STEPS)
    return replace(recipe, batch=BATCH, liver=replace(recipe.liver, learning_rate=0.005))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_lits_folders(tmp_path_factory.mktemp("data"))


def trained(folder: Path, data, *launcher: str, killed_at: int = -1) -> tuple[list[float], dict[str, torch.Tensor]]:
    """The loss of each step and the last weights."""
    folder.mkdir()
    script = folder / "training.py"
    script.write_text(TRAINING, encoding="utf-8")
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    environment = os.environ | {
        "PYTHONPATH": paths,
        "OMP_NUM_THREADS": "1",
        "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
    }
    arguments = [str(script), str(folder / "run"), str(data[0]), str(data[1]), str(killed_at)]
    done = subprocess.run(
        [sys.executable, *launcher, *arguments], env=environment, timeout=300, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    with (folder / "run" / "liver" / "log.csv").open(newline="") as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    return losses, torch.load(folder / "run" / "liver" / "last.pt", weights_only=True)["network"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory, data):
    return trained(tmp_path_factory.mktemp("alone") / "one", data)


TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def assert_the_same(found, expected):
    assert len(found[0]) == STEPS
    assert found[0] == pytest.approx(expected[0], rel=1e-5)
    moved, apart = 0.0, 0.0
    torch.manual_seed(small_recipe().seed + small_recipe().jobs.index("liver"))
    for name, before in CascadeResNet(small_recipe().model.width).named_parameters():
        moved += float((expected[1][name] - before.detach()).square().sum())
        apart += float((expected[1][name] - found[1][name]).square().sum())
    assert apart < 1e-6 * moved


def test_two_processes_follow_the_loss_curve_of_one(tmp_path, data, alone):
    assert_the_same(trained(tmp_path / "two", data, *TORCHRUN), alone)


def test_processes_that_torchrun_started_again_after_a_kill_go_on_from_the_checkpoint(tmp_path, data, alone):
    found = trained(tmp_path / "killed", data, *TORCHRUN, "--max-restarts", "1", killed_at=5)
    assert_the_same(found, alone)


def test_torchrun_hands_on_every_option_of_the_command():
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    for name in [name for action in parser._actions for name in action.option_strings]:
        command = ["train", "dataset", name, "value"]
        given = get_args_parser().parse_args(["-m", "LiverLesionCascadeLib.cli", *command])
        assert given.training_script_args == command


def test_restarts_that_would_not_find_each_other_are_refused(monkeypatch):
    monkeypatch.setattr(torch.distributed, "is_torchelastic_launched", lambda: True)
    monkeypatch.setenv("TORCHELASTIC_MAX_RESTARTS", "3")
    monkeypatch.delenv("TORCH_DISABLE_SHARE_RDZV_TCP_STORE", raising=False)
    with pytest.raises(InputError, match="TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1"), joined(torch.device("cpu")):
        pass


@pytest.mark.parametrize(("batch", "world", "parts"), [(10, 1, 1), (10, 3, 1), (7, 2, 3), (8, 2, 2)])
def test_shards_of_all_processes_are_the_whole_batch_once(batch, world, parts):
    shards = [Ranks(rank, world).shards(batch, parts) for rank in range(world)]
    assert sorted(i for own in shards for shard in own for i in shard.samples) == list(range(batch))
    for together in zip(*shards, strict=True):
        assert sum(len(shard.samples) for shard in together) == together[0].total
        assert [shard.start for shard in together] == sorted({shard.start for shard in together})


def test_batch_that_is_too_small_for_the_processes_is_refused():
    with pytest.raises(InputError, match="batch of 4 cannot be divided among 3 processes times 2 parts"):
        Ranks(0, 3).shards(4, 2)


def test_summed_normalisation_alone_is_that_of_torch():
    torch.manual_seed(0)
    ours, torchs = SummedBatchNorm2d(6), torch.nn.BatchNorm2d(6)
    for norm in (ours, torchs):
        with torch.no_grad():
            norm.weight.copy_(torch.linspace(0.5, 2, 6))
    inputs = [torch.randn(4, 6, 9, 7, requires_grad=True) for _ in range(2)]
    inputs[1].data.copy_(inputs[0].data)
    outputs = [norm(x * 3 + 5) for norm, x in zip((ours, torchs), inputs, strict=True)]
    torch.testing.assert_close(outputs[0], outputs[1], rtol=1e-5, atol=1e-5)
    for output in outputs:
        (output**3).sum().backward()
    torch.testing.assert_close(inputs[0].grad, inputs[1].grad, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(ours.state_dict(), torchs.state_dict())
    torch.testing.assert_close(ours.eval()(inputs[0]), torchs.eval()(inputs[1]))


def test_dropout_of_a_shard_is_its_part_of_the_dropout_of_the_whole():
    x = torch.ones(BATCH, 8, 4, 4).contiguous(memory_format=torch.channels_last)
    torch.manual_seed(1)
    whole = torch.nn.functional.dropout(x, 0.5)
    for rank in range(2):
        dropout = ShardedDropout(0.5)
        shard = Ranks(rank, 2).shards(BATCH, 1)[0]
        hold_shard(dropout, shard)
        torch.manual_seed(1)
        assert torch.equal(dropout(x[: len(shard.samples)]), whole[shard.samples.start : shard.samples.stop])
