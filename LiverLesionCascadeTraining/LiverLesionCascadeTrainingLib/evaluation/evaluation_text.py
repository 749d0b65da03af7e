"""Measures as Markdown tables for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from .evaluation import EvaluationSummary
from .metrics import RegionMetrics


def format_table(summary: EvaluationSummary) -> str:
    """The summary as Markdown tables that are aligned in plain text too; a dash stands for what is not defined.

    Dice, Jaccard, VOE, RVD, recall and the like are fractions, distances in mm. RVD is signed per case; its mean is
    that of the absolute values. "Found" and "False" of a case count lesions that are touched at all.
    """
    parts: list[str] = []
    if summary.cases:
        parts.append(_case_table(summary))
        parts.append(_detection_table(summary))
    if summary.sparse:
        parts.append(_sparse_table(summary))
    return "\n\n".join(parts) if parts else "No case was evaluated."


def _case_table(summary: EvaluationSummary) -> str:
    head = ["Case", "Region", "Dice", "Jaccard", "VOE", "RVD", "ASSD mm", "MSD mm", "Lesions", "Found", "False"]
    rows = []
    for case in summary.cases:
        rows.append([case.name, "liver", *_region_cells(case.liver), "", "", ""])
        if (counts := case.lesion_counts) is None:
            continue
        found = [str(counts.reference), str(counts.found), str(counts.false_positives)]
        if case.has_lesions:
            rows.append([case.name, "lesion", *_region_cells(case.lesion), *found])
        else:
            score = number(case.lesion_free_score)
            rows.append([case.name, "no lesion", score, *["-"] * 5, *found])
    rows.append([f"Mean of {len(summary.cases)}", "liver", *_mean_cells(summary.liver_mean), "", "", ""])
    if summary.with_lesions:
        cells = _mean_cells(summary.lesion_mean)
        rows.append([f"Mean of {len(summary.with_lesions)}", "lesion", *cells, "", "", ""])
    if summary.lesion_free:
        score = number(summary.lesion_free_score)
        rows.append([f"Mean of {len(summary.lesion_free)}", "no lesion", score, *["-"] * 5, "", "", ""])
    return markdown_table(head, rows, left=2)


def _region_cells(region: RegionMetrics) -> list[str]:
    return _cells(asdict(region), "-" if region.rvd is None else f"{region.rvd:+.3f}")


def _mean_cells(means: Mapping[str, float | None]) -> list[str]:
    return _cells(means, number(means["absolute_rvd"]))


def _cells(values: Mapping[str, float | None], rvd: str) -> list[str]:
    overlaps = [number(values[name]) for name in ("dice", "jaccard", "voe")]
    return [*overlaps, rvd, number(values["assd_mm"], 2), number(values["msd_mm"], 1)]


def _detection_table(summary: EvaluationSummary) -> str:
    head = [
        "Found if",
        "Long diameter",
        "Lesions",
        "Found",
        "Recall",
        "Predicted",
        "Correct",
        "Precision",
        "F1",
        "FP/case",
    ]
    rows = []
    for name, sizes in summary.detection.items():
        for size, counts in sizes.items():
            found = [str(counts["reference"]), str(counts["found"]), number(counts["recall"])]
            correct = [str(counts["predicted"]), str(counts["correct"]), number(counts["precision"])]
            false = number(counts["false_positives_per_case"], 2)
            rows.append([name, size, *found, *correct, number(counts["f1"]), false])
    return markdown_table(head, rows, left=2)


def _sparse_table(summary: EvaluationSummary) -> str:
    head = ["Single slices", "Slices", "With lesion", "Liver Dice", "Lesion Dice"]
    rows = []
    for case in summary.sparse:
        dice = [number(case.liver_dice), number(case.lesion_dice if case.lesions_known else None)]
        rows.append([case.name, str(case.slices), str(case.lesion_slices), *dice])
    with_lesions = sum(case.has_lesions for case in summary.sparse)
    slices = sum(case.slices for case in summary.sparse)
    lesion_slices = sum(case.lesion_slices for case in summary.sparse)
    means = [number(summary.sparse_liver_dice), number(summary.sparse_lesion_dice)]
    rows.append([f"Mean of {len(rows)} ({with_lesions} with lesions)", str(slices), str(lesion_slices), *means])
    return markdown_table(head, rows, left=1)


def format_comparison(summaries: dict[str, EvaluationSummary]) -> str:
    """A table of the mean Dice of several evaluations by name; not all need have measured single slices."""
    columns = {
        "Liver": [summary.liver_mean.get("dice") for summary in summaries.values()],
        "Lesion": [summary.lesion_mean.get("dice") for summary in summaries.values()],
    }
    if any(summary.sparse for summary in summaries.values()):
        columns["Liver (slices)"] = [summary.sparse_liver_dice for summary in summaries.values()]
        columns["Lesion (slices)"] = [summary.sparse_lesion_dice for summary in summaries.values()]
    rows = [[name, *map(number, values)] for name, *values in zip(summaries, *columns.values(), strict=True)]
    return markdown_table(["Mean Dice", *columns], rows, left=1)


def number(value: float | None, digits: int = 3) -> str:
    """A figure for a table; a dash where it is not defined."""
    return "-" if value is None else f"{value:.{digits}f}"


def markdown_table(head: list[str], rows: list[list[str]], left: int) -> str:
    """A Markdown table whose first `left` columns are aligned left, the others right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(cells: list[str]) -> str:
        padded = (c.ljust(w) if i < left else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True)))
        return f"| {' | '.join(padded)} |"

    rule = ("-" * w if i < left else "-" * (w - 1) + ":" for i, w in enumerate(widths))
    return "\n".join([line(head), f"| {' | '.join(rule)} |", *(line(row) for row in rows)])
