"""Changes of lesions that we make ourselves, each undone and done again without touching what a person did since."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import slicer
from scipy import ndimage

from ...engine.grid.bounding_box import start_of
from ...engine.grid.boxed import EMPTY, Boxed, joint_box, union
from ..nodes.preview import LesionPreview
from ..nodes.segment_writer import emptyLabelmap, removeSegments, requireOverlay, writeSegments
from ..nodes.terminology import LESION_TERMINOLOGY, MASS_COLOR
from .edit_record import EDITED, LESIONS, LIVER, setEdited
from .history import History
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
    isMarked,
)
from .replace_history import displayProperties, reorder, setDisplayProperties
from .review import reviewStatus, setReviewStatus
from .segmentation import LESION_FILL_OPACITY, newSegment
from .workspace import Workspace

_ORIGIN = (VOLUME, SERIES_UID, BUNDLE, PRESET)
"""What a new lesion's tags say as the liver's do."""

_LAST_NUMBER = PREFIX + "LastLesionNumber"

REFINED = PREFIX + "Refined"
"""Tag of a lesion that a refinement changed, or a split or merge, "1" or absent: the stored probabilities know nothing
of it."""

_MARKS = (REFINED, EDITED)


def addLesion(workspace: Workspace) -> str:
    """A new segment for a lesion, "Lesion n" with a number that the result has not had yet, still empty; its ID."""
    node = workspace.node
    segmentation = node.GetSegmentation()
    number = _noteNumbers(workspace) + 1
    node.SetAttribute(_LAST_NUMBER, str(number))
    segmentId = segmentation.GenerateUniqueSegmentID(f"lesion_{number}")
    liver = workspace.liverSegment()
    tags = {key: value for key in _ORIGIN if (value := getTag(liver, key))}
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
    marks: frozenset[str] = frozenset()
    display: dict[str, bool | float] = field(default_factory=dict)

    @classmethod
    def of(cls, workspace: Workspace, segmentId: str) -> _State:
        segment = workspace.segment(segmentId)
        if segment is None:
            return _ABSENT
        display = displayProperties(workspace.node, segmentId)
        marks = _marks(workspace, segmentId)
        return cls(workspace.watch.mask(segmentId), segment, reviewStatus(segment), marks, display)

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
        liver = workspace.liverSegment()
        return cls(lesions, order, {name: getTag(liver, name) for name in tags})


@dataclass(frozen=True)
class _Change:
    """``result`` is the result that was changed: its liver's segment, or the node where there is none. ``exchange``:
    whether lesions only exchanged voxels."""

    result: object
    before: _Moment
    after: _Moment
    exchange: bool


class LesionHistory(History[_Change]):
    """The changes of one workspace's lesions by one tool, with undo and redo.

    Undo brings each lesion back that is still as the change left it. What a person edited, reviewed or deleted since
    stays as it is, and so does every voxel that they touched. An exchange is undone as a whole or not at all.
    """

    MAXIMUM = 10
    """Changes that are kept; each takes as much memory as the lesions it changed."""

    def __init__(self, workspace: Workspace):
        super().__init__()
        self._workspace = workspace
        self._preview: LesionPreview | None = None

    @property
    def isPreviewing(self) -> bool:
        return self._preview is not None and self._preview.isShown

    def endPreview(self) -> None:
        """Take the preview of a change out of the scene."""
        if self._preview is not None:
            self._preview.remove()
            self._preview = None

    def close(self) -> None:
        """The workspace is closed."""
        self.endPreview()
        self.forgetAll()

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
        return self._do(masks, new, tags or {}, (REFINED,) if refined else (), None, False)

    def exchange(self, masks: Mapping[str, Boxed], new: Iterable[Boxed] = (), verdict: str | None = None) -> list[str]:
        """Pass voxels between lesions, which together stay as they are; the IDs of the new lesions.

        What a person painted keeps its shape: only whose it is changes.

        :param masks, new: as `change` takes them; all together the voxels that the named lesions have now.
        :param verdict: of all of them from then on; None for those that they have.

        Raises OutputError where the segments do not overlay the volume.
        """
        edited = any(self._workspace.isEdited(each) for each in masks)
        return self._do(masks, new, {}, _MARKS if edited else (REFINED,), verdict, True)

    def _do(
        self,
        masks: Mapping[str, Boxed],
        new: Iterable[Boxed],
        tags: Mapping[str, str],
        marks: tuple[str, ...],
        verdict: str | None,
        exchange: bool,
    ) -> list[str]:
        workspace = self._workspace
        workspace.flush()
        requireOverlay(workspace.node, workspace.volumeNode)
        new = [mask for mask in new if mask]
        names = list(tags)
        before = _Moment.of(workspace, masks, names)
        with workspace.machineChange():
            _noteNumbers(workspace)
            added = {addLesion(workspace): mask for mask in new}
            _write(workspace, {**masks, **added}, exchange)
            _setTags(workspace, tags)
            for segmentId in {*masks, *added} - {workspace.liverId()}:
                segment = workspace.segment(segmentId)
                if segment is not None:
                    _setMarks(workspace, segmentId, {*marks, *_marks(workspace, segmentId)})
                    if verdict is not None:
                        setReviewStatus(segment, verdict)
        before.lesions.update(dict.fromkeys(added, _ABSENT))
        after = _Moment.of(workspace, before.lesions, names)
        self._did(_Change(_result(workspace), before, after, exchange))
        return [each for each in added if workspace.segment(each) is not None]

    def _possible(self, step: _Change, forward: bool) -> bool:
        """A change of a result that was replaced cannot be undone, nor an exchange of lesions edited since."""
        workspace = self._workspace
        if step.result is not _result(workspace):
            return False
        if not step.exchange:
            return True
        workspace.flush()
        left = (step.before if forward else step.after).lesions
        return all(state.isStill(_State.of(workspace, segmentId)) for segmentId, state in left.items())

    def _apply(self, step: _Change, forward: bool) -> _Change:
        """Bring lesions back as they were, those that are still as we left them."""
        self.endPreview()
        workspace = self._workspace
        segmentation = workspace.node.GetSegmentation()
        requireOverlay(workspace.node, workspace.volumeNode)
        left, wanted = (step.before, step.after) if forward else (step.after, step.before)
        workspace.flush()
        now = {each: _State.of(workspace, each) for each in left.lesions}
        back = {each: wanted.lesions[each] for each, state in left.lesions.items() if state.isStill(now[each])}
        missing = [each for each in back if now[each].segment is None]
        with workspace.machineChange():
            for segmentId in missing:
                state = back[segmentId]
                if state.segment is not None:
                    segmentation.AddSegment(state.segment, segmentId)
                    setDisplayProperties(workspace.node, segmentId, state.display)
            _write(workspace, {each: state.mask for each, state in back.items()}, step.exchange)
            for segmentId, state in back.items():
                segment = workspace.segment(segmentId)
                if segment is not None and state.segment is not None:
                    _setMarks(workspace, segmentId, state.marks)
                    setReviewStatus(segment, state.verdict)
            if missing:
                reorder(segmentation, wanted.order)
            _setTags(workspace, wanted.tags)
        return step

    def _nothing(self) -> str:
        return f"No other change of the lesions of {self._workspace.node.GetName()} is kept."


def _write(workspace: Workspace, masks: Mapping[str, Boxed], exchange: bool) -> None:
    """Give lesions other voxels; takes those out that have none left.

    :param exchange: whether they only exchange voxels, those too that a person touched.
    """
    workspace.flush()
    liverId = workspace.liverId()
    touched = workspace.edits.touched(LESIONS)
    others = union(workspace.watch.mask(each) for each in workspace.lesionIds() if each not in masks)
    current = {each: workspace.watch.mask(each) for each in masks}
    wanted = {
        each: mask if exchange else _allowed(mask, current[each], touched, others)
        for each, mask in masks.items()
        if each != liverId
    }
    if liverId in masks:
        wanted[liverId] = _allowed(masks[liverId], current[liverId], workspace.edits.touched(LIVER), EMPTY)
    changed = {each: mask for each, mask in wanted.items() if mask and mask != current[each]}
    writeSegments(workspace.node, changed, workspace.volumeNode)
    removeSegments(workspace.node, [each for each, mask in wanted.items() if not mask and each != liverId])
    for segmentId, mask in changed.items():
        if segmentId != liverId:
            _setConfidence(workspace, segmentId, mask)


def _allowed(wanted: Boxed, current: Boxed, touched: Boxed, others: Boxed) -> Boxed:
    box = joint_box((wanted, current))
    if box is None:
        return EMPTY
    free = wanted.within(box) & ~others.within(box)
    values = np.where(touched.within(box), current.within(box), free)
    return Boxed.mask(values, start_of(box))


def _setConfidence(workspace: Workspace, segmentId: str, mask: Boxed) -> None:
    probability = workspace.lesionProbabilityWithin(mask.box)
    if probability is not None:
        confidence = workspace.lesionConfidence(float(probability[mask.values].mean(dtype=np.float64)))
        workspace.segment(segmentId).SetTag(CONFIDENCE, f"{confidence:.3f}")


def _marks(workspace: Workspace, segmentId: str) -> frozenset[str]:
    refined = {REFINED} if isMarked(workspace.segment(segmentId), REFINED) else set()
    return frozenset(refined | {EDITED} if workspace.isEdited(segmentId) else refined)


def _setMarks(workspace: Workspace, segmentId: str, marks: Collection[str]) -> None:
    segment = workspace.segment(segmentId)
    if REFINED in marks and not isMarked(segment, REFINED):
        segment.SetTag(REFINED, "1")
    elif REFINED not in marks and segment.HasTag(REFINED):
        segment.RemoveTag(REFINED)
    setEdited(workspace.node, segmentId, EDITED in marks)


def _setTags(workspace: Workspace, tags: Mapping[str, str]) -> None:
    liver = workspace.liverSegment()
    if liver is not None:
        for key, value in tags.items():
            liver.SetTag(key, value)


def _noteNumbers(workspace: Workspace) -> int:
    """The highest number that a lesion has or had, kept with the node: a lesion may be about to go."""
    tags = [getTag(workspace.segment(each), LESION_NUMBER) for each in workspace.lesionIds()]
    used = [int(text) for text in (*tags, workspace.node.GetAttribute(_LAST_NUMBER) or "") if text.isdigit()]
    highest = max(used, default=0)
    workspace.node.SetAttribute(_LAST_NUMBER, str(highest))
    return highest


def _result(workspace: Workspace) -> object:
    liver = workspace.liverSegment()
    return workspace.node if liver is None else liver


def masksOf(labels: np.ndarray, start: tuple[int, int, int]) -> list[Boxed]:
    """The masks of labels 1..n, each of which is there, in a box (k, j, i) whose first voxel is ``start``."""
    boxes = enumerate(ndimage.find_objects(labels), start=1)
    return [Boxed(labels[inner] == number, start_of(inner)).moved(start) for number, inner in boxes]
