"""What a run folder tells about its training, and how to steer that training: files only, whoever started it.

The trainer writes ``status.json``, ``<job>/log.csv`` and ``<job>/preview.npz``; it reads ``control.json`` at each step.
Every file is replaced as a whole, so that a reader never sees half of one.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from LiverLesionCascadeLib.engine.files import json_object

from ..cases.case_source import write_json
from .log_curves import Curves, LogReader

STATUS_FILE = "status.json"
CONTROL_FILE = "control.json"
REQUEST_FILE = "request.json"
OUTPUT_FILE = "output.log"
PREVIEW_FILE = "preview.npz"
LOG_FILE = "log.csv"
BUNDLE_FOLDER = "bundle"
#: States in which a trainer is at work, or waits to be resumed.
ACTIVE_STATES = ("preparing", "training", "validating", "paused")
_TAIL_LINES = 15


@dataclass(frozen=True)
class RunStatus:
    """``status.json``: what the trainer last said of itself.

    Attributes:
        pid: Of the trainer; 0 until it has come up.
        started, updated: Seconds since the epoch.
        state: One of ``ACTIVE_STATES``, ``finished``, ``failed`` or ``stopped``.
        job: The network being trained, such as ``liver`` or ``lesion-image``.
        seconds_left: Of the whole training; None while nobody knows.
        message: What went wrong, or a remark.
    """

    pid: int = 0
    started: float = 0.0
    updated: float = 0.0
    state: str = ""
    job: str = ""
    step: int = 0
    steps: int = 0
    seconds_left: float | None = None
    images_per_second: float | None = None
    device: str = ""
    gpu_memory_mb: float | None = None
    message: str = ""

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunStatus | None:
        """Takes the keys that are known; a missing or null one keeps its default. None for a value that is none of its
        key."""
        known = {each.name: each.default for each in fields(cls)}
        given = {key: value for key, value in values.items() if key in known and value is not None}
        return cls(**given) if all(_is_like(known[key], value) for key, value in given.items()) else None


@dataclass(frozen=True)
class Preview:
    """Validation slices as the network sees them now.

    Attributes:
        images: (n, rows, columns) uint8.
        reference, predicted: (n, rows, columns) uint8: 0 background, 1 liver, 2 lesion.
        names: n names of the slices.
    """

    images: np.ndarray
    reference: np.ndarray
    predicted: np.ndarray
    names: tuple[str, ...]


class RunFolder:
    """Reads and steers the training in a folder; nothing is kept in memory, so that any process can come back to it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def bundle(self) -> Path | None:
        """The model bundle that a finished training has written; None before."""
        folder = self.path / BUNDLE_FOLDER
        return folder if (folder / "metadata.json").is_file() else None

    def status(self) -> RunStatus | None:
        """None where no training was started, or what its file holds is no status."""
        values = json_object(self.path / STATUS_FILE)
        return RunStatus.from_dict(values) if values else None

    def write_status(self, status: RunStatus) -> None:
        write_json(self.path / STATUS_FILE, status.__dict__)

    def send(self, command: str) -> None:
        """Tells the trainer to ``pause``, ``resume`` or ``stop``."""
        write_json(self.path / CONTROL_FILE, {"command": command})

    def command(self) -> Any:
        """What the trainer was told; None where it was told nothing, or the file is being replaced."""
        return json_object(self.path / CONTROL_FILE).get("command")

    def request(self) -> dict[str, Any]:
        """What the training was started with; empty where it was not started from Slicer."""
        return json_object(self.path / REQUEST_FILE)

    def jobs(self) -> list[str]:
        """Jobs that have a log, in the order in which they were last at work."""
        try:
            logs = [(log.stat().st_mtime_ns, log.parent.name) for log in self.path.glob(f"*/{LOG_FILE}")]
        except OSError:
            return []
        return [name for _, name in sorted(logs)]

    def curves(self, job: str) -> Curves:
        """The job's curves so far; empty where there is no log yet."""
        return LogReader(self.log_path(job)).read()

    def log_path(self, job: str) -> Path:
        return self.path / job / LOG_FILE

    def preview_path(self, job: str) -> Path:
        return self.path / job / PREVIEW_FILE

    def preview(self, job: str) -> Preview | None:
        """The job's validation slices; None where there are none, or the file is not one that the trainer writes."""
        try:
            with np.load(self.preview_path(job), allow_pickle=False) as file:
                images, reference, predicted = (np.asarray(file[name]) for name in ("images", "reference", "predicted"))
                names = tuple(str(name) for name in file["names"])
        # An archive is compressed, and a header is Python's syntax to numpy: of a damaged file anything may come.
        except Exception:  # noqa: BLE001
            return None
        alike = images.shape == reference.shape == predicted.shape
        if images.dtype != np.uint8 or images.ndim != 3 or not len(images) or not alike:
            return None
        return Preview(images, reference, predicted, names)

    def tail(self) -> str:
        """The last lines of what the trainer printed."""
        try:
            with (self.path / OUTPUT_FILE).open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - 200 * _TAIL_LINES))
                text = file.read().decode("utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join([line for line in text.splitlines() if line.strip()][-_TAIL_LINES:])


def _is_like(default: Any, value: Any) -> bool:
    """Whether a status may have the value for that default: texts, whole numbers from 0, or finite ones."""
    if isinstance(default, str):
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    if isinstance(default, int):
        return isinstance(value, int) and 0 <= value < 1 << 31
    return abs(value) <= sys.float_info.max  # a whole number of any length is compared, too
