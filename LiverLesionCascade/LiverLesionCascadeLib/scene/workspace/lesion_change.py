"""Changes of lesions that we make ourselves, each undone and done again without touching what a person did since."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import slicer

from ...engine.grid.bounding_box import start_of
from ...engine.grid.boxed import EMPTY, Boxed, joint_box, union
from ..nodes.segment_writer import emptyLabelmap, removeSegments, requireOverlay, writeSegments
from ..nodes.terminology import LESION_TERMINOLOGY, MASS_COLOR
from .edit_record import LESIONS, LIVER
from .provenance import (
    BUNDLE,
    CONFIDENCE,
    LESION_NUMBER,
    LESION_ROLE,
    PREFIX,
    PRESET,
    ROLE,
    SEGMENT_ID,
    SERIES_UID,
    VOLUME,
    getTag,
)
from .replace_history import displayProperties, reorder, setDisplayProperties
from .review import reviewStatus
from .segmentation import LESION_FILL_OPACITY, newSegment
from .stored_probability import probabilityWithin

if TYPE_CHECKING:
    from .workspace import Workspace

_ORIGIN = (VOLUME, SERIES_UID, BUNDLE, PRESET)
"""What a new lesion's tags say as the liver's do."""

_LAST_NUMBER = PREFIX + "LastLesionNumber"

REFINED = PREFIX + "Refined"
"""Tag of a lesion that a refinement changed, "1" or absent: the stored probabilities know nothing of it."""


class LesionHistory:
    """The changes of one workspace's lesions by one tool, with undo and redo.

    Undo brings each lesion back that is still as the change left it. What a person edited, reviewed or deleted since
    stays as it is, and so does every voxel that they touched.
    """

    MAXIMUM = 10
    """Changes that are kept; each takes as much memory as the lesions it changed."""

    def __init__(self, workspace: Workspace):
        self._workspace = workspace
        self._undo: list[_Change] = []
        self._redo: list[_Change] = []

    def change(
        self,
        masks: Mapping[str, Boxed],
        new: Iterable[Boxed] = (),
        tags: Mapping[str, str] | None = None,
        refined: bool = False,
    ) -> list[str]:
        """Give lesions other voxels, take lesions out, put new ones in; the IDs of the new.

        No voxel that a person touched changes, and none is taken from a lesion that is not named.

        :param masks: by segment ID, no two with a voxel in common; an empty mask takes the segment out. The liver's
            segment can be among them.
        :param new: masks of lesions that get segments of their own, named "Lesion n".
        :param tags: of the liver's segment, which stands for the result: what the lesions were made with.
        :param refined: whether they are refined from then on; see `REFINED`.

        Raises OutputError where the segments do not overlay the volume.
        """
        workspace = self._workspace
        workspace.flush()
        requireOverlay(workspace.node, workspace.volumeNode)
        new = [mask for mask in new if mask]
        names = list(tags or {})
        before = _Moment.of(workspace, masks, names)
        with workspace.machineChange():
            added = {addLesion(workspace): mask for mask in new}
            _write(workspace, {**masks, **added})
            _setTags(workspace, tags or {})
            for segmentId in {*masks, *added} - {workspace.liverId()} if refined else ():
                _setRefined(workspace, segmentId, True)
        before.lesions.update(dict.fromkeys(added, _ABSENT))
        after = _Moment.of(workspace, before.lesions, names)
        self._undo.append(_Change(_result(workspace), before, after))
        del self._undo[: -self.MAXIMUM]
        self._redo.clear()
        return [each for each in added if _segment(workspace, each) is not None]

    def canUndo(self) -> bool:
        return self._last(self._undo) is not None

    def canRedo(self) -> bool:
        return self._last(self._redo) is not None

    def undo(self) -> None:
        """Take the last change back. Raises LookupError where there is none."""
        self._step(self._undo, self._redo, lambda change: (change.after, change.before))

    def redo(self) -> None:
        """Make the change again that was taken back last. Raises LookupError where there is none."""
        self._step(self._redo, self._undo, lambda change: (change.before, change.after))

    def _last(self, changes: list[_Change]) -> _Change | None:
        """The last change of the result that is there now; a change of one that was replaced cannot be undone."""
        return changes[-1] if changes and changes[-1].result is _result(self._workspace) else None

    def _step(self, source: list[_Change], target: list[_Change], states: Callable) -> None:
        change = self._last(source)
        if change is None:
            raise LookupError(f"No other change of the lesions of {self._workspace.node.GetName()} is kept.")
        requireOverlay(self._workspace.node, self._workspace.volumeNode)
        _restore(self._workspace, *states(change))
        source.pop()
        target.append(change)


def addLesion(workspace: Workspace) -> str:
    """A new segment for a lesion, "Lesion n" with a number that the result has not had yet, still empty; its ID."""
    node = workspace.node
    segmentation = node.GetSegmentation()
    number = _newNumber(workspace)
    segmentId = segmentation.GenerateUniqueSegmentID(f"lesion_{number}")
    liver = _liver(workspace)
    origin = {} if liver is None else {key: getTag(liver, key) for key in _ORIGIN}
    tags = {key: value for key, value in origin.items() if value}
    tags |= {ROLE: LESION_ROLE, SEGMENT_ID: segmentId, LESION_NUMBER: str(number)}
    segment = newSegment(f"Lesion {number}", LESION_TERMINOLOGY, MASS_COLOR, emptyLabelmap(), 1, tags)
    segmentation.AddSegment(segment, segmentId)
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetSegmentOpacity2DFill(segmentId, LESION_FILL_OPACITY)
    return segmentId


@dataclass(frozen=True)
class _State:
    """One lesion at one time; ``segment`` is None where it was not in the node."""

    mask: Boxed = EMPTY
    segment: slicer.vtkSegment | None = None
    verdict: str = ""
    refined: bool = False
    display: tuple[tuple[str, bool | float], ...] = ()

    @classmethod
    def of(cls, workspace: Workspace, segmentId: str) -> _State:
        segment = _segment(workspace, segmentId)
        if segment is None:
            return _ABSENT
        display = tuple(displayProperties(workspace.node, segmentId).items())
        return cls(workspace.watch.mask(segmentId), segment, reviewStatus(segment), isRefined(segment), display)

    def isStill(self, now: _State) -> bool:
        """Whether a person has left the lesion as it was."""
        return (self.segment is None) == (now.segment is None) and (self.mask, self.verdict) == (now.mask, now.verdict)


_ABSENT = _State()


@dataclass(frozen=True)
class _Moment:
    """Lesions by segment ID, all the node's segments in order, and tags of the liver's segment, at one time."""

    lesions: dict[str, _State]
    order: list[str]
    tags: dict[str, str]

    @classmethod
    def of(cls, workspace: Workspace, segmentIds: Iterable[str], tags: Iterable[str]) -> _Moment:
        workspace.flush()
        lesions = {each: _State.of(workspace, each) for each in segmentIds}
        order = list(workspace.node.GetSegmentation().GetSegmentIDs())
        liver = _liver(workspace)
        return cls(lesions, order, {} if liver is None else {name: getTag(liver, name) for name in tags})


@dataclass(frozen=True)
class _Change:
    """``result`` is the result that was changed: its liver's segment, or the node where there is none."""

    result: object
    before: _Moment
    after: _Moment


