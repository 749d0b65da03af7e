"""Values of a box of a grid, zero elsewhere: masks, labels and probabilities of a scan of a hundred million voxels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from ..files import read_array
from .bounding_box import Box, Start, bounding_box, box_at, enclosing, lies_within, start_of


@dataclass(frozen=True, eq=False)
class Boxed:
    """What a grid holds within a box; zero outside of it.

    Attributes:
        values: Of the box, in the grid's axis order; (0, 0, 0) where the grid holds nothing. Not to be changed, as
            boxes share them.
        start: Index of the box's first voxel on the grid.
    """

    values: np.ndarray
    start: Start

    @classmethod
    def of(cls, array: np.ndarray, start: Start = (0, 0, 0), dtype: type | None = None) -> Boxed:
        """The smallest box of an array whose first voxel is ``start``; copied, as ``dtype`` if given."""
        box = bounding_box(array)
        if box is None:
            return cls.nothing(dtype or array.dtype)
        return cls(np.array(array[box], dtype, order="C"), _moved(start_of(box), start))

    @classmethod
    def mask(cls, array: np.ndarray, start: Start = (0, 0, 0)) -> Boxed:
        """`of` as bool: True where the array is not zero."""
        return cls.of(array, start, np.bool_)

    @classmethod
    def labels(cls, array: np.ndarray, start: Start = (0, 0, 0)) -> Boxed:
        """`of` as uint8, or uint16 where numbers (0 to 65,535) do not fit."""
        boxed = cls.of(array, start)
        small = boxed.values.max(initial=0) <= np.iinfo(np.uint8).max
        return cls(boxed.values.astype(np.uint8 if small else np.uint16), boxed.start)

    @classmethod
    def read(cls, path: Path, start: Sequence[int], shape: Sequence[int]) -> Boxed:
        """The values in an NPY file. Raises OSError, and ValueError where they lie beyond a grid of ``shape``."""
        k, j, i = (int(first) for first in start)
        boxed = cls(read_array(path), (k, j, i))
        if not lies_within(boxed.box, shape):
            raise ValueError(f"{path.name} does not lie within a grid of {tuple(shape)}")
        return boxed

    @classmethod
    def nothing(cls, dtype: DTypeLike = np.bool_) -> Boxed:
        """Zero everywhere."""
        return cls(np.zeros((0, 0, 0), dtype), (0, 0, 0))

    @property
    def box(self) -> Box:
        """Where ``values`` lie on the grid."""
        return box_at(self.start, self.values.shape)

    def __bool__(self) -> bool:
        return self.values.size > 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Boxed):
            return NotImplemented
        return self.start == other.start and np.array_equal(self.values, other.values)

    def __hash__(self) -> int:
        return hash((self.start, self.values.shape))

    @property
    def count(self) -> int:
        """Voxels that are not zero."""
        return int(np.count_nonzero(self.values))

    def within(self, box: Box) -> np.ndarray:
        """A copy of what lies in a box of the grid, which may reach beyond this one."""
        part = np.zeros([axis.stop - axis.start for axis in box], self.values.dtype)
        here, there = overlap(self.box, box)
        part[there] = self.values[here]
        return part

    def full(self, shape: tuple[int, int, int]) -> np.ndarray:
        """The whole grid."""
        return self.within(box_at((0, 0, 0), shape))

    def moved(self, by: Start) -> Boxed:
        """The same values on a grid whose first voxel lies ``by`` voxels before this one's."""
        return Boxed(self.values, _moved(self.start, by))

    def has(self, bit: int) -> Boxed:
        """Where a bit is set."""
        return Boxed.mask(self.values & bit, self.start)


#: The mask of nothing.
EMPTY = Boxed.nothing()


def overlap(a: Box, b: Box) -> tuple[Box, Box]:
    """What two boxes of a grid have in common, counted from the first voxel of the one and of the other."""
    common = [(max(x.start, y.start), min(x.stop, y.stop)) for x, y in zip(a, b, strict=True)]
    if any(low >= high for low, high in common):
        return (slice(0, 0),) * len(a), (slice(0, 0),) * len(a)

    def counted(box: Box) -> Box:
        return tuple(slice(low - s.start, high - s.start) for (low, high), s in zip(common, box, strict=True))

    return counted(a), counted(b)


def joint_box(boxed: Iterable[Boxed]) -> Box | None:
    """The smallest box of the grid that holds all of them; None where all are empty."""
    return enclosing(each.box for each in boxed if each)


def difference(a: Boxed, b: Boxed) -> Boxed:
    """Voxels that are in one of two masks only."""
    box = joint_box((a, b))
    return EMPTY if box is None else Boxed.mask(a.within(box) ^ b.within(box), start_of(box))


def union(masks: Iterable[Boxed]) -> Boxed:
    """Voxels that are in any of the masks."""
    masks = list(masks)
    box = joint_box(masks)
    if box is None:
        return EMPTY
    values = np.zeros([axis.stop - axis.start for axis in box], bool)
    for mask in masks:
        here, there = overlap(mask.box, box)
        values[there] |= mask.values[here]
    return Boxed(values, start_of(box))


def _moved(a: Start, b: Start) -> Start:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]
