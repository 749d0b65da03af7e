"""What a training says of itself in ``status.json``, and what it is told: by ``control.json`` and by signals."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import torch
from LiverLesionCascadeLib.engine.signals import handled_signals

from ..recipes import StageRecipe
from .run_folder import CONTROL_FILE, RunFolder, RunStatus

#: The status is written at most this often, in seconds.
_EVERY = 1.0


class RunControl:
    """Steers the training in a run folder and tells how far it is.

    Args:
        folder: The run folder; None: nothing is written and nothing obeyed.
        device: Named in the status.
        plan: The jobs to train, in order; what follows the present one counts in the time left.
    """

    def __init__(
        self, folder: Path | None, device: torch.device | None = None, plan: dict[str, StageRecipe] | None = None
    ) -> None:
        self._run = RunFolder(folder) if folder is not None else None
        self._device, self._plan = device, plan or {}
        self._started, self._written, self._said = time.time(), 0.0, ""

    def say(
        self, state: str, job: str = "", step: int = 0, images_per_second: float | None = None, message: str = ""
    ) -> None:
        """Writes the status; the same state at most once a second."""
        now = time.time()
        if self._run is None or (state == self._said and 0 <= now - self._written < _EVERY):
            return
        stage, device = self._plan.get(job), self._device
        cuda = device is not None and device.type == "cuda"
        status = RunStatus(
            pid=os.getpid(),
            started=self._started,
            updated=now,
            state=state,
            job=job,
            step=step,
            steps=stage.steps if stage else 0,
            seconds_left=self._seconds_left(job, step, images_per_second),
            images_per_second=images_per_second,
            device=str(device or ""),
            gpu_memory_mb=torch.cuda.max_memory_reserved(device) / 1e6 if cuda else None,
            message=message,
        )
        try:
            self._run.write_status(status)
        except OSError:
            # On Windows a file that somebody reads cannot be replaced; the next status comes in a second. Where the
            # disk is full, what cannot do without it says so.
            return
        self._written, self._said = now, state

    def _seconds_left(self, job: str, step: int, images_per_second: float | None) -> float | None:
        if job not in self._plan or not images_per_second:
            return None
        stages = list(self._plan.values())
        at = list(self._plan).index(job)
        work = stages[at].work(step) + sum(stage.work(0) for stage in stages[at + 1 :])
        return work / (images_per_second * stages[at].phase_at(step).size ** 2)

    def command(self) -> str:
        """``pause``, ``stop``, or "" to go on."""
        command = self._run.command() if self._run is not None else ""
        return command if command in ("pause", "stop") else ""

    def obeyed(self) -> None:
        """Removes the command to stop, so that the next start goes on."""
        if self._run is not None:
            (self._run.path / CONTROL_FILE).unlink(missing_ok=True)


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM (a cluster's scheduler) set the event, so that a step is never left half done.

    A second Ctrl-C interrupts at once. Outside of the main thread nothing is installed.
    """
    asked = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        asked.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    with handled_signals((signal.SIGINT, signal.SIGTERM), ask):
        yield asked
