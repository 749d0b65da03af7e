"""The plots of a model card: how far the confidence of lesions can be believed, and what listing more of them finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..evaluation.calibration import ReliabilityBin
from ..evaluation.froc import FrocPoint


def write_reliability(bins: Sequence[ReliabilityBin], path: Path) -> None:
    """Draws the share of lesions that are real, by their confidence (PNG); a point's area is the number of its lesions.

    Needs matplotlib.
    """
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


def write_froc(curves: Mapping[str, Sequence[FrocPoint]], path: Path) -> None:
    """Draws recall against false lesions a scan (PNG), a curve for each kind of lesion that is to be found.

    Needs matplotlib.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 4), layout="tight")
    axes = figure.add_subplot()
    for name, points in curves.items():
        axes.step([p.false_per_scan for p in points], [p.recall for p in points], where="post", linewidth=1, label=name)
    axes.set(ylim=(0, 1.02), xlabel="False lesions a scan", ylabel="Share of lesions found")
    axes.set_xlim(left=0)
    axes.legend(loc="lower right", frameon=False)
    figure.savefig(path, dpi=90)
