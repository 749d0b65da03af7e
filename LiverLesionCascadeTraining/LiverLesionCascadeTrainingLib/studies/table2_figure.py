"""Outlines of all methods on a few slices, as Fig. 3 of Bi et al. 2017."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from LiverLesionCascadeLib.engine.grid.bounding_box import Box, bounding_box, grown
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume

from .table2 import Row

#: Colours of the outlines: liver, lesion.
COLOURS = ("tab:green", "tab:red")
#: Slices that the figure shows.
_SLICES = 3
#: Part of the liver's extent shown around it.
_MARGIN = 0.08

Masks = tuple[np.ndarray, np.ndarray]


def telling_slices(lesions: np.ndarray, count: int) -> list[int]:
    """Ascending slices with much lesion, one in each of so many equal parts of the lesions' extent.

    Args:
        lesions: Bool (slice, row, column).
    """
    area = lesions.sum(axis=(1, 2))
    where = np.flatnonzero(area)
    if not len(where):
        return []
    parts = np.array_split(np.arange(where[0], where[-1] + 1), count)
    return sorted({int(part[np.argmax(area[part])]) for part in parts if len(part) and area[part].any()})


def draw_figure(
    path: Path, ct: CTVolume, reference: Masks, rows: Sequence[Row], window_hu: tuple[float, float]
) -> None:
    """Segments the CT by each row and draws the outlines, a column a method, a row a slice.

    Args:
        reference: Liver (lesions included) and lesions, bool (slice, row, column).
    """
    from matplotlib.figure import Figure

    columns = [("Reference", reference)]
    columns += [(f"{row.method.replace(' (', chr(10) + '(')}\n{row.sees}", row.segment(ct)) for row in rows]
    chosen = telling_slices(reference[1], _SLICES) or telling_slices(reference[0], _SLICES)
    area = _around(reference[0])
    _, row_mm, column_mm = ct.spacing
    ratio = (area[0].stop - area[0].start) * row_mm / ((area[1].stop - area[1].start) * column_mm)
    side = 2.1
    figure = Figure(figsize=(side * len(columns), side * ratio * len(chosen) + 0.7), layout="constrained")
    panels = figure.subplots(len(chosen), len(columns), squeeze=False)
    for line, index in zip(panels, chosen, strict=True):
        for panel, (title, masks) in zip(line, columns, strict=True):
            image = ct.hu[index][area]
            panel.imshow(image, cmap="gray", vmin=window_hu[0], vmax=window_hu[1], aspect=row_mm / column_mm)
            for mask, colour in zip(masks, COLOURS, strict=True):
                shown = np.asarray(mask[index][area], float)
                if shown.any():
                    panel.contour(shown, levels=[0.5], colors=[colour], linewidths=0.9)
            panel.set_axis_off()
            if index == chosen[0]:
                panel.set_title(title, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)


def _around(mask: np.ndarray) -> Box:
    """Rows and columns of a bool (slice, row, column) mask that is not empty, with a margin."""
    box = bounding_box(np.any(mask, axis=0))
    assert box is not None
    return grown(box, mask.shape[1:], [max(2, round(_MARGIN * (s.stop - s.start))) for s in box])
