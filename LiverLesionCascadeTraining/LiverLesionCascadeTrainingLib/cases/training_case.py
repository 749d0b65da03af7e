"""One CT with its reference label map, wherever it comes from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume

from .labels import slices_shown


@dataclass(frozen=True)
class TrainingCase(ABC):
    """A case for training or evaluation.

    Attributes:
        name: Unique in a data set.
        patient: Cases of one patient are never split between training and validation, or between folds.
        sparse: True where the slices are single ones: no volumes, no 3D lesions.
    """

    name: str
    patient: str
    sparse: bool

    @property
    def identity(self) -> list[str]:
        """What tells a run whether it goes on with the same cases; files in place are taken to stay as they are."""
        return [self.name, self.patient]

    @abstractmethod
    def fingerprint(self) -> str:
        """Changes with the files (size, time) and with all else that decides what is read. Raises OSError."""

    @abstractmethod
    def read(self) -> tuple[CTVolume, np.ndarray]:
        """The scan, and its labels (0, 1 liver, 2 lesion) as uint8 (slice, row, column) on the grid of ``hu``.

        Raises:
            InputError: If a file cannot be read, the grids differ or a label is unknown.
            InvalidVolumeError: If the scan can be no CT volume.
        """

    def load(self) -> tuple[np.ndarray, np.ndarray, tuple[float, float, float]]:
        """The case's arrays in axial LPS order; they may be read-only and memory-mapped.

        Returns:
            HU (slice, row, column) int16 or float32, labels likewise uint8, spacing (slice, row, column) in mm.

        Raises:
            InputError, InvalidVolumeError: As :meth:`read`.
        """
        ct, labels = self.read()
        return ct.hu, labels, ct.spacing

    def slices_shown(self) -> tuple[np.ndarray, np.ndarray]:
        """In which slices liver or lesion lies, and in which a lesion does: two bool (slices,).

        Raises:
            InputError, InvalidVolumeError: As :meth:`read`.
        """
        return slices_shown(self.load()[1])
