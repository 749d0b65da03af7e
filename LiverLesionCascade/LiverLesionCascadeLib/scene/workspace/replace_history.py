"""Results that were replaced in segmentation nodes, each kept with all edits so that it can be brought back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import slicer

from ..nodes.one_change import oneChange
from ..nodes.representations import BINARY_LABELMAP, CLOSED_SURFACE, REFERENCE_GEOMETRY
from ..nodes.segment_looks import endIsolation, ownLook, ownVisibility, setOwnVisibility
from ..nodes.volume import referringNodes, removeWithOwn, volumeOf
from .edit_record import writeTags
from .history import History
from .provenance import EDITS_ROLE, SEGMENT_ID, resultSegmentIds
from .stored_probability import PROBABILITY_ROLE, keepOwnProbability

_COMPANIONS = (EDITS_ROLE, PROBABILITY_ROLE)

_VISIBILITIES = ("Visibility3D", "Visibility2DFill", "Visibility2DOutline")


def exchangeResult(node: slicer.vtkMRMLSegmentationNode, insert: Callable[[], None]) -> TakenResult:
    """Take the result's segments out of a node and call ``insert``, which puts others in. None is shown alone then.

    Where it raises, the node is as it was. A node that shows its segments in 3D shows the new ones too.
    """
    segmentation = node.GetSegmentation()
    shown3D = segmentation.ContainsRepresentation(CLOSED_SURFACE)
    with oneChange(node):
        endIsolation(node)
        taken = TakenResult.takenFrom(node)
        try:
            insert()
        except Exception:
            for segmentId in resultSegmentIds(node):
                segmentation.RemoveSegment(segmentId)
            taken.putInto(node)
            raise
        finally:
            if not shown3D:  # a result that comes back may bring surfaces
                segmentation.RemoveRepresentation(CLOSED_SURFACE)
    return taken


@dataclass(frozen=True)
class TakenResult:
    """Segments of a result that are not in their node now, and what the node needs to take them back.

    :param segments: (segment ID, segment, display properties by name), in the node's order.
    :param order: IDs of all the node's segments as they stood.
    :param geometry: the reference geometry, as Slicer writes it.
    :param volumeId: node ID of the volume that the geometry is of; may be empty.
    :param companions: node IDs of what is known of the result (edits, probabilities), by reference role.
    :param scene: that these are in.
    """

    segments: list[tuple[str, slicer.vtkSegment, dict[str, bool | float]]]
    order: list[str]
    geometry: str
    volumeId: str
    companions: dict[str, str]
    scene: slicer.vtkMRMLScene

    @classmethod
    def takenFrom(cls, node: slicer.vtkMRMLSegmentationNode) -> TakenResult:
        """Remove the result's segments from a node; label maps are handed over, not copied, where that is possible."""
        probability = node.GetNodeReference(PROBABILITY_ROLE)
        for copy in referringNodes(probability, PROBABILITY_ROLE) if probability is not None else ():
            if copy is not node and volumeOf(copy) is not None:
                keepOwnProbability(copy, volumeOf(copy))
        writeTags(node)  # another result may have segments of the same names
        segmentation = node.GetSegmentation()
        ids = resultSegmentIds(node)
        taken = cls(
            [(each, segmentation.GetSegment(each), displayProperties(node, each)) for each in ids],
            list(segmentation.GetSegmentIDs()),
            segmentation.GetConversionParameter(REFERENCE_GEOMETRY),
            node.GetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole()) or "",
            {role: node.GetNodeReferenceID(role) for role in _COMPANIONS if node.GetNodeReference(role)},
            node.GetScene(),
        )
        for role, companionId in taken.companions.items():
            companion = taken.scene.GetNodeByID(companionId)
            node.SetNodeReferenceID(role, None)
            companion.SetSaveWithScene(bool(referringNodes(companion, role)))
        # Segments that share a layer get copies of it one by one on removal, half a second for twenty lesions. A layer
        # that leaves with all its segments need not be divided: they let go of it for the moment of the removal.
        shared = {}
        for layer in range(segmentation.GetNumberOfLayers(BINARY_LABELMAP)):
            inLayer = segmentation.GetSegmentIDsForLayer(layer, BINARY_LABELMAP)
            if set(inLayer) <= set(ids):
                shared |= dict.fromkeys(inLayer, segmentation.GetLayerDataObject(layer, BINARY_LABELMAP))
        for segmentId, segment, _ in taken.segments:
            if segmentId in shared:
                segment.AddRepresentation(BINARY_LABELMAP, slicer.vtkOrientedImageData())
            segmentation.RemoveSegment(segmentId)
            if segmentId in shared:
                segment.AddRepresentation(BINARY_LABELMAP, shared[segmentId])
        return taken

    def putInto(self, node: slicer.vtkMRMLSegmentationNode) -> None:
        """Put the segments back where they were, before those that came later."""
        segmentation = node.GetSegmentation()
        segmentation.SetConversionParameter(REFERENCE_GEOMETRY, self.geometry)
        node.SetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole(), self.volumeId or None)
        for role in _COMPANIONS:
            companion = node.GetScene().GetNodeByID(self.companions.get(role, ""))
            node.SetNodeReferenceID(role, companion.GetID() if companion else None)
            if companion:
                companion.SetSaveWithScene(True)
        newIds = {}
        for oldId, segment, properties in self.segments:
            # Someone may have given the ID to a segment of theirs meanwhile.
            newIds[oldId] = segmentId = segmentation.GenerateUniqueSegmentID(oldId)
            segment.SetTag(SEGMENT_ID, segmentId)
            segmentation.AddSegment(segment, segmentId)
            setDisplayProperties(node, segmentId, properties)
        reorder(segmentation, [newIds.get(segmentId, segmentId) for segmentId in self.order])

    def forget(self) -> None:
        """It will never be put back: what is known of it leaves the scene."""
        for role, companionId in self.companions.items():
            companion = self.scene.GetNodeByID(companionId)
            if companion and not self.scene.IsClosing() and not referringNodes(companion, role):
                removeWithOwn(companion)


