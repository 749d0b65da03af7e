"""The product under fire, part by part, as tables in Markdown; ends with 1 where something was found.

python -m fire fuzz [--part 0.01]      with Testing and both packages on the path; the rest is `make fire`
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .failing import restart_with_failing

if TYPE_CHECKING:
    from .guard import Finding
    from .scenarios import Scenario

# Children are forked: no thread may be at work in the parent.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

INPUTS, KILLS = 20_000, 60
#: Whose inputs take tens of milliseconds.
SLOW = {"weights of bundles": 0.1}


@dataclass
class Table:
    """Rows of figures, and what was found."""

    head: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    found: list[str] = field(default_factory=list)

    def add(self, name: str, figures: tuple[str, ...], found: list[Finding]) -> None:
        self.rows.append((name, *figures, str(len(found))))
        self.found += [f"{name}, number {each.number}: {each.what}" for each in found]
        print(" ".join(self.rows[-1]), file=sys.stderr, flush=True)

    def __str__(self) -> str:
        lines = [self.head, tuple("---" if n == 0 else "---:" for n in range(len(self.head))), *self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return table + "".join(f"\n* {each}" for each in self.found)


def fuzz_table(part: float, only: str | None = None) -> Table:
    from . import product_readers, scan_readers, training_readers
    from .fuzz import fuzz

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
        count = max(1, round(INPUTS * part * SLOW.get(reader.name, 1)))
        table.add(reader.name, (f"{count:,}",), fuzz(reader, range(count)))
    return table


def _scenarios(folder: Path, only: str | None) -> list[Scenario]:
    from .scenarios import scenarios, trained_run

    found = [make() for make in scenarios(trained_run(folder))]
    return [scenario for scenario in found if only in (None, scenario.name)]


def faults_table(part: float, only: str | None = None) -> Table:
    from .faults import WAYS, faults

    table = Table(("what fails", "file operations", "runs with one that failed", "found"))
    with tempfile.TemporaryDirectory() as folder:
        for scenario in _scenarios(Path(folder), only):
            operations, runs, found = faults(scenario, len(WAYS), part)
            table.add(scenario.name, (str(operations), f"{runs:,}"), found)
    return table


def kills_table(part: float, only: str | None = None) -> Table:
    from .kills import kills

    table = Table(("what is killed", "times", "found"))
    with tempfile.TemporaryDirectory() as folder:
        for scenario in _scenarios(Path(folder), only):
            count = max(1, round(KILLS * part))
            table.add(scenario.name, (str(count),), kills(scenario, count))
    return table


PARTS: dict[str, Callable[[float, str | None], Table]] = {
    "fuzz": fuzz_table,
    "faults": faults_table,
    "kills": kills_table,
}
WITH_FAILING_FILES = ("faults", "kills")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fire")
    parser.add_argument("name", choices=PARTS)
    parser.add_argument("--part", type=float, default=1.0, help="of all inputs or runs (default: all)")
    parser.add_argument("--only", help="what is in the first column of a row")
    arguments = parser.parse_args()
    if arguments.name in WITH_FAILING_FILES:
        restart_with_failing()
    began = time.monotonic()
    table = PARTS[arguments.name](arguments.part, arguments.only)
    print(table)
    print(f"{arguments.name}: {time.monotonic() - began:.0f} s, {len(table.found)} found", file=sys.stderr)
    return 1 if table.found else 0


if __name__ == "__main__":
    sys.exit(main())
