"""Signals of the operating system, handled for a while."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def handled_signals(numbers: Iterable[int], handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Installs a handler and puts the ones before back on leaving; outside of the main thread nothing is installed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in numbers}
    for number in before:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, previous in before.items():
            # None: a handler that was not installed from Python; it cannot be put back from here.
            signal.signal(number, signal.SIG_DFL if previous is None else previous)
