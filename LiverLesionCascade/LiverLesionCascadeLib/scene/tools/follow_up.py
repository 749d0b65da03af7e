"""Follow-up in the scene: a result, that of an earlier scan of the same patient, and which lesion is which."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from ...engine.errors import InputError
from ...engine.grid.bounding_box import grown, start_of
from ...engine.grid.boxed import Boxed
from ...engine.measures.lesion_matching import FollowedLesion, FollowUpTable, LesionAtTime, follow, lesion_points
from ...engine.measures.liver_alignment import Alignment, LiverShape, align_livers
from ..nodes.arrays import boxMatrix
from ..nodes.volume import volumeOf, worldFromIjk
from ..workspace.provenance import PREFIX, getTag
from ..workspace.review import REJECTED
from ..workspace.segment_watch import Announcer
from ..workspace.workspace import Workspace, requireWorkspace, workspaceOf
from .lesion_rows import LesionRow, LesionRows
from .navigation import lesionPosition

BASELINE_ROLE = PREFIX + "Baseline"
TRANSFORM_ROLE = PREFIX + "BaselineTransform"
"""References of the later result's segmentation node: the earlier one, and the transform that takes it there."""

ALIGNMENT = PREFIX + "BaselineAlignment"
"""Attribute of the later result's segmentation node: LIVERS, SCENE or TRANSFORM."""

KEY = PREFIX + "BaselineKey"
"""Attribute of an earlier result's segmentation node: what its matches are stored under, whatever its node ID is."""

MATCH = PREFIX + "Match."
"""With the key of the earlier result: tag of a lesion that a person matched, the other's segment ID or NO_MATCH."""

NO_MATCH = "none"

LIVERS, SCENE, TRANSFORM = "livers", "scene", "transform"
"""How the time points are aligned: rigidly by their livers, as they lie in the scene, or by a transform node."""


@dataclass(frozen=True)
class Comparison:
    """Two time points.

    :param table: keys are segment IDs; rejected and empty lesions are not in it.
    :param fitMm: median distance of the aligned livers' surfaces; None where they were not aligned by us.
    :param rejected: lesions left out because they were rejected, at both time points together.
    """

    table: FollowUpTable
    fitMm: float | None
    rejected: int


