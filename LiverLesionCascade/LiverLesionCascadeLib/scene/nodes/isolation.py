"""One segment shown alone: the others are hidden for as long, and are shown again as they were."""

from __future__ import annotations

import json
from collections.abc import Iterable

import slicer

from .one_change import oneRendering

ISOLATED = "LiverLesionCascade.VisibleBeforeIsolation"
"""Attribute of a segmentation node while a segment is shown alone: JSON of whether each of the others was visible."""


def isIsolating(node: slicer.vtkMRMLSegmentationNode) -> bool:
    return node.GetAttribute(ISOLATED) is not None


@oneRendering()
def isolate(node: slicer.vtkMRMLSegmentationNode, segmentIds: Iterable[str], segmentId: str) -> None:
    """Hide all of some segments but one, in slices and in 3D. `endIsolation` brings back what was visible."""
    if node.GetDisplayNode() is None:
        return
    before = {each: ownVisibility(node, each) for each in segmentIds}
    node.SetAttribute(ISOLATED, json.dumps(_before(node) | before))
    _setVisibility(node, {each: each == segmentId for each in before})


@oneRendering()
def endIsolation(node: slicer.vtkMRMLSegmentationNode) -> None:
    """Show the segments again that were visible before."""
    before = _before(node)
    node.RemoveAttribute(ISOLATED)
    _setVisibility(node, {each: shown for each, shown in before.items() if node.GetSegmentation().GetSegment(each)})


def ownVisibility(node: slicer.vtkMRMLSegmentationNode, segmentId: str) -> bool:
    """Whether a segment is shown where none is shown alone."""
    return _before(node).get(segmentId, bool(node.GetDisplayNode().GetSegmentVisibility(segmentId)))


def setOwnVisibility(node: slicer.vtkMRMLSegmentationNode, segmentId: str, visible: bool) -> None:
    """Show a segment or not, at the latest when none is shown alone any more."""
    if isIsolating(node):
        node.SetAttribute(ISOLATED, json.dumps(_before(node) | {segmentId: visible}))
    _setVisibility(node, {segmentId: visible and not isIsolating(node)})


def _before(node: slicer.vtkMRMLSegmentationNode) -> dict[str, bool]:
    return json.loads(node.GetAttribute(ISOLATED) or "{}")


def _setVisibility(node: slicer.vtkMRMLSegmentationNode, visible: dict[str, bool]) -> None:
    display = node.GetDisplayNode()
    if display is None:
        return
    with slicer.util.NodeModify(display):
        for segmentId, value in visible.items():
            if bool(display.GetSegmentVisibility(segmentId)) != value:
                display.SetSegmentVisibility(segmentId, value)
