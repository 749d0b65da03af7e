"""Probability maps of a result as volumes."""

from __future__ import annotations

import slicer

from ...engine.results.result import SegmentationResult
from .volume import volumeNodeLike


def addProbabilityVolumes(
    result: SegmentationResult, volumeNode: slicer.vtkMRMLScalarVolumeNode
) -> list[slicer.vtkMRMLScalarVolumeNode]:
    """New volumes "<volume> liver probability" and "... lesion probability", 0 to 1, where the result has the maps.

    Each covers only the liver's box, on the volume's grid and under its transform, and stands beside it.
    """
    nodes = []
    for what, box in (("liver", result.liver_probability), ("lesion", result.lesion_probability)):
        if not box:
            continue
        name = f"{volumeNode.GetName()} {what} probability"
        nodes.append(volumeNodeLike(volumeNode, box.values, name, box.start, window=(0, 1)))
    return nodes
