"""The lesions' probabilities of a result, kept in the scene so that thresholds can be tried later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import slicer

from ...engine.grid.bounding_box import Box
from ...engine.results.lesion_threshold import FULL, stored_probability
from ...engine.results.result import ProbabilityBox
from ..nodes.volume import boxOf, setBox

PROBABILITY_ROLE = "LiverLesionCascade.LesionProbability"
"""Reference from a segmentation node to the hidden volume with the probabilities."""


@dataclass(frozen=True)
class StoredProbability:
    """:param values: uint8 (k, j, i), 0 to 255 for probabilities 0 to 1; shares the scene's memory.
    :param start: index (k, j, i) of the first voxel on the volume's grid. Outside of the box it is 0.
    """

    values: np.ndarray
    start: tuple[int, int, int]

    def within(self, box: Box) -> np.ndarray:
        """float32 0..1 (k, j, i) in a box of the volume's grid."""
        found = np.zeros([axis.stop - axis.start for axis in box], np.float32)
        here, there = [], []
        for axis, first, size in zip(box, self.start, self.values.shape, strict=True):
            low, high = max(axis.start, first), min(axis.stop, first + size)
            if low >= high:
                return found
            here.append(slice(low - axis.start, high - axis.start))
            there.append(slice(low - first, high - first))
        found[tuple(here)] = self.values[tuple(there)] / np.float32(FULL)
        return found


def storeProbability(segmentationNode, volumeNode, probability: ProbabilityBox | None) -> None:
    """Keep a result's probabilities with its node, in place of older ones; None for none."""
    removeStoredProbability(segmentationNode)
    if probability is None or not probability.values.size:
        return
    name = f"{segmentationNode.GetName()} lesion probability (stored)"
    node = segmentationNode.GetScene().AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetHideFromEditors(True)
    setBox(node, volumeNode, stored_probability(probability.values), probability.start)
    node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
    segmentationNode.SetNodeReferenceID(PROBABILITY_ROLE, node.GetID())


def storedProbability(segmentationNode, volumeNode) -> StoredProbability | None:
    """What `storeProbability` kept; None where there is nothing."""
    box = boxOf(segmentationNode.GetNodeReference(PROBABILITY_ROLE), volumeNode)
    return None if box is None else StoredProbability(*box)


def removeStoredProbability(segmentationNode: slicer.vtkMRMLSegmentationNode) -> None:
    node = segmentationNode.GetNodeReference(PROBABILITY_ROLE)
    if node is not None:
        segmentationNode.SetNodeReferenceID(PROBABILITY_ROLE, None)
        segmentationNode.GetScene().RemoveNode(node)
