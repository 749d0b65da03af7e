"""The worker of the module killed at random moments: the person is told what to do, and the next run succeeds."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

import psutil
from fakes import alive
from fakes.panel_fakes import pump

from ..guard import Finding
from ..use.real_worker import Bench, few_slices


def kill_workers(count: int) -> list[Finding]:
    """What went wrong when the worker was killed so often, each time another one."""
    found = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "temporary"
        bench, volume = Bench(folder), few_slices()
        began = time.monotonic()
        assert not isinstance(bench.segment(volume), str)
        seconds = time.monotonic() - began
        bench.runs.close()
        for number in range(count):
            wrong = _killed(bench, volume, random.Random(number).uniform(0, seconds))
            found += [] if wrong is None else [Finding(number, wrong)]
        again = bench.segment(volume)
        found += [Finding(count, f"not afterwards: {again}")] if isinstance(again, str) else []
        bench.runs.close()
        pump(lambda: not psutil.Process().children(), limit=4000)
    return found


def _killed(bench: Bench, volume, after: float) -> str | None:
    def kill() -> None:
        for each in psutil.Process().children():
            each.kill()

    bench.later(after, kill)
    said = bench.segment(volume)
    if not isinstance(said, str):  # it was done before
        kill()
    elif "choose the quality Fast" not in said:
        return f"after {after:.1f} s: says {said}"
    pump(lambda: not psutil.Process().children(), limit=4000)
    left = alive.of_process(bench.folder)[f"files in {bench.folder}"]
    return f"after {after:.1f} s: {left} files are left" if left else None
