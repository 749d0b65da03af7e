"""``liver-lesion-cascade train``: from folders of labelled CTs to a model bundle."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import LAYOUT, add_machine_options, count, positive, report

if TYPE_CHECKING:
    import torch
    from LiverLesionCascadeLib.engine.model.bundle import ModelBundle

    from ..pretrained.imagenet_weights import ImageNetWeights
    from ..recipes import Recipe
    from ..runs.run_control import RunControl
    from ..training.distributed import Ranks


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
    add("--recipe", choices=("compact", "paper", "demo"), default="compact", help="default: compact")
    add("--card", type=Path, metavar="JSON", help="name, version, licence ... of the bundle (default: the recipe's)")
    add(
        "--job",
        action="append",
        metavar="JOB",
        help="only this: prepare, liver-fold-0, liver-fold-1, liver, lesion-image, lesion or export; may be repeated. "
        "The liver and lesion-image jobs do not wait for each other: run them at once on several machines or cores",
    )
    add(
        "--start-from",
        type=Path,
        metavar="WEIGHTS",
        help="go on from the networks of a bundle of the same width (its folder), or start from ResNet-38 trained on "
        "ImageNet (ilsvrc-cls_rna-a1: the .params file of MXNet or a PyTorch conversion of it)",
    )
    add("--length", type=positive, default=1.0, metavar="FACTOR", help="lengthen or shorten all schedules (default 1)")
    add("--batch", type=count, metavar="N", help="images a step (default: the recipe's)")
    add(
        "--amp",
        choices=("auto", "fp32", "bf16", "fp16"),
        default="auto",
        help="mixed precision (default: bf16 where the device has it); fp16 scales the loss",
    )
    add(
        "--accumulate",
        type=count,
        default=1,
        metavar="N",
        help="take each process's images of a step in N parts, one after the other, to need less memory",
    )
    add("--dry-run", action="store_true", help="say what it will take, memory above all, and write nothing")
    add_machine_options(parser)


def run(args: argparse.Namespace) -> int:
    """Trains, then exports the bundle to ``RUN/bundle``; interrupted, the same command goes on."""
    import torch
    from LiverLesionCascadeLib.engine.errors import CancelledError, InputError
    from LiverLesionCascadeLib.engine.files import writing_to
    from LiverLesionCascadeLib.engine.model.device import select_device

    from ..bundles.export import default_card, read_card
    from ..recipes import RECIPES
    from ..runs.run_control import RunControl
    from ..training.cascade_training import scaled
    from ..training.distributed import joined, local_device
    from ..training.precision import denormals_flushed

    if args.threads:
        torch.set_num_threads(args.threads)
    recipe = scaled(RECIPES[args.recipe], args.length)
    if args.batch:
        recipe = replace(recipe, batch=args.batch)
    known = ("prepare", *recipe.jobs, "export")
    jobs = args.job or known
    unknown = sorted(set(jobs) - set(known))
    if unknown:
        raise InputError(f"Unknown job {', '.join(unknown)}: choose among {', '.join(known)}")
    card = read_card(args.card) if args.card else default_card(recipe.name)
    device = select_device(local_device(args.device))
    if args.dry_run:
        return _dry_run(args, recipe, device)
    with writing_to(args.output):
        args.output.mkdir(parents=True, exist_ok=True)
    # A cluster's scheduler ends jobs by SIGTERM; a step in progress is finished and saved (see Trainer).
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    plan = {job: recipe.stage(job) for job in jobs if job in recipe.jobs}
    with joined(device) as ranks:
        control = RunControl(args.output if ranks.first else None, device, plan)
        try:
            with denormals_flushed(), writing_to(args.output):
                _train(args, recipe, device, ranks, control, jobs, card)
        except (CancelledError, KeyboardInterrupt) as error:
            control.say("stopped", message=str(error))
            raise
        except Exception as error:
            control.say("failed", message=str(error))
            raise
        control.say("finished")
    return 0


def _train(
    args: argparse.Namespace,
    recipe: Recipe,
    device: torch.device,
    ranks: Ranks,
    control: RunControl,
    jobs: Sequence[str],
    card: dict[str, Any],
) -> None:
    from ..bundles.export import export_bundle
    from ..datasets.cases import find_splits
    from ..runs.curves import write_curves
    from ..runs.run_folder import BUNDLE_FOLDER
    from ..training.cascade_training import CascadeTraining
    from ..training.trainer import Execution

    training = CascadeTraining(
        args.output,
        recipe,
        find_splits(args.train, args.validation),
        device,
        report,
        _start(args.start_from, recipe, ranks.first),
        Execution(args.amp, args.accumulate, ranks),
        control,
    )
    training.prepare(jobs)
    for job in jobs:
        if job == "export" and ranks.first:
            export_bundle(training, args.output / BUNDLE_FOLDER, card)
            report(f"bundle: {args.output / BUNDLE_FOLDER}")
        elif job in recipe.jobs:
            training.run(job)
    if ranks.first:
        curves = write_curves(args.output, recipe.jobs)
        if curves is not None:
            report(f"curves: {curves}")


def _start(path: Path | None, recipe: Recipe, first: bool) -> ModelBundle | ImageNetWeights | None:
    """The weights to start from: a bundle where the path is a folder, else ImageNet weights, of which the first process
    says what fits."""
    from LiverLesionCascadeLib.engine.model.bundle import ModelBundle

    from ..pretrained.imagenet_weights import ImageNetWeights

    if path is None:
        return None
    if os.path.isdir(path):
        return ModelBundle.load(path)
    weights = ImageNetWeights.load(path)
    if first:
        for line in weights.fill(recipe.model.network("liver")):
            report(line)
    return weights


def _dry_run(args: argparse.Namespace, recipe: Recipe, device: torch.device) -> int:
    """Reads the lists of cases and says what the training will need; nothing is written."""
    from ..datasets.cases import find_splits
    from ..training.memory_estimate import estimate_memory

    cases = find_splits(args.train, args.validation)
    for split, found in cases.items():
        print(f"{split}: {len(found)} cases of {len({case.patient for case in found})} patients")
    for job in recipe.jobs:
        stage = recipe.stage(job)
        print(f"{job}: {stage.steps} steps of {recipe.batch} images, {stage.size} x {stage.size} pixels")
    for line in estimate_memory(recipe, args.amp, args.accumulate, device).lines():
        print(line)
    return 0
