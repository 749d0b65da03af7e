"""Masks on a volume's grid, of which only the box that holds something is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ...engine.grid.bounding_box import Box, bounding_box


@dataclass(frozen=True)
class MaskBox:
    """A mask that is empty outside of a box.

    :param values: bool (k, j, i); its shape is (0, 0, 0) where nothing is in the mask. Not to be changed.
    :param start: index (k, j, i) of the first voxel on the volume's grid.
    """

    values: np.ndarray
    start: tuple[int, int, int]

    @classmethod
    def of(cls, mask: np.ndarray, start: tuple[int, int, int] = (0, 0, 0)) -> MaskBox:
        """The smallest box of a mask (k, j, i), bool or numbers, whose first voxel is ``start``; copied."""
        box = bounding_box(mask)
        if box is None:
            return EMPTY
        first = tuple(axis.start + offset for axis, offset in zip(box, start, strict=True))
        return cls(np.array(mask[box], dtype=bool, order="C"), first)

    @property
    def box(self) -> Box:
        """Where ``values`` lie on the volume's grid."""
        return tuple(slice(first, first + n) for first, n in zip(self.start, self.values.shape, strict=True))

    def __bool__(self) -> bool:
        return self.values.size > 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MaskBox):
            return NotImplemented
        return self.start == other.start and np.array_equal(self.values, other.values)

    @property
    def count(self) -> int:
        """Voxels in the mask."""
        return int(np.count_nonzero(self.values))

    def within(self, box: Box) -> np.ndarray:
        """bool (k, j, i): a copy of what lies in a box of the grid."""
        part = np.zeros([axis.stop - axis.start for axis in box], bool)
        self.orInto(part, tuple(axis.start for axis in box))
        return part

    def full(self, shape: tuple[int, int, int]) -> np.ndarray:
        """bool (k, j, i): the whole grid."""
        return self.within(tuple(slice(0, n) for n in shape))

    def orInto(self, target: np.ndarray, start: tuple[int, int, int] = (0, 0, 0)) -> None:
        """Add the mask to an array of the grid whose first voxel is ``start``, as far as it reaches."""
        here, there = [], []
        for axis, first, n in zip(self.box, start, target.shape, strict=True):
            low, high = max(axis.start, first), min(axis.stop, first + n)
            if low >= high:
                return
            here.append(slice(low - axis.start, high - axis.start))
            there.append(slice(low - first, high - first))
        target[tuple(there)] |= self.values[tuple(here)]


EMPTY = MaskBox(np.zeros((0, 0, 0), bool), (0, 0, 0))


def jointBox(masks: Iterable[MaskBox]) -> Box | None:
    """The smallest box of the grid that holds all masks; None where all are empty."""
    boxes = [mask.box for mask in masks if mask]
    if not boxes:
        return None
    return tuple(slice(min(s.start for s in axis), max(s.stop for s in axis)) for axis in zip(*boxes, strict=True))


def difference(a: MaskBox, b: MaskBox) -> MaskBox:
    """Voxels that are in one of two masks only."""
    box = jointBox((a, b))
    if box is None:
        return EMPTY
    return MaskBox.of(a.within(box) ^ b.within(box), tuple(axis.start for axis in box))


def union(masks: Iterable[MaskBox]) -> MaskBox:
    """Voxels that are in any of the masks."""
    masks = list(masks)
    box = jointBox(masks)
    if box is None:
        return EMPTY
    start = tuple(axis.start for axis in box)
    values = np.zeros([axis.stop - axis.start for axis in box], bool)
    for mask in masks:
        mask.orInto(values, start)
    return MaskBox(values, start)
