"""The section with the thresholds and the buttons for verdicts, in a panel of the harness on real MRML."""

import numpy as np
import pytest
import slicer_harness

slicer_harness.install()

import slicer  # noqa: E402
from fakes.panel_fakes import Loop, makeCT, resultOf  # noqa: E402
from LiverLesionCascadeLib.engine.grid.boxed import Boxed  # noqa: E402
from LiverLesionCascadeLib.gui.lesions.review_bar import ReviewBar  # noqa: E402
from LiverLesionCascadeLib.gui.sections.threshold_section import ThresholdSection  # noqa: E402
from LiverLesionCascadeLib.scene.tools import threshold  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.provenance import CONFIDENCE, SPLIT_LESIONS  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.review import Review, reviewStatus  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.segmentation import segmentationNodeFromResult, segmentMask  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.stored_probability import storeProbability  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.workspace import closeWorkspaces, workspaceOf  # noqa: E402
from slicer_harness.ui_loader import PROBLEMS  # noqa: E402

_alive = []  # PySide deletes what Slicer keeps


class Case:
    def __init__(self, probabilities=True):
        self.volume = makeCT()
        result = resultOf(self.volume)
        self.node = segmentationNodeFromResult(result, self.volume)
        if probabilities:
            values = np.where(result.lesions.full(result.grid.shape) > 0, 0.8, 0.0)
            values[3:8, 90:104, 30:44] = 0.3
            storeProbability(self.node, self.volume, Boxed(values.astype(np.float16), (0, 0, 0)))
        self.workspace = workspaceOf(self.node)
        self.loop = Loop()
        self.section = ThresholdSection(self.loop.callLater)
        self.ui = self.section.ui
        self.selected = ""
        self.bar = ReviewBar(lambda: self.selected, self.select)
        _alive.extend([self.section, self.bar])

    def select(self, segmentId):
        self.selected = segmentId

    def show(self):
        self.section.show(self.workspace)
        self.bar.show(self.workspace)
        return self

    def button(self, name):
        (found,) = [each for each in self.bar.widget.children() if each.objectName == name]
        return found

    def masks(self):
        ids = self.node.GetSegmentation().GetSegmentIDs()
        return {each: segmentMask(self.node, each, self.volume).sum() for each in ids}

    def status(self, segmentId):
        return reviewStatus(self.node.GetSegmentation().GetSegment(segmentId))

    def previews(self):
        return [node for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode") if node is not self.node]


@pytest.fixture
def scene():
    slicer.mrmlScene.Clear()
    yield slicer.mrmlScene
    closeWorkspaces()
    slicer.mrmlScene.Clear()


def test_without_a_result_or_its_probabilities_nothing_can_be_tried(scene):
    case = Case(probabilities=False)
    assert PROBLEMS == []
    assert not case.ui.thresholdSlider.enabled and not case.ui.applyThresholdButton.enabled
    case.show()
    assert not case.ui.thresholdSlider.enabled and "Segment the volume again" in case.ui.thresholdSummaryLabel.text
    case.section.cleanup()


def test_a_liver_that_was_deleted_is_given_as_the_reason_and_not_missing_probabilities(scene):
    case = Case()
    case.node.GetSegmentation().RemoveSegment("liver")
    case.show()
    assert not case.ui.thresholdSlider.enabled
    assert case.ui.thresholdSummaryLabel.text.startswith("The segment of the liver was deleted")
    case.section.cleanup()


def test_a_slider_is_previewed_once_however_often_it_moved(scene):
    case = Case().show()
    before = case.masks()
    assert case.ui.thresholdSlider.value == 50 and case.ui.minimumSizeSlider.value == 0
    assert case.loop.turn() == 0, "showing a result previews nothing"
    for value in (40, 30, 20):
        case.ui.thresholdSlider.value = value
    assert case.previews() == [] and case.loop.turn() == 1
    assert len(case.previews()) == 1 and case.masks() == before
    assert case.ui.thresholdSummaryLabel.text.startswith("Preview (yellow): 3 lesions, ")
    assert case.ui.applyThresholdButton.enabled and not case.ui.undoThresholdButton.enabled
    case.ui.discardThresholdButton.click()
    assert case.previews() == [] and case.masks() == before and case.ui.thresholdSlider.value == 50
    assert case.ui.thresholdSummaryLabel.text == "" and not case.ui.applyThresholdButton.enabled


def test_apply_undo_and_redo_change_the_lesions_and_the_sliders_with_them(scene):
    case = Case().show()
    before = case.masks()
    case.ui.thresholdSlider.value = 20
    case.loop.turn()
    case.ui.applyThresholdButton.click()
    applied = case.masks()
    assert list(applied) == [*before, "lesion_3"] and case.previews() == []
    assert case.ui.thresholdSlider.value == 20 and not case.ui.applyThresholdButton.enabled
    case.ui.undoThresholdButton.click()
    assert case.masks() == before and case.ui.thresholdSlider.value == 50
    case.ui.redoThresholdButton.click()
    assert case.masks() == applied and case.ui.thresholdSlider.value == 20
    assert not case.ui.redoThresholdButton.enabled and case.ui.undoThresholdButton.enabled


def test_the_preview_follows_a_verdict_that_is_given_meanwhile(scene):
    case = Case().show()
    case.ui.thresholdSlider.value = 20
    case.loop.turn()
    case.workspace.tool(Review).accept("lesion_1")
    case.workspace.flush()
    case.loop.turn()
    text = case.ui.thresholdSummaryLabel.text
    assert text.startswith("Preview (yellow): 2 lesions") and text.endswith("stay as they are: 1.")


@pytest.mark.parametrize("leave", ["collapse", "other result", "cleanup", "leave"])
def test_the_preview_goes_when_the_section_is_left(scene, leave):
    case = Case().show()
    case.ui.thresholdCollapsibleButton.collapsed = False
    case.ui.thresholdSlider.value = 20
    case.loop.turn()
    case.ui.thresholdSlider.value = 25
    if leave == "collapse":
        case.ui.thresholdCollapsibleButton.collapsed = True
    elif leave == "other result":
        case.section.show(None)
    elif leave == "cleanup":
        case.section.cleanup()
    else:
        case.section.leave()
    assert case.previews() == []
    case.loop.turn()
    assert case.previews() == [], "not even by a slider that had moved"


def test_a_scene_that_is_closed_during_a_preview_takes_it_along(scene):
    case = Case().show()
    case.ui.thresholdSlider.value = 20
    case.loop.turn()
    case.ui.thresholdSlider.value = 25
    scene.Clear()
    case.loop.turn()
    closeWorkspaces()
    case.section.show(None)
    case.bar.show(None)
    assert slicer.util.getNodesByClass("vtkMRMLSegmentationNode") == []


def test_verdicts_are_given_by_buttons_and_taken_back_by_a_second_click(scene):
    case = Case().show()
    accept, reject = case.button("acceptButton"), case.button("rejectButton")
    assert not accept.enabled and case.button("nextUnreviewedButton").text == "Next unreviewed (2)"
    case.select("lesion_1")
    case.bar.update()
    assert accept.enabled and not accept.checked
    accept.click()
    assert case.status("lesion_1") == "accepted" and accept.checked
    reject.click()
    assert case.status("lesion_1") == "rejected" and reject.checked and not accept.checked
    reject.click()
    assert case.status("lesion_1") == "unreviewed" and not reject.checked
    case.button("undoReviewButton").click()
    assert case.status("lesion_1") == "rejected" and case.button("redoReviewButton").enabled
    case.button("redoReviewButton").click()
    assert case.status("lesion_1") == "unreviewed"


def test_next_unreviewed_goes_from_the_most_doubtful_on_until_none_waits(scene):
    case = Case()
    for segmentId, confidence in (("lesion_1", "0.9"), ("lesion_2", "0.4")):
        case.node.GetSegmentation().GetSegment(segmentId).SetTag(CONFIDENCE, confidence)
    case.show()
    button = case.button("nextUnreviewedButton")
    for expected in ("lesion_2", "lesion_1"):
        button.click()
        assert case.selected == expected
        case.button("flagButton").click()
    assert not button.enabled and button.text == "Next unreviewed (0)"
    case.button("undoReviewButton").click()
    assert case.selected == "lesion_1" and button.enabled


def test_a_verdict_from_slicers_own_table_shows_in_the_buttons(scene):
    case = Case().show()
    case.select("lesion_1")
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    logic.SetSegmentStatus(case.node.GetSegmentation().GetSegment("lesion_1"), logic.Completed)
    case.workspace.flush()
    assert case.button("acceptButton").checked and case.button("undoReviewButton").enabled
    case.node.GetSegmentation().RemoveSegment("lesion_1")
    case.workspace.flush()
    assert not case.button("acceptButton").enabled


def test_while_a_preview_is_looked_at_the_longest_part_of_applying_it_is_done(scene, monkeypatch):
    asked = []
    steps = threshold.separation_steps
    monkeypatch.setattr(threshold, "separation_steps", lambda *given: (asked.append(1), steps(*given))[1])
    case = Case()
    case.node.GetSegmentation().GetSegment("liver").SetTag(SPLIT_LESIONS, "1")
    case.show()
    before = case.masks()
    case.ui.thresholdSlider.value = 20  # just after the change: the slider stays where it is
    while case.loop.turn():
        pass
    assert case.previews() and asked == [1] and case.ui.thresholdSlider.value == 20
    case.ui.applyThresholdButton.click()
    lower = case.masks()
    assert asked == [1] and lower != before and not case.previews()

    case.ui.thresholdSlider.value = 60
    case.loop.turn()
    assert case.previews()
    case.ui.applyThresholdButton.click()  # before anything was done ahead
    while case.loop.turn():
        pass
    assert case.masks() != lower and not case.previews()
