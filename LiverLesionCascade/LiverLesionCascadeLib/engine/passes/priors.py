"""How earlier knowledge enters stage 2 as (I, Y^t, Y^v): estimates, corrections, or nothing."""

from __future__ import annotations

import numpy as np

#: A person's correction must speak louder than an estimate: estimates are scaled to 0..0.5, painted pixels are 1,
#: erased ones -1, and 0 everywhere means "no estimate".
ESTIMATE_SCALE = 0.5
PAINTED = 1.0
ERASED = -1.0


def encode_estimate(probability: np.ndarray) -> np.ndarray:
    """Scales probabilities (any shape, 0..1) to the range of estimates, as float32."""
    return probability.astype(np.float32) * np.float32(ESTIMATE_SCALE)
