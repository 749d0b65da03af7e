"""The lesions' diameters as markups lines, in the slices where they were measured."""

from __future__ import annotations

import numpy as np
import slicer

from ..nodes.volume import ijkToRasMatrix
from ..workspace.provenance import PREFIX
from ..workspace.workspace import LINES_ROLE, Workspace
from .lesion_rows import LesionRow

SEGMENT = PREFIX + "Segment"
AXIS = PREFIX + "Axis"
LONG, SHORT = "long", "short"
"""Attributes of a line: the segment's ID, and which diameter of it."""


def showsDiameters(workspace: Workspace) -> bool:
    return workspace.node.GetNumberOfNodeReferences(LINES_ROLE) > 0


def showDiameters(workspace: Workspace, rows: list[LesionRow]) -> None:
    """Make the lines of the lesions that count, move those that there are, remove the others'.

    They are locked, for they are measurements of the segments, and are saved with the scene.
    """
    old = {(node.GetAttribute(SEGMENT), node.GetAttribute(AXIS)): node for node in _lines(workspace)}
    for row in rows:
        if not row.counts:
            continue
        for axis, points in ((LONG, row.measures.long_axis_points), (SHORT, row.measures.short_axis_points)):
            node = old.pop((row.segmentId, axis), None) or _addLine(workspace, row.segmentId, axis)
            name = f"{row.name} {axis} axis"
            if node.GetName() != name:
                node.SetName(name)
            _place(node, points, workspace.volumeNode)
            display = node.GetDisplayNode()
            if display is not None and display.GetSelectedColor() != row.color:
                display.SetSelectedColor(*row.color)
    for node in old.values():
        workspace.node.GetScene().RemoveNode(node)


def hideDiameters(workspace: Workspace) -> None:
    for node in _lines(workspace):
        workspace.node.GetScene().RemoveNode(node)
    workspace.node.RemoveNodeReferenceIDs(LINES_ROLE)


def _lines(workspace: Workspace) -> list[slicer.vtkMRMLMarkupsLineNode]:
    node = workspace.node
    found = [node.GetNthNodeReference(LINES_ROLE, n) for n in range(node.GetNumberOfNodeReferences(LINES_ROLE))]
    return [each for each in found if each is not None]


def _addLine(workspace: Workspace, segmentId: str, axis: str) -> slicer.vtkMRMLMarkupsLineNode:
    line = workspace.node.GetScene().AddNewNodeByClass("vtkMRMLMarkupsLineNode")
    line.SetAttribute(SEGMENT, segmentId)
    line.SetAttribute(AXIS, axis)
    line.CreateDefaultDisplayNodes()
    line.SetLocked(True)
    display = line.GetDisplayNode()
    if display is not None:
        display.SetPointLabelsVisibility(False)
        display.SetPropertiesLabelVisibility(axis == LONG)
    workspace.node.AddNodeReferenceID(LINES_ROLE, line.GetID())
    return line


def _place(line, points, volumeNode):
    """Ends on the volume's grid, in its own coordinates: the line moves with the volume."""
    ends = (ijkToRasMatrix(volumeNode) @ np.array([[*point[::-1], 1.0] for point in points]).T).T[:, :3]
    wasModifying = line.StartModify()
    if line.GetTransformNodeID() != volumeNode.GetTransformNodeID():
        line.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
    if line.GetNumberOfControlPoints() != 2:
        line.RemoveAllControlPoints()
        for end in ends:
            line.AddControlPoint(end)
    else:
        for index, end in enumerate(ends):
            if not np.allclose(line.GetNthControlPointPosition(index), end):
                line.SetNthControlPointPosition(index, *end)
    line.EndModify(wasModifying)
