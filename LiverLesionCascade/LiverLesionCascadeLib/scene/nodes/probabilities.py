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
    name = volumeNode.GetName()
    return [
        volumeNodeLike(volumeNode, box.values, f"{name} {what} probability", box.start, window=(0, 1))
        for what, box in (("liver", result.liver_probability), ("lesion", result.lesion_probability))
        if box
    ]
