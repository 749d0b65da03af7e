"""The curves of a run as a picture (SVG): the loss of each job, and its validation Dice."""

from __future__ import annotations

from html import escape
from pathlib import Path

import numpy as np
from LiverLesionCascadeLib.engine.files import write_atomically

from .log_curves import Curves
from .run_folder import RunFolder

_WIDTH, _HEIGHT, _MARGIN = 360, 200, 40
_COLOURS = {"loss": "#444444", "liver": "#b5651d", "lesion": "#1f77b4"}


def write_curves(run: Path, jobs: tuple[str, ...]) -> Path | None:
    """Writes ``curves.svg`` into a run folder, a row a job that has a log; returns its path, or None without a log."""
    folder = RunFolder(run)
    curves = {job: folder.curves(job) for job in jobs}
    rows = [_row(i, job, curves[job]) for i, job in enumerate(job for job in jobs if len(curves[job].steps))]
    if not rows:
        return None
    width, height = 2 * (_WIDTH + _MARGIN) + _MARGIN, len(rows) * (_HEIGHT + 2 * _MARGIN)
    path = run / "curves.svg"
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="white"/>{"".join(rows)}</svg>\n'
    )
    write_atomically(path, picture.encode())
    return path


def _row(number: int, job: str, curves: Curves) -> str:
    top = number * (_HEIGHT + 2 * _MARGIN) + _MARGIN
    last = max(float(curves.steps[-1]), 1.0)
    loss = {"loss": (curves.steps, curves.losses)}
    dice = {name: (curves.validation_steps, getattr(curves, f"{name}_dice")) for name in ("liver", "lesion")}
    highest = float(np.nanmax(curves.losses))
    return _plot(_MARGIN, top, f"{job}: loss", loss, last, highest) + _plot(
        2 * _MARGIN + _WIDTH, top, f"{job}: validation Dice", dice, last, 1.0
    )


def _plot(
    left: int, top: int, title: str, lines: dict[str, tuple[np.ndarray, np.ndarray]], last: float, highest: float
) -> str:
    parts = [
        f'<text x="{left}" y="{top - 8}">{escape(title)}</text>',
        f'<rect x="{left}" y="{top}" width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="#bbbbbb"/>',
        f'<text x="{left - 4}" y="{top + 10}" text-anchor="end">{highest:.2g}</text>',
        f'<text x="{left - 4}" y="{top + _HEIGHT}" text-anchor="end">0</text>',
        f'<text x="{left + _WIDTH}" y="{top + _HEIGHT + 14}" text-anchor="end">step {last:.0f}</text>',
    ]
    for i, (name, (steps, values)) in enumerate(lines.items()):
        points = [
            (left + _WIDTH * step / last, top + _HEIGHT * (1 - value / highest))
            for step, value in zip(steps, values, strict=True)
            if np.isfinite(value)
        ]
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{_COLOURS[name]}" stroke-width="1.5"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{_COLOURS[name]}"/>' for x, y in points]
        if len(lines) > 1:
            parts.append(f'<text x="{left + 8 + 60 * i}" y="{top + 16}" fill="{_COLOURS[name]}">{name}</text>')
    return "".join(parts)
