"""Follows a segmentation node: which segment changed, and in which voxels, whoever changed it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import slicer
from scipy import ndimage

from ...engine.grid.bounding_box import start_of
from ...engine.grid.boxed import EMPTY, Boxed
from ..nodes.arrays import arrayFromImage, matrixOf
from ..nodes.later import CallLater, Later
from ..nodes.representations import BINARY_LABELMAP
from ..nodes.volume import nodeFromIjk
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


class Announcer:
    """Tells those who subscribed, until it is closed."""

    def __init__(self):
        self._callbacks: list[Callable[..., None]] = []

    def subscribe(self, callback: Callable[..., None]) -> None:
        """:param callback: is called with what there is to tell; see the class."""
        self._callbacks.append(callback)

    def unsubscribe(self, callback: Callable[..., None]) -> None:
        if callback in self._callbacks:  # not after `close`
            self._callbacks.remove(callback)

    def close(self) -> None:
        self._callbacks = []

    def _tell(self) -> None:
        for callback in list(self._callbacks):
            callback()


class SegmentWatch(Announcer):
    """Tells who asks which segments of a node changed, with their masks before and after: callbacks are given the list
    of changes, once for all of a turn of the event loop.

    Slicer says only that some label map changed, and segments share them; here the masks are compared, so that only
    segments that really changed are reported, once, however many events there were.

    Nothing is looked at any more once the volume is moved without the segmentation or has other voxels: it would be
    seen as an edit of every segment.

    :param node: the segmentation.
    :param volumeNode: the volume on whose grid the masks are wanted; no transform of either is non-linear.
    :param callLater: None without an event loop: changes are then delivered by `flush` alone.
    """

    delaySeconds = 0.1
    """Changes of one stroke or one effect come together."""

    def __init__(self, node, volumeNode, callLater: CallLater | None):
        super().__init__()
        self.node, self.volumeNode = node, volumeNode
        self._waiting = Later(callLater, self.flush)
        self._flushing = False
        self._closed = False
        self._masks: dict[str, Boxed] = {}
        self._layers: dict[str, tuple[object, int, int]] = {}
        self._shape = volumeNode.GetImageData().GetDimensions()[::-1]
        self._grid = nodeFromIjk(node, volumeNode)
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
        self._look()

    @property
    def isInPlace(self) -> bool:
        """Whether the volume has the grid that it had when this was made, and lies to the segmentation as it did."""
        image, grid = self.volumeNode.GetImageData(), nodeFromIjk(self.node, self.volumeNode)
        sameVoxels = image is not None and image.GetDimensions()[::-1] == self._shape
        return sameVoxels and grid is not None and _areSame(grid, self._grid)

    def mask(self, segmentId: str) -> Boxed:
        """A segment's mask as it was seen last; see `flush`. Raises KeyError."""
        return self._masks[segmentId]

    def segmentIds(self) -> list[str]:
        """IDs of the segments that were seen last, in the node's order."""
        return list(self._masks)

    def close(self) -> None:
        """Tell nobody anything any more."""
        super().close()
        self._closed = True
        for tag in self._tags:
            self.node.RemoveObserver(tag)

    def flush(self) -> None:
        """Look now, and tell what changed; what callbacks change is looked at too."""
        self._waiting.cancel()
        if self._closed or self._flushing or not self.isInPlace:
            return
        self._flushing = True
        try:
            changes = self._changes()
            for callback in list(self._callbacks) if changes else ():
                if self._closed:  # by the one before: another result is there, which others follow
                    break
                try:
                    callback(changes)
                except Exception:
                    # One who listens must not keep the others from hearing of an edit.
                    logging.exception("What follows the segments of %s failed", self.node.GetName())
        finally:
            self._flushing = False

    def _onChange(self, _caller, _event):
        if not self._closed:
            self._waiting.ask(self.delaySeconds)

    def _changes(self) -> list[SegmentChange]:
        before, modified = self._masks, self._modified
        self._look()
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

    def _look(self) -> None:
        """Take in the masks of all segments. Those whose label maps did not change are not read again."""
        masks: dict[str, Boxed] = {}
        layers: dict[str, tuple[object, int, int]] = {}
        found: dict[object, list] = {}
        for segmentId in self._segmentation.GetSegmentIDs():
            segment = self._segmentation.GetSegment(segmentId)
            image = segment.GetRepresentation(BINARY_LABELMAP)
            if image is None or min(image.GetDimensions()) < 1:
                # Without a label map of its own a segment (a surface, say) is read where it is asked for.
                masks[segmentId] = EMPTY if image is not None else self._masks.get(segmentId, EMPTY)
                continue
            layers[segmentId] = (image, segment.GetLabelValue(), image.GetMTime())
            if self._layers.get(segmentId) == layers[segmentId]:
                masks[segmentId] = self._masks[segmentId]
            elif liesOnGrid(image, self._grid, self._shape):
                if image not in found:
                    found[image] = ndimage.find_objects(arrayFromImage(image))
                masks[segmentId] = _ofLabel(image, segment.GetLabelValue(), found[image])
            else:
                masks[segmentId] = Boxed.mask(segmentMask(self.node, segmentId, self.volumeNode))
        self._masks, self._layers = masks, layers
        self._modified = {each: self._segmentation.GetSegment(each).GetMTime() for each in masks}


def _areSame(ijkToRas: np.ndarray, other: np.ndarray) -> bool:
    return np.allclose(ijkToRas, other, rtol=1e-5, atol=1e-4)


def liesOnGrid(image: slicer.vtkOrientedImageData, ijkToRas: np.ndarray, shape: tuple[int, int, int]) -> bool:
    """Whether an image's voxels, of which there are some, are voxels of the grid (k, j, i), none beyond its edges."""
    if not _areSame(matrixOf(image.GetImageToWorldMatrix), ijkToRas):
        return False
    extent = np.reshape(image.GetExtent(), (3, 2))
    return bool((extent[:, 0] >= 0).all() and (extent[:, 1] < shape[::-1]).all())


def _ofLabel(image: slicer.vtkOrientedImageData, label: int, boxes: list) -> Boxed:
    """The mask of one label of an image on the grid; ``boxes``: of all its labels, as scipy finds them."""
    if not 0 < label <= len(boxes) or boxes[label - 1] is None:
        return EMPTY
    box = boxes[label - 1]
    first = image.GetExtent()[4::-2]  # (k, j, i)
    return Boxed(arrayFromImage(image)[box] == label, start_of(box)).moved(first)
