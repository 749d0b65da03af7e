"""Which slices a training step sees: a mixture of kinds, partly drawn by patient, reproducible from seed and step."""

from __future__ import annotations

import numpy as np

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
        ValueError: If no slice of any kind is left.
    """

    def __init__(
        self,
        store: SliceStore,
        mixture: dict[str, float],
        by_patient: float,
        patients: set[int] | None = None,
        hard: float = 0.0,
    ) -> None:
        allowed = _allowed(store, patients)
        self._slices: list[np.ndarray] = []
        self._by_patient: list[list[np.ndarray]] = []
        weights: list[float] = []
        for kind, share in mixture.items():
            kinds = ("neither", "near") if kind == "neither" else (kind,)
            slices = np.flatnonzero(allowed & np.isin(store.kinds, kinds))
            if not len(slices):
                continue
            owner = store.patient[slices]
            self._slices.append(slices)
            self._by_patient.append([slices[owner == p] for p in np.unique(owner)])
            weights.append(share)
        if not weights:
            raise ValueError(f"No slice to train on: none is of the kinds {sorted(mixture)}")
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


def lesion_slices(store: SliceStore, patients: set[int] | None) -> int:
    """Number of slices with lesions that may be drawn."""
    return int(np.count_nonzero(_allowed(store, patients) & (store.kinds == "lesion")))


def _allowed(store: SliceStore, patients: set[int] | None) -> np.ndarray:
    return store.chosen if patients is None else store.chosen & np.isin(store.patient, list(patients))
