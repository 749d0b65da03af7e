"""A result as a person left it, on the source's grid: what one process hands another to have it refined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..grid.bounding_box import Box, bounding_box, box_at
from ..results.source_result import LabelBox, SourceResult
from ..scan.ct_volume import CTVolume

if TYPE_CHECKING:
    import torch

    from ..model.bundle import ModelBundle
    from .refine import Corrections, Refined

LIVER, LESION, LIVER_PAINTED, LIVER_ERASED, LESION_PAINTED, LESION_ERASED, TOUCHED = (1 << bit for bit in range(7))


@dataclass(frozen=True)
class EditFlags:
    """The masks as they are now and what was changed in them, a bit each; zero outside of a box.

    Attributes:
        values: uint8 (k, j, i): sums of the bits above.
        start: Index (k, j, i) of the first voxel on the source's grid.
    """

    values: np.ndarray
    start: tuple[int, int, int]

    @property
    def box(self) -> Box:
        return box_at(self.start, self.values.shape)

    def within(self, start: tuple[int, int, int], shape: tuple[int, int, int]) -> EditFlags:
        """What of them lies in a box of the grid, whose first voxel counts as the first of all."""
        whole = np.zeros(shape, np.uint8)
        here, there = [], []
        for own, n, first, size in zip(self.start, self.values.shape, start, shape, strict=True):
            low, high = max(own, first), max(own, first, min(own + n, first + size))
            here.append(slice(low - own, high - own))
            there.append(slice(low - first, high - first))
        whole[tuple(there)] = self.values[tuple(here)]
        return EditFlags(whole, (0, 0, 0))

    def corrections(self, ct: CTVolume) -> Corrections:
        """As the engine takes them: on the scan's axial grid.

        Raises:
            ValueError: If they do not lie on the source's grid, or hold no mask at all.
        """
        if any(s.stop > n for s, n in zip(self.box, ct.source.shape, strict=True)):
            raise ValueError(f"the edited masks {self.box} do not lie on the scan's grid {ct.source.shape}")
        from .refine import Corrections  # brings torch, which only a run needs

        whole = np.zeros(ct.source.shape, np.uint8)
        whole[self.box] = self.values
        flags = ct.from_source(whole)
        box = bounding_box(flags)
        if box is None:
            raise ValueError("there is nothing to refine: the result is empty")
        part = flags[box]

        def has(bit: int) -> np.ndarray:
            found: np.ndarray = part & bit != 0
            return found

        return Corrections(
            start=(box[0].start, box[1].start, box[2].start),
            liver=has(LIVER),
            lesions=has(LESION),
            lesions_painted=has(LESION_PAINTED),
            lesions_erased=has(LESION_ERASED),
            liver_painted=has(LIVER_PAINTED),
            liver_erased=has(LIVER_ERASED),
            touched=has(TOUCHED),
        )


def refined_on_source(refined: Refined, ct: CTVolume, bundle: ModelBundle, device: torch.device) -> SourceResult:
    """A refined result on the source's grid. All its lesions have the number 1; nothing in it is measured."""
    boxes = []
    for mask in (refined.liver, refined.lesions):
        whole = np.zeros(ct.hu.shape, np.uint8)
        whole[box_at(refined.start, mask.shape)] = mask
        boxes.append(LabelBox.of(ct.to_source(whole)))
    return SourceResult(
        shape=ct.source.shape,
        ijk_to_lps=ct.source.ijk_to_lps,
        name=ct.name,
        liver=boxes[0],
        lesions=boxes[1],
        table=[],
        liver_volume_ml=float(np.count_nonzero(refined.liver)) * ct.geometry.voxel_volume_ml,
        bundle_name=bundle.name,
        bundle_version=bundle.version,
        preset="refined",
        device=str(device),
    )
