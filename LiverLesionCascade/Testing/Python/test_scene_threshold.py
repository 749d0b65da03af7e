"""Thresholds in the scene: a preview changes nothing, what a person did stands, undo brings the rest back."""

import numpy as np
import pytest
import slicer
from fixtures import scene_cases as cases
from LiverLesionCascadeLib.engine.errors import InputError, OutputError
from LiverLesionCascadeLib.engine.grid.boxed import Boxed
from LiverLesionCascadeLib.engine.model.lesion_filter import LesionFilter
from LiverLesionCascadeLib.scene.headless import headlessScene
from LiverLesionCascadeLib.scene.nodes.arrays import arrayFromImage, orientedImage
from LiverLesionCascadeLib.scene.nodes.representations import BINARY_LABELMAP, CLOSED_SURFACE
from LiverLesionCascadeLib.scene.nodes.volume import ctVolumeFromNode, ijkToRasMatrix
from LiverLesionCascadeLib.scene.tools.lesion_rows import LesionRows
from LiverLesionCascadeLib.scene.tools.threshold import Settings, Threshold
from LiverLesionCascadeLib.scene.workspace.lesion_change import LesionHistory
from LiverLesionCascadeLib.scene.workspace.provenance import CONFIDENCE, getTag
from LiverLesionCascadeLib.scene.workspace.review import Review
from LiverLesionCascadeLib.scene.workspace.segmentation import segmentationNodeFromResult, segmentMask
from LiverLesionCascadeLib.scene.workspace.stored_probability import storeProbability
from LiverLesionCascadeLib.scene.workspace.workspace import closeWorkspaces, workspaceOf

HU, LIVER, _ = cases.abdomen()
START, SHAPE = (3, 6, 4), (18, 26, 22)


def probabilityMap():
    """Three lesions: one that grows as the threshold falls, one that is small, and one that is only likely."""
    whole = np.zeros(HU.shape, np.float32)
    whole[9:16, 12:20, 8:16] = 0.3
    whole[10:15, 13:19, 9:15] = 0.7
    whole[11:14, 14:18, 10:14] = 0.95
    whole[12:14, 25:27, 15:17] = 0.8
    whole[8:10, 20:24, 18:21] = 0.4
    return whole


PROBABILITY = probabilityMap()


class Case:
    """A result, its workspace, its review and its thresholds."""

    def __init__(self, scene, spacing=(1.0, 1.0, 1.0), known=None):
        self.scene = scene
        self.volume = cases.addVolumeNode(scene, HU, spacing=spacing)
        instances = np.zeros(HU.shape, np.uint16)
        instances[(PROBABILITY > 0.5)] = 1
        instances[12:14, 25:27, 15:17] = 2
        ct = ctVolumeFromNode(self.volume)
        result = cases.resultOf(ct, LIVER, instances, min_lesion_mm=1.0, lesion_filter=known)
        self.node = segmentationNodeFromResult(result, self.volume)
        box = tuple(slice(first, first + size) for first, size in zip(START, SHAPE, strict=True))
        storeProbability(self.node, self.volume, Boxed(PROBABILITY[box], START))
        self.workspace = workspaceOf(self.node)
        self.review = self.workspace.tool(Review)
        self.threshold = self.workspace.tool(Threshold)

    def masks(self):
        ids = self.node.GetSegmentation().GetSegmentIDs()
        return {each: segmentMask(self.node, each, self.volume) for each in ids}

    def write(self, segmentId, mask):
        image = orientedImage(mask.astype(np.uint8), ijkToRasMatrix(self.volume))
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        assert logic.SetBinaryLabelmapToSegment(image, self.node, segmentId, logic.MODE_REPLACE)

    def previewNodes(self):
        nodes = self.scene.GetNodesByClass("vtkMRMLSegmentationNode")
        nodes.UnRegister(None)
        found = [nodes.GetItemAsObject(number) for number in range(nodes.GetNumberOfItems())]
        return [node for node in found if node is not self.node]


