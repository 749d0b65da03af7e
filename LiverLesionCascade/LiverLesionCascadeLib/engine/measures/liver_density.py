"""The liver's density in a scan: fat and contrast medium make livers darker or brighter than each other."""

from __future__ import annotations

import numpy as np


def median_liver_hu(hu: np.ndarray, liver: np.ndarray, window_hu: tuple[float, float]) -> float | None:
    """Median HU of the liver, lesions included.

    Args:
        hu: (slice, row, column); liver: of the same shape, not 0 in the liver. Both may be memory-mapped.
        window_hu: HU are clipped to it first.

    Returns:
        HU, or None where there is no liver.
    """
    inside = [np.clip(image[mask != 0], *window_hu) for image, mask in zip(hu, liver, strict=True)]
    values = np.concatenate(inside) if inside else np.empty(0)
    return float(np.median(values)) if values.size else None
