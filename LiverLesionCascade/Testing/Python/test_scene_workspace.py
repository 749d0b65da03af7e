"""Every edit is known, voxel by voxel, whoever watched; what is ours and what a person did is told apart."""

import numpy as np
import pytest
import slicer
import vtk
from fixtures import scene_cases as cases
from hypothesis import given
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.errors import InputError, InvalidVolumeError, OutputError
from LiverLesionCascadeLib.scene.headless import headlessScene
from LiverLesionCascadeLib.scene.nodes.arrays import arrayFromImage, fillImage, orientedImage
from LiverLesionCascadeLib.scene.nodes.representations import BINARY_LABELMAP, REFERENCE_GEOMETRY
from LiverLesionCascadeLib.scene.nodes.volume import ctVolumeFromNode, ijkToRasMatrix
from LiverLesionCascadeLib.scene.workspace import edit_record
from LiverLesionCascadeLib.scene.workspace.edit_record import LESIONS, LIVER, keepSteps, setEdited
from LiverLesionCascadeLib.scene.workspace.provenance import EDITS_ROLE
from LiverLesionCascadeLib.scene.workspace.replace_history import ReplaceHistory
from LiverLesionCascadeLib.scene.workspace.segmentation import segmentationNodeFromResult
from LiverLesionCascadeLib.scene.workspace.stored_probability import PROBABILITY_ROLE
from LiverLesionCascadeLib.scene.workspace.workspace import (
    closeWorkspaces,
    removeCompanions,
    requireWorkspace,
    workspaceOf,
)

HU, LIVER_MASK, INSTANCES = cases.abdomen()
SHAPE = HU.shape
DISK = np.zeros(SHAPE, bool)
DISK[12, 20:24, 8:12] = True


class Bench:
    def __init__(self, scene, **geometry):
        self.scene = scene
        self.volume = cases.addVolumeNode(scene, HU, **geometry)
        self.node = segmentationNodeFromResult(self.result(), self.volume)
        self.workspace = workspaceOf(self.node)

    def result(self, liver=LIVER_MASK, instances=INSTANCES):
        return cases.resultOf(ctVolumeFromNode(self.volume), liver, instances)

    def moved(self):
        """Another result, whose segments have the same IDs."""
        return self.result(np.roll(LIVER_MASK, 1, axis=0), np.roll(INSTANCES, 1, axis=0))

    def paint(self, segmentId, mask, mode=slicer.vtkSlicerSegmentationsModuleLogic.MODE_MERGE_MAX):
        """As the Segment Editor does it."""
        if self.node.GetSegmentation().GetSegment(segmentId) is None:
            self.node.GetSegmentation().AddEmptySegment(segmentId, segmentId)
        image = orientedImage(mask.astype(np.uint8), ijkToRasMatrix(self.volume))
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        assert logic.SetBinaryLabelmapToSegment(image, self.node, segmentId, mode)

    def setMask(self, segmentId, mask):
        self.paint(segmentId, mask, slicer.vtkSlicerSegmentationsModuleLogic.MODE_REPLACE)

    def replace(self, result, history=None):
        segmentationNodeFromResult(result, self.volume, self.node, replace=True, history=history)
        self.workspace = workspaceOf(self.node)

    def edited(self):
        self.workspace.flush()
        return [each for each in self.node.GetSegmentation().GetSegmentIDs() if self.workspace.isEdited(each)]

    def record(self, what=LESIONS):
        self.workspace.flush()
        edits = self.workspace.edits
        return [getattr(edits, name)(what).full(SHAPE) for name in ("painted", "erased", "touched")]


@pytest.fixture
def bench():
    with headlessScene() as scene:
        yield Bench(scene)
        closeWorkspaces()


