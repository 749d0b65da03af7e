"""The way to a lesion in the views: slices, crosshair, camera."""

from __future__ import annotations

import numpy as np
import slicer

from ...engine.measures.lesions import Lesion
from ..nodes.one_change import oneRendering
from ..nodes.volume import nodesOfClass
from ..workspace.provenance import PREFIX, resultSegmentIds

HIDDEN = PREFIX + "HiddenForAnother"
"""Attribute of a result's segmentation node while another result is shown: "1"; what a person hid has none."""


@oneRendering()
def showAlone(node: slicer.vtkMRMLSegmentationNode) -> None:
    """Show a result and hide the other results: on another's scan they would say nothing."""
    for each in nodesOfClass(node.GetScene(), "vtkMRMLSegmentationNode"):
        display = each.GetDisplayNode()
        if display is None or not resultSegmentIds(each):
            continue
        if each is node and each.GetAttribute(HIDDEN):
            each.RemoveAttribute(HIDDEN)
            display.SetVisibility(True)
        elif each is not node and display.GetVisibility():
            each.SetAttribute(HIDDEN, "1")
            display.SetVisibility(False)


def othersInView(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> bool:
    """Whether a slice view shows another volume."""
    composites = nodesOfClass(volumeNode.GetScene(), "vtkMRMLSliceCompositeNode")
    backgrounds = [each.GetBackgroundVolumeID() for each in composites]
    return any(each and each != volumeNode.GetID() for each in backgrounds)


@oneRendering()
def showVolume(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Put a volume into all slice views."""
    for each in nodesOfClass(volumeNode.GetScene(), "vtkMRMLSliceCompositeNode"):
        each.SetBackgroundVolumeID(volumeNode.GetID())


READING_LAYOUT = 2017
"""Slicer's own layouts have smaller numbers, and a number once given is a layout's for ever."""

_VIEW = """<item splitSize="{size}"><view class="vtkMRMLSliceNode" singletontag="{tag}">
<property name="orientation" action="default">{orientation}</property>
<property name="viewlabel" action="default">{label}</property>
<property name="viewcolor" action="default">{color}</property></view></item>"""
READING_DESCRIPTION = f"""<layout type="horizontal" split="true">
{_VIEW.format(size=700, tag="Red", orientation="Axial", label="R", color="#F34A33")}
<item splitSize="300"><layout type="vertical" split="true">
{_VIEW.format(size=333, tag="Green", orientation="Coronal", label="G", color="#6EB04B")}
{_VIEW.format(size=333, tag="Yellow", orientation="Sagittal", label="Y", color="#EDD54C")}
<item splitSize="334"><view class="vtkMRMLViewNode" singletontag="1">
<property name="viewlabel" action="default">1</property></view></item>
</layout></item></layout>"""


def layoutNode(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLLayoutNode | None:
    """What the application's views are laid out by; None without views."""
    return scene.GetFirstNodeByClass("vtkMRMLLayoutNode")


@oneRendering()
def showReadingLayout(scene: slicer.vtkMRMLScene) -> None:
    """A large axial view, the others small beside it."""
    node = layoutNode(scene)
    if node is not None:
        if not node.IsLayoutDescription(READING_LAYOUT):
            node.AddLayoutDescription(READING_LAYOUT, READING_DESCRIPTION)
        node.SetViewArrangement(READING_LAYOUT)


def lesionPosition(lesion: Lesion) -> np.ndarray:
    """RAS mm of the world: the middle of the long axis, which lies in the slice that was measured."""
    left, posterior, superior = lesion.long_axis_middle
    return np.array((-left, -posterior, superior))


@oneRendering()
def jumpTo(scene: slicer.vtkMRMLScene, position: np.ndarray) -> None:
    """Show a position (RAS mm of the world) in the middle of all slice views; the cameras turn about it.

    A camera keeps its distance and direction: the 3D view does not zoom or turn.
    """
    slicer.vtkMRMLSliceNode.JumpAllSlices(scene, *position, slicer.vtkMRMLSliceNode.CenteredJumpSlice)
    for node in nodesOfClass(scene, "vtkMRMLCrosshairNode"):
        node.SetCrosshairRAS(*position)
    for node in nodesOfClass(scene, "vtkMRMLCameraNode"):
        before = np.array(node.GetFocalPoint())
        with slicer.util.NodeModify(node):
            node.SetPosition(*(np.array(node.GetPosition()) + position - before))
            node.SetFocalPoint(*position)
        node.ResetClippingRange()
