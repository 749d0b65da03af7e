"""Volume nodes as CTVolume, and arrays as volume nodes."""

from __future__ import annotations

import numpy as np
import slicer
import vtk

from ...engine.errors import InvalidVolumeError
from ...engine.grid.bounding_box import box_at, lies_within
from ...engine.grid.boxed import Boxed, overlap
from ...engine.scan.ct_volume import CTVolume
from .arrays import RAS_FROM_LPS, arrayFromImage, boxMatrix, fillImage, matrixOf


def ctVolumeFromNode(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> CTVolume:
    """The node's voxels and geometry, for the engine.

    A linear parent transform is included: the CTVolume lies where the volume is seen in the scene. The voxels are
    shared with the node where their order and type allow; they are not to be changed while the CTVolume is in use.
    Raises InvalidVolumeError for a node that holds no CT, or that is under a non-linear transform.
    """
    array = scalarArray(volumeNode)
    return CTVolume.from_array(array, RAS_FROM_LPS @ worldFromIjk(volumeNode), volumeNode.GetName() or "The volume")


def scalarArray(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> np.ndarray:
    """The node's voxels (k, j, i), memory shared. Raises InvalidVolumeError for a node that cannot hold a CT."""
    name = volumeNode.GetName() or "The volume"
    image = volumeNode.GetImageData()
    if image is None or image.GetPointData().GetScalars() is None:
        raise InvalidVolumeError(f"{name} holds no image. Load the volume again.")
    if volumeNode.IsA("vtkMRMLLabelMapVolumeNode"):
        raise InvalidVolumeError(f"{name} is a label map, not a CT. Select the CT volume.")
    if image.GetNumberOfScalarComponents() != 1:
        raise InvalidVolumeError(f"{name} is a colour or vector volume, not a CT. Select the CT volume.")
    return arrayFromImage(image)


def ijkToRasMatrix(volumeNode: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """(4, 4): (i, j, k, 1) to RAS mm in the node's own coordinates, its parent transform not applied."""
    return matrixOf(volumeNode.GetIJKToRASMatrix)


def worldFromNode(node: slicer.vtkMRMLTransformableNode) -> np.ndarray | None:
    """(4, 4): a node's own coordinates to the world's, parent transforms applied; None where one is not linear."""
    transformNode = node.GetParentTransformNode()
    if transformNode is None:
        return np.eye(4)
    return matrixOf(transformNode.GetMatrixTransformToWorld) if transformNode.IsTransformToWorldLinear() else None


def worldFromIjk(volumeNode: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """(4, 4): (i, j, k, 1) to RAS mm of the world, parent transforms applied.

    Raises InvalidVolumeError where a parent transform is not linear: no matrix describes that grid.
    """
    toWorld = worldFromNode(volumeNode)
    if toWorld is None:
        raise InvalidVolumeError(
            f"{volumeNode.GetName()} is under the non-linear transform {volumeNode.GetParentTransformNode().GetName()}."
            ' Harden the transform on the volume (Transforms module, "Harden transform"), then segment it.'
        )
    return toWorld @ ijkToRasMatrix(volumeNode)


def nodeFromIjk(node: slicer.vtkMRMLTransformableNode, volumeNode: slicer.vtkMRMLVolumeNode) -> np.ndarray | None:
    """(4, 4): (i, j, k, 1) of a volume to another node's own coordinates, as both are seen in the scene; None where a
    parent transform is not linear."""
    ofNode, ofVolume = worldFromNode(node), worldFromNode(volumeNode)
    if ofNode is None or ofVolume is None:
        return None
    return np.linalg.inv(ofNode) @ ofVolume @ ijkToRasMatrix(volumeNode)


def nodesOfClass(scene: slicer.vtkMRMLScene, className: str) -> list[slicer.vtkMRMLNode]:
    """In the order in which they came. (``slicer.util.getNodesByClass`` looks in the application's scene always.)"""
    return [scene.GetNthNodeByClass(number, className) for number in range(scene.GetNumberOfNodesByClass(className))]


def volumeOf(node: slicer.vtkMRMLSegmentationNode) -> slicer.vtkMRMLScalarVolumeNode | None:
    """The volume that a result was made on; None where it is gone."""
    return node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole())


def referringNodes(node: slicer.vtkMRMLNode, role: str) -> list[slicer.vtkMRMLSegmentationNode]:
    """The segmentation nodes that refer to a node of their scene: where one was copied, that is more than one."""
    others = nodesOfClass(node.GetScene(), "vtkMRMLSegmentationNode")
    return [each for each in others if each.GetNodeReference(role) is node]


def removeWithOwn(node: slicer.vtkMRMLDisplayableNode) -> None:
    """Take a node out of its scene, and how it is displayed and stored, which Slicer leaves behind and saves with every
    scene; nothing happens where it is in none."""
    scene = node.GetScene()
    if scene is None:
        return
    own = [node.GetNthDisplayNode(number) for number in range(node.GetNumberOfDisplayNodes())]
    own += [node.GetNthStorageNode(number) for number in range(node.GetNumberOfStorageNodes())]
    scene.RemoveNode(node)
    for each in own:
        if each is not None and each.GetScene() is not None:
            scene.RemoveNode(each)


def shownVolumes(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLScalarVolumeNode]:
    """The scene's volumes, apart from those that are hidden from the user, in the order in which they came."""
    return [node for node in nodesOfClass(scene, "vtkMRMLScalarVolumeNode") if not node.GetHideFromEditors()]


def volumeNodeLike(
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    array: np.ndarray,
    name: str,
    start: tuple[int, int, int] = (0, 0, 0),
    window: tuple[float, float] | None = None,
) -> slicer.vtkMRMLScalarVolumeNode:
    """A new volume node on the grid of ``volumeNode`` and under its transform, placed beside it.

    :param array: (k, j, i) on the node's grid or a box of it.
    :param start: index (k, j, i) of the array's first voxel on that grid.
    :param window: values that are shown black and white; Slicer finds them if None.
    """
    shape = volumeNode.GetImageData().GetDimensions()[::-1]
    if not lies_within(box_at(start, array.shape), shape):
        raise ValueError(
            f"An array of {array.shape} from {start} on does not fit {volumeNode.GetName()}, a grid of {shape}."
        )
    scene = volumeNode.GetScene()
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", scene.GetUniqueNameByString(name))
    # Before the image: with one, finding a window for its values takes a good part of a second, here and at once.
    node.CreateDefaultDisplayNodes()
    if window is not None:
        node.GetDisplayNode().SetAutoWindowLevel(False)
        node.GetDisplayNode().SetWindowLevelMinMax(*window)
    _fillBox(node, volumeNode, array, start)
    node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
    placeBeside(node, volumeNode)
    return node


START = "LiverLesionCascade.Start"
"""Attribute of a hidden node that holds a box of a volume's grid: index "k j i" of its first voxel, and the grid's size
"k j i", which scenes of earlier versions lack."""


def setBox(node, volumeNode, box: Boxed) -> None:
    """Give a volume node the voxels of a box of another volume's grid, where they lie there."""
    grid = volumeNode.GetImageData().GetDimensions()[::-1]
    node.SetAttribute(START, " ".join(str(int(number)) for number in (*box.start, *grid)))
    _fillBox(node, volumeNode, box.values, box.start)


def _fillBox(node, volumeNode, array: np.ndarray, start: tuple[int, int, int]) -> None:
    matrix = boxMatrix(ijkToRasMatrix(volumeNode), start)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))
    image = vtk.vtkImageData()
    fillImage(image, array)
    node.SetAndObserveImageData(image)


def boxOf(node, volumeNode) -> Boxed | None:
    """What `setBox` gave a node, memory shared, as far as it lies on the volume's grid; None where nothing does.

    Files turn the order of slices around where axes are left-handed, and another volume may have more around: where the
    voxels lie counts. But where they lie neither at the indices that were written down on this grid nor at the same
    from the other end, the volume has moved since, and the indices count.
    """
    if node is None or node.GetImageData() is None or volumeNode.GetImageData() is None:
        return None
    array, grid = arrayFromImage(node.GetImageData()), volumeNode.GetImageData().GetDimensions()[::-1]
    numbers = tuple(int(number) for number in (node.GetAttribute(START) or "").split())
    written = numbers[:3] if numbers[3:] in ((), grid) else ()
    box = _boxWhereItLies(array, np.linalg.inv(ijkToRasMatrix(volumeNode)) @ ijkToRasMatrix(node))
    if written and (box is None or not _agrees(box, written, grid)):
        box = Boxed(array, written)
    if box is None:
        return None
    inside, _ = overlap(box.box, box_at((0, 0, 0), grid))  # the volume may have been cropped
    part = Boxed(box.values[inside], tuple(max(0, index) for index in box.start))
    return part if part.values.size else None


def _boxWhereItLies(array: np.ndarray, toGrid: np.ndarray) -> Boxed | None:
    """An array on a grid; None where its voxels are none of the grid's.

    :param toGrid: (4, 4): (i, j, k, 1) of the array to those of the grid.
    """
    signs, first = np.round(np.diag(toGrid)[:3]), toGrid[:3, 3]
    upright = np.all(np.abs(signs) == 1) and np.allclose(toGrid[:3, :3], np.diag(signs), atol=1e-3)
    if not (upright and np.allclose(first, np.round(first), atol=0.05)):
        return None
    last = first + signs * (np.array(array.shape[::-1]) - 1)
    start = tuple(int(round(value)) for value in np.minimum(first, last)[::-1])
    return Boxed(array[tuple(slice(None, None, -1 if sign < 0 else 1) for sign in signs[::-1])], start)


def _agrees(box: Boxed, written: tuple[int, ...], grid: tuple[int, ...]) -> bool:
    """Whether a box of a grid begins at the index that was written down, from either end of each axis."""
    axes = zip(box.start, written, box.values.shape, grid, strict=True)
    return all(start in (index, length - index - size) for start, index, size, length in axes)


def placeBeside(node: slicer.vtkMRMLNode, volumeNode: slicer.vtkMRMLNode) -> None:
    """Give a node the volume's parent in the subject hierarchy (its study, its folder)."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(node.GetScene())
    volumeItem = hierarchy.GetItemByDataNode(volumeNode)
    parent = hierarchy.GetItemParent(volumeItem) if volumeItem else hierarchy.GetSceneItemID()
    item = hierarchy.GetItemByDataNode(node)
    # In Slicer each data node has an item already; without the application's plugins nobody made one.
    if item:
        hierarchy.SetItemParent(item, parent)
    else:
        hierarchy.CreateItem(parent, node)
