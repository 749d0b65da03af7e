"""One lesion made several, and several made one: what a person says where the networks' outline cannot know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...engine.errors import InputError
from ...engine.grid.boxed import EMPTY, Boxed, union
from ...engine.grid.geometry import axial_order
from ...engine.measures.lesion_parts import LesionParts
from ..nodes.preview import LesionPreview
from ..workspace.lesion_change import LesionHistory, masksOf
from ..workspace.review import UNREVIEWED, reviewStatus
from ..workspace.workspace import Workspace
from .lesion_rows import lesionNumbers

COLORS = (
    (1.0, 0.85, 0.1),
    (0.2, 0.7, 0.95),
    (0.95, 0.35, 0.6),
    (0.4, 0.85, 0.3),
    (0.95, 0.55, 0.1),
    (0.6, 0.45, 0.95),
)
"""Of the parts in a preview, over and over."""


class Proposal(NamedTuple):
    """How a lesion can be split.

    :param fewest: pieces that do not hang together; 1 for a lesion in one piece.
    :param most: parts that it can be split into.
    :param proposed: of these, the parts that only narrow necks hold together, or the fewest that split it.
    """

    fewest: int
    most: int
    proposed: int

    @property
    def isPossible(self) -> bool:
        return self.most > 1


class Dividing(LesionHistory):
    """Splits and merges lesions of one workspace; use its `tool(Dividing)`, so that all share one history.

    No voxel becomes or ceases to be lesion, painted ones neither: only whose they are changes. The largest part keeps
    segment and number of the lesion that was split, all parts have its verdict. Lesions that are merged become the one
    with the lowest number, with their verdict if they had the same.
    """

    def __init__(self, workspace: Workspace):
        super().__init__(workspace)
        self._parts: tuple[str, Boxed, LesionParts] | None = None
        self._previewed: tuple[str, Boxed] = ("", EMPTY)

    def proposal(self, segmentId: str) -> Proposal:
        """Raises InputError where there is no such lesion, or it has no voxel."""
        parts = self._partsOf(segmentId)
        return Proposal(parts.fewest, parts.most, min(parts.most, max(2, parts.count())))

    def preview(self, segmentId: str, count: int) -> list[float]:
        """Show the parts that `split` would make in the slice views; mL of each. Raises as `proposal`."""
        labels, start = self._labels(segmentId, count)
        mask = self._workspace.mask(segmentId)
        if not self.isPreviewing or self._previewed[0] != segmentId or self._previewed[1] is not mask:
            self.endPreview()
            self._preview = LesionPreview(self._workspace.volumeNode, *COLORS)
            self._previewed = segmentId, mask
        colors = np.where(labels > 0, (labels - 1) % len(COLORS) + 1, 0).astype(np.uint8)
        self._preview.show(colors, start)
        voxels = np.bincount(labels.ravel())[1:]
        return [float(n) * self._workspace.geometry.voxel_volume_ml for n in voxels]

    def split(self, segmentId: str, count: int) -> list[str]:
        """Make so many lesions of one, as far as it has parts; their segment IDs, the largest part's first.

        Raises InputError where there is nothing to split, OutputError where the segments do not overlay the volume.
        """
        labels, start = self._labels(segmentId, count)
        if labels.max() < 2:
            raise InputError(
                f"{self._name(segmentId)} has no neck that it could be split at: cut it with Scissors or Erase in the "
                "Segment Editor, then use Split at gaps."
            )
        self.endPreview()
        first, *others = masksOf(labels, start)
        verdict = reviewStatus(self._workspace.segment(segmentId))
        return [segmentId, *self.exchange({segmentId: first}, others, verdict)]

    def splitAtGaps(self, segmentId: str) -> list[str]:
        """Make a lesion of each piece that does not hang together with the others. Returns and raises as `split`."""
        pieces = self._partsOf(segmentId).fewest
        if pieces < 2:
            raise InputError(
                f"{self._name(segmentId)} is in one piece: cut it with Scissors or Erase in the Segment Editor first."
            )
        return self.split(segmentId, pieces)

    def merge(self, segmentIds: Sequence[str]) -> str:
        """Make one lesion of several; its segment ID, that of the lowest number.

        Raises InputError for fewer than two lesions, OutputError where the segments do not overlay the volume.
        """
        workspace = self._workspace
        workspace.flush()
        numbers = lesionNumbers(workspace)
        chosen = sorted({each for each in segmentIds if each in numbers}, key=numbers.__getitem__)
        if len(chosen) < 2:
            raise InputError("Select the lesions to merge first: two rows or more.")
        self.endPreview()
        verdicts = {reviewStatus(workspace.segment(each)) for each in chosen}
        masks = dict.fromkeys(chosen, EMPTY) | {chosen[0]: union(workspace.mask(each) for each in chosen)}
        self.exchange(masks, (), verdicts.pop() if len(verdicts) == 1 else UNREVIEWED)
        return chosen[0]

    def _labels(self, segmentId: str, count: int) -> tuple[np.ndarray, tuple[int, int, int]]:
        parts = self._partsOf(segmentId)
        order = axial_order(self._workspace.geometry)
        return order.undo(parts.parts(count)), self._workspace.mask(segmentId).start

    def _partsOf(self, segmentId: str) -> LesionParts:
        workspace = self._workspace
        mask = workspace.mask(segmentId) if segmentId in workspace.lesionIds() else EMPTY
        if not mask:
            raise InputError("Select the lesion to split first.")
        if self._parts is None or self._parts[0] != segmentId or self._parts[1] is not mask:
            geometry = workspace.geometry
            order = axial_order(geometry)
            self._parts = segmentId, mask, LesionParts.of(order.apply(mask.values), order.spacing(geometry))
        return self._parts[2]

    def _name(self, segmentId: str) -> str:
        return str(self._workspace.segment(segmentId).GetName())
