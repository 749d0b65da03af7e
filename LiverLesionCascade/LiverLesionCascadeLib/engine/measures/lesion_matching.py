"""Follow-up: which lesion of one time point is which of another, and what has changed.

Numbers only: what a change means for the patient is not said. Positions are (x, y, z) in mm of one world in which the
two time points were aligned; lengths in mm, volumes in mL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from ..grid.geometry import transformed
from .spreadsheet import cell_number, cell_text, csv_text

#: How far alignment may leave one lesion from where it was, in mm.
TOLERANCE_MM = 12.0
_LIMIT = TOLERANCE_MM**2
# A lesion is part of another if at least half of it lies so near to voxels of that.
_PART_MM = 5.0
_PART = 0.5
# Large lesions are looked at on every n-th voxel of an axis, as long as such steps stay below.
_STEP_MM = 2.5
_MANY_VOXELS = 4000

MATCHED, NEW, GONE, SPLIT, MERGED = "matched", "new", "gone", "split", "merged"


@dataclass(frozen=True)
class LesionAtTime:
    """A lesion at one time point.

    Attributes:
        key: Names it among those of its time point.
        name: As shown.
        long_axis_mm: Longest axial diameter.
        volume_ml: Volume.
        points: (n, 3) mm, places of its voxels; n > 0.
        centre: (3,) mm, centre of mass of all its voxels.
    """

    key: str
    name: str
    long_axis_mm: float
    volume_ml: float
    points: np.ndarray
    centre: np.ndarray

    @cached_property
    def tree(self) -> cKDTree:
        return cKDTree(self.points)

    @cached_property
    def radius_mm(self) -> float:
        """Of the sphere around the centre that holds all points."""
        return float(np.linalg.norm(self.points - self.centre, axis=1).max())

    def apart_mm(self, other: LesionAtTime) -> float:
        """From centre to centre."""
        return float(np.linalg.norm(self.centre - other.centre))

    def moved(self, motion: Callable[[np.ndarray], np.ndarray]) -> LesionAtTime:
        """The lesion where `motion`, a map of points (n, 3), takes it; its measures stay those of its scan."""
        places = motion(np.vstack((self.centre, self.points)))
        return replace(self, points=places[1:], centre=places[0])


@dataclass(frozen=True)
class Change:
    """From one value to another; either may be missing."""

    before: float | None
    after: float | None

    @property
    def difference(self) -> float | None:
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def percent(self) -> float | None:
        """Of the value before; None where that is 0 or missing."""
        return None if self.difference is None or not self.before else 100.0 * self.difference / self.before


@dataclass(frozen=True)
class FollowedLesion:
    """A row: one lesion at both time points, or at one.

    Attributes:
        state: MATCHED; NEW or GONE; SPLIT: came off the lesion `partner` of before; MERGED: went into the lesion
            `partner` of after. A part that split off or merged stands in a row of its own, beside its partner's.
        before: None if new or split.
        after: None if gone or merged.
        partner: The lesion that a split or merged one belongs to.
        chosen: Whether a person said so; otherwise it is a proposal.
        distance_mm: From centre to centre; None where it has no counterpart.
    """

    state: str
    before: LesionAtTime | None
    after: LesionAtTime | None
    partner: LesionAtTime | None = None
    chosen: bool = False

    @property
    def distance_mm(self) -> float | None:
        if self.before is None or self.after is None:
            return None
        return self.before.apart_mm(self.after)

    @property
    def long_axis_mm(self) -> Change:
        return self._change("long_axis_mm")

    @property
    def volume_ml(self) -> Change:
        return self._change("volume_ml")

    def _change(self, measure: str) -> Change:
        return Change(*(None if each is None else getattr(each, measure) for each in (self.before, self.after)))


@dataclass(frozen=True)
class FollowUpTable:
    """All lesions of two time points.

    Attributes:
        rows: The lesions of after in their order, then those of before that are not there any more.
        sum_of_long_axes_mm: Of all lesions of each time point.
        volume_ml: Of all lesions of each time point.
    """

    rows: tuple[FollowedLesion, ...]

    @property
    def sum_of_long_axes_mm(self) -> Change:
        return self._sums("long_axis_mm")

    @property
    def volume_ml(self) -> Change:
        return self._sums("volume_ml")

    def count(self, state: str) -> int:
        return sum(row.state == state for row in self.rows)

    def _sums(self, measure: str) -> Change:
        sides = ([row.before for row in self.rows], [row.after for row in self.rows])
        return Change(*(float(sum(getattr(each, measure) for each in side if each is not None)) for side in sides))


def lesion_points(mask: np.ndarray, ijk_to_world: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points and centre of a lesion, as `LesionAtTime` takes them.

    Args:
        mask: Bool (k, j, i), not empty.
        ijk_to_world: (4, 4) to mm.
    """
    kji_to_world = np.asarray(ijk_to_world, dtype=float)[:, [2, 1, 0, 3]]
    found = np.argwhere(mask)
    centre = found.mean(axis=0)
    if len(found) > _MANY_VOXELS:
        spacing = np.linalg.norm(kji_to_world[:3, :3], axis=0)
        step = np.maximum(np.floor(_STEP_MM / spacing).astype(int), 1)
        thinned = found[(found % step == 0).all(axis=1)]
        found = thinned if len(thinned) else found
    return transformed(found, kji_to_world), transformed(centre, kji_to_world)


