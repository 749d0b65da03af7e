"""Runs segmentations in the worker process: queues them, hands over volumes and results, and survives its death."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..engine.run_options import RunOptions
from .devices import DeviceInfo
from .process import ProcessFactory
from .runs import Run, RunHandlers, VolumeData


class WorkerClient:
    """The one who talks to the worker process, in an event loop; nothing blocks, except ``close``.

    The process is started when the first run needs it, or by ``prepare``; it keeps the model loaded for the next run.

    Args:
        make_process: Makes the worker's process, such as ``QtProcess``.
        call_later: (seconds, function): the event loop calls the function once, later, never from within this call.
        temporary_root: Folder for the files that go to and fro; a private folder is made in it, and those that a
            killed program left there are removed.
    """

    def __init__(
        self,
        make_process: ProcessFactory,
        call_later: Callable[[float, Callable[[], None]], None],
        temporary_root: Path,
    ) -> None:
        raise NotImplementedError

    @property
    def busy(self) -> bool:
        """Whether a run is queued or running."""
        raise NotImplementedError

    @property
    def runs(self) -> list[Run]:
        """Runs that have not ended, in their order; the first one runs."""
        raise NotImplementedError

    @property
    def devices(self) -> list[DeviceInfo]:
        """What a run can be computed on; empty until the worker has been started once."""
        raise NotImplementedError

    @property
    def device_note(self) -> str:
        """What is wrong with a GPU that is there but cannot be used, with its remedy; empty where all is well."""
        raise NotImplementedError

    def submit(self, volume: VolumeData, options: RunOptions, handlers: RunHandlers) -> Run:
        """Queues a run and returns at once; no handler is called from within this call.

        Raises:
            RuntimeError: After ``close``.
        """
        raise NotImplementedError

    def prepare(self, on_ready: Callable[[], None] | None = None) -> None:
        """Starts the worker early.

        Args:
            on_ready: Called once, later, when ``devices`` and ``device_note`` are known or the worker cannot start.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Cancels every run, ends the worker and removes all files; blocks for a second at most. Can be repeated."""
        raise NotImplementedError
