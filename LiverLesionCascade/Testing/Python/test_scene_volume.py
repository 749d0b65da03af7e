"""Volume nodes as the engine sees them: every voxel where the scene shows it, or a refusal with its remedy."""

import numpy as np
import pytest
import vtk
from fixtures import scene_cases as cases
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.errors import InvalidVolumeError
from LiverLesionCascadeLib.scene.headless import headlessScene
from LiverLesionCascadeLib.scene.nodes.volume import (
    ctVolumeFromNode,
    placeBeside,
    volumeNodeLike,
)
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

LPS = np.array([-1.0, -1.0, 1.0])
distance = st.floats(-500, 500).map(lambda value: round(value, 3))
spacing = st.floats(0.3, 8).map(lambda value: round(value, 3))


@pytest.fixture
def scene():
    with headlessScene() as scene:
        yield scene


def voxels(node):
    image = node.GetImageData()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])


def worldPoint(node, kji):
    """RAS mm of a voxel in the world, by Slicer's own transforms."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    local = matrix.MultiplyPoint((*[float(n) for n in reversed(kji)], 1.0))[:3]
    world = [0.0, 0.0, 0.0]
    node.TransformPointToWorld(local, world)
    return np.array(world)


def assertVoxelsInPlace(node, ct, array, atol=1e-4):
    """Each value lies in ct.hu at the index whose position is that of the voxel in the world."""
    for kji in np.ndindex(array.shape):
        index = ct.geometry.from_lps(LPS * worldPoint(node, kji))
        nearest = tuple(int(n) for n in np.rint(index))
        assert np.allclose(index, nearest, atol=atol)
        assert ct.hu[nearest] == array[kji]


@pytest.mark.parametrize("direction", cases.ORIENTATIONS, ids=lambda d: str(d.astype(int).tolist()))
def test_every_axis_order_and_flip_arrives_with_each_voxel_in_its_place(scene, direction):
    array = cases.numberedArray()
    node = cases.addVolumeNode(scene, array, direction)
    ct = ctVolumeFromNode(node)
    assert not ct.resampled
    assertVoxelsInPlace(node, ct, array)
    np.testing.assert_array_equal(ct.to_source(ct.hu), array)


@pytest.mark.parametrize("direction", cases.ORIENTATIONS, ids=lambda d: str(d.astype(int).tolist()))
def test_a_linear_parent_transform_moves_the_volume_in_the_engine_as_in_the_scene(scene, direction):
    array = cases.numberedArray()
    node = cases.addVolumeNode(scene, array, direction)
    turn = cases.addTransformNode(scene, cases.affine(cases.rotation((0, 0, 1), 90), (10, -20, 30)))
    nested = cases.addTransformNode(scene, cases.affine(np.diag([1.0, 2.0, 1.0]), (1, 2, 3)), parent=turn)
    node.SetAndObserveTransformNodeID(nested.GetID())
    ct = ctVolumeFromNode(node)
    assert not ct.resampled
    assertVoxelsInPlace(node, ct, array)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.tuples(st.integers(2, 6), st.integers(2, 6), st.integers(2, 6)),
    orientation=st.sampled_from(cases.ORIENTATIONS),
    spacing=st.tuples(spacing, spacing, spacing),
    origin=st.tuples(distance, distance, distance),
    axis=st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1),
    degrees=st.floats(-40, 40),
    shift=st.tuples(distance, distance, distance),
)
def test_any_grid_under_any_rigid_transform_has_the_world_positions_of_the_scene(
    shape, orientation, spacing, origin, axis, degrees, shift
):
    with headlessScene() as scene:
        array = cases.numberedArray(shape)
        node = cases.addVolumeNode(scene, array, orientation, spacing, origin)
        transform = cases.addTransformNode(scene, cases.affine(cases.rotation(axis, degrees), shift))
        node.SetAndObserveTransformNodeID(transform.GetID())
        ct = ctVolumeFromNode(node)
        assert ct.source.shape == shape
        for corner in np.ndindex(2, 2, 2):
            kji = np.array(corner) * (np.array(shape) - 1)
            np.testing.assert_allclose(ct.source.to_lps(kji), LPS * worldPoint(node, kji), atol=1e-6)


def test_a_volume_tilted_by_15_degrees_is_resampled_about_the_same_place(scene):
    hu, liver, _ = cases.abdomen()
    node = cases.addVolumeNode(scene, hu, cases.rotation((1, 0, 0), 15), spacing=(1.5, 1.5, 2.5))
    ct = ctVolumeFromNode(node)
    assert ct.resampled
    in_liver = np.argwhere((ct.hu > 105) & (ct.hu < 115))
    expected = np.mean([LPS * worldPoint(node, kji) for kji in np.argwhere(hu == 110)], axis=0)
    np.testing.assert_allclose(ct.geometry.to_lps(in_liver).mean(axis=0), expected, atol=1.0)


def test_a_non_linear_transform_is_refused_with_the_remedy(scene):
    node = cases.addVolumeNode(scene, cases.numberedArray())
    node.SetAndObserveTransformNodeID(cases.addNonLinearTransformNode(scene).GetID())
    with pytest.raises(InvalidVolumeError, match="(?i)CT is under the non-linear transform Warp.*harden the transform"):
        ctVolumeFromNode(node)


def test_a_linear_transform_below_a_non_linear_one_is_refused_too(scene):
    node = cases.addVolumeNode(scene, cases.numberedArray())
    warp = cases.addNonLinearTransformNode(scene)
    node.SetAndObserveTransformNodeID(cases.addTransformNode(scene, np.eye(4), parent=warp).GetID())
    with pytest.raises(InvalidVolumeError, match="(?i)harden the transform"):
        ctVolumeFromNode(node)


def test_the_voxels_are_not_copied_where_their_order_allows(scene):
    node = cases.addVolumeNode(scene, cases.numberedArray(), np.diag([-1.0, -1.0, 1.0]))
    assert np.shares_memory(ctVolumeFromNode(node).hu, voxels(node))


def test_a_node_without_an_image_is_refused(scene):
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Nothing")
    with pytest.raises(InvalidVolumeError, match="Nothing holds no image"):
        ctVolumeFromNode(node)


def test_a_label_map_is_refused(scene):
    node = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "Labels")
    image = vtk.vtkImageData()
    image.SetDimensions(3, 3, 3)
    image.AllocateScalars(vtk.VTK_SHORT, 1)
    node.SetAndObserveImageData(image)
    with pytest.raises(InvalidVolumeError, match="Labels is a label map"):
        ctVolumeFromNode(node)


def test_a_colour_volume_is_refused(scene):
    node = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "Photo")
    image = vtk.vtkImageData()
    image.SetDimensions(3, 3, 3)
    image.GetPointData().SetScalars(numpy_to_vtk(np.zeros((27, 3), np.uint8), deep=True))
    node.SetAndObserveImageData(image)
    with pytest.raises(InvalidVolumeError, match="Photo is a colour"):
        ctVolumeFromNode(node)


def test_a_map_like_a_volume_lies_on_its_grid_under_its_transform_beside_it(scene):
    node = cases.addVolumeNode(scene, cases.numberedArray())
    transform = cases.addTransformNode(scene, cases.affine(cases.rotation((1, 2, 3), 15)))
    node.SetAndObserveTransformNodeID(transform.GetID())
    hierarchy = scene.GetSubjectHierarchyNode()
    folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), "Study")
    hierarchy.CreateItem(folder, node)
    probabilities = (np.arange(node.GetImageData().GetNumberOfPoints()).reshape(5, 6, 7) / 1000).astype(np.float16)
    made = volumeNodeLike(node, probabilities, "Probability")
    assert made.GetParentTransformNode() is transform
    np.testing.assert_array_equal(voxels(made), probabilities.astype(np.float32))
    np.testing.assert_array_equal(worldPoint(made, (4, 2, 3)), worldPoint(node, (4, 2, 3)))
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(made)) == folder


def test_an_array_of_another_grid_is_refused(scene):
    node = cases.addVolumeNode(scene, cases.numberedArray())
    count = scene.GetNumberOfNodes()
    with pytest.raises(ValueError, match="does not fit CT"):
        volumeNodeLike(node, np.zeros((5, 6, 8), np.float32), "Probability")
    assert scene.GetNumberOfNodes() == count


def test_an_item_that_exists_is_moved_beside_the_volume_not_doubled(scene):
    node, other = (cases.addVolumeNode(scene, cases.numberedArray(), name=name) for name in ("CT", "Other"))
    hierarchy = scene.GetSubjectHierarchyNode()
    folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), "Study")
    hierarchy.CreateItem(folder, node)
    item = hierarchy.CreateItem(hierarchy.GetSceneItemID(), other)
    placeBeside(other, node)
    assert hierarchy.GetItemByDataNode(other) == item
    assert hierarchy.GetItemParent(item) == folder


def test_a_map_of_a_box_lies_where_the_box_is_and_is_shown_in_the_window_asked_for(scene):
    node = cases.addVolumeNode(scene, cases.numberedArray(), cases.ORIENTATIONS[11])
    made = volumeNodeLike(node, np.full((2, 3, 4), 0.5, np.float16), "Probability", start=(3, 2, 1), window=(0, 1))
    np.testing.assert_allclose(worldPoint(made, (0, 0, 0)), worldPoint(node, (3, 2, 1)), atol=1e-9)
    np.testing.assert_allclose(worldPoint(made, (1, 2, 3)), worldPoint(node, (4, 4, 4)), atol=1e-9)
    display = made.GetDisplayNode()
    assert not display.GetAutoWindowLevel() and (display.GetWindow(), display.GetLevel()) == (1, 0.5)
    with pytest.raises(ValueError, match="does not fit CT"):
        volumeNodeLike(node, np.zeros((2, 3, 4), np.float16), "Probability", start=(4, 2, 1))


def test_every_half_precision_value_becomes_the_same_number_in_a_volume(scene):
    values = np.arange(1 << 16, dtype=np.uint16).view(np.float16).reshape(16, 64, 64)
    values = np.where(np.isnan(values), 0, values).astype(np.float16)
    node = cases.addVolumeNode(scene, np.zeros(values.shape, np.int16))
    np.testing.assert_array_equal(voxels(volumeNodeLike(node, values, "Probability")), values.astype(np.float32))
