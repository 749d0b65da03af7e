"""What refining would change in a result: shown first, then put into the segments or dropped."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import slicer
from scipy import ndimage

from ...engine.corrections.edit_flags import (
    LESION,
    LESION_ERASED,
    LESION_PAINTED,
    LIVER,
    LIVER_ERASED,
    LIVER_PAINTED,
    TOUCHED,
)
from ...engine.errors import InputError, OutputError
from ...engine.grid.bounding_box import Box, box_at, start_of
from ...engine.grid.boxed import EMPTY, Boxed, joint_box, overlap, union
from ...engine.measures.lesions import NEIGHBOURS_26
from ...engine.results.result import SegmentationResult
from ..workspace import edit_record
from ..workspace.lesion_change import LesionHistory
from ..workspace.review import UNREVIEWED, reviewStatus
from ..workspace.workspace import Workspace, requireWorkspace, workspaceOf

MUCH_ML, MUCH_TIMES = 5.0, 10.0
"""More than so many mL, and more than so many times what was painted, is much."""


class RefinementSummary(NamedTuple):
    """What accepting a refinement would do.

    :param added, removed, liverAdded, liverRemoved: voxels of lesion and of liver.
    :param new, gone: how many lesions.
    :param paintedMl: volume of lesion that a person painted.
    :param voxelMl: volume of a voxel.
    """

    added: Boxed
    removed: Boxed
    liverAdded: Boxed
    liverRemoved: Boxed
    new: int
    gone: int
    paintedMl: float
    voxelMl: float

    @property
    def addedMl(self) -> float:
        return self.added.count * self.voxelMl

    @property
    def removedMl(self) -> float:
        return self.removed.count * self.voxelMl

    @property
    def liverAddedMl(self) -> float:
        return self.liverAdded.count * self.voxelMl

    @property
    def liverRemovedMl(self) -> float:
        return self.liverRemoved.count * self.voxelMl

    @property
    def isMuch(self) -> bool:
        """Whether so much would be added that one should go through its slices first."""
        return self.addedMl > max(MUCH_ML, MUCH_TIMES * self.paintedMl)

    @property
    def isEmpty(self) -> bool:
        return not (self.added or self.removed or self.liverAdded or self.liverRemoved)


def editFlags(workspace: Workspace) -> Boxed:
    """The result as it is and what a person changed in it, for the engine."""
    workspace.flush()
    edits = workspace.edits
    parts = (
        (LIVER, workspace.liver()),
        (LESION, workspace.lesions()),
        (LIVER_PAINTED, edits.painted(edit_record.LIVER)),
        (LIVER_ERASED, edits.erased(edit_record.LIVER)),
        (LESION_PAINTED, edits.painted(edit_record.LESIONS)),
        (LESION_ERASED, edits.erased(edit_record.LESIONS)),
        (TOUCHED, edits.touched(edit_record.LESIONS)),
    )
    box = joint_box(mask for _, mask in parts)
    if box is None:
        return Boxed.nothing(np.uint8)
    values = np.zeros([axis.stop - axis.start for axis in box], np.uint8)
    for bit, mask in parts:
        values[mask.within(box)] |= bit
    return Boxed(values, start_of(box))


def hasCorrections(workspace: Workspace) -> bool:
    """Whether a person painted or erased anything."""
    workspace.flush()
    edits = workspace.edits
    masks = (edit_record.LESIONS, edit_record.LIVER)
    return any(part(what) for part in (edits.painted, edits.erased) for what in masks)


def requireCorrections(segmentationNode: slicer.vtkMRMLSegmentationNode | None) -> Workspace:
    """The workspace of a result in which a person changed something.

    Raises InputError where there is none, InvalidVolumeError for a volume under a non-linear transform.
    """
    workspace = requireWorkspace(segmentationNode, "There is no result to refine: segment a volume first.")
    if not hasCorrections(workspace):
        raise InputError(
            "Nothing was edited yet: paint a missed lesion or erase a false one in one slice, then refine."
        )
    return workspace


class Refinement:
    """A refined result of a workspace, not yet accepted.

    Lesions that a person reviewed, and voxels that they touched, now or until it is accepted, stay as they are.

    :param result: on the volume's grid; its lesions need not be numbered.
    :param region: the box of the grid that was looked at; outside of it nothing changes.
    """

    def __init__(self, workspace: Workspace, result: SegmentationResult, region: Box | None = None):
        self._workspace = workspace
        self._refined, self._refinedLiver = (
            Boxed.mask(each.values, each.start) for each in (result.lesions, result.liver)
        )
        self._region = region or box_at((0, 0, 0), workspace.shape)

    def masks(self) -> tuple[dict[str, Boxed], list[Boxed]]:
        """The lesions that would change, by segment ID, and those that would be new.

        Raises OutputError where the result is another one by now.
        """
        workspace = self._current()
        present = {each: workspace.watch.mask(each) for each in workspace.lesionIds()}
        free = [each for each in present if reviewStatus(workspace.segment(each)) == UNREVIEWED]
        box = joint_box([self._refined, *present.values()])
        if box is None:
            return {}, []
        touched = workspace.edits.touched(edit_record.LESIONS).within(box)
        reviewed = union(present[each] for each in present if each not in free).within(box)
        now = union(present.values()).within(box)
        start = start_of(box)
        wanted = np.where(touched | reviewed | self._outside(box), now, self._refined.within(box)) & ~reviewed
        labels = np.zeros(wanted.shape, np.int32)
        for number, segmentId in enumerate(free, start=1):
            labels[present[segmentId].within(box)] = number
        labels[~wanted] = 0
        new = _giveToNeighbours(labels, wanted)
        after = {each: Boxed.mask(labels == number, start) for number, each in enumerate(free, start=1)}
        changed = {each: mask for each, mask in after.items() if mask != present[each]}
        return changed, [each.moved(start) for each in new]

    def liver(self) -> Boxed | None:
        """The liver as it would be; None where it would not change. Raises as `masks` does."""
        workspace = self._current()
        now = workspace.liver()
        box = joint_box((self._refinedLiver, now))
        if box is None or not now:
            return None
        fixed = workspace.edits.touched(edit_record.LIVER).within(box) | self._outside(box)
        wanted = np.where(fixed, now.within(box), self._refinedLiver.within(box))
        mask = Boxed.mask(wanted, start_of(box))
        return mask if mask and mask != now else None

    def summary(self) -> RefinementSummary:
        """Raises OutputError where the result is another one by now."""
        workspace = self._current()
        masks, new = self.masks()
        liver = self.liver()
        voxelMl = workspace.geometry.voxel_volume_ml
        return RefinementSummary(
            *_addedAndRemoved(union(workspace.watch.mask(each) for each in masks), union([*masks.values(), *new])),
            *((EMPTY, EMPTY) if liver is None else _addedAndRemoved(workspace.liver(), liver)),
            new=len(new),
            gone=sum(not mask for mask in masks.values()),
            paintedMl=workspace.edits.painted(edit_record.LESIONS).count * voxelMl,
            voxelMl=voxelMl,
        )

    def accept(self) -> None:
        """Put it into the segments; `Refining` takes it back.

        Raises OutputError where they do not overlay the volume, or the result is another one by now.
        """
        workspace = self._current()
        masks, new = self.masks()
        liver = self.liver()
        if liver is not None:
            masks[workspace.liverId()] = liver
        workspace.tool(Refining).change(masks, new, refined=True)

    def _current(self) -> Workspace:
        workspace = self._workspace
        if workspaceOf(workspace.node) is not workspace:
            raise OutputError(f"{workspace.node.GetName()} was removed or is another result by now. Refine again.")
        workspace.flush()
        return workspace

    def _outside(self, box: Box) -> np.ndarray:
        """Bool (k, j, i) in a box of the grid: what was not looked at."""
        outside = np.ones([axis.stop - axis.start for axis in box], bool)
        inside, _ = overlap(box, self._region)
        outside[inside] = False
        return outside


class Refining(LesionHistory):
    """The refinements of one workspace that were accepted, with undo; use its `tool(Refining)`."""


def _addedAndRemoved(before: Boxed, after: Boxed) -> tuple[Boxed, Boxed]:
    box = joint_box((before, after))
    if box is None:
        return EMPTY, EMPTY
    start = start_of(box)
    was, will = before.within(box), after.within(box)
    return Boxed.mask(will & ~was, start), Boxed.mask(was & ~will, start)


def _giveToNeighbours(labels: np.ndarray, wanted: np.ndarray) -> list[Boxed]:
    """Give each wanted voxel without a lesion to the nearest lesion it hangs together with; the others, one by one."""
    components, count = ndimage.label(wanted, NEIGHBOURS_26)
    new = []
    for number, inner in enumerate(ndimage.find_objects(components, count), start=1):
        mine = components[inner] == number
        held = mine & (labels[inner] > 0)
        if not held.any():
            new.append(Boxed(mine, start_of(inner)))
        elif not np.array_equal(held, mine):
            nearest = ndimage.distance_transform_edt(~held, return_distances=False, return_indices=True)
            labels[inner] = np.where(mine, labels[inner][tuple(nearest)], labels[inner])
    return new
