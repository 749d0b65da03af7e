"""Ctrl-C, SIGTERM and a closed terminal end a run in order: what was begun is cleaned up."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


@contextmanager
def cancellable() -> Iterator[threading.Event]:
    """Signals raise KeyboardInterrupt in the main thread and set the event that is given.

    Only the first one counts, so that a second Ctrl-C does not break off the cleaning up. Outside of the main thread
    nothing is installed.
    """
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    # What is ignored stays ignored, such as SIGHUP under nohup.
    before = {number: signal.getsignal(number) for number in numbers if signal.getsignal(number) != signal.SIG_IGN}

    def cancel(number: int, frame: FrameType | None) -> None:
        for other in before:
            signal.signal(other, signal.SIG_IGN)
        event.set()
        raise KeyboardInterrupt

    for number in before:
        signal.signal(number, cancel)
    try:
        yield event
    finally:
        for number, handler in before.items():
            # None: a handler that was not installed from Python; it cannot be put back from here.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
