"""Replaced results come back with every edit, and nobody else's segments are touched."""

import numpy as np
import pytest
import slicer
from fixtures import scene_cases as cases
from LiverLesionCascadeLib.scene.headless import headlessScene
from LiverLesionCascadeLib.scene.nodes.arrays import arrayFromImage, orientedImage
from LiverLesionCascadeLib.scene.nodes.representations import BINARY_LABELMAP, CLOSED_SURFACE
from LiverLesionCascadeLib.scene.nodes.volume import ctVolumeFromNode, ijkToRasMatrix
from LiverLesionCascadeLib.scene.workspace.provenance import resultSegmentIds
from LiverLesionCascadeLib.scene.workspace.replace_history import ReplaceHistory, exchangeResult
from LiverLesionCascadeLib.scene.workspace.segmentation import segmentationNodeFromResult, segmentMask

HU, LIVER, INSTANCES = cases.abdomen()
FIRST = {"liver": LIVER, "lesion_1": INSTANCES == 1, "lesion_2": INSTANCES == 2}
SECOND = {"liver": np.roll(LIVER, 1, axis=0), "lesion_1": np.roll(INSTANCES == 2, 1, axis=0)}
THIRD = {"liver": np.roll(LIVER, 2, axis=0)}
PAINTED = np.zeros_like(LIVER)
PAINTED[1:4, 2:6, 3:9] = True


class Case:
    """A volume with one result in a node, and a history."""

    def __init__(self, scene):
        self.volume = cases.addVolumeNode(scene, HU)
        self.history = ReplaceHistory()
        self.node = segmentationNodeFromResult(self.result(FIRST), self.volume)
        self.segmentation = self.node.GetSegmentation()

    def result(self, masks):
        instances = np.zeros(HU.shape, np.uint16)
        for number in (1, 2):
            instances[masks.get(f"lesion_{number}", False)] = number
        return cases.resultOf(ctVolumeFromNode(self.volume), masks["liver"], instances)

    def replaceBy(self, masks, volume=None):
        segmentationNodeFromResult(
            self.result(masks), volume or self.volume, self.node, replace=True, history=self.history
        )

    def paint(self, segmentId, mask, name="Cyst"):
        """Make or change a segment, as the Segment Editor does."""
        if self.segmentation.GetSegment(segmentId) is None:
            self.segmentation.AddEmptySegment(segmentId, name)
        image = orientedImage(mask.astype(np.uint8), ijkToRasMatrix(self.volume))
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        assert logic.SetBinaryLabelmapToSegment(image, self.node, segmentId, logic.MODE_REPLACE)

    def assertHolds(self, masks):
        """The node's segments, in this order, voxel for voxel."""
        assert list(self.segmentation.GetSegmentIDs()) == list(masks)
        for segmentId, mask in masks.items():
            np.testing.assert_array_equal(segmentMask(self.node, segmentId, self.volume), mask)


@pytest.fixture
def case():
    with headlessScene() as scene:
        yield Case(scene)


def test_undo_brings_the_replaced_result_back_and_redo_the_other(case):
    assert not case.history.canUndo(case.node)
    case.replaceBy(SECOND)
    case.assertHolds(SECOND)
    assert case.history.canUndo(case.node) and not case.history.canRedo(case.node)
    case.history.undo(case.node)
    case.assertHolds(FIRST)
    assert not case.history.canUndo(case.node) and case.history.canRedo(case.node)
    case.history.redo(case.node)
    case.assertHolds(SECOND)
    assert case.history.canUndo(case.node) and not case.history.canRedo(case.node)


def test_undo_brings_back_what_was_edited_in_the_replaced_result(case):
    edited = LIVER | PAINTED
    case.paint("liver", edited)
    case.segmentation.GetSegment("lesion_1").SetName("Metastasis in segment 4")
    case.segmentation.RemoveSegment("lesion_2")
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    logic.SetSegmentStatus(case.segmentation.GetSegment("liver"), logic.Completed)
    case.replaceBy(SECOND)
    case.history.undo(case.node)
    case.assertHolds({"liver": edited, "lesion_1": FIRST["lesion_1"]})
    assert case.segmentation.GetSegment("lesion_1").GetName() == "Metastasis in segment 4"
    assert logic.GetSegmentStatus(case.segmentation.GetSegment("liver")) == logic.Completed


