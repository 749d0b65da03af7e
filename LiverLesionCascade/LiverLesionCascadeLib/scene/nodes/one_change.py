"""Many changes of the scene as one: each view is drawn once, each listener told once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import slicer

from .representations import BINARY_LABELMAP, CLOSED_SURFACE


@contextlib.contextmanager
def oneRendering() -> Iterator[None]:
    """Whatever is changed within, each view is drawn once, at the end.

    In Slicer every event of a node that is displayed can draw all views, there and then. Without the application there
    are no views.
    """
    hasViews = getattr(slicer, "app", None) is not None
    with slicer.util.RenderBlocker() if hasViews else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def oneChange(node: slicer.vtkMRMLSegmentationNode) -> Iterator[None]:
    """Whatever becomes of a node's segments within is one change: one event of each kind, one rendering a view.

    Segments that are shown in 3D still are at the end. Slicer drops all surfaces whenever a label map changes; those of
    segments that have the same voxels are put back here, only the others are made anew.
    """
    segmentation = node.GetSegmentation()
    shown3D = segmentation.ContainsRepresentation(CLOSED_SURFACE)
    surfaces = {
        each: (_voxels(segmentation, each), segmentation.GetSegment(each).GetRepresentation(CLOSED_SURFACE))
        for each in segmentation.GetSegmentIDs()
    }
    nodes = [each for each in (node, node.GetDisplayNode()) if each is not None]
    with oneRendering():
        wereModifying = [each.StartModify() for each in nodes]
        try:
            yield
        finally:
            if shown3D:
                for segmentId in segmentation.GetSegmentIDs():
                    voxels, surface = surfaces.get(segmentId, (None, None))
                    if surface is not None and voxels == _voxels(segmentation, segmentId):
                        segmentation.GetSegment(segmentId).AddRepresentation(CLOSED_SURFACE, surface)
                node.CreateClosedSurfaceRepresentation()  # of those that have none
            for each, wasModifying in zip(nodes, wereModifying, strict=True):
                each.EndModify(wasModifying)


def _voxels(segmentation, segmentId):
    """What tells a segment's voxels from others: who writes a segment gives it another image."""
    segment = segmentation.GetSegment(segmentId)
    return segment.GetRepresentation(BINARY_LABELMAP), segment.GetLabelValue()
