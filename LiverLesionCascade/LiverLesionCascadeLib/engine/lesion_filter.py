"""Rejects what looks like no lesion: an object-level filter with two features of each lesion that was segmented.

A network judges pixels; that a small and unsure object, or one that is hardly darker than the liver, is rarely a lesion
is easier to see in the object. The filter is a logistic regression, fitted on lesions that networks of the same recipe
found in patients that they had not seen. What it rejects has its likelihood as its highest probability from then on:
that is below the threshold, and a person who lowers the threshold enough sees it again.

Large lesions are never rejected: a false one is easily seen, and a true one must not be lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from .bounding_box import bounding_box
from .liver_density import median_liver_hu

#: What `lesion_features` gives, in its order: log odds of the mean probability; how much darker than the liver it is,
#: in units of 50 HU.
FEATURES = ("log_odds", "darker")
#: Lesions with an axial section as large as a circle of this diameter in mm are never rejected.
NEVER_REJECTED_MM = 20.0

#: Mean probabilities are taken for this far from 0 and 1 at least.
_LEAST_DOUBT = 0.01
_HU_UNIT = 50.0


@dataclass(frozen=True)
class LesionFilter:
    """How likely a lesion with certain features is one: logistic regression.

    Attributes:
        intercept: Log odds where all features are 0.
        weights: Log odds for each unit of a feature, in the order of ``FEATURES``.
        reject_below: Likelihood below which a small lesion is rejected.
    """

    intercept: float
    weights: tuple[float, ...]
    reject_below: float

    @classmethod
    def from_dict(cls, values: Mapping[str, float]) -> LesionFilter:
        """From a bundle's metadata. Raises KeyError, TypeError, ValueError."""
        weights = tuple(float(values[name]) for name in FEATURES)
        return cls(float(values["intercept"]), weights, float(values["reject_below"]))

    def to_dict(self) -> dict[str, float]:
        """The inverse of ``from_dict``."""
        weights = dict(zip(FEATURES, self.weights, strict=True))
        return {"intercept": self.intercept, **weights, "reject_below": self.reject_below}

    def likelihood(self, features: np.ndarray) -> np.ndarray:
        """(n,) 0..1 for features (n, 2)."""
        log_odds = self.intercept + features @ np.asarray(self.weights)
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(log_odds, -30.0, 30.0))))


@dataclass(frozen=True)
class LesionLikelihood:
    """How likely any lesion in one scan is one, also after a person or a tool gave it another outline.

    Attributes:
        filter: The bundle's.
        window_hu: The bundle's.
        liver_hu: Median HU of the liver without its lesions, clipped to the window.
    """

    filter: LesionFilter
    window_hu: tuple[float, float]
    liver_hu: float

    def of(self, probability: np.ndarray, hu: np.ndarray) -> float:
        """Likelihood 0..1 of a lesion with these voxels.

        Args:
            probability: (n,) lesion probability 0..1; hu: (n,).
        """
        mean_hu = np.clip(hu, *self.window_hu).mean(dtype=np.float64)
        features = _features(np.atleast_1d(probability.mean(dtype=np.float64)), np.atleast_1d(mean_hu), self.liver_hu)
        return float(self.filter.likelihood(features)[0])

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LesionLikelihood:
        """The inverse of ``to_dict``. Raises KeyError, TypeError, ValueError."""
        low, high = (float(value) for value in values["window_hu"])
        return cls(LesionFilter.from_dict(values["filter"]), (low, high), float(values["liver_hu"]))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"filter": self.filter.to_dict(), "window_hu": list(self.window_hu), "liver_hu": self.liver_hu}


def parenchyma_hu(hu: np.ndarray, liver: np.ndarray, instances: np.ndarray, window_hu: tuple[float, float]) -> float:
    """Median HU of the liver without its lesions; of a liver that is nothing but lesions, the window's upper end."""
    median = median_liver_hu(hu, liver & (instances == 0), window_hu)
    return window_hu[1] if median is None else median


def lesion_features(
    instances: np.ndarray, probability: np.ndarray, hu: np.ndarray, liver_hu: float, window_hu: tuple[float, float]
) -> np.ndarray:
    """Features of every lesion of an instance map.

    Args:
        instances: (slice, row, column) 0, 1..n without gaps.
        probability, hu: On the same grid: lesion probability 0..1, and HU.
        liver_hu: As `parenchyma_hu` gives it.
        window_hu: HU are clipped to it: the networks see no more, and training images had no more.

    Returns:
        (n, 2) in the order of ``FEATURES``.
    """
    box = bounding_box(instances)
    if box is None:
        return np.zeros((0, len(FEATURES)))
    instances, probability = instances[box], probability[box]
    values = np.clip(hu[box], *window_hu)
    numbers = np.arange(1, int(instances.max()) + 1)
    mean = ndimage.mean(probability.astype(np.float32), instances, numbers)
    return _features(mean, ndimage.mean(values.astype(np.float32), instances, numbers), liver_hu)


def _features(mean_probability: np.ndarray, mean_hu: np.ndarray, liver_hu: float) -> np.ndarray:
    mean = np.clip(mean_probability, _LEAST_DOUBT, 1 - _LEAST_DOUBT)
    return np.stack([np.log(mean / (1 - mean)), (liver_hu - mean_hu) / _HU_UNIT], axis=1)


def section_diameters_mm(instances: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """(n,) diameter in mm of the circle that is as large as each lesion's largest axial section.

    Args:
        instances: (slice, row, column) 0, 1..n; spacing: (slice, row, column) in mm.
    """
    count = int(instances.max(initial=0))
    sections = [np.bincount(part.ravel(), minlength=count + 1)[1:] for part in instances]
    largest = np.max(sections, axis=0) if sections else np.zeros(count)
    return np.asarray(2 * np.sqrt(largest * spacing[1] * spacing[2] / np.pi))
