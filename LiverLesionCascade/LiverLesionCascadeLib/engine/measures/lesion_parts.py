"""Lesions that have grown together, told apart.

Two lesions that touch have a neck between them; the lobes of one lesion are joined by nearly all of their width. What
is measured of a possible cut is therefore how wide it is for the part that it cuts off:

* *Neck* = radius of the disc with the area of the cut / radius of the sphere with the smaller part's volume. Two
  spheres that barely touch have a neck near 0, a sphere cut through its middle has one of 1.26.
* The area is that of the voxel faces between the parts, summed for each axis and then as the length of the vector of
  the three sums: exact for a plane cut of any direction, whatever the spacing.

Where a lesion can be cut is found by a watershed of the distance to its outside (Meyer's, in SimpleITK), on a distance
smoothed a little, so that the staircase of voxels makes no basins of its own. Its basins are joined again, the widest
neck first, until the parts are as few as wanted, or every neck is narrow. Crumbs come first: what is smaller than the
smallest part of interest goes to the neighbour that it shares most with.

The networks' probability as the weight of a face changed the necks by a few hundredths and no decision on the scans
that were tried: it is not asked, and an edited lesion is taken apart by the same rule.

Arrays are (slice, row, column) in axial order, spacing in mm in the same order. Voxels never change, only whose they
are.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product, takewhile

import numpy as np
import SimpleITK
from scipy import ndimage

from ..grid.bounding_box import Box, bounding_box
from ..progress import Steps, finish
from .diameters import sphere_mm3
from .lesions import MAX_LESIONS, NEIGHBOURS_26, by_falling_volume

#: Parts of a result are told apart where the neck is narrower: see `Testing/benchmarks/benchmark_separation.py`.
NECK = 0.75
#: ... and where both are at least as large as a sphere of this diameter.
SMALLEST_PART_MM = 7.0
#: The smallest part that is offered to a person who splits a lesion.
SMALLEST_OFFERED_MM = 4.0

# Basins that are less deep than this are one (mm), and the Gaussian that the distance is smoothed with (SD in mm).
_DEPTH_MM = 0.3
_SMOOTHING_MM = 1.0
# Distances are whole multiples of this: rounding in the last digit must not decide between symmetric voxels.
_STEP_MM = 1e-3
_WALL_MM = 1000.0
# What two parts that meet at edges and corners of voxels only share, in faces of a voxel.
_CORNER = 1e-6

_FACES: tuple[tuple[int, ...], ...] = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
_EDGES_AND_CORNERS = [step for step in product((-1, 0, 1), repeat=3) if step > (0, 0, 0) and np.count_nonzero(step) > 1]


@dataclass(frozen=True)
class _Join:
    """Two groups of basins that become one: `absorbed` goes to `kept`, which was divided from it by `neck`."""

    kept: int
    absorbed: int
    neck: float


class LesionParts:
    """One lesion, ready to be seen as one part or as many; made by :meth:`of` or :meth:`steps`."""

    def __init__(self, shape: tuple[int, ...], box: Box, basins: np.ndarray, joins: list[_Join]) -> None:
        self._shape, self._box, self._basins = shape, box, basins
        self._count = int(basins.max())
        # From basins to as few parts as there are components: the last of them are the narrowest necks.
        self._joins = joins

    @classmethod
    def of(
        cls, mask: np.ndarray, spacing: tuple[float, float, float], smallest_mm: float = SMALLEST_OFFERED_MM
    ) -> LesionParts:
        """
        Args:
            mask: Bool (slice, row, column), the lesion; best cut to its bounding box. It need not be connected: what
                does not hang together (26 neighbours) is never one part.
            spacing: (slice, row, column) in mm.
            smallest_mm: Diameter of a sphere as large as the smallest part.

        Raises:
            ValueError: The mask is empty.
        """
        return finish(cls.steps(mask, spacing, smallest_mm))

    @classmethod
    def steps(cls, mask: np.ndarray, spacing: tuple[float, float, float], smallest_mm: float) -> Steps[LesionParts]:
        """:meth:`of`, in short steps."""
        box = bounding_box(mask)
        if box is None:
            raise ValueError("A lesion without a voxel has no parts.")
        basins = yield from _basins(np.asarray(mask[box], dtype=bool), spacing)
        return cls(mask.shape, box, basins, _Graph(basins, spacing).joined(smallest_mm))

    @property
    def fewest(self) -> int:
        """Parts that do not hang together."""
        return self._count - len(self._joins)

    @property
    def most(self) -> int:
        """As many parts of the smallest size as there are."""
        crumbs = sum(join.neck == np.inf for join in self._joins)
        return self._count - crumbs

    def count(self, neck: float = NECK) -> int:
        """How many parts are left when the widest necks are joined until all are narrower than `neck`."""
        return self._count - len(list(takewhile(lambda join: join.neck >= neck, self._joins)))

    def parts(self, count: int) -> np.ndarray:
        """The lesion in so many parts, as far as it has them: uint16 of the mask's shape, 1..n by falling volume."""
        count = min(max(count, self.fewest), self.most)
        groups = _owners(self._count, self._joins[: self._count - count])[self._basins]
        labels = np.zeros(self._shape, np.uint16)
        labels[self._box] = by_falling_volume(groups)
        return labels


