"""Measures of one lesion on the grid of the image it was found in, whatever that grid's axes are."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy import ndimage

from ..grid.bounding_box import Box, grown
from ..grid.boxed import Boxed, overlap
from ..grid.geometry import AxialOrder, ImageGeometry, affine, axial_order, covering_axial_geometry, is_axis_aligned
from ..grid.resampling import resample
from .lesions import Lesion, LiverSurface, axes_in_lps, measure_lesion

# Voxels: the deviation of the Gaussian that rounds the corners of a tilted mask, and what it needs around the mask.
_ROUNDING, _PADDING = 0.6, 2


class SourceMeasures:
    """Measures lesions that are given as boxes of an image, as a person's edits leave them.

    Volume, density, confidence and distance are those of the image's own voxels. The axial diameters are measured in
    its slices where these are axial, else in axial slices that the lesion is resampled to.

    Args:
        image: HU (k, j, i) of the whole image.
        geometry: Of that grid.
    """

    def __init__(self, image: np.ndarray, geometry: ImageGeometry) -> None:
        self._image, self._geometry = image, geometry
        self._order = axial_order(geometry)
        self._surface: LiverSurface | None = None
        self._surface_box: Box = ()

    def set_liver(self, liver: Boxed) -> None:
        """Say where the liver is, lesions included: a mask of the whole organ, empty where there is none."""
        self._surface = None
        if liver:
            # One voxel more on each side, as far as the image reaches: beyond its edge is no outside.
            self._surface_box = grown(liver.box, self._geometry.shape)
            self._surface = LiverSurface(liver.within(self._surface_box), self._geometry.cropped(self._surface_box))

    def measure(self, mask: Boxed, probability: np.ndarray | None = None) -> Lesion:
        """Measure a lesion.

        Args:
            mask: Bool, the smallest box that holds it.
            probability: 0..1 (k, j, i) in that box; None where unknown.

        Raises:
            ValueError: The mask is empty.
        """
        crop = self._geometry.cropped(mask.box)
        order = self._order
        lesion = measure_lesion(
            order.apply(mask.values),
            order.apply(self._image[mask.box]),
            _reordered(crop, order),
            None if probability is None else Boxed(order.apply(probability), (0, 0, 0)),
        )
        if not is_axis_aligned(self._geometry):
            lesion = _with_axial_diameters(lesion, mask.values, crop)
        return replace(lesion, distance_to_liver_surface_mm=self.distance_mm(mask))

    def distance_mm(self, mask: Boxed) -> float | None:
        """From a lesion to the liver's surface: see `Lesion.distance_to_liver_surface_mm`."""
        if self._surface is None:
            return None
        box, seen = overlap(self._surface_box, mask.box)
        if mask.values[seen].shape != mask.values.shape:
            return 0.0  # it reaches out of the liver
        return self._surface.distance_mm(mask.values, box)


def _reordered(geometry: ImageGeometry, order: AxialOrder) -> ImageGeometry:
    """The same grid with its axes in axial order."""
    shape = tuple(geometry.shape[axis] for axis in order.axes)
    steps, first = np.zeros((3, 3)), np.zeros(3)
    for target, (axis, flip) in enumerate(zip(order.axes, order.flips, strict=True)):
        column = geometry.ijk_to_lps[:3, 2 - axis]
        steps[:, 2 - target] = -column if flip else column
        first[axis] = geometry.shape[axis] - 1 if flip else 0
    return ImageGeometry((shape[0], shape[1], shape[2]), affine(steps, geometry.to_lps(first)))


def _finer(grid: ImageGeometry, pixel_mm: float) -> ImageGeometry:
    """An axial grid with smaller pixels: where thick slices lie across the axial plane, they are as wide as those."""
    parts = [max(1, math.ceil(mm / pixel_mm - 1e-6)) for mm in grid.spacing[:2]]
    spacing = np.array(grid.spacing) / [*parts, 1]
    origin = grid.origin - (grid.spacing - spacing) / 2
    slices, rows, columns = grid.shape
    return ImageGeometry.from_axes((slices, rows * parts[1], columns * parts[0]), spacing, origin)


def _with_axial_diameters(lesion: Lesion, mask: np.ndarray, crop: ImageGeometry) -> Lesion:
    """Diameters in true axial slices; unchanged where the lesion has no voxel there."""
    # The nearest voxel's steps would be off by more than a voxel, and corners stand out of the outline's curve and make
    # the longest line longer: the mask is interpolated with its corners rounded off, and cut where it has its volume.
    padded = crop.cropped(tuple(slice(-_PADDING, n + _PADDING) for n in crop.shape))
    grid = _finer(covering_axial_geometry(padded), min(crop.spacing))
    rounded = ndimage.gaussian_filter(np.pad(mask, _PADDING).astype(np.float32), _ROUNDING)
    values = resample(rounded, padded, grid, order=1)
    voxels = max(1, round(np.count_nonzero(mask) * crop.voxel_volume_ml / grid.voxel_volume_ml))
    level = float(np.partition(values, -voxels, axis=None)[-voxels])
    if level <= 0:  # no voxel of the lesion is near one of the axial grid
        return lesion
    return replace(lesion, **axes_in_lps(values >= level, grid))
