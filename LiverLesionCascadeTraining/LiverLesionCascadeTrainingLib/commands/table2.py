"""``liver-lesion-cascade table2``: the methods of the paper's Table 2, trained and measured in one run."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import add_machine_options, report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--data",
        type=Path,
        required=True,
        metavar="D",
        help="folder with lits/train, lits/val and perhaps lits/sparse/train (single slices); or a prepared data set",
    )
    add("--recipe", choices=("compact", "paper"), default="compact", help="default: compact")
    add("-o", "--output", type=Path, required=True, metavar="RUN", help="run folder; an interrupted run goes on")
    add("--results", type=Path, metavar="FOLDER", help="where the table is written (default: RUN/results)")
    add("--bundle", type=Path, metavar="FOLDER", help="the product's cascade (default: it is trained too)")
    add(
        "--picture",
        type=Path,
        nargs=2,
        metavar=("CT", "LABELS"),
        help="whose slices the figure shows (default: the first validation scan with lesions)",
    )
    add_machine_options(parser)


def run(args: argparse.Namespace) -> int:
    """Trains what has not been trained, measures what has not been measured, writes table and figure."""
    from importlib import import_module

    import torch
    from LiverLesionCascadeLib.engine.errors import InputError
    from LiverLesionCascadeLib.engine.files import writing_to
    from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
    from LiverLesionCascadeLib.engine.model.device import select_device

    from ..bundles.export import default_card, export_bundle
    from ..cases.labels import LESION
    from ..cases.training_case import TrainingCase
    from ..datasets.cases import find_splits
    from ..layouts.lits import LabelMapSource
    from ..recipes import RECIPES
    from ..runs.run_folder import BUNDLE_FOLDER
    from ..studies.table2 import data_folders, measure, table_rows, train_networks
    from ..studies.table2_figure import draw_figure
    from ..studies.table2_report import write_report
    from ..training.cascade_training import CascadeTraining
    from ..training.precision import denormals_flushed

    if args.threads:
        torch.set_num_threads(args.threads)
    device, recipe = select_device(args.device), RECIPES[args.recipe]
    import_module("matplotlib")  # for the figure in the end: not missed after days only
    with writing_to(args.output):
        training = CascadeTraining(args.output, recipe, find_splits(*data_folders(args.data)), device, report)
    cases = [case for case in training.cases["validation"] if not case.sparse]
    if not cases:
        raise InputError(f"{args.data} has no whole scan to measure on: its validation cases are single slices")
    with denormals_flushed(), writing_to(args.output):
        train_networks(training, args.bundle is None)
    folder = args.bundle
    if folder is None:
        folder = args.output / BUNDLE_FOLDER
        export_bundle(training, folder, default_card(recipe.name))
    bundle = ModelBundle.load(folder)
    rows = table_rows(training, bundle)
    with writing_to(args.output):
        measured = measure(rows, cases, args.output / "results", report)
    results = args.results or args.output / "results"
    with writing_to(results):
        write_report(results, rows, measured, training, bundle)
    if args.picture:
        scan: TrainingCase = LabelMapSource("picture", "picture", False, tuple(args.picture))
    else:
        shown = next((i for i, case in enumerate(measured[rows[0].key]) if case["has_lesions"]), 0)
        scan = cases[shown]
    ct, labels = scan.read()
    # The last row is the product's default, which the paper's figure has no column for.
    with writing_to(results):
        draw_figure(results / "table2.png", ct, (labels > 0, labels == LESION), rows[:-1], recipe.model.window_hu)
    report(f"table: {results / 'table2.md'}")
    return 0