def assertMasks(found, *expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


NOTHING = np.zeros(SHAPE, bool)


# ------------------------------------------------------------------------------------------------------------ the watch


def test_only_the_segment_that_changed_is_reported_though_it_shares_its_label_map(bench):
    heard = []
    bench.workspace.subscribe(heard.extend)
    bench.paint("lesion_1", DISK)
    bench.workspace.flush()
    content = [change for change in heard if change.kind != "properties"]
    assert [(change.segmentId, change.kind) for change in content] == [("lesion_1", "content")]
    np.testing.assert_array_equal(content[0].before.full(SHAPE), INSTANCES == 1)
    np.testing.assert_array_equal(content[0].after.full(SHAPE), (INSTANCES == 1) | DISK)


def test_an_edit_in_place_of_the_shared_label_map_is_noticed(bench):
    heard = []
    bench.workspace.subscribe(heard.extend)
    image = bench.node.GetSegmentation().GetSegment("lesion_2").GetRepresentation(BINARY_LABELMAP)
    values = arrayFromImage(image)
    values[values == 2] = 0
    image.Modified()
    bench.workspace.flush()
    assert [(change.segmentId, change.kind) for change in heard] == [("lesion_2", "content")]
    assert not heard[0].after


def test_added_renamed_and_removed_segments_are_reported(bench):
    heard = []
    bench.workspace.subscribe(heard.extend)
    bench.paint("new", DISK)
    bench.workspace.flush()
    assert [(change.segmentId, change.kind) for change in heard] == [("new", "added")]
    heard.clear()
    bench.node.GetSegmentation().GetSegment("lesion_1").SetName("Cyst")
    bench.workspace.flush()
    assert [(change.segmentId, change.kind) for change in heard] == [("lesion_1", "properties")]
    heard.clear()
    bench.node.GetSegmentation().RemoveSegment("lesion_1")
    bench.workspace.flush()
    assert ("lesion_1", "removed") in [(change.segmentId, change.kind) for change in heard]


def test_nothing_is_reported_where_nothing_changed(bench):
    heard = []
    bench.workspace.subscribe(heard.extend)
    bench.node.Modified()
    bench.workspace.flush()
    assert heard == []


def test_one_who_listens_and_fails_does_not_keep_the_record_from_an_edit(bench, caplog):
    def fail(changes):
        raise ValueError("broken listener")

    bench.workspace.subscribe(fail)
    bench.paint("lesion_1", DISK)
    assertMasks(bench.record(), DISK & (INSTANCES == 0), NOTHING, DISK & (INSTANCES != 1))
    assert "broken listener" in caplog.text


@pytest.mark.parametrize("orientation", [0, 7, 29, 47])
def test_masks_are_right_in_any_axis_order(orientation):
    with headlessScene() as scene:
        volume = cases.addVolumeNode(scene, HU, direction=cases.ORIENTATIONS[orientation])
        node = segmentationNodeFromResult(cases.resultOf(ctVolumeFromNode(volume), LIVER_MASK, INSTANCES), volume)
        workspace = workspaceOf(node)
        assertMasks([workspace.mask("liver").full(SHAPE), workspace.lesions().full(SHAPE)], LIVER_MASK, INSTANCES > 0)
        closeWorkspaces()


# ------------------------------------------------------------------------------------------------------------ the edits


def test_a_new_result_has_no_edits(bench):
    assertMasks(bench.record(), NOTHING, NOTHING, NOTHING)
    assertMasks(bench.record(LIVER), NOTHING, NOTHING, NOTHING)
    assert not bench.workspace.isEdited("lesion_1")


def test_painted_and_erased_voxels_are_known(bench):
    bench.paint("lesion_1", DISK)
    bench.workspace.flush()
    bench.setMask("lesion_2", NOTHING)
    painted, erased, touched = bench.record()
    np.testing.assert_array_equal(painted, DISK & (INSTANCES == 0))
    np.testing.assert_array_equal(erased, (INSTANCES == 2) & ~DISK)
    assert touched[painted | erased].all()
    assert bench.workspace.isEdited("lesion_1") and bench.workspace.isEdited("lesion_2")


def test_a_voxel_that_was_painted_and_taken_back_is_touched_but_no_correction(bench):
    bench.paint("lesion_1", DISK)
    bench.workspace.flush()
    bench.setMask("lesion_1", INSTANCES == 1)
    changed = DISK & (INSTANCES != 1)
    painted, erased, touched = bench.record()
    assert not painted.any() and not erased.any()
    np.testing.assert_array_equal(touched, changed)


def test_edits_of_the_liver_are_kept_apart_from_those_of_lesions(bench):
    corner = np.zeros(SHAPE, bool)
    corner[0, :3, :3] = True
    bench.paint("liver", corner)
    assertMasks(bench.record(LIVER), corner, NOTHING, corner)
    assertMasks(bench.record(LESIONS), NOTHING, NOTHING, NOTHING)


def test_a_drawn_segment_is_a_lesion_unless_it_is_named_something_else(bench):
    bench.paint("drawn", DISK)
    assert bench.workspace.lesionIds() == ["lesion_1", "lesion_2", "drawn"]
    segment = bench.node.GetSegmentation().GetSegment("drawn")
    segment.SetTerminology(
        "Segmentation category and type - 3D Slicer General Anatomy list~SCT^123037004^Anatomical Structure~"
        "SCT^28231008^Gallbladder~^^~Anatomic codes - DICOM master list~^^~^^"
    )
    assert bench.workspace.lesionIds() == ["lesion_1", "lesion_2"]


def test_what_the_machine_changes_is_no_edit(bench):
    with bench.workspace.machineChange():
        bench.setMask("lesion_1", DISK)
    assertMasks(bench.record(), NOTHING, NOTHING, NOTHING)
    assert not bench.workspace.isEdited("lesion_1")
    bench.setMask("lesion_1", NOTHING)  # of which the person erases all
    np.testing.assert_array_equal(bench.record()[1], DISK & (INSTANCES != 2))


def test_an_edit_just_before_a_machine_change_is_still_an_edit(bench):
    bench.paint("lesion_1", DISK)
    with bench.workspace.machineChange():
        pass
    np.testing.assert_array_equal(bench.record()[0], DISK & (INSTANCES == 0))


@pytest.mark.parametrize("orientation", [0, 11, 18, 47])
def test_edits_are_saved_with_the_scene_and_go_on_after_it_is_loaded(orientation, tmp_path):
    with headlessScene() as scene:
        bench = Bench(scene, direction=cases.ORIENTATIONS[orientation])
        bench.paint("lesion_1", DISK)
        before = [cases.voxelPositions(bench.volume, mask) for mask in bench.record()]
        stored = bench.workspace.lesionProbability
        likely = np.zeros(SHAPE, bool)
        likely[tuple(slice(s, s + n) for s, n in zip(stored.start, stored.values.shape, strict=True))] = (
            stored.values > 127
        )
        likely = cases.voxelPositions(bench.volume, likely)
        for node in (bench.volume, bench.node):
            node.AddDefaultStorageNode()
        assert scene.WriteToMRB(str(tmp_path / "scene.mrb"))
        closeWorkspaces()
    with headlessScene() as other:
        cache, data = slicer.vtkCacheManager(), slicer.vtkDataIOManager()
        cache.SetRemoteCacheDirectory(str(tmp_path))
        data.SetCacheManager(cache)
        other.SetDataIOManager(data)
        assert other.ReadFromMRB(str(tmp_path / "scene.mrb"))
        workspace = workspaceOf(other.GetFirstNodeByClass("vtkMRMLSegmentationNode"))
        names = ("painted", "erased", "touched")
        # By position: Slicer reads a left-handed volume with its slices in the other order.
        for name, expected in zip(names, before, strict=True):
            found = getattr(workspace.edits, name)(LESIONS).full(workspace.shape)
            np.testing.assert_allclose(cases.voxelPositions(workspace.volumeNode, found), expected, atol=1e-4)
        assert workspace.isEdited("lesion_1")
        again = workspace.lesionProbability
        mask = np.zeros(workspace.shape, bool)
        mask[tuple(slice(s, s + n) for s, n in zip(again.start, again.values.shape, strict=True))] = again.values > 127
        np.testing.assert_allclose(cases.voxelPositions(workspace.volumeNode, mask), likely, atol=1e-4)
        closeWorkspaces()


@pytest.mark.parametrize(
    "matrix",
    [
        cases.affine(cases.rotation((0, 1, 1), 20), (3, 4, 5)),
        cases.affine(None, (0, 0, 2 * cases.SPACING[2])),  # voxels come to lie where others lay
        cases.affine(None, (-3 * cases.SPACING[0], cases.SPACING[1], 0)),
        cases.affine(None, (0, 0, 1.0)),
    ],
    ids=["turned", "by whole slices", "by whole voxels", "by less than a slice"],
)
def test_edits_and_probabilities_stay_with_their_voxels_when_a_transform_is_hardened(bench, matrix):
    bench.paint("lesion_1", DISK)
    before = bench.record()
    likely = bench.workspace.lesionProbability
    closeWorkspaces()
    transform = cases.addTransformNode(bench.scene, matrix)
    for node in (bench.volume, bench.node):
        node.SetAndObserveTransformNodeID(transform.GetID())
        node.HardenTransform()
    bench.workspace = workspaceOf(bench.node)
    assertMasks(bench.record(), *before)
    assert bench.workspace.lesionProbability.start == likely.start
    np.testing.assert_array_equal(bench.workspace.lesionProbability.values, likely.values)


def test_edits_go_along_to_a_volume_with_more_around_it(bench):
    bench.paint("lesion_1", DISK)
    before = bench.record()
    more = ((1, 0), (2, 0), (3, 0))
    origin = (bench.volume.GetOrigin() - np.array(cases.SPACING) * (3, 2, 1)).tolist()
    padded = cases.addVolumeNode(bench.scene, np.pad(HU, more), origin=origin)
    bench.node.SetReferenceImageGeometryParameterFromVolumeNode(padded)
    bench.workspace = workspaceOf(bench.node)
    edits = bench.workspace.edits
    found = [getattr(edits, name)(LESIONS).full(bench.workspace.shape) for name in ("painted", "erased", "touched")]
    assertMasks(found, *(np.pad(mask, more) for mask in before))


def test_edits_that_nobody_watched_are_found_at_the_next_look(bench):
    closeWorkspaces()
    bench.paint("lesion_1", DISK)
    bench.workspace = workspaceOf(bench.node)
    np.testing.assert_array_equal(bench.record()[0], DISK & (INSTANCES == 0))


def test_a_copy_of_the_node_gets_a_record_of_its_own(bench):
    bench.paint("lesion_1", DISK)
    bench.workspace.flush()
    copy = bench.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Copy")
    copy.Copy(bench.node)
    other = workspaceOf(copy)
    assert copy.GetNodeReference(EDITS_ROLE) is not bench.node.GetNodeReference(EDITS_ROLE)
    np.testing.assert_array_equal(other.edits.painted(LESIONS).full(SHAPE), bench.record()[0])


def test_replacing_begins_a_new_record_and_undo_brings_the_old_one_back(bench):
    history = ReplaceHistory()
    bench.paint("lesion_1", DISK)
    before = bench.record()
    stored = bench.workspace.lesionProbability.values.copy()
    bench.replace(bench.moved(), history)
    assertMasks(bench.record(), NOTHING, NOTHING, NOTHING)
    history.undo(bench.node)
    bench.workspace = workspaceOf(bench.node)
    assertMasks(bench.record(), *before)
    np.testing.assert_array_equal(bench.workspace.lesionProbability.values, stored)
    history.redo(bench.node)
    bench.workspace = workspaceOf(bench.node)
    assertMasks(bench.record(), NOTHING, NOTHING, NOTHING)


@pytest.mark.parametrize("watched", [False, True])
def test_no_lesion_of_a_result_that_took_the_place_of_another_counts_as_edited(bench, watched):
    history = ReplaceHistory()
    bench.paint("lesion_1", DISK)
    bench.workspace.flush()

    def edited():
        if watched:  # those who follow segments hear of it first
            bench.workspace.flush()
        bench.workspace = workspaceOf(bench.node)
        return bench.edited()

    segmentationNodeFromResult(bench.moved(), bench.volume, bench.node, replace=True, history=history)
    assert edited() == []
    history.undo(bench.node)
    assert edited() == ["lesion_1"]
    history.redo(bench.node)
    assert edited() == []
    bench.paint("lesion_1", DISK)
    assert edited() == ["lesion_1"]


@pytest.mark.parametrize("watched", [False, True])
def test_each_result_of_a_node_has_a_workspace_of_its_own(bench, watched):
    first, history, heard = bench.workspace, ReplaceHistory(), []
    first.subscribe(heard.append)
    segmentationNodeFromResult(bench.moved(), bench.volume, bench.node, replace=True, history=history)
    if watched:
        first.flush()
    second = workspaceOf(bench.node)
    assert second is not first and workspaceOf(bench.node) is second and heard == []
    history.undo(bench.node)
    assert workspaceOf(bench.node) not in (first, second)
    with pytest.raises(OutputError, match="another result by now"), first.machineChange():
        pass


def test_a_lesion_that_was_edited_and_deleted_says_nothing_of_the_next_result(bench):
    bench.paint("lesion_1", DISK)
    bench.workspace.flush()
    bench.node.GetSegmentation().RemoveSegment("lesion_1")
    bench.replace(bench.moved())
    assert bench.edited() == []


def test_the_editor_can_redo_a_stroke_that_it_undid_though_we_noted_the_edit_each_time(bench):
    keepSteps(bench.node, True)
    editor = slicer.vtkSegmentationHistory()
    editor.SetSegmentation(bench.node.GetSegmentation())
    editor.SaveState()
    bench.paint("lesion_1", DISK)
    assert bench.edited() == ["lesion_1"]
    editor.RestorePreviousState()
    assertMasks([bench.workspace.mask("lesion_1").full(SHAPE)], INSTANCES == 1)
    assert editor.IsRestoreNextStateAvailable()
    editor.RestoreNextState()
    assertMasks([bench.workspace.mask("lesion_1").full(SHAPE)], (INSTANCES == 1) | DISK)
    assert bench.edited() == ["lesion_1"]


@pytest.mark.parametrize("inOurEditor", [False, True])
def test_a_file_of_the_segmentation_says_which_lesions_are_edited(bench, tmp_path, inOurEditor):
    if inOurEditor:
        keepSteps(bench.node, True)
    bench.paint("lesion_1", DISK)
    assert bench.edited() == ["lesion_1"]
    if inOurEditor:
        keepSteps(bench.node, False)
    loaded = bench.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    storage = slicer.vtkMRMLSegmentationStorageNode()
    storage.SetFileName(str(tmp_path / "edited.seg.nrrd"))
    assert storage.WriteData(bench.node) and storage.ReadData(loaded)
    loaded.SetReferenceImageGeometryParameterFromVolumeNode(bench.volume)
    workspace = workspaceOf(loaded)
    assert [workspace.isEdited(each) for each in workspace.lesionIds()] == [True, False]


@pytest.mark.parametrize("inOurEditor", [False, True])
def test_an_edit_that_is_no_longer_one_is_forgotten_wherever_it_was_noted(bench, inOurEditor):
    setEdited(bench.node, "lesion_2", True)
    keepSteps(bench.node, inOurEditor)
    setEdited(bench.node, "lesion_1", True)
    assert bench.edited() == ["lesion_1", "lesion_2"]
    for each in ("lesion_1", "lesion_2"):
        setEdited(bench.node, each, False)
    assert bench.edited() == []
    keepSteps(bench.node, False)
    assert bench.edited() == []


@pytest.mark.parametrize("inOurEditor", [False, True])
def test_whether_a_lesion_is_edited_is_asked_of_that_lesion_alone(bench, inOurEditor, monkeypatch):
    keepSteps(bench.node, inOurEditor)
    asked = []
    monkeypatch.setattr(edit_record, "isMarked", lambda segment, key: asked.append(segment) or False)
    for each in bench.workspace.lesionIds():
        bench.workspace.isEdited(each)
    assert len(asked) == len(bench.workspace.lesionIds())


def test_what_a_person_drew_stays_theirs_when_the_result_is_replaced(bench):
    bench.paint("drawn", DISK)
    bench.workspace.flush()
    bench.replace(bench.result())
    np.testing.assert_array_equal(bench.record()[2][DISK], True)


def test_hidden_nodes_leave_with_the_result(bench):
    ids = [bench.node.GetNodeReferenceID(role) for role in (EDITS_ROLE, PROBABILITY_ROLE)]
    assert all(bench.scene.GetNodeByID(each).GetHideFromEditors() for each in ids)
    bench.scene.RemoveNode(bench.node)
    assert [bench.scene.GetNodeByID(each) for each in ids] == [None, None]


@pytest.mark.parametrize("seen", [False, True])
def test_a_copy_of_the_node_that_is_removed_takes_nothing_of_the_original_along(bench, seen):
    copy = bench.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Copy")
    copy.Copy(bench.node)
    if seen:
        workspaceOf(copy)
    bench.scene.RemoveNode(copy)
    removeCompanions(bench.scene, copy)
    assert bench.workspace.lesionProbability is not None
    assert bench.node.GetNodeReference(EDITS_ROLE) is not None


def test_a_result_that_is_replaced_in_a_copy_of_the_node_stays_whole_in_the_original(bench):
    copy = bench.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Copy")
    copy.Copy(bench.node)
    workspaceOf(copy)
    likely = bench.workspace.lesionProbability.values.copy()
    segmentationNodeFromResult(bench.moved(), bench.volume, copy, replace=True)
    assert bench.node.GetNodeReference(PROBABILITY_ROLE).GetSaveWithScene()
    np.testing.assert_array_equal(bench.workspace.lesionProbability.values, likely)


@pytest.mark.parametrize("history", [None, ReplaceHistory()], ids=["forgotten", "kept"])
def test_a_result_that_is_replaced_in_a_node_stays_whole_in_a_copy_that_nobody_has_opened(bench, history):
    bench.paint("lesion_1", DISK)
    painted, likely = bench.record()[0], bench.workspace.lesionProbability.values.copy()
    copy = bench.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Copy")
    copy.Copy(bench.node)
    for _ in range(ReplaceHistory.MAXIMUM + 2):
        bench.replace(bench.moved(), history)
        assert [copy.GetNodeReference(role).GetSaveWithScene() for role in (EDITS_ROLE, PROBABILITY_ROLE)] == [1, 1]
    workspace = workspaceOf(copy)
    np.testing.assert_array_equal(workspace.lesionProbability.values, likely)
    np.testing.assert_array_equal(workspace.edits.painted(LESIONS).full(SHAPE), painted)


def test_what_a_copy_gets_new_probabilities_for_leaves_those_of_the_replaced_original_alone(bench):
    history, likely = ReplaceHistory(), bench.workspace.lesionProbability.values.copy()
    copy = bench.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Copy")
    copy.Copy(bench.node)
    bench.replace(bench.moved(), history)
    segmentationNodeFromResult(bench.moved(), bench.volume, copy, replace=True)
    history.undo(bench.node)
    np.testing.assert_array_equal(workspaceOf(bench.node).lesionProbability.values, likely)


def test_there_is_one_workspace_for_a_node_and_none_without_a_result(bench):
    assert workspaceOf(bench.node) is bench.workspace
    assert workspaceOf(None) is None
    assert workspaceOf(bench.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Other")) is None


def test_there_is_no_workspace_while_the_volume_is_under_a_non_linear_transform(bench):
    bench.volume.SetAndObserveTransformNodeID(cases.addNonLinearTransformNode(bench.scene).GetID())
    assert workspaceOf(bench.node) is None
    with pytest.raises(InvalidVolumeError, match="Warp"):
        requireWorkspace(bench.node, "no result")
    bench.volume.SetAndObserveTransformNodeID(None)
    assert requireWorkspace(bench.node, "no result") is workspaceOf(bench.node)
    bench.node.GetSegmentation().RemoveAllSegments()
    with pytest.raises(InputError, match="no result"):
        requireWorkspace(bench.node, "no result")


@pytest.mark.parametrize(
    "matrix",
    [
        cases.affine(None, (3 * cases.SPACING[0], 0, 0)),
        cases.affine(None, (0, 0, 0.7 * cases.SPACING[2])),
        cases.affine(cases.rotation((1, 0, 0), 3)),
        cases.affine(np.diag((1.1, 1.1, 1.1))),
    ],
    ids=["by whole voxels", "by less than a slice", "turned", "stretched"],
)
def test_there_is_no_workspace_while_the_volume_lies_elsewhere_and_nothing_counts_as_edited_after(bench, matrix):
    transform = cases.addTransformNode(bench.scene, matrix)
    bench.volume.SetAndObserveTransformNodeID(transform.GetID())
    bench.paint("lesion_1", DISK)
    bench.workspace.flush()  # an event loop may look before anybody asks for the workspace
    assert workspaceOf(bench.node) is None
    with pytest.raises(InputError, match="CT does not lie where its segmentation"):
        requireWorkspace(bench.node, "no result")
    bench.node.SetAndObserveTransformNodeID(transform.GetID())
    bench.workspace = workspaceOf(bench.node)
    assertMasks(bench.record(), DISK & (INSTANCES == 0), NOTHING, DISK & (INSTANCES != 1))
    assert "lesion_2" not in bench.edited() and "liver" not in bench.edited()
    assertMasks([bench.workspace.mask("lesion_2").full(SHAPE)], INSTANCES == 2)


def test_a_volume_that_is_cropped_in_place_keeps_its_result_and_its_edits_and_nothing_more_counts_as_edited(bench):
    bench.paint("lesion_1", DISK)
    bench.workspace.flush()
    likely = bench.workspace.lesionProbability.full(SHAPE)
    first, kept = (2, 4, 3), (slice(2, 23), slice(4, 38), slice(3, 35))
    matrix = ijkToRasMatrix(bench.volume) @ cases.affine(None, first[::-1])
    image = vtk.vtkImageData()
    fillImage(image, HU[kept])
    bench.volume.SetIJKToRASMatrix(cases.vtkMatrix(matrix))
    bench.volume.SetAndObserveImageData(image)
    bench.workspace.flush()
    bench.workspace = workspaceOf(bench.node)
    masks = [bench.workspace.mask(each).full(bench.workspace.shape) for each in ("liver", "lesion_1", "lesion_2")]
    assertMasks(masks, LIVER_MASK[kept], ((INSTANCES == 1) | DISK)[kept], (INSTANCES == 2)[kept])
    assert bench.edited() == ["lesion_1"]
    touched = bench.workspace.edits.touched(LESIONS).full(bench.workspace.shape)
    assertMasks([touched, bench.workspace.lesionProbability.full(bench.workspace.shape)], DISK[kept], likely[kept])


@pytest.mark.parametrize("orientation", [0, 29])
def test_a_finer_geometry_of_the_segments_is_no_other_place(orientation):
    with headlessScene() as scene:
        bench = Bench(scene, direction=cases.ORIENTATIONS[orientation])
        finer = np.diag((0.5, 0.5, 0.25, 1.0))
        finer[:3, 3] = [(each - 1) / 2 for each in np.diag(finer)[:3]]  # the same outer edges
        extent = [bound for n, times in zip(SHAPE[::-1], (2, 2, 4), strict=True) for bound in (0, times * n - 1)]
        matrix = cases.vtkMatrix(ijkToRasMatrix(bench.volume) @ finer)
        text = slicer.vtkSegmentationConverter.SerializeImageGeometry(matrix, extent)
        bench.node.GetSegmentation().SetConversionParameter(REFERENCE_GEOMETRY, text)
        closeWorkspaces()
        assertMasks([workspaceOf(bench.node).mask("lesion_1").full(SHAPE)], INSTANCES == 1)
        closeWorkspaces()


STROKES = st.lists(
    st.tuples(
        st.sampled_from(["lesion_1", "lesion_2", "liver"]),
        st.tuples(*(st.integers(0, n - 1) for n in SHAPE)),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@given(STROKES)
def test_the_record_is_what_was_painted_and_erased_in_any_order(strokes):
    with headlessScene() as scene:
        bench = Bench(scene)
        now = {"liver": LIVER_MASK.copy(), "lesion_1": INSTANCES == 1, "lesion_2": INSTANCES == 2}
        touched = np.zeros(SHAPE, bool)
        for segmentId, (k, j, i), erase, look in strokes:
            block = np.zeros(SHAPE, bool)
            block[k : k + 3, j : j + 4, i : i + 4] = True
            now[segmentId] = now[segmentId] & ~block if erase else now[segmentId] | block
            bench.setMask(segmentId, now[segmentId])
            if look:
                bench.workspace.flush()
        painted, erased, touched = bench.record()
        lesions = now["lesion_1"] | now["lesion_2"]
        np.testing.assert_array_equal(painted, lesions & (INSTANCES == 0))
        np.testing.assert_array_equal(erased, ~lesions & (INSTANCES > 0))
        liverPainted, liverErased, _ = bench.record(LIVER)
        np.testing.assert_array_equal(liverPainted, now["liver"] & ~LIVER_MASK)
        np.testing.assert_array_equal(liverErased, ~now["liver"] & LIVER_MASK)
        assert touched[painted | erased].all()
        closeWorkspaces()
