"""Masks as runs of voxels: components and holes of what a mask holds, at a cost that its box does not raise.

A run is a row's unbroken stretch of voxels, given as flat indices (start, stop) of a grid (slice, row, column) that has
an empty margin of one voxel on every side, so that no neighbour of a voxel lies beyond an edge. Runs are ascending.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True)
class Runs:
    """The runs of a mask on a grid with an empty margin.

    Attributes:
        starts, stops: (n,) int64, flat indices of the first voxel and of the one after the last.
        shape: (slice, row, column) of the grid, margin included.
    """

    starts: np.ndarray
    stops: np.ndarray
    shape: tuple[int, int, int]

    @classmethod
    def of(cls, voxels: np.ndarray, shape: tuple[int, int, int]) -> Runs:
        """The runs of voxels that are given as ascending flat indices, none of them in the margin."""
        first, last = np.diff(voxels, prepend=-2) != 1, np.diff(voxels, append=-2) != 1
        return cls(voxels[first], voxels[last] + 1, shape)

    @property
    def lengths(self) -> np.ndarray:
        return self.stops - self.starts

    def voxels(self) -> np.ndarray:
        """Flat indices of all voxels, ascending."""
        return _expanded(self.starts, self.stops)

    def components(self) -> tuple[np.ndarray, int]:
        """The component of each run, 0..n-1, and n; voxels that share a face, an edge or a corner hang together."""
        _slices, rows, columns = self.shape
        pairs = []
        for line in (columns, (rows - 1) * columns, rows * columns, (rows + 1) * columns):
            low = np.searchsorted(self.stops, self.starts + (line - 1), side="right")
            high = np.searchsorted(self.starts, self.stops + (line + 1), side="left")
            pairs.append(_pairs(low, high))
        return _joined(len(self.starts), pairs)

    def holes(self) -> np.ndarray:
        """Flat indices, ascending, of the voxels from which no path over pixel edges leads out in their slice."""
        columns = self.shape[2]
        rows = self.starts // columns
        before = np.flatnonzero(rows[:-1] == rows[1:])
        starts, stops, rows = self.stops[before], self.starts[before + 1], rows[before]
        if len(starts) == 0:
            return starts
        # Of a row's background, only what lies between two runs can be a hole: all else leads out along the row.
        open_ = np.zeros(len(starts), dtype=bool)
        for step in (-1, 1):
            first = np.searchsorted(self.starts, (rows + step) * columns)
            after = np.searchsorted(self.starts, (rows + step + 1) * columns)
            empty = first == after
            nearest = np.minimum(first, len(self.starts) - 1)
            shift = step * columns
            open_ |= empty | (starts + shift < self.starts[nearest]) | (stops + shift > self.stops[after - 1])
        low = np.searchsorted(stops, starts + columns, side="right")
        high = np.searchsorted(starts, stops + columns, side="left")
        component, count = _joined(len(starts), [_pairs(low, high)])
        leads_out = np.zeros(count, dtype=bool)
        leads_out[component[open_]] = True
        hole = ~leads_out[component]
        return _expanded(starts[hole], stops[hole])


def _pairs(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(a, b) for every element a and every b with low[a] <= b < high[a]."""
    counts = np.maximum(high - low, 0)
    a = np.repeat(np.arange(len(low)), counts)
    return a, _expanded(low, low + counts)


def _joined(count: int, pairs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, int]:
    a, b = (np.concatenate(each) for each in zip(*pairs, strict=True))
    graph = coo_matrix((np.ones(len(a), dtype=bool), (a, b)), shape=(count, count))
    found, component = connected_components(graph, directed=False)
    return component, found


def _expanded(starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    lengths = stops - starts
    return np.arange(int(lengths.sum())) + np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
