"""What verdict, doubt and selection look like, in slices and in 3D: told apart by colour-blind people, too.

Colours are Okabe and Ito's (jfly.uni-koeln.de/color, 2008), beside the lesions' own green; how much a lesion is filled
says the same without colours.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from ..nodes.segment_looks import Look, showLooks
from ..workspace.review import ACCEPTED, FLAGGED, REJECTED, UNREVIEWED
from ..workspace.workspace import Workspace
from .lesion_rows import LesionRow

VERDICT_COLORS = {ACCEPTED: (0.34, 0.71, 0.91), REJECTED: (0.6, 0.6, 0.6), FLAGGED: (0.9, 0.62, 0.0)}
"""Sky blue, grey, orange; what waits for a verdict keeps its own colour."""

SELECTED_COLOR = (0.94, 0.89, 0.26)
SELECTED_FILL = 0.1
"""Of what is selected a person wants to see the scan."""


def isDoubtful(row: LesionRow) -> bool:
    """Whether a lesion without a verdict is one in doubt."""
    return row.status == UNREVIEWED and row.measures is not None and row.measures.is_doubtful


def shownColor(row: LesionRow) -> tuple[float, float, float]:
    """Of a lesion that is not selected."""
    return VERDICT_COLORS.get(row.status, row.color)


def showLesionLooks(workspace: Workspace, rows: Iterable[LesionRow], selectedId: str) -> None:
    """Show verdicts, doubt and the selected lesion until `giveBack`."""
    showLooks(workspace.node, {row.segmentId: partial(_look, row, row.segmentId == selectedId) for row in rows})


def _look(row: LesionRow, selected: bool, own: Look) -> Look:
    if selected:
        return own._replace(color=SELECTED_COLOR, fill=min(SELECTED_FILL, own.fill))
    look = own._replace(color=VERDICT_COLORS.get(row.status, own.color))
    if row.status == REJECTED:
        return look._replace(fill=0.0, outline=0.5 * own.outline, opacity3D=0.15 * own.opacity3D)
    if isDoubtful(row):
        return look._replace(fill=0.3 * own.fill, opacity3D=0.5 * own.opacity3D)
    return look
