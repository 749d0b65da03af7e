"""Bounding boxes of masks: what is worked on in a scan of a hundred million voxels is the liver's box, not the scan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

Box = tuple[slice, ...]
Start = tuple[int, int, int]


def box_at(start: tuple[int, ...], shape: tuple[int, ...]) -> Box:
    """The box of `shape` whose first voxel is `start`."""
    return tuple(slice(first, first + n) for first, n in zip(start, shape, strict=True))


def start_of(box: Box) -> Start:
    """A 3D box's first voxel."""
    return box[0].start, box[1].start, box[2].start


def lies_within(box: Box, shape: Sequence[int]) -> bool:
    """Whether no part of `box` lies beyond an array of `shape`."""
    return all(s.start >= 0 and s.stop <= n for s, n in zip(box, shape, strict=True))


def bounding_box(mask: np.ndarray) -> Box | None:
    """The smallest box that holds every non-zero voxel of `mask` (any number of axes), None if all are zero."""
    if mask.dtype == np.float16:
        mask = mask.view(np.uint16)  # zero is the same, and numpy is slow at half floats
    box: list[slice] = []
    for axis in range(mask.ndim):
        part = mask[tuple(box)]
        used = np.flatnonzero(part.any(axis=tuple(other for other in range(mask.ndim) if other != axis)))
        if used.size == 0:
            return None
        box.append(slice(int(used[0]), int(used[-1]) + 1))
    return tuple(box)


def joint_bounding_box(*masks: np.ndarray) -> Box | None:
    """The smallest box that holds every non-zero voxel of all `masks` (of one shape), None if all are empty."""
    return enclosing(box for box in map(bounding_box, masks) if box is not None)


def enclosing(boxes: Iterable[Box]) -> Box | None:
    """The smallest box that holds all `boxes`, None if there are none."""
    axes = zip(*boxes, strict=True)
    return tuple(slice(min(s.start for s in axis), max(s.stop for s in axis)) for axis in axes) or None


def grown(box: Box, shape: tuple[int, ...], margin: int | Sequence[int] = 1) -> Box:
    """`box` with `margin` voxels more on both sides of every axis, as far as an array of `shape` reaches."""
    margins = [margin] * len(box) if isinstance(margin, int) else margin
    return tuple(slice(max(0, s.start - m), min(n, s.stop + m)) for s, n, m in zip(box, shape, margins, strict=True))
