"""An event loop and processes for the worker's client without Qt: what Slicer's event loop and QProcess are to it."""

from __future__ import annotations

import heapq
import itertools
import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

from LiverLesionCascadeLib.worker.process import ProcessEvents, worker_command


class EventLoop:
    """Calls functions in the thread that runs it; only ``post`` may be used from other threads."""

    def __init__(self) -> None:
        self._posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def post(self, function: Callable[[], None]) -> None:
        self._posted.put(function)

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        heapq.heappush(self._later, (time.monotonic() + seconds, next(self._numbers), function))

    def run_until(self, done: Callable[[], object], seconds: float = 120.0) -> None:
        """Runs until ``done``; fails after so many seconds."""
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, f"did not happen within {seconds:g} s"
            self.step(wait=0.005)

    def run_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.step(wait=0.005)

    def run_pending(self) -> None:
        """Runs all that is due now, and all that follows from it at once."""
        while self.step():
            pass

    def step(self, wait: float = 0.0) -> bool:
        """Calls one function, waiting for it so long; whether there was one."""
        if self._later and self._later[0][0] <= time.monotonic():
            heapq.heappop(self._later)[2]()
            return True
        try:
            function = self._posted.get(timeout=wait) if wait else self._posted.get_nowait()
        except queue.Empty:
            return False
        function()
        return True


class PipedProcess:
    """A process whose pipes are read by threads, which post what they read to the loop.

    Args:
        command: Program and arguments; the worker if not given.
        changes: For ``subprocess.Popen``.
    """

    def __init__(
        self, loop: EventLoop, events: ProcessEvents, command: list[str] | None = None, **changes: Any
    ) -> None:
        self._loop = loop
        self._events = events
        self._command = command or worker_command()
        self._changes = {"env": os.environ | {"OMP_NUM_THREADS": "1"}} | changes
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    def start(self) -> None:
        pipe = subprocess.PIPE
        try:
            self.process = subprocess.Popen(
                self._command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, **self._changes
            )
        except OSError as error:
            reason = error.strerror or str(error)
            self._loop.post(lambda: self._events.on_failed_to_start(reason))
            return
        readers = [
            threading.Thread(target=self._read, args=(stream, handler), daemon=True)
            for stream, handler in (
                (self.process.stdout, self._events.on_output),
                (self.process.stderr, self._events.on_error_output),
            )
        ]
        for reader in readers:
            reader.start()
        threading.Thread(target=self._wait, args=(readers,), daemon=True).start()

    def write(self, data: bytes) -> None:
        assert self.process is not None and self.process.stdin is not None
        try:
            self.process.stdin.write(data)
        except OSError:  # it has ended
            pass

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()

    def wait(self, seconds: float) -> None:
        if self.process is not None:
            self.process.wait(seconds)

    def _read(self, stream: Any, handler: Callable[[bytes], None]) -> None:
        while data := os.read(stream.fileno(), 65536):
            self._loop.post(lambda data=data: handler(data))

    def _wait(self, readers: list[threading.Thread]) -> None:
        assert self.process is not None
        code = self.process.wait()
        self.process.stdin.close()
        for reader in readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        self._loop.post(lambda: self._events.on_ended(abs(code), code < 0))
