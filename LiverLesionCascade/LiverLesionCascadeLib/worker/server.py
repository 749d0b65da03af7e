"""The worker's side: serves one run after the other, and keeps the model loaded between them."""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ..engine.errors import BundleError, DeviceError, InputError, InvalidVolumeError, OutputError, is_out_of_memory
from ..engine.files import remove_tree
from ..engine.findings import Finding
from ..engine.model.bundle import ModelBundle
from ..engine.run_options import RunOptions
from ..engine.scan.ct_volume import CTVolume
from ..engine.source_run import run_on_source
from .devices import device_note, list_devices, torch_problem
from .exchange_folder import RESULT, read_volume, unusable
from .protocol import VERSION, Hello, LineReader, Message, RunFailed, RunFinished, RunProgress, StartRun, decode, encode
from .submitted_run import MEMORY_REMEDY, FailureKind

if TYPE_CHECKING:
    from ..engine.segmenter import Segmenter

IDLE_SECONDS = 15 * 60.0
#: Exit code; 0 means that it was idle for long, or that its GPU is lost, which another process may use.
CLIENT_GONE = 3
_GPU_LOST = (
    "The GPU cannot be used any more ({problem}): segment again; if that fails, choose the CPU or restart the computer."
)

# Share of a run before and after the segmentation itself.
_READING, _WRITING = 0.02, 0.02
# Progress is sent this often at most, apart from new stages.
_PROGRESS_SECONDS = 0.1


class Server:
    """Reads requests, one message a line, and answers them, until its input ends or nothing came for a while.

    Args:
        requests: Unbuffered; it ends when the client does.
        replies: Unbuffered.
        idle_seconds: How long it waits for a run before it ends itself.
    """

    def __init__(self, requests: BinaryIO, replies: BinaryIO, idle_seconds: float = IDLE_SECONDS) -> None:
        self._requests = requests
        self._replies = replies
        self._idle_seconds = idle_seconds
        self._waiting: queue.Queue[StartRun] = queue.Queue()
        self._folder: Path | None = None  # of the run that is computed
        self._models = _Models()
        self._gpus: list[str] = []  # that could be used
        self._gpu_lost = False

    def serve(self) -> None:
        """Returns when it was idle for long, or torch cannot be used.

        Ends the process when the client is gone, or a GPU cannot be used any more.
        """
        # First of all: a client that goes away while torch is being loaded is noticed too.
        threading.Thread(target=self._read_requests, daemon=True).start()
        problem = torch_problem()
        if problem:
            self.send(Hello(VERSION, problem, (), ""))
            return

        devices = list_devices()
        self._gpus = [each.id for each in devices if each.usable and each.id != "cpu"]
        self._models.note = device_note(devices)
        self.send(Hello(VERSION, "", tuple(devices), self._models.note))
        while True:
            try:
                request = self._waiting.get(timeout=self._idle_seconds)
            except queue.Empty:
                return
            self._folder = Path(request.folder)
            self.send(self._answer(request))
            self._folder = None
            if self._gpu_lost:
                os._exit(0)  # at once: to clean up its GPU could crash

    def _read_requests(self) -> None:
        reader = LineReader()
        while data := self._requests.read(65536):
            for line in reader.lines(data):
                message = decode(line)
                if isinstance(message, StartRun):
                    self._waiting.put(message)
        self._leave()

    def _leave(self) -> None:
        """The client is gone: ends the process at once, also in the midst of a run, whose scan must not stay behind."""
        if self._folder is not None:
            remove_tree(self._folder)
        os._exit(CLIENT_GONE)

    def send(self, message: Message) -> None:
        try:
            self._replies.write(encode(message))
        except OSError:
            self._leave()

    def _answer(self, request: StartRun) -> Message:
        try:
            self._run(request)
        except Exception as error:
            logging.exception("The run failed")
            kind, text = failure_of(error)
            details = traceback.format_exc()
        else:
            return RunFinished(request.run)
        # Only here the error is gone, whose frames hold the model and what it was computing.
        if kind == "memory":
            self._models.forget()
        elif kind in ("internal", "device") and (problem := self._gpu_problem()):
            self._gpu_lost = True
            kind, text = "device", _GPU_LOST.format(problem=problem)
        return RunFailed(request.run, kind, text, details)

    def _gpu_problem(self) -> str:
        """Why a GPU that could be used cannot be any more; empty where all can."""
        from ..engine.model.device import device_problem

        return next(filter(None, map(device_problem, self._gpus)), "")

    def _run(self, request: StartRun) -> None:
        folder = Path(request.folder)
        progress = _Progress(self, request.run)
        progress.report(0.0, "Reading")
        try:
            volume, options = read_volume(folder)
        except (OSError, ValueError) as error:
            raise OutputError(unusable(folder.parents[1], error)) from error
        ct = CTVolume.from_array(volume.array, volume.ijk_to_lps, volume.name)
        ct.require_ct_like()
        progress.report(_READING, "Loading the model")
        model, remarks = self._models.get(options)
        result = run_on_source(model, ct, options, volume.edits, progress.of_segmentation)
        progress.report(1 - _WRITING, "Writing")
        result.findings = [*remarks, *result.findings]
        try:
            result.write(folder / RESULT)
        except OSError as error:
            raise OutputError(unusable(folder.parents[1], error)) from error


