"""Trains one network: steps, checkpoints, exact resume, log, validation."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from LiverLesionCascadeLib.engine.device import autocast
from LiverLesionCascadeLib.engine.errors import CascadeError
from LiverLesionCascadeLib.engine.network import CascadeResNet
from torch import nn

from .batches import BatchMaker
from .losses import cascade_loss, learning_rate
from .recipes import Recipe, StageRecipe

LOG_COLUMNS = ("step", "learning_rate", "loss", "images_per_second", "validation_liver_dice", "validation_lesion_dice")


class TrainingError(CascadeError):
    """Training cannot go on; the last good checkpoint is kept."""


def save_atomically(state: dict[str, Any], path: Path) -> None:
    """Writes a checkpoint beside its place and renames it, so that a kill never leaves half a file."""
    partial = path.with_name(path.name + ".partial")
    try:
        torch.save(state, partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


class TrainingLog:
    """CSV and, where tensorboard is installed, TensorBoard events; rows after the resumed step are dropped."""

    def __init__(self, folder: Path, resumed_step: int) -> None:
        path = folder / "log.csv"
        rows = []
        if path.is_file():
            with path.open(newline="", encoding="utf-8") as file:
                rows = [row for row in csv.DictReader(file) if int(row["step"]) <= resumed_step]
        self._file = path.open("w", newline="", encoding="utf-8")
        self._writer = csv.DictWriter(self._file, LOG_COLUMNS)
        self._writer.writeheader()
        self._writer.writerows(rows)
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            self._board = None
        else:
            self._board = SummaryWriter(str(folder), purge_step=resumed_step + 1)

    def write(self, row: dict[str, float]) -> None:
        self._writer.writerow({key: f"{value:.6g}" for key, value in row.items()})
        self._file.flush()
        if self._board is not None:
            for key, value in row.items():
                if key != "step":
                    self._board.add_scalar(key, value, int(row["step"]))

    def close(self) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()


class Trainer:
    """Trains one network of the cascade in a folder that holds its checkpoint and log.

    Args:
        network: Initialised network; a checkpoint in the folder takes precedence.
        batches: Makes the batch of each step.
        folder: Where ``last.pt`` and ``log.csv`` live.
        validate: Called with the network in evaluation mode; returns (liver Dice, lesion Dice).
        report: Called with one line of text per logged interval.
    """

    def __init__(
        self,
        network: CascadeResNet,
        batches: BatchMaker,
        recipe: Recipe,
        stage: StageRecipe,
        folder: Path,
        device: torch.device,
        validate: Callable[[nn.Module], tuple[float, float]] | None = None,
        report: Callable[[str], None] = print,
    ) -> None:
        self.network = network.placed(device)
        self._batches, self._recipe, self._stage, self._folder, self._device = batches, recipe, stage, folder, device
        self._validate, self._report = validate, report
        self._optimiser = torch.optim.SGD(
            network.parameters(),
            lr=stage.learning_rate,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
            weight_decay=recipe.weight_decay,
        )
        self.step = 0
        folder.mkdir(parents=True, exist_ok=True)
        self.checkpoint = folder / "last.pt"
        if self.checkpoint.is_file():
            self._resume()

    def _resume(self) -> None:
        state = torch.load(self.checkpoint, map_location=self._device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]

    def save(self) -> None:
        state = {"network": self.network.state_dict(), "optimiser": self._optimiser.state_dict(), "step": self.step}
        save_atomically(state, self.checkpoint)

    def train_step(self) -> float:
        """One optimiser step; returns the loss.

        Raises:
            TrainingError: If the loss is not finite.
        """
        stage, recipe = self._stage, self._recipe
        rate = learning_rate(self.step, stage.steps, stage.learning_rate, stage.warmup, stage.schedule)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        # Dropout draws from torch's own generator: seeded per step, so that a resumed run is the same run.
        torch.manual_seed(int(self._batches.random(self.step).integers(2**62)))
        batch = self._batches.make(self.step)
        inputs = batch.inputs.to(self._device, memory_format=torch.channels_last)
        targets = batch.targets.to(self._device)
        self.network.train()
        with autocast(self._device):
            logits = self.network(inputs)
        loss = cascade_loss(logits, targets, recipe.dice_loss)
        value = loss.item()
        if value != value or value in (float("inf"), float("-inf")):
            raise TrainingError(
                f"The loss became {value} at step {self.step}; the checkpoint {self.checkpoint} is from before. "
                "Lower the learning rate or check the training images"
            )
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if recipe.gradient_clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), recipe.gradient_clip)
        self._optimiser.step()
        self.step += 1
        return value

    def run(
        self,
        log_interval: int = 25,
        validation_interval: int = 500,
        save_seconds: float = 120.0,
        stop_at: int | None = None,
    ) -> None:
        """Trains until the recipe's last step (or ``stop_at``), logging, validating and saving on the way."""
        try:
            # Released by the system when a process dies, so a killed training leaves no lock behind.
            with FileLock(self._folder / ".lock", timeout=0):
                self._run(log_interval, validation_interval, save_seconds, stop_at)
        except Timeout as error:
            raise TrainingError(f"{self._folder} is being trained by another process: stop that one first") from error

    def _run(self, log_interval: int, validation_interval: int, save_seconds: float, stop_at: int | None) -> None:
        if self.checkpoint.is_file():
            self._resume()
        last = self._stage.steps if stop_at is None else min(stop_at, self._stage.steps)
        log = TrainingLog(self._folder, self.step)
        losses: list[float] = []
        started = saved = time.monotonic()
        try:
            while self.step < last:
                losses.append(self.train_step())
                due = self.step % validation_interval == 0 or self.step == self._stage.steps
                if self.step % log_interval == 0 or due:
                    now = time.monotonic()
                    row = {
                        "step": self.step,
                        "learning_rate": self._optimiser.param_groups[0]["lr"],
                        "loss": sum(losses) / len(losses),
                        "images_per_second": len(losses) * self._recipe.batch / (now - started),
                    }
                    if due and self._validate is not None:
                        self.network.eval()
                        row["validation_liver_dice"], row["validation_lesion_dice"] = self._validate(self.network)
                    log.write(row)
                    self._report(_line(self._folder.name, self._stage.steps, row))
                    losses, started = [], time.monotonic()
                if time.monotonic() - saved > save_seconds:
                    self.save()
                    saved = time.monotonic()
        except KeyboardInterrupt:
            self.save()
            self._report(f"{self._folder.name}: stopped at step {self.step}; the same command goes on from there")
            raise
        finally:
            log.close()
        self.save()


def _line(job: str, steps: int, row: dict[str, float]) -> str:
    text = f"{job}: step {row['step']:.0f}/{steps}, loss {row['loss']:.4f}, {row['images_per_second']:.1f} images/s"
    if "validation_liver_dice" in row:
        text += f", validation liver {row['validation_liver_dice']:.3f}, lesion {row['validation_lesion_dice']:.3f}"
    return text
