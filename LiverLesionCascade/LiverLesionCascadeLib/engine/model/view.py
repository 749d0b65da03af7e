"""Views: the rectangle of an axial slice that a network sees, and the way there and back.

A view is a window on the (row, column) plane that may reach beyond the image; what lies outside is 0. The liver
pass looks at whole slices, the lesion pass at one square box around the liver with a margin, so that a part of the
liver that the liver pass missed is seen all the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..grid.bounding_box import Box, box_at
from ..grid.boxed import overlap
from .network import OUTPUT_STRIDE


@dataclass(frozen=True)
class View:
    """A rectangle of pixels that is resampled to ``size`` (rows, columns).

    Attributes:
        top, left: First row and column, in pixels of the slice; may be negative.
        height, width: Extent in pixels of the slice.
        size: (rows, columns) that the network sees.
    """

    top: int
    left: int
    height: int
    width: int
    size: tuple[int, int]

    def _overlap(self, slices: Tensor) -> tuple[Box, Box]:
        """What slices (n, rows, columns) and the view have in common, in the pixels of the ones and of the other."""
        image = box_at((0, 0), tuple(slices.shape[1:]))
        here, there = overlap(image, box_at((self.top, self.left), (self.height, self.width)))
        return (slice(None), *here), (slice(None), *there)

    def sampling_matrix(self, source: View) -> Tensor:
        """Where this view's pixels lie in another view of the same slices.

        Returns:
            (2, 3) float32 for ``torch.nn.functional.affine_grid``: (x, y) of this view to those of ``source``, both in
            [-1, 1].
        """
        return torch.tensor(
            [
                [self.width / source.width, 0.0, 2 * (self.left + self.width / 2 - source.left) / source.width - 1],
                [0.0, self.height / source.height, 2 * (self.top + self.height / 2 - source.top) / source.height - 1],
            ]
        )

    def extract(self, slices: Tensor) -> Tensor:
        """Cuts the view out of slices and resamples it (bilinear, antialiased).

        Args:
            slices: (n, rows, columns) floating point.

        Returns:
            (n, *size) of the same type, 0 outside the image.
        """
        image, inside = self._overlap(slices)
        window = slices.new_zeros((len(slices), self.height, self.width))
        window[inside] = slices[image]
        return _resampled(window, self.size)

    def paste(self, maps: Tensor, target: Tensor) -> None:
        """Resamples maps back to the pixels of the slice and writes them where the view overlaps the image.

        Args:
            maps: (n, *size), floating point.
            target: (n, rows, columns); written in place, unchanged outside the view.
        """
        image, inside = self._overlap(target)
        target[image] = _resampled(maps, (self.height, self.width))[inside].to(target.dtype)


def _resampled(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Images (n, rows, columns) in another size."""
    if images.shape[1:] == size:
        return images
    return F.interpolate(images[:, None], size=size, mode="bilinear", align_corners=False, antialias=True)[:, 0]


def whole_slice_view(rows: int, columns: int, spacing: tuple[float, float], size: int, pixel_mm: float | None) -> View:
    """The view of the liver pass: a whole slice.

    Args:
        rows, columns: Size of the slice in pixels.
        spacing: (row, column) spacing in mm.
        size: Side that the network was trained on, in pixels.
        pixel_mm: Pixel size that the network was trained on; a small field of view is padded to ``size``, a large one
            gives a larger image. None: the slice is scaled to ``size`` whatever its pixels measure (the paper).
    """
    if pixel_mm is None:
        return View(0, 0, rows, columns, (size, size))
    sizes = [
        max(size, OUTPUT_STRIDE * math.ceil(extent * step / pixel_mm / OUTPUT_STRIDE))
        for extent, step in ((rows, spacing[0]), (columns, spacing[1]))
    ]
    height = round(sizes[0] * pixel_mm / spacing[0])
    width = round(sizes[1] * pixel_mm / spacing[1])
    return View((rows - height) // 2, (columns - width) // 2, height, width, (sizes[0], sizes[1]))


def liver_box_view(
    mask_rows: np.ndarray, mask_columns: np.ndarray, spacing: tuple[float, float], size: int, margin: float
) -> View:
    """The view of the lesion pass: a square (in mm) around the liver, one for the whole scan.

    Args:
        mask_rows, mask_columns: Boolean profiles: rows and columns in which the liver lies.
        spacing: (row, column) spacing in mm.
        size: Side that the network was trained on, in pixels.
        margin: Part of the liver's larger extent that is added in all (0.16: 8 % on each side).

    Raises:
        ValueError: If the profiles are empty.
    """
    rows, columns = np.flatnonzero(mask_rows), np.flatnonzero(mask_columns)
    if not len(rows) or not len(columns):
        raise ValueError("The liver mask is empty, so there is no box around it")
    side_mm = (1 + margin) * max((rows[-1] - rows[0] + 1) * spacing[0], (columns[-1] - columns[0] + 1) * spacing[1])
    height, width = max(8, round(side_mm / spacing[0])), max(8, round(side_mm / spacing[1]))
    top = round((rows[0] + rows[-1] + 1) / 2 - height / 2)
    left = round((columns[0] + columns[-1] + 1) / 2 - width / 2)
    return View(top, left, height, width, (size, size))


def normalise(hu: Tensor, window: tuple[float, float], shift_hu: float = 0.0) -> Tensor:
    """Clips HU to the window and scales it to [0, 1] (Bi et al. 2017, section 2.2).

    Args:
        shift_hu: Is added to what was clipped; what it moves out of the window is clipped again.
    """
    low, high = window
    return ((hu.float().clamp(low, high) + (shift_hu - low)) / (high - low)).clamp_(0.0, 1.0)
