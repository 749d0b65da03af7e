"""What of a volume node is sent to be segmented, and the way of its result back to the whole volume."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import slicer

from ...engine.findings import Finding
from ...engine.grid.bounding_box import start_of
from ...engine.grid.geometry import ImageGeometry
from ...engine.results.result import SegmentationResult
from ...engine.scan.ct_volume import CTVolume
from ..nodes.arrays import RAS_FROM_LPS
from ..nodes.roi import roiBox
from ..nodes.volume import scalarArray, worldFromIjk


@dataclass(frozen=True)
class Scan:
    """A volume, or the part of it that a region of interest covers.

    :param array: (k, j, i) HU; shares the node's memory.
    :param ijkToLps: (4, 4) of ``array``: (i, j, k, 1) to LPS mm of the world, parent transforms applied.
    :param name: of the volume.
    :param start: index (k, j, i) of the first voxel in the volume.
    :param volumeGrid: of the volume.
    :param roiName: of the region; empty for the whole volume.
    """

    array: np.ndarray
    ijkToLps: np.ndarray
    name: str
    start: tuple[int, int, int]
    volumeGrid: ImageGeometry
    roiName: str = ""

    def ctVolume(self) -> CTVolume:
        """For the engine. Raises InvalidVolumeError where the voxels cannot be those of a CT."""
        return CTVolume.from_array(self.array, self.ijkToLps, self.name)

    def onWholeVolume(self, result: SegmentationResult) -> SegmentationResult:
        """The scan's result on the volume's grid; that of a region says so."""
        if not self.roiName:
            return result
        whole = result.moved(self.start, self.volumeGrid)
        note = Finding(
            "restricted",
            "info",
            f"Only the region {self.roiName} was segmented: liver and lesions outside of it are not counted.",
        )
        return replace(whole, findings=[note, *whole.findings])


def scanFromNode(
    volumeNode: slicer.vtkMRMLScalarVolumeNode, roiNode: slicer.vtkMRMLMarkupsROINode | None = None
) -> Scan:
    """The volume, or what a region of interest covers of it.

    Raises InvalidVolumeError for a node that holds no CT or is under a non-linear transform, InputError for a region
    that does not reach the volume.
    """
    array = scalarArray(volumeNode)
    grid = ImageGeometry(array.shape, RAS_FROM_LPS @ worldFromIjk(volumeNode))
    name = volumeNode.GetName() or "The volume"
    if roiNode is None:
        return Scan(array, grid.ijk_to_lps, name, (0, 0, 0), grid)
    box = roiBox(roiNode, volumeNode)
    return Scan(array[box], grid.cropped(box).ijk_to_lps, name, start_of(box), grid, roiNode.GetName())
