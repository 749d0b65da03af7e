"""A result that a person works on: its lesions, what they changed, and the one way in which we change it ourselves."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import slicer

from ...engine.errors import InputError, OutputError
from ...engine.grid.bounding_box import Box
from ...engine.grid.boxed import EMPTY, Boxed, difference, union
from ...engine.grid.geometry import ImageGeometry
from ...engine.results.lesion_threshold import FULL
from ..nodes.arrays import RAS_FROM_LPS
from ..nodes.later import CallLater
from ..nodes.one_change import oneChange
from ..nodes.volume import referringNodes, removeWithOwn, volumeOf, worldFromIjk
from .edit_record import LESIONS, LIVER, EditRecord, isEdited, setEdited
from .provenance import (
    EDITS_ROLE,
    LESION_ROLE,
    PREFIX,
    ROLE,
    getTag,
    isOwnSegment,
    lesionFilter,
    liverSegmentId,
    resultSegmentIds,
)
from .segment_watch import SegmentChange, SegmentWatch
from .segmentation import liesWithSegments
from .stored_probability import PROBABILITY_ROLE, keepOwnProbability, storedProbability

Tool = TypeVar("Tool")

LINES_ROLE = PREFIX + "Diameters"
"""Reference from a segmentation node to the lines that `diameter_lines` draws."""

_LESION_TYPES = frozenset({"4147007", "52988006", "108369006", "85756007", ""})
"""Mass, Lesion, Neoplasm, and Tissue, which Slicer gives a segment that nobody has named yet."""


class Workspace:
    """What is known of one result. Made by `workspaceOf`.

    :ivar node: the segmentation node.
    :ivar volumeNode: the volume that was segmented.
    :ivar segmentation: the node's vtkSegmentation.
    :ivar watch: tells which segments change.
    :ivar edits: what a person changed.
    """

    def __init__(self, node, volumeNode, callLater: CallLater | None):
        self.node, self.volumeNode = node, volumeNode
        self.segmentation = node.GetSegmentation()
        self.watch = SegmentWatch(node, volumeNode, callLater)
        self._ofMachine = 0
        self._tools: dict[type, Any] = {}
        self._closed = False
        self._lesions = self._presentLesions()
        self._liver = self._presentLiver()
        self.edits = self._record()
        keepOwnProbability(node, volumeNode)
        self.watch.subscribe(self._onChanges)
        self._scene = node.GetScene()
        self._observer = self._scene.AddObserver(self._scene.NodeRemovedEvent, self._onNodeRemoved)

    # -- what is there

    @property
    def shape(self) -> tuple[int, int, int]:
        """(k, j, i) of the volume's grid."""
        return self.volumeNode.GetImageData().GetDimensions()[::-1]

    @property
    def geometry(self) -> ImageGeometry:
        """The volume's grid in the world."""
        return ImageGeometry(self.shape, RAS_FROM_LPS @ worldFromIjk(self.volumeNode))

    def segment(self, segmentId: str) -> slicer.vtkSegment | None:
        """None where there is no such segment."""
        return self.node.GetSegmentation().GetSegment(segmentId)

    def liverId(self) -> str | None:
        """The liver's segment."""
        return liverSegmentId(self.node)

    def liverSegment(self) -> slicer.vtkSegment | None:
        """Whose tags stand for the result."""
        return self.segment(self.liverId() or "")

    def lesionIds(self) -> list[str]:
        """Lesions in the node's order: those that were found, and those that a person added.

        A segment that a person added is a lesion unless its terminology says that it is something else.
        """
        segmentation = self.node.GetSegmentation()
        return [each for each in segmentation.GetSegmentIDs() if isLesion(segmentation, each)]

    def mask(self, segmentId: str) -> Boxed:
        """A segment's mask on the volume's grid, as it is now. Raises KeyError."""
        self.flush()
        return self.watch.mask(segmentId)

    def liver(self) -> Boxed:
        """The liver's mask; empty where its segment was deleted."""
        self.flush()
        return self._presentLiver()

    def lesions(self) -> Boxed:
        """All lesions' masks in one."""
        self.flush()
        return self._presentLesions()

    @property
    def lesionProbability(self) -> Boxed | None:
        """The stored probability of lesions; None where there is none."""
        return storedProbability(self.node, self.volumeNode)

    def lesionProbabilityWithin(self, box: Box) -> np.ndarray | None:
        """float32 0..1 (k, j, i) in a box of the volume's grid; None where none is stored."""
        stored = self.lesionProbability
        return None if stored is None else stored.within(box) / np.float32(FULL)

    def lesionConfidence(self, meanProbability: float) -> float:
        """The confidence of a lesion: its likelihood by the filter that the result names, else its mean probability."""
        known = lesionFilter(self.liverSegment())
        return meanProbability if known is None else float(known.likelihood(meanProbability))

    def isEdited(self, segmentId: str) -> bool:
        """Whether a person changed a segment's content."""
        return isEdited(self.node, segmentId)

    def flush(self) -> None:
        """Take note of all changes now."""
        self.watch.flush()

    def subscribe(self, callback: Callable[[list[SegmentChange]], None]) -> None:
        """:param callback: is given what changed, after the record of edits was brought up to date."""
        self.watch.subscribe(callback)

    def unsubscribe(self, callback: Callable[[list[SegmentChange]], None]) -> None:
        self.watch.unsubscribe(callback)

    def tool(self, kind: type[Tool]) -> Tool:
        """The one of its kind (`Review`, `Threshold`...) that works on this result: all who use it share its history.

        It is made of the workspace at the first request and closed with it. Of a workspace that is closed it is a tool
        that is closed, too, for those who let go late: nothing listens to the scene for it.
        """
        if kind in self._tools:
            return self._tools[kind]
        made: Any = kind(self)
        if self._closed:
            made.close()
        else:
            self._tools[kind] = made
        return made  # type: ignore[no-any-return]

    def close(self) -> None:
        """Let go of the node; nothing happens where that was done already.

        What only the node refers to leaves the scene with it: whoever notices first that the node is gone closes this.
        """
        if _workspaces.get(self.node) is self:
            del _workspaces[self.node]
        self._closed = True
        while self._tools:
            self._tools.popitem()[1].close()
        self.watch.close()
        self._scene.RemoveObserver(self._observer)
        if self.node.GetScene() is None and not self._scene.IsClosing():
            removeCompanions(self._scene, self.node)

    def _onNodeRemoved(self, _caller, _event):
        if self.node.GetScene() is None:
            self.close()

    # -- who changes it

    @contextlib.contextmanager
    def machineChange(self) -> Iterator[None]:
        """What changes within is ours, not a person's edit.

        What they changed before is noted first. Whoever uses this leaves the voxels of ``edits.touched`` as they are;
        `lesion_change.LesionHistory` sees to that. Raises OutputError where this workspace is closed.
        """
        self.flush()
        if self._closed:
            raise OutputError(f"{self.node.GetName()} was removed or is another result by now.")
        self._ofMachine += 1
        with oneChange(self.node):
            try:
                yield
            finally:
                try:
                    self.flush()
                finally:
                    self._ofMachine -= 1

    def _onChanges(self, changes: list[SegmentChange]) -> None:
        if not self.edits.isOf(self.node):  # another result has taken the place of this one: no edit of a person
            workspaceOf(self.node)
            return
        liverId, lesionIds = self.liverId(), set(self.lesionIds())
        if not self._ofMachine:
            for change in changes:
                ours = change.segmentId in lesionIds or change.segmentId == liverId
                if change.kind == "content" and ours:
                    setEdited(self.node, change.segmentId, True)
        self._lesions, lesionsBefore = self._presentLesions(), self._lesions
        self._liver, liverBefore = self._presentLiver(), self._liver
        # Voxels that pass from one lesion to another change nothing in all lesions together, but were touched.
        moved = [
            difference(change.before, change.after)
            for change in changes
            if change.kind != "properties" and change.segmentId in lesionIds
        ]
        note = self.edits.machineChanged if self._ofMachine else self.edits.userChanged
        note(LESIONS, union([difference(lesionsBefore, self._lesions), *moved]), self._lesions)
        note(LIVER, difference(liverBefore, self._liver), self._liver)

    def _record(self) -> EditRecord:
        """The record of the result that is there; where it says less than can be seen, a person changed the rest."""
        edits = EditRecord(self.node, self.volumeNode)
        if edits.isNew:
            drawn = [each for each in self.lesionIds() if not isOwnSegment(self.segmentation, each)]
            edits.begin(self._liver, self._lesions, union(map(self.watch.mask, drawn)))
        else:
            for what, mask in ((LIVER, self._liver), (LESIONS, self._lesions)):
                edits.userChanged(what, edits.unseenChanges(what, mask), mask)
        return edits

    def _presentLesions(self) -> Boxed:
        known = self.watch.segmentIds()
        return union(self.watch.mask(each) for each in self.lesionIds() if each in known)

    def _presentLiver(self) -> Boxed:
        liverId = self.liverId()
        return self.watch.mask(liverId) if liverId in self.watch.segmentIds() else EMPTY


