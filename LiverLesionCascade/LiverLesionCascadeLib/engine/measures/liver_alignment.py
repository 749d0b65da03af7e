"""Rigid alignment of one liver at two time points, from its shape alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, optimize
from scipy.spatial.transform import Rotation

from ..errors import InputError
from ..grid.geometry import affine, grid_corners, transformed
from .lesions import border

_GRID_MM = 4.0
_MARGIN_MM = 40.0
_SURFACE_POINTS = 600
# Distances beyond this count less and less: a part that one scan does not show, or that was resected.
_ROBUST_MM = 4.0
_FADING_MM = 8.0
# Radians and mm that move the surface about as far.
_STEPS = np.array([0.005, 0.005, 0.005, 0.5, 0.5, 0.5])


@dataclass(frozen=True)
class Alignment:
    """Where the points of one scan lie in another.

    Attributes:
        matrix: (4, 4), (x, y, z, 1) in mm to (x, y, z, 1) in mm.
        surface_distance_mm: Median distance between the two surfaces after the motion.
    """

    matrix: np.ndarray
    surface_distance_mm: float

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Move points, (n, 3) in mm."""
        return transformed(points, self.matrix)


class LiverShape:
    """A liver's surface and the distances to it, on a coarse grid.

    Args:
        mask: Bool (k, j, i), a box that holds the liver and one voxel around it. Where the liver touches the box's
            side, the scan is taken to end there: no surface.
        ijk_to_world: (4, 4) of the box, to mm. Axes may have any order and direction.

    Raises:
        InputError: The mask is empty.
    """

    def __init__(self, mask: np.ndarray, ijk_to_world: np.ndarray) -> None:
        if not mask.any():
            raise InputError("There is no liver to align by. Align by a transform, or as the scans lie in the scene.")
        kji_to_world = np.asarray(ijk_to_world, dtype=float)[:, [2, 1, 0, 3]]
        self._world_to_kji = np.linalg.inv(kji_to_world)
        corners = transformed(grid_corners(mask.shape, margin=0.5), kji_to_world)
        self._origin = corners.min(axis=0) - _MARGIN_MM
        size = np.ceil((corners.max(axis=0) + _MARGIN_MM - self._origin) / _GRID_MM).astype(int) + 1

        grid_to_kji = self._world_to_kji @ affine(_GRID_MM * np.eye(3), self._origin)
        # What the coarse grid would step over is averaged first.
        self._spacing = np.linalg.norm(kji_to_world[:3, :3], axis=0)
        thin = np.maximum(np.floor(_GRID_MM / self._spacing).astype(int), 1)
        coarse = _block_means(mask, thin)
        grid_to_coarse = affine(np.diag(1.0 / thin), -(thin - 1) / (2.0 * thin)) @ grid_to_kji
        occupancy = ndimage.affine_transform(
            coarse,
            grid_to_coarse[:3, :3],
            grid_to_coarse[:3, 3],
            tuple(size),
            order=1,
            mode="nearest",  # beyond the scan's end the liver goes on
            prefilter=False,
        )
        inside = occupancy >= min(0.5, occupancy.max())
        # The surface lies half a voxel before the nearest voxel of the other side.
        outside_mm = ndimage.distance_transform_edt(~inside, sampling=_GRID_MM) - _GRID_MM / 2
        inside_mm = ndimage.distance_transform_edt(inside, sampling=_GRID_MM) - _GRID_MM / 2
        self._distance = np.where(inside, -inside_mm, outside_mm).astype(np.float32)

        # Of sides where the liver goes on beyond the scan, where it ends; others have no end.
        ends = [[mask.take(side, axis).any() for axis in range(3)] for side in (0, -1)]
        self._first = np.where(ends[0], 0.0, -np.inf)
        self._last = np.where(ends[1], np.array(mask.shape) - 1.0, np.inf)

        surface = np.argwhere(border(np.asarray(mask, dtype=bool)))
        if len(surface) == 0:
            surface = np.argwhere(mask)
        # The same points however often it is asked, spread over the whole surface.
        chosen = surface[np.linspace(0, len(surface) - 1, min(len(surface), _SURFACE_POINTS)).round().astype(int)]
        self.surface = transformed(chosen, kji_to_world)
        self.centre = self.surface.mean(axis=0)

    def distance_mm(self, points: np.ndarray) -> np.ndarray:
        """Signed distance to the surface of points (n, 3), negative inside, approximate beyond the margin.

        Where the scan ends within the liver, nothing is known beyond: the distance falls to 0 there.
        """
        at = (points - self._origin) / _GRID_MM
        held = np.clip(at, 0, np.array(self._distance.shape) - 1.0)
        distance = ndimage.map_coordinates(self._distance, held.T, order=1, prefilter=False)
        distance += np.linalg.norm(at - held, axis=1) * _GRID_MM
        kji = transformed(points, self._world_to_kji)
        beyond = (kji - np.clip(kji, self._first, self._last)) * self._spacing
        return distance * np.clip(1.0 - np.linalg.norm(beyond, axis=1) / _FADING_MM, 0.0, 1.0)


def align_livers(moving: LiverShape, fixed: LiverShape) -> Alignment:
    """The rigid motion that lays one liver's surface on the other's.

    Distances count from both surfaces, so that exchanging the livers inverts the motion. It starts where the livers'
    centres, their upper or their lower ends meet (a scan may show a part only) and keeps the best.
    """

    def residuals(motion: np.ndarray) -> np.ndarray:
        rotation = Rotation.from_rotvec(motion[:3]).as_matrix()
        there = (moving.surface - moving.centre) @ rotation.T + fixed.centre + motion[3:]
        back = (fixed.surface - fixed.centre - motion[3:]) @ rotation + moving.centre
        return np.concatenate((fixed.distance_mm(there), moving.distance_mm(back)))

    def slopes(motion: np.ndarray) -> np.ndarray:
        # The distances are known on a grid: a step must be long enough to tell a slope from its corners.
        sides = [residuals(motion + step) - residuals(motion - step) for step in np.diag(_STEPS)]
        return np.stack(sides, axis=1) / (2 * _STEPS)

    ends = [np.percentile(shape.surface[:, 2] - shape.centre[2], (1, 99)) for shape in (moving, fixed)]
    starts = [0.0, *(ends[1] - ends[0])]
    solutions = [
        optimize.least_squares(
            residuals,
            np.array([0.0, 0.0, 0.0, 0.0, 0.0, shift]),
            loss="soft_l1",
            f_scale=_ROBUST_MM,
            jac=slopes,
            x_scale=_STEPS,
            max_nfev=40,
            xtol=1e-4,
            ftol=1e-4,
        )
        for shift in starts
        if shift == 0.0 or abs(shift) > _GRID_MM
    ]
    best = min(solutions, key=lambda solution: solution.cost)
    rotation = Rotation.from_rotvec(best.x[:3]).as_matrix()
    matrix = affine(rotation, fixed.centre + best.x[3:] - rotation @ moving.centre)
    return Alignment(matrix, float(np.median(np.abs(residuals(best.x)))))


def _block_means(mask: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Means of blocks of voxels, float32; the last blocks of an axis may be smaller."""
    for axis, width in enumerate(block):
        if width > 1:
            starts = np.arange(0, mask.shape[axis], width)
            voxels = np.minimum(width, mask.shape[axis] - starts).astype(np.float32)
            sums = np.add.reduceat(mask, starts, axis=axis, dtype=np.float32)
            mask = sums / voxels.reshape([-1 if each == axis else 1 for each in range(3)])
    return mask.astype(np.float32, copy=False)
