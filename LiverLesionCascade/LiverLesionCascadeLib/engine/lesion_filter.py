"""Rejects what looks like no lesion: an object-level filter with a few features of each lesion that was segmented.

A network judges pixels; that an unsure speck, or something as dark as the gall bladder, is rarely a lesion is easier to
see in the object. The filter is a logistic regression, fitted on lesions that networks of the same recipe found in
patients that they had not seen. What it rejects has its likelihood as its highest probability from then on: that is
below the threshold, and a person who lowers the threshold enough sees it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .bounding_box import bounding_box

#: What `lesion_features` gives, in its order: log odds of the mean probability; natural logarithm of the diameter in mm
#: of the circle that is as large as the largest axial section; how much darker than the liver it is, in 50 HU, and the
#: square of that.
FEATURES = ("log_odds", "log_diameter", "darker", "darker_squared")

#: Mean probabilities are taken for this far from 0 and 1 at least.
_LEAST_DOUBT = 0.01
_HU_UNIT = 50.0


@dataclass(frozen=True)
class LesionFilter:
    """How likely a lesion with certain features is one: logistic regression.

    Attributes:
        intercept: Log odds where all features are 0.
        weights: Log odds for each unit of a feature, in the order of ``FEATURES``.
    """

    intercept: float
    weights: tuple[float, ...]

    @classmethod
    def from_dict(cls, values: Mapping[str, float]) -> LesionFilter:
        """From a bundle's metadata. Raises KeyError, TypeError, ValueError."""
        return cls(float(values["intercept"]), tuple(float(values[name]) for name in FEATURES))

    def to_dict(self) -> dict[str, float]:
        """The inverse of ``from_dict``."""
        return {"intercept": self.intercept, **dict(zip(FEATURES, self.weights, strict=True))}

    def likelihood(self, features: np.ndarray) -> np.ndarray:
        """(n,) 0..1 for features (n, 4)."""
        log_odds = self.intercept + features @ np.asarray(self.weights)
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(log_odds, -30.0, 30.0))))


def lesion_features(
    instances: np.ndarray,
    probability: np.ndarray,
    hu: np.ndarray,
    liver: np.ndarray,
    spacing: tuple[float, float, float],
    window_hu: tuple[float, float],
) -> np.ndarray:
    """Features of every lesion of an instance map.

    Args:
        instances: (slice, row, column) 0, 1..n without gaps.
        probability, hu, liver: On the same grid: lesion probability 0..1, HU, and bool, the whole organ.
        spacing: (slice, row, column) in mm.
        window_hu: HU are clipped to it: the networks see no more, and training images had no more.

    Returns:
        (n, 4) in the order of ``FEATURES``.
    """
    box = bounding_box(instances)
    if box is None:
        return np.zeros((0, len(FEATURES)))
    parenchyma = hu[liver & (instances == 0)]
    instances, probability = instances[box], probability[box]
    values = np.clip(hu[box], *window_hu)
    # Of a liver that is nothing but lesions, the brightest that the window shows.
    liver_hu = float(np.median(np.clip(parenchyma, *window_hu))) if parenchyma.size else window_hu[1]
    numbers = np.arange(1, int(instances.max()) + 1)
    mean = ndimage.mean(probability.astype(np.float32), instances, numbers)
    mean = np.clip(mean, _LEAST_DOUBT, 1 - _LEAST_DOUBT)
    sections = [np.bincount(part.ravel(), minlength=len(numbers) + 1)[1:] for part in instances]
    diameters = 2 * np.sqrt(np.max(sections, axis=0) * spacing[1] * spacing[2] / np.pi)
    darker = (liver_hu - ndimage.mean(values.astype(np.float32), instances, numbers)) / _HU_UNIT
    return np.stack([np.log(mean / (1 - mean)), np.log(diameters), darker, darker**2], axis=1)