def isLesion(segmentation: slicer.vtkSegmentation, segmentId: str) -> bool:
    """Whether a segment is a lesion: one that was found, or one that a person added and did not name otherwise."""
    segment = segmentation.GetSegment(segmentId)
    role = getTag(segment, ROLE)
    if role:
        return role == LESION_ROLE
    entry = getTag(segment, segment.GetTerminologyEntryTagName()).split("~")
    typeCode = entry[2].split("^") if len(entry) > 2 else []
    return (typeCode[1] if len(typeCode) > 1 else "") in _LESION_TYPES


_workspaces: dict[slicer.vtkMRMLSegmentationNode, Workspace] = {}
_callLater: CallLater | None = None


def useEventLoop(callLater: CallLater | None) -> None:
    """Say once how the event loop calls a function later; before that, and without one, changes wait for a flush."""
    global _callLater
    _callLater = callLater


def workspaceOf(node: slicer.vtkMRMLSegmentationNode | None) -> Workspace | None:
    """The workspace of a segmentation node, always the same one; None where it holds no result of ours any more.

    It is made at the first request, and again where the node's volume or its result is another one since: verdicts,
    previews and refinements of the one say nothing of the other. There is none as long as the volume is under a
    non-linear transform, where nothing could be measured, or was moved without the node, where other voxels than those
    of the lesions would be.
    """
    for known in [each for each in _workspaces if each.GetScene() is None]:
        _workspaces[known].close()
    if node is None or node.GetScene() is None:
        return None
    volumeNode = volumeOf(node)
    workspace = _workspaces.get(node)
    usable = (
        volumeNode is not None
        and volumeNode.GetImageData() is not None
        and resultSegmentIds(node)
        and liesWithSegments(node, volumeNode)
    )
    if workspace is not None and (
        not usable
        or workspace.volumeNode is not volumeNode
        or workspace.segmentation is not node.GetSegmentation()
        or not workspace.watch.isInPlace
        or not workspace.edits.isOf(node)
    ):
        workspace.close()
        workspace = None
    if workspace is None and usable:
        workspace = _workspaces[node] = Workspace(node, volumeNode, _callLater)
    return workspace


