"""Checks and prepares the cases of a training in a process of its own, and says what they are.

A program for :func:`runs.python_command`: the report is one JSON object on standard output, progress goes to standard
error, one line a case.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from LiverLesionCascadeLib.engine.errors import CascadeError

#: Folder of the prepared data set in a run folder.
DATA_FOLDER = "data"


@dataclass(frozen=True)
class DataCheck:
    """What a check found.

    Attributes:
        text: The report, a few lines to read.
        problems: What keeps cases from being used; a training starts only without any.
        prepared: Data set that was made of the folders; empty where they are trained on as they are.
    """

    text: str = ""
    problems: list[str] = field(default_factory=list)
    prepared: str = ""

    @classmethod
    def from_output(cls, output: str) -> DataCheck | None:
        """What the program printed; None if that is no report."""
        try:
            return cls(**json.loads(output))
        except (ValueError, TypeError):
            return None


def check(train: str, validation: str, run: str) -> DataCheck:
    """Brings the data set in the run folder up to date; a data set that was prepared before is only looked at."""
    from ..cases.problems import DataProblems
    from .cases import find_splits
    from .dataset_report import data_report
    from .prepare import prepare
    from .prepared import is_prepared

    sources, others = [Path(train)], [Path(validation)] if validation else []
    try:
        if is_prepared(Path(train)):
            find_splits(sources, others)
            return DataCheck(data_report(Path(train)).to_text())
        folder = Path(run) / DATA_FOLDER
        return DataCheck(prepare(sources, folder, others, progress=_say).to_text(), prepared=str(folder))
    except DataProblems as error:
        return DataCheck(problems=[str(problem) for problem in error.problems])
    except CascadeError as error:
        return DataCheck(problems=[str(error)])


def _say(done: int, of: int, case: str) -> None:
    if case:
        print(f"{done + 1}/{of} {case}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """``data_check TRAIN VALIDATION RUN``; an empty VALIDATION draws patients."""
    train, validation, run = sys.argv[1:] if arguments is None else arguments
    print(json.dumps(asdict(check(train, validation, run))), flush=True)
    return 0
