"""Grids in space: where the voxels of an array lie, and how a grid turns into axial order and back.

World coordinates are LPS in mm (x to the patient's left, y to the back, z to the head), as in DICOM and ITK.
Matrices map (i, j, k, 1) with i the fastest index; arrays are indexed (k, j, i).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np

from ..errors import InvalidVolumeError
from .bounding_box import Box, start_of
from .boxed import Boxed

# Direction cosines that differ from the axes by no more than this are rounding of a header (0.06 degree).
AXIS_TOLERANCE = 1e-3
# Volume of the parallelepiped that the three unit axes span; 1 for orthogonal axes, cos(30 deg) = 0.87 for the
# steepest gantry tilt. Below this the axes are as good as coplanar.
MIN_AXES_VOLUME = 0.1
MIN_SPACING_MM = 0.01
MAX_SPACING_MM = 100.0


@dataclass(frozen=True, eq=False)
class ImageGeometry:
    """The grid of an image.

    :param shape: (k, j, i), numpy order.
    :param ijk_to_lps: (4, 4) float64, (i, j, k, 1) to LPS mm; may be flipped, permuted, oblique or sheared.
    """

    shape: tuple[int, int, int]
    ijk_to_lps: np.ndarray

    def __post_init__(self) -> None:
        matrix = np.array(self.ijk_to_lps, dtype=np.float64)
        if matrix.shape != (4, 4):
            raise InvalidVolumeError(f"The matrix of an image's geometry must be 4x4, not {matrix.shape}.")
        matrix.flags.writeable = False
        object.__setattr__(self, "ijk_to_lps", matrix)
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))

    @classmethod
    def from_axes(
        cls,
        shape: tuple[int, int, int],
        spacing: tuple[float, float, float] | np.ndarray,
        origin: tuple[float, float, float] | np.ndarray = (0.0, 0.0, 0.0),
        direction: np.ndarray | None = None,
    ) -> ImageGeometry:
        """From ITK's description: spacing (i, j, k) mm, origin LPS mm, direction with the axes as columns."""
        axes = np.eye(3) if direction is None else np.asarray(direction, dtype=np.float64).reshape(3, 3)
        return cls(shape, affine(axes * np.asarray(spacing, dtype=np.float64), origin))

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance in mm from a voxel to the next along (i, j, k)."""
        i, j, k = np.linalg.norm(self.ijk_to_lps[:3, :3], axis=0)
        return float(i), float(j), float(k)

    @property
    def origin(self) -> tuple[float, float, float]:
        """Centre of voxel (0, 0, 0), LPS mm."""
        x, y, z = self.ijk_to_lps[:3, 3]
        return float(x), float(y), float(z)

    @property
    def direction(self) -> np.ndarray:
        """(3, 3): the unit vectors of the i, j and k axes as columns."""
        return self.ijk_to_lps[:3, :3] / np.asarray(self.spacing)

    @property
    def voxel_volume_ml(self) -> float:
        return float(abs(np.linalg.det(self.ijk_to_lps[:3, :3]))) / 1000.0

    @property
    def extent_mm(self) -> tuple[float, float, float]:
        """Edge lengths of the whole grid along (i, j, k), voxels' full width included."""
        k, j, i = self.shape
        si, sj, sk = self.spacing
        return i * si, j * sj, k * sk

    def cropped(self, box: Box) -> ImageGeometry:
        """The grid of what lies in a box of this one."""
        matrix = affine(self.ijk_to_lps[:3, :3], self.to_lps(np.array(start_of(box))))
        return ImageGeometry(tuple(axis.stop - axis.start for axis in box), matrix)

    def to_lps(self, kji: np.ndarray) -> np.ndarray:
        """(..., 3) positions in array order (k, j, i), fractions allowed, to (..., 3) LPS mm."""
        return transformed(np.asarray(kji, dtype=np.float64)[..., ::-1], self.ijk_to_lps)

    def from_lps(self, lps: np.ndarray) -> np.ndarray:
        """(..., 3) LPS mm to (..., 3) fractional positions in array order (k, j, i)."""
        return transformed(np.asarray(lps, dtype=np.float64), np.linalg.inv(self.ijk_to_lps))[..., ::-1]

    def matches(self, other: ImageGeometry, tolerance_voxels: float = 0.05) -> bool:
        """Same shape, and every corner within a fraction of a voxel of the other's."""
        if self.shape != other.shape:
            return False
        corners = grid_corners(self.shape)
        distance = np.linalg.norm(self.to_lps(corners) - other.to_lps(corners), axis=1)
        return bool(distance.max() <= tolerance_voxels * min(self.spacing))

    def validate(self, name: str = "The volume") -> None:
        """Raise InvalidVolumeError where no CT can have this geometry."""
        matrix = self.ijk_to_lps
        if not np.isfinite(matrix).all() or not np.array_equal(matrix[3], (0, 0, 0, 1)):
            raise InvalidVolumeError(
                f"{name}: position, spacing or directions are not finite numbers. Export the scan again."
            )
        spacing = self.spacing
        if min(spacing) < MIN_SPACING_MM or max(spacing) > MAX_SPACING_MM:
            raise InvalidVolumeError(
                f"{name}: a voxel of {shown_sizes(spacing, 'g')} mm is not possible for a CT. Correct the spacing or "
                "export the scan again."
            )
        if abs(np.linalg.det(self.direction)) < MIN_AXES_VOLUME:
            raise InvalidVolumeError(
                f"{name}: the image's axes do not span a volume (singular direction matrix). "
                "Correct the directions in the header or export the scan again."
            )


