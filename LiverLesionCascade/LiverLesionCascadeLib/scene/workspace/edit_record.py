"""What a person changed in a result, voxel by voxel: kept in the scene, so that it is saved with it.

Three things are known of each voxel, for the liver and for the lesions as a whole: what the machine said last
(*baseline*), whether a person changed it since (*touched*), and what was seen last. A touched voxel is never changed by
the machine again; one that also differs from the baseline is a correction: painted or erased. What was seen last shows
edits that were made while nobody watched, such as before the module was opened.
"""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np

from ...engine.grid.bounding_box import Box, enclosing, grown, start_of
from ...engine.grid.boxed import EMPTY, Boxed, difference, overlap
from ..nodes.volume import boxOf, setBox
from .provenance import EDITS_ROLE, PREFIX, isMarked

EDITED = PREFIX + "Edited"
"""Tag of a segment whose content a person changed, "1" or absent: files of the segmentation hold it too. To write it in
answer to an edit, Undo included, ends what Slicer's editor could redo. As long as that matters the node has an
attribute of this name, which says it in the tag's stead: JSON of the segments' IDs."""

_OWNER_ROLE = "LiverLesionCascade.EditsOf"
_MARGIN = 8
"""Voxels by which the record's box grows beyond what it needs: strokes follow one another."""


def isEdited(segmentationNode, segmentId: str) -> bool:
    """Whether a person changed a segment's content."""
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    return isMarked(segment, EDITED) or segmentId in _noted(segmentationNode)


def setEdited(segmentationNode, segmentId: str, edited: bool) -> None:
    """Note whether a person changed a segment's content."""
    segment, noted = segmentationNode.GetSegmentation().GetSegment(segmentId), _noted(segmentationNode)
    if segment is None or isEdited(segmentationNode, segmentId) == edited:
        return
    if edited and segmentationNode.GetAttribute(EDITED) is None:
        segment.SetTag(EDITED, "1")
    elif edited or segmentId in noted:
        segmentationNode.SetAttribute(EDITED, json.dumps(sorted(noted ^ {segmentId})))
    if not edited and segment.HasTag(EDITED):
        segment.RemoveTag(EDITED)


def keepSteps(segmentationNode, on: bool) -> None:
    """Say whether an editor shows the node whose steps no note of an edit may end."""
    writeTags(segmentationNode)
    segmentationNode.SetAttribute(EDITED, "[]" if on else None)


def writeTags(segmentationNode) -> None:
    """Tell the segments themselves of the edits that were noted while an editor's steps were kept."""
    noted = _noted(segmentationNode)
    if not noted:
        return
    segmentationNode.SetAttribute(EDITED, "[]")
    for segmentId in segmentationNode.GetSegmentation().GetSegmentIDs():
        if segmentId in noted:
            segmentationNode.GetSegmentation().GetSegment(segmentId).SetTag(EDITED, "1")


def _noted(segmentationNode) -> set[str]:
    return set(json.loads(segmentationNode.GetAttribute(EDITED) or "[]"))


class _Bits(NamedTuple):
    baseline: int
    touched: int
    seen: int


LIVER = _Bits(1, 2, 4)
LESIONS = _Bits(8, 16, 32)


