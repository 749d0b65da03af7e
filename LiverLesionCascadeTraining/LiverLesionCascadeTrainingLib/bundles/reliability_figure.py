"""The reliability plot of a model card: the share of lesions that are real, by their confidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..evaluation.calibration import ReliabilityBin


def write_reliability(bins: Sequence[ReliabilityBin], path: Path) -> None:
    """Draws the bins (PNG); a point's area is the number of its lesions. Needs matplotlib."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 4), layout="tight")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1)
    confidence, correct = [each.confidence for each in bins], [each.correct for each in bins]
    axes.plot(confidence, correct, color="tab:blue", linewidth=1)
    axes.scatter(confidence, correct, s=[8 + 2 * each.count for each in bins], color="tab:blue")
    for each in bins:
        axes.annotate(
            str(each.count), (each.confidence, each.correct), (6, -10), textcoords="offset points", fontsize=8
        )
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="Confidence", ylabel="Share of real lesions", aspect="equal")
    figure.savefig(path, dpi=90)
