"""Nodes that leave the scene with what is theirs alone: Slicer leaves that behind, and saves it with every scene."""

from __future__ import annotations

import slicer


def removeWithOwn(node: slicer.vtkMRMLDisplayableNode) -> None:
    """Take a node out of its scene, and how it is displayed and stored; nothing happens where it is in none."""
    scene = node.GetScene()
    if scene is None:
        return
    own = [node.GetNthDisplayNode(number) for number in range(node.GetNumberOfDisplayNodes())]
    own += [node.GetNthStorageNode(number) for number in range(node.GetNumberOfStorageNodes())]
    scene.RemoveNode(node)
    for each in own:
        if each is not None and each.GetScene() is not None:
            scene.RemoveNode(each)
