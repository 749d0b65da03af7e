"""MRML without the Slicer application: what the command line needs of it, on ``slicer-core`` alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import slicer

from .nodes.storage import saveSegmentation
from .workspace.segmentation import segmentationNodeOnSource

if TYPE_CHECKING:
    from ..engine.results.result import SegmentationResult


@contextmanager
def headlessScene() -> Iterator[slicer.vtkMRMLScene]:
    """A scene of its own, emptied on leaving; ``slicer.mrmlScene``, where there is one, is not touched.

    The Segmentations logic makes the scene know segmentation nodes and their representations; without it segments
    cannot be added.
    """
    scene = slicer.vtkMRMLScene()
    logic = slicer.vtkSlicerSegmentationsModuleLogic()
    logic.SetMRMLScene(scene)
    try:
        yield scene
    finally:
        scene.Clear(True)
        del logic  # it has to live as long as the scene is in use


def writeSegmentation(result: SegmentationResult, path: str | Path) -> Path:
    """Write a result as .seg.nrrd on the grid of the image that was segmented; needs no Slicer application.

    The file holds what a segmentation node in Slicer would (order, names, terminology, colours, tags, status).
    Raises OutputError; leaves no partial file.
    """
    with headlessScene() as scene:
        return saveSegmentation(segmentationNodeOnSource(scene, result), path)
