"""The rows of the lesion table: each lesion's measures as its segment is now, edits included."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import slicer

from ...engine.grid.boxed import EMPTY, Boxed, union
from ...engine.measures.lesions import Lesion
from ...engine.measures.segment_measures import SourceMeasures
from ..nodes.volume import scalarArray
from ..workspace.provenance import LESION_NUMBER, getTag, isOwnSegment, taggedConfidence
from ..workspace.review import REJECTED, UNREVIEWED, reviewStatus
from ..workspace.segment_watch import Announcer, SegmentChange
from ..workspace.workspace import Workspace

STEP_SECONDS = 0.05
"""The event loop waits no longer than this and one lesion for measures of many."""


@dataclass(frozen=True)
class LesionRow:
    """One lesion.

    :param number: what the lesion is called by; stays its own, whatever becomes of the others.
    :param color: red, green, blue, 0 to 1.
    :param status: "unreviewed", "accepted", "rejected" or "flagged".
    :param edited: whether a person changed the segment.
    :param measures: points are LPS mm of the world. None while they are being computed (see `LesionRows.pending`), and
        for a segment without a voxel.
    :param slice: of the volume, along its axis between feet and head, in which the diameters were measured.
    """

    segmentId: str
    number: int
    name: str
    color: tuple[float, float, float]
    status: str
    edited: bool
    measures: Lesion | None
    slice: int | None

    @property
    def counts(self) -> bool:
        """Whether the lesion is part of the totals."""
        return self.status != REJECTED and self.measures is not None


@dataclass(frozen=True)
class Totals:
    """What lies below the table; rejected and empty lesions are left out.

    :param lesionMl: of all lesions together; a voxel in two of them counts once.
    :param liverMl: of the liver's segment, which holds the lesions that were found; None where it was deleted.
    :param organMl: of the liver united with the lesions that count, wherever they were painted; None as above.
    """

    count: int
    lesionMl: float
    liverMl: float | None
    organMl: float | None
    rejected: int
    unreviewed: int

    @property
    def burdenPercent(self) -> float | None:
        """Tumour burden: lesion volume in percent of the liver united with the lesions, so never above 100."""
        return 100 * self.lesionMl / self.organMl if self.liverMl else None


class LesionRows(Announcer):
    """Keeps the rows of a workspace up to date; only what changed is measured again. Callbacks are called without
    arguments when rows have changed.

    Use the workspace's `tool(LesionRows)`, so that each lesion is measured once for all who ask.
    """

    def __init__(self, workspace: Workspace):
        super().__init__()
        self._workspace = workspace
        self._measures: dict[str, Lesion | None] = {}
        self._liverId: str | None = None
        workspace.flush()
        self._begin()
        volumeNode = workspace.volumeNode
        moved = slicer.vtkMRMLTransformableNode.TransformModifiedEvent
        self._observed = [
            (node, node.AddObserver(event, self._onVolume))
            for node, event in (
                (volumeNode, moved),
                (volumeNode, volumeNode.ImageDataModifiedEvent),
                (workspace.node, moved),  # the second of the two to be moved
            )
        ]
        workspace.subscribe(self._onChanges)

    def close(self) -> None:
        super().close()
        self._workspace.unsubscribe(self._onChanges)
        for node, tag in self._observed:
            node.RemoveObserver(tag)

    def pending(self) -> int:
        """How many lesions wait to be measured."""
        return len(self._waiting())

    def measureSome(self) -> None:
        """Measure for a moment, at least one of the lesions that wait; see `pending`."""
        until = time.monotonic() + STEP_SECONDS
        for segmentId in self._waiting():
            self._measure(segmentId)
            if time.monotonic() > until:
                break

    def rows(self) -> list[LesionRow]:
        """All rows, complete, as the segments are at this moment; blocks until they are measured."""
        self._workspace.flush()
        for segmentId in self._waiting():
            self._measure(segmentId)
        return self.present()

    def present(self) -> list[LesionRow]:
        """All rows in the node's order, with the measures that there are by now."""
        rows = []
        for segmentId, number in lesionNumbers(self._workspace).items():
            segment = self._workspace.segment(segmentId)
            measures = self._measures.get(segmentId)
            rows.append(
                LesionRow(
                    segmentId,
                    number,
                    segment.GetName(),
                    tuple(segment.GetColor()),
                    reviewStatus(segment),
                    self._workspace.isEdited(segmentId),
                    None if measures is None else replace(measures, number=number),
                    None if measures is None else measures.slice_in(self.grid),
                )
            )
        return rows

    def totals(self) -> Totals:
        """Of the segments as they were seen last."""
        workspace = self._workspace
        known = set(workspace.watch.segmentIds())
        status = {
            each: reviewStatus(workspace.segment(each))
            for each in workspace.lesionIds()
            if each in known and workspace.watch.mask(each)
        }
        counted = [each for each, word in status.items() if word != REJECTED]
        liverId = workspace.liverId()
        lesions = union(map(workspace.watch.mask, counted))
        liver = workspace.watch.mask(liverId) if liverId in known else None
        return Totals(
            count=len(counted),
            lesionMl=self._ml(lesions),
            liverMl=self._ml(liver) if liver is not None else None,
            organMl=self._ml(union((liver, lesions))) if liver is not None else None,
            rejected=len(status) - len(counted),
            unreviewed=sum(word == UNREVIEWED for word in status.values()),
        )

    # -- measuring

    def _begin(self):
        """Everything anew: the volume is another, or lies elsewhere."""
        image = scalarArray(self._workspace.volumeNode)
        self.grid = self._workspace.geometry
        self._engine = SourceMeasures(image, self.grid)
        self._liverIsKnown = False
        self._measures.clear()

    def _waiting(self) -> list[str]:
        known = set(self._workspace.watch.segmentIds())
        return [each for each in self._workspace.lesionIds() if each in known and each not in self._measures]

    def _measure(self, segmentId):
        workspace = self._workspace
        if not self._liverIsKnown:
            self._setLiver()
        mask = workspace.watch.mask(segmentId)
        if not mask:
            self._measures[segmentId] = None
            return
        probability = workspace.lesionProbabilityWithin(mask.box)
        lesion = self._engine.measure(mask, probability)
        if probability is not None:
            lesion = replace(lesion, confidence=workspace.lesionConfidence(lesion.confidence))
        elif not workspace.isEdited(segmentId):
            lesion = replace(lesion, confidence=taggedConfidence(workspace.segment(segmentId)))
        self._measures[segmentId] = lesion

    def _setLiver(self):
        watch = self._workspace.watch
        self._liverId = self._workspace.liverId()
        liver = watch.mask(self._liverId) if self._liverId in watch.segmentIds() else EMPTY
        self._engine.set_liver(liver)
        self._liverIsKnown = True

    def _ml(self, mask: Boxed) -> float:
        return mask.count * self.grid.voxel_volume_ml

    # -- following

    def _onChanges(self, changes: list[SegmentChange]):
        liverId = self._workspace.liverId()
        moved = {change.segmentId for change in changes if change.kind != "properties"}
        for segmentId in moved:
            self._measures.pop(segmentId, None)
        if self._liverIsKnown and (liverId != self._liverId or liverId in moved):
            self._onLiver()
        self._tell()

    def _onLiver(self):
        """The lesions are the same, but the surface is elsewhere."""
        self._setLiver()
        watch = self._workspace.watch
        for segmentId, lesion in self._measures.items():
            if lesion is not None:
                mask = watch.mask(segmentId)
                distance = self._engine.distance_mm(mask)
                self._measures[segmentId] = replace(lesion, distance_to_liver_surface_mm=distance)

    def _onVolume(self, _caller, _event):
        # Where the masks do not belong to the volume as it is, there is no workspace any more, which others notice.
        if self._workspace.watch.isInPlace:
            self._begin()
            self._tell()


def lesionNumbers(workspace: Workspace) -> dict[str, int]:
    """The number of each lesion by segment ID, in the node's order.

    A lesion has the number that it was found with. One that a person added, or copied from another, gets the next
    that is free, which is kept in its segment: it stays whatever becomes of the others.
    """
    ids = workspace.lesionIds()
    wanted = {each: getTag(workspace.segment(each), LESION_NUMBER) for each in ids}
    own = [each for each in ids if wanted[each].isdigit() and isOwnSegment(workspace.segmentation, each)]
    numbers: dict[str, int] = {}
    taken: set[int] = set()
    for segmentId in [*own, *(each for each in ids if each not in own)]:
        text = wanted[segmentId]
        number = int(text) if text.isdigit() else 0
        if number < 1 or number in taken:
            number = max([*taken, *(int(each) for each in wanted.values() if each.isdigit())], default=0) + 1
            workspace.segment(segmentId).SetTag(LESION_NUMBER, str(number))
        taken.add(number)
        numbers[segmentId] = number
    return {each: numbers[each] for each in ids}
