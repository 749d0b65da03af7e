"""The lesions' probabilities of a result, kept in the scene so that thresholds can be tried later."""

from __future__ import annotations

from ...engine.grid.boxed import Boxed
from ...engine.results.lesion_threshold import stored_probability
from ..nodes.volume import boxOf, setBox

PROBABILITY_ROLE = "LiverLesionCascade.LesionProbability"
"""Reference from a segmentation node to the hidden volume with the probabilities."""


def storeProbability(segmentationNode, volumeNode, probability: Boxed) -> None:
    """Keep a result's probabilities with its node, in place of older ones."""
    older = segmentationNode.GetNodeReference(PROBABILITY_ROLE)
    if older is not None:
        segmentationNode.SetNodeReferenceID(PROBABILITY_ROLE, None)
        segmentationNode.GetScene().RemoveNode(older)
    if not probability:
        return
    name = f"{segmentationNode.GetName()} lesion probability (stored)"
    node = segmentationNode.GetScene().AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetHideFromEditors(True)
    setBox(node, volumeNode, stored_probability(probability.values), probability.start)
    node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
    segmentationNode.SetNodeReferenceID(PROBABILITY_ROLE, node.GetID())


def storedProbability(segmentationNode, volumeNode) -> Boxed | None:
    """What `storeProbability` kept: uint8, 0 to 255 for 0 to 1, in the scene's memory; None where there is nothing."""
    box = boxOf(segmentationNode.GetNodeReference(PROBABILITY_ROLE), volumeNode)
    return None if box is None else Boxed(*box)
