"""Which slices a training step sees, reproducible from seed and step: drawn from a mixture of kinds, or all in turn."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from LiverLesionCascadeLib.engine.errors import InputError

from .hard_slices import HardSlices
from .slice_store import SliceStore


class SliceSampler:
    """Draws batches of slice indices.

    Each draw first chooses the kind of slice by the mixture, then, in ``by_patient`` of the draws, a patient who has
    such slices, else a slice at once. A kind that no slice has is left out and its share divided among the others.

    Args:
        store: The slices.
        mixture: Share of each kind; ``neither`` includes ``near``.
        by_patient: Part of the draws that choose the patient first.
        patients: Patient numbers that may be drawn; None for all.
        hard: Part of the draws that follow what the network is wrong about, whoever the patient is.

    Raises:
        InputError: If no slice of any kind is left.
    """

    def __init__(
        self,
        store: SliceStore,
        mixture: dict[str, float],
        by_patient: float,
        patients: set[int] | None = None,
        hard: float = 0.0,
    ) -> None:
        self._slices: list[np.ndarray] = []
        self._by_patient: list[list[np.ndarray]] = []
        weights: list[float] = []
        for kind, share in mixture.items():
            kinds = ("neither", "near") if kind == "neither" else (kind,)
            slices = slices_of(store, kinds, patients)
            if not len(slices):
                continue
            owner = store.patient[slices]
            self._slices.append(slices)
            self._by_patient.append([slices[owner == p] for p in np.unique(owner)])
            weights.append(share)
        if not weights:
            raise _nothing(mixture)
        self._weights = np.asarray(weights) / np.sum(weights)
        self._patient_share, self._hard_share = by_patient, hard
        self.hard_slices = HardSlices(len(store.kinds))

    def draw(self, count: int, random: np.random.Generator) -> np.ndarray:
        """Indices (count,) into the store."""
        chosen = np.empty(count, np.int64)
        for i, kind in enumerate(random.choice(len(self._weights), size=count, p=self._weights)):
            slices = self._slices[kind]
            if self._hard_share and random.random() < self._hard_share:
                chosen[i] = self.hard_slices.draw(slices, random)
                continue
            if random.random() < self._patient_share:
                patients = self._by_patient[kind]
                slices = patients[random.integers(len(patients))]
            chosen[i] = slices[random.integers(len(slices))]
        return chosen


class EpochSampler:
    """Goes through the slices in an order that is random anew in each epoch, as Bi et al. 2017; any step can be asked
    for at once.

    Args:
        store: The slices.
        kinds: Kinds of slices that are shown; ``neither`` includes ``near``.
        patients: Patient numbers whose slices are shown; None for all.
        seed: Of the orders.

    Raises:
        InputError: If there is no such slice.
    """

    def __init__(self, store: SliceStore, kinds: set[str], patients: set[int] | None, seed: tuple[int, ...]) -> None:
        kinds = kinds | {"near"} if "neither" in kinds else kinds
        self._slices, self._seed = slices_of(store, kinds, patients), seed
        if not len(self._slices):
            raise _nothing(kinds)

    def draw(self, count: int, step: int) -> np.ndarray:
        """Indices (count,) into the store of the batch of a step."""
        places = np.arange(step * count, (step + 1) * count)
        epochs = places // len(self._slices)
        drawn = np.empty(count, np.int64)
        for epoch in np.unique(epochs):
            order = np.random.default_rng((*self._seed, int(epoch))).permutation(self._slices)
            drawn[epochs == epoch] = order[places[epochs == epoch] % len(self._slices)]
        return drawn


def slices_of(store: SliceStore, kinds: Iterable[str], patients: set[int] | None) -> np.ndarray:
    """Indices of the slices of some kinds that may be drawn; ``patients`` as of :class:`SliceSampler`."""
    allowed = store.chosen & np.isin(store.kinds, list(kinds))
    if patients is not None:
        allowed &= np.isin(store.patient, list(patients))
    return np.flatnonzero(allowed)


def _nothing(kinds: Iterable[str]) -> InputError:
    return InputError(f"No slice to train on: none is of the kinds {', '.join(sorted(kinds))}. Give more cases")
