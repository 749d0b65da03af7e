"""Probabilities of a result in the scene: kept for thresholds that are tried later, and as volumes for people."""

from __future__ import annotations

import slicer

from ...engine.grid.boxed import Boxed
from ...engine.results.lesion_threshold import stored_probability
from ...engine.results.result import SegmentationResult
from ..nodes.volume import boxOf, referringNodes, removeWithOwn, setBox, volumeNodeLike

PROBABILITY_ROLE = "LiverLesionCascade.LesionProbability"
"""Reference from a segmentation node to the hidden volume with the probabilities."""


def storeProbability(segmentationNode, volumeNode, probability: Boxed) -> None:
    """Keep a result's probabilities with its node, in place of older ones."""
    older = segmentationNode.GetNodeReference(PROBABILITY_ROLE)
    if older is not None:
        segmentationNode.SetNodeReferenceID(PROBABILITY_ROLE, None)
        if not referringNodes(older, PROBABILITY_ROLE):
            removeWithOwn(older)
    if probability:
        _store(segmentationNode, volumeNode, Boxed(stored_probability(probability.values), probability.start))


def keepOwnProbability(segmentationNode, volumeNode) -> None:
    """Give a copy of a node, which refers to the probabilities of the first, some of its own: each may be replaced."""
    shared = segmentationNode.GetNodeReference(PROBABILITY_ROLE)
    stored = storedProbability(segmentationNode, volumeNode)
    if stored is not None and len(referringNodes(shared, PROBABILITY_ROLE)) > 1:
        _store(segmentationNode, volumeNode, stored)


def _store(segmentationNode, volumeNode, stored: Boxed) -> None:
    name = f"{segmentationNode.GetName()} lesion probability (stored)"
    node = segmentationNode.GetScene().AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetHideFromEditors(True)
    setBox(node, volumeNode, stored)
    node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
    segmentationNode.SetNodeReferenceID(PROBABILITY_ROLE, node.GetID())


def storedProbability(segmentationNode, volumeNode) -> Boxed | None:
    """What `storeProbability` kept: uint8, 0 to 255 for 0 to 1, in the scene's memory; None where there is nothing."""
    return boxOf(segmentationNode.GetNodeReference(PROBABILITY_ROLE), volumeNode)


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
