"""A run over an archive: what is to do, done by the workers, recorded case by case, summed up at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .archive_folder import RECORDS
from .case_run import MAX_ATTEMPTS, attempts_of, crashed, run_case
from .cluster import Workers
from .dicom_folder import FolderContents, FolderFiles, scan_folder
from .discovery import ScanFolders
from .entries import Entry
from .records import FAILED, LEFT_OUT, Record, Settings, is_done, new_record, read_record, write_record

#: Called with the number of cases that are done, of those to do, and of those that failed.
Progress = Callable[[int, int, int], None]


@dataclass
class Outcome:
    """The records of all entries in their order, and the number of cases that were segmented in this run."""

    records: list[Record]
    repeated: int


def scan_on(workers: Workers, progress: Callable[[int, int], None]) -> ScanFolders:
    """A way to read the folders' DICOM headers by the workers, for ``find_entries``."""

    def scan(folders: list[FolderFiles]) -> list[FolderContents]:
        found = []
        for (folder, _), contents in workers.run(scan_folder, folders):
            if isinstance(contents, Exception):
                contents = FolderContents(folder, problems=[(folder, f"Its files cannot be read ({contents}).")])
            found.append(contents)
            progress(len(found), len(folders))
        return found

    return scan


def run_entries(entries: Sequence[Entry], settings: Settings, workers: Workers, progress: Progress) -> Outcome:
    """Segments what is not done yet. A case's failure is its record's; each record is written when its case ends.

    Raises:
        CascadeError: If the cluster is gone or a record cannot be written; everything before is kept.
    """
    output = Path(settings.output)
    records: dict[str, Record] = {}
    for entry in entries:
        if entry.problem is not None:
            records[entry.name] = new_record(entry, settings, LEFT_OUT, error=entry.problem)
            write_record(records[entry.name], output)
            continue
        record = read_record(entry.name, output)
        if record is not None and is_done(record, entry, settings):
            records[entry.name] = record
    todo = [entry for entry in entries if entry.name not in records]
    for attempts in (output / RECORDS).glob("*.attempts"):  # of a run that was killed
        attempts.unlink(missing_ok=True)
    repeats: Counter[str] = Counter()

    def again(entry: Entry) -> bool:
        """Counted here too: a worker that dies as it starts notes no attempts."""
        repeats[entry.name] += 1
        return len(attempts_of(entry, settings)) < MAX_ATTEMPTS and repeats[entry.name] <= MAX_ATTEMPTS

    failed = 0
    progress(0, len(todo), failed)
    for done, (entry, answer) in enumerate(workers.run(run_case, todo, settings, again=again), start=1):
        record = _record_of(entry, settings, answer, workers)
        write_record(record, output)
        settings.attempts_file(entry).unlink(missing_ok=True)
        records[entry.name] = record
        failed += record["state"] == FAILED
        progress(done, len(todo), failed)
    return Outcome([records[entry.name] for entry in entries], len(todo))


def _record_of(entry: Entry, settings: Settings, answer: Record | Exception, workers: Workers) -> Record:
    attempts = attempts_of(entry, settings)
    if not isinstance(answer, Exception):
        if answer["state"] != FAILED or len(attempts) < MAX_ATTEMPTS:
            return answer
    elif not attempts:
        # Nothing of ours ran: the worker could not even load the task.
        error = f"The worker could not begin ({answer}): install the same version of this package for all workers"
        return new_record(entry, settings, FAILED, error=error)
    if {each["pid"] for each in attempts} & workers.ended_for_memory():
        return crashed(entry, settings, attempts, "it needed more memory than the worker's limit (--memory)")
    return crashed(entry, settings, attempts) if isinstance(answer, Exception) else answer
