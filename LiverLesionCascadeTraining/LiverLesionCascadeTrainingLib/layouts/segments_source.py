"""Cases whose labels come as named segments in a file beside the scan."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume

from ..cases.case_source import CaseSource
from ..cases.mask_check import require_on_liver
from .placement import Piece, label_map
from .segment_labels import SegmentIdentity

#: What each segment of a file is, and its pieces.
Segments = Iterable[tuple[SegmentIdentity, list[Piece]]]


@dataclass(frozen=True)
class SegmentsSource(CaseSource):
    """A scan and a segmentation of it.

    Attributes:
        ignore: Patterns of the names of segments that are neither liver nor lesion and do not matter.
    """

    ignore: tuple[str, ...] = ()

    @abstractmethod
    def open(self) -> tuple[CTVolume, Path, Segments]:
        """The scan, the segmentation's file, and its segments, which are read as they are gone through."""

    def read(self) -> tuple[CTVolume, np.ndarray]:
        ct, segmentation, segments = self.open()
        try:
            labels = ct.from_source(label_map(segments, ct.source, self.ignore))
            require_on_liver(ct.hu, labels)
        except InputError as error:
            raise InputError(f"{segmentation.name}: {error}") from error
        return ct, labels

    def settings(self) -> list[object]:
        return [*super().settings(), self.ignore]
