"""``liver-lesion-cascade cross-validate``: how good a recipe is on patients that its networks never saw."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import LAYOUT, add_machine_options, positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("cases", nargs="+", type=Path, metavar="FOLDER", help=f"cases with references: {LAYOUT}")
    add("-o", "--output", type=Path, required=True, metavar="RUN", help="run folder; an interrupted run goes on")
    add("--recipe", choices=("compact", "paper"), default="compact", help="default: compact")
    add("--folds", type=int, default=3, metavar="N", help="parts of the patients (default: 3)")
    add(
        "--fold",
        type=int,
        action="append",
        metavar="K",
        help="train only this fold, from 0; may be repeated. The folds do not wait for each other: run them at once on "
        "several machines or cores, then give the command without --fold for the figures",
    )
    add("--length", type=positive, default=1.0, metavar="FACTOR", help="lengthen or shorten all schedules (default 1)")
    add("--preset", choices=("fast", "paper"), default="fast", help="default: fast")
    add(
        "--record",
        type=Path,
        metavar="BUNDLE",
        help="write the figures, and a filter of false lesions, fitted on its own training cases, into this bundle",
    )
    add_machine_options(parser)


def run(args: argparse.Namespace) -> int:
    """Trains what has not been trained, then segments every case by the networks that did not see its patient."""
    from dataclasses import replace
    from importlib import import_module

    import torch
    from LiverLesionCascadeLib.engine.errors import InputError
    from LiverLesionCascadeLib.engine.files import writing_to
    from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
    from LiverLesionCascadeLib.engine.model.device import select_device
    from LiverLesionCascadeLib.engine.passes.presets import PRESETS

    from ..bundles.model_card import require_card
    from ..cases.case_source import write_json
    from ..datasets.cases import find_cases
    from ..recipes import RECIPES
    from ..studies.cross_validation import (
        CrossValidation,
        fold_cases,
        measure_fold,
        record_cross_validation,
        train_fold,
    )
    from ..studies.lesion_filter_fit import fit_filter, fit_filters
    from ..training.cascade_training import scaled
    from ..training.precision import denormals_flushed

    if args.threads:
        torch.set_num_threads(args.threads)
    recipe = scaled(RECIPES[args.recipe], args.length)
    cases = find_cases(args.cases)
    patients = len({case.patient for case in cases})
    if not 2 <= args.folds <= patients:
        raise InputError(f"{patients} patients cannot be divided into {args.folds} folds: choose 2 to {patients}")
    chosen = args.fold or range(args.folds)
    unknown = sorted(set(chosen) - set(range(args.folds)))
    if unknown:
        raise InputError(f"There is no fold {unknown[0]}: choose 0 to {args.folds - 1}")
    folds = fold_cases(cases, args.folds, recipe.seed)
    device = select_device(args.device)
    if args.record and not args.fold:
        # What is needed in the end, before days are spent.
        import_module("matplotlib")
        require_card(ModelBundle.load(args.record))
    with writing_to(args.output):
        bundles = {}
        for number in chosen:
            with denormals_flushed():
                bundles[number] = train_fold(args.output / f"fold-{number}", recipe, folds[number], device)
    if args.fold:
        return 0
    preset = PRESETS[args.preset]
    whole = [[case for case in fold["validation"] if not case.sparse] for fold in folds]
    print("Lesions that the networks find, to tell true ones from false ones:")
    found = [measure_fold(bundles[number], whole[number], preset, args.device) for number in chosen]
    filters = fit_filters(found)
    print("With false lesions rejected by what the other folds know of them:")
    measured = [
        measure_fold(replace(bundles[number], lesion_filter=known), folds[number]["validation"], preset, args.device)
        for number, known in enumerate(filters)
    ]
    result = CrossValidation.of(measured, found, filters)
    with writing_to(args.output):
        write_json(args.output / "cross-validation.json", result.to_dict())
    print(result.format_table())
    if args.record:
        # Of its own training cases alone, so that the bundle's validation cases stay unseen.
        own = set((ModelBundle.load(args.record).metadata.get("training") or {}).get("scans", []))
        of_own = [fold.of(own) for fold in found]
        known = fit_filter(of_own)
        with writing_to(args.record):
            record_cross_validation(args.record, result, args.preset, known)
        if known is None:
            lesions = sum(len(fold.lesions) for fold in of_own)
            print(
                f"No filter of false lesions was fitted, and {args.record} has none now: of {lesions} lesions found in "
                "its training scans, all are real or none is"
            )
    return 0
