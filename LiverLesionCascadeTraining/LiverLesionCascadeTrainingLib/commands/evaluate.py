"""``liver-lesion-cascade evaluate``: a bundle's results beside the reference labels."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from LiverLesionCascadeLib.commands.cancellation import cancellable
from LiverLesionCascadeLib.commands.console import say
from LiverLesionCascadeLib.engine.errors import CancelledError

from . import LAYOUT

if TYPE_CHECKING:
    from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
    from LiverLesionCascadeLib.engine.passes.presets import Preset

    from ..datasets.cases import TrainingCase
    from ..evaluation.evaluation_records import EvaluationRecord, EvaluationRecords
    from ..evaluation.evaluation_task import Measured

    #: Segments and measures cases; each comes with its result when it is done.
    Measure = Callable[[list[TrainingCase], Preset], Iterator[tuple[TrainingCase, Measured]]]

#: Exit code where not all cases could be done: the tables are of the others.
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
    add("--scheduler", metavar="ADDRESS", help="dask scheduler whose workers do the cases (default: this process)")
    add(
        "-o", "--output", type=Path, metavar="OUT",
        help="folder for Parquet tables of cases and lesions; of an earlier evaluation: go on",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Segments every case and prints the measures of each and their means; cases that fail are left out."""
    try:
        with cancellable():
            return _run(args)
    except KeyboardInterrupt as error:
        how = f"; start the same command again to go on in {args.output}" if args.output else ""
        raise CancelledError(f"Cancelled{how}") from error


def _run(args: argparse.Namespace) -> int:
    from LiverLesionCascadeLib.engine.files import writing_to
    from LiverLesionCascadeLib.engine.model.bundle import ModelBundle, trained_on
    from LiverLesionCascadeLib.engine.passes.presets import DEFAULT_PRESET, PRESETS

    from ..bundles.export import record_figures, validation_figures
    from ..bundles.model_card import require_card
    from ..cases.splits import VALIDATION
    from ..datasets.cases import find_cases
    from ..evaluation.evaluation import summarise
    from ..evaluation.evaluation_records import evaluation_records
    from ..evaluation.evaluation_text import format_comparison, format_table

    if args.output:
        from ..evaluation.evaluation_tables import write_evaluation_tables

    cases = find_cases(args.cases, VALIDATION)
    bundle = ModelBundle.of(args.bundle)
    if args.record:
        require_card(bundle)
    known = trained_on(bundle.metadata)
    if seen := [case.name for case in cases if case.name in known]:
        same = f"if these are the cases {', '.join(seen)} here, their measures are too good"
        say(f"{bundle.name} {bundle.version} was trained on scans of such names: {same}", "warning")
    presets = [PRESETS[name] for name in args.preset or [DEFAULT_PRESET]]
    runs = {f"Preset {preset.name}": preset for preset in presets}
    if args.stages:
        runs |= _stages(presets[0], bundle)
    exact = {name: _exact(preset, bundle) for name, preset in runs.items()}
    measured: dict[Preset, list[EvaluationRecord]] = {}
    with evaluation_records(args.output, cases, bundle, args.device) as records:
        measure = _by_workers(args, bundle) if args.scheduler else _here(args, bundle)
        for name, preset in exact.items():
            # A stage that is the preset itself is not run twice.
            measured[preset] = measured.get(preset) or _evaluate(cases, preset, name, measure, records)
        by_run = {name: measured[preset] for name, preset in exact.items()}
        if args.output:
            write_evaluation_tables(by_run, args.output)
    failures = {each.case: each.result.error for every in by_run.values() for each in every if each.result.error}
    summaries = {
        name: summarise(each.result.measures for each in every if each.result.measures is not None)
        for name, every in by_run.items()
    }
    if args.record and failures:
        print("The figures were not recorded, as cases failed", file=sys.stderr, flush=True)
    elif args.record:
        figures = validation_figures(next(iter(summaries.values())), presets[0].name)
        with writing_to(bundle.folder):
            record_figures(bundle.folder, "validation", figures)
    if args.json:
        printed = {name: summary.to_dict() for name, summary in summaries.items()}
        print(json.dumps({**printed, "failures": failures}, allow_nan=False))
    else:
        for preset in presets:
            name = f"Preset {preset.name}"
            print(f"{bundle.name} {bundle.version}, preset {preset.name}\n\n{format_table(summaries[name])}\n")
        if len(summaries) > 1:
            print(format_comparison(summaries))
    if not failures:
        return 0
    case, why = next(iter(failures.items()))
    say(f"{len(failures)} of {len(cases)} cases failed and are left out, such as case {case}: {why}", "error")
    return FAILED_CASES


def _stages(preset: Preset, bundle: ModelBundle) -> dict[str, Preset]:
    """By description, the preset stopped or changed at each step of the cascade: what each is worth."""
    again = max(2, bundle.settings.lesion_pass.iterations)
    return {
        "Stage 1 alone (liver pass)": replace(preset, iterations=0),
        "Stage 2 without priors": replace(preset, iterations=1, priors=False),
        "Stage 2 on stage 1's maps": replace(preset, iterations=1),
        f"Stage 2, {again} times": replace(preset, iterations=again),
    }


def _exact(preset: Preset, bundle: ModelBundle) -> Preset:
    """The preset with the number of iterations that it takes from the bundle."""
    if preset.iterations is not None:
        return preset
    return replace(preset, iterations=bundle.settings.lesion_pass.iterations)


def _evaluate(
    cases: list[TrainingCase], preset: Preset, name: str, measure: Measure, records: EvaluationRecords
) -> list[EvaluationRecord]:
    """The records of all cases, in their order; what is recorded already is not measured again."""
    found = {case.name: record for case in cases if (record := records.kept(case, preset)) is not None}
    todo = [case for case in cases if case.name not in found]
    say(f"{name}: {len(todo)} of {len(cases)} cases to measure")
    for number, (case, result) in enumerate(measure(todo, preset), start=1):
        found[case.name] = records.add(case, preset, result)
        ended = "is done" if result.error is None else f"failed: {result.error}"
        say(f"{name}, {number} of {len(todo)}: case {case.name} {ended}")
    return [found[case.name] for case in cases]


def _here(args: argparse.Namespace, bundle: ModelBundle) -> Measure:
    from LiverLesionCascadeLib.engine.segmenter import Segmenter

    from ..evaluation.evaluation_task import try_case

    segmenter = Segmenter(bundle, args.device)
    return lambda cases, preset: ((case, try_case(case, preset, segmenter)) for case in cases)


def _by_workers(args: argparse.Namespace, bundle: ModelBundle) -> Measure:
    from distributed.scheduler import KilledWorker
    from LiverLesionCascadeLib.archive.cluster import workers
    from LiverLesionCascadeLib.archive.records import model_identity

    from ..evaluation.evaluation_task import Measured, reason_of, try_case_on_worker

    model, folder = model_identity(bundle), str(bundle.folder.resolve())

    def result_of(answer: Measured | Exception) -> Measured:
        if isinstance(answer, KilledWorker):
            return Measured(error="Its worker was killed or crashed, as when a computer runs out of memory.")
        return Measured(error=reason_of(answer)) if isinstance(answer, Exception) else answer

    def measure(cases: list[TrainingCase], preset: Preset) -> Iterator[tuple[TrainingCase, Measured]]:
        with workers(args.scheduler) as cluster:
            for case, answer in cluster.run(try_case_on_worker, cases, preset, folder, model, args.device):
                yield case, result_of(answer)

    return measure
