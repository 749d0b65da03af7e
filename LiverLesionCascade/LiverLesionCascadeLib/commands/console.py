"""What a command is told and says: numbers among its arguments; progress and remarks on standard error, the result on
standard output."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from tqdm import tqdm

_BAR = "{desc} {percentage:3.0f} %|{bar:30}| {elapsed}, {remaining} left"


def whole_number(what: str, lowest: int, highest: float = math.inf) -> Callable[[str], int]:
    """A type of arguments.

    Args:
        what: Which numbers it takes, for messages.
    """

    def read(text: str) -> int:
        value = int(text) if text.isdecimal() else -1
        if not lowest <= value <= highest:
            raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
        return value

    return read


class ProgressBar:
    """A bar with the stage and the time left on a terminal, a line a stage in a log, nothing when quiet."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._stage = ""
        self._bar: tqdm | None = None
        if not quiet and sys.stderr.isatty():
            from tqdm import tqdm  # Slicer, which has no terminal, does not bring it

            self._bar = tqdm(total=1.0, file=sys.stderr, bar_format=_BAR, leave=False, dynamic_ncols=True)

    def __call__(self, fraction: float, stage: str) -> None:
        """Show the fraction done, 0 to 1, and the stage."""
        if self._bar is not None:
            self._bar.set_description_str(f"{stage:<10}", refresh=False)
            self._bar.update(max(min(fraction, 1.0) - self._bar.n, 0.0))
            if stage != self._stage:
                self._bar.refresh()
        elif stage != self._stage and not self._quiet:
            say(f"{stage} ...")
        self._stage = stage

    @property
    def on_terminal(self) -> bool:
        """Whether a bar is shown, not lines."""
        return self._bar is not None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()


def say(message: str, kind: str = "") -> None:
    """One line on standard error, such as ``error: ...``, whatever line breaks the message has."""
    line = " ".join(message.split())
    print(f"{kind}: {line}" if kind else line, file=sys.stderr, flush=True)


def print_json(value: dict[str, Any]) -> None:
    """One JSON object on standard output, ASCII only so that every console and pipe takes it; no NaN."""
    print(json.dumps(_finite(value), indent=2, allow_nan=False), flush=True)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


@contextmanager
def standard_output_kept_free() -> Iterator[None]:
    """What libraries print on standard output, C++ ones included, goes to standard error meanwhile."""
    sys.stdout.flush()
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):  # replaced by something that is no file
        descriptor = -1
    if descriptor != 1:
        yield
        return
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


@contextmanager
def lenient_streams() -> Iterator[None]:
    """Standard streams that are closed, full or cut off lose what is said, and never a run.

    A console that cannot show a character of a path gets an escape of it.
    """
    _open_closed_descriptors()
    before = sys.stdout, sys.stderr
    for stream in before:
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    sys.stdout, sys.stderr = (cast(TextIO, _Lenient(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before


class _Lenient:
    """A text stream of which nobody hears when it fails; from then on it leads nowhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            self._give_up()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self._give_up()

    def _give_up(self) -> None:
        """What is still in the stream's buffer goes to the null device, also when the program ends."""
        with suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _open_closed_descriptors() -> None:
    """A descriptor that is closed would be given to the next file, and then hold what libraries print."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest one, which is this
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)
