"""The commands that train and evaluate, one a module: ``add_arguments(parser)`` and ``run(arguments)``."""

import argparse
from functools import partial

#: How cases lie in a folder, for help texts.
LAYOUT = "volume-N.nii.gz with segmentation-N.nii.gz (LiTS layout)"

#: Prints a line at once, wherever standard output goes.
report = partial(print, flush=True)


def add_machine_options(parser: argparse.ArgumentParser) -> None:
    """What a command computes on."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps (default: auto)")
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads (default: all)")


def positive(text: str) -> float:
    """The type of an option that is a number above 0."""
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def count(text: str) -> int:
    """The type of an option that is a whole number from 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return value