def assertSame(found, expected):
    assert list(found) == list(expected)
    for segmentId, mask in expected.items():
        np.testing.assert_array_equal(found[segmentId], mask, err_msg=segmentId)


@pytest.fixture
def case():
    with headlessScene() as scene:
        yield Case(scene)
        closeWorkspaces()


def test_the_threshold_of_the_run_changes_nothing(case):
    before = case.masks()
    assert case.threshold.settings == Settings(0.5, 1.0)
    summary = case.threshold.apply(0.5, 0.0)
    assertSame(case.masks(), before)
    assert (summary.lesions, summary.kept) == (2, 0)
    assert summary.volumeMl == pytest.approx(sum(before[each].sum() for each in ("lesion_1", "lesion_2")) / 1000)


def test_a_lower_threshold_grows_lesions_in_their_segments_and_adds_new_ones(case):
    names = [case.node.GetSegmentation().GetSegment(each).GetName() for each in ("lesion_1", "lesion_2")]
    case.threshold.apply(0.25, 0.0)
    masks = case.masks()
    assert list(masks) == ["liver", "lesion_1", "lesion_2", "lesion_3"]
    grown = np.zeros(HU.shape, bool)
    grown[9:16, 12:20, 8:16] = True
    np.testing.assert_array_equal(masks["lesion_1"], grown & LIVER)
    np.testing.assert_array_equal(masks["lesion_3"], (PROBABILITY == np.float32(0.4)) & LIVER)
    np.testing.assert_array_equal(masks["liver"], LIVER)
    segmentation = case.node.GetSegmentation()
    assert [segmentation.GetSegment(each).GetName() for each in ("lesion_1", "lesion_2")] == names
    new = segmentation.GetSegment("lesion_3")
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    assert new.GetName() == "Lesion 3" and logic.GetSegmentStatus(new) == logic.InProgress
    assert float(getTag(new, CONFIDENCE)) == pytest.approx(0.4, abs=0.003)
    assert case.threshold.settings == Settings(0.25, 0.0)


def test_confidence_of_what_a_threshold_made_is_the_filter_s_likelihood():
    known = LesionFilter(0.5, 1.5, 0.4)
    with headlessScene() as scene:
        case = Case(scene, known=known)
        case.threshold.apply(0.25, 0.0)
        for number, row in enumerate(case.workspace.tool(LesionRows).rows(), start=1):
            mask = case.masks()[f"lesion_{number}"]
            expected = float(known.likelihood(PROBABILITY[mask].mean()))
            assert abs(expected - PROBABILITY[mask].mean()) > 0.05, "else it could be the mean probability"
            segment = case.node.GetSegmentation().GetSegment(row.segmentId)
            assert row.measures.confidence == pytest.approx(expected, abs=0.01)
            if row.segmentId != "lesion_2":  # which the threshold did not change
                assert float(getTag(segment, CONFIDENCE)) == pytest.approx(row.measures.confidence, abs=0.001)
        closeWorkspaces()


def test_small_lesions_go_and_undo_brings_them_back_with_name_and_place(case):
    segmentation = case.node.GetSegmentation()
    segmentation.GetSegment("lesion_1").SetName("Metastasis")
    before = case.masks()
    case.threshold.apply(0.9, 5.0)
    assert list(case.masks()) == ["liver"]
    assert case.threshold.canUndo() and not case.threshold.canRedo()
    case.threshold.undo()
    assertSame(case.masks(), before)
    assert segmentation.GetSegment("lesion_1").GetName() == "Metastasis"
    assert case.threshold.settings == Settings(0.5, 1.0) and not case.threshold.canUndo()
    case.threshold.redo()
    assert list(case.masks()) == ["liver"] and case.threshold.settings == Settings(0.9, 5.0)
    with pytest.raises(LookupError, match="No other change of the lesions of"):
        case.threshold.redo()


