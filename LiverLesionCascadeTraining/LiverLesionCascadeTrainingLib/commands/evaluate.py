"""``liver-lesion-cascade evaluate``: a bundle's results beside the reference labels."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import LAYOUT

if TYPE_CHECKING:
    from LiverLesionCascadeLib.engine.presets import Preset
    from LiverLesionCascadeLib.engine.segmenter import Segmenter

    from ..cases import TrainingCase
    from ..evaluation import EvaluationSummary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("cases", nargs="+", type=Path, metavar="FOLDER", help=f"cases with references: {LAYOUT}")
    add("--bundle", type=Path, metavar="FOLDER", help="model bundle (default: the shipped one)")
    add("--preset", action="append", choices=("fast", "paper"), help="may be repeated to compare (default: fast)")
    add("--stages", action="store_true", help="also run what each step of the cascade is worth: stage 1 alone ...")
    add("--json", action="store_true", help="print one JSON object on standard output instead of tables")
    add("--record", action="store_true", help="write the figures into the bundle's metadata and model card")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps (default: auto)")


def run(args: argparse.Namespace) -> int:
    """Segments every case and prints the measures of each and their means."""
    from dataclasses import replace

    from LiverLesionCascadeLib.engine.bundle import ModelBundle
    from LiverLesionCascadeLib.engine.presets import DEFAULT_PRESET, PRESETS
    from LiverLesionCascadeLib.engine.segmenter import Segmenter

    from ..cases import find_cases
    from ..datasets.splits import VALIDATION
    from ..evaluation import format_table
    from ..export import record_validation, validation_figures
    from ..variants import cascade_variants

    cases = find_cases(args.cases, VALIDATION)
    bundle = ModelBundle.load(args.bundle) if args.bundle else ModelBundle.shipped()
    segmenter = Segmenter(bundle, args.device)
    presets = [PRESETS[name] for name in args.preset or [DEFAULT_PRESET]]
    variants = cascade_variants(presets[0], bundle) if args.stages else {}
    runs = {f"Preset {preset.name}": preset for preset in presets} | variants
    measured: dict[Preset, EvaluationSummary] = {}
    for name, preset in runs.items():
        # Resolved first: a stage that is the preset itself is not run twice.
        exact = replace(preset, iterations=preset.iterations or bundle.lesion_pass.iterations)
        key = preset if preset.iterations == 0 else exact
        measured[key] = measured.get(key) or _evaluate(segmenter, preset, cases, name)
        runs[name] = key
    summaries = {name: measured[key] for name, key in runs.items()}
    if args.record:
        record_validation(bundle.folder, validation_figures(next(iter(summaries.values())), presets[0].name))
    if args.json:
        print(json.dumps({name: summary.to_dict() for name, summary in summaries.items()}, allow_nan=False))
        return 0
    for preset in presets:
        name = f"Preset {preset.name}"
        print(f"{bundle.name} {bundle.version}, preset {preset.name}\n\n{format_table(summaries[name])}\n")
    if len(summaries) > 1:
        print(_comparison(summaries))
    return 0


def _evaluate(segmenter: Segmenter, preset: Preset, cases: list[TrainingCase], name: str) -> EvaluationSummary:
    from dataclasses import replace

    import numpy as np
    from LiverLesionCascadeLib.engine.ct_volume import CTVolume

    from ..evaluation import evaluate_cases

    sparse = {case.name for case in cases if case.sparse}
    current = ""

    def segment(ct: CTVolume) -> tuple[np.ndarray, np.ndarray]:
        chosen = preset
        if current in sparse:
            # Single slices: what is a neighbour in the file is none in the patient.
            rules = replace(preset.postprocessing, largest_liver_component=False, min_lesion_mm=0.0)
            chosen = replace(preset, liver_step_mm=0.0, lesion_step_mm=0.0, postprocessing=rules)
        result = segmenter.segment(ct, chosen)
        return result.liver, result.lesions

    def progress(done: int, of: int, case: str) -> None:
        nonlocal current
        current = case
        if done < of:
            print(f"{name}: case {case}, {done + 1} of {of}", file=sys.stderr, flush=True)

    return evaluate_cases(cases, segment, progress)


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
