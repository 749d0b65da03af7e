"""What verdict, doubt and selection look like, in slices and in 3D: told apart by colour-blind people, too.

Colours are Okabe and Ito's (jfly.uni-koeln.de/color, 2008), beside the lesions' own green; how much a lesion is filled
says the same without colours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import slicer

from ..nodes.segment_looks import Look, giveBack, showLooks
from ..workspace.review import ACCEPTED, FLAGGED, REJECTED, UNREVIEWED
from ..workspace.workspace import Workspace
from .lesion_rows import LesionRow

VERDICT_COLORS = {ACCEPTED: (0.34, 0.71, 0.91), REJECTED: (0.6, 0.6, 0.6), FLAGGED: (0.9, 0.62, 0.0)}
"""Sky blue, grey, orange; what waits for a verdict keeps its own colour."""

SELECTED_COLOR = (0.94, 0.89, 0.26)
SELECTED_FILL = 0.1
"""Of what is selected a person wants to see the scan."""

DOUBTFUL = 0.5
"""A lesion of less confidence is as likely none."""


def isDoubtful(row: LesionRow) -> bool:
    """Whether a lesion without a verdict is one in doubt."""
    confidence = row.measures.confidence if row.measures is not None else None
    return row.status == UNREVIEWED and confidence is not None and confidence < DOUBTFUL


def shownColor(row: LesionRow) -> tuple[float, float, float]:
    """Of a lesion that is not selected."""
    return VERDICT_COLORS.get(row.status, row.color)


def showLesionLooks(workspace: Workspace, rows: Iterable[LesionRow], selectedId: str) -> None:
    """Show verdicts, doubt and the selected lesion until `endLesionLooks`."""
    showLooks(workspace.node, {row.segmentId: _look(row, row.segmentId == selectedId) for row in rows})


def endLesionLooks(node: slicer.vtkMRMLSegmentationNode) -> None:
    """Give the segments their own looks again."""
    giveBack(node)


def _look(row: LesionRow, selected: bool) -> Callable[[Look], Look]:
    return partial(_changed, row.status, isDoubtful(row), selected)


def _changed(status: str, doubtful: bool, selected: bool, own: Look) -> Look:
    look = own
    if status in VERDICT_COLORS:
        look = look._replace(color=VERDICT_COLORS[status])
    if status == REJECTED:
        look = look._replace(fill=0.0, outline=0.5 * own.outline, opacity3D=0.15 * own.opacity3D)
    if doubtful:
        look = look._replace(fill=0.3 * own.fill, opacity3D=0.5 * own.opacity3D)
    if selected:
        fill = min(SELECTED_FILL, own.fill)
        look = Look(color=SELECTED_COLOR, fill=fill, outline=own.outline, opacity3D=own.opacity3D)
    return look
