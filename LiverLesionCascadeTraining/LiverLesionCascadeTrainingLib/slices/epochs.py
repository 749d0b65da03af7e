"""Which slices a training step sees when every epoch shows each slice once, as in Bi et al. 2017."""

from __future__ import annotations

import numpy as np

from .slice_store import SliceStore


class EpochSampler:
    """Goes through the slices in an order that is random anew in each epoch; any step can be asked for at once.

    Args:
        store: The slices.
        kinds: Kinds of slices that are shown; ``neither`` includes ``near``.
        patients: Patient numbers whose slices are shown; None for all.
        seed: Of the orders.

    Raises:
        ValueError: If there is no such slice.
    """

    def __init__(self, store: SliceStore, kinds: set[str], patients: set[int] | None, seed: tuple[int, ...]) -> None:
        kinds = kinds | {"near"} if "neither" in kinds else kinds
        shown = store.chosen & np.isin(store.kinds, list(kinds))
        if patients is not None:
            shown &= np.isin(store.patient, list(patients))
        self._slices = np.flatnonzero(shown)
        if not len(self._slices):
            raise ValueError(f"No slice to train on: none is of the kinds {sorted(kinds)}")
        self._seed = seed

    def draw(self, count: int, step: int) -> np.ndarray:
        """Indices (count,) into the store of the batch of a step."""
        places = np.arange(step * count, (step + 1) * count)
        epochs = places // len(self._slices)
        drawn = np.empty(count, np.int64)
        for epoch in np.unique(epochs):
            order = np.random.default_rng((*self._seed, int(epoch))).permutation(self._slices)
            drawn[epochs == epoch] = order[places[epochs == epoch] % len(self._slices)]
        return drawn
