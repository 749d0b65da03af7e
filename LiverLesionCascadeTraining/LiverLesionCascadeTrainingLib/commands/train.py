"""``liver-lesion-cascade train``: from folders of labelled CTs to a model bundle."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path

from . import LAYOUT

BUNDLE_FOLDER = "bundle"


def _positive(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("train", nargs="+", type=Path, metavar="FOLDER", help=f"prepared data set, or training cases as {LAYOUT}")
    add(
        "--validation",
        nargs="+",
        type=Path,
        default=[],
        metavar="FOLDER",
        help="cases of other patients (default: the validation split of the prepared data sets)",
    )
    add("-o", "--output", type=Path, required=True, metavar="RUN", help="run folder; an interrupted run goes on")
    add("--recipe", choices=("compact", "paper"), default="compact", help="default: compact")
    add("--card", type=Path, metavar="JSON", help="name, version, licence ... of the bundle (default: the recipe's)")
    add(
        "--job",
        action="append",
        metavar="JOB",
        help="only this: prepare, liver-fold-0, liver-fold-1, liver, lesion-image, lesion or export; may be repeated. "
        "The liver and lesion-image jobs do not wait for each other: run them at once on several machines or cores",
    )
    add("--start", type=Path, metavar="BUNDLE", help="go on from the networks of a bundle of the same width")
    add("--length", type=_positive, default=1.0, metavar="FACTOR", help="lengthen or shorten all schedules (default 1)")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps (default: auto)")
    add("--threads", type=int, metavar="N", help="processor threads (default: all)")


def run(args: argparse.Namespace) -> int:
    """Trains, then exports the bundle to ``RUN/bundle``; interrupted, the same command goes on."""
    import torch
    from LiverLesionCascadeLib.engine.bundle import ModelBundle
    from LiverLesionCascadeLib.engine.device import select_device
    from LiverLesionCascadeLib.engine.errors import InputError

    from ..cascade_training import CascadeTraining, scaled
    from ..export import default_card, export_bundle, read_card
    from ..recipes import RECIPES

    if args.threads:
        torch.set_num_threads(args.threads)
    # Weights that decay towards zero become denormal, which slows a processor down many times.
    torch.set_flush_denormal(True)
    recipe = RECIPES[args.recipe]
    if args.length != 1:
        recipe = scaled(recipe, args.length)
    known = ("prepare", *recipe.jobs, "export")
    jobs = args.job or known
    unknown = sorted(set(jobs) - set(known))
    if unknown:
        raise InputError(f"Unknown job {', '.join(unknown)}: choose among {', '.join(known)}")
    card = read_card(args.card) if args.card else default_card(recipe.name)
    training = CascadeTraining(
        args.output,
        recipe,
        args.train,
        args.validation,
        select_device(args.device),
        lambda line: print(line, flush=True),
        ModelBundle.load(args.start) if args.start else None,
    )
    # A cluster's scheduler ends jobs by SIGTERM: save first, as on Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    training.prepare()
    for job in jobs:
        if job == "export":
            export_bundle(training, args.output / BUNDLE_FOLDER, card)
            print(f"bundle: {args.output / BUNDLE_FOLDER}")
        elif job != "prepare":
            training.run(job)
    return 0
