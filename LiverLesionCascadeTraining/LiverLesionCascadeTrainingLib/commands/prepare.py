"""``liver-lesion-cascade prepare``: labelled scans of any layout into one prepared data set."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from ..datasets.prepare import DEFAULT_SEED, DEFAULT_SHARE, prepare

LAYOUTS = (
    "volume-N.nii.gz with segmentation-N.nii.gz (LiTS), dataset.json with imagesTr and labelsTr (Medical Segmentation "
    "Decathlon), CT with .seg.nrrd saved from Slicer, or CT with DICOM SEG"
)


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to below 1")
    return value


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("sources", nargs="+", type=Path, metavar="FOLDER", help=LAYOUTS)
    add(
        "--validation", nargs="+", type=Path, default=[], metavar="FOLDER", help="cases for validation (default: drawn)"
    )
    add("-o", "--output", type=Path, required=True, metavar="DATASET", help="folder of the prepared data set")
    add(
        "--seed",
        type=int,
        default=DEFAULT_SEED,
        help=f"of the draw of patients for validation (default {DEFAULT_SEED})",
    )
    add(
        "--share",
        type=_share,
        default=DEFAULT_SHARE,
        help=f"part of the patients for validation (default {DEFAULT_SHARE:g})",
    )
    add(
        "--ignore",
        action="append",
        default=[],
        metavar="NAME",
        help="segments or labels that are neither liver nor lesion and do not matter; * for any characters; may be "
        "repeated",
    )
    add(
        "--lesions-unknown",
        nargs="+",
        type=Path,
        default=[],
        metavar="FOLDER",
        help="more cases for training whose livers are labelled, but in which nobody has looked for lesions",
    )
    add("--skip-problems", action="store_true", help="leave cases with problems out instead of refusing all")
    add("--json", action="store_true", help="print the report as one JSON object on standard output")


def run(args: argparse.Namespace) -> int:
    """Prepares, or brings up to date, and prints what the data set holds."""

    def progress(done: int, of: int, case: str) -> None:
        if done < of:
            print(f"Preparing case {case}, {done + 1} of {of}", file=sys.stderr, flush=True)

    report = prepare(
        args.sources,
        args.output,
        args.validation,
        args.seed,
        args.share,
        args.ignore,
        args.skip_problems,
        progress,
        args.lesions_unknown,
    )
    print(json.dumps(asdict(report), allow_nan=False) if args.json else report.to_text())
    return 0