def test_a_preview_changes_no_segment_and_no_file_keeps_it(case, tmp_path):
    before, time = case.masks(), case.node.GetSegmentation().GetMTime()
    for value in (0.25, 0.9, 0.3):
        summary = case.threshold.preview(value, 0.0)
        (node,) = case.previewNodes()
        wanted = (PROBABILITY > value) & LIVER
        np.testing.assert_array_equal(segmentMask(node, "preview", case.volume), wanted)
        assert summary.volumeMl == pytest.approx(wanted.sum() / 1000)
    assert node.GetHideFromEditors() and not node.GetSaveWithScene() and case.threshold.isPreviewing
    assertSame(case.masks(), before)
    assert case.node.GetSegmentation().GetMTime() == time
    case.scene.SetURL(str(tmp_path / "scene.mrml"))
    assert case.scene.Commit() and "Preview" not in (tmp_path / "scene.mrml").read_text()
    case.threshold.endPreview()
    assert case.previewNodes() == [] and not case.threshold.isPreviewing
    case.threshold.preview(0.25, 0.0)
    case.threshold.apply(0.25, 0.0)
    assert case.previewNodes() == []


@pytest.mark.parametrize("verdict", ["accept", "reject", "flag"])
def test_a_reviewed_lesion_stays_and_nothing_grows_around_it(case, verdict):
    getattr(case.review, verdict)("lesion_1")
    reviewed = case.masks()["lesion_1"]
    case.threshold.preview(0.25, 0.0)
    (node,) = case.previewNodes()
    shown = segmentMask(node, "preview", case.volume)
    summary = case.threshold.apply(0.25, 0.0)
    masks = case.masks()
    np.testing.assert_array_equal(masks["lesion_1"], reviewed)
    np.testing.assert_array_equal(shown, masks["lesion_2"] | masks["lesion_3"])
    assert summary.kept == 1 and case.review.status("lesion_1") != "unreviewed"
    case.threshold.apply(0.99, 0.0)
    assert list(case.masks()) == ["liver", "lesion_1"]
    np.testing.assert_array_equal(case.masks()["lesion_1"], reviewed)


def test_what_a_person_painted_erased_deleted_or_added_stands(case):
    masks = case.masks()
    edited = masks["lesion_2"].copy()
    edited[12, 27, 15:17] = True
    case.write("lesion_2", edited)
    case.node.GetSegmentation().RemoveSegment("lesion_1")
    case.node.GetSegmentation().AddEmptySegment("mine", "Mine")
    mine = np.zeros(HU.shape, bool)
    mine[8:10, 20:22, 18:21] = True
    case.write("mine", mine)
    for value in (0.25, 0.9):
        case.threshold.apply(value, 0.0)
        assertSame(case.masks(), {"liver": LIVER, "lesion_2": edited, "mine": mine})
    case.threshold.undo()
    case.threshold.undo()
    assertSame(case.masks(), {"liver": LIVER, "lesion_2": edited, "mine": mine})


def test_undo_leaves_what_a_person_did_after_the_change(case):
    case.threshold.apply(0.25, 0.0)
    painted = case.masks()["lesion_1"].copy()
    painted[9, 11, 8:16] = True
    case.write("lesion_1", painted)
    case.review.accept("lesion_3")
    kept = case.masks()
    case.threshold.undo()
    assertSame(case.masks(), kept)
    case.threshold.redo()
    assertSame(case.masks(), kept)


def test_a_liver_that_a_person_erased_holds_no_new_lesion(case):
    without = LIVER.copy()
    without[:, 20:, :] = False
    case.write("liver", without)
    case.threshold.apply(0.25, 0.0)
    masks = case.masks()
    np.testing.assert_array_equal(masks["liver"], without)
    assert not masks["lesion_1"][:, 20:].any() and list(masks) == ["liver", "lesion_1"]