def _restore(workspace: Workspace, left: _Moment, wanted: _Moment) -> None:
    """Bring lesions back as they were, those that are still as we left them."""
    workspace.flush()
    now = {each: _State.of(workspace, each) for each in left.lesions}
    ids = [each for each, state in left.lesions.items() if state.isStill(now[each])]
    back = {each: wanted.lesions[each] for each in ids if now[each].segment is None}
    with workspace.machineChange():
        for segmentId, state in back.items():
            if state.segment is not None:
                workspace.node.GetSegmentation().AddSegment(state.segment, segmentId)
                setDisplayProperties(workspace.node, segmentId, dict(state.display))
        _write(workspace, {each: wanted.lesions[each].mask for each in ids})
        for segmentId in ids:
            _setRefined(workspace, segmentId, wanted.lesions[segmentId].refined)
        if back:
            reorder(workspace.node.GetSegmentation(), wanted.order)
        _setTags(workspace, wanted.tags)


def _write(workspace: Workspace, masks: Mapping[str, Boxed]) -> None:
    """Give lesions other voxels; takes those out that have none left."""
    workspace.flush()
    liverId = workspace.liverId()
    touched = workspace.edits.touched(LESIONS)
    others = union(workspace.watch.mask(each) for each in workspace.lesionIds() if each not in masks)
    current = {each: workspace.watch.mask(each) for each in masks}
    wanted = {each: _allowed(mask, current[each], touched, others) for each, mask in masks.items() if each != liverId}
    if liverId in masks:
        wanted[liverId] = _allowed(masks[liverId], current[liverId], workspace.edits.touched(LIVER), EMPTY)
    changed = {each: mask for each, mask in wanted.items() if mask and mask != current[each]}
    writeSegments(workspace.node, changed, workspace.volumeNode)
    removeSegments(workspace.node, [each for each, mask in wanted.items() if not mask and each != liverId])
    for segmentId, mask in changed.items():
        if segmentId != liverId:
            _setConfidence(workspace, _segment(workspace, segmentId), mask)


