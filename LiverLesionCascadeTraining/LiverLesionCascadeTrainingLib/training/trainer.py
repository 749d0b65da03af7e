"""Trains one network: steps, checkpoints, exact resume, log, validation."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np
import torch
from filelock import Timeout
from LiverLesionCascadeLib.engine.errors import CancelledError, reason
from LiverLesionCascadeLib.engine.model.network import SliceNetwork
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from ..datasets.folder_lock import alone_in
from ..runs.run_control import RunControl, stop_signals
from ..slices.batches import Batch, BatchMaker
from ..slices.hard_slices import false_and_sure
from .checkpoint import BEST, LAST, TrainingError, UnwritableError, load_checkpoint, save_atomically, usable
from .distributed import Ranks, across_ranks, hold_shard
from .losses import cascade_loss, learning_rate
from .precision import Precision
from .prefetch import prefetched, spare_cores
from .training_log import TrainingLog

#: Draws follow what the network is wrong about as it was known at every so many steps.
_SETTLE_STEPS = 250
#: While paused, the command to go on is looked for this often, in seconds.
_PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class Execution:
    """How a training is computed; what is trained does not depend on it.

    Attributes:
        precision: ``auto``, ``fp32``, ``bf16`` or ``fp16``: see ``Precision``.
        accumulate: In how many parts a process takes its share of a batch, to need less memory. Batch normalisation and
            Dice are those of a part.
        ranks: The processes that train together.
    """

    precision: str = "auto"
    accumulate: int = 1
    ranks: Ranks = Ranks()


class Trainer:
    """Trains one network of the cascade in a folder that holds its checkpoints and log.

    Args:
        network: Initialised network; a checkpoint in the folder takes precedence.
        batches: Makes the batch of each step, and says by which recipe and stage.
        folder: Where ``last.pt``, ``best.pt`` (best validation Dice) and ``log.csv`` live.
        validate: Called with the averaged network in evaluation mode and the side of the images; returns (liver Dice,
            lesion Dice).
        report: Called with one line of text per logged interval.
        execution: Precision, accumulation, processes.
        control: Is told how far the training is, and says when to pause or stop; of the first process alone.
        begin: Called once no other process can train in the folder, before anything is read or written there.
    """

    def __init__(
        self,
        network: SliceNetwork,
        batches: BatchMaker,
        folder: Path,
        device: torch.device,
        validate: Callable[[nn.Module, int], tuple[float, float]] | None = None,
        report: Callable[[str], None] = print,
        execution: Execution | None = None,
        control: RunControl | None = None,
        begin: Callable[[], None] = lambda: None,
    ) -> None:
        execution = execution or Execution()
        recipe, stage = batches.recipe, batches.stage
        self.network = network.placed(device)
        self._batches, self._recipe, self._stage, self._folder, self._device = batches, recipe, stage, folder, device
        self._hard_slices = batches.hard_slices
        self._validate, self._report, self._control = validate, report, control or RunControl(None)
        self._ranks, self._begin = execution.ranks, begin
        self._precision = Precision(execution.precision, device)
        self._shards = self._ranks.shards(recipe.batch, execution.accumulate)
        self._shared = across_ranks(self.network, self._ranks, device)
        self._optimiser = torch.optim.SGD(
            network.parameters(),
            lr=stage.learning_rate,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
            weight_decay=recipe.weight_decay,
        )
        #: Moving average of the weights and of what batch normalisation knows: what is validated and exported.
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.step = 0
        self._losses: list[float] = []
        self._best_dice = -math.inf
        self._speed: float | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.checkpoint = folder / LAST

    def resume(self) -> None:
        """Goes on from ``last.pt``, if there is one. Raises TrainingError where that cannot be used."""
        if not self.checkpoint.is_file():
            return
        state = load_checkpoint(self.checkpoint, self._device)
        with usable(self.checkpoint):
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self._optimiser.load_state_dict(state["optimiser"])
            self.step = int(state["step"])
            self._losses, self._best_dice = [float(loss) for loss in state["losses"]], float(state["best_dice"])
            # Empty where the loss was not scaled until now: scaling begins as in a new training.
            if state["scaler"]:
                self._precision.scaler.load_state_dict(state["scaler"])
            if self._hard_slices is not None and "hard_slices" in state:
                self._hard_slices.load(state["hard_slices"])

    def save(self) -> None:
        """Writes ``last.pt``: all that the next step depends on.

        Raises:
            TrainingError: If it cannot be written; the checkpoint before is kept.
        """
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "step": self.step,
            "losses": self._losses,
            "best_dice": self._best_dice,
            "scaler": self._precision.scaler.state_dict(),
        }
        if self._hard_slices is not None:
            state["hard_slices"] = self._hard_slices.state()
        if self._ranks.first:
            save_atomically(state, self.checkpoint)

    def make_parts(self, step: int) -> list[Batch]:
        """This process's samples of a step, in the parts that its gradients are accumulated over."""
        return [self._batches.make(step, shard.samples).pinned(self._device) for shard in self._shards]

    def train_step(self, parts: list[Batch]) -> float:
        """One optimiser step; returns the loss.

        Raises:
            TrainingError: If the loss or its gradients are not finite.
        """
        stage, recipe, scaler = self._stage, self._recipe, self._precision.scaler
        rate = learning_rate(self.step, stage.steps, stage.learning_rate, stage.warmup, stage.schedule)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        # Dropout draws from torch's own generator: seeded per step, so that a resumed run is the same run.
        seed = int(self._batches.random(self.step).integers(2**62))
        torch.manual_seed(seed + self._ranks.rank if self._device.type == "cuda" else seed)
        self._shared.train()
        self._optimiser.zero_grad(set_to_none=True)
        loss = torch.zeros((), device=self._device)
        errors = [0.0] * recipe.batch
        for part, shard in zip(parts, self._shards, strict=True):
            inputs = part.inputs.to(self._device, memory_format=torch.channels_last, non_blocking=True)
            targets = part.targets.to(self._device, non_blocking=True)
            hold_shard(self.network, shard)
            # Gradients go to the other processes once a step, with those of the last part.
            together, more = self._shared, shard is not self._shards[-1]
            with together.no_sync() if more and isinstance(together, DistributedDataParallel) else nullcontext():
                with self._precision.autocast():
                    logits = together(inputs)
                share = cascade_loss(logits, targets, recipe.dice_loss, recipe.dice_by_image) * (
                    shard.total / recipe.batch
                )
                scaler.scale(share).backward()
            loss += share.detach()
            if self._hard_slices is not None:
                errors[shard.samples.start : shard.samples.stop] = false_and_sure(logits, targets).tolist()
        scaler.unscale_(self._optimiser)
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), recipe.gradient_clip or math.inf)
        value, gradient = torch.stack([loss, norm.to(loss.dtype)]).tolist()
        # Before the weights are touched: a checkpoint never holds what such a step would make of them.
        if not math.isfinite(value):
            self._refuse("loss", value)
        # A scaled loss may overflow: the scaler then skips the step and scales less.
        if not math.isfinite(gradient) and not scaler.is_enabled():
            self._refuse("gradient", gradient)
        scaler.step(self._optimiser)
        scaler.update()
        if self._hard_slices is not None:
            seen = self._ranks.total(errors, self._device)
            self._hard_slices.note(self._batches.drawn(self.step), np.asarray(seen))
        self.step += 1
        self._follow()
        return value

    @torch.no_grad()
    def _follow(self) -> None:
        """Moves the average a little towards the weights; at first faster, so that a short training has one, too."""
        share = 1 - min(self._stage.average, self.step / (self.step + 10))
        for average, value in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
            if average.is_floating_point():
                average.lerp_(value, share)
            else:
                average.copy_(value)

    def _refuse(self, what: str, value: float) -> None:
        raise TrainingError(
            f"The {what} became {value} at step {self.step}; the checkpoint {self.checkpoint} is from before. "
            "Lower the learning rate or check the training images"
        )

    def run(
        self,
        log_interval: int = 25,
        validation_interval: int = 500,
        save_seconds: float = 120.0,
        stop_at: int | None = None,
    ) -> None:
        """Trains until the recipe's last step (or ``stop_at``), logging, validating and saving on the way.

        Raises:
            TrainingError: If training cannot go on; the last good checkpoint is kept.
            CancelledError: If it was told to stop; it has been saved.
        """
        try:
            with alone_in(self._folder) if self._ranks.first else nullcontext():
                self._begin()
                self._run(log_interval, validation_interval, save_seconds, stop_at)
        except Timeout as error:
            raise TrainingError(f"{self._folder} is being trained by another process: stop that one first") from error
        except OSError as error:
            raise UnwritableError(
                f"{self._folder} cannot be written ({reason(error)}); the checkpoint {self.checkpoint} is "
                "kept. Free disk space, then give the same command again"
            ) from error

    def _run(self, log_interval: int, validation_interval: int, save_seconds: float, stop_at: int | None) -> None:
        self.resume()
        steps = self._stage.steps
        last = steps if stop_at is None else min(stop_at, steps)
        if self.step >= last:
            return
        with ExitStack() as stack:
            log = stack.enter_context(closing(TrainingLog(self._folder, self.step))) if self._ranks.first else None
            signalled = stack.enter_context(stop_signals())
            workers = spare_cores(self._device, self._ranks)
            batches = stack.enter_context(closing(self._made(last, workers)))
            started = saved = time.monotonic()
            since = self.step
            for parts in batches:
                self._losses.append(self.train_step(parts))
                due = self.step % validation_interval == 0 or self.step == steps
                if self.step % log_interval == 0 or due:
                    self._speed = (self.step - since) * self._recipe.batch / (time.monotonic() - started)
                    self._log(log, due)
                    self._losses, since, started = [], self.step, time.monotonic()
                if self._ranks.first and time.monotonic() - saved > save_seconds:
                    self.save()
                    saved = time.monotonic()
                self._say("training")
                self._obey(signalled)
        self.save()
        # What comes next may read the checkpoint.
        self._ranks.wait()

    def _made(self, last: int, workers: int) -> Generator[list[Batch], None, None]:
        """The batches from this step to the last; those after a step in which hard slices settle are made after it."""
        while self.step < last:
            end = last
            if self._hard_slices is not None:
                if self.step % _SETTLE_STEPS == 0:
                    self._hard_slices.settle()
                end = min(last, (self.step // _SETTLE_STEPS + 1) * _SETTLE_STEPS)
            yield from prefetched(self.make_parts, range(self.step, end), workers)

    def _log(self, log: TrainingLog | None, validate: bool) -> None:
        if log is None:
            return
        assert self._speed is not None
        row = {
            "step": self.step,
            "learning_rate": self._optimiser.param_groups[0]["lr"],
            "loss": sum(self._losses) / len(self._losses),
            "images_per_second": self._speed,
        }
        if validate and self._validate is not None:
            self._say("validating")
            # As large as the images that it has learned from so far.
            dice = self._validate(self.average, self._stage.phase_at(self.step - 1).size)
            row["validation_liver_dice"], row["validation_lesion_dice"] = dice
            mean = _mean_of_known(dice)
            if mean > self._best_dice:
                self._best_dice = mean
                state = {"average": self.average.state_dict(), "step": self.step, "dice": list(dice)}
                save_atomically(state, self._folder / BEST)
        log.write(row)
        self._report(_line(self._folder.name, self._stage.steps, row))

    def _say(self, state: str) -> None:
        self._control.say(state, self._folder.name, self.step, self._speed)

    def _obey(self, signalled: Event) -> None:
        """Pauses or stops when told to; all processes that train together do it after the same step."""
        paused = False
        while True:
            command = self._control.command()
            orders = [float(signalled.is_set() or command == "stop"), float(command == "pause")]
            stop, pause = self._ranks.total(orders, self._device)
            if stop or (pause and not paused):
                self.save()
            if stop:
                self._control.obeyed()
                raise CancelledError(f"{self._folder.name} stopped at step {self.step}; the same command goes on there")
            if not pause:
                return
            paused = True
            self._say("paused")
            time.sleep(_PAUSE_SECONDS)


def _mean_of_known(values: tuple[float, ...]) -> float:
    """Their mean without those that are NaN; -inf if all are."""
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else -math.inf


def _line(job: str, steps: int, row: dict[str, float]) -> str:
    text = f"{job}: step {row['step']:.0f}/{steps}, loss {row['loss']:.4f}, {row['images_per_second']:.1f} images/s"
    if "validation_liver_dice" in row:
        text += f", validation liver {row['validation_liver_dice']:.3f}, lesion {row['validation_lesion_dice']:.3f}"
    return text
