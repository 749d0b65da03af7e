"""The product under fire, part by part, as tables in Markdown.

Ends with 1 where something was found, and with 2 and no table where nothing was run.

python -m fire fuzz [--share 0.01]      with Testing and both packages on the path; the rest is `make fire`
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .files.scenarios import Scenario
    from .guard import Finding

# Children are forked: no thread may be at work in the parent.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

INPUTS, KILLS, CYCLES, RUNS, CASES = 20_000, 60, 1000, 100, 2000
#: Whose inputs take tens of milliseconds.
SLOW = {"weights of bundles": 0.1}
#: Is killed in another way than the rest.
WORKER = "worker of the module"


@dataclass
class Table:
    """Rows of figures, and what was found."""

    head: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    found: list[str] = field(default_factory=list)

    def add(self, name: str, figures: tuple[str, ...], found: list[Finding]) -> None:
        self.rows.append((name, *figures, str(len(found))))
        new = [f"{name}, number {each.number}: {each.what}" for each in found]
        self.found += new
        print(" ".join(self.rows[-1]), *new, sep="\n", file=sys.stderr, flush=True)

    def __str__(self) -> str:
        lines = [self.head, tuple("---" if n == 0 else "---:" for n in range(len(self.head))), *self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return table + "".join(f"\n* {each}" for each in self.found)


def _count(of_all: float, share: float) -> int:
    return max(1, round(of_all * share))


def fuzz_table(share: float, only: str | None = None) -> Table:
    from .readers import product_readers, scan_readers, training_readers
    from .readers.fuzzing import fuzz

    table = Table(("reader", "inputs", "found"))
    makers = (
        *(scan_readers.nifti, scan_readers.nrrd, scan_readers.mha, scan_readers.dicom),
        *(training_readers.label_maps, training_readers.segmentations, training_readers.dicom_segmentations),
        *(training_readers.prepared_data, training_readers.checkpoints, training_readers.run_folders),
        *(product_readers.bundle_metadata, product_readers.bundle_weights),
        *(product_readers.messages_to_client, product_readers.messages_to_worker),
        *(product_readers.exchanged_volumes, product_readers.exchanged_results),
        *(product_readers.lists_of_scans, product_readers.archive_records),
    )
    for make in makers:
        reader = make()
        if only not in (None, reader.name):
            continue
        count = _count(INPUTS, share * SLOW.get(reader.name, 1))
        table.add(reader.name, (f"{count:,}",), fuzz(reader, range(count)))
    return table


@contextmanager
def _scenarios(only: str | None) -> Iterator[list[Scenario]]:
    from .files.panel_report import Report
    from .files.scenarios import scenarios, trained_run

    with tempfile.TemporaryDirectory() as folder:
        found = [make() for make in (*scenarios(trained_run(Path(folder))), Report)]
        yield [scenario for scenario in found if only in (None, scenario.name)]


def faults_table(share: float, only: str | None = None) -> Table:
    from .files.failing import restart_with_failing

    restart_with_failing()
    from .files.faults import faults

    table = Table(("what fails", "file operations", "runs with one that failed", "found"))
    with _scenarios(only) as scenarios:
        for scenario in scenarios:
            operations, runs, found = faults(scenario, share)
            table.add(scenario.name, (str(operations), f"{runs:,}"), found)
    if only in (None, WORKER):
        from .files.worker_faults import worker_faults

        operations, runs, found = worker_faults(share)
        table.add(WORKER, (str(operations), f"{runs:,}"), found)
    return table


def full_table(share: float, only: str | None = None) -> Table:
    from .files.full_disk import disks_can_be_made, full_disks, restart_where_disks_can_be_made

    restart_where_disks_can_be_made()
    table = Table(("what has no space", "times", "found"))
    if disks_can_be_made():
        with _scenarios(only) as scenarios:
            for scenario in scenarios:
                count, found = full_disks(scenario, share)
                table.add(scenario.name, (str(count),), found)
    return table


def kills_table(share: float, only: str | None = None) -> Table:
    from .files.failing import restart_with_failing

    restart_with_failing()
    from .files.kills import kills

    table = Table(("what is killed", "times", "found"))
    with _scenarios(only) as scenarios:
        for scenario in scenarios:
            count = _count(KILLS, share)
            table.add(scenario.name, (str(count),), kills(scenario, count))
    if only in (None, WORKER):
        from .files.worker_kills import kill_workers

        count = _count(KILLS, share)
        table.add(WORKER, (str(count),), kill_workers(count))
    return table


def soak_table(share: float, only: str | None = None) -> Table:
    from .use.real_worker import runs_by_the_worker
    from .use.soak import soak

    table = Table(("what goes on and on", "times", "MB after a tenth", "MB at the end", "found"))
    for name, of_all, task in (("cycles", CYCLES, soak), ("runs by the worker", RUNS, runs_by_the_worker)):
        if only in (None, name):
            count = _count(of_all, share)
            early, late, found = task(count)
            table.add(name, (f"{count:,}", f"{early / 1e6:.0f}", f"{late / 1e6:.0f}"), found)
    return table


def load_table(share: float, only: str | None = None) -> Table:
    from .files.full_disk import restart_where_disks_can_be_made

    restart_where_disks_can_be_made()
    from .use.load import hard_day, killed_workers
    from .use.together import side_by_side

    table = Table(("archive", "cases", "broken on purpose", "scheduler's MB after a tenth", "at nine tenths", "found"))
    count = _count(CASES, share)
    if only in (None, "workers killed"):
        killed, early, late, found = killed_workers(count)
        table.add("workers killed", (f"{count:,}", str(killed), f"{early / 1e6:.0f}", f"{late / 1e6:.0f}"), found)
    if only in (None, "scheduler gone, disk full, disk slow"):
        count = _count(CASES / 10, share)
        broken, found = hard_day(count)
        table.add("scheduler gone, disk full, disk slow", (f"{count:,}", str(broken), "", ""), found)
    if only in (None, "two panels, two commands"):
        programs, found = side_by_side()
        table.add("two panels, two commands", (str(programs), "1", "", ""), found)
    return table


PARTS: dict[str, Callable[[float, str | None], Table]] = {
    "fuzz": fuzz_table,
    "faults": faults_table,
    "full": full_table,
    "kills": kills_table,
    "soak": soak_table,
    "load": load_table,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fire")
    parser.add_argument("name", choices=PARTS)
    parser.add_argument("--share", type=float, default=1.0, help="of all inputs or runs (default: all)")
    parser.add_argument("--only", help="what is in the first column of a row")
    arguments = parser.parse_args()
    began = time.monotonic()
    table = PARTS[arguments.name](arguments.share, arguments.only)
    if not table.rows:
        print(f"error: nothing of {arguments.name} was run", file=sys.stderr)
        return 2
    print(table)
    print(f"{arguments.name}: {time.monotonic() - began:.0f} s, {len(table.found)} found", file=sys.stderr)
    return 1 if table.found else 0


if __name__ == "__main__":
    sys.exit(main())
