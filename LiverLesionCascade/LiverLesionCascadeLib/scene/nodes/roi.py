"""The voxels of a volume that lie in a region of interest."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import slicer

from ...engine.errors import InputError
from ...engine.grid.bounding_box import Box
from .arrays import matrixFromVtk
from .volume import worldFromIjk

MIN_VOXELS = 2
"""Along each axis: the engine takes nothing flatter for a volume."""


def roiBox(roiNode: slicer.vtkMRMLMarkupsROINode, volumeNode: slicer.vtkMRMLScalarVolumeNode) -> Box:
    """The box (k, j, i) of the voxels whose centres are in the ROI, both where they are seen in the scene.

    Of a ROI that is turned against the volume's axes it is the box around it. Raises InputError where the ROI has no
    extent or does not reach the volume, InvalidVolumeError where the volume is under a non-linear transform.
    """
    name, volumeName = roiNode.GetName(), volumeNode.GetName()
    if min(roiNode.GetSize()) <= 0:
        raise InputError(f"{name} has no extent. Draw it around the liver, or segment the whole volume.")
    ijk = _cornersInWorld(roiNode) @ np.linalg.inv(worldFromIjk(volumeNode)).T
    low, high = ijk[:, :3].min(axis=0), ijk[:, :3].max(axis=0)
    box = []
    # A border that runs through voxel centres has these voxels inside, in spite of rounding.
    for size, first, last in zip(volumeNode.GetImageData().GetDimensions(), low - 1e-6, high + 1e-6, strict=True):
        box.append(slice(max(math.ceil(first), 0), min(math.floor(last) + 1, size)))
    if any(axis.stop <= axis.start for axis in box):
        raise InputError(f"{name} lies outside of {volumeName}. Move it onto the liver, or segment the whole volume.")
    if any(axis.stop - axis.start < MIN_VOXELS for axis in box):
        raise InputError(
            f"{name} covers only one voxel of {volumeName} in one direction. Make it larger, so that it holds the "
            "liver, or segment the whole volume."
        )
    return tuple(reversed(box))


def _cornersInWorld(roiNode: slicer.vtkMRMLMarkupsROINode) -> np.ndarray:
    """(8, 4) homogeneous RAS of the world, the ROI's parent transforms applied."""
    halves = np.array(roiNode.GetSize()) / 2
    corners = np.array([(*(halves * signs), 1.0) for signs in product((-1, 1), repeat=3)])
    inNode = corners @ matrixFromVtk(roiNode.GetObjectToNodeMatrix()).T
    world = [0.0, 0.0, 0.0]
    result = []
    for corner in inNode:
        roiNode.TransformPointToWorld(corner[:3], world)
        result.append((*world, 1.0))
    return np.array(result)
