"""Do a volume's values look like Hounsfield units? Decided by the values alone: a file need not say what it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..findings import Finding

_SAMPLE_VOXELS = 2_000_000
# Below this there is gas; fat, the lightest tissue, ends at about -150 HU.
GAS_HU = -200.0
FAT_HU = (-150.0, -30.0)
# Where air and fat are cut away: nine tenths of an abdominal CT's other voxels are soft tissue below 200 HU, and 99 %
# lie below 600 HU even in a narrow crop with the spine. MR values run to hundreds or thousands.
P90_CEILING_HU = 300.0
P99_CEILING_HU = 1500.0
SMALLEST_RANGE_HU = 50.0


@dataclass(frozen=True)
class IntensityProfile:
    """Statistics of an evenly spaced sample of voxels, HU where the volume is a CT."""

    low: float
    high: float
    p90: float  # of the voxels above the lowest value, so that cut-away background does not count
    p99: float  # likewise
    gas_fraction: float  # at or below -200
    fat_fraction: float  # -150 to -30

    @classmethod
    def of(cls, array: np.ndarray) -> IntensityProfile:
        """From a 3D array in any axis order."""
        step = max(1, int(np.ceil(np.cbrt(array.size / _SAMPLE_VOXELS))))
        sample = np.asarray(array[::step, ::step, ::step], dtype=np.float32).ravel()
        low, high = float(sample.min()), float(sample.max())
        above = sample[sample > low]
        if above.size == 0:
            above = sample
        p90, p99 = np.percentile(above, (90, 99))
        gas = float(np.mean(sample <= GAS_HU))
        fat = float(np.mean((sample >= FAT_HU[0]) & (sample <= FAT_HU[1])))
        return cls(low, high, float(p90), float(p99), gas, fat)


def ct_like_finding(profile: IntensityProfile) -> Finding | None:
    """None for a CT in full HU, a warning for HU that were clipped (or where that cannot be told from other
    images), an error for values that no CT has."""
    span = f"{profile.low:g} to {profile.high:g}"
    if profile.high - profile.low < SMALLEST_RANGE_HU:
        return Finding(
            "not_ct",
            "error",
            f"The values ({span}) are not Hounsfield units, as after normalisation. Load the original CT in HU.",
        )
    if profile.gas_fraction >= 1e-3:
        return None
    if profile.fat_fraction < 0.01 and (profile.p90 > P90_CEILING_HU or profile.p99 > P99_CEILING_HU):
        return Finding(
            "not_ct",
            "error",
            f"The values ({span}, without air or fat) are not Hounsfield units, "
            "as in an MR or a CT without its rescale (intercept -1024). Load a CT in HU.",
        )
    return Finding(
        "clipped_hu",
        "warning",
        f"The values ({span}) hold no air: the HU were clipped, the scan is a crop, or it is no CT at all. Check "
        "that it is a CT; HU of lesions outside these values are not right. Use the original scan where it exists.",
    )
