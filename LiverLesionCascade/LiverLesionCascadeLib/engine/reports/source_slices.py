"""Slice numbers as the reader of the source image sees them.

A slice number shown to people is the source image's own voxel index, counted from 0, along its axis that runs between
feet and head: the K (for an axial series) of Slicer's Data Probe. ``S`` in mm is what Slicer's axial slice slider
shows. In a tilted source no single slice of the image is an axial plane; the number is then that of the source slice
nearest to the point in question.
"""

from __future__ import annotations

import numpy as np

from ..grid.geometry import axial_order, slice_at
from ..scan.ct_volume import CTVolume


def source_slice(ct: CTVolume, point: tuple[float, float, float] | np.ndarray) -> int:
    """The source's slice nearest to a point in LPS mm, kept within the image: see the top of this file."""
    index = slice_at(ct.source, point)
    if (
        len(ct.places) and axial_order(ct.source).axes[0] == 0
    ):  # uneven slices: of the images, not of the even grid that they were put on
        return int(np.abs(ct.places - index).argmin())
    return index
