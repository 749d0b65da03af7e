"""Axial diameters of any segment, as the lesion table has them."""

from __future__ import annotations

import numpy as np
import slicer

from ...engine.grid.boxed import Boxed
from ...engine.grid.geometry import ImageGeometry
from ...engine.measures.lesions import Lesion
from ...engine.measures.segment_measures import SourceMeasures
from ..nodes.arrays import RAS_FROM_LPS, arrayFromImage, boxMatrix, matrixOf
from ..nodes.volume import worldFromNode


def segmentDiameters(node: slicer.vtkMRMLSegmentationNode, segmentId: str) -> Lesion | None:
    """Of a segment as it is now; None where it has no voxel or no label map, or lies under a non-linear transform.

    Points are LPS mm of the world; densities mean nothing. A label map that is not axial is measured in axial slices
    that it is resampled to.
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
    return SourceMeasures(mask.values.astype(np.int16), geometry).measure(Boxed(mask.values, (0, 0, 0)))
