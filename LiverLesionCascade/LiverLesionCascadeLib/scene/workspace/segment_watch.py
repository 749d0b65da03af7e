"""Follows a segmentation node: which segment changed, and in which voxels, whoever changed it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import slicer
import vtk
from scipy import ndimage

from ...engine.grid.boxed import EMPTY, Boxed
from ..nodes.arrays import arrayFromImage, matrixFromVtk
from ..nodes.representations import BINARY_LABELMAP
from ..nodes.volume import ijkToRasMatrix
from .segmentation import segmentMask


@dataclass(frozen=True)
class SegmentChange:
    """What became of a segment since the last look.

    :param kind: "added", "removed", "content" or "properties" (name, colour, tags, status).
    :param before, after: its mask on the volume's grid; the same for "properties".
    """

    segmentId: str
    kind: str
    before: Boxed
    after: Boxed


Callback = Callable[[list[SegmentChange]], None]


class SegmentWatch:
    """Tells who asks which segments of a node changed, with their masks before and after.

    Slicer says only that some label map changed, and segments share them; here the masks are compared, so that only
    segments that really changed are reported, once, however many events there were.

    :param node: the segmentation.
    :param volumeNode: the volume on whose grid the masks are wanted.
    :param callLater: (seconds, function): the event loop calls the function once, later. Without an event loop None:
        changes are then delivered by `flush` alone.
    """

    delaySeconds = 0.1
    """Changes of one stroke or one effect come together."""

    def __init__(self, node, volumeNode, callLater: Callable[[float, Callable[[], None]], None] | None = None):
        self.node, self.volumeNode = node, volumeNode
        self._callLater = callLater
        self._callbacks: list[Callback] = []
        self._waiting = False
        self._flushing = False
        self._closed = False
        self._masks: dict[str, Boxed] = {}
        self._modified: dict[str, int] = {}
        self._layers: dict[object, int] = {}
        self._segmentation = segmentation = node.GetSegmentation()
        events = (
            segmentation.SegmentAdded,
            segmentation.SegmentRemoved,
            segmentation.SegmentModified,
            segmentation.SourceRepresentationModified,
            segmentation.RepresentationModified,
        )
        # Of the node, which tells once what comes as one change; its segmentation tells each segment.
        self._tags = [node.AddObserver(event, self._onChange) for event in events]
        self._masks, self._layers = self._look()
        self._modified = self._timesOfChange()

    def subscribe(self, callback: Callback) -> None:
        """:param callback: is given the list of changes, once for all of a turn of the event loop."""
        self._callbacks.append(callback)

    def unsubscribe(self, callback: Callback) -> None:
        if callback in self._callbacks:  # not after `close`
            self._callbacks.remove(callback)

    def mask(self, segmentId: str) -> Boxed:
        """A segment's mask as it was seen last; see `flush`. Raises KeyError."""
        return self._masks[segmentId]

    def segmentIds(self) -> list[str]:
        """IDs of the segments that were seen last, in the node's order."""
        return list(self._masks)

    def close(self) -> None:
        """Tell nobody anything any more."""
        self._closed = True
        for tag in self._tags:
            self.node.RemoveObserver(tag)
        self._tags = []
        self._callbacks = []

    def flush(self) -> None:
        """Look now, and tell what changed; what callbacks change is looked at too."""
        self._waiting = False
        if self._closed or self._flushing or self.volumeNode.GetImageData() is None:
            return
        self._flushing = True
        try:
            changes = self._changes()
            for callback in list(self._callbacks) if changes else ():
                try:
                    callback(changes)
                except Exception:
                    # One who listens must not keep the others from hearing of an edit.
                    logging.exception("What follows the segments of %s failed", self.node.GetName())
        finally:
            self._flushing = False

    def _onChange(self, _caller, _event):
        if not self._waiting and not self._closed:
            self._waiting = True
            if self._callLater is not None:
                self._callLater(self.delaySeconds, self._flushIfWaiting)

    def _flushIfWaiting(self):
        if self._waiting:
            self.flush()

    def _changes(self) -> list[SegmentChange]:
        before, modified = self._masks, self._modified
        self._masks, self._layers = self._look()
        self._modified = self._timesOfChange()
        gone = [each for each in before if each not in self._masks]
        changes = [SegmentChange(each, "removed", before[each], EMPTY) for each in gone]
        for segmentId, mask in self._masks.items():
            if segmentId not in before:
                changes.append(SegmentChange(segmentId, "added", EMPTY, mask))
            elif mask is not before[segmentId] and mask != before[segmentId]:
                changes.append(SegmentChange(segmentId, "content", before[segmentId], mask))
            elif modified[segmentId] != self._modified[segmentId]:
                changes.append(SegmentChange(segmentId, "properties", mask, mask))
        return changes

    def _look(self) -> tuple[dict[str, Boxed], dict[object, int]]:
        """The masks of all segments, and when their label maps changed last. Those that did not are not read again."""
        masks: dict[str, Boxed] = {}
        layers: dict[object, int] = {}
        found: dict[object, list] = {}
        grid = ijkToRasMatrix(self.volumeNode)
        shape = self.volumeNode.GetImageData().GetDimensions()[::-1]
        sameTransform = self.node.GetParentTransformNode() is self.volumeNode.GetParentTransformNode()
        for segmentId in self._segmentation.GetSegmentIDs():
            segment = self._segmentation.GetSegment(segmentId)
            image = segment.GetRepresentation(BINARY_LABELMAP)
            if image is None or min(image.GetDimensions()) < 1:
                # Without a label map of its own a segment (a surface, say) is read where it is asked for.
                masks[segmentId] = EMPTY if image is not None else self._masks.get(segmentId, EMPTY)
                continue
            key = (image, segment.GetLabelValue())
            layers[segmentId, key] = image.GetMTime()
            if self._layers.get((segmentId, key)) == image.GetMTime() and segmentId in self._masks:
                masks[segmentId] = self._masks[segmentId]
            elif sameTransform and liesOnGrid(image, grid, shape):
                if image not in found:
                    found[image] = ndimage.find_objects(arrayFromImage(image))
                masks[segmentId] = _ofLabel(image, segment.GetLabelValue(), found[image])
            else:
                masks[segmentId] = Boxed.mask(segmentMask(self.node, segmentId, self.volumeNode))
        return masks, layers

    def _timesOfChange(self) -> dict[str, int]:
        return {each: self._segmentation.GetSegment(each).GetMTime() for each in self._masks}


def liesOnGrid(image: slicer.vtkOrientedImageData, ijkToRas: np.ndarray, shape: tuple[int, int, int]) -> bool:
    """Whether an image's voxels are voxels of the grid (k, j, i), none of them beyond its edges."""
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    if not np.allclose(matrixFromVtk(matrix), ijkToRas, rtol=1e-5, atol=1e-4):
        return False
    extent = image.GetExtent()
    return all(
        low >= 0 and high < size
        for low, high, size in zip(extent[::2], extent[1::2], reversed(shape), strict=True)
        if low <= high
    )


def _ofLabel(image: slicer.vtkOrientedImageData, label: int, boxes: list) -> Boxed:
    """The mask of one label of an image on the grid; ``boxes``: of all its labels, as scipy finds them."""
    if not 0 < label <= len(boxes) or boxes[label - 1] is None:
        return EMPTY
    box = boxes[label - 1]
    extent = image.GetExtent()
    start = tuple(axis.start + extent[2 * (2 - number)] for number, axis in enumerate(box))
    return Boxed(arrayFromImage(image)[box] == label, start)
