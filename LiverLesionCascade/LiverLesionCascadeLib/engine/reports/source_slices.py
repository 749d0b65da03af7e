"""Slice numbers as the reader of the source image sees them.

A slice number shown to people is the source image's own voxel index, counted from 0, along its axis that runs between
feet and head: the K (for an axial series) of Slicer's Data Probe. ``S`` in mm is what Slicer's axial slice slider
shows. In a tilted source no single slice of the image is an axial plane; the number is then that of the source slice
nearest to the point in question.
"""

from __future__ import annotations

import numpy as np

from ..grid.geometry import axial_order
from ..measures.lesions import Lesion
from ..scan.ct_volume import CTVolume

Point = tuple[float, float, float]


def source_voxel(ct: CTVolume, point: Point) -> tuple[int, int, int]:
    """The source's voxel (i, j, k) nearest to a point (slice, row, column) of ``ct.hu``, kept within the image."""
    kji = np.rint(ct.source.from_lps(ct.geometry.to_lps(np.asarray(point, dtype=float)))).astype(int)
    k, j, i = (int(n) for n in np.clip(kji, 0, np.asarray(ct.source.shape) - 1))
    return i, j, k


def source_slice(ct: CTVolume, point: Point) -> int:
    """The source's slice nearest to a point (slice, row, column) of ``ct.hu``: see the top of this file."""
    axis = axial_order(ct.source).axes[0]
    index = source_voxel(ct, point)[2 - axis]
    if axis == 0 and len(ct.places):  # uneven slices: of the images, not of the even grid that they were put on
        return int(np.abs(ct.places - index).argmin())
    return index


def ras(ct: CTVolume, point: Point) -> tuple[float, float, float]:
    """A point (slice, row, column) of ``ct.hu`` in Slicer's world coordinates: RAS, mm."""
    left, posterior, superior = (float(x) for x in ct.geometry.to_lps(np.asarray(point, dtype=float)))
    return -left, -posterior, superior


def long_axis_middle(lesion: Lesion) -> Point:
    """The middle of a lesion's long axis, (slice, row, column)."""
    (s0, r0, c0), (s1, r1, c1) = lesion.long_axis_points
    return (s0 + s1) / 2, (r0 + r1) / 2, (c0 + c1) / 2
