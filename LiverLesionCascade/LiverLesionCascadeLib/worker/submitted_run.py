"""A run as its owner sees it: what goes in, what comes back, and the way to cancel it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ..engine.grid.boxed import Boxed
from ..engine.progress import Stage
from ..engine.results.result import SegmentationResult
from ..engine.run_options import RunOptions

#: Why a run failed: ``input`` (the volume), ``bundle``, ``device``, ``memory``, ``disk`` (the temporary folder),
#: ``torch`` (missing or broken), ``start`` (the worker cannot be started), ``worker`` (it ended unexpectedly),
#: ``internal`` (an error in this extension).
FailureKind = Literal["input", "bundle", "device", "memory", "disk", "torch", "start", "worker", "internal"]

#: All stages of runs, as far as one has them; those between reading and writing are the engine's.
STAGES = ("Starting", "Sending", "Reading", "Loading the model", *get_args(Stage), "Writing")

#: What to do where memory ran out.
MEMORY_REMEDY = (
    "Close other programs, choose the quality Fast, segment a smaller region of interest, or, where a GPU was used, "
    "choose the CPU."
)


@dataclass(frozen=True)
class VolumeData:
    """A volume to segment.

    Attributes:
        array: (k, j, i) HU. Not copied: it must stay as it is until the run's turn has come and it has been sent.
        ijk_to_lps: (4, 4), (i, j, k, 1) to LPS mm, parent transforms included.
        name: Shown in messages.
        edits: A result of this volume as a person left it: it is refined instead of made anew.
    """

    array: np.ndarray
    ijk_to_lps: np.ndarray
    name: str
    edits: Boxed | None = None


@dataclass(frozen=True)
class RunFailure:
    """Why a run failed.

    Attributes:
        message: One clear sentence with the remedy.
        details: For a report of the error: a traceback, the worker's last output. May be empty.
    """

    kind: FailureKind
    message: str
    details: str = ""


@dataclass(frozen=True)
class RunHandlers:
    """Who is told about a run: exactly one of the last three, once, after which nothing follows.

    Attributes:
        on_progress: (fraction done 0..1, stage in English, see ``STAGES``, seconds left or None while unknown).
        on_finished: (result on the volume's grid).
        on_failed: (failure).
        on_cancelled: The run's process has ended and its files are gone.
    """

    on_progress: Callable[[float, str, float | None], None]
    on_finished: Callable[[SegmentationResult], None]
    on_failed: Callable[[RunFailure], None]
    on_cancelled: Callable[[], None]


class Run:
    """A submitted run. Made by ``WorkerClient.submit``.

    Attributes:
        state: ``queued``, ``running`` or ``ended``.
    """

    def __init__(
        self, volume: VolumeData, options: RunOptions, handlers: RunHandlers, cancel: Callable[[Run], None]
    ) -> None:
        self.name = volume.name
        self.options = options
        self.handlers = handlers
        self.state: Literal["queued", "running", "ended"] = "queued"
        self.volume: VolumeData | None = volume  # None once the run has ended: it is large
        self._cancel = cancel

    def end(self) -> None:
        """For the client."""
        self.state = "ended"
        self.volume = None

    def cancel(self) -> None:
        """Ends the run; nothing happens where it has ended already. ``on_cancelled`` follows."""
        self._cancel(self)
