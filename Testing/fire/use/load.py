"""A large archive among workers, schedulers and disks that go away: every case is there once, and nothing grows."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
import pyarrow.parquet as parquet
from fakes import alive, archive_tasks
from LiverLesionCascadeLib.archive.records import DONE
from LiverLesionCascadeLib.outputs.result_files import SUMMARY_FILE

from ..files.failing import failing_library
from ..files.full_disk import disks_can_be_made, filled, small_disk
from ..files.scenarios import small_scan
from ..guard import Finding
from .soak import GROWTH

#: After so many cases another worker is killed, in a small archive after half of them.
CASES_A_KILL = 50
SLOW_MICROSECONDS = "2000"
_SOURCE = re.compile(r'"source": ?"(\d+\.nii)"')


def tiny_archive(folder: Path, cases: int) -> Path:
    folder.mkdir()
    for number in range(cases):
        small_scan(folder / f"{number:04}.nii", number)
    return folder


class Program:
    """A process of its own, which can be killed; what it says is kept."""

    def __init__(self, *words: object, **environment: str) -> None:
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, *map(str, words)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1", **environment},
            stdout=subprocess.DEVNULL,
            stderr=self._said,
        )
        self.pid = self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait(self, seconds: float) -> None:
        """So long, or for its end."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def kill(self) -> None:
        """With all that it started."""
        with suppress(psutil.NoSuchProcess):
            for each in [*psutil.Process(self.pid).children(recursive=True), psutil.Process(self.pid)]:
                with suppress(psutil.NoSuchProcess):
                    each.kill()
        self._process.wait()

    def end(self) -> tuple[int, str]:
        """Waits for its end: its code, and the line for people."""
        code = self._process.wait()
        self._said.seek(0)
        lines = [line for line in self._said.read().decode(errors="replace").splitlines() if line.startswith("error: ")]
        return code, lines[-1] if lines else ""


@contextmanager
def cluster(place: Path, **environment: str) -> Iterator[tuple[Path, Program]]:
    """A scheduler in a process of its own and two workers: the scheduler's file, and its process."""
    file = place / "scheduler.json"
    scheduler = Program(
        "-m", "distributed.cli.dask_scheduler", "--scheduler-file", file, "--host", "127.0.0.1", "--port", "0",
        "--no-dashboard",
    )  # fmt: skip
    workers = Program(
        "-m", "distributed.cli.dask_worker", "--scheduler-file", file, "--nworkers", "2", "--nthreads", "1",
        "--no-dashboard", "--death-timeout", "60", **environment,
    )  # fmt: skip
    try:
        while not file.exists() and scheduler.is_running:
            time.sleep(0.05)
        yield file, scheduler
    finally:
        workers.kill()
        scheduler.kill()
        file.unlink(missing_ok=True)


class Archive:
    """The command on an archive, as often as it takes."""

    def __init__(self, archive: Path, out: Path) -> None:
        self.archive, self.out = archive, out

    def start(self, scheduler: Path | None = None) -> Program:
        return Program(archive_tasks.__file__, self.archive, self.out, *([scheduler] if scheduler else []))

    def wait(self, run: Program, cases: int, meanwhile: Callable[[int], None] = lambda recorded: None) -> None:
        """Until so many are recorded, or it has ended."""
        while run.is_running and (recorded := len(list((self.out / "records").glob("*.json")))) < cases:
            meanwhile(recorded)
            time.sleep(0.05)

    def kill_a_worker(self, rng: random.Random) -> bool:
        """One that is at a case; whether there was one."""
        with suppress(OSError, ValueError, IndexError, psutil.NoSuchProcess):  # done meanwhile
            attempts = json.loads(rng.choice(sorted((self.out / "records").glob("*.attempts"))).read_text())
            psutil.Process(attempts[-1]["pid"]).kill()
            return True
        return False

    def wrong(self, cases: int) -> list[str]:
        """What is not there once."""
        if not (self.out / SUMMARY_FILE).is_file():
            return ["there is no summary"]
        rows = parquet.read_table(self.out / "cases.parquet").to_pylist()
        page = (self.out / SUMMARY_FILE).read_text()
        left = [path.name for path in self.out.rglob("*") if path.name.startswith(".") and path.name != ".lock"]
        wanted = [f"{number:04}.nii" for number in range(cases)]
        return [
            *[f"{row['source']} {row['state']}: {row['error']}" for row in rows if row["state"] != DONE],
            *(["not each case once in the table"] if sorted(row["source"] for row in rows) != wanted else []),
            *(["not each case once in the summary"] if sorted(_SOURCE.findall(page)) != wanted else []),
            *[f"left behind: {name}" for name in left + [path.name for path in self.out.glob("records/*.attempts")]],
        ]


def _findings(archive: Archive, cases: int, found: list[str]) -> list[Finding]:
    return [Finding(number, what) for number, what in enumerate(found + archive.wrong(cases))]


def killed_workers(cases: int) -> tuple[int, int, int, list[Finding]]:
    """How many workers were killed, bytes of the scheduler's process early and late, and what went wrong."""
    with tempfile.TemporaryDirectory() as place:
        archive, rng = Archive(tiny_archive(Path(place) / "in", cases), Path(place) / "out"), random.Random(0)
        run = archive.start()
        moments = cases // 10, cases * 9 // 10
        every, killed, memory = min(CASES_A_KILL, cases // 2), 0, {}

        def meanwhile(recorded: int) -> None:
            nonlocal killed
            if recorded >= every * killed + every // 2:
                killed += archive.kill_a_worker(rng)
            for moment in moments:
                if recorded >= moment and moment not in memory:
                    memory[moment] = alive.memory(run.pid)

        try:
            archive.wait(run, cases, meanwhile)
            code, line = run.end()
        finally:
            run.kill()
        found = [f"it ended with {code}: {line}"] if code else []
        found += [] if killed else ["no worker was killed"]
        early, late = (memory.get(moment, 0) for moment in moments)  # 0: it ended before
        if late > GROWTH * early > 0:
            found.append(f"the scheduler's memory grew from {early / 1e6:.1f} to {late / 1e6:.1f} MB")
        return killed, early, late, _findings(archive, cases, found)


def hard_day(cases: int) -> tuple[int, list[Finding]]:
    """How many things went wrong on purpose: a scheduler that goes away, a full disk, a slow one; and what else did."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        disks = disks_can_be_made()
        disk = stack.enter_context(small_disk(place / "disk")) if disks else place / "disk"
        library = stack.enter_context(failing_library())
        archive = Archive(tiny_archive(place / "in", cases), disk / "out")
        found = []
        with cluster(place) as (file, scheduler):
            run = archive.start(file)
            archive.wait(run, cases // 4)
            scheduler.kill()
            code, line = run.end()
            found += [] if code == 1 and "start the same command again" in line else [f"scheduler gone: {code}, {line}"]
        if disks:
            with cluster(place) as (file, _scheduler):
                run = archive.start(file)
                archive.wait(run, cases // 2)
                with filled(disk, 0):
                    code, line = run.end()
                found += [] if code in (1, 3) and (code == 3 or "space" in line) else [f"full disk: {code}, {line}"]
        slow = {"LD_PRELOAD": str(library), "FIRE_FOLDER": str(archive.out), "FIRE_SLOW": SLOW_MICROSECONDS}
        with cluster(place, **slow) as (file, _scheduler):
            code, line = archive.start(file).end()
            found += [f"slow disk: {code}, {line}"] if code else []
        return 3 if disks else 2, _findings(archive, cases, found)
