"""``liver-lesion-cascade evaluate``: a bundle's results beside the reference labels."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from . import LAYOUT

if TYPE_CHECKING:
    from LiverLesionCascadeLib.engine.bundle import ModelBundle
    from LiverLesionCascadeLib.engine.presets import Preset

    from ..cases import TrainingCase
    from ..evaluation import EvaluationSummary

    #: Cases, how they are segmented, and the name of that for progress.
    Evaluate = Callable[[list[TrainingCase], Preset, str], EvaluationSummary]

#: Exit code where workers could not do all cases: the tables are of the others.
FAILED_CASES = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("cases", nargs="+", type=Path, metavar="FOLDER", help=f"cases with references: {LAYOUT}")
    add("--bundle", type=Path, metavar="FOLDER", help="model bundle (default: the shipped one)")
    add("--preset", action="append", choices=("fast", "paper"), help="may be repeated to compare (default: fast)")
    add("--stages", action="store_true", help="also run what each step of the cascade is worth: stage 1 alone ...")
    add("--json", action="store_true", help="print one JSON object on standard output instead of tables")
    add("--record", action="store_true", help="write the figures into the bundle's metadata and model card")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps (default: auto)")
    add("--scheduler", metavar="ADDRESS", help="dask scheduler whose workers do the cases; failing cases are left out")


def run(args: argparse.Namespace) -> int:
    """Segments every case and prints the measures of each and their means."""
    from dataclasses import replace

    from LiverLesionCascadeLib.engine.bundle import ModelBundle
    from LiverLesionCascadeLib.engine.presets import DEFAULT_PRESET, PRESETS

    from ..cases import find_cases
    from ..datasets.splits import VALIDATION
    from ..evaluation import format_table
    from ..export import record_validation, validation_figures
    from ..variants import cascade_variants

    cases = find_cases(args.cases, VALIDATION)
    bundle = ModelBundle.load(args.bundle) if args.bundle else ModelBundle.shipped()
    failures: dict[str, str] = {}
    evaluate = _evaluate_by_workers(args, bundle, failures) if args.scheduler else _evaluate_here(args, bundle)
    presets = [PRESETS[name] for name in args.preset or [DEFAULT_PRESET]]
    variants = cascade_variants(presets[0], bundle) if args.stages else {}
    runs = {f"Preset {preset.name}": preset for preset in presets} | variants
    measured: dict[Preset, EvaluationSummary] = {}
    for name, preset in runs.items():
        # Resolved first: a stage that is the preset itself is not run twice.
        exact = replace(preset, iterations=preset.iterations or bundle.lesion_pass.iterations)
        key = preset if preset.iterations == 0 else exact
        measured[key] = measured.get(key) or evaluate(cases, preset, name)
        runs[name] = key
    summaries = {name: measured[key] for name, key in runs.items()}
    if args.record and failures:
        print("The figures were not recorded, as cases failed", file=sys.stderr, flush=True)
    elif args.record:
        record_validation(bundle.folder, validation_figures(next(iter(summaries.values())), presets[0].name))
    if args.json:
        printed = {name: summary.to_dict() for name, summary in summaries.items()}
        print(json.dumps({**printed, "failures": failures} if args.scheduler else printed, allow_nan=False))
        return FAILED_CASES if failures else 0
    for preset in presets:
        name = f"Preset {preset.name}"
        print(f"{bundle.name} {bundle.version}, preset {preset.name}\n\n{format_table(summaries[name])}\n")
    if len(summaries) > 1:
        print(_comparison(summaries))
    return FAILED_CASES if failures else 0


def _evaluate_here(args: argparse.Namespace, bundle: ModelBundle) -> Evaluate:
    from LiverLesionCascadeLib.engine.segmenter import Segmenter

    from ..evaluation import summarise
    from ..evaluation_task import measure_case

    segmenter = Segmenter(bundle, args.device)

    def evaluate(cases: list[TrainingCase], preset: Preset, name: str) -> EvaluationSummary:
        measures = []
        for number, case in enumerate(cases, start=1):
            print(f"{name}: case {case.name}, {number} of {len(cases)}", file=sys.stderr, flush=True)
            measures.append(measure_case(case, preset, segmenter))
        return summarise(measures)

    return evaluate


def _evaluate_by_workers(args: argparse.Namespace, bundle: ModelBundle, failures: dict[str, str]) -> Evaluate:
    """Cases that fail, or end their worker, are said on standard error and put into ``failures`` with the reason."""
    from LiverLesionCascadeLib.archive.cluster import workers
    from LiverLesionCascadeLib.archive.records import model_identity
    from LiverLesionCascadeLib.commands.console import say

    from ..evaluation import summarise
    from ..evaluation_task import measure_on_worker

    model, folder = model_identity(bundle), str(bundle.folder.resolve())

    def evaluate(cases: list[TrainingCase], preset: Preset, name: str) -> EvaluationSummary:
        measures = {}
        with workers(args.scheduler) as cluster:
            task = (preset, folder, model, args.device)
            for number, (case, answer) in enumerate(cluster.run(measure_on_worker, cases, *task), start=1):
                print(f"{name}: case {case.name} is done, {number} of {len(cases)}", file=sys.stderr, flush=True)
                if isinstance(answer, Exception):
                    failures[case.name] = " ".join(str(answer).split())
                    say(f"Case {case.name} failed: {failures[case.name]}", "error")
                else:
                    measures[case.name] = answer
        return summarise([measures[case.name] for case in cases if case.name in measures])

    return evaluate


def _comparison(summaries: dict[str, EvaluationSummary]) -> str:
    from ..evaluation import markdown_table, number

    rows = []
    for name, summary in summaries.items():
        cells = [name, number(summary.liver_mean.get("dice")), number(summary.lesion_mean.get("dice"))]
        if summary.sparse:
            cells += [number(summary.sparse_liver_dice), number(summary.sparse_lesion_dice)]
        rows.append(cells)
    head = ["Mean Dice", "Liver", "Lesion"]
    if any(summary.sparse for summary in summaries.values()):
        head += ["Liver (slices)", "Lesion (slices)"]
    return markdown_table(head, rows, left=1)