class FollowUp(Announcer):
    """Compares the result of a workspace with an earlier one; use its `tool(FollowUp)`. Callbacks are called without
    arguments when a comparison may come out otherwise.

    What is chosen is stored with the later result's node and segments at once, for each earlier result by itself.
    """

    def __init__(self, workspace: Workspace):
        super().__init__()
        self._workspace = workspace
        self._earlier: Workspace | None = None
        self._observed: list[tuple[vtk.vtkObject, int]] = []
        self._shapes: dict[str, tuple[Boxed, np.ndarray, LiverShape]] = {}
        self._alignment: tuple[LiverShape, LiverShape, Alignment] | None = None
        self._points: dict[tuple[str, str], tuple[Boxed, np.ndarray, tuple[np.ndarray, np.ndarray]]] = {}
        workspace.subscribe(self._onChange)
        self._follow()

    # -- what is compared

    @property
    def baselineNode(self) -> slicer.vtkMRMLSegmentationNode | None:
        """The earlier result; None where none was chosen or it was removed."""
        return self._workspace.node.GetNodeReference(BASELINE_ROLE)

    def setBaseline(self, node: slicer.vtkMRMLSegmentationNode | None) -> None:
        """Compare with another earlier result, None for none. Matches that were chosen before are kept for it.

        Raises InputError for a node that is no result, or this one, InvalidVolumeError for one whose volume is under a
        non-linear transform.
        """
        if node is not None:
            if node is self._workspace.node:
                raise InputError(f"{node.GetName()} is the result itself: choose that of an earlier scan.")
            _requireResult(node)
            if not node.GetAttribute(KEY):
                node.SetAttribute(KEY, uuid.uuid4().hex[:12])
        self._workspace.node.SetNodeReferenceID(BASELINE_ROLE, node.GetID() if node is not None else None)
        self._follow()
        self._tell()

    @property
    def alignment(self) -> str:
        """LIVERS, SCENE or TRANSFORM."""
        return self._workspace.node.GetAttribute(ALIGNMENT) or LIVERS

    @property
    def transformNode(self) -> slicer.vtkMRMLTransformNode | None:
        """Takes the baseline to where the later scan lies, as if the baseline were put under it."""
        return self._workspace.node.GetNodeReference(TRANSFORM_ROLE)

    def setAlignment(self, alignment: str, transformNode: slicer.vtkMRMLTransformNode | None = None) -> None:
        """:param transformNode: with TRANSFORM. Linear or not."""
        if alignment not in (LIVERS, SCENE, TRANSFORM):
            raise ValueError(f"{alignment} is no way to align.")
        self._workspace.node.SetAttribute(ALIGNMENT, alignment)
        if alignment == TRANSFORM:
            transformId = transformNode.GetID() if transformNode is not None else None
            self._workspace.node.SetNodeReferenceID(TRANSFORM_ROLE, transformId)
        self._follow()
        self._tell()

    # -- which lesion is which

    def choices(self) -> dict[str, str | None]:
        """What a person said for this baseline: later lesion to earlier lesion, or None for a new one."""
        tag, workspace = self._tag(), self._workspace
        found = {each: getTag(workspace.segment(each), tag) for each in workspace.lesionIds()} if tag else {}
        return {each: None if value == NO_MATCH else value for each, value in found.items() if value}

    def choose(self, laterId: str, earlierId: str | None) -> None:
        """Say which lesion of the baseline a lesion is; None for none, it is new.

        Another lesion for which that one was chosen goes back to what is proposed. Raises KeyError for a segment that
        is no lesion, LookupError without a baseline.
        """
        tag = self._tag()
        if not tag:
            raise LookupError("There is no baseline to match with.")
        if laterId not in self._workspace.lesionIds():
            raise KeyError(laterId)
        if earlierId is not None and earlierId not in self._earlier.lesionIds():
            raise KeyError(earlierId)
        for other, chosen in self.choices().items():
            if other != laterId and earlierId is not None and chosen == earlierId:
                self._workspace.segment(other).RemoveTag(tag)
        self._workspace.segment(laterId).SetTag(tag, NO_MATCH if earlierId is None else earlierId)
        self._tell()

    def forgetChoices(self) -> None:
        """Propose all matches with this baseline anew."""
        for each in self.choices():
            self._workspace.segment(each).RemoveTag(self._tag())
        self._tell()

    # -- the comparison

    def prepare(self) -> Iterator[None]:
        """Do the work of `compare` in pieces of some tenths of a second, which then has little left to do.

        What changes between two pieces is seen by `compare`, or by preparing again: nothing is done twice.

        Raises as `compare` does.
        """
        self._follow()
        earlier = self._earlier
        if earlier is None:
            return
        for _ in self._pieces(earlier):
            yield
            if self._earlier is not earlier:
                return

    def _pieces(self, earlier: Workspace) -> Iterator[None]:
        """Of `prepare`, for one baseline."""
        sides = ((earlier, "before"), (self._workspace, "after"))
        for workspace, _side in sides:
            while workspace.tool(LesionRows).pending():
                workspace.tool(LesionRows).measureSome()
                yield
        for workspace, side in sides:
            self._lesions(workspace, side)
            yield
        for workspace, side in sides:
            if self.alignment == LIVERS:
                self._liver(workspace, side)
                yield
        if self.alignment == LIVERS:
            self._motion()

    def compare(self) -> Comparison | None:
        """Both time points as their segments are now; None without a baseline. May take seconds; see `prepare`.

        Raises InputError where they cannot be aligned as was asked or the baseline holds no result any more,
        InvalidVolumeError for a volume under a non-linear transform.
        """
        self._follow()
        if self._earlier is None:
            if self.baselineNode is not None:
                _requireResult(self.baselineNode)
            return None
        motion, fitMm = self._motion()
        before, leftOutBefore = self._lesions(self._earlier, "before")
        after, leftOutAfter = self._lesions(self._workspace, "after")
        table = follow([each.moved(motion) for each in before], after, self._validChoices(before))
        return Comparison(table, fitMm, leftOutBefore + leftOutAfter)

    def position(self, row: FollowedLesion) -> np.ndarray:
        """RAS mm of the world, where the later scan lies: the lesion, or where one that is gone would be."""
        if row.after is not None:
            for each in self._workspace.tool(LesionRows).rows():
                if each.segmentId == row.after.key and each.measures is not None:
                    return lesionPosition(each.measures)
        return (row.after or row.before).centre

    # -- following

    def close(self) -> None:
        super().close()
        self._workspace.unsubscribe(self._onChange)
        self._release()
        self._stopObserving()

    def _follow(self) -> None:
        """Listen to the baseline that there is now, and to what moves the two."""
        earlier = workspaceOf(self.baselineNode)
        if earlier is not self._earlier:
            self._release()
            self._earlier = earlier
            if earlier is not None:
                earlier.subscribe(self._onChange)
        moving, baseline = [self._workspace.volumeNode], self.baselineNode
        if baseline is not None:
            moving.append(baseline)
        volumeNode = volumeOf(baseline) if baseline is not None else None
        if volumeNode is not None:  # also where it has no workspace, until its transform is another
            moving.append(volumeNode)
        if self.alignment == TRANSFORM and self.transformNode is not None:
            moving.append(self.transformNode)
        self._stopObserving()
        event = slicer.vtkMRMLTransformableNode.TransformModifiedEvent
        self._observed = [(node, node.AddObserver(event, self._onChange)) for node in moving]
        if baseline is not None:  # another result in it has another workspace
            for event in (slicer.vtkSegmentation.SegmentAdded, slicer.vtkSegmentation.SegmentRemoved):
                self._observed.append((baseline, baseline.AddObserver(event, self._onChange)))

    def _release(self) -> None:
        if self._earlier is not None:
            self._earlier.unsubscribe(self._onChange)
            self._earlier = None
            self._points = {key: value for key, value in self._points.items() if key[0] != "before"}

    def _stopObserving(self) -> None:
        for node, tag in self._observed:
            node.RemoveObserver(tag)
        self._observed = []

    def _onChange(self, *_what) -> None:
        # A volume that moved has all its lesions measured anew, and its segments seen anew, by what watches it.
        self._tell()

    def _tag(self) -> str:
        key = self._earlier.node.GetAttribute(KEY) if self._earlier is not None else None
        return MATCH + key if key else ""

    def _validChoices(self, before: list[LesionAtTime]) -> dict[str, str | None]:
        """Without what names one lesion twice, which copies of a segment do: the first of them counts."""
        known, taken, valid = {each.key for each in before}, set(), {}
        for laterId, earlierId in self.choices().items():
            if earlierId is None or (earlierId in known and earlierId not in taken):
                valid[laterId] = earlierId
                taken.add(earlierId)
        return valid

    # -- places

    def _motion(self) -> tuple[Callable[[np.ndarray], np.ndarray], float | None]:
        """Of points (n, 3), RAS mm of the world."""
        if self.alignment == SCENE:
            return lambda points: points, None
        if self.alignment == TRANSFORM:
            return self._userMotion(), None
        moving, fixed = self._liver(self._earlier, "before"), self._liver(self._workspace, "after")
        if self._alignment is None or self._alignment[:2] != (moving, fixed):
            self._alignment = (moving, fixed, align_livers(moving, fixed))
        alignment = self._alignment[2]
        return alignment, alignment.surface_distance_mm

    def _userMotion(self) -> Callable[[np.ndarray], np.ndarray]:
        node = self.transformNode
        if node is None:
            raise InputError("There is no transform to align by: choose one.")
        parent = self._earlier.volumeNode.GetParentTransformNode()
        if parent is not None and (parent is node or parent.IsTransformNodeMyParent(node)):
            raise InputError(
                f"{self._earlier.volumeNode.GetName()} is under {node.GetName()} already: "
                "align the scans as they lie in the scene."
            )
        transform = vtk.vtkGeneralTransform()
        node.GetTransformToWorld(transform)

        def move(points: np.ndarray) -> np.ndarray:
            source, target = vtk.vtkPoints(), vtk.vtkPoints()
            source.SetData(numpy_to_vtk(np.ascontiguousarray(points, dtype=float), deep=True))
            target.SetDataTypeToDouble()
            transform.TransformPoints(source, target)
            return np.array(vtk_to_numpy(target.GetData()))

        return move

    def _liver(self, workspace: Workspace, side: str) -> LiverShape:
        """The liver's shape in the world, the same one as long as neither it nor the volume changes."""
        mask = workspace.liver()
        if not mask:
            raise InputError(
                f"{workspace.node.GetName()} has no liver to align by. "
                "Align by a transform, or as the scans lie in the scene."
            )
        toWorld = worldFromIjk(workspace.volumeNode)
        known = self._shapes.get(side)
        if known is None or known[0] != mask or not np.array_equal(known[1], toWorld):
            box = grown(mask.box, workspace.shape)
            shape = LiverShape(mask.within(box), boxMatrix(toWorld, start_of(box)))
            known = self._shapes[side] = (mask, toWorld, shape)
        return known[2]

    def _lesions(self, workspace: Workspace, side: str) -> tuple[list[LesionAtTime], int]:
        """Lesions in the node's order, and how many were left out as rejected."""
        rows: list[LesionRow] = workspace.tool(LesionRows).rows()
        toWorld = worldFromIjk(workspace.volumeNode)
        lesions = []
        for row in rows:
            if not row.counts:
                continue
            mask = workspace.watch.mask(row.segmentId)
            known = self._points.get((side, row.segmentId))
            if known is None or known[0] != mask or not np.array_equal(known[1], toWorld):
                places = lesion_points(mask.values, boxMatrix(toWorld, mask.start))
                known = self._points[side, row.segmentId] = (mask, toWorld, places)
            lesions.append(
                LesionAtTime(row.segmentId, row.name, row.measures.long_axis_mm, row.measures.volume_ml, *known[2])
            )
        return lesions, sum(row.status == REJECTED for row in rows)


def _requireResult(node: slicer.vtkMRMLSegmentationNode) -> None:
    requireWorkspace(node, f"{node.GetName()} holds no result: segment its volume first, or choose another.")
