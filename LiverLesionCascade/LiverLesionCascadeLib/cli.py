"""``liver-lesion-cascade``: the headless command.

Exit codes: 0 done, 1 an unexpected error, 2 wrong usage, 3 the input, 4 the model bundle, 5 the output, 6 the device,
130 cancelled. An error is one line on standard error, ``error: ...``; with ``--json`` also one JSON object on standard
output. LLC_DEBUG=1 shows the traceback.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from . import __version__
from .commands.archive import add_archive_arguments, run_archive
from .commands.console import lenient_streams, print_json, say
from .commands.segment import add_segment_arguments, run_segment
from .commands.view import add_view_arguments, run_view
from .engine.errors import (
    BundleError,
    CancelledError,
    CascadeError,
    DeviceError,
    InputError,
    InvalidVolumeError,
    OutputError,
    is_out_of_memory,
)
from .engine.files import require_text_name

if TYPE_CHECKING:
    from .commands.segment import SegmenterFactory

PROGRAM = "liver-lesion-cascade"
TRAINING_PACKAGE = "LiverLesionCascadeTrainingLib"
#: Commands of the training package, each a module in its ``commands`` with ``add_arguments`` and ``run``.
TRAINING_COMMANDS = {
    "prepare": "turn labelled scans of any layout into one data set for training",
    "train": "train the cascade on a folder of labelled CTs and export a model bundle",
    "evaluate": "compare a model bundle's results with reference labels",
    "cross-validate": "train and measure a recipe by patients that its networks never saw",
    "table2": "train and measure the methods that the paper compares",
}

#: What the extras ``archive`` and ``train`` install.
_EXTRAS = {
    "dask": "archive",
    "distributed": "archive",
    "pyarrow": "archive",
    "matplotlib": "train",
    "tensorboard": "train",
}


class UsageError(CascadeError):
    """The command line is wrong."""


OK, UNEXPECTED, USAGE, CANCELLED = 0, 1, 2, 130
EXIT_CODES: dict[type[CascadeError], int] = {
    UsageError: USAGE,
    InvalidVolumeError: 3,
    InputError: 3,
    BundleError: 4,
    OutputError: 5,
    DeviceError: 6,
    CancelledError: CANCELLED,
}
_KINDS = {UNEXPECTED: "unexpected", USAGE: "usage", 3: "input", 4: "bundle", 5: "output", 6: "device", 130: "cancelled"}

_EPILOG = """\
exit codes:
  0 done   1 unexpected error   2 wrong usage   3 input   4 model bundle
  5 output   6 device   130 cancelled
"""


class _Parser(argparse.ArgumentParser):
    def __init__(self, **options: Any) -> None:
        super().__init__(epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


@lenient_streams()
def main(argv: Sequence[str] | None = None, make_segmenter: SegmenterFactory | None = None) -> int:
    """Run a command and return its exit code.

    Args:
        argv: Arguments, by default the program's.
        make_segmenter: Makes what segments, by default from a model bundle.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    # Before torch is imported: threads that wait by spinning make a run several times slower on a shared processor.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        arguments = _parser(words).parse_args(words)
        _require_text_names(arguments)
        return _run(arguments, make_segmenter)
    except CascadeError as error:
        code = next((EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES), UNEXPECTED)
        return _fail(words, code, str(error))
    except KeyboardInterrupt:
        return _fail(words, CANCELLED, "Cancelled")
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        what = f".[{extra}]" if extra else "."
        message = f"The Python package {error.name} is missing: pip install -e '{what}' in the project's folder"
        return _fail(words, UNEXPECTED, message)
    # The last resort of a program: whatever went wrong, one line and an exit code instead of a traceback.
    except Exception as error:  # noqa: BLE001
        message = f"Unexpected {type(error).__name__}: {error} (LLC_DEBUG=1 shows where; please report it)"
        if is_out_of_memory(error):
            message = "The computer has too little free memory for this scan: close other programs"
        return _fail(words, UNEXPECTED, message)


def _parser(words: list[str]) -> _Parser:
    parser = _Parser(
        prog=PROGRAM,
        description="Segment the liver and its lesions on contrast-enhanced CT. For research use only.",
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)

    def command(name: str, text: str) -> _Parser:
        return commands.add_parser(name, help=text, description=text)

    add_segment_arguments(command("segment", "segment a CT; write segmentation, lesion table and report"))
    sample = command("sample", "fetch the sample CT and its reference labels from the Python package index")
    sample.add_argument("-o", "--output", type=Path, default=Path("sample"), metavar="FOLDER", help="default: sample")
    sample.add_argument("--json", action="store_true", help="print one JSON object on standard output, for scripts")
    add_archive_arguments(command("archive", "segment every CT of an archive by workers; write tables and a summary"))
    add_view_arguments(command("view", "show the report of a result, or all results of an archive, in the browser"))
    # Training code is loaded only for its own commands.
    asked = next((word for word in words if not word.startswith("-")), None)
    for name, text in TRAINING_COMMANDS.items():
        subparser = command(name, text)
        if asked == name:
            _training(name).add_arguments(subparser)
    return parser


def _require_text_names(arguments: argparse.Namespace) -> None:
    """Raises InputError, BundleError or OutputError for a path that native libraries would end the process for."""
    kinds: dict[str, type[CascadeError]] = {"output": OutputError, "bundle": BundleError}
    for name, given in vars(arguments).items():
        for path in given if isinstance(given, list) else [given]:
            if isinstance(path, Path):
                require_text_name(path, kinds.get(name, InputError))


def _training(command: str) -> Any:
    if importlib.util.find_spec(TRAINING_PACKAGE) is None:
        raise CascadeError(
            f"Training and evaluation are in the package {TRAINING_PACKAGE}, which is not installed: "
            "install the whole project with pip install -e ."
        )
    return importlib.import_module(f"{TRAINING_PACKAGE}.commands.{command.replace('-', '_')}")


def _run(arguments: argparse.Namespace, make_segmenter: SegmenterFactory | None) -> int:
    if arguments.command == "segment":
        return run_segment(arguments, make_segmenter)
    own = {"archive": run_archive, "view": run_view, "sample": _run_sample}
    run = own.get(arguments.command) or _training(arguments.command).run
    return int(run(arguments) or OK)


def _run_sample(arguments: argparse.Namespace) -> int:
    from .sample import fetch_sample

    sample = fetch_sample(arguments.output)
    if arguments.json:
        print_json({"status": "ok", "image": str(sample.image), "labels": str(sample.labels)})
    else:
        print(f"{sample.image}\n{sample.labels}")
    return OK


def _fail(words: list[str], code: int, message: str) -> int:
    """Say what went wrong; to be called in an except clause."""
    if os.environ.get("LLC_DEBUG"):
        traceback.print_exc()
    say(message, "error")
    if "--json" in words:
        line = " ".join(message.split())
        print_json({"status": "error", "exit_code": code, "error": {"kind": _KINDS[code], "message": line}})
    return code


if __name__ == "__main__":
    sys.exit(main())
