"""Slices in which the network saw what is not there, and was sure of it: they are shown again more often.

How wrong it was is known from the training steps themselves, so that it costs no time to find out.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

#: What was seen before counts this much less each time that a slice is seen again: augmentation makes one look chance.
_MEMORY = 0.7


class HardSlices:
    """How wrong the network is about each slice of a store.

    Draws follow a snapshot (:meth:`settle`), so that batches that are made ahead do not depend on how far ahead.

    Args:
        count: Slices of the store.
    """

    def __init__(self, count: int) -> None:
        self._errors = np.zeros(count)
        self._settled = np.zeros(count)

    def note(self, index: np.ndarray, errors: np.ndarray) -> None:
        """Takes note of the errors (n,) of slices (n,) that were seen."""
        for i, error in zip(index, errors, strict=True):
            seen = self._errors[i] > 0
            self._errors[i] = _MEMORY * self._errors[i] + (1 - _MEMORY) * error if seen else error

    def settle(self) -> None:
        """From now on draws follow what has been noted."""
        self._settled = self._errors.copy()

    def draw(self, slices: np.ndarray, random: np.random.Generator) -> int:
        """One of some slices: the more wrong the network is about it, the likelier; any as long as it is wrong about
        none."""
        weights = self._settled[slices]
        total = weights.sum()
        return int(random.choice(slices, p=weights / total if total > 0 else None))

    def state(self) -> dict[str, Tensor]:
        return {"errors": torch.from_numpy(self._errors), "settled": torch.from_numpy(self._settled)}

    def load(self, state: dict[str, Tensor]) -> None:
        self._errors, self._settled = state["errors"].cpu().numpy(), state["settled"].cpu().numpy()


@torch.no_grad()
def false_and_sure(logits: Tensor, targets: Tensor) -> Tensor:
    """How much of liver and lesion is seen where none is: (n,) mean over the pixels of the squared excess.

    Args:
        logits, targets: (n, 2, rows, columns); targets in 0..1, NaN where nobody knows.
    """
    excess = (torch.sigmoid(logits.float()) - targets).clamp_min(0).nan_to_num_(0.0)
    return excess.square_().sum(dim=1).mean(dim=(1, 2))