class _Models:
    """The model that was used last, loaded.

    Attributes:
        note: What is wrong with a GPU that is there but cannot be used.
    """

    def __init__(self) -> None:
        self.note = ""
        self._model: Segmenter | None = None
        self._key: tuple[object, ...] = ()

    def get(self, options: RunOptions) -> tuple[Segmenter, list[Finding]]:
        """The segmenter for a run's bundle and device, and what is to be said about them."""
        from ..engine.segmenter import Segmenter

        # Read each time, which takes hundredths of a second: the folder may hold another bundle by now.
        bundle = ModelBundle.of(options.bundle)
        key = bundle.folder, bundle.metadata, options.device
        if self._model is None or key != self._key:
            self.forget()  # first: two need not fit
            self._model = Segmenter(bundle, options.device)
            self._key = key
        slow = self.note and options.device == "auto" and self._model.device.type == "cpu"
        return self._model, [Finding("gpu_not_used", "warning", self.note)] if slow else []

    def forget(self) -> None:
        """Gives the memory back."""
        import torch

        self._model = None
        if torch.cuda.is_available():
            with suppress(RuntimeError):  # of a GPU that is lost, which a run on the CPU need not know
                torch.cuda.empty_cache()


class _Progress:
    """Reports a run's progress with an estimate of the time left, but not too often."""

    def __init__(self, server: Server, run: int) -> None:
        self._server = server
        self._run = run
        self._segmenting_since: float | None = None
        self._sent = -_PROGRESS_SECONDS
        self._stage = ""

    def of_segmentation(self, fraction: float, stage: str) -> None:
        now = time.monotonic()
        if self._segmenting_since is None:
            self._segmenting_since = now
        elapsed = now - self._segmenting_since
        left = elapsed * (1 - fraction) / fraction if fraction > 0.05 and elapsed > 1 else None
        self.report(_READING + (1 - _READING - _WRITING) * fraction, stage, left)

    def report(self, fraction: float, stage: str, seconds_left: float | None = None) -> None:
        now = time.monotonic()
        if stage != self._stage or now >= self._sent + _PROGRESS_SECONDS:
            self._stage, self._sent = stage, now
            self._server.send(RunProgress(self._run, fraction, stage, seconds_left))


def failure_of(error: Exception) -> tuple[FailureKind, str]:
    """What kind of failure an error is, and the sentence that a person reads."""
    text = str(error)
    if is_out_of_memory(error):
        return "memory", f"Memory ran out during the segmentation. {MEMORY_REMEDY}"
    if isinstance(error, (InvalidVolumeError, InputError)):
        return "input", text
    if isinstance(error, BundleError):
        return "bundle", text
    if isinstance(error, DeviceError):
        return "device", text
    if isinstance(error, OutputError):
        return "disk", text
    return (
        "internal",
        f"The segmentation failed by an error in this extension ({type(error).__name__}: {text}): please report it "
        "with the details.",
    )