def follow(
    before: Sequence[LesionAtTime],
    after: Sequence[LesionAtTime],
    choices: Mapping[str, str | None] | None = None,
) -> FollowUpTable:
    """Pair the lesions of two time points that were aligned.

    Proposals are one to one: of all pairings within `TOLERANCE_MM` the one that leaves the least distance, where two
    lesions without counterpart cost as much as a pair at the tolerance. Common motions change nothing, and exchanging
    the time points only turns new into gone and split into merged.

    Args:
        before: Lesions where the alignment takes them.
        after: Lesions of the later time point.
        choices: What a person said: key of a lesion of after to the key of that of before, or None if it has none. No
            lesion of before may be chosen twice. Keys of lesions that are not there are passed over.

    Raises:
        ValueError: A lesion of before was chosen for two.
    """
    old, new = {each.key: index for index, each in enumerate(before)}, {e.key: n for n, e in enumerate(after)}
    said = {
        new[key]: None if other is None else old[other]
        for key, other in (choices or {}).items()
        if key in new and (other is None or other in old)
    }
    taken = [other for other in said.values() if other is not None]
    if len(set(taken)) < len(taken):
        raise ValueError("One lesion of before was chosen for two of after.")

    free_old = [index for index in range(len(before)) if index not in taken]
    free_new = [index for index in range(len(after)) if index not in said]
    pairs = {there: here for there, here in said.items() if here is not None}
    proposed = _pairs([before[index] for index in free_old], [after[index] for index in free_new])
    pairs |= {free_new[there]: free_old[here] for here, there in proposed}

    paired_old = {here: there for there, here in pairs.items()}
    rows = []
    for index, lesion in enumerate(after):
        chosen = index in said
        if index in pairs:
            rows.append(FollowedLesion(MATCHED, before[pairs[index]], lesion, chosen=chosen))
            continue
        whole = None if chosen else _whole(lesion, [before[here] for here in paired_old])
        rows.append(FollowedLesion(NEW if whole is None else SPLIT, None, lesion, whole, chosen))
    for index, lesion in enumerate(before):
        if index not in paired_old:
            whole = _whole(lesion, [after[there] for there in pairs])
            rows.append(FollowedLesion(GONE if whole is None else MERGED, lesion, None, whole))
    return FollowUpTable(tuple(rows))


def _pairs(before: Sequence[LesionAtTime], after: Sequence[LesionAtTime]) -> list[tuple[int, int]]:
    """Indices of lesions of before and of after that are proposed to be the same."""
    if not before or not after:
        return []
    # A pair that is left apart costs as much as one at the tolerance; so what is beyond it is never proposed.
    costs = np.array([[_cost(a, b) for b in after] for a in before])
    return [(int(a), int(b)) for a, b in zip(*linear_sum_assignment(costs), strict=True) if costs[a, b] < _LIMIT]


def _cost(a: LesionAtTime, b: LesionAtTime) -> float:
    """In mm^2, the tolerance's square where the two cannot be the same.

    A lesion may grow or shrink to one side: then the centres are apart, but one still lies within the other lesion.
    So both count, the way from a centre to the other lesion, and that between the centres, which counts less and
    less beyond the tolerance.
    """
    if a.apart_mm(b) - max(a.radius_mm, b.radius_mm) > TOLERANCE_MM:
        return _LIMIT  # no need to ask the trees: of many lesions, nearly all pairs are far from each other
    apart = a.apart_mm(b) ** 2
    reach = min(float(a.tree.query(b.centre)[0]), float(b.tree.query(a.centre)[0])) ** 2
    return _LIMIT if reach >= _LIMIT else (reach + _LIMIT * apart / (apart + _LIMIT)) / 2.0


def _whole(part: LesionAtTime, lesions: Sequence[LesionAtTime]) -> LesionAtTime | None:
    """The lesion of the other time point that holds most of a part; None if none holds half of it."""
    # As above: the trees are asked about what is near only.
    near = [each for each in lesions if each.apart_mm(part) - each.radius_mm - part.radius_mm <= _PART_MM]
    shares = [
        float(np.mean(np.isfinite(each.tree.query(part.points, distance_upper_bound=_PART_MM)[0]))) for each in near
    ]
    share, whole = max(zip(shares, near, strict=True), key=lambda each: each[0], default=(0.0, None))
    return whole if share >= _PART else None


#: Columns of the CSV file: texts, and numbers with their decimals.
TEXT_COLUMNS = ("baseline", "follow_up", "state", "part_of", "match")
NUMBER_COLUMNS = {
    "distance_mm": 1,
    "long_axis_before_mm": 1,
    "long_axis_after_mm": 1,
    "long_axis_change_mm": 1,
    "long_axis_change_percent": 1,
    "volume_before_ml": 3,
    "volume_after_ml": 3,
    "volume_change_ml": 3,
    "volume_change_percent": 1,
}


def follow_up_csv(table: FollowUpTable) -> str:
    """The table as text: comma separated, point as decimal sign; the sums in the last row, whose state is "sum"."""
    rows = [[*TEXT_COLUMNS, *NUMBER_COLUMNS]]
    for row in table.rows:
        before, after, partner = (cell_text(each.name) if each else "" for each in (row.before, row.after, row.partner))
        match = "chosen" if row.chosen else "proposed"
        numbers = _numbers(row.distance_mm, row.long_axis_mm, row.volume_ml)
        rows.append([before, after, row.state, partner, match, *numbers])
    rows.append(["", "", "sum", "", "", *_numbers(None, table.sum_of_long_axes_mm, table.volume_ml)])
    return csv_text(rows)


def _numbers(distance: float | None, *changes: Change) -> list[str]:
    numbers = [distance]
    for change in changes:
        numbers += [change.before, change.after, change.difference, change.percent]
    return [cell_number(value, places) for value, places in zip(numbers, NUMBER_COLUMNS.values(), strict=True)]