def separate_lesions(instances: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """Lesions of an instance map that have grown together, told apart.

    Args:
        instances: uint16 (slice, row, column), 0 where there is no lesion.
        spacing: (slice, row, column) in mm.

    Returns:
        uint16 of the same shape, 1..n by falling volume. Beyond 65,535 lesions none is split.
    """
    return finish(separation_steps(instances, spacing))


def separation_steps(instances: np.ndarray, spacing: tuple[float, float, float]) -> Steps[np.ndarray]:
    """:func:`separate_lesions`, in short steps."""
    separated = instances.copy()
    whole = bounding_box(instances)
    if whole is None:
        return separated
    lesions = instances[whole]
    labels = lesions.astype(np.int64)
    last = int(labels.max())
    voxel_mm3 = float(np.prod(spacing))
    for number, box in enumerate(ndimage.find_objects(lesions), start=1):
        if box is None:
            continue
        mask = lesions[box] == number
        if np.count_nonzero(mask) * voxel_mm3 < 2.0 * sphere_mm3(SMALLEST_PART_MM):
            continue
        yield
        lesion = yield from LesionParts.steps(mask, spacing, SMALLEST_PART_MM)
        parts = lesion.parts(lesion.count())
        labels[box][parts > 1] = parts[parts > 1] + (last - 1)
        last += int(parts.max()) - 1
    if last <= MAX_LESIONS:
        separated[whole] = by_falling_volume(labels)
    return separated


def _basins(mask: np.ndarray, spacing: tuple[float, float, float]) -> Steps[np.ndarray]:
    """Basins 1..n of the distance to the outside of a bool mask, each in one component; 0 outside."""
    inside = np.pad(mask, 1)
    distance = ndimage.distance_transform_edt(inside, sampling=spacing)
    yield
    smooth = ndimage.gaussian_filter(distance, [_SMOOTHING_MM / mm for mm in spacing])
    # The outside is a wall: shallow basins must not run together across it.
    steps = np.where(inside, -smooth, _WALL_MM) / _STEP_MM
    depth = SimpleITK.GetImageFromArray(np.round(steps).astype(np.int32))
    # What follows is ITK's MorphologicalWatershed, step by step.
    yield
    deep = SimpleITK.HMinima(depth, height=round(_DEPTH_MM / _STEP_MM), fullyConnected=True)
    yield
    lowest = SimpleITK.ConnectedComponent(SimpleITK.RegionalMinima(deep, fullyConnected=True), True)
    yield
    image = SimpleITK.MorphologicalWatershedFromMarkers(depth, lowest, markWatershedLine=False, fullyConnected=True)
    yield
    flooded = SimpleITK.GetArrayFromImage(image)[1:-1, 1:-1, 1:-1].astype(np.int64)
    components, _ = ndimage.label(mask, NEIGHBOURS_26)
    both = np.where(mask, flooded * (int(components.max()) + 1) + components, 0)
    _, basins = np.unique(both, return_inverse=True)
    # `unique` counts from 0; that is the outside, unless the mask fills its box.
    return basins.reshape(mask.shape) + (0 if (both == 0).any() else 1)


class _Graph:
    """Groups of basins and what they share; index 0 is the outside.

    Attributes:
        volumes: (basins + 1,) mm3, 0 of a group that was absorbed.
        shared: (3, basins + 1, basins + 1) area in mm2 between two groups across each axis.
    """

    def __init__(self, basins: np.ndarray, spacing: tuple[float, float, float]) -> None:
        voxel_mm3 = float(np.prod(spacing))
        self.volumes = np.bincount(basins.ravel()) * voxel_mm3
        self.volumes[0] = 0.0
        self.shared = np.zeros((3, len(self.volumes), len(self.volumes)))
        for axis, step in enumerate(_FACES):
            _add_shared(self.shared[axis], basins, step, voxel_mm3 / spacing[axis])
        for step in _EDGES_AND_CORNERS:
            _add_shared(self.shared[0], basins, step, _CORNER * voxel_mm3 / spacing[0])
        self.shared += self.shared.transpose(0, 2, 1)

    def joined(self, smallest_mm: float) -> list[_Join]:
        """Join all that hangs together, one by one."""
        joins = self._without_crumbs(sphere_mm3(smallest_mm))
        necks = np.full(self.shared.shape[1:], -np.inf)
        for group in np.flatnonzero(self.volumes).tolist():
            necks[group] = self._necks(group)
        while True:
            a, b = np.unravel_index(int(np.argmax(necks)), necks.shape)
            if necks[a, b] == -np.inf:
                return joins
            kept, absorbed = (int(a), int(b)) if self.volumes[a] >= self.volumes[b] else (int(b), int(a))
            joins.append(_Join(kept, absorbed, float(necks[a, b])))
            self._join(kept, absorbed)
            necks[absorbed] = necks[:, absorbed] = -np.inf
            necks[kept] = necks[:, kept] = self._necks(kept)

    def _without_crumbs(self, smallest_mm3: float) -> list[_Join]:
        joins: list[_Join] = []
        waiting = self.volumes > 0
        while True:
            small = np.flatnonzero(waiting & (self.volumes > 0) & (self.volumes < smallest_mm3))
            if not len(small):
                return joins
            crumb = int(small[np.argmin(self.volumes[small])])
            areas = self._areas(crumb)
            if areas.any():
                kept = int(np.argmax(areas))
                joins.append(_Join(kept, crumb, np.inf))
                self._join(kept, crumb)
            else:  # a component of its own
                waiting[crumb] = False

    def _areas(self, group: int) -> np.ndarray:
        return np.sqrt((self.shared[:, group] ** 2).sum(axis=0))

    def _necks(self, group: int) -> np.ndarray:
        """The neck between a group and each other; -inf where they do not touch."""
        areas = self._areas(group)
        found = np.full(len(areas), -np.inf)
        others = np.flatnonzero(areas)
        volumes = np.minimum(self.volumes[group], self.volumes[others])
        found[others] = np.sqrt(areas[others] / np.pi) / np.cbrt(volumes * 0.75 / np.pi)
        return found

    def _join(self, kept: int, absorbed: int) -> None:
        self.volumes[kept] += self.volumes[absorbed]
        self.volumes[absorbed] = 0.0
        self.shared[:, kept] += self.shared[:, absorbed]
        self.shared[:, :, kept] += self.shared[:, :, absorbed]
        self.shared[:, absorbed] = self.shared[:, :, absorbed] = 0.0
        self.shared[:, kept, kept] = 0.0


def _add_shared(shared: np.ndarray, basins: np.ndarray, step: tuple[int, ...], area: float) -> None:
    """Add what basins share across neighbours that are `step` apart to the array (count + 1, count + 1)."""
    here = tuple(slice(max(0, -s), n - max(0, s)) for s, n in zip(step, basins.shape, strict=True))
    there = tuple(slice(max(0, s), n + min(0, s)) for s, n in zip(step, basins.shape, strict=True))
    a, b = basins[here], basins[there]
    between = (a != b) & (a > 0) & (b > 0)
    pairs = a[between] * shared.shape[0] + b[between]
    shared += area * np.bincount(pairs, minlength=shared.size).reshape(shared.shape)


def _owners(count: int, joins: list[_Join]) -> np.ndarray:
    """(count + 1,) the group that each basin belongs to after the joins."""
    owners = np.arange(count + 1)
    for join in joins:
        owners[owners == join.absorbed] = join.kept
    return owners
