"""One CT with its reference label map, wherever it comes from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume

#: How far apart single slices are taken to lie: none is another's neighbour, nothing goes on from one to the next.
SINGLE_SLICES_MM = 100.0


@dataclass(frozen=True)
class TrainingCase(ABC):
    """A case for training or evaluation.

    Attributes:
        name: Unique in a data set.
        patient: Cases of one patient are never split between training and validation, or between folds.
        sparse: True where the slices are single ones: no volumes, no 3D lesions.
        slice_numbers: Where a selection of slices lay in their scan, in slices of its spacing, from feet to head; empty
            for a whole scan.
    """

    name: str
    patient: str
    sparse: bool
    slice_numbers: tuple[int, ...] = field(default=(), kw_only=True)

    @property
    def identity(self) -> list[str]:
        """What tells a run whether it goes on with the same cases; files in place are taken to stay as they are."""
        return [self.name, self.patient]

    @abstractmethod
    def fingerprint(self) -> str:
        """Changes with the files (size, time) and with all else that decides what is read. Raises OSError."""

    @abstractmethod
    def read(self) -> tuple[CTVolume, np.ndarray]:
        """The scan, and its labels (:mod:`.labels`) as uint8 (slice, row, column) on the grid of ``hu``.

        Raises:
            InputError: If a file cannot be read, the grids differ or a label is unknown.
            InvalidVolumeError: If the scan can be no CT volume.
        """

    def read_as_scanned(self) -> tuple[CTVolume, np.ndarray]:
        """As :meth:`read`, with the slices as far apart as in the patient, for what looks from slice to slice."""
        ct, labels = self.read()
        return self.as_scanned(ct), labels

    def as_scanned(self, ct: CTVolume) -> CTVolume:
        """The scan that was read, with the slices as far apart as in the patient.

        A file that holds a selection says how far apart the slices of the whole scan are; here it is the median
        distance of those selected. Single slices are ``SINGLE_SLICES_MM`` apart.
        """
        distance = median_distance_mm(self.positions_mm(len(ct.hu), ct.spacing[0]), ct.spacing[0])
        slice_mm = SINGLE_SLICES_MM if self.sparse else distance
        if np.isclose(slice_mm, ct.spacing[0]):
            return ct
        matrix = ct.geometry.ijk_to_lps @ np.diag([1.0, 1.0, slice_mm / ct.spacing[0], 1.0])
        return replace(ct, geometry=replace(ct.geometry, ijk_to_lps=matrix))

    def load(self) -> tuple[np.ndarray, np.ndarray, tuple[float, float, float]]:
        """The case's arrays in axial LPS order; they may be read-only and memory-mapped.

        Returns:
            HU (slice, row, column) int16 or float32, labels likewise uint8, spacing (slice, row, column) in mm.

        Raises:
            InputError, InvalidVolumeError: As :meth:`read`.
        """
        ct, labels = self.read()
        return ct.hu, labels, ct.spacing

    def positions_mm(self, count: int, slice_mm: float) -> np.ndarray:
        """Where its slices lie along the scan, in mm from where the scan begins: (count,) float.

        Raises:
            InputError: If there are not as many slices as the selection has.
        """
        return slice_positions_mm(self.slice_numbers, count, slice_mm)


def median_distance_mm(positions_mm: np.ndarray, otherwise: float) -> float:
    """How far apart slices at these positions (n,) lie from one to the next; of a single one, the other number."""
    between = np.diff(positions_mm)
    return float(np.median(between)) if between.size else otherwise


def slice_positions_mm(numbers: Sequence[int], count: int, slice_mm: float) -> np.ndarray:
    """As :meth:`TrainingCase.positions_mm`, for a case's ``slice_numbers``."""
    if not len(numbers):
        return np.arange(count) * slice_mm
    if len(numbers) != count:
        raise InputError(f"it has {count} slices, but {len(numbers)} numbers of slices: correct them in dataset.json")
    return np.asarray(numbers) * slice_mm
