"""``liver-lesion-cascade archive``: every CT of an archive, segmented by the workers of a dask cluster."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..engine.errors import CancelledError
from .cancellation import cancellable
from .console import ProgressBar, print_json, say, standard_output_kept_free, whole_number
from .segment import add_processing_arguments, options_from

_SEARCHING = 0.02
#: Exit code where not all cases could be done: the tables are of the others.
FAILED_CASES = 3


def add_archive_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input", type=Path, metavar="INPUT",
        help="a folder tree of DICOM series, NIfTI, NRRD and MHA files, or a CSV with a column path (and series)",
    )  # fmt: skip
    parser.add_argument("output", type=Path, metavar="OUT", help="folder for the results; of an earlier run: go on")
    cluster = parser.add_argument_group("workers")
    cluster.add_argument(
        "--scheduler", metavar="ADDRESS",
        help="dask scheduler, such as tcp://host:8786, or its scheduler file (default: workers on this computer)",
    )  # fmt: skip
    cluster.add_argument(
        "--workers", type=whole_number("a number of workers (1 or more)", 1), metavar="N",
        help="processes on this computer (default: one a GPU, or one a processor as far as 4 GB are there for each)",
    )  # fmt: skip
    cluster.add_argument(
        "--memory", metavar="SIZE",
        help="of each process on this computer, such as 8GB: what needs more fails (default: its share)",
    )  # fmt: skip
    add_processing_arguments(parser)


def run_archive(arguments: argparse.Namespace) -> int:
    """Run the command and return 0, FAILED_CASES where cases failed. Raises CascadeError."""
    try:
        with cancellable(), standard_output_kept_free():
            values = _archive(arguments)
    except KeyboardInterrupt as error:
        raise CancelledError(f"Cancelled; start the same command again to go on in {arguments.output}") from error
    if arguments.json:
        print_json(values)
    elif not arguments.quiet:
        print(
            f"{values['done']} segmented ({values['kept']} of them before), {values['failed']} failed, "
            f"{values['left_out']} left out\n  {values['summary']}"
        )
    if values["failed"]:
        say(
            f"{values['failed']} cases failed; {values['summary']} says why, and the same command tries them again",
            "error",
        )
    return FAILED_CASES if values["failed"] else 0


def _archive(arguments: argparse.Namespace) -> dict[str, Any]:
    from ..archive.archive_folder import run_folder
    from ..archive.cluster import workers
    from ..archive.discovery import find_entries, require_archive
    from ..archive.records import DONE, FAILED, LEFT_OUT, Settings, model_identity
    from ..archive.run import run_entries, scan_on
    from ..archive.summary import write_summary
    from ..archive.tables import write_tables
    from ..engine.files import writing_to
    from ..engine.model.bundle import ModelBundle
    from ..outputs.result_files import SUMMARY_FILE

    require_archive(arguments.input)
    bundle = ModelBundle.of(arguments.bundle)
    output = arguments.output.resolve()
    options = replace(options_from(arguments), bundle=str(bundle.folder.resolve()))
    settings = Settings(str(output), model_identity(bundle), options, arguments.report)
    with run_folder(output), workers(arguments.scheduler, arguments.workers, arguments.memory) as cluster:
        if not arguments.quiet:
            say(f"{cluster.count} workers; dashboard: {cluster.dashboard or 'none (bokeh is not installed)'}")
            if cluster.count == 0:
                say("The scheduler has no workers yet: the run begins when they come", "note")
        with ProgressBar(arguments.quiet) as bar:
            bar(0.0, "Searching")
            scan = scan_on(cluster, lambda done, of: bar(_SEARCHING * done / of, "Searching"))
            entries = find_entries(arguments.input.resolve(), scan, leave_out=output)
            outcome = run_entries(entries, settings, cluster, _shown_on(bar))
        with writing_to(output):
            write_tables(outcome.records, output)
            write_summary(outcome.records, output)
    counts = Counter(record["state"] for record in outcome.records)
    return {
        "status": "ok",
        "done": counts[DONE],
        "failed": counts[FAILED],
        "left_out": counts[LEFT_OUT],
        "kept": counts[DONE] - (outcome.repeated - counts[FAILED]),
        "output": str(output),
        "summary": str(output / SUMMARY_FILE),
    }


def _shown_on(bar: ProgressBar) -> Callable[[int, int, int], None]:
    """What shows the progress of the cases on the bar; in a log, a line each whole percent."""
    began = time.monotonic()
    last = -1

    def show(done: int, of: int, failed: int) -> None:
        nonlocal last
        percent = 100 * done // max(of, 1)
        if percent == last and not bar.on_terminal:
            return
        last = percent
        text = f"{done} of {of}" + (f", {failed} failed" if failed else "")
        if not bar.on_terminal and 0 < done < of:
            left = (time.monotonic() - began) / done * (of - done)
            text += f", {_duration(left)} left"
        bar(_SEARCHING + (1 - _SEARCHING) * done / max(of, 1), text)

    return show


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds + 0.5), 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes}:{rest:02} min"
