"""The voxels of a volume that lie in a region of interest."""

from __future__ import annotations

from itertools import product

import numpy as np
import slicer

from ...engine.errors import InputError
from ...engine.grid.bounding_box import Box
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
    ijk = (_cornersInWorld(roiNode) @ np.linalg.inv(worldFromIjk(volumeNode)).T)[:, :3]
    size = volumeNode.GetImageData().GetDimensions()
    # A border that runs through voxel centres has these voxels inside, in spite of rounding.
    first = np.clip(np.ceil(ijk.min(axis=0) - 1e-6), 0, size).astype(int)
    stop = np.clip(np.floor(ijk.max(axis=0) + 1e-6) + 1, 0, size).astype(int)
    if (stop <= first).any():
        raise InputError(f"{name} lies outside of {volumeName}. Move it onto the liver, or segment the whole volume.")
    if (stop - first < MIN_VOXELS).any():
        raise InputError(
            f"{name} covers only one voxel of {volumeName} in one direction. Make it larger, so that it holds the "
            "liver, or segment the whole volume."
        )
    return tuple(map(slice, first[::-1].tolist(), stop[::-1].tolist()))


def _cornersInWorld(roiNode: slicer.vtkMRMLMarkupsROINode) -> np.ndarray:
    """(8, 4) homogeneous RAS of the world, the ROI's parent transforms applied."""
    halves = np.array(roiNode.GetSize()) / 2
    corners = np.array([(*(halves * signs), 1.0) for signs in product((-1, 1), repeat=3)])
    inNode = corners @ slicer.util.arrayFromVTKMatrix(roiNode.GetObjectToNodeMatrix()).T
    world = [0.0, 0.0, 0.0]
    result = []
    for corner in inNode:
        roiNode.TransformPointToWorld(corner[:3], world)
        result.append((*world, 1.0))
    return np.array(result)