def reorder(segmentation: slicer.vtkSegmentation, order: list[str]) -> None:
    """Put segments into an order of IDs, some of which may be gone, before those that came later."""
    present = segmentation.GetSegmentIDs()
    first = [segmentId for segmentId in order if segmentId in present]
    segmentation.ReorderSegments([*first, *(each for each in present if each not in first)])


def displayProperties(node: slicer.vtkMRMLSegmentationNode, segmentId: str) -> dict[str, bool | float]:
    """Of its own: not those by which the panel shows verdicts, or another segment alone."""
    display = node.GetDisplayNode()
    if display is None:
        return {}
    own = ownLook(node, segmentId)
    found = {name: getattr(display, f"GetSegment{name}")(segmentId) for name in _VISIBILITIES}
    found["Visibility"] = ownVisibility(node, segmentId)
    return found | {"Opacity3D": own.opacity3D, "Opacity2DFill": own.fill, "Opacity2DOutline": own.outline}


def setDisplayProperties(
    node: slicer.vtkMRMLSegmentationNode, segmentId: str, properties: dict[str, bool | float]
) -> None:
    display = node.GetDisplayNode()
    if display is not None:
        for name, value in properties.items():
            if name == "Visibility":
                setOwnVisibility(node, segmentId, bool(value))
            else:
                getattr(display, f"SetSegment{name}")(segmentId, value)


class _Replacements(History[TakenResult]):
    """The results that were replaced in one node."""

    MAXIMUM = 5
    """Each takes as much memory as the segments themselves."""

    def __init__(self, node: slicer.vtkMRMLSegmentationNode):
        super().__init__()
        self._node = node

    def replace(self, insert: Callable[[], None]) -> None:
        self._did(exchangeResult(self._node, insert))

    def _apply(self, step: TakenResult, forward: bool) -> TakenResult:
        return exchangeResult(self._node, lambda: step.putInto(self._node))

    def _forget(self, step: TakenResult) -> None:
        step.forget()

    def _nothing(self) -> str:
        return f"No other result of {self._node.GetName()} is kept."


class ReplaceHistory:
    """Undo and redo of replaced results, of any number of nodes.

    Only segments that a result of ours made change places; what a person added to the node meanwhile stays. Nothing is
    lost either way: what undo takes out, with what was edited in it, redo brings back. It lasts as long as the node
    is in its scene and Slicer runs.
    """

    MAXIMUM = _Replacements.MAXIMUM
    """Replaced results kept for a node."""

    def __init__(self):
        self._histories: dict[slicer.vtkMRMLSegmentationNode, _Replacements] = {}
        self._observed: tuple[slicer.vtkMRMLScene, int] | None = None

    def replace(self, node: slicer.vtkMRMLSegmentationNode, insert: Callable[[], None]) -> None:
        """Take a node's result out, let ``insert`` put another in, and remember the first; see `exchangeResult`."""
        self._of(node).replace(insert)

    def canUndo(self, node: slicer.vtkMRMLSegmentationNode) -> bool:
        return node in self._histories and self._of(node).canUndo()

    def canRedo(self, node: slicer.vtkMRMLSegmentationNode) -> bool:
        return node in self._histories and self._of(node).canRedo()

    def undo(self, node: slicer.vtkMRMLSegmentationNode) -> None:
        """Bring back the result that was replaced last. Raises LookupError where there is none."""
        self._of(node).undo()

    def redo(self, node: slicer.vtkMRMLSegmentationNode) -> None:
        """Bring back what `undo` took out last. Raises LookupError where there is nothing."""
        self._of(node).redo()

    def _of(self, node: slicer.vtkMRMLSegmentationNode) -> _Replacements:
        if self._observed is None:
            scene = node.GetScene()
            self._observed = scene, scene.AddObserver(scene.NodeRemovedEvent, self._onNodeRemoved)
        return self._histories.setdefault(node, _Replacements(node))

    def _onNodeRemoved(self, scene, _event):
        """What is kept for a node goes with it."""
        for gone in [each for each in self._histories if each.GetScene() is None]:
            self._histories.pop(gone).forgetAll()
        if not self._histories and self._observed is not None:
            scene.RemoveObserver(self._observed[1])
            self._observed = None