def affine(steps: np.ndarray, origin: np.ndarray | tuple[float, float, float]) -> np.ndarray:
    """(4, 4) from the steps of each axis, (3, 3) with a column for each, and the place (3,) of the first voxel."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = steps, origin
    return matrix


def transformed(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points (..., 3) by a (4, 4) matrix."""
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def shown_sizes(sizes: Iterable[float], form: str = "") -> str:
    """Sizes along the axes for messages, each in a format: ``512 x 512 x 90``."""
    return " x ".join(format(size, form) for size in sizes)


def grid_corners(shape: tuple[int, int, int], margin: float = 0.0) -> np.ndarray:
    """(8, 3) corner voxel positions (k, j, i) of a grid, moved outwards by ``margin`` voxels."""
    return np.array(list(product(*((-margin, n - 1 + margin) for n in shape))), dtype=np.float64)


def slice_at(grid: ImageGeometry, point: np.ndarray | tuple[float, float, float]) -> int:
    """Index of a grid's slice, along its axis between feet and head, nearest to a point (LPS mm); within the grid."""
    axis = axial_order(grid).axes[0]
    index = round(float(grid.from_lps(np.asarray(point))[axis]))
    return min(max(index, 0), grid.shape[axis] - 1)


@dataclass(frozen=True)
class AxialOrder:
    """Transposition and flips that bring an array (k, j, i) into axial LPS order (slice, row, column).

    :param axes: the source array's axis for each axis of the result, as for ``numpy.transpose``.
    :param flips: for each axis of the *result*, whether it runs against the source.
    """

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    @property
    def columns(self) -> list[int]:
        """The source's index axes (0 = i) that run along L, P and S: columns of its matrix."""
        return [2 - axis for axis in self.axes[::-1]]

    def apply(self, array: np.ndarray) -> np.ndarray:
        """A view of ``array`` in axial order."""
        return array.transpose(self.axes)[self._slices()]

    def spacing(self, geometry: ImageGeometry) -> tuple[float, float, float]:
        """The source's spacing in mm as (slice, row, column)."""
        x, y, z = (geometry.spacing[column] for column in self.columns)
        return z, y, x

    def undo(self, array: np.ndarray) -> np.ndarray:
        """A view of an array in axial order, in the source's order."""
        a, b, c = (self.axes.index(n) for n in range(3))
        return array[self._slices()].transpose((a, b, c))

    def apply_boxed(self, boxed: Boxed, shape: tuple[int, int, int]) -> Boxed:
        """The same of a box; ``shape`` is the grid's in axial order."""
        a, b, c = (boxed.start[axis] for axis in self.axes)
        return self._flipped(Boxed(boxed.values.transpose(self.axes), (a, b, c)), shape)

    def undo_boxed(self, boxed: Boxed, shape: tuple[int, int, int]) -> Boxed:
        """The inverse of `apply_boxed`; ``shape`` is the grid's in axial order."""
        flipped = self._flipped(boxed, shape)
        a, b, c = (self.axes.index(n) for n in range(3))
        return Boxed(flipped.values.transpose((a, b, c)), (flipped.start[a], flipped.start[b], flipped.start[c]))

    def _flipped(self, boxed: Boxed, shape: tuple[int, int, int]) -> Boxed:
        k, j, i = (
            n - axis.stop if flip else axis.start for flip, axis, n in zip(self.flips, boxed.box, shape, strict=True)
        )
        return Boxed(boxed.values[self._slices()], (k, j, i))

    def _slices(self) -> Box:
        return tuple(slice(None, None, -1) if flip else slice(None) for flip in self.flips)