def test_a_result_that_was_replaced_cannot_be_changed_back(case):
    case.threshold.apply(0.25, 0.0)
    result = cases.resultOf(ctVolumeFromNode(case.volume), LIVER, np.zeros(HU.shape, np.uint16), lesion_threshold=0.4)
    segmentationNodeFromResult(result, case.volume, case.node, replace=True)
    assert not case.threshold.canUndo() and not case.threshold.canRedo()
    assert case.threshold.settings == Settings(0.4, 0.0)


def test_without_probabilities_or_under_another_transform_it_is_refused_and_nothing_changes(case):
    before = case.masks()
    transform = cases.addTransformNode(case.scene, cases.affine(translation=(5, 0, 0)))
    case.node.SetAndObserveTransformNodeID(transform.GetID())
    with pytest.raises(OutputError, match="not under the same transform"):
        case.threshold.apply(0.25, 0.0)
    case.node.SetAndObserveTransformNodeID(None)
    assertSame(case.masks(), before)
    storeProbability(case.node, case.volume, None)
    assert not case.threshold.isPossible
    case.workspace.watch.flush()
    with pytest.raises(InputError, match="Segment the volume again"):
        case.threshold.preview(0.5, 3.0)


def test_no_number_is_given_twice(case):
    case.threshold.apply(0.25, 0.0)
    case.threshold.undo()
    case.threshold.apply(0.25, 0.0)
    assert list(case.masks()) == ["liver", "lesion_1", "lesion_2", "lesion_4"]


def test_lesions_that_are_shown_in_3d_stay_shown_as_they_are_now(case):
    case.node.CreateClosedSurfaceRepresentation()
    segmentation = case.node.GetSegmentation()

    def size():
        bounds = segmentation.GetSegment("lesion_1").GetRepresentation(CLOSED_SURFACE).GetBounds()
        return [high - low for low, high in zip(bounds[::2], bounds[1::2], strict=True)]

    np.testing.assert_allclose(size(), (6, 6, 5), atol=1)
    case.threshold.apply(0.25, 0.0)
    np.testing.assert_allclose(size(), (8, 8, 7), atol=1.5)
    assert segmentation.GetSegment("lesion_3").GetRepresentation(CLOSED_SURFACE).GetNumberOfPoints()


def test_lesions_that_overlap_are_written_into_layers_of_their_own(case):
    one, other = np.zeros(HU.shape, bool), np.zeros(HU.shape, bool)
    one[10:13, 14:18, 10:13] = True
    other[12:15, 16:20, 11:14] = True
    history = LesionHistory(case.workspace)
    history.change({"lesion_1": Boxed.mask(one), "lesion_2": Boxed.mask(other)})
    assertSame(case.masks(), {"liver": LIVER, "lesion_1": one, "lesion_2": other})


def test_a_change_leaves_every_voxel_that_a_person_touched(case):
    whole = case.masks()["lesion_1"]
    edited = whole.copy()
    edited[12:] = False
    edited[10, 12, 9:15] = True
    case.write("lesion_1", edited)
    LesionHistory(case.workspace).change({"lesion_1": Boxed.mask(whole)})
    assertSame({"lesion_1": case.masks()["lesion_1"]}, {"lesion_1": edited})


def test_a_layer_keeps_no_voxel_of_a_lesion_that_left_it(case):
    case.review.accept("lesion_2")
    case.threshold.apply(0.25, 0.0)
    segmentation = case.node.GetSegmentation()
    for number in range(segmentation.GetNumberOfLayers(BINARY_LABELMAP)):
        ids = segmentation.GetSegmentIDsForLayer(number, BINARY_LABELMAP)
        values = arrayFromImage(segmentation.GetLayerDataObject(number, BINARY_LABELMAP))
        assert set(np.unique(values)) - {0} == {segmentation.GetSegment(each).GetLabelValue() for each in ids}
