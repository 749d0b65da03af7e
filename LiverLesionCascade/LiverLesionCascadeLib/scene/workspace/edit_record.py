"""What a person changed in a result, voxel by voxel: kept in the scene, so that it is saved with it.

Three things are known of each voxel, for the liver and for the lesions as a whole: what the machine said last
(*baseline*), whether a person changed it since (*touched*), and what was seen last. A touched voxel is never changed by
the machine again; one that also differs from the baseline is a correction: painted or erased. What was seen last shows
edits that were made while nobody watched, such as before the module was opened.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...engine.grid.bounding_box import Box
from ..nodes.mask_box import EMPTY, MaskBox, jointBox
from ..nodes.volume import boxOf, setBox

EDITS_ROLE = "LiverLesionCascade.Edits"
"""Reference from a segmentation node to the label map that holds its record."""

_OWNER_ROLE = "LiverLesionCascade.EditsOf"
_MARGIN = 8
"""Voxels by which the record's box grows beyond what it needs: strokes follow one another."""


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
        self._flags = np.zeros((0, 0, 0), np.uint8)
        self._start = (0, 0, 0)
        self._labelMap = None
        self._attach()

    @property
    def isNew(self) -> bool:
        """Whether nothing has been recorded yet."""
        return self._labelMap is None

    def isOf(self, segmentationNode) -> bool:
        """Whether it is the record that the node refers to now; with another result comes another record."""
        return self._labelMap is not None and segmentationNode.GetNodeReference(EDITS_ROLE) is self._labelMap

    def begin(self, liver: MaskBox, lesions: MaskBox, drawn: MaskBox = EMPTY) -> None:
        """A new result: what is there is the machine's.

        :param drawn: what of the lesions a person had drawn before.
        """
        self._flags, self._start = np.zeros((0, 0, 0), np.uint8), (0, 0, 0)
        for what, mask in ((LIVER, liver), (LESIONS, lesions)):
            if mask:
                self._reach(mask.box)
                self._part(mask.box)[mask.values] |= what.baseline | what.seen
        if drawn:
            part = self._part(drawn.box)
            part[drawn.values] = part[drawn.values] & ~np.uint8(LESIONS.baseline) | LESIONS.touched
        self._store()

    def userChanged(self, what: _Bits, changed: MaskBox, present: MaskBox) -> None:
        """A person changed voxels.

        :param changed: which.
        :param present: the mask as it is now.
        """
        self._note(what, changed, present, what.touched, 0)

    def machineChanged(self, what: _Bits, changed: MaskBox, present: MaskBox) -> None:
        """The machine changed voxels: where nobody touched them this is the baseline now."""
        self._note(what, changed, present, 0, what.baseline)

    def unseenChanges(self, what: _Bits, present: MaskBox) -> MaskBox:
        """Voxels that are not as they were seen last."""
        seen = self._all(what.seen)
        box = jointBox((seen, present))
        if box is None:
            return EMPTY
        return MaskBox.of(seen.within(box) ^ present.within(box), tuple(axis.start for axis in box))

    def touched(self, what: _Bits) -> MaskBox:
        return self._all(what.touched)

    def painted(self, what: _Bits) -> MaskBox:
        """Voxels that a person put in and the machine had not."""
        return MaskBox.of(self._has(what.touched) & self._has(what.seen) & ~self._has(what.baseline), self._start)

    def erased(self, what: _Bits) -> MaskBox:
        """Voxels that a person took out of what the machine had found."""
        return MaskBox.of(self._has(what.touched) & ~self._has(what.seen) & self._has(what.baseline), self._start)

    def copy(self) -> tuple[np.ndarray, tuple[int, int, int]]:
        """The record as it is, for `restore`."""
        return self._flags.copy(), self._start

    def restore(self, copy: tuple[np.ndarray, tuple[int, int, int]]) -> None:
        self._flags, self._start = copy[0].copy(), copy[1]
        self._store()

    # -- voxels

    def _note(self, what: _Bits, changed: MaskBox, present: MaskBox, always: int, untouched: int) -> None:
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

    def _has(self, bit: int) -> np.ndarray:
        return self._flags & bit != 0

    def _all(self, bit: int) -> MaskBox:
        return MaskBox.of(self._flags & bit, self._start)

    def _part(self, box: Box) -> np.ndarray:
        return self._flags[tuple(slice(s.start - o, s.stop - o) for s, o in zip(box, self._start, strict=True))]

    def _reach(self, box: Box) -> None:
        """Make the record cover a box."""
        shape = self._volumeNode.GetImageData().GetDimensions()[::-1]
        have = tuple(slice(o, o + n) for o, n in zip(self._start, self._flags.shape, strict=True))
        empty = self._flags.size == 0
        if not empty and all(h.start <= s.start and s.stop <= h.stop for h, s in zip(have, box, strict=True)):
            return
        first = [max(0, s.start - _MARGIN) for s in box]
        last = [min(n, s.stop + _MARGIN) for s, n in zip(box, shape, strict=True)]
        if not empty:
            first = [min(a, h.start) for a, h in zip(first, have, strict=True)]
            last = [max(b, h.stop) for b, h in zip(last, have, strict=True)]
        flags = np.zeros([b - a for a, b in zip(first, last, strict=True)], np.uint8)
        if not empty:
            flags[tuple(slice(h.start - a, h.stop - a) for h, a in zip(have, first, strict=True))] = self._flags
        self._flags, self._start = flags, (first[0], first[1], first[2])

    # -- the scene

    def _attach(self) -> None:
        """Read what the scene holds. A copy of a node gets a record of its own."""
        found = self._node.GetNodeReference(EDITS_ROLE)
        box = boxOf(found, self._volumeNode)
        if box is None:
            return
        self._flags, self._start = np.array(box[0], np.uint8), box[1]
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
        setBox(node, self._volumeNode, self._flags if self._flags.size else np.zeros((1, 1, 1), np.uint8), self._start)
