"""Starts trainings as processes of their own, which outlive who started them, and finds them again.

A training is known by its run folder alone: ``status.json`` names its process. So a later Slicer takes it up where an
earlier one left it.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import LiverLesionCascadeLib
from LiverLesionCascadeLib.engine.errors import InputError, OutputError, reason, system_errors_as

from ..cases.case_source import write_json
from .run_folder import ACTIVE_STATES, CONTROL_FILE, OUTPUT_FILE, REQUEST_FILE, RunFolder, RunStatus

#: A process that has said nothing for so long is not taken for the training any more: after a restart of the computer
#: its number may be another program's. The trainer's own lock keeps two from working in one folder.
SILENT_S = 15 * 60.0
#: Until a process that somebody else started must have said its first word.
COMING_UP_S = 120.0

_PACKAGE_FOLDERS = sorted(
    {str(Path(LiverLesionCascadeLib.__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])}
)


def python_command(module: str, *arguments: str) -> list[str]:
    """The command that runs ``main()`` of one of our modules in Slicer's Python, or in this one outside Slicer.

    The packages need not be installed there.
    """
    python = shutil.which("PythonSlicer") or sys.executable
    program = f"import sys; sys.path[:0] = {_PACKAGE_FOLDERS!a}; from {module} import main; sys.exit(main())"
    return [python, "-u", "-c", program, *arguments]


def cascade_command(*arguments: str) -> list[str]:
    """The command ``liver-lesion-cascade ARGUMENTS``."""
    return python_command("LiverLesionCascadeLib.cli", *arguments)


@dataclass(frozen=True)
class TrainingRequest:
    """What to train. Paths are texts, as they are saved; an empty one is not given.

    Attributes:
        train: Folder of training cases, or a prepared data set with its own validation cases.
        validation: Folder of cases of other patients.
        run: Run folder.
        start: Bundle to start from.
        prepared: Data set that was prepared from both folders, to be trained on instead.
        outlive: Whether it goes on when Slicer is closed.
    """

    train: str
    validation: str
    run: str
    recipe: str = "compact"
    start: str = ""
    device: str = "auto"
    prepared: str = ""
    outlive: bool = True

    def arguments(self) -> list[str]:
        """Of the command ``train``."""
        words = ["train", self.prepared or self.train, "--output", self.run]
        words += ["--recipe", self.recipe, "--device", self.device]
        words += ["--validation", self.validation] if self.validation and not self.prepared else []
        return words + (["--start-from", self.start] if self.start else [])

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainingRequest | None:
        """None where the values are not those of a request."""
        try:
            return cls(**values)
        except TypeError:
            return None


class TrainingRun:
    """The training in one run folder.

    Args:
        folder: The run folder; need not exist.
        command: The program that trains, to which a request's arguments are added; a test hands in its own.
    """

    def __init__(self, folder: Path, command: Sequence[str] | None = None) -> None:
        self.folder = RunFolder(folder)
        self._command = list(cascade_command() if command is None else command)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, request: TrainingRequest) -> None:
        """Starts the trainer, detached: it lives on when this process ends. An interrupted training goes on.

        Raises:
            InputError: If a training is at work in the folder.
            OutputError: If the folder cannot be written to, or the program cannot be started.
        """
        if self.active:
            raise InputError(f"A training is at work in {self.folder.path}: stop it first, or choose another folder")
        last = self.folder.status()
        if last is not None and last.pid and self._at_work(last):
            raise InputError(f"The training in {self.folder.path} is just ending: try again in a moment")
        path = self.folder.path
        now = time.time()
        remedy = "choose a folder that you can write to"
        with system_errors_as(OutputError, f"The training could not be started in {path}", remedy):
            path.mkdir(parents=True, exist_ok=True)
            (path / CONTROL_FILE).unlink(missing_ok=True)
            write_json(path / REQUEST_FILE, asdict(request))
            self.folder.write_status(RunStatus(started=now, updated=now, state="preparing", device=request.device))
            with (path / OUTPUT_FILE).open("ab") as output:
                self._process = subprocess.Popen(
                    [*self._command, *request.arguments()],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    **own_group(),
                )

    def send(self, command: str) -> None:
        """Tells the trainer to ``pause``, ``resume`` or ``stop``.

        Raises:
            OutputError: If the run folder cannot be written to.
        """
        try:
            self.folder.send(command)
        except OSError as error:
            raise OutputError(f"{self.folder.path} cannot be written to ({reason(error)})") from error

    def look(self) -> RunStatus:
        """The training's status now; its state is ``none`` without a training and ``lost`` where its process died."""
        ended = self._process is not None and self._process.poll() is not None
        status = self.folder.status()  # read after the process was seen to end: then it is its last word
        if status is None:
            return RunStatus(state="none")
        if status.state in ACTIVE_STATES and (ended or not self._at_work(status)):
            return replace(status, state="lost", message=self.last_error() or status.message)
        return status

    @property
    def active(self) -> bool:
        """Whether a trainer is at work here, or paused."""
        return self.look().state in ACTIVE_STATES

    def last_error(self) -> str:
        """The line of the trainer's output that says why it ended; empty where there is none."""
        lines = [line for line in self.folder.tail().splitlines() if line.startswith("error: ")]
        return lines[-1].removeprefix("error: ") if lines else ""

    def _at_work(self, status: RunStatus) -> bool:
        silence = time.time() - status.updated
        if status.pid == 0:
            return self._process is not None or silence < COMING_UP_S
        return process_alive(status.pid) and (self._process is not None or silence < SILENT_S)


def own_group() -> dict[str, Any]:
    """Arguments of Popen for a process and its children that neither the end of this one nor of its terminal ends."""
    if sys.platform == "win32":
        # A console without a window: the launcher's own child would open one if there were none to inherit.
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def process_alive(pid: int) -> bool:
    """Whether a process with this number exists. (On Windows ``os.kill(pid, 0)`` would end it.)"""
    if sys.platform == "win32":
        kernel = ctypes.windll.kernel32
        kernel.OpenProcess.restype = ctypes.c_void_p
        synchronize, timeout = 0x00100000, 0x00000102
        handle = kernel.OpenProcess(synchronize, False, pid)
        if not handle:
            return False
        try:
            return int(kernel.WaitForSingleObject(ctypes.c_void_p(handle), 0)) == timeout
        finally:
            kernel.CloseHandle(ctypes.c_void_p(handle))
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