def test_edits_made_after_the_replacement_come_back_with_redo(case):
    case.replaceBy(SECOND)
    case.paint("lesion_1", PAINTED)
    case.history.undo(case.node)
    case.assertHolds(FIRST)
    case.history.redo(case.node)
    case.assertHolds({"liver": SECOND["liver"], "lesion_1": PAINTED})


def test_a_person_s_segment_painted_after_the_replacement_stays_through_undo_and_redo(case):
    case.replaceBy(SECOND)
    case.paint("cyst", PAINTED)
    case.history.undo(case.node)
    case.assertHolds(FIRST | {"cyst": PAINTED})
    case.history.redo(case.node)
    case.assertHolds(SECOND | {"cyst": PAINTED})


def test_segments_stand_in_their_old_order_again(case):
    case.paint("cyst", PAINTED)
    case.segmentation.ReorderSegments(["lesion_2", "cyst", "liver", "lesion_1"])
    case.replaceBy(SECOND)
    case.history.undo(case.node)
    assert list(case.segmentation.GetSegmentIDs()) == ["lesion_2", "cyst", "liver", "lesion_1"]


def test_three_replacements_are_undone_and_redone_one_by_one(case):
    steps = [FIRST, SECOND, THIRD, FIRST]
    for masks in steps[1:]:
        case.replaceBy(masks)
    for masks in steps[-2::-1]:
        case.history.undo(case.node)
        case.assertHolds(masks)
    for masks in steps[1:]:
        case.history.redo(case.node)
        case.assertHolds(masks)


def test_a_new_replacement_ends_what_could_be_redone(case):
    case.replaceBy(SECOND)
    case.history.undo(case.node)
    case.replaceBy(THIRD)
    assert not case.history.canRedo(case.node)
    case.history.undo(case.node)
    case.assertHolds(FIRST)


def test_only_so_many_results_are_kept(case):
    for _ in range(ReplaceHistory.MAXIMUM + 2):
        case.replaceBy(SECOND)
    for _ in range(ReplaceHistory.MAXIMUM):
        case.history.undo(case.node)
    assert not case.history.canUndo(case.node)
    with pytest.raises(LookupError, match="No other result of CT liver and lesions is kept"):
        case.history.undo(case.node)


def test_display_and_source_volume_come_back_too(case):
    display = case.node.GetDisplayNode()
    display.SetSegmentVisibility("lesion_1", False)
    display.SetSegmentOpacity3D("liver", 0.9)
    moved = cases.addVolumeNode(case.node.GetScene(), HU, origin=(5, 6, 7), name="Follow-up")
    role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    geometry = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    before = case.segmentation.GetConversionParameter(geometry)
    case.replaceBy(SECOND, moved)
    assert display.GetSegmentVisibility("lesion_1")
    assert case.node.GetNodeReference(role) is moved
    case.history.undo(case.node)
    assert not display.GetSegmentVisibility("lesion_1") and display.GetSegmentOpacity3D("liver") == 0.9
    assert case.node.GetNodeReference(role) is case.volume
    assert case.segmentation.GetConversionParameter(geometry) == before


def test_segments_in_a_layer_with_a_person_s_are_taken_without_theirs(case):
    case.paint("cyst", PAINTED)
    case.segmentation.CollapseBinaryLabelmaps(False)
    assert case.segmentation.GetNumberOfLayers() == 2
    case.replaceBy(SECOND)
    case.assertHolds(SECOND | {"cyst": PAINTED})
    # Nothing of what left is in the person's layer: Slicer would meet labels there that belong to no segment.
    cyst = case.segmentation.GetSegment("cyst")
    layer = arrayFromImage(cyst.GetRepresentation(BINARY_LABELMAP))
    assert set(np.unique(layer)) == {0, cyst.GetLabelValue()}
    case.history.undo(case.node)
    case.assertHolds(FIRST | {"cyst": PAINTED})


