"""Many segments given other voxels at once, layer by layer: Slicer's own way takes a copy of the layer for each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import slicer

from ...engine.errors import OutputError
from ...engine.grid.bounding_box import start_of
from ...engine.grid.boxed import Boxed, joint_box
from .arrays import arrayFromImage, orientedImage
from .one_change import oneChange
from .representations import BINARY_LABELMAP
from .volume import ijkToRasMatrix


def writeSegments(
    node: slicer.vtkMRMLSegmentationNode,
    masks: Mapping[str, Boxed],
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
) -> None:
    """Give segments of a node other voxels. They share a new layer then, as far as they do not overlap; no other
    segment changes.

    :param masks: by segment ID, on the volume's grid.

    Raises OutputError where the segments would not overlay the volume; nothing has changed then.
    """
    requireOverlay(node, volumeNode)
    if not masks:
        return
    segmentation = node.GetSegmentation()
    layers = _layers(masks, ijkToRasMatrix(volumeNode))
    with oneChange(node):
        _leaveLayers(segmentation, set(masks))
        for image, ids in layers:
            for label, segmentId in enumerate(ids, start=1):
                segment = segmentation.GetSegment(segmentId)
                segment.RemoveAllRepresentations(BINARY_LABELMAP)  # surfaces of other voxels
                segment.AddRepresentation(BINARY_LABELMAP, image)
                segment.SetLabelValue(label)
        # Without a segment's ID they are about all of them.
        segmentation.InvokeEvent(slicer.vtkSegmentation.SourceRepresentationModified)
        segmentation.InvokeEvent(slicer.vtkSegmentation.RepresentationModified)


def removeSegments(node: slicer.vtkMRMLSegmentationNode, segmentIds: list[str]) -> None:
    """Take segments out of a node, emptied: they can be put back and written again."""
    if not segmentIds:
        return
    segmentation = node.GetSegmentation()
    with oneChange(node):
        _leaveLayers(segmentation, set(segmentIds))
        for segmentId in segmentIds:  # from a layer that others share, Slicer removes a segment by copying the layer
            segmentation.GetSegment(segmentId).AddRepresentation(BINARY_LABELMAP, emptyLabelmap())
            segmentation.RemoveSegment(segmentId)


def emptyLabelmap() -> slicer.vtkOrientedImageData:
    """A label map without a voxel, as Slicer gives an empty segment."""
    return orientedImage(np.zeros((0, 0, 0), np.uint8), np.eye(4))


def requireOverlay(node: slicer.vtkMRMLSegmentationNode, volumeNode: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Raise OutputError where new segments of the node would not overlay the volume."""
    if node.GetTransformNodeID() != volumeNode.GetTransformNodeID():
        raise OutputError(
            f"{node.GetName()} is not under the same transform as {volumeNode.GetName()}: its lesions would not "
            "overlay the volume. Give both the same transform."
        )
    name = node.GetSegmentation().GetSourceRepresentationName()
    if name != BINARY_LABELMAP:
        raise OutputError(
            f"The segments of {node.GetName()} are stored as {name}. Make the binary labelmap their source "
            "representation (Segmentations module)."
        )


def _layers(masks: Mapping[str, Boxed], ijkToRas: np.ndarray) -> list[tuple[slicer.vtkOrientedImageData, list[str]]]:
    """Label maps of only the box that holds the masks (one voxel where all are empty), each with the IDs of the
    segments that it numbers from 1."""
    box = joint_box(masks.values()) or (slice(0, 1),) * 3
    start = start_of(box)
    layers: list[tuple[np.ndarray, list[str]]] = []
    for segmentId, mask in masks.items():
        inner = tuple(slice(a.start - s, a.stop - s) for a, s in zip(mask.box, start, strict=True))
        free = (layer for layer in layers if not mask or not layer[0][inner][mask.values].any())
        values, ids = layer = next(free, None) or (np.zeros([axis.stop - axis.start for axis in box], np.uint16), [])
        if not ids:
            layers.append(layer)
        ids.append(segmentId)
        if mask:
            values[inner][mask.values] = len(ids)
    return [
        (orientedImage(values.astype(np.min_scalar_type(len(ids))), ijkToRas, start), ids) for values, ids in layers
    ]


def _leaveLayers(segmentation: slicer.vtkSegmentation, segmentIds: set[str]) -> None:
    """Wipe the segments' voxels out of the layers that they share with segments that stay."""
    for number in range(segmentation.GetNumberOfLayers(BINARY_LABELMAP)):
        inLayer = set(segmentation.GetSegmentIDsForLayer(number, BINARY_LABELMAP))
        leaving = inLayer & segmentIds
        if leaving and inLayer - segmentIds:
            image = segmentation.GetLayerDataObject(number, BINARY_LABELMAP)
            values = arrayFromImage(image)
            labels = [segmentation.GetSegment(each).GetLabelValue() for each in leaving]
            values[np.isin(values, labels)] = 0
            image.Modified()
