"""Whether a mask lies on the liver of its scan: one that is flipped, or another scan's, is told by the HU under it."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from LiverLesionCascadeLib.engine.errors import InputError

_SAMPLE_VOXELS = 4_000_000
# Of 12 livers of LiTS, 0.4 to 8.3 % of the voxels differ by more than this from the median, as noise and lesions do;
# of their mirrored masks 10 % at the least.
_FAR_HU = 75.0
_MOST_FAR = 0.10
_CLEARLY_BETTER = 0.35
# HU of no liver or lesion, but of air, fat, bone and metal: none of 14 livers has any.
_NO_LIVER_HU = (-150.0, 350.0)
_MOST_NO_LIVER = 0.30
_AXES = ("top to bottom", "front to back", "left to right")


def require_on_liver(hu: np.ndarray, labels: np.ndarray) -> None:
    """Raises InputError where a mask lies on air and bone, or lies on one tissue once it is mirrored.

    Args:
        hu, labels: (slice, row, column); any label above 0 counts.
    """
    step = max(1, int(np.ceil(np.sqrt(hu.size / _SAMPLE_VOXELS))))
    sample = np.asarray(hu[:, ::step, ::step])
    flips = [axes for count in range(4) for axes in combinations(range(3), count)]
    # Mirrored before it is sampled, so that each is compared with the same voxels of the scan.
    far = [_far_from_median(sample, np.flip(labels, axes)[:, ::step, ::step] > 0) for axes in flips]
    best = int(np.argmin(far))
    if far[0] > _MOST_FAR and far[best] < _CLEARLY_BETTER * far[0]:
        how = " and ".join(_AXES[axis] for axis in flips[best])
        raise InputError(
            f"the mask is flipped against the scan: {far[0]:.0%} of it differ by more than {_FAR_HU:g} HU from its "
            f"median, mirrored {how} {far[best]:.0%}; export it with the scan as reference"
        )
    under = sample[labels[:, ::step, ::step] > 0]
    low, high = _NO_LIVER_HU
    wrong = float(((under < low) | (under > high)).mean()) if under.size else 0.0
    if wrong > _MOST_NO_LIVER:
        raise InputError(
            f"{wrong:.0%} of the mask lie on air, fat or bone (below {low:g} or above {high:g} HU): it is another "
            "scan's, or lies elsewhere; export it with the scan as reference"
        )


def _far_from_median(sample: np.ndarray, mask: np.ndarray) -> float:
    values = sample[mask]
    return float((np.abs(values - np.median(values)) > _FAR_HU).mean()) if values.size else 1.0