def _allowed(wanted: Boxed, current: Boxed, touched: Boxed, others: Boxed) -> Boxed:
    box = joint_box((wanted, current))
    if box is None:
        return EMPTY
    free = wanted.within(box) & ~others.within(box)
    values = np.where(touched.within(box), current.within(box), free)
    return Boxed.mask(values, start_of(box))


def _setConfidence(workspace: Workspace, segment: slicer.vtkSegment, mask: Boxed) -> None:
    stored = workspace.lesionProbability
    if stored is None:
        return
    meanProbability = float(probabilityWithin(stored, mask.box)[mask.values].mean(dtype=np.float64))
    confidence = workspace.lesionConfidence(meanProbability)
    segment.SetTag(CONFIDENCE, f"{confidence:.3f}")


def isRefined(segment: slicer.vtkSegment) -> bool:
    return getTag(segment, REFINED) == "1"


def _setRefined(workspace: Workspace, segmentId: str, refined: bool) -> None:
    segment = _segment(workspace, segmentId)
    if segment is not None and isRefined(segment) != refined:
        if refined:
            segment.SetTag(REFINED, "1")
        else:
            segment.RemoveTag(REFINED)


def _setTags(workspace: Workspace, tags: Mapping[str, str]) -> None:
    liver = _liver(workspace)
    if liver is not None:
        for key, value in tags.items():
            liver.SetTag(key, value)


def _newNumber(workspace: Workspace) -> int:
    segmentation = workspace.node.GetSegmentation()
    tags = [getTag(segmentation.GetSegment(each), LESION_NUMBER) for each in workspace.lesionIds()]
    used = [int(text) for text in (*tags, workspace.node.GetAttribute(_LAST_NUMBER) or "") if text.isdigit()]
    number = max(used, default=0) + 1
    workspace.node.SetAttribute(_LAST_NUMBER, str(number))
    return number


def _segment(workspace: Workspace, segmentId: str) -> slicer.vtkSegment | None:
    return workspace.node.GetSegmentation().GetSegment(segmentId)


def _liver(workspace: Workspace) -> slicer.vtkSegment | None:
    liverId = workspace.liverId()
    return None if liverId is None else _segment(workspace, liverId)


def _result(workspace: Workspace) -> object:
    liver = _liver(workspace)
    return workspace.node if liver is None else liver
