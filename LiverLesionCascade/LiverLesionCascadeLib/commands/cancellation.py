"""Ctrl-C, SIGTERM and a closed terminal end a run in order: what was begun is cleaned up."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ..engine.signals import handled_signals

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


@contextmanager
def cancellable() -> Iterator[threading.Event]:
    """Signals raise KeyboardInterrupt in the main thread and set the event that is given.

    Only the first one counts, so that a second Ctrl-C does not break off the cleaning up. Outside of the main thread
    nothing is installed.
    """
    event = threading.Event()
    known = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    # What is ignored stays ignored, such as SIGHUP under nohup.
    numbers = [number for number in known if signal.getsignal(number) != signal.SIG_IGN]

    def cancel(number: int, frame: FrameType | None) -> None:
        for other in numbers:
            signal.signal(other, signal.SIG_IGN)
        event.set()
        raise KeyboardInterrupt

    with handled_signals(numbers, cancel):
        yield event