class EditRecord:
    """The record of one segmentation node.

    :param segmentationNode: the result's node.
    :param volumeNode: the volume whose grid the masks are on.
    """

    def __init__(self, segmentationNode, volumeNode):
        self._node, self._volumeNode = segmentationNode, volumeNode
        self._flags = Boxed.nothing(np.uint8)
        self._labelMap = None
        self._attach()

    @property
    def isNew(self) -> bool:
        """Whether nothing has been recorded yet."""
        return self._labelMap is None

    def isOf(self, segmentationNode) -> bool:
        """Whether it is the record that the node refers to now; with another result comes another record."""
        return self._labelMap is not None and segmentationNode.GetNodeReference(EDITS_ROLE) is self._labelMap

    def begin(self, liver: Boxed, lesions: Boxed, drawn: Boxed = EMPTY) -> None:
        """A new result: what is there is the machine's.

        :param drawn: what of the lesions a person had drawn before.
        """
        for what, mask in ((LIVER, liver), (LESIONS, lesions)):
            if mask:
                self._reach(mask.box)
                self._part(mask.box)[mask.values] |= what.baseline | what.seen
        if drawn:
            part = self._part(drawn.box)
            part[drawn.values] = part[drawn.values] & ~np.uint8(LESIONS.baseline) | LESIONS.touched
        self._store()

    def userChanged(self, what: _Bits, changed: Boxed, present: Boxed) -> None:
        """A person changed voxels.

        :param changed: which.
        :param present: the mask as it is now.
        """
        self._note(what, changed, present, what.touched, 0)

    def machineChanged(self, what: _Bits, changed: Boxed, present: Boxed) -> None:
        """The machine changed voxels: where nobody touched them this is the baseline now."""
        self._note(what, changed, present, 0, what.baseline)

    def unseenChanges(self, what: _Bits, present: Boxed) -> Boxed:
        """Voxels that are not as they were seen last."""
        return difference(self._flags.has(what.seen), present)

    def touched(self, what: _Bits) -> Boxed:
        return self._flags.has(what.touched)

    def painted(self, what: _Bits) -> Boxed:
        """Voxels that a person put in and the machine had not."""
        return self._where(what, what.touched | what.seen)

    def erased(self, what: _Bits) -> Boxed:
        """Voxels that a person took out of what the machine had found."""
        return self._where(what, what.touched | what.baseline)

    # -- voxels

    def _note(self, what: _Bits, changed: Boxed, present: Boxed, always: int, untouched: int) -> None:
        """Set bits in the changed voxels; ``untouched``: a bit that follows the mask where nobody touched it."""
        if not changed:
            return
        self._reach(changed.box)
        part = self._part(changed.box)
        now = present.within(changed.box)
        flags = part & ~np.uint8(what.seen) | always
        flags[now] |= what.seen
        if untouched:
            free = flags & what.touched == 0
            flags = np.where(free, flags & ~np.uint8(untouched), flags)
            flags[free & now] |= untouched
        part[changed.values] = flags[changed.values]
        self._store()

    def _where(self, what: _Bits, bits: int) -> Boxed:
        """Voxels of which these bits are set, and none of the others."""
        return Boxed.mask(self._flags.values & sum(what) == bits, self._flags.start)

    def _part(self, box: Box) -> np.ndarray:
        here, _ = overlap(self._flags.box, box)
        return self._flags.values[here]

    def _reach(self, box: Box) -> None:
        """Make the record cover a box."""
        have = self._flags.box
        if self._flags and all(h.start <= s.start and s.stop <= h.stop for h, s in zip(have, box, strict=True)):
            return
        wanted = grown(box, self._volumeNode.GetImageData().GetDimensions()[::-1], _MARGIN)
        if self._flags:
            wanted = enclosing((wanted, have))
        self._flags = Boxed(self._flags.within(wanted), start_of(wanted))

    # -- the scene

    def _attach(self) -> None:
        """Read what the scene holds. A copy of a node gets a record of its own."""
        found = self._node.GetNodeReference(EDITS_ROLE)
        box = boxOf(found, self._volumeNode)
        if box is None:
            return
        self._flags = Boxed(np.array(box.values, np.uint8), box.start)
        owner = found.GetNodeReference(_OWNER_ROLE)
        if owner is None or owner is self._node:
            self._labelMap = found
        else:
            self._store()

    def _store(self) -> None:
        """Put the record into its label map, made where there is none."""
        node = self._labelMap
        if node is None or node.GetScene() is None:
            node = self._node.GetScene().AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", f"{self._node.GetName()} edits")
            node.SetHideFromEditors(True)
            node.SetSaveWithScene(True)
            node.SetNodeReferenceID(_OWNER_ROLE, self._node.GetID())
            self._node.SetNodeReferenceID(EDITS_ROLE, node.GetID())
            self._labelMap = node
        setBox(node, self._volumeNode, self._flags or Boxed(np.zeros((1, 1, 1), np.uint8), (0, 0, 0)))
