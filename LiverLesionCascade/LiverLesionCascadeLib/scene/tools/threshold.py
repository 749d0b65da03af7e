"""Lesions at another threshold and minimum size: tried in a preview, applied as lesion segments."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...engine.errors import InputError
from ...engine.grid.bounding_box import box_at
from ...engine.grid.boxed import EMPTY, union
from ...engine.grid.geometry import axial_order
from ...engine.measures.lesion_parts import separation_steps
from ...engine.progress import Steps, finish
from ...engine.results.lesion_threshold import FoundLesions, LesionThreshold, kept_numbers
from ...engine.results.postprocessing import PostProcessing
from ..nodes.preview import LesionPreview
from ..workspace.edit_record import LESIONS
from ..workspace.lesion_change import REFINED, LesionHistory, masksOf
from ..workspace.provenance import MINIMUM_SIZE, SPLIT_LESIONS, THRESHOLD, getTag, isMarked, isOwnSegment, rulesTags
from ..workspace.review import UNREVIEWED, reviewStatus
from ..workspace.workspace import Workspace

DEFAULT_THRESHOLD = 0.5


class Settings(NamedTuple):
    """:param threshold: probability, 0 to 1.
    :param minimumMm: diameter in mm of the smallest lesion, a sphere of its volume.
    """

    threshold: float
    minimumMm: float


class Summary(NamedTuple):
    """Of the lesions that may be rebuilt: how many, with what volume; and how many lesions stay as they are."""

    lesions: int
    volumeMl: float
    kept: int


class Threshold(LesionHistory):
    """Thresholds of one workspace; use its `tool(Threshold)`, so that all who work on a result share one history.

    Lesions that a person edited, reviewed, added, split or merged, or had refined, stay exactly as they are, and so
    does every voxel that they touched.
    The others are found again in the stored probabilities, within the liver as it is now.
    """

    def __init__(self, workspace: Workspace):
        super().__init__(workspace)
        self._prepared: LesionThreshold | None = None
        # The labels that settings give with what was prepared.
        self._apart: tuple[Settings, np.ndarray] | None = None
        workspace.subscribe(self._onChanges)

    @property
    def isPossible(self) -> bool:
        """Whether probabilities are stored with the result, and its liver is still there."""
        return self._workspace.lesionProbability is not None and self._workspace.liverId() is not None

    @property
    def settings(self) -> Settings:
        """What the lesions were made with, as far as is known."""
        values = [getTag(self._workspace.liverSegment(), name) for name in (THRESHOLD, MINIMUM_SIZE)]
        defaults = (DEFAULT_THRESHOLD, PostProcessing().min_lesion_mm)
        return Settings(*(float(value) if value else default for value, default in zip(values, defaults, strict=True)))

    def prepare(self) -> None:
        """Make ready for the first step; done by itself where it was not done before.

        Raises InputError where it is not possible.
        """
        workspace = self._workspace
        workspace.flush()
        probability, liverId = workspace.lesionProbability, workspace.liverId()
        if probability is None or liverId is None:
            name = workspace.node.GetName()
            raise InputError(f"{name} holds no liver or no lesion probabilities. Segment the volume again.")
        if self._prepared is not None:
            return
        self._start, box = probability.start, probability.box
        mask = workspace.watch.mask
        rebuilt = self._rebuiltIds()
        held = union([workspace.edits.touched(LESIONS), *map(mask, self._keptIds(rebuilt))])
        geometry = workspace.geometry
        self._voxelMl = geometry.voxel_volume_ml
        self._prepared = LesionThreshold(
            probability.values,
            mask(liverId).within(box),
            self._voxelMl * 1000.0,
            held.within(box),
            union(map(mask, rebuilt)).within(box),
            axial_order(geometry).axes[0],
        )

    def preview(self, threshold: float, minimumMm: float) -> Summary:
        """Show in the slice views which lesions `apply` would make. Segments do not change.

        Raises InputError where it is not possible.
        """
        found = self._found(threshold, minimumMm)
        if not self.isPreviewing:
            self._preview = LesionPreview(self._workspace.volumeNode)
        self._preview.show(found.mask(), self._start)
        return self._summary(found)

    def tellApart(self, threshold: float, minimumMm: float) -> Steps[np.ndarray]:
        """Most of the work of `apply`, in short steps, kept for it while nothing changes: labels, 1..n in the box.

        Raises InputError where it is not possible.
        """
        wanted, found = Settings(threshold, minimumMm), self._found(threshold, minimumMm)
        prepared = self._prepared
        if self._apart is not None and self._apart[0] == wanted:
            return self._apart[1]
        labels = found.labels()
        if self._splitsLesions:  # as the result that these lesions are rebuilt in was made
            geometry = self._workspace.geometry
            order = axial_order(geometry)
            labels = order.undo((yield from separation_steps(order.apply(labels), order.spacing(geometry))))
        if prepared is self._prepared:
            self._apart = wanted, labels
        return labels

    def apply(self, threshold: float, minimumMm: float) -> Summary:
        """Rebuild the lesions. A lesion that still overlaps one of before keeps its segment.

        Raises InputError where it is not possible, OutputError where the segments do not overlay the volume.
        """
        found = self._found(threshold, minimumMm)
        rebuilt = self._rebuiltIds()
        labels = finish(self.tellApart(threshold, minimumMm))
        box = box_at(self._start, labels.shape)
        present = np.zeros(labels.shape, np.uint16)
        for number, segmentId in enumerate(rebuilt, start=1):
            present[self._workspace.watch.mask(segmentId).within(box)] = number
        kept = kept_numbers(labels, present)
        masks, new = dict.fromkeys(rebuilt, EMPTY), []
        for number, mask in enumerate(masksOf(labels, self._start), start=1):
            if number in kept:
                masks[rebuilt[kept[number] - 1]] = mask
            else:
                new.append(mask)
        summary = self._summary(found)
        self.change(masks, new, rulesTags(threshold, minimumMm, self._splitsLesions))
        self.endPreview()
        return summary

    def close(self) -> None:
        super().close()
        self._workspace.unsubscribe(self._onChanges)

    def _onChanges(self, _changes) -> None:
        self._prepared = self._apart = None

    def _found(self, threshold: float, minimumMm: float) -> FoundLesions:
        self.prepare()
        return self._prepared.at(threshold, minimumMm)

    @property
    def _splitsLesions(self) -> bool:
        return isMarked(self._workspace.liverSegment(), SPLIT_LESIONS)

    def _summary(self, found: FoundLesions) -> Summary:
        return Summary(found.count, float(found.voxels.sum()) * self._voxelMl, len(self._keptIds(self._rebuiltIds())))

    def _rebuiltIds(self) -> list[str]:
        """Lesions that nobody but the machine has had a hand in."""
        return [each for each in self._workspace.lesionIds() if mayBeRebuilt(self._workspace, each)]

    def _keptIds(self, rebuilt: list[str]) -> list[str]:
        return [each for each in self._workspace.lesionIds() if each not in rebuilt]


def mayBeRebuilt(workspace: Workspace, segmentId: str) -> bool:
    """Whether nobody but the machine has had a hand in a lesion, and it is as the stored probabilities have it."""
    segment = workspace.segment(segmentId)
    return (
        isOwnSegment(workspace.node.GetSegmentation(), segmentId)
        and not workspace.isEdited(segmentId)
        and not isMarked(segment, REFINED)
        and reviewStatus(segment) == UNREVIEWED
    )
