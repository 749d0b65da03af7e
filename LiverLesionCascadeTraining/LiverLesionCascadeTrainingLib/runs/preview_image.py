"""Validation slices as one picture: the reference's outlines in blue, the network's in orange."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .run_folder import Preview

# Told apart by colour-blind people too.
REFERENCE_RGB = (86, 180, 233)
PREDICTED_RGB = (255, 140, 0)
#: Small slices are shown larger, so that outlines stay thin beside what they enclose.
_TILE_PIXELS = 220
_COLUMNS, _GAP = 2, 4


def montage(preview: Preview) -> np.ndarray:
    """The slices side by side with the outlines of liver and lesions.

    Returns:
        (rows, columns, 3) uint8, RGB, first row at the top.
    """
    tiles = [_tile(*planes) for planes in zip(preview.images, preview.reference, preview.predicted, strict=True)]
    rows, width, _ = tiles[0].shape
    columns = min(_COLUMNS, len(tiles))
    lines = -(-len(tiles) // columns)
    picture = np.zeros((lines * (rows + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 3), np.uint8)
    for number, tile in enumerate(tiles):
        top, left = number // columns * (rows + _GAP), number % columns * (width + _GAP)
        picture[top : top + rows, left : left + width] = tile
    return picture


def _tile(image: np.ndarray, reference: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    zoom = max(1, round(_TILE_PIXELS / image.shape[1]))
    image, reference, predicted = (plane.repeat(zoom, 0).repeat(zoom, 1) for plane in (image, reference, predicted))
    tile = np.repeat(image[..., None], 3, axis=2)
    tile[outline(reference)] = REFERENCE_RGB
    tile[outline(predicted)] = PREDICTED_RGB
    return tile


def outline(labels: np.ndarray) -> np.ndarray:
    """Pixels of a label that touch a lower one, (rows, columns) bool; the picture's border is no outline."""
    cross = ndimage.generate_binary_structure(2, 1)
    return ndimage.minimum_filter(labels, footprint=cross, mode="nearest") < labels
