"""Runs segmentations in the worker process: queues them, hands over volumes and results, and survives its death."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from ..engine.files import remove_tree
from ..engine.results.result import SegmentationResult
from ..engine.run_options import RunOptions
from .connection import Connection
from .devices import DeviceInfo
from .exchange_folder import RESULT, ExchangeFolder, remove_abandoned, unusable, write_volume
from .process import ProcessFactory
from .protocol import Hello, Message, RunFailed, RunFinished, RunProgress, StartRun
from .submitted_run import Run, RunFailure, RunHandlers, VolumeData

_CLOSING_SECONDS = 1.0


class WorkerClient:
    """The one who talks to the worker process, in an event loop; nothing blocks, except ``close``.

    The process is started when the first run needs it, or by ``prepare``; it keeps the model loaded for the next run.

    Args:
        make_process: Makes the worker's process, such as ``QtProcess``.
        call_later: (seconds, function): the event loop calls the function once, later, never from within this call.
        temporary_root: Folder for the files that go to and fro; a private folder is made in it, and those that a
            killed program left there are removed.

    Attributes:
        runs: Those that have not ended, in their order; the first one runs.
        devices: What a run can be computed on; empty until the worker has been started once.
        device_note: What is wrong with a GPU that is there but cannot be used, with its remedy; empty where all is
            well.
    """

    def __init__(
        self,
        make_process: ProcessFactory,
        call_later: Callable[[float, Callable[[], None]], None],
        temporary_root: Path,
    ) -> None:
        self.runs: list[Run] = []
        self.devices: list[DeviceInfo] = []
        self.device_note = ""
        self._make_process = make_process
        self._call_later = call_later
        self._root = temporary_root
        self._exchange: ExchangeFolder | None = None
        self._worker: Connection | None = None
        self._current: _CurrentRun | None = None
        self._runs_started = 0
        self._waiting_for_devices: list[Callable[[], None]] = []
        self._closed = False

    def submit(self, volume: VolumeData, options: RunOptions, handlers: RunHandlers) -> Run:
        """Queues a run and returns at once; no handler is called from within this call.

        Raises:
            RuntimeError: After ``close``.
        """
        if self._closed:
            raise RuntimeError("The worker has been closed: no run can be submitted any more.")
        run = Run(volume, options, handlers, self._cancel)
        self.runs.append(run)
        self._call_later(0.0, self._start_next)
        return run

    def prepare(self, on_ready: Callable[[], None] | None = None) -> None:
        """Starts the worker early.

        Args:
            on_ready: Called once, later, when ``devices`` and ``device_note`` are known or the worker cannot start.
        """
        if on_ready is not None:
            self._waiting_for_devices.append(on_ready)
        self._call_later(0.0, self._prepare)

    def close(self) -> None:
        """Cancels every run, ends the worker and removes all files; blocks for a second at most. Can be repeated."""
        self._closed = True
        runs, self.runs = self.runs, []
        worker, self._worker = self._worker, None
        current, self._current = self._current, None
        if worker is not None:
            worker.close(_CLOSING_SECONDS)
        if current is not None:
            current.writing.close()
        self._remove_exchange()
        for run in runs:
            run.end()
            _tell(run.handlers.on_cancelled)

    # A run, from its turn to its end

    def _start_next(self) -> None:
        if self._current is not None or not self.runs:
            return
        self._runs_started += 1
        run = self.runs[0]
        run.state = "running"
        current = self._current = _CurrentRun(run, self._runs_started, self._write_volume(run, self._runs_started))
        self._start_worker()
        self._write_on(current)
        warm = self._worker is not None and self._worker.ready
        _tell(run.handlers.on_progress, 0.0, "Sending" if warm else "Starting", None)

    def _write_volume(self, run: Run, number: int) -> Generator[None, None, None]:
        """Writes a run's folder, in pieces. Raises OSError."""
        volume = run.volume
        assert volume is not None
        if self._exchange is None or not self._exchange.path.is_dir():  # there are cleaners of temporary folders
            self._remove_exchange()
            remove_abandoned(self._root)
            self._exchange = ExchangeFolder(self._root)
        yield from write_volume(self._exchange.run_folder(number), volume, run.options)

    def _write_on(self, current: _CurrentRun) -> None:
        """Writes a piece, then gives way to the event loop."""
        if current is not self._current or current.cancelled:
            return
        try:
            next(current.writing)
        except StopIteration:
            current.written = True
            self._send_run()
        except OSError as error:
            failure = RunFailure("disk", unusable(self._root, error))
            self._call_later(0.0, lambda: self._fail(current, failure))
        else:
            self._call_later(0.0, lambda: self._write_on(current))

    def _send_run(self) -> None:
        current = self._current
        if current is not None and current.written and self._worker is not None and self._worker.ready:
            self._worker.send(StartRun(current.number, str(self._folder(current))))

    def _cancel(self, run: Run) -> None:
        if run.state == "queued":
            run.end()
            self.runs.remove(run)
            self._call_later(0.0, lambda: _tell(run.handlers.on_cancelled))
        elif run.state == "running" and self._current is not None and self._worker is not None:
            self._current.cancelled = True
            self._worker.kill()  # the run ends with it

    def _fail(self, current: _CurrentRun, failure: RunFailure) -> None:
        if current is self._current and not current.cancelled:
            self._end(current, current.run.handlers.on_failed, failure)

    def _end(self, current: _CurrentRun, handler: Callable[..., None], *arguments: object) -> None:
        """Ends the current run, lets the next one begin, and tells the owner how it ended."""
        self._current = None
        self.runs.remove(current.run)
        current.run.end()
        current.writing.close()
        if self._exchange is not None:
            remove_tree(self._exchange.run_folder(current.number))
        if self.runs:
            self._call_later(0.0, self._start_next)
        else:
            self._remove_exchange()
        _tell(handler, *arguments)

    # The worker, from its start to its end

    def _prepare(self) -> None:
        if self._closed:
            return
        self._start_worker()
        if self._worker is not None and self._worker.ready:
            self._tell_devices()

    def _start_worker(self) -> None:
        if self._worker is None:
            self._worker = Connection(self._make_process, self._on_message, self._on_worker_ended)

    def _on_message(self, message: Message) -> None:
        current = self._current
        if isinstance(message, Hello):
            self.devices, self.device_note = list(message.devices), message.device_note
            self._tell_devices()
            self._send_run()
        elif isinstance(message, StartRun) or current is None or message.run != current.number or current.cancelled:
            return
        elif isinstance(message, RunProgress):
            _tell(current.run.handlers.on_progress, message.fraction, message.stage, message.seconds_left)
        elif isinstance(message, RunFailed):
            self._fail(current, RunFailure(message.kind, message.message, message.details))
        elif isinstance(message, RunFinished):
            self._on_finished(current)

    def _on_finished(self, current: _CurrentRun) -> None:
        try:
            result = SegmentationResult.read(self._folder(current) / RESULT)
        except (OSError, ValueError) as error:
            self._fail(current, RunFailure("disk", unusable(self._root, error)))
        else:
            self._end(current, current.run.handlers.on_finished, result)

    def _on_worker_ended(self, failure: RunFailure | None) -> None:
        self._worker = None
        current = self._current
        if current is not None and current.cancelled:  # an end that says nothing of the worker or its devices
            self._end(current, current.run.handlers.on_cancelled)
            if self._waiting_for_devices:
                self._prepare()
            return
        if failure is not None and self._waiting_for_devices:
            self.device_note = failure.message
        self._tell_devices()
        if current is None:
            return
        if failure is not None:
            self._fail(current, failure)
        else:  # it ended itself just when the run began
            self._start_worker()

    def _folder(self, current: _CurrentRun) -> Path:
        assert self._exchange is not None
        return self._exchange.run_folder(current.number)

    def _remove_exchange(self) -> None:
        if self._exchange is not None:
            self._exchange.remove()
            self._exchange = None

    def _tell_devices(self) -> None:
        waiting, self._waiting_for_devices = self._waiting_for_devices, []
        for on_ready in waiting:
            _tell(on_ready)


@dataclass
class _CurrentRun:
    """The run whose turn it is.

    Attributes:
        number: Its own, among all runs of the client.
        writing: Writes its volume, piece by piece.
        written: Whether that is done.
        cancelled: The worker is being ended; nothing that it still says counts.
    """

    run: Run
    number: int
    writing: Generator[None, None, None]
    written: bool = False
    cancelled: bool = False


def _tell(handler: Callable[..., None], *arguments: object) -> None:
    """Calls a handler; an error in it is logged, and the queue goes on."""
    try:
        handler(*arguments)
    except Exception:
        logging.exception("A handler of a segmentation run failed")