def test_lesions_still_share_their_layer_after_undo(case):
    layer = case.segmentation.GetSegment("lesion_1").GetRepresentation(BINARY_LABELMAP)
    case.replaceBy(SECOND)
    case.history.undo(case.node)
    for segmentId in ("lesion_1", "lesion_2"):
        assert case.segmentation.GetSegment(segmentId).GetRepresentation(BINARY_LABELMAP) is layer


def test_an_id_that_a_person_s_segment_has_taken_is_not_taken_from_it(case):
    case.replaceBy(SECOND)
    case.paint("lesion_2", PAINTED, "My own")
    case.history.undo(case.node)
    assert case.segmentation.GetSegment("lesion_2").GetName() == "My own"
    np.testing.assert_array_equal(segmentMask(case.node, "lesion_2", case.volume), PAINTED)
    ids = resultSegmentIds(case.node)
    assert [case.segmentation.GetSegment(each).GetName() for each in ids] == ["Liver", "Lesion 1", "Lesion 2"]
    np.testing.assert_array_equal(segmentMask(case.node, ids[2], case.volume), FIRST["lesion_2"])
    case.history.redo(case.node)
    case.assertHolds(SECOND | {"lesion_2": PAINTED})


@pytest.mark.parametrize("painted", [False, True], ids=["alone", "beside a person's segment"])
def test_a_node_that_shows_3d_goes_on_showing_it_through_undo(case, painted):
    if painted:
        case.paint("cyst", PAINTED)
    assert case.node.CreateClosedSurfaceRepresentation()
    for step in (lambda: case.replaceBy(SECOND), lambda: case.history.undo(case.node)):
        step()
        for segmentId in case.segmentation.GetSegmentIDs():
            surface = case.segmentation.GetSegment(segmentId).GetRepresentation(CLOSED_SURFACE)
            assert surface is not None and surface.GetNumberOfPoints() > 0


def test_surfaces_switched_off_since_the_replacement_do_not_return(case):
    assert case.node.CreateClosedSurfaceRepresentation()
    case.replaceBy(SECOND)
    case.node.RemoveClosedSurfaceRepresentation()
    case.history.undo(case.node)
    for segmentId in case.segmentation.GetSegmentIDs():
        assert case.segmentation.GetSegment(segmentId).GetRepresentation(CLOSED_SURFACE) is None


def test_a_replacement_that_fails_half_way_leaves_the_node_as_it_was(case):
    case.paint("cyst", PAINTED)
    other = segmentationNodeFromResult(case.result(SECOND), case.volume)

    def insert():
        assert case.segmentation.CopySegmentFromSegmentation(other.GetSegmentation(), "liver")
        raise MemoryError

    with pytest.raises(MemoryError):
        exchangeResult(case.node, insert)
    case.assertHolds(FIRST | {"cyst": PAINTED})


def test_a_removed_node_is_forgotten(case):
    case.replaceBy(SECOND)
    node = case.node
    node.GetScene().RemoveNode(node)
    assert not case.history.canUndo(node)
    # Back in the scene, as by an undo of the scene, it is a node without a past.
    case.volume.GetScene().AddNode(node)
    assert not case.history.canUndo(node)


def test_an_undo_of_many_lesions_copies_no_layer(case):
    instances = np.zeros(HU.shape, np.uint16)
    instances.ravel()[np.flatnonzero(LIVER)[:200]] = np.arange(1, 201)
    many = cases.resultOf(ctVolumeFromNode(case.volume), LIVER, instances, table=[])
    segmentationNodeFromResult(many, case.volume, case.node, replace=True, history=case.history)
    layer = case.segmentation.GetSegment("lesion_1").GetRepresentation(BINARY_LABELMAP)
    case.replaceBy(SECOND)
    case.history.undo(case.node)
    assert case.segmentation.GetNumberOfLayers() == 2
    assert case.segmentation.GetSegment("lesion_200").GetRepresentation(BINARY_LABELMAP) is layer
