"""Every file operation made to fail once, and the process ended at each: old results are whole or new ones are."""

from __future__ import annotations

import errno
import logging
import shutil
import traceback
from pathlib import Path

from .failing import Operations
from .guard import Finding, findings_of
from .scenarios import Scenario

#: How operations fail: as errno, and whether all that write fail from then on. 0 is a short write.
WAYS = (
    ("ENOSPC", errno.ENOSPC, False),
    ("EIO", errno.EIO, False),
    ("EACCES", errno.EACCES, False),
    ("a short write, then ENOSPC", 0, False),
    ("a full disk from then on", errno.ENOSPC, True),
)
KILLED = -1


class Faulty:
    """The task of a scenario: fault number n is always the same one."""

    def __init__(self, scenario: Scenario, operations: int, ways: int) -> None:
        self._scenario, self._count, self._ways = scenario, operations, ways

    def __call__(self, number: int, place: Path) -> str | None:
        """Fault ``number``: of operation number // ways, in each of so many ways; or all of them in turn."""
        operation, way = divmod(number, self._ways)
        name, code, stays = WAYS[(operation + way) % len(WAYS)]
        folder = place / "work"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        logging.disable(logging.CRITICAL)
        self._scenario.prepare(folder)
        watch = Operations()
        try:
            with watch.watched(folder, operation + 1, code, stays):
                said = self._scenario.act(folder)
            failed = f"{name} at operation {operation + 1} ({watch.failed or 'nothing'})"
            if said is not None and len(said.split()) < 6:
                return f"{failed}: says only {said!r}"
            wrong = self._scenario.wrong(folder, done=said is None)
            if wrong is None and said is not None:
                said = self._scenario.act(folder)
                wrong = f"not the second time: {said}" if said is not None else self._scenario.wrong(folder, True)
            return None if wrong is None else f"{failed}: {wrong}"
        # What else is raised is what is looked for.
        except Exception as error:  # noqa: BLE001
            frames = [each for each in traceback.extract_tb(error.__traceback__) if "Lib/" in each.filename]
            at = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
            return (
                f"{name} at operation {operation + 1} ({watch.failed}): {type(error).__name__} {str(error)[:200]}{at}"
            )


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


def faults(scenario: Scenario, ways: int, part: float = 1.0) -> tuple[int, int, list[Finding]]:
    """Operations of a scenario, runs in which one failed, and what went wrong.

    Args:
        ways: In how many of ``WAYS`` each operation fails.
        part: Of all runs, evenly.
    """
    operations = count_operations(scenario)
    step = max(1, round(1 / part))
    numbers = range(0, operations * ways, step)
    return operations, len(numbers), findings_of(Faulty(scenario, operations, ways), numbers, memory=None, seconds=120)
