"""Lesions at any threshold and minimum size from stored probabilities, fast enough to follow a slider.

What is found at a threshold, in this order:

1. The voxels whose probability is above the threshold, holes filled in each axial slice, as far as they lie in the
   liver. The liver itself is not changed.
2. Lesions are the 3D components (26 neighbours) of these. A component that meets *held* voxels, which a person has
   decided about, is no new lesion around them: of it only what belongs to a present lesion that may be rebuilt is left,
   and never a held voxel.
3. Lesions smaller than the minimum size are left out: as in `postprocessing`, by the diameter of a sphere of their
   volume.

Without held voxels a lower threshold, and a smaller minimum, never loses a voxel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..grid.bounding_box import Box, bounding_box
from ..grid.voxel_runs import Runs
from ..measures.diameters import reaches_diameter
from ..measures.lesions import MAX_LESIONS

#: Stored probabilities are whole numbers, 0 to this one.
FULL = 255
#: Thresholds below are not offered: networks are nowhere quite sure, and nearly all of the liver would be kept ready.
LOWEST_THRESHOLD = 0.05


def stored_probability(values: np.ndarray) -> np.ndarray:
    """Probabilities 0..1 as they are stored: uint8 0..255, above a half where they were (a half itself is not)."""
    return np.ceil(np.clip(np.asarray(values, np.float32), 0.0, 1.0) * FULL - 0.5).astype(np.uint8)


@dataclass(frozen=True)
class FoundLesions:
    """Lesions in the box that was asked about.

    Attributes:
        numbers: (n,) the lesion of each of `runs`, 1 the largest.
        voxels: (count,) voxels of the lesions in the order of their numbers.
    """

    runs: Runs
    numbers: np.ndarray
    voxels: np.ndarray
    _shape: tuple[int, int, int]
    _box: Box
    _slice_axis: int

    @property
    def count(self) -> int:
        return len(self.voxels)

    def mask(self) -> np.ndarray:
        """Bool (k, j, i): all lesions in the box."""
        return self._painted(np.bool_, True)

    def labels(self) -> np.ndarray:
        """uint16 (k, j, i): the lesions' numbers in the box, 0 elsewhere."""
        return self._painted(np.uint16, np.repeat(self.numbers, self.runs.lengths))

    def _painted(self, kind: type, values: np.ndarray | bool) -> np.ndarray:
        grid: np.ndarray = np.zeros(self.runs.shape, kind)
        grid.ravel()[self.runs.voxels()] = values
        whole: np.ndarray = np.zeros(self._shape, kind)
        np.moveaxis(whole, self._slice_axis, 0)[self._box] = grid[1:-1, 1:-1, 1:-1]
        return whole


