"""Axial long and short diameter of a lesion, as RECIST 1.1 (Eisenhauer et al. 2009) asks for.

Long axis: the longest in-plane diameter over all axial slices. Short axis: the longest diameter perpendicular to it in
the same slice.

Definitions, so that a figure can be repeated:

* *Outline* of a lesion in a slice: the polygon half-way between the pixel centres inside and those outside (marching
  squares at one half). Its corners are the middles of the outer pixel edges, so one pixel is one pixel wide and a
  row of n pixels n pixels long: neither pixel corners nor pixel centres bias the length up or down. Holes do not count.
* A lesion that shows as several parts in a slice (8 neighbours) is measured part by part: no diameter crosses the
  tissue between parts.
* *Long axis*: the largest distance of two corners of a part's outline whose straight line stays in the part: no stretch
  of it that lies in pixels outside (holes are inside) is longer than one pixel, the longer side of it. So it may cut a
  step of the outline or a crack, but crosses no notch, in which calipers would measure tissue beside the lesion.
* *Short axis*: the longest straight line inside the outline that is perpendicular to the long axis. It does not cross a
  notch, and it need not cross the long axis.
* Of axes of equal length the pair with the longer short axis is taken, then the lowest slice, then the first row:
  turning or mirroring a lesion in its plane does not change its diameters.

Rows and columns may differ in spacing. Everything is computed exactly, no length is sampled, with one exception: of an
outline of more than 1500 corners (a rib cage, a vessel tree, noise), whose longest line is not one of its convex hull,
every n-th corner is tried as an end of the long axis, so that no more than 1500 are. That axis stays in the part as
well, but may be a little short of the longest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..grid.bounding_box import Start, start_of

#: (slice, row, column) in voxels of the array that was given; the centre of a voxel has whole numbers.
Point = tuple[float, float, float]

_IN_PLANE_8 = np.zeros((3, 3, 3), dtype=bool)
_IN_PLANE_8[1] = True

# Lengths that differ by less than this fraction are equal: rounding must not decide between symmetric axes.
_TIE = 1e-9

# So many corners of an outline that is not convex are tried as ends of the long axis: their pairs grow with the square.
_MOST_CORNERS = 1500

# Lines whose straightness is looked at together, and where along them they are looked at first.
_PAIRS_AT_ONCE = 1024
_LOOKS = np.arange(1, 16) / 16.0

# The largest width of a part over these directions, corrected for the directions between them, bounds its diameter.
_DIRECTIONS = 24
_ANGLES = np.arange(_DIRECTIONS) * np.pi / _DIRECTIONS
_BOUND = 1.0 / np.cos(np.pi / (2 * _DIRECTIONS))

# Marching squares. A cell's corners are four pixel centres, one bit each: 1 upper left, 2 upper right, 4 lower right,
# 8 lower left. Per code, its pieces of outline, from the middle of one side to that of another, as (row, column) in
# half pixels from the upper left centre. Pixels that meet at a corner belong together (codes 5 and 10).
_TOP, _RIGHT, _BOTTOM, _LEFT = (0, 1), (1, 2), (2, 1), (1, 0)
_PIECES: dict[int, tuple[tuple[tuple[int, int], tuple[int, int]], ...]] = {
    1: ((_LEFT, _TOP),),
    2: ((_TOP, _RIGHT),),
    3: ((_LEFT, _RIGHT),),
    4: ((_RIGHT, _BOTTOM),),
    5: ((_TOP, _RIGHT), (_BOTTOM, _LEFT)),
    6: ((_TOP, _BOTTOM),),
    7: ((_LEFT, _BOTTOM),),
    8: ((_BOTTOM, _LEFT),),
    9: ((_TOP, _BOTTOM),),
    10: ((_LEFT, _TOP), (_RIGHT, _BOTTOM)),
    11: ((_RIGHT, _BOTTOM),),
    12: ((_LEFT, _RIGHT),),
    13: ((_TOP, _RIGHT),),
    14: ((_LEFT, _TOP),),
}
_FIRST_PIECE = np.array([_PIECES.get(code, ((_TOP, _TOP),))[0] for code in range(16)])
_SECOND_PIECE = np.array([_PIECES.get(code, ((_TOP, _TOP),))[-1] for code in range(16)])


@dataclass(frozen=True)
class Diameters:
    """Long and short axis of a lesion in one axial slice; lengths in mm, points in voxels of the array given."""

    slice_index: int
    long_mm: float
    long_points: tuple[Point, Point]
    short_mm: float
    short_points: tuple[Point, Point]


def axial_diameters(mask: np.ndarray, spacing: tuple[float, float]) -> Diameters:
    """Longest in-plane diameter over all slices, and the longest perpendicular to it (definitions above).

    Args:
        mask: Bool (slice, row, column) of one lesion; best cut to its bounding box.
        spacing: (row, column) in mm.

    Raises:
        ValueError: The mask is empty.
    """
    parts, count = ndimage.label(mask, structure=_IN_PLANE_8)
    if count == 0:
        raise ValueError("A lesion without a voxel has no diameter.")
    boxes = ndimage.find_objects(parts)
    best: Diameters | None = None
    for bound, number in _candidates(parts, spacing):
        if best is not None and bound < best.long_mm * (1.0 - _TIE):
            break
        box = boxes[number - 1]
        found = _part_diameters((parts[box] == number)[0], start_of(box), spacing)
        if best is None or _better(found, best):
            best = found
    assert best is not None  # there is at least one part
    return best


def equivalent_diameter_mm(volume_mm3: float) -> float:
    """Diameter in mm of the sphere that has the given volume in cubic mm."""
    return (6.0 * volume_mm3 / math.pi) ** (1.0 / 3.0)


def sphere_mm3(diameter_mm: float) -> float:
    """Volume in cubic mm of the sphere that has the given diameter in mm."""
    return math.pi / 6.0 * diameter_mm**3


def reaches_diameter(volumes_mm3: np.ndarray, diameter_mm: float) -> np.ndarray:
    """Which volumes in cubic mm are at least that of a sphere of the given diameter in mm.

    Exactly its volume is, whatever the rounding of the cube does.
    """
    return volumes_mm3 >= sphere_mm3(diameter_mm) * (1.0 - 1e-9)


def _better(new: Diameters, old: Diameters) -> bool:
    for a, b in ((new.long_mm, old.long_mm), (new.short_mm, old.short_mm)):
        if abs(a - b) > _TIE * max(a, b):
            return a > b
    return (new.slice_index, new.long_points) < (old.slice_index, old.long_points)


def _candidates(parts: np.ndarray, spacing: tuple[float, float]) -> Iterator[tuple[float, int]]:
    """Upper bound of the diameter in mm and number of every in-plane part, the largest bound first.

    The width of a part in the direction of its diameter is that diameter; in the nearest of N directions it is at least
    cos(90 degrees / N) of it.
    """
    # The extreme pixels of a part, in any direction, are ends of its rows.
    ends = parts > 0
    ends[:, :, 1:-1] &= (parts[:, :, :-2] == 0) | (parts[:, :, 2:] == 0)
    _, rows, columns = np.nonzero(ends)
    numbers = parts[ends]
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.diff(numbers[order], prepend=0))
    along_y, along_x = np.sin(_ANGLES)[:, None] * spacing[0], np.cos(_ANGLES)[:, None] * spacing[1]
    positions = along_y * rows[order] + along_x * columns[order]
    widths = np.maximum.reduceat(positions, starts, axis=1) - np.minimum.reduceat(positions, starts, axis=1)
    # The middles of a pixel's edges reach half a pixel beyond its centre, along the rows or along the columns.
    reach = np.maximum(abs(along_y), abs(along_x))
    bounds = (widths + reach).max(axis=0) * _BOUND
    for index in np.argsort(-bounds, kind="stable"):
        yield float(bounds[index]), int(index) + 1


def _part_diameters(part: np.ndarray, start: Start, spacing: tuple[float, float]) -> Diameters:
    """Diameters of an in-plane part, a bool (row, column) whose first pixel is `start` (slice, row, column)."""
    shape = ndimage.binary_fill_holes(part)
    pieces = outline_pieces(shape)
    half = np.asarray(spacing) / 2.0  # the outline is in half pixels

    best_long, best_short = 0.0, -1.0
    long_axis = short_axis = np.zeros((2, 2))
    for first, second in _longest_pairs(shape, pieces, half):
        length = float(np.hypot(*((second - first) * half)))
        short, ends = _longest_perpendicular(pieces, first, second, half)
        if short > best_short * (1.0 + _TIE):
            best_long, best_short = length, short
            long_axis, short_axis = np.stack([first, second]) / 2.0, ends
    index, *first_pixel = start

    def points(ends: np.ndarray) -> tuple[Point, Point]:
        (r1, c1), (r2, c2) = (ends + first_pixel).tolist()
        return (float(index), r1, c1), (float(index), r2, c2)

    return Diameters(index, best_long, points(long_axis), best_short, points(short_axis))


def outline_pieces(shape: np.ndarray) -> np.ndarray:
    """Outline of a bool mask (row, column): pieces (n, 2 ends, 2) of whole numbers, (row, column) in half pixels."""
    padded = np.pad(shape, 1).astype(np.uint8)
    code = padded[:-1, :-1] | padded[:-1, 1:] << 1 | padded[1:, 1:] << 2 | padded[1:, :-1] << 3
    crossed = np.argwhere((code > 0) & (code < 15))
    kind = code[crossed[:, 0], crossed[:, 1]]
    corner = 2 * (crossed - 1)[:, None, :]
    double = (kind == 5) | (kind == 10)
    return np.concatenate([corner + _FIRST_PIECE[kind], corner[double] + _SECOND_PIECE[kind[double]]])


def convex_hull(points: np.ndarray) -> np.ndarray:
    """Corners of the convex hull of (n, 2) whole numbers, without points on its edges (Andrew's monotone chain, exact).

    Points that all lie on one line give the line's two ends; a single point gives itself.
    """
    ordered = [tuple(p) for p in np.unique(points, axis=0).tolist()]
    if len(ordered) < 3:
        return np.array(ordered)

    def chain(sequence: list[tuple[int, int]]) -> list[tuple[int, int]]:
        hull: list[tuple[int, int]] = []
        for p in sequence:
            while len(hull) > 1:
                (ay, ax), (by, bx) = hull[-2], hull[-1]
                if (by - ay) * (p[1] - ax) - (bx - ax) * (p[0] - ay) > 0:
                    break
                hull.pop()
            hull.append(p)
        return hull[:-1]

    return np.array(chain(ordered) + chain(ordered[::-1]))


def _longest_pairs(shape: np.ndarray, pieces: np.ndarray, half: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The pairs of ends of the outline's pieces (n, 2 ends, 2) that are farthest apart in mm with a line that stays in
    the bool `shape`: several where symmetric axes are equally long.
    """
    corners = np.unique(pieces.reshape(-1, 2), axis=0)
    hull = convex_hull(corners)
    inside = _Inside(shape, half)
    # The hull's are farthest apart, and few; in a convex shape they will do. Any piece of the outline stays inside.
    for points in (hull, corners[:: -(-len(corners) // _MOST_CORNERS)], pieces[0]):
        first, second = np.triu_indices(len(points), 1)
        squared = (((points[first] - points[second]) * half) ** 2).sum(axis=1)
        order = np.argsort(-squared, kind="stable")
        first, second, squared = first[order], second[order], squared[order]
        if points is hull:
            longest = squared >= squared[0] * (1.0 - 2.0 * _TIE)
            first, second, squared = first[longest], second[longest], squared[longest]
        found = 0.0
        for start in range(0, len(squared), _PAIRS_AT_ONCE):
            batch = slice(start, start + _PAIRS_AT_ONCE)
            if squared[start] < found:
                break
            stays = inside.stays(points[first[batch]], points[second[batch]])
            for index in start + np.flatnonzero(stays):
                if squared[index] >= found:
                    found = max(found, squared[index] * (1.0 - 2.0 * _TIE))
                    yield points[first[index]], points[second[index]]
        if found:
            return


class _Inside:
    """Tells which straight lines stay in a bool shape (row, column), but for one pixel; `half` a pixel in mm."""

    def __init__(self, shape: np.ndarray, half: np.ndarray) -> None:
        self._shape, self._half, self._limit = np.pad(shape, 1), half, 2.0 * float(half.max())
        # What is farther from the shape than half a pixel cannot be crossed; distances are those of pixels' centres.
        distance = ndimage.distance_transform_edt(~self._shape, sampling=2.0 * half)
        self._far = distance > self._limit / 2.0 + 2.0 * np.hypot(*half)

    def stays(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """(n,) whether the lines between points (n, 2), in half pixels, do."""
        start, along = first / 2.0, (second - first) / 2.0
        stays = np.ones(len(first), bool)
        if self._far.any():
            for share in _LOOKS:
                looked = np.flatnonzero(stays)
                places = np.rint(start[looked] + share * along[looked]).astype(int) + 1
                stays[looked] = ~self._far[tuple(places.T)]
        left = np.flatnonzero(stays)
        if len(left):
            stays[left] = self._longest_outside(start[left], along[left]) <= self._limit * (1.0 + 1e-6)
        return stays

    def _longest_outside(self, start: np.ndarray, along: np.ndarray) -> np.ndarray:
        """(n,) mm: the longest stretch outside of the shape of lines from `start`, both (n, 2) in pixels."""
        # Shares of the lines at which they pass from pixel to pixel; 0 and 1 in place of those beyond their ends.
        shares = [np.zeros((len(start), 1)), np.ones((len(start), 1))]
        for axis in range(2):
            borders = np.arange(self._shape.shape[axis] - 1) - 0.5
            with np.errstate(divide="ignore", invalid="ignore"):
                crossed = (borders - start[:, axis, None]) / along[:, axis, None]
            shares.append(np.where((crossed > 0.0) & (crossed < 1.0), crossed, 0.0))
        at = np.sort(np.concatenate(shares, axis=1), axis=1)
        middles = start[:, None, :] + ((at[:, :-1] + at[:, 1:]) / 2.0)[:, :, None] * along[:, None, :]
        inside = np.zeros(middles.shape[:2], bool)
        for by in ((-_TIE, -_TIE), (-_TIE, _TIE), (_TIE, -_TIE), (_TIE, _TIE)):  # on a border both pixels are looked at
            rows, columns = np.moveaxis(np.rint(middles + by).astype(int) + 1, 2, 0)
            inside |= self._shape[rows, columns]
        # Shares outside up to each piece, less those up to the last piece inside.
        outside = np.cumsum(np.where(inside, 0.0, np.diff(at, axis=1)), axis=1)
        stretches = outside - np.maximum.accumulate(np.where(inside, outside, 0.0), axis=1)
        lengths: np.ndarray = 2.0 * np.hypot(*(along * self._half).T)
        return stretches.max(axis=1) * lengths


def _longest_perpendicular(
    pieces: np.ndarray, first: np.ndarray, second: np.ndarray, scale: np.ndarray
) -> tuple[float, np.ndarray]:
    """Length in mm and ends (2, 2), (row, column) in pixels, of the longest inner line perpendicular to first-second.

    Strips between neighbouring corners of the outline, in the order along the long axis, are each crossed by the same
    pieces of outline, which pair up from outside to inside to outside. Lengths change linearly across a strip: its
    sides decide.
    """
    along = (second - first) * scale
    along = along / np.hypot(*along)
    y = pieces[:, :, 0] * scale[0]
    x = pieces[:, :, 1] * scale[1]
    position = y * along[0] + x * along[1]
    height = y * along[1] - x * along[0]

    stops = np.unique(position)
    wide = np.diff(stops) > 1e-9 * (stops[-1] - stops[0])  # narrower ones are one stop, rounded differently
    start, end = stops[:-1][wide], stops[1:][wide]
    middle = (start + end) / 2.0
    low, high = position.min(axis=1), position.max(axis=1)
    # Which pieces cross the middle of which strip, strip by strip.
    crossed_from, crossed_to = np.searchsorted(middle, low, "right"), np.searchsorted(middle, high, "left")
    count = np.maximum(crossed_to - crossed_from, 0)
    piece = np.repeat(np.arange(len(pieces)), count)
    strip = np.arange(len(piece)) - np.repeat(np.cumsum(count) - count - crossed_from, count)
    by_strip = np.argsort(strip, kind="stable")
    strip, piece = strip[by_strip], piece[by_strip]
    slope = (height[piece, 1] - height[piece, 0]) / (position[piece, 1] - position[piece, 0])

    def height_at(where: np.ndarray) -> np.ndarray:
        return height[piece, 0] + slope * (where[strip] - position[piece, 0])

    order = np.lexsort((height_at(middle), strip))
    best, ends = -1.0, np.zeros((2, 2))
    for side in (start, end):
        crossing = height_at(side)[order]
        lengths = crossing[1::2] - crossing[0::2]
        longest = int(np.argmax(lengths))
        if lengths[longest] > best:
            best, at = float(lengths[longest]), side[strip[order[2 * longest]]]
            heights = crossing[2 * longest : 2 * longest + 2, None]
            ends = at * along + heights * np.array([along[1], -along[0]])
    return best, ends / (2.0 * scale)
