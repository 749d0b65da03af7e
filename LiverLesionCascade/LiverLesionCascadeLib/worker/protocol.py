"""What the worker and its client say to each other: JSON, one message a line, on the worker's standard streams.

Whatever else comes along (prints of libraries, half a line, bytes that are no text) is told apart and goes to the log.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import get_args

from .devices import DeviceInfo
from .submitted_run import FailureKind

#: Raised whenever messages change, so that a worker of another version is noticed.
VERSION = 2

_KEY = "LiverLesionCascade"
#: A line longer than this is not ours, nor is it kept in memory until it ends.
_MAX_LINE = 1_000_000
_LINE_BREAK = re.compile(rb"[\r\n]")


@dataclass(frozen=True)
class StartRun:
    """To the worker: segment the volume in ``folder``, or refine the result that comes with it; the result goes there
    too (see ``run_folder``)."""

    run: int
    folder: str

    def __post_init__(self) -> None:
        _require_types(self, run=int, folder=str)


@dataclass(frozen=True)
class Hello:
    """From the worker, first: what it runs on. ``torch_error`` says why torch cannot be used; the worker then ends.

    Attributes:
        device_note: What is wrong with a GPU that is there but cannot be used; empty where all is well.
    """

    version: int
    torch_error: str
    devices: tuple[DeviceInfo, ...]
    device_note: str

    def __post_init__(self) -> None:
        _require_types(self, version=int, torch_error=str, devices=tuple, device_note=str)
        for device in self.devices:
            _require_types(device, id=str, name=str)


@dataclass(frozen=True)
class RunProgress:
    run: int
    fraction: float
    stage: str
    seconds_left: float | None

    def __post_init__(self) -> None:
        _require_types(self, run=int, fraction=(int, float), stage=str, seconds_left=(int, float, type(None)))
        if not 0 <= self.fraction <= 1 or not 0 <= (self.seconds_left or 0) < math.inf:
            raise ValueError(f"impossible progress: {self}")


@dataclass(frozen=True)
class RunFinished:
    """The result is in the run's folder."""

    run: int

    def __post_init__(self) -> None:
        _require_types(self, run=int)


@dataclass(frozen=True)
class RunFailed:
    run: int
    kind: FailureKind
    message: str
    details: str

    def __post_init__(self) -> None:
        _require_types(self, run=int, kind=str, message=str, details=str)
        if self.kind not in get_args(FailureKind):
            raise ValueError(f"unknown kind of failure: {self.kind}")


def _require_types(values: object, /, **types: type | tuple[type, ...]) -> None:
    for name, expected in types.items():
        if not isinstance(getattr(values, name), expected):
            raise TypeError(f"impossible {name}: {values}")


Message = StartRun | Hello | RunProgress | RunFinished | RunFailed
_KINDS: dict[str, type[Message]] = {
    kind.__name__: kind for kind in (StartRun, Hello, RunProgress, RunFinished, RunFailed)
}


def encode(message: Message) -> bytes:
    """The message as a line of ASCII. It begins with a line break too: half a foreign line before it stays apart."""
    return b"\n" + json.dumps({_KEY: type(message).__name__, **asdict(message)}).encode("ascii") + b"\n"


def decode(line: bytes) -> Message | None:
    """The message on a line, None where it is no message of ours."""
    try:
        values = json.loads(line)
        if not isinstance(values, dict):
            return None
        if "devices" in values:
            values["devices"] = tuple(DeviceInfo(**device) for device in values["devices"])
        return _KINDS[values.pop(_KEY)](**values)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


class LineReader:
    """Puts the lines together that arrive in pieces of any size; \\r ends a line too."""

    def __init__(self) -> None:
        self._rest = b""

    def lines(self, data: bytes) -> Iterator[bytes]:
        """The lines, none of them empty, that these bytes complete."""
        *complete, self._rest = _LINE_BREAK.split(self._rest + data)
        if len(self._rest) > _MAX_LINE:
            complete.append(self._rest)
            self._rest = b""
        return (line for line in complete if line.strip())
