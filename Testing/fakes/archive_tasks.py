"""What a worker does with a case in tests: segments it by its values, or dies at it as its name says.

    python Testing/fakes/archive_tasks.py ARCHIVE OUT [SCHEDULER]

is a run with two workers, or with those of a scheduler, in a process that a test can kill.
"""

import os
import sys
import time
from pathlib import Path
from unittest import mock

import numpy as np
import psutil
from fixtures.phantom import PhantomSegmenter
from LiverLesionCascadeLib.archive import case_run, run
from LiverLesionCascadeLib.archive.archive_folder import run_folder
from LiverLesionCascadeLib.archive.cluster import workers
from LiverLesionCascadeLib.archive.discovery import find_entries
from LiverLesionCascadeLib.archive.records import FAILED, Settings
from LiverLesionCascadeLib.archive.summary import write_summary
from LiverLesionCascadeLib.archive.tables import write_tables
from LiverLesionCascadeLib.engine.errors import CascadeError
from LiverLesionCascadeLib.engine.run_options import RunOptions
from LiverLesionCascadeLib.outputs.result_files import REPORTS

MEMORY_LIMIT = "1200MB"
#: In the environment: cases that are to be held are never done.
HOLD = "LIVER_LESION_CASCADE_TEST_HOLD"


class _Segmenter(PhantomSegmenter):
    def segment(self, ct, *arguments):
        while "held" in ct.name and HOLD in os.environ:
            time.sleep(0.05)
        if "deadly" in ct.name:
            psutil.Process(os.getpid()).kill()
        if "huge" in ct.name:
            held = []
            while True:
                held.append(np.ones(4_000_000))
                time.sleep(0.02)
        if "odd" in ct.name:
            raise ZeroDivisionError("by an odd scan")
        return super().segment(ct, *arguments)


class Here:
    """Workers that are this process; keeps the names of what they did."""

    def __init__(self):
        self.did = []

    def run(self, task, items, *arguments, again):
        for item in items:
            self.did.append(item.source)
            yield item, task(item, *arguments)

    def ended_for_memory(self):
        return set()


def run_phantom_case(entry, settings):
    with mock.patch.object(case_run, "_segmenter_of", lambda _settings: _Segmenter()):
        return case_run.run_case(entry, settings)


def settings_for(out, model="phantom", report=REPORTS[0], **choices):
    return Settings(str(out), model, RunOptions(**({"device": "cpu"} | choices)), report)


def run_archive(archive, out, cluster, progress=lambda done, of, failed: None, **changes):
    """The outcome of a run by the cluster's workers, with its tables written."""
    before, run.run_case = run.run_case, run_phantom_case
    try:
        with run_folder(Path(out)):
            entries = find_entries(Path(archive), leave_out=Path(out))
            outcome = run.run_entries(entries, settings_for(out, **changes), cluster, progress)
            write_tables(outcome.records, Path(out))
            return outcome
    finally:
        run.run_case = before


def main(archive, out, scheduler=None):
    """Ends as the command does: 1 with a line that says what to do, 3 where cases failed."""
    try:
        with workers(scheduler, count=2) as started:
            records = run_archive(archive, out, started, report="light").records
            write_summary(records, Path(out))
    except CascadeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 3 if any(record["state"] == FAILED for record in records) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
