"""How likely each lesion that was segmented is one; small ones that are unlikely are rejected.

A network judges pixels, and its mean probability in an object is no measure of how often such objects are lesions. The
filter says that: a logistic regression (Platt 1999), fitted on lesions that networks of the same recipe found in
patients that they had not seen. What it rejects has its likelihood as its highest probability from then on: that is
below the threshold, and a person who lowers the threshold enough sees it again.

Large lesions are never rejected: a false one is easily seen, and a true one must not be lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

import numpy as np
from scipy import ndimage

from ..errors import BundleError
from ..grid.bounding_box import bounding_box

#: Lesions with an axial section as large as a circle of this diameter in mm are never rejected.
NEVER_REJECTED_MM = 20.0
#: Mean probabilities are taken for this far from 0 and 1 at least.
_LEAST_DOUBT = 0.01


@dataclass(frozen=True)
class LesionFilter:
    """How likely a lesion is one by the network's mean probability p in it.

    Attributes:
        intercept: Log odds where p is a half.
        log_odds: Log odds for each unit of ln(p / (1 - p)).
        reject_below: Likelihood below which a small lesion is rejected.
    """

    intercept: float
    log_odds: float
    reject_below: float

    @classmethod
    def from_dict(cls, values: Mapping[str, float]) -> LesionFilter:
        """From a bundle's metadata.

        Raises:
            BundleError: If it is a filter of another version.
            KeyError, TypeError, ValueError: If it is incomplete or wrong.
        """
        names = [field.name for field in fields(cls)]
        if other := sorted(set(values) - set(names)):
            raise BundleError(
                f"The bundle's lesion_filter is of another version ({', '.join(other)} is not known): use another "
                "bundle, or remove the filter from its metadata.json and fit it anew (cross-validate --record)"
            )
        return cls(*(float(values[name]) for name in names))

    def to_dict(self) -> dict[str, float]:
        """The inverse of ``from_dict``."""
        return asdict(self)

    def likelihood(self, mean_probability: np.ndarray | float) -> np.ndarray:
        """Likelihood 0..1 of lesions with these mean probabilities 0..1, in the shape that they have."""
        log_odds = self.intercept + self.log_odds * probability_log_odds(mean_probability)
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(log_odds, -30.0, 30.0))))


def probability_log_odds(probability: np.ndarray | float) -> np.ndarray:
    """ln(p / (1 - p)) of probabilities 0..1, which are taken for 0.01 at least and 0.99 at most."""
    within = np.clip(probability, _LEAST_DOUBT, 1 - _LEAST_DOUBT)
    return np.asarray(np.log(within / (1 - within)))


def mean_probabilities(instances: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """(n,) mean probability in each lesion.

    Args:
        instances: (slice, row, column) 0, 1..n without gaps.
        probability: On the same grid, 0..1.
    """
    box = bounding_box(instances)
    if box is None:
        return np.zeros(0)
    numbers = np.arange(1, int(instances[box].max()) + 1)
    return np.asarray(ndimage.mean(probability[box].astype(np.float32), instances[box], numbers))


def section_diameters_mm(instances: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """(n,) diameter in mm of the circle that is as large as each lesion's largest axial section.

    Args:
        instances: (slice, row, column) 0, 1..n; spacing: (slice, row, column) in mm.
    """
    count = int(instances.max(initial=0))
    sections = [np.bincount(part.ravel(), minlength=count + 1)[1:] for part in instances]
    largest = np.max(sections, axis=0) if sections else np.zeros(count)
    return np.asarray(2 * np.sqrt(largest * spacing[1] * spacing[2] / np.pi))
