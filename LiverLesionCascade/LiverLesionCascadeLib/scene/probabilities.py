"""Probability maps of a result as volumes."""

from __future__ import annotations

import slicer

from ..engine.source_result import SourceResult
from .volume import volumeNodeLike


def addProbabilityVolumes(
    result: SourceResult, volumeNode: slicer.vtkMRMLScalarVolumeNode
) -> list[slicer.vtkMRMLScalarVolumeNode]:
    """New volumes "<volume> liver probability" and "... lesion probability", 0 to 1, where the result has the maps.

    Each covers only the liver's box, on the volume's grid and under its transform, and stands beside it.
    """
    nodes = []
    for what, box in (("liver", result.liver_probability), ("lesion", result.lesion_probability)):
        if box is None or not box.values.size:
            continue
        node = volumeNodeLike(volumeNode, box.values, f"{volumeNode.GetName()} {what} probability", box.start)
        display = node.GetDisplayNode()
        display.SetAutoWindowLevel(False)
        display.SetWindowLevelMinMax(0, 1)
        nodes.append(node)
    return nodes
