"""What a slice shows, and the choice of slices that the paper trains on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: Slices without liver that are at most this far from it count as its neighbours: what a run, which looks a little
#: beyond the liver's ends, may take for liver or lesion.
NEAR_MM = 40.0
KINDS = ("lesion", "liver", "near", "neither")


def slice_kinds(liver: np.ndarray, lesion: np.ndarray, sparse: bool, positions_mm: np.ndarray) -> np.ndarray:
    """One of ``KINDS`` for each slice; single slices have no neighbours.

    Args:
        liver, lesion: (slices,) bool, as of :func:`slices_shown`.
        positions_mm: (slices,) where they lie along the scan.
    """
    kinds = np.where(lesion, "lesion", np.where(liver, "liver", "neither")).astype("<U7")
    if not sparse and liver.any():
        away = np.abs(positions_mm[:, None] - positions_mm[liver]).min(axis=1)
        kinds[~liver & (away <= NEAR_MM)] = "near"
    return kinds


def choose_slices(kinds: Sequence[np.ndarray], count: int, seed: int) -> list[np.ndarray]:
    """A random choice as Bi et al. 2017 (section 2.5) made it: half show a lesion in the liver, half neither.

    Where there are too few of one sort, all of it are taken and as many of the other: the numbers stay equal.

    Args:
        kinds: Per case, the kind of each slice.
        count: Slices in all; 8,802 in the paper.
        seed: The same seed and cases give the same slices.

    Returns:
        Per case, a bool for each slice.
    """
    every = np.concatenate(kinds)
    lesion, neither = np.flatnonzero(every == "lesion"), np.flatnonzero(np.isin(every, ("near", "neither")))
    half = min(count // 2, len(lesion), len(neither))
    random = np.random.default_rng(seed)
    chosen = np.zeros(len(every), bool)
    for members in (lesion, neither):
        chosen[random.permutation(members)[:half]] = True
    return np.split(chosen, np.cumsum([len(one) for one in kinds])[:-1])
