"""The lesions' diameters, drawn in the slices where they were measured: all of them as one node.

A markups line for each would be two nodes a lesion, with labels in all views, and Slicer would draw all views for each.
"""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy

from ..nodes.arrays import RAS_FROM_LPS
from ..nodes.one_change import oneRendering
from ..nodes.volume import ijkToRasMatrix, nodesOfClass, removeWithOwn, worldFromIjk
from ..workspace.workspace import LINES_ROLE, Workspace
from .lesion_rows import LesionRow

COLOR = (1.0, 1.0, 1.0)
LINE_WIDTH = 2
HALF_HEIGHT = 0.49
"""Of a drawn diameter, in slices: it crosses its own slice and no other."""


def showsDiameters(workspace: Workspace) -> bool:
    return _model(workspace) is not None


@oneRendering()
def showDiameters(workspace: Workspace, rows: list[LesionRow], only: str | None = None) -> None:
    """Draw the diameters of the lesions that count, instead of what was drawn before. They are saved with the scene.

    :param only: ID of the segment whose diameters are drawn; those of all lesions if None.
    """
    counted = [row.measures for row in rows if row.counts and only in (None, row.segmentId)]
    axes = [axis for lesion in counted for axis in (lesion.long_axis_points, lesion.short_axis_points)]
    points = _ribbons(axes, workspace.volumeNode)
    node = _model(workspace) or _addModel(workspace)
    if node.GetTransformNodeID() != workspace.volumeNode.GetTransformNodeID():
        node.SetAndObserveTransformNodeID(workspace.volumeNode.GetTransformNodeID())
    drawn = node.GetPolyData()
    if drawn is None or not np.array_equal(_pointsOf(drawn), points):
        node.SetAndObservePolyData(_polyData(points))


@oneRendering()
def hideDiameters(workspace: Workspace) -> None:
    node = _model(workspace)
    if node is not None:
        removeWithOwn(node)
    workspace.node.RemoveNodeReferenceIDs(LINES_ROLE)


def _model(workspace: Workspace) -> slicer.vtkMRMLModelNode | None:
    return workspace.node.GetNodeReference(LINES_ROLE)


def _addModel(workspace: Workspace) -> slicer.vtkMRMLModelNode:
    scene = workspace.node.GetScene()
    node = scene.AddNewNodeByClass("vtkMRMLModelNode", f"{workspace.node.GetName()} diameters")
    node.SetSelectable(False)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetColor(*COLOR)
    display.SetLighting(False)
    display.SetBackfaceCulling(False)
    display.SetVisibility2D(True)
    display.SetSliceIntersectionThickness(LINE_WIDTH)
    display.SetViewNodeIDs(_viewsOfSlices(scene))
    workspace.node.SetNodeReferenceID(LINES_ROLE, node.GetID())
    return node


def _viewsOfSlices(scene: slicer.vtkMRMLScene) -> list[str]:
    """The 3D views and those that show axial slices: across them a diameter would be a short line. All if none does."""
    axial = [node for node in nodesOfClass(scene, "vtkMRMLSliceNode") if node.GetOrientation() == "Axial"]
    return [node.GetID() for node in (*axial, *nodesOfClass(scene, "vtkMRMLViewNode"))] if axial else []


def _sliceAxis(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> np.ndarray:
    """(3,) RAS mm from one slice to the next: along the axis of the grid that is closest to the body's."""
    axes = ijkToRasMatrix(volumeNode)[:3, :3]
    return axes[:, np.argmax(np.abs(axes[2] / np.linalg.norm(axes, axis=0)))]


def _ribbons(axes, volumeNode: slicer.vtkMRMLScalarVolumeNode) -> np.ndarray:
    """(4 n, 3) RAS mm in the volume's own coordinates: the corners of an upright ribbon along each axis.

    :param axes: pairs of points in LPS mm of the world.
    """
    if not axes:
        return np.zeros((0, 3))
    ownFromWorld = ijkToRasMatrix(volumeNode) @ np.linalg.inv(worldFromIjk(volumeNode)) @ RAS_FROM_LPS
    ends = np.array(axes).reshape(-1, 3) @ ownFromWorld[:3, :3].T + ownFromWorld[:3, 3]
    start, end = ends[::2], ends[1::2]
    up = HALF_HEIGHT * _sliceAxis(volumeNode)
    return np.stack((start - up, end - up, end + up, start + up), axis=1).reshape(-1, 3)


def _polyData(points: np.ndarray) -> vtk.vtkPolyData:
    polyData, vtkPoints, cells = vtk.vtkPolyData(), vtk.vtkPoints(), vtk.vtkCellArray()
    vtkPoints.SetData(numpy_to_vtk(np.ascontiguousarray(points), deep=True))
    cells.SetData(4, numpy_to_vtkIdTypeArray(np.arange(len(points), dtype=np.int64), deep=True))
    polyData.SetPoints(vtkPoints)
    polyData.SetPolys(cells)
    return polyData


def _pointsOf(polyData: vtk.vtkPolyData) -> np.ndarray:
    return vtk_to_numpy(polyData.GetPoints().GetData()) if polyData.GetNumberOfPoints() else np.zeros((0, 3))
