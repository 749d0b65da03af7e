"""Do a volume's values look like Hounsfield units? Decided by the values alone: a file need not say what it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .findings import Finding

_SAMPLE_VOXELS = 2_000_000
# Below this there is gas; fat, the lightest tissue, ends at about -150 HU.
GAS_HU = -200.0
# 99 % of an abdominal CT's voxels lie below bone and contrast medium in vessels.
TISSUE_CEILING_HU = 500.0
SMALLEST_RANGE_HU = 50.0


@dataclass(frozen=True)
class IntensityProfile:
    """Statistics of an evenly spaced sample of voxels, HU where the volume is a CT."""

    low: float
    high: float
    p99: float  # of the voxels above the lowest value, so that background does not count
    median: float  # of the voxels above the lowest value
    gas_fraction: float  # at or below -200

    @classmethod
    def of(cls, hu: np.ndarray) -> IntensityProfile:
        """From an array (slice, row, column)."""
        step = max(1, int(np.ceil(np.sqrt(hu.size / _SAMPLE_VOXELS))))
        sample = np.asarray(hu[:, ::step, ::step], dtype=np.float32).ravel()
        low, high = float(sample.min()), float(sample.max())
        above = sample[sample > low]
        if above.size == 0:
            above = sample
        median, p99 = np.percentile(above, (50, 99))
        return cls(low, high, float(p99), float(median), float(np.mean(sample <= GAS_HU)))


def ct_like_findings(profile: IntensityProfile) -> list[Finding]:
    """Nothing for a CT in full HU, a warning for HU that were clipped (or where that cannot be told from other
    images), an error for values that no CT has."""
    span = f"{profile.low:g} to {profile.high:g}"
    if profile.high - profile.low < SMALLEST_RANGE_HU:
        return [
            Finding(
                "not_ct",
                "error",
                f"the values ({span}) are not Hounsfield units, as after normalisation. Load the original CT in HU.",
            )
        ]
    if profile.gas_fraction >= 1e-3:
        return []
    if profile.p99 > TISSUE_CEILING_HU:
        return [
            Finding(
                "not_ct",
                "error",
                f"the values ({span}, half of them above {profile.median:.0f}, no air below -200) are not Hounsfield "
                "units of a CT, as in an MR or a CT without its rescale (intercept -1024). Load a CT in HU.",
            )
        ]
    return [
        Finding(
            "clipped_hu",
            "warning",
            f"The values ({span}) hold no air: the HU were clipped, the scan is a crop, or it is no CT at all. Check "
            "that it is a CT; HU of lesions outside these values are not right. Use the original scan where it exists.",
        )
    ]
