"""A corrected segmentation in the scene as a training case: the CT's voxels with labels on the same grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import slicer
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.scene.nodes.arrays import RAS_FROM_LPS, arrayFromImage
from LiverLesionCascadeLib.scene.nodes.representations import BINARY_LABELMAP
from LiverLesionCascadeLib.scene.nodes.volume import ctVolumeFromNode, worldFromIjk
from LiverLesionCascadeLib.scene.workspace.provenance import getTag
from LiverLesionCascadeLib.scene.workspace.segmentation import segmentMask

from .cases.labels import LESION, LIVER
from .layouts.segment_labels import SegmentIdentity, terminology_codes

TERMINOLOGY_TAG = slicer.vtkSegment.GetTerminologyEntryTagName()


@dataclass(frozen=True)
class SceneCase:
    """A case as it lies in the scene.

    Attributes:
        hu: (k, j, i), shares the volume node's memory.
        labels: (k, j, i) uint8: 0 background, 1 liver, 2 lesion.
        ijkToLps: (4, 4), (i, j, k, 1) to LPS mm, parent transforms applied.
        unused: Names of the segments that are neither liver nor lesion.
    """

    hu: np.ndarray
    labels: np.ndarray
    ijkToLps: np.ndarray
    unused: tuple[str, ...]


def caseFromScene(
    volumeNode: slicer.vtkMRMLScalarVolumeNode, segmentationNode: slicer.vtkMRMLSegmentationNode
) -> SceneCase:
    """The case that a volume and its segmentation are; edits included, whatever grid and transform they lie on.

    Segments are understood by their terminology, then by their names. Where lesions and liver overlap it is a lesion.
    Raises InputError where no segment is the liver or it is empty, and InvalidVolumeError where the volume is no CT.
    """
    ctVolumeFromNode(volumeNode).require_ct_like()
    name, segmentation = segmentationNode.GetName(), segmentationNode.GetSegmentation()
    if segmentation.GetNumberOfSegments() and not segmentation.ContainsRepresentation(BINARY_LABELMAP):
        raise InputError(
            f"{name} has no binary labelmap: create that representation in the module Segmentations, then add the case."
        )
    masks: dict[int, np.ndarray] = {}
    unused = []
    for segmentId in segmentation.GetSegmentIDs():
        segment = segmentation.GetSegment(segmentId)
        role = segmentRole(segment)
        if role is None:
            unused.append(segment.GetName())
            continue
        mask = segmentMask(segmentationNode, segmentId, volumeNode)
        masks[role] = masks[role] | mask if role in masks else mask
    if LIVER not in masks:
        raise InputError(
            f"{name} has no liver: give that segment the terminology Liver or the name Liver, then add the case."
        )
    if not masks[LIVER].any():
        raise InputError(f"The liver in {name} is empty on the grid of {volumeNode.GetName()}: segment it first.")
    labels = np.where(masks[LIVER], np.uint8(LIVER), np.uint8(0))
    if LESION in masks:
        labels[masks[LESION]] = LESION
    ijkToLps = RAS_FROM_LPS @ worldFromIjk(volumeNode)
    return SceneCase(arrayFromImage(volumeNode.GetImageData()), labels, ijkToLps, tuple(unused))


def segmentRole(segment: slicer.vtkSegment) -> int | None:
    """LIVER, LESION, or None for a segment that is neither."""
    typeCode, regionCode = terminology_codes(getTag(segment, TERMINOLOGY_TAG))
    return SegmentIdentity(segment.GetName(), typeCode, regionCode).role