def axial_order(geometry: ImageGeometry) -> AxialOrder:
    """The order whose axes lie closest to LPS."""
    direction = geometry.direction
    # The source's index axes (0 = i) that run along the world's axes (L, P, S).
    x, y, z = max(permutations(range(3)), key=lambda columns: abs(direction[range(3), columns]).sum())
    return AxialOrder(
        (2 - z, 2 - y, 2 - x), (bool(direction[2, z] < 0), bool(direction[1, y] < 0), bool(direction[0, x] < 0))
    )


def tilt_degrees(geometry: ImageGeometry) -> float:
    """Largest angle between an axis of the grid and the patient axis next to it."""
    cosines = abs(geometry.direction[range(3), axial_order(geometry).columns])
    return float(np.degrees(np.arccos(min(cosines.min(), 1.0))))


def is_axis_aligned(geometry: ImageGeometry) -> bool:
    """Whether no direction cosine differs from that of the axis-aligned grid next to it by more than rounding."""
    order = axial_order(geometry)
    axes = np.zeros((3, 3))
    axes[range(3), order.columns] = [-1.0 if flip else 1.0 for flip in order.flips[::-1]]
    return bool(np.abs(geometry.direction - axes).max() <= AXIS_TOLERANCE)


def aligned_axial_geometry(geometry: ImageGeometry) -> ImageGeometry:
    """The axial grid of an axis-aligned source: the same voxels, directions exactly along LPS.

    The grid's centre is kept, so that header rounding moves no voxel by more than the rounding over half the scan.
    """
    order = axial_order(geometry)
    shape = (geometry.shape[order.axes[0]], geometry.shape[order.axes[1]], geometry.shape[order.axes[2]])
    spacing = np.array(geometry.spacing)[order.columns]
    centre = geometry.to_lps((np.array(geometry.shape) - 1) / 2)
    origin = centre - spacing * (np.array(shape[::-1]) - 1) / 2
    return ImageGeometry.from_axes(shape, spacing, origin)


def covering_axial_geometry(geometry: ImageGeometry) -> ImageGeometry:
    """An axial grid that covers all of an oblique or sheared source.

    In-plane spacing is the source's; slice spacing is the distance of the source's slices along their normal (for a
    gantry tilt that is less than the table step).
    """
    spacing = np.array(geometry.spacing)[axial_order(geometry).columns]
    spacing[2] = abs(np.linalg.det(geometry.ijk_to_lps[:3, :3])) / (spacing[0] * spacing[1])
    corners = geometry.to_lps(grid_corners(geometry.shape, margin=0.5))
    low, high = corners.min(axis=0), corners.max(axis=0)
    size = np.maximum(np.ceil((high - low) / spacing - 1e-6).astype(int), 1)
    origin = (low + high) / 2 - spacing * (size - 1) / 2
    return ImageGeometry.from_axes((size[2], size[1], size[0]), spacing, origin)
