"""Small volumes and results in any orientation, for the tests of the scene layer. Needs only slicer-core."""

from itertools import permutations, product

import numpy as np
import slicer
import vtk
from LiverLesionCascadeLib.engine.ct_volume import CTVolume
from LiverLesionCascadeLib.engine.lesions import measure_lesions
from LiverLesionCascadeLib.engine.result import ProbabilityBox, SegmentationResult
from LiverLesionCascadeLib.engine.source_result import SourceResult
from vtk.util.numpy_support import numpy_to_vtk

SPACING = (0.7, 0.9, 2.5)
ORIGIN = (-31.5, 12.25, -140.0)
ORIENTATIONS = [
    np.eye(3)[:, list(order)] * signs for order in permutations(range(3)) for signs in product((1.0, -1.0), repeat=3)
]
"""Direction matrices (columns: i, j, k) of all 48 axis orders and flips."""


def rotation(axis, degrees):
    """(3, 3) rotation about an axis (x, y, z) of any length."""
    x, y, z = np.asarray(axis, float) / np.linalg.norm(axis)
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    return np.eye(3) + np.sin(angle) * skew + (1 - np.cos(angle)) * skew @ skew


def affine(linear=None, translation=(0.0, 0.0, 0.0)):
    """(4, 4) from a (3, 3) and a translation."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.eye(3) if linear is None else linear
    matrix[:3, 3] = translation
    return matrix


def vtkMatrix(matrix):
    result = vtk.vtkMatrix4x4()
    result.DeepCopy(np.asarray(matrix, float).ravel())
    return result


def addVolumeNode(scene, array, direction=None, spacing=SPACING, origin=ORIGIN, name="CT"):
    """A volume node as a reader would make it, without help from the code under test. Directions are RAS."""
    direction = np.eye(3) if direction is None else direction
    image = vtk.vtkImageData()
    image.SetDimensions(array.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(array.ravel(), deep=True))
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetAndObserveImageData(image)
    node.SetIJKToRASMatrix(vtkMatrix(affine(direction * np.asarray(spacing), origin)))
    return node


def addTransformNode(scene, matrix, parent=None):
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Transform")
    node.SetMatrixTransformToParent(vtkMatrix(matrix))
    if parent is not None:
        node.SetAndObserveTransformNodeID(parent.GetID())
    return node


def addNonLinearTransformNode(scene):
    """A thin plate spline that bends a 100 mm cube."""
    corners = np.array(list(product((-50.0, 50.0), repeat=3)))
    source, target = vtk.vtkPoints(), vtk.vtkPoints()
    for number, corner in enumerate(corners):
        source.InsertNextPoint(corner)
        target.InsertNextPoint(corner + (5.0 if number == 0 else 0.0))
    spline = vtk.vtkThinPlateSplineTransform()
    spline.SetBasisToR()
    spline.SetSourceLandmarks(source)
    spline.SetTargetLandmarks(target)
    node = scene.AddNewNodeByClass("vtkMRMLTransformNode", "Warp")
    node.SetAndObserveTransformToParent(spline)
    return node


def numberedArray(shape=(5, 6, 7)):
    """int16 (k, j, i) in which no two voxels are equal, within the range of soft tissue."""
    size = int(np.prod(shape))
    return np.arange(-100, size - 100, dtype=np.int16).reshape(shape)


def ellipsoid(shape, centre, radii):
    """bool (k, j, i), centre and radii as fractions of the shape."""
    grid = np.meshgrid(*(np.arange(n) / (n - 1) for n in shape), indexing="ij")
    return sum(((axis - c) / r) ** 2 for axis, c, r in zip(grid, centre, radii, strict=True)) <= 1


def abdomen(shape=(24, 40, 36)):
    """HU (k, j, i) int16, with a liver and two lesions in it; and their masks, the second an instance map."""
    liver = ellipsoid(shape, (0.5, 0.45, 0.4), (0.4, 0.35, 0.3))
    instances = np.zeros(shape, np.uint16)
    instances[ellipsoid(shape, (0.5, 0.4, 0.35), (0.14, 0.12, 0.1))] = 1
    instances[ellipsoid(shape, (0.6, 0.6, 0.5), (0.08, 0.07, 0.08))] = 2
    hu = np.full(shape, -1000, np.int16)
    hu[ellipsoid(shape, (0.5, 0.5, 0.5), (0.6, 0.45, 0.45))] = 30
    hu[liver] = 110
    hu[instances > 0] = 60
    return hu, liver, instances


def resultOf(ct: CTVolume, liver, instances, **fields) -> SourceResult:
    """A result as a run would return it, from masks on the *source's* grid (k, j, i)."""
    liver = ct.from_source(liver.astype(np.uint8)) > 0
    instances = ct.from_source(instances.astype(np.uint16))
    box = ProbabilityBox(np.ones(ct.hu.shape, np.float16), (0, 0, 0))
    lesion = ProbabilityBox(np.where(instances > 0, 0.75, 0.1).astype(np.float16), (0, 0, 0))
    values = {
        "ct": ct,
        "liver": liver,
        "lesions": instances,
        "liver_probability": box,
        "lesion_probability": lesion,
        "table": measure_lesions(instances, ct.hu, ct.geometry, lesion),
        "bundle_name": "test bundle",
        "bundle_version": "1.2",
        "preset": "fast",
        "device": "cpu",
    }
    return SourceResult.from_result(SegmentationResult(**(values | fields)), keep_probabilities=True)


def segmentPositions(node: slicer.vtkMRMLSegmentationNode, segmentId) -> np.ndarray:
    """(n, 3) RAS mm in the node's own coordinates of a segment's voxels, sorted; read by VTK's own index mapping."""
    image = slicer.vtkOrientedImageData()
    assert node.GetBinaryLabelmapRepresentation(segmentId, image)
    toWorld = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(toWorld)
    i0, i1, j0, j1, k0, k1 = image.GetExtent()
    found = [
        toWorld.MultiplyPoint((i, j, k, 1))[:3]
        for k in range(k0, k1 + 1)
        for j in range(j0, j1 + 1)
        for i in range(i0, i1 + 1)
        if image.GetScalarComponentAsDouble(i, j, k, 0)
    ]
    return sortedPositions(found)


def voxelPositions(volumeNode, mask) -> np.ndarray:
    """(n, 3) RAS mm in the volume's own coordinates of the voxels of a mask (k, j, i), sorted."""
    toRas = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(toRas)
    return sortedPositions([toRas.MultiplyPoint((i, j, k, 1))[:3] for k, j, i in np.argwhere(mask)])


def sortedPositions(points) -> np.ndarray:
    points = np.asarray(points, float).reshape(-1, 3)
    return points[np.lexsort(np.round(points, 3).T)]