def requireWorkspace(node: slicer.vtkMRMLSegmentationNode | None, otherwise: str) -> Workspace:
    """The workspace of a segmentation node.

    Raises InvalidVolumeError where its volume is under a non-linear transform, InputError where the volume is not in
    the scene or does not lie where the segments do, and with the message ``otherwise`` where there is no result.
    """
    workspace = workspaceOf(node)
    if workspace is not None:
        return workspace
    if node is None or not resultSegmentIds(node):
        raise InputError(otherwise)
    volumeNode = volumeOf(node)
    if volumeNode is None or volumeNode.GetImageData() is None:
        raise InputError(
            f"The CT of {node.GetName()} is not in the scene. Load it, click Edit, and choose it as the source volume."
        )
    worldFromIjk(volumeNode)  # raises
    raise InputError(
        f"{volumeNode.GetName()} does not lie where its segmentation {node.GetName()} does: nothing can be measured. "
        "Give both the same transform."
    )


def removeCompanions(scene: slicer.vtkMRMLScene, node: slicer.vtkMRMLSegmentationNode) -> None:
    """What only a segmentation node that has left the scene refers to leaves it too; what a copy refers to stays."""
    for role in (EDITS_ROLE, PROBABILITY_ROLE, LINES_ROLE):
        companion = scene.GetNodeByID(node.GetNodeReferenceID(role) or "")
        if companion is not None and not referringNodes(companion, role):
            removeWithOwn(companion)


def closeWorkspaces() -> None:
    """Let go of all nodes, when the module is unloaded or the scene closed. Nothing that the scene holds is lost."""
    while _workspaces:
        next(iter(_workspaces.values())).close()
