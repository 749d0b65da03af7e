"""Runs a task for many numbers in child processes, each with little memory and little time, and tells which failed.

Children are forked after everything is imported: a task takes milliseconds, and one that ends its process ends nothing
else. Not on Windows.
"""

from __future__ import annotations

import json
import mmap
import os
import resource
import shutil
import signal
import struct
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MEMORY = 4 << 30
SECONDS = 20


@dataclass(frozen=True)
class Finding:
    """What went wrong with a number."""

    number: int
    what: str


def findings_of(
    task: Callable[[int, Path], str | None],
    numbers: Sequence[int],
    memory: int | None = MEMORY,
    seconds: float = SECONDS,
    jobs: int | None = None,
) -> list[Finding]:
    """What went wrong, by number.

    Args:
        task: Gets a number and an empty folder in memory; says what is wrong, or None.
        memory: Bytes of address space of a child; None for no limit.
        seconds: After which a task is a hang.
        jobs: Children at a time; by default one a processor.
    """
    jobs = jobs or len(os.sched_getaffinity(0))
    with _memory_folder() as place:
        children = [_Child(task, numbers[job::jobs], place / str(job), memory, seconds) for job in range(jobs)]
        while any(child.go_on() for child in children):
            pass
        found = [finding for child in children for finding in child.found]
    return sorted(found, key=lambda finding: finding.number)


class _Child:
    """One process at a time for its share of the numbers; another one where it died."""

    def __init__(
        self,
        task: Callable[[int, Path], str | None],
        numbers: Sequence[int],
        place: Path,
        memory: int | None,
        seconds: float,
    ) -> None:
        self.found: list[Finding] = []
        self._task, self._numbers, self._place = task, numbers, place
        self._memory, self._seconds = memory, seconds
        self._done = mmap.mmap(-1, 8)  # shared with the child: at which number it is
        self._report = place.with_name(f"{place.name}.findings")
        self._pid = 0
        self._start(0)

    def go_on(self) -> bool:
        """Waits for the process; whether there is another one."""
        if not self._pid:
            return False
        _, status = os.waitpid(self._pid, 0)
        self._pid = 0
        if self._report.exists():
            self.found += [Finding(*json.loads(line)) for line in self._report.read_text().splitlines()]
            self._report.unlink()
        if status == 0:
            return False
        at = struct.unpack("q", self._done[:8])[0]
        name = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else f"exit {status >> 8}"
        hang = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM
        self.found.append(Finding(self._numbers[at], f"hang of {self._seconds:g} s" if hang else f"ended by {name}"))
        self._start(at + 1)
        return bool(self._pid)

    def _start(self, first: int) -> None:
        if first >= len(self._numbers):
            return
        shutil.rmtree(self._place, ignore_errors=True)
        self._place.mkdir(parents=True)
        self._pid = os.fork()
        if self._pid == 0:
            status = 1
            try:
                self._work(first)
                status = 0
            # A child never goes on as its parent would.
            except BaseException:  # noqa: BLE001
                traceback.print_exc()
            finally:
                os._exit(status)

    def _work(self, first: int) -> None:
        if self._memory is not None:
            resource.setrlimit(resource.RLIMIT_AS, (self._memory, self._memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        with open(self._report, "w") as report:
            for index in range(first, len(self._numbers)):
                self._done[:8] = struct.pack("q", index)
                signal.setitimer(signal.ITIMER_REAL, self._seconds)
                what = self._task(self._numbers[index], self._place)
                signal.setitimer(signal.ITIMER_REAL, 0)
                if what is not None:
                    print(json.dumps([self._numbers[index], what]), file=report, flush=True)


@contextmanager
def _memory_folder() -> Iterator[Path]:
    """A folder on a disk in memory where there is one."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        yield Path(folder)
