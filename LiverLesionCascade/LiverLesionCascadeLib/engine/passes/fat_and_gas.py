"""Where a CT shows fat or gas, there is neither liver nor lesion, whatever the networks take it for.

Networks can hardly tell fat, gas and fluid apart, as the window shows all of them as black: one saw a lesion in a
gas-filled colon beside the liver.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..grid.boxed import Boxed

#: Fat is at -150 to -30 HU; fluid and nearly all fatty livers are denser than this.
_HIGHEST_HU = -20.0
#: HU below are taken for this, so that the gas of a lung does not darken the liver beside it.
_LOWEST_HU = -60.0
#: HU are averaged over a square of this side in the slice, so that noise is not taken for fat.
_SIDE_MM = 3.5


def fat_or_gas(hu: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """Bool of the same shape.

    Args:
        hu: (slice, row, column).
        spacing: (slice, row, column) in mm.
    """
    side = [max(1, round(_SIDE_MM / mm)) for mm in spacing[1:]]
    found = np.empty(hu.shape, bool)
    for image, place in zip(hu, found, strict=True):
        dense = np.maximum(image, np.float32(_LOWEST_HU), dtype=np.float32)
        np.less(ndimage.uniform_filter(dense, side, mode="nearest"), _HIGHEST_HU, out=place)
    return found


def clear_fat_and_gas(boxes: tuple[Boxed, ...], hu: np.ndarray, spacing: tuple[float, float, float]) -> None:
    """Takes the probabilities in fat and gas down to 0, in place.

    Args:
        boxes: All of one place.
        hu: Of the whole grid, (slice, row, column).
        spacing: (slice, row, column) in mm.
    """
    cleared = fat_or_gas(hu[boxes[0].box], spacing)
    for box in boxes:
        box.values[cleared] = 0.0