class LesionThreshold:
    """Probabilities made ready to be asked for lesions; see the top of this file.

    Args:
        probability: uint8 (k, j, i), 0..255, of a box of a grid; see `stored_probability`.
        liver: Bool, of the same shape: the whole organ.
        voxel_mm3: Volume of a voxel.
        held: Bool, voxels that a person has decided about, as part of a lesion or as none; None for none.
        rebuilt: Bool, the present lesions that may be rebuilt; None for none.
        slice_axis: The axis of the arrays that runs between feet and head.

    Raises:
        ValueError: If the arrays are not of one shape.
    """

    def __init__(
        self,
        probability: np.ndarray,
        liver: np.ndarray,
        voxel_mm3: float,
        held: np.ndarray | None = None,
        rebuilt: np.ndarray | None = None,
        slice_axis: int = 0,
    ) -> None:
        for name, array in (("liver", liver), ("held", held), ("rebuilt", rebuilt)):
            if array is not None and array.shape != probability.shape:
                raise ValueError(f"{name} {array.shape} and probability {probability.shape} are not of one box")
        self._voxel_mm3, self._whole, self._slice_axis = voxel_mm3, probability.shape, slice_axis
        likely = np.moveaxis(probability, slice_axis, 0) > int(LOWEST_THRESHOLD * FULL)
        self._box = bounding_box(likely) or (slice(0, 0),) * 3
        slices, rows, columns = (s.stop - s.start + 2 for s in self._box)
        self._shape = slices, rows, columns
        self._candidates = np.flatnonzero(np.pad(likely[self._box], 1))
        self._values = self._padded(probability).ravel()[self._candidates]
        self._liver = self._padded(liver).ravel()
        nothing = np.zeros(probability.shape, bool)
        self._held = self._padded(nothing if held is None else held).ravel()
        self._rebuilt = self._padded(nothing if rebuilt is None else rebuilt).ravel()
        self._in_liver = self._liver[self._candidates]

    def at(self, threshold: float, min_mm: float = 0.0) -> FoundLesions:
        """The lesions above a threshold (`LOWEST_THRESHOLD` to 1) of at least a diameter (mm)."""
        if not LOWEST_THRESHOLD <= threshold <= 1.0:
            raise ValueError(f"threshold is {threshold}: give {LOWEST_THRESHOLD} to 1")
        above = self._values > threshold * FULL
        voxels = self._candidates[above & self._in_liver]
        holes = Runs.of(self._candidates[above], self._shape).holes()
        holes = holes[self._liver[holes]]
        if len(holes):
            voxels = np.sort(np.concatenate([voxels, holes]), kind="stable")
        runs = Runs.of(voxels, self._shape)
        component, count = runs.components()
        held = self._held[voxels]
        if held.any():
            runs = self._without_held(runs, component, count, held)
            component, count = runs.components()
        return self._sized(runs, component, count, min_mm)

    def _without_held(self, runs: Runs, component: np.ndarray, count: int, held: np.ndarray) -> Runs:
        """Step 2; `held`: whether each voxel of the runs is."""
        of_voxel = np.repeat(component, runs.lengths)
        meets = np.zeros(count, dtype=bool)
        meets[of_voxel[held]] = True
        voxels = runs.voxels()
        keep = ~meets[of_voxel] | (self._rebuilt[voxels] & ~held)
        return Runs.of(voxels[keep], self._shape)

    def _sized(self, runs: Runs, component: np.ndarray, count: int, min_mm: float) -> FoundLesions:
        """Step 3, and numbers by falling volume."""
        sizes = np.bincount(component, weights=runs.lengths, minlength=count).astype(np.int64)
        order = np.argsort(-sizes, kind="stable")[:MAX_LESIONS]
        order = order[reaches_diameter(sizes[order] * self._voxel_mm3, min_mm)]
        numbers = np.zeros(count, dtype=np.uint16)
        numbers[order] = np.arange(1, len(order) + 1)
        of_run = numbers[component]
        kept = of_run > 0
        runs = Runs(runs.starts[kept], runs.stops[kept], self._shape)
        return FoundLesions(runs, of_run[kept], sizes[order], self._whole, self._box, self._slice_axis)

    def _padded(self, array: np.ndarray) -> np.ndarray:
        return np.pad(np.moveaxis(array, self._slice_axis, 0)[self._box], 1)


def kept_numbers(found: np.ndarray, present: np.ndarray) -> dict[int, int]:
    """Which found lesion is which present one, by overlap: {found number: present number}, each at most once.

    Args:
        found, present: Numbers of one shape, 0 where there is no lesion. The pairs that have most voxels in common are
            joined first.
    """
    both = (found > 0) & (present > 0)
    numbers = int(present.max(initial=0)) + 1
    pairs, voxels = np.unique(found[both].astype(np.int64) * numbers + present[both], return_counts=True)
    kept: dict[int, int] = {}
    for pair in pairs[np.argsort(-voxels, kind="stable")].tolist():
        new, old = divmod(pair, numbers)
        if new not in kept and old not in kept.values():
            kept[new] = old
    return kept
