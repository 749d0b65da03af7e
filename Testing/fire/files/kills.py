"""The process ended by SIGKILL at random moments, half of them at a file operation.

What it left is judged, and then the same once more.
"""

from __future__ import annotations

import logging
import os
import random
import shutil
import signal
import time
import traceback
from pathlib import Path

from ..guard import Finding, findings_of
from .failing import Operations
from .faults import KILLED, count_operations
from .scenarios import Scenario


class Killing:
    """The task of a scenario: kill number n is always at the same file operation, or after the same part of its time.

    Args:
        operations: That the scenario has.
    """

    def __init__(self, scenario: Scenario, operations: int) -> None:
        self._scenario, self._operations = scenario, operations
        self._seconds = 0.0

    def __call__(self, number: int, place: Path) -> str | None:
        logging.disable(logging.CRITICAL)
        if not self._seconds:
            began = time.monotonic()
            self._run(place)
            self._seconds = time.monotonic() - began
        rng = random.Random(f"{self._scenario.name} {number}")
        if rng.random() < 0.5:
            at = rng.randrange(1, self._operations + 1)
            moment = f"killed before operation {at}"
            done = self._run(place, at=at)
        else:
            part = rng.random()
            moment = f"killed after {part:.0%} of its time"
            done = self._run(place, after=part * self._seconds)
        wrong = self._wrong_then_and_afterwards(place / "work")
        return None if wrong is None else f"{moment}{' (it had ended)' if done else ''}: {wrong}"

    def _wrong_then_and_afterwards(self, folder: Path) -> str | None:
        """What is wrong with what was left, and with the result of the same once more."""
        try:
            if broken := self._scenario.broken(folder):
                return f"it left: {broken}"
            said = None if self._scenario.wrong(folder, True) is None else self._scenario.act(folder)
            # Killed in its last clean-up, its result is in place: the next one refuses to replace it, and tidies.
            wrong = self._scenario.wrong(folder, True)
            return f"{wrong}; said the second time: {said}" if wrong and said else wrong
        # What else is raised is what is looked for.
        except Exception as error:  # noqa: BLE001
            frame = traceback.extract_tb(error.__traceback__)[-1]
            return f"{type(error).__name__} {str(error)[:200]} in {Path(frame.filename).name}:{frame.lineno}"

    def _run(self, place: Path, at: int = 0, after: float | None = None) -> bool:
        """Works in a process of its own that is killed; whether it ended before."""
        shutil.rmtree(place / "work", ignore_errors=True)
        (place / "work").mkdir()
        self._scenario.prepare(place / "work")
        pid = os.fork()
        if pid == 0:
            try:
                with Operations().watched(place / "work", at, KILLED):
                    self._scenario.act(place / "work")
            finally:
                os._exit(0)
        if after is not None:
            time.sleep(after)
            os.kill(pid, signal.SIGKILL)
        return not os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def kills(scenario: Scenario, count: int) -> list[Finding]:
    """What went wrong when it was killed at so many random moments."""
    return findings_of(Killing(scenario, count_operations(scenario)), range(count), memory=None, seconds=300)
