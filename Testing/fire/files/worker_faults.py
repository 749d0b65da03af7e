"""File operations of the worker's process made to fail: the person is told what to do, and the next run succeeds."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import slicer
from fakes import alive
from fakes.panel_fakes import pump
from LiverLesionCascadeLib.scene.workspace.workspace import closeWorkspaces

from ..guard import Finding
from ..use.real_worker import Bench, few_slices
from .faults import WAYS


def worker_faults(share: float) -> tuple[int, int, list[Finding]]:
    """File operations of a run in the worker, runs in which one failed, and what went wrong in this share of all."""
    with tempfile.TemporaryDirectory() as place:
        folder, counted = Path(place) / "temporary", Path(place) / "counted"
        bench, volume = Bench(folder), few_slices()
        with _in_the_next_worker(FIRE_FOLDER=folder, FIRE_COUNT=counted):
            said = _run(bench, volume)
        assert said is None, f"it fails without a fault: {said}"
        _end(bench)
        operations = counted.stat().st_size
        every = range(operations * len(WAYS))
        numbers = sorted(random.Random("worker").sample(every, max(1, round(len(every) * share))))
        found, failed = [], 0
        for number in numbers:
            counted.unlink(missing_ok=True)
            wrong = _wrong(bench, volume, number, counted)
            found += [] if wrong is None else [Finding(number, wrong)]
            failed += b"!" in counted.read_bytes()
    return operations, failed, found


def _wrong(bench: Bench, volume, number: int, counted: Path) -> str | None:
    operation, way = divmod(number, len(WAYS))
    name, code, stays = WAYS[way]
    what = f"{name} at operation {operation + 1}"
    faults = {"FIRE_AT": operation + 1, "FIRE_ERRNO": code, "FIRE_STAYS": int(stays), "FIRE_COUNT": counted}
    with _in_the_next_worker(FIRE_FOLDER=bench.folder, **faults):
        said = _run(bench, volume)
    left = alive.of_process(bench.folder)[f"files in {bench.folder}"]
    if stays:  # the worker's disk would never have space again
        _end(bench)
    again = _run(bench, volume)
    _end(bench)
    if said is not None and len(said.split()) < 6:
        return f"{what}: says only {said!r}"
    if again is not None:
        return f"{what}: not the second time: {again}"
    return f"{what}: {left} files are left" if left else None


@contextmanager
def _in_the_next_worker(**settings: object) -> Iterator[None]:
    os.environ.update({name: str(value) for name, value in settings.items()})
    try:
        yield
    finally:
        for name in settings:
            del os.environ[name]


def _run(bench: Bench, volume) -> str | None:
    """With what sentence a run fails, or None; its result is removed."""
    node = bench.segment(volume)
    if isinstance(node, str):
        return node
    slicer.mrmlScene.RemoveNode(node)
    closeWorkspaces()
    return None


def _end(bench: Bench) -> None:
    bench.runs.close()
    pump(lambda: not psutil.Process().children(), limit=4000)
