"""Lesions lie in the liver: what a person painted as lesion beside it can be added to it."""

from __future__ import annotations

import numpy as np

from ...engine.grid.boxed import EMPTY, Boxed, union
from . import edit_record
from .lesion_change import LesionHistory

MINIMUM_ML = 0.1
"""Less is the edge of a brush."""


class LiverCover(LesionHistory):
    """Adds painted lesions to the liver of a workspace; use its `tool(LiverCover)`."""

    declined: Boxed = EMPTY
    """What was left outside, once asked: nothing of it is offered again."""

    def outside(self) -> Boxed:
        """Voxels that a person painted as lesion beside the liver; empty for too few.

        Not those that were declined, nor where the person changed the liver: there it stays as they left it.
        """
        workspace = self._workspace
        liver = workspace.liver()
        painted = workspace.edits.painted(edit_record.LESIONS)
        if not liver or not painted:
            return EMPTY
        held = union([self.declined, workspace.edits.touched(edit_record.LIVER)])
        beside = painted.values & ~liver.within(painted.box) & ~held.within(painted.box)
        enough = np.count_nonzero(beside) * workspace.geometry.voxel_volume_ml >= MINIMUM_ML
        return Boxed.mask(beside, painted.start) if enough else EMPTY

    def outsideMl(self) -> float:
        return self.outside().count * self._workspace.geometry.voxel_volume_ml

    def add(self) -> None:
        """Add `outside` to the liver. Raises OutputError where the segments do not overlay the volume."""
        beside = self.outside()
        if beside:
            self.change({self._workspace.liverId(): union([self._workspace.liver(), beside])})

    def decline(self) -> None:
        """The person wants it so."""
        self.declined = union([self.declined, self.outside()])
