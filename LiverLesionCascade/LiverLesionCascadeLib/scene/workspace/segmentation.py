"""Results as segmentation nodes, and segments as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import slicer
import vtk

from ...engine.errors import OutputError
from ...engine.grid.boxed import Boxed
from ..nodes.arrays import RAS_FROM_LPS, arrayFromImage, matrixOf, orientedImage
from ..nodes.one_change import oneRendering
from ..nodes.representations import BINARY_LABELMAP, REFERENCE_GEOMETRY
from ..nodes.terminology import LESION_TERMINOLOGY, LIVER_COLOR, LIVER_TERMINOLOGY, MASS_COLOR
from ..nodes.volume import ijkToRasMatrix, nodeFromIjk, placeBeside, worldFromIjk
from .provenance import (
    LESION_ROLE,
    LIVER_ROLE,
    ROLE,
    SEGMENT_ID,
    isOwnSegment,
    lesionFilterTags,
    lesionTags,
    resultSegmentIds,
    resultTags,
    rulesTags,
)
from .replace_history import exchangeResult
from .stored_probability import storeProbability

if TYPE_CHECKING:
    from ...engine.results.result import SegmentationResult
    from .replace_history import ReplaceHistory

LIVER_FILL_OPACITY = 0.2
LESION_FILL_OPACITY = 0.4
LIVER_3D_OPACITY = 0.4
"""The lesions lie inside the liver: in 3D they show through it."""


@oneRendering()
def segmentationNodeFromResult(
    result: SegmentationResult,
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    outputNode: slicer.vtkMRMLSegmentationNode | None = None,
    replace: bool = False,
    history: ReplaceHistory | None = None,
) -> slicer.vtkMRMLSegmentationNode:
    """A segmentation of the volume: *Liver* first, the whole organ, then *Lesion 1..n* by size.

    The segments lie on the volume's own grid, so they overlay it exactly, whatever transform it is under.

    :param volumeNode: the volume that was segmented, with the grid that it had then. It may have been moved since.
    :param outputNode: a node to add the segments to, before those it holds; None for a new one beside the volume,
        "<volume> liver and lesions".
    :param replace: in ``outputNode``, take out an earlier result first. Only segments that a result of ours made are
        taken out, with what was edited in them; all others stay, copies that a person made included.
    :param history: remembers what is replaced, so that it can be brought back.

    Raises OutputError where the volume's grid has changed, ``outputNode`` holds an earlier result and ``replace`` is
    not set, or its segments would not overlay the volume. Nothing in the scene has changed then.
    """
    requireSameGrid(result, volumeNode)
    if outputNode is not None:
        requireUsable(outputNode, volumeNode, replace)
    tags = resultTags(result, volumeNode.GetName() or "", volumeNode)
    segments = _buildSegments(result, ijkToRasMatrix(volumeNode), tags)

    if outputNode is None:
        node = _addSegmentationNode(volumeNode.GetScene(), volumeNode.GetName())
        placeBeside(node, volumeNode)
    else:
        node = outputNode

    def insert() -> None:
        if not node.GetSegmentation().GetNumberOfSegments():
            node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
        node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
        _insertSegments(node, segments)
        storeProbability(node, volumeNode, result.lesion_probability)

    if history is not None and resultSegmentIds(node):
        history.replace(node, insert)
    else:
        exchangeResult(node, insert).forget()
    return node


def segmentationNodeOnSource(scene: slicer.vtkMRMLScene, result: SegmentationResult) -> slicer.vtkMRMLSegmentationNode:
    """The same segmentation without a volume node: where the image lay that was segmented."""
    ijkToRas = RAS_FROM_LPS @ result.grid.ijk_to_lps
    segments = _buildSegments(result, ijkToRas, resultTags(result, result.name))
    node = _addSegmentationNode(scene, result.name)
    slices, rows, columns = result.grid.shape
    geometry = slicer.vtkSegmentationConverter.SerializeImageGeometry(
        slicer.util.vtkMatrixFromArray(ijkToRas), [0, columns - 1, 0, rows - 1, 0, slices - 1]
    )
    node.GetSegmentation().SetConversionParameter(REFERENCE_GEOMETRY, geometry)
    _insertSegments(node, segments)
    return node


def segmentMask(
    node: slicer.vtkMRMLSegmentationNode, segmentId: str, volumeNode: slicer.vtkMRMLScalarVolumeNode
) -> np.ndarray:
    """One segment as bool (k, j, i) on the volume's grid, edits included.

    A segment that lies on another grid or under another transform is resampled (nearest neighbour). Raises KeyError
    where the node has no such segment.
    """
    if node.GetSegmentation().GetSegment(segmentId) is None:
        raise KeyError(f"{node.GetName()} has no segment {segmentId}")
    labelmap = slicer.vtkOrientedImageData()
    if not node.GetBinaryLabelmapRepresentation(segmentId, labelmap) or min(labelmap.GetDimensions()) < 1:
        return np.zeros(volumeNode.GetImageData().GetDimensions()[::-1], bool)
    reference = slicer.vtkOrientedImageData()
    reference.SetImageToWorldMatrix(slicer.util.vtkMatrixFromArray(ijkToRasMatrix(volumeNode)))
    reference.SetExtent(volumeNode.GetImageData().GetExtent())
    if node.GetParentTransformNode() is not volumeNode.GetParentTransformNode():
        between = vtk.vtkGeneralTransform()
        slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(
            node.GetParentTransformNode(), volumeNode.GetParentTransformNode(), between
        )
        slicer.vtkOrientedImageDataResample.TransformOrientedImage(labelmap, between)
    resampled = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(labelmap, reference, resampled)
    return arrayFromImage(resampled) != 0


def liesWithSegments(node: slicer.vtkMRMLSegmentationNode, volumeNode: slicer.vtkMRMLScalarVolumeNode) -> bool:
    """Whether a volume lies where the segmentation's reference geometry does, whatever voxels either has.

    One of the two may be cropped, or have finer voxels, which Slicer's editor offers: within half a voxel, one lies in
    the other, and their axes are parallel. A volume that was moved without its segmentation does not.
    """
    toNode = nodeFromIjk(node, volumeNode)
    text, reference = node.GetSegmentation().GetConversionParameter(REFERENCE_GEOMETRY), slicer.vtkOrientedImageData()
    if toNode is None or not slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, reference, False):
        return toNode is not None
    toReference = np.linalg.inv(matrixOf(reference.GetImageToWorldMatrix)) @ toNode
    size = np.array(volumeNode.GetImageData().GetDimensions())
    edges = np.abs(toReference[:3, :3])  # of a voxel, in voxels of the reference
    half = 0.5 * np.maximum(1, edges.max(axis=1))
    middle = toReference[:3] @ (*((size - 1) / 2), 1)
    reach = (edges * size).max(axis=1) / 2
    before = middle - reach - (np.array(reference.GetExtent()[::2]) - 0.5)
    beyond = middle + reach - (np.array(reference.GetExtent()[1::2]) + 0.5)
    parallel = (edges * size).sum(axis=1) - 2 * reach <= half
    within, around = (before >= -half) & (beyond <= half), (before <= half) & (beyond >= -half)
    return bool(parallel.all() and (within.all() or around.all()))


@dataclass(frozen=True)
class _NewSegment:
    id: str
    segment: slicer.vtkSegment
    fillOpacity: float
    opacity3D: float


def _buildSegments(result: SegmentationResult, ijkToRas: np.ndarray, tags: dict[str, str]) -> list[_NewSegment]:
    """The liver's segment on a layer of its own (lesions lie inside it), all lesions' on one that they share.

    :param tags: of all of them; see `resultTags`.
    """
    liverLayer = _layer(result.liver, ijkToRas)
    rules = rulesTags(result.lesion_threshold, result.min_lesion_mm, result.split_lesions)
    liverTags = tags | {ROLE: LIVER_ROLE} | rules | lesionFilterTags(result.lesion_filter)
    liver = newSegment("Liver", LIVER_TERMINOLOGY, LIVER_COLOR, liverLayer, 1, liverTags)
    segments = [_NewSegment("liver", liver, LIVER_FILL_OPACITY, LIVER_3D_OPACITY)]

    lesionLayer = _layer(result.lesions, ijkToRas)
    measured = {lesion.number: lesion for lesion in result.table}
    for number in range(1, int(result.lesions.values.max(initial=0)) + 1):
        own = tags | {ROLE: LESION_ROLE} | lesionTags(number, measured.get(number))
        segment = newSegment(f"Lesion {number}", LESION_TERMINOLOGY, MASS_COLOR, lesionLayer, number, own)
        segments.append(_NewSegment(f"lesion_{number}", segment, LESION_FILL_OPACITY, 1.0))
    return segments


def _layer(labels: Boxed, ijkToRas: np.ndarray) -> slicer.vtkOrientedImageData:
    """A label map of only the box that holds labels, which spares the scene memory.

    Where nothing was found it is one voxel: a layer without any would lose the image's grid in a file.
    """
    if not labels:
        return orientedImage(np.zeros((1, 1, 1), np.uint8), ijkToRas)
    return orientedImage(labels.values, ijkToRas, labels.start)


def newSegment(
    name: str,
    terminology: str,
    color: tuple[float, float, float],
    layer: slicer.vtkOrientedImageData,
    labelValue: int,
    tags: dict[str, str],
) -> slicer.vtkSegment:
    """A segment that waits for a person's review; ``labelValue`` is its voxels' in ``layer``."""
    segment = slicer.vtkSegment()
    segment.SetName(name)
    segment.SetNameAutoGenerated(False)
    segment.SetTerminology(terminology)
    segment.SetColor(*color)
    segment.SetColorAutoGenerated(False)
    segment.SetLabelValue(labelValue)
    # Segments that are given the same image share it as one layer, told apart by their label values.
    segment.AddRepresentation(BINARY_LABELMAP, layer)
    for key, value in tags.items():
        segment.SetTag(key, value)
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    logic.SetSegmentStatus(segment, logic.InProgress)
    return segment


def _addSegmentationNode(scene: slicer.vtkMRMLScene, volumeName: str | None) -> slicer.vtkMRMLSegmentationNode:
    name = f"{volumeName} liver and lesions" if volumeName else "Liver and lesions"
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", scene.GetUniqueNameByString(name))
    node.CreateDefaultDisplayNodes()
    return node


def _insertSegments(node: slicer.vtkMRMLSegmentationNode, segments: list[_NewSegment]) -> None:
    """Put the segments before all others."""
    segmentation = node.GetSegmentation()
    before = segmentation.GetNthSegmentID(0) if segmentation.GetNumberOfSegments() else ""
    for segmentId in segmentation.GetSegmentIDs():
        if isOwnSegment(segmentation, segmentId):  # that a person copied from a result in another node
            segmentation.GetSegment(segmentId).RemoveTag(SEGMENT_ID)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    for new in segments:
        segmentId = segmentation.GenerateUniqueSegmentID(new.id)
        new.segment.SetTag(SEGMENT_ID, segmentId)
        if not segmentation.AddSegment(new.segment, segmentId, before):
            raise OutputError(f"Slicer could not add the segment {new.segment.GetName()} to {node.GetName()}.")
        display.SetSegmentOpacity2DFill(segmentId, new.fillOpacity)
        display.SetSegmentOpacity3D(segmentId, new.opacity3D)


def requireSameGrid(result: SegmentationResult, volumeNode: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Raise OutputError unless the volume has the grid that was segmented; it may have been moved or turned since."""
    image = volumeNode.GetImageData()
    now, then = (matrix[:3, :3] for matrix in (worldFromIjk(volumeNode), result.grid.ijk_to_lps))
    # Lengths of the grid's axes and angles between them are all that neither a shift nor a rotation changes.
    sameVoxels = np.allclose(now.T @ now, then.T @ then, rtol=1e-3, atol=1e-3 * np.linalg.norm(then, axis=0).min() ** 2)
    if image is None or image.GetDimensions()[::-1] != result.grid.shape or not sameVoxels:
        raise OutputError(
            f"{volumeNode.GetName()} has changed since it was segmented: its grid is another. Segment it again."
        )


def requireUsable(
    node: slicer.vtkMRMLSegmentationNode, volumeNode: slicer.vtkMRMLScalarVolumeNode, replace: bool
) -> None:
    """Raise OutputError, with the remedy, where a result of the volume cannot go into the node."""
    segmentation = node.GetSegmentation()
    if not segmentation.GetNumberOfSegments():
        return
    if segmentation.GetSourceRepresentationName() != BINARY_LABELMAP:
        raise OutputError(
            f"{node.GetName()} holds {segmentation.GetSourceRepresentationName()} segments. Choose a new output, or "
            "make the binary labelmap its source representation (Segmentations module)."
        )
    if node.GetTransformNodeID() != volumeNode.GetTransformNodeID():
        raise OutputError(
            f"{node.GetName()} is not under the same transform as {volumeNode.GetName()}: the result would not overlay "
            "the volume. Choose a new output, or give both the same transform."
        )
    if resultSegmentIds(node) and not replace:
        raise OutputError(
            f"{node.GetName()} holds an earlier result already. Choose a new output, or replace that result."
        )
