"""Axial diameters of any segment, as the lesion table has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import slicer

from ...engine.grid.boxed import Boxed
from ...engine.grid.geometry import ImageGeometry
from ...engine.measures.segment_measures import SourceMeasures
from ..nodes.arrays import RAS_FROM_LPS, arrayFromImage, boxMatrix, matrixOf
from ..nodes.volume import worldFromNode


@dataclass(frozen=True)
class SegmentDiameters:
    """Lengths in mm, points in RAS mm of the world; see the engine's `diameters` for what they are."""

    longMm: float
    shortMm: float
    longPoints: tuple[tuple[float, float, float], tuple[float, float, float]]
    shortPoints: tuple[tuple[float, float, float], tuple[float, float, float]]

    @property
    def positionS(self) -> float:
        """S in mm of the slice that they were measured in."""
        return (self.longPoints[0][2] + self.longPoints[1][2]) / 2


def segmentDiameters(node: slicer.vtkMRMLSegmentationNode, segmentId: str) -> SegmentDiameters | None:
    """Of a segment as it is now; None where it has no voxel or no label map, or lies under a non-linear transform.

    A label map that is not axial is measured in axial slices that it is resampled to.
    """
    labelmap = slicer.vtkOrientedImageData()
    if node.GetSegmentation().GetSegment(segmentId) is None or not node.GetBinaryLabelmapRepresentation(
        segmentId, labelmap
    ):
        return None
    if min(labelmap.GetDimensions()) < 1 or labelmap.GetPointData().GetScalars() is None:
        return None
    i, _, j, _, k, _ = labelmap.GetExtent()
    mask = Boxed.mask(arrayFromImage(labelmap), (k, j, i))
    toWorld = worldFromNode(node)
    if not mask or toWorld is None:
        return None
    ijkToRas = boxMatrix(toWorld @ matrixOf(labelmap.GetImageToWorldMatrix), mask.start)
    geometry = ImageGeometry(mask.values.shape, RAS_FROM_LPS @ ijkToRas)
    # Densities are not asked for: the mask stands in for the image.
    lesion = SourceMeasures(mask.values.astype(np.int16), geometry).measure(Boxed(mask.values, (0, 0, 0)))

    def inRas(points):
        return tuple((-x, -y, z) for x, y, z in points)

    return SegmentDiameters(
        lesion.long_axis_mm, lesion.short_axis_mm, inRas(lesion.long_axis_points), inRas(lesion.short_axis_points)
    )
