"""Distances between the slices of a series: even, uneven but as the scanner made them, or with slices missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Slice distances that differ from their mean by no more than this part are taken as even.
UNEVEN = 0.10
WORTH_SAYING = 0.01
# A step this much larger than those beside it is a gap, unless there are many like it.
_GAP = 1.5
_MANY = 0.2
_RUN = 3
# Slices of the finest even grid that an uneven series is put on.
_MOST_SLICES = 2000
# Positions in an even grid's slices may differ by so much when they are read again.
_ROUNDING = 0.01


@dataclass(frozen=True)
class Gap:
    """Slices that are missing between two others.

    Attributes:
        after: Index of the slice before it.
        count: Number of slices that are missing.
    """

    after: int
    count: int


def find_gaps(places: np.ndarray, numbers: Sequence[float | None]) -> list[Gap]:
    """Where slices are missing.

    A step that is larger than what is usual on both sides of it is a gap, but not where the scanner goes on with it or
    does it again and again. Numbers that leave some out where the step is as much larger say the same.

    Args:
        places: (n,) ascending places along the normal, mm; numbers: InstanceNumber of each slice, where it is known.
    """
    steps = np.diff(places)
    left_out = _numbers_left_out(steps, numbers)
    gaps = []
    for index, step in enumerate(steps):
        if left_out[index]:
            gaps.append(Gap(index, left_out[index]))
            continue
        alike = np.abs(steps - step) <= 0.1 * step
        first, last = _run_around(alike, index)
        beside = steps[max(0, first - 3) : first], steps[last + 1 : last + 4]
        usual = max((float(np.median(side)) for side in beside if len(side)), default=float(step))
        recurs = alike.sum() >= _RUN and alike.mean() >= _MANY
        if step > _GAP * usual and last - first + 1 < _RUN and not recurs:
            gaps.append(Gap(index, max(int(round(step / usual)) - 1, 1)))
    return gaps


def _run_around(alike: np.ndarray, index: int) -> tuple[int, int]:
    first = last = index
    while first > 0 and alike[first - 1]:
        first -= 1
    while last + 1 < len(alike) and alike[last + 1]:
        last += 1
    return first, last


def _numbers_left_out(steps: np.ndarray, numbers: Sequence[float | None]) -> list[int]:
    """How many numbers are left out at each step that is larger by just as much; none where numbers have no order."""
    nothing = [0] * len(steps)
    if any(number is None for number in numbers):
        return nothing
    jumps = np.diff(np.array(numbers, float))
    if not len(jumps) or not (np.all(jumps > 0) or np.all(jumps < 0)):
        return nothing
    jumps = np.abs(jumps) / np.abs(jumps).min()
    counts = nothing
    for index in np.flatnonzero(jumps > 1):
        near = slice(max(0, index - 3), index + 4)
        whole = steps[near][jumps[near] == 1]
        usual = float(np.median(whole if len(whole) else steps[jumps == 1]))
        if abs(steps[index] / (usual * jumps[index]) - 1) < 0.25:
            counts[index] = int(round(float(jumps[index]))) - 1
    return counts


def unevenness(places: np.ndarray) -> float:
    """Largest difference of a step from their mean, as a part of it."""
    steps = np.diff(places)
    return float(np.abs(steps - steps.mean()).max() / steps.mean())


def are_even(places: np.ndarray) -> bool:
    """Whether slices may be taken for even: no step is far from their mean, and no slice half a step off its place.

    Small differences add up where a scanner goes on with another increment.
    """
    off = np.abs(places - np.linspace(places[0], places[-1], len(places))).max()
    return bool(unevenness(places) <= UNEVEN and off < 0.5 * np.diff(places).mean())


def even_places(places: np.ndarray, gaps: Sequence[Gap]) -> np.ndarray:
    """(m,) even places from the first to the last, as near to each other as the nearest slices, within reason.

    They are so many that no two slices are nearest to the same of them, if that is possible.

    Args:
        gaps: Whose missing slices are made up for.
    """
    steps = np.diff(places)
    whole = np.delete(steps, [gap.after for gap in gaps])
    finest = float(whole.min()) if len(whole) else float(steps.min())
    extent = float(places[-1] - places[0])
    # Rounding of headers: a mean step that is about the finest is nearer to the slices' own places.
    if len(whole) and float(np.abs(whole - np.median(whole)).max()) <= UNEVEN * float(np.median(whole)):
        finest = float(np.median(whole))
    count = min(max(int(round(extent / finest)), 1), _MOST_SLICES)
    while count < _MOST_SLICES and _share_a_place((places - places[0]) / extent * count):
        count += 1
    return np.linspace(places[0], places[-1], count + 1)


def _share_a_place(positions: np.ndarray) -> bool:
    """Whether two of the ascending positions have the same nearest whole number, or may have by rounding."""
    return bool((np.rint(positions[1:] - _ROUNDING) <= np.rint(positions[:-1] + _ROUNDING)).any())


def interpolate(volume: np.ndarray, places: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Slices (m, j, i) at other places, linear between their neighbours; of the volume's type.

    Args:
        volume: (n, j, i) at ``places`` (n,), ascending; wanted: (m,) within them.
    """
    result = np.empty((len(wanted), *volume.shape[1:]), volume.dtype)
    for index, place in enumerate(wanted):
        behind = int(np.clip(np.searchsorted(places, place), 1, len(places) - 1))
        part = (place - places[behind - 1]) / (places[behind] - places[behind - 1])
        if min(part, 1 - part) < 0.01:
            result[index] = volume[behind - 1 if part < 0.5 else behind]
            continue
        mixed = (1 - part) * volume[behind - 1].astype(np.float32) + part * volume[behind]
        result[index] = np.rint(mixed) if volume.dtype.kind == "i" else mixed
    return result
