"""Outlines of masks as paths: the contours at half height that marching squares finds (Lorensen and Cline 1987)."""

from __future__ import annotations

import numpy as np

# A boundary is the edge of a pixel of the mask towards the background. It runs right, down, left or up (directions 0 to
# 3, as (row, column) in _AHEAD) with the mask on its right, and goes on straight, or turns right or left.
_AHEAD = np.array([(0, 1), (1, 0), (0, -1), (-1, 0)])
_TURNS = np.array([0, 1, 3])
_STRAIGHT, _RIGHT, _LEFT = range(3)
#: From a boundary's middle to the next one's: (x, y) in half pixels by direction and turn.
_STEPS = np.array(
    [
        [(2, 0), (1, 1), (1, -1)],
        [(0, 2), (-1, 1), (1, 1)],
        [(-2, 0), (-1, -1), (-1, 1)],
        [(0, -2), (1, -1), (-1, -1)],
    ]
)


def outlines(masks: np.ndarray) -> list[list[np.ndarray]]:
    """Each mask's outline: loops through the middles of the pixel edges between mask and background.

    Pixels that touch at a corner only are apart; holes are loops of their own.

    Args:
        masks: (n, row, column) bool.

    Returns:
        For each mask its loops, (corners, 2) whole numbers x, y each, in half pixels; (0, 0) is the upper left corner
        of the first pixel. Loops are closed, without their first point again at the end.
    """
    padded = np.pad(np.asarray(masks, dtype=bool), ((0, 0), (1, 1), (1, 1)))
    pixels, directions, turns, successors = _boundaries(padded)
    order, first_of_loops = _loops(successors.tolist())
    loops: list[list[np.ndarray]] = [[] for _ in masks]
    if len(order) == 0:
        return loops
    pixels, directions, turns = pixels[order], directions[order], turns[order]
    steps = _STEPS[directions, turns]
    corner = np.any(steps != np.roll(steps, 1, axis=0), axis=1)
    corner[first_of_loops] = True
    # The border is taken off; an edge lies on the left of its pixel, seen along its direction.
    middles = (2 * (pixels[:, 1:] - 1) + 1 - _AHEAD[(directions + 1) % 4])[:, ::-1]
    for begin, end in zip(first_of_loops, [*first_of_loops[1:], len(order)], strict=True):
        loops[pixels[begin, 0]].append(middles[begin:end][corner[begin:end]])
    return loops


def outline_paths(masks: np.ndarray, origin: tuple[int, int] = (0, 0)) -> list[str]:
    """Each mask's outline as the path data of an SVG, in half pixels as `outlines` gives them; "" for an empty mask.

    Args:
        masks: (n, row, column) bool.
        origin: (x, y) that is added to all points.
    """
    return ["".join(_path(loop + origin) for loop in loops) for loops in outlines(masks)]


def _path(loop: np.ndarray) -> str:
    x, y = loop[0].tolist()
    lines = (
        f"l{right} {down}" if right and down else f"h{right}" if right else f"v{down}"
        for right, down in np.diff(loop, axis=0).tolist()
    )
    return f"M{x} {y}{''.join(lines)}z"


def _boundaries(padded: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """All boundaries: their pixels (n, row, column), directions, turns at their ends, and which ones come next.

    Args:
        padded: (n, row, column) bool with a border of background.
    """
    parts = []
    for direction, (down, right) in enumerate(_AHEAD):
        on_the_left = np.roll(padded, (right, -down), axis=(1, 2))  # the border makes the wrap harmless
        flat = np.flatnonzero(padded & ~on_the_left)
        pixel = np.column_stack(np.unravel_index(flat, padded.shape))
        n, row, column = pixel.T
        goes_on = padded[n, row + down, column + right]
        turns_left = goes_on & on_the_left[n, row + down, column + right]
        turn = np.where(turns_left, _LEFT, np.where(goes_on, _STRAIGHT, _RIGHT))
        parts.append((direction * padded.size + flat, pixel, np.full(len(flat), direction), turn))
    key, pixel, way, turn = map(np.concatenate, zip(*parts, strict=True))
    # The next boundary is one of the pixel ahead, of this pixel, or of the pixel ahead on the left.
    following = pixel.copy()
    following[:, 1:] += np.where((turn == _RIGHT)[:, None], 0, _AHEAD[way])
    following[:, 1:] -= np.where((turn == _LEFT)[:, None], _AHEAD[(way + 1) % 4], 0)
    heading = (way + _TURNS[turn]) % 4
    wanted = heading * padded.size + np.ravel_multi_index(tuple(following.T), padded.shape)
    return pixel, way, turn, np.searchsorted(key, wanted)


def _loops(successors: list[int]) -> tuple[np.ndarray, list[int]]:
    """All boundaries in an order in which each comes before its successor, and where in it loops begin."""
    order: list[int] = []
    begins: list[int] = []
    followed = bytearray(len(successors))
    for start in range(len(successors)):
        if followed[start]:
            continue
        begins.append(len(order))
        edge = start
        while not followed[edge]:
            followed[edge] = 1
            order.append(edge)
            edge = successors[edge]
    return np.array(order, dtype=np.int64), begins
