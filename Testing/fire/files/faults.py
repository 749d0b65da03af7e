"""Every file operation made to fail once, and the process ended at each: old results are whole or new ones are."""

from __future__ import annotations

import errno
import logging
import mmap
import random
import shutil
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from ..guard import Finding, findings_of
from .failing import Operations
from .scenarios import Scenario

#: How operations fail: as errno, and whether all that write fail from then on. 0 is a short write, of writes alone.
WAYS = (
    ("ENOSPC", errno.ENOSPC, False),
    ("EIO", errno.EIO, False),
    ("EACCES", errno.EACCES, False),
    ("a short write", 0, False),
    ("a full disk from then on", errno.ENOSPC, True),
)
KILLED = -1


class Faulty:
    """The task of a scenario: fault number n is always the same one.

    Args:
        operations: That the scenario has.
    """

    def __init__(self, scenario: Scenario, operations: int) -> None:
        self._scenario = scenario
        self._failed = mmap.mmap(-1, operations * len(WAYS))  # shared with the children: in which something failed

    @property
    def failed(self) -> int:
        """In how many runs an operation failed."""
        return sum(self._failed[:])

    def __call__(self, number: int, place: Path) -> str | None:
        """Fault ``number``: each operation fails in each of the ``WAYS``, one after the other."""
        operation, way = divmod(number, len(WAYS))
        name, code, stays = WAYS[way]
        folder = place / "work"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        logging.disable(logging.CRITICAL)
        self._scenario.prepare(folder)
        watch = Operations()
        wrong = judged(
            self._scenario,
            folder,
            watch.watched(folder, operation + 1, code, stays),
            lambda: f"{name} at operation {operation + 1} ({watch.failed or 'nothing'})",
        )
        self._failed[number] = bool(watch.failed)
        return wrong


def judged(
    scenario: Scenario, folder: Path, failing: AbstractContextManager[None], what: Callable[[], str]
) -> str | None:
    """What is wrong with a scenario that runs while files fail, and with the same once more when they do not.

    Args:
        folder: That the scenario has prepared.
        failing: Files fail in it.
        what: Tells afterwards what failed.
    """
    try:
        with failing:
            said = scenario.act(folder)
        if said is not None and len(said.split()) < 6:
            return f"{what()}: says only {said!r}"
        wrong = scenario.wrong(folder, done=said is None)
        if wrong is None and said is not None:
            said = scenario.act(folder)
            wrong = f"not the second time: {said}" if said is not None else scenario.wrong(folder, True)
        return None if wrong is None else f"{what()}: {wrong}"
    # What else is raised is what is looked for.
    except Exception as error:  # noqa: BLE001
        frames = [each for each in traceback.extract_tb(error.__traceback__) if "Lib/" in each.filename]
        at = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
        return f"{what()}: {type(error).__name__} {str(error)[:200]}{at}"


def count_operations(scenario: Scenario) -> int:
    """How many file operations it has when none fails."""
    counted: list[int] = []

    def task(number: int, place: Path) -> str | None:
        (place / "work").mkdir()
        logging.disable(logging.CRITICAL)
        scenario.prepare(place / "work")
        watch = Operations()
        with watch.watched(place / "work"):
            said = scenario.act(place / "work")
        wrong = scenario.wrong(place / "work", True)
        return str(watch.seen) if said is None and wrong is None else f"it fails without a fault: {said or wrong}"

    counted = [int(each.what) for each in findings_of(task, range(1), memory=None, seconds=120)]
    return counted[0]


def faults(scenario: Scenario, share: float) -> tuple[int, int, list[Finding]]:
    """Operations of a scenario, runs in which one failed, and what went wrong in this share of all runs."""
    operations = count_operations(scenario)
    every, faulty = range(operations * len(WAYS)), Faulty(scenario, operations)
    numbers = sorted(random.Random(scenario.name).sample(every, max(1, round(len(every) * share))))
    found = findings_of(faulty, numbers, memory=None, seconds=120)
    return operations, faulty.failed, found
