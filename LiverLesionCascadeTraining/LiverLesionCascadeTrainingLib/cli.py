"""Command line of training: ``liver-lesion-cascade train``."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_train_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "train",
        nargs="+",
        type=Path,
        metavar="FOLDER",
        help="folders of training cases: volume-N.nii.gz with segmentation-N.nii.gz (LiTS layout)",
    )
    parser.add_argument(
        "--validation",
        nargs="+",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="folders of validation cases, of other patients",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="RUN",
        help="run folder: checkpoints and logs; an interrupted run is resumed",
    )
    parser.add_argument("--recipe", choices=("compact", "paper"), default="compact")
    parser.add_argument(
        "--job",
        action="append",
        metavar="JOB",
        help="train only this job (prepare, liver-fold-0, ..., liver, lesion-image, lesion); may be repeated",
    )
    parser.add_argument(
        "--length",
        type=float,
        default=1.0,
        metavar="FACTOR",
        help="lengthen or shorten all schedules by this factor (default 1)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps (default auto)")
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads (default: all)")


def run_train(args: argparse.Namespace) -> int:
    import torch
    from LiverLesionCascadeLib.engine.device import select_device
    from LiverLesionCascadeLib.engine.errors import InputError

    from .cascade_training import CascadeTraining, scaled
    from .recipes import RECIPES

    if args.threads:
        torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    recipe = RECIPES[args.recipe]
    if args.length != 1:
        recipe = scaled(recipe, args.length)
    jobs = args.job or []
    unknown = set(jobs) - {"prepare", *recipe.jobs}
    if unknown:
        raise InputError(f"Unknown job {', '.join(sorted(unknown))}: choose among prepare, {', '.join(recipe.jobs)}")
    training = CascadeTraining(
        args.output,
        recipe,
        args.train,
        args.validation,
        select_device(args.device),
        lambda line: print(line, flush=True),
    )
    if not jobs:
        training.run_all()
        return 0
    training.prepare()
    for job in jobs:
        if job != "prepare":
            training.run(job)
    return 0
