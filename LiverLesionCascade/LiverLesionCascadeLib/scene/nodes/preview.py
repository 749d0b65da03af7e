"""A mask shown over the slices for as long as it is tried: a node of its own, which no list shows and no file keeps."""

from __future__ import annotations

import numpy as np
import slicer

from .arrays import arrayFromImage, orientedImage
from .one_change import oneChange, oneRendering
from .representations import BINARY_LABELMAP
from .volume import ijkToRasMatrix, removeWithOwn

COLOR = (1.0, 0.85, 0.1)
FILL_OPACITY = 0.5
_SEGMENT_ID = "preview"


class LesionPreview:
    """Shows one mask after the other on a volume's grid.

    :param volumeNode: the volume; the preview lies under its transform.
    :param colors: of the mask, 0 to 1 each; several for labels 1..n.
    """

    @oneRendering()
    def __init__(self, volumeNode: slicer.vtkMRMLScalarVolumeNode, *colors: tuple[float, float, float]):
        self._volumeNode, self._colors = volumeNode, colors or (COLOR,)
        scene = volumeNode.GetScene()
        node = scene.CreateNodeByClass("vtkMRMLSegmentationNode")
        node.UnRegister(None)
        node.SetName("Preview of lesions")
        # The subject hierarchy needs an item for each node that gets segments, or it complains of each: one is made, in
        # no tree. Hidden before it is in the scene, the node would get none.
        constants = slicer.vtkMRMLSubjectHierarchyConstants
        node.SetAttribute(constants.GetSubjectHierarchyExcludeFromTreeAttributeName(), "1")
        node.SetSaveWithScene(False)
        node.SetUndoEnabled(False)
        self._node = scene.AddNode(node)
        node.SetHideFromEditors(True)
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.SetSaveWithScene(False)
        display.SetVisibility3D(False)
        self._image = None
        node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())

    @property
    def isShown(self) -> bool:
        """Whether it is in the scene; it goes with a scene that is closed."""
        return self._node.GetScene() is not None

    @oneRendering()
    def show(self, mask: np.ndarray, start: tuple[int, int, int]) -> None:
        """Show a mask instead of the last.

        :param mask: bool or labels (k, j, i) of a box of the volume's grid, always of the same one.
        :param start: index (k, j, i) of its first voxel.
        """
        if self._image is None:
            self._add(mask, start)
            return
        np.copyto(arrayFromImage(self._image), mask, casting="unsafe")
        self._image.GetPointData().GetScalars().Modified()
        self._image.Modified()
        segmentation = self._node.GetSegmentation()
        segmentation.InvokeEvent(slicer.vtkSegmentation.RepresentationModified)

    @oneRendering()
    def remove(self) -> None:
        """Take it out of the scene."""
        removeWithOwn(self._node)
        self._image = None

    def _add(self, mask: np.ndarray, start: tuple[int, int, int]) -> None:
        self._image = orientedImage(mask, ijkToRasMatrix(self._volumeNode), start)
        with oneChange(self._node):
            for label, color in enumerate(self._colors, start=1):
                segment = slicer.vtkSegment()
                segment.SetName("Preview")
                segment.SetColor(*color)
                segment.SetLabelValue(label)
                segment.AddRepresentation(BINARY_LABELMAP, self._image)
                segmentId = _SEGMENT_ID if label == 1 else f"{_SEGMENT_ID}_{label}"
                self._node.GetSegmentation().AddSegment(segment, segmentId)
                self._node.GetDisplayNode().SetSegmentOpacity2DFill(segmentId, FILL_OPACITY)
