"""Table 2 as Markdown and CSV, with the paper's figures beside one's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from LiverLesionCascadeLib.engine.measures.spreadsheet import cell_number, cell_text, csv_text
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle, trained_on

from ..bundles.export import logged_hours
from ..evaluation.evaluation_text import markdown_table, number
from ..runs.run_folder import LOG_FILE
from ..training.cascade_training import CascadeTraining
from ..training.checkpoint import steps_done
from .baseline_training import BASELINE_JOBS
from .table2 import PAPER, Row

#: Columns in the paper's order.
MEASURES = tuple((region, name) for name in ("dice", "jaccard") for region in ("liver", "lesion"))

Measured = dict[str, Any]


def percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f}"


def mean_of(measures: Sequence[dict[str, Any]], region: str, name: str) -> float | None:
    """Mean over the cases, for lesions over those that have any; as a fraction."""
    values = [case[region][name] for case in measures if region == "liver" or case["has_lesions"]]
    return float(np.mean(values)) if values else None


def false_lesions(case: dict[str, Any]) -> int | None:
    """Lesions of a case that touch none in the reference; None where nobody labelled its lesions."""
    counts = case["lesions"]["touched"]["all"]
    return int(counts["predicted"] - counts["correct"]) if case["lesions_known"] else None


def mean_false_lesions(cases: Sequence[dict[str, Any]]) -> float | None:
    """Over the cases whose lesions are known."""
    known = [false for case in cases if (false := false_lesions(case)) is not None]
    return float(np.mean(known)) if known else None


def main_table(rows: Sequence[Row], measured: Measured) -> str:
    """Ours and, in the column after it, the paper's."""
    head = ["%", "Last network sees"]
    for region, name in MEASURES:
        head += [f"{region.capitalize()} {name.capitalize()}", "paper"]
    cells = []
    for row in rows:
        line = [row.method, row.sees]
        for i, (region, name) in enumerate(MEASURES):
            paper = f"{PAPER[row.method][i]:.2f}" if row.method in PAPER else "-"
            line += [percent(mean_of(measured[row.key], region, name)), paper]
        cells.append(line)
    return markdown_table(head, cells, left=2)


def case_table(rows: Sequence[Row], measured: Measured) -> str:
    """Lesion Dice of each case; of a case without lesions what was found there."""
    cases = measured[rows[0].key]
    head = ["Lesion Dice, %", "Last network sees", *(f"Case {case['name']}" for case in cases), "False/scan", "s/scan"]
    cells = []
    for row in rows:
        line = [row.method, row.sees]
        for case in measured[row.key]:
            false = "-" if false_lesions(case) is None else f"{false_lesions(case)} false"
            line.append(percent(case["lesion"]["dice"]) if case["has_lesions"] else false)
        line.append(number(mean_false_lesions(measured[row.key]), 1))
        cells.append([*line, f"{np.mean([case['seconds'] for case in measured[row.key]]):.0f}"])
    return markdown_table(head, cells, left=2)


def training_table(training: CascadeTraining, bundle: ModelBundle) -> str:
    """What each network learned from, and how long."""
    recipe = training.recipe
    liver = recipe.liver
    names = {"liver": "ResNet (first network of the whole-slice cascade)"}
    names |= dict(zip(BASELINE_JOBS, ("VGG-FCN", "second network of the whole-slice cascade"), strict=True))
    cells = []
    for job, name in names.items():
        seen = steps_done(training.folder / job) * recipe.batch
        hours = number(logged_hours(training.folder / job / LOG_FILE, recipe.batch), 2)
        cells.append([name, f"{liver.size} x {liver.size}", str(seen), hours])
    size = bundle.settings.lesion_pass.size
    for job, done in bundle.metadata.get("training", {}).get("jobs", {}).items():
        side = bundle.settings.liver_pass.size if job.startswith("liver") else size
        cells.append([f"{bundle.name}: {job}", f"{side} x {side}", str(done["images"]), number(done["hours"], 2)])
    return markdown_table(["Network", "Images", "Seen", "Hours"], cells, left=1)


def markdown(rows: Sequence[Row], measured: Measured, training: CascadeTraining, bundle: ModelBundle) -> str:
    """The whole report."""
    recipe, cases = training.recipe, measured[rows[0].key]
    patients = {case.patient for case in training.cases["train"]}
    with_lesions = sum(case["has_lesions"] for case in cases)
    known = trained_on(bundle.metadata)
    seen = ", ".join(case["name"] for case in cases if case["name"] in known)
    others = f" The bundle {bundle.name} was trained on scans named {seen}." if seen else ""
    width, (low, high) = recipe.model.width, recipe.model.window_hu
    order = sorted(rows, key=lambda row: -(mean_of(measured[row.key], "lesion", "dice") or 0.0))
    ranks = "\n".join(
        f"{i}. {row.method}, {row.sees}: {percent(mean_of(measured[row.key], 'lesion', 'dice'))}"
        for i, row in enumerate(order, 1)
    )
    return f"""# Table 2

The methods of Table 2 of Bi et al. 2017, recipe `{recipe.name}` (width {width:g} of the published networks, HU
window [{low:g}, {high:g}]), trained on {len(patients)} patients and measured on {len(cases)} whole scans of others, of
which {with_lesions} have lesions; "paper": its figures, for 118 and 13 scans. Means over scans; for lesions over those
that have any.{others}

{main_table(rows, measured)}

All rows but the last fill holes per axial slice and do nothing else, as the paper. "{rows[2].sees}": the cascade as the
paper runs it, the second network trained from random weights with the first one's maps of its own training slices from
the first step on. "{rows[5].sees}": the product's, the bundle {bundle.name} {bundle.version}: the second network sees
the box around the liver, learned from the image first and then with cross-fitted priors. Multi-scale fusion: five
scales in each network. 3D-CRF: fully connected, on the maps of the last network.

By lesion Dice:

{ranks}

{case_table(rows, measured)}

"False": lesions that touch none in the reference. Seconds are those of the machine that made the table.

{training_table(training, bundle)}

"Seen": images, repeats included. Hours are as logged, on a machine that did other work too.
"""


def table_csv(rows: Sequence[Row], measured: Measured) -> str:
    """One line a row and case, then the means (case ``mean``) with the paper's figures; fractions, not percent."""
    columns = [f"{region}_{name}" for region, name in MEASURES]
    paper = [f"paper_{column}" for column in columns]
    lines = [["method", "sees", "case", *columns, "false_lesions", "seconds", *paper]]

    def means(cases: Sequence[dict[str, Any]]) -> list[str]:
        return [cell_number(mean_of(cases, region, name), 4) for region, name in MEASURES]

    for row in rows:
        cases = measured[row.key]
        for case in cases:
            counts = [cell_number(false_lesions(case), None), f"{case['seconds']:.1f}", *[""] * len(paper)]
            lines.append([row.method, row.sees, cell_text(case["name"]), *means([case]), *counts])
        false = cell_number(mean_false_lesions(cases), 2)
        seconds = f"{np.mean([case['seconds'] for case in cases]):.1f}"
        figures = [f"{value / 100:.4f}" for value in PAPER.get(row.method, ())]
        lines.append([row.method, row.sees, "mean", *means(cases), false, seconds, *figures])
    return csv_text(lines)


def write_report(
    folder: Path, rows: Sequence[Row], measured: Measured, training: CascadeTraining, bundle: ModelBundle
) -> None:
    """Writes ``table2.md`` and ``table2.csv``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table2.md").write_text(markdown(rows, measured, training, bundle), encoding="utf-8")
    (folder / "table2.csv").write_text(table_csv(rows, measured), encoding="utf-8")
