"""Lesion instances and their measures.

All arrays are (slice, row, column) on one grid in axial order; lengths in mm, volumes in mL, densities in HU, points in
LPS mm, so that a lesion is the same on every grid. The axial diameters are defined in `diameters`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from ..grid.bounding_box import Box, bounding_box, grown
from ..grid.boxed import Boxed
from ..grid.geometry import ImageGeometry, slice_at
from .diameters import Point, axial_diameters, equivalent_diameter_mm

#: A lesion of less confidence is as likely none.
DOUBTFUL_BELOW = 0.5
#: Instances are numbered in uint16.
MAX_LESIONS = 65535
#: Voxels that share a face, an edge or a corner, for `scipy.ndimage.label`.
NEIGHBOURS_26 = np.ones((3, 3, 3), dtype=bool)

# Surface voxels whose distance is looked up before the others are narrowed down.
_FIRST_TRIED = 64


@dataclass(frozen=True)
class Lesion:
    """Measures of one lesion.

    Attributes:
        number: The lesion's value in the instance map; 1 is the largest.
        voxels: Number of voxels.
        volume_ml: Volume in mL.
        long_axis_mm: Longest in-plane diameter over all axial slices.
        short_axis_mm: Longest diameter perpendicular to it in the same slice.
        long_axis_points: Ends of the long axis, LPS mm.
        short_axis_points: Ends of the short axis, LPS mm.
        mean_hu: Mean HU.
        sd_hu: Standard deviation of HU (of a sample, as Slicer's Segment Statistics gives it; 0 for one voxel).
        confidence: Mean lesion probability within the lesion, 0 to 1; None where no map was given. In the result of a
            bundle with a filter, how likely the filter finds the lesion (`lesion_filter`).
        centroid: Centre of mass, LPS mm.
        distance_to_liver_surface_mm: From the lesion's nearest voxel to the nearest liver voxel that has a face
            neighbour outside of the liver, centre to centre: 0 where the lesion touches or crosses the surface. The
            edge of the image, tilted or not, is no surface. None where no liver was given, or none of its surface is in
            the image.
    """

    number: int
    voxels: int
    volume_ml: float
    long_axis_mm: float
    short_axis_mm: float
    long_axis_points: tuple[Point, Point]
    short_axis_points: tuple[Point, Point]
    mean_hu: float
    sd_hu: float
    confidence: float | None
    centroid: Point
    distance_to_liver_surface_mm: float | None

    @property
    def is_doubtful(self) -> bool:
        """Whether it is as likely none."""
        return self.confidence is not None and self.confidence < DOUBTFUL_BELOW

    @property
    def equivalent_diameter_mm(self) -> float:
        """Diameter in mm of the sphere of the same volume."""
        return equivalent_diameter_mm(self.volume_ml * 1000.0)

    @property
    def long_axis_middle(self) -> Point:
        """LPS mm; it lies in the slice that was measured."""
        (x0, y0, z0), (x1, y1, z1) = self.long_axis_points
        return (x0 + x1) / 2, (y0 + y1) / 2, (z0 + z1) / 2

    def slice_in(self, grid: ImageGeometry) -> int:
        """Index of a grid's slice, along its axis between feet and head, in which the diameters were measured."""
        return slice_at(grid, self.long_axis_middle)


def label_lesions(mask: np.ndarray) -> np.ndarray:
    """Number the lesions of a bool mask: uint16 of the same shape, 1..n by falling volume, 0 elsewhere.

    A lesion is a 3D component in which voxels that share a face, an edge or a corner hang together (26 neighbours): in
    thick slices an oblique or tapering lesion is often joined by edges and corners only, and would fall into crumbs
    otherwise. Of equal volumes, the first in array order comes first. Beyond 65,535 components the smallest
    are left out.
    """
    instances = np.zeros(mask.shape, dtype=np.uint16)
    box = bounding_box(mask)
    if box is None:
        return instances
    instances[box] = by_falling_volume(ndimage.label(mask[box], structure=NEIGHBOURS_26)[0])
    return instances


def by_falling_volume(labels: np.ndarray) -> np.ndarray:
    """Lesions numbered anew, 1..n by falling volume: uint16 of the same shape.

    Of equal volumes the lower label comes first. Beyond 65,535 lesions the smallest are left out.

    Args:
        labels: Whole numbers, 0 where there is no lesion; numbers may be missing.
    """
    voxels = np.bincount(labels.ravel(), minlength=1)
    voxels[0] = 0
    order = np.argsort(-voxels, kind="stable")[: min(np.count_nonzero(voxels), MAX_LESIONS)]
    numbers = np.zeros(len(voxels), dtype=np.uint16)
    numbers[order] = np.arange(1, len(order) + 1)
    renumbered: np.ndarray = numbers[labels]
    return renumbered


def measure_lesions(
    instances: np.ndarray,
    hu: np.ndarray,
    geometry: ImageGeometry,
    lesion_probability: Boxed | None = None,
    liver: np.ndarray | None = None,
    beyond: np.ndarray | None = None,
) -> list[Lesion]:
    """Measure every lesion of an instance map, in the order of their numbers.

    Args:
        instances: Integers (slice, row, column), 0 where there is no lesion; numbers may be missing.
        hu: HU on the same grid.
        geometry: Of that grid; its axes are those of the patient.
        lesion_probability: 0..1 of a box of the same grid; None where unknown.
        liver: Bool on the same grid, lesions included; None where unknown.
        beyond: Bool on the same grid: where the scan did not look (`CTVolume.beyond`); None for nowhere.

    Raises:
        ValueError: The arrays are not on one grid.
    """
    for name, array in (("HU", hu), ("liver", liver), ("what lies beyond", beyond)):
        if array is not None and array.shape != instances.shape:
            raise ValueError(f"{name} {array.shape} and lesions {instances.shape} are not on one grid")
    outer = bounding_box(instances)
    if outer is None:
        return []
    surface = None if liver is None else LiverSurface(liver, geometry, beyond)
    lesions = []
    for number, inner in enumerate(ndimage.find_objects(instances[outer]), start=1):
        if inner is None:
            continue
        box = tuple(slice(o.start + i.start, o.start + i.stop) for o, i in zip(outer, inner, strict=True))
        crop = geometry.cropped(box)
        mask = instances[box] == number
        positions = np.argwhere(mask)
        values = hu[box][mask].astype(np.float64)
        likely = None if lesion_probability is None else lesion_probability.within(box)[mask]
        lesions.append(
            Lesion(
                number=number,
                voxels=len(positions),
                volume_ml=len(positions) * geometry.voxel_volume_ml,
                **axes_in_lps(mask, crop),
                mean_hu=float(values.mean()),
                sd_hu=float(values.std(ddof=1)) if len(values) > 1 else 0.0,
                confidence=None if likely is None else float(likely.mean(dtype=np.float64)),
                centroid=_in_lps(positions.mean(axis=0), crop),
                distance_to_liver_surface_mm=None if surface is None else surface.distance_mm(mask, box),
            )
        )
    return lesions


def measure_lesion(
    mask: np.ndarray,
    hu: np.ndarray,
    geometry: ImageGeometry,
    lesion_probability: Boxed | None = None,
) -> Lesion:
    """Measure one lesion that is given as a bool mask, for instance a segment that was edited.

    As `measure_lesions` without a liver; the mask need not be connected. Its number is 1.

    Raises:
        ValueError: The mask is empty, or not on the grid of HU.
    """
    found = measure_lesions(mask.view(np.uint8), hu, geometry, lesion_probability)
    if not found:
        raise ValueError("A lesion without a voxel cannot be measured.")
    return found[0]


class LiverSurface:
    """The liver's surface voxels (those with a face neighbour outside of it), ready to be asked for distances in mm.

    Args:
        liver: Bool (slice, row, column) on an axial grid.
        geometry: Of that grid.
        beyond: Bool on it: where the scan did not look. A neighbour there is as little outside as one beyond the grid.
    """

    def __init__(self, liver: np.ndarray, geometry: ImageGeometry, beyond: np.ndarray | None = None) -> None:
        self._liver = liver
        self._spacing = np.array(geometry.spacing[::-1])
        box = grown(bounding_box(liver) or (slice(0, 0),) * 3, liver.shape)
        own = np.asarray(liver[box], dtype=bool)
        found = np.argwhere(border(own if beyond is None else own | beyond[box]) & own)
        self._points = np.asfortranarray((found + [s.start for s in box]) * self._spacing)

    def distance_mm(self, mask: np.ndarray, box: Box) -> float | None:
        """From the nearest voxel of a lesion, a bool `mask` of a box of the grid; None for a liver without surface."""
        if len(self._points) == 0:
            return None
        if (mask & ~self._liver[box].astype(bool)).any():
            return 0.0
        # The voxel of a set that is nearest to anything outside of it is one of its border.
        edge = np.argwhere(border(np.pad(mask, 1))) + [s.start - 1 for s in box]
        lesion = cKDTree(edge * self._spacing)
        # No voxel is nearer than the lesion's box: surface voxels near the box give a bound that rules out nearly all
        # others.
        to_box = np.zeros(len(self._points))
        for axis, (low, high) in enumerate(zip(lesion.mins, lesion.maxes, strict=True)):
            along = self._points[:, axis]
            to_box += np.maximum(np.maximum(low - along, along - high), 0.0) ** 2
        few = min(_FIRST_TRIED, len(to_box))
        nearest = float(lesion.query(self._points[np.argpartition(to_box, few - 1)[:few]])[0].min())
        others = self._points[to_box < nearest**2]
        if len(others):
            nearest = min(nearest, float(lesion.query(others, distance_upper_bound=nearest)[0].min()))
        return nearest


def border(mask: np.ndarray) -> np.ndarray:
    """Voxels of a bool mask that have a face neighbour outside of it; beyond the edge of the array is no outside."""
    inside = mask.copy()
    for axis in range(mask.ndim):
        before = [slice(None)] * mask.ndim
        after = [slice(None)] * mask.ndim
        before[axis], after[axis] = slice(None, -1), slice(1, None)
        inside[tuple(before)] &= mask[tuple(after)]
        inside[tuple(after)] &= mask[tuple(before)]
    return mask & ~inside


def axes_in_lps(mask: np.ndarray, grid: ImageGeometry) -> dict[str, Any]:
    """What a `Lesion` has of its axial diameters; bool `mask` (slice, row, column) on an axial grid."""
    column_mm, row_mm, _ = grid.spacing
    found = axial_diameters(mask, (row_mm, column_mm))
    return {
        "long_axis_mm": found.long_mm,
        "short_axis_mm": found.short_mm,
        "long_axis_points": tuple(_in_lps(np.array(end), grid) for end in found.long_points),
        "short_axis_points": tuple(_in_lps(np.array(end), grid) for end in found.short_points),
    }


def _in_lps(voxel: np.ndarray, grid: ImageGeometry) -> Point:
    x, y, z = (float(mm) for mm in grid.to_lps(voxel))
    return x, y, z
