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

# Children are forked: no thread may be at work in the parent.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

INPUTS = 20_000
#: Whose inputs take tens of milliseconds.
SLOW = {"weights of bundles": 0.1}


@dataclass
class Table:
    """Rows of figures, and what was found."""

    head: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    found: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [self.head, tuple("---" if n == 0 else "---:" for n in range(len(self.head))), *self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return table + "".join(f"\n* {each}" for each in self.found)


def fuzz_table(part: float) -> Table:
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
        count = max(1, round(INPUTS * part * SLOW.get(reader.name, 1)))
        found = fuzz(reader, range(count))
        table.rows.append((reader.name, f"{count:,}", str(len(found))))
        table.found += [f"{reader.name}, input {each.number}: {each.what}" for each in found]
    return table


def faults_table(part: float) -> Table:
    from .failing import restart_with_failing

    restart_with_failing()
    from .faults import WAYS, faults
    from .scenarios import scenarios, trained_run

    table = Table(("what fails", "file operations", "runs with one that failed", "found"))
    with tempfile.TemporaryDirectory() as folder:
        for make in scenarios(trained_run(Path(folder))):
            scenario = make()
            if ONLY and scenario.name != ONLY:
                continue
            operations, runs, found = faults(scenario, len(WAYS), part)
            table.rows.append((scenario.name, str(operations), str(runs), str(len(found))))
            table.found += [f"{scenario.name}, run {each.number}: {each.what}" for each in found]
            print(table.rows[-1], file=sys.stderr, flush=True)
    return table


PARTS: dict[str, Callable[[float], Table]] = {"fuzz": fuzz_table, "faults": faults_table}
ONLY = os.environ.get("FIRE_ONLY", "")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fire")
    parser.add_argument("name", choices=PARTS)
    parser.add_argument("--part", type=float, default=1.0, help="of all inputs or runs (default: all)")
    arguments = parser.parse_args()
    began = time.monotonic()
    table = PARTS[arguments.name](arguments.part)
    print(table)
    print(f"{arguments.name}: {time.monotonic() - began:.0f} s, {len(table.found)} found", file=sys.stderr)
    return 1 if table.found else 0


if __name__ == "__main__":
    sys.exit(main())
