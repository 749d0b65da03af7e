"""The panel in each of its states, with fakes for runs, installer and person."""

import dataclasses
from xml.etree import ElementTree

import numpy as np
import pytest
import slicer_harness
from fakes import panel_fakes
from fakes.panel_fakes import closePanel, makeCT, openPanel, pump, resultOf

slicer_harness.install()

import qt  # noqa: E402
import slicer  # noqa: E402
import vtk  # noqa: E402
from fixtures.scene_cases import addNonLinearTransformNode  # noqa: E402
from LiverLesionCascadeLib.engine.errors import OutputError  # noqa: E402
from LiverLesionCascadeLib.engine.findings import Finding  # noqa: E402
from LiverLesionCascadeLib.engine.grid.bounding_box import grown, start_of  # noqa: E402
from LiverLesionCascadeLib.engine.grid.boxed import Boxed  # noqa: E402
from LiverLesionCascadeLib.engine.results.postprocessing import PostProcessing  # noqa: E402
from LiverLesionCascadeLib.engine.run_options import RunOptions  # noqa: E402
from LiverLesionCascadeLib.gui.panel.choices import runOptions  # noqa: E402
from LiverLesionCascadeLib.gui.panel.questions import READING_LAYOUT, SHOW_CHOSEN_SCAN, Questions, Rerun  # noqa: E402
from LiverLesionCascadeLib.scene.nodes.arrays import fillImage  # noqa: E402
from LiverLesionCascadeLib.scene.tools import navigation  # noqa: E402
from LiverLesionCascadeLib.scene.tools.lesion_rows import LesionRows  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.edit_record import EDITED  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.provenance import isMarked  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.review import ACCEPTED, REJECTED, UNREVIEWED, Review, reviewStatus  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.workspace import closeWorkspaces, workspaceOf  # noqa: E402
from LiverLesionCascadeLib.worker.devices import DeviceInfo  # noqa: E402
from slicer_harness import shortcuts, ui_loader  # noqa: E402


@pytest.fixture
def p():
    slicer.mrmlScene.Clear()
    opened = openPanel()
    yield opened
    closePanel(opened)
    slicer.mrmlScene.Clear()


def shown(widget):
    """Whether the widget is not hidden, whatever its window and the collapsed section that it lies in are."""
    return widget.isVisibleTo(widget.parent())


def submit(p, volume):
    """Choose a volume and click Segment; returns the run."""
    p.ui.inputSelector.setCurrentNode(volume)
    p.ui.segmentButton.click()
    return p.runs.submitted[-1]


def totals(p):
    """What lies below the table of lesions."""
    return p.panel.results.workbench.lesions.ui.totalsLabel.text


def segmented(p, volume):
    return p.runs.finish(submit(p, volume))


def test_the_ui_file_has_no_mistakes(p):
    assert ui_loader.PROBLEMS == []


def test_without_a_volume_the_panel_says_to_load_one_and_offers_nothing_else(p):
    assert not p.ui.segmentButton.enabled
    assert p.ui.reasonLabel.text == "Load a contrast-enhanced CT of the abdomen first." == p.ui.segmentButton.toolTip
    for widget in (p.ui.progressBar, p.ui.queueList, p.ui.findingsLabel, p.ui.errorLabel, p.ui.errorDetailsButton):
        assert not shown(widget)
    assert not shown(p.ui.resultsCollapsibleButton) and p.ui.advancedCollapsibleButton.collapsed


def test_a_loaded_ct_is_chosen_and_can_be_segmented_without_a_word(p):
    volume = makeCT()
    pump(lambda: not p.panel._check._work.isBusy and not p.panel._check._settling.isAwaited)
    assert p.widget._parameterNode.inputVolume is volume
    assert p.ui.segmentButton.enabled and not shown(p.ui.reasonLabel) and not shown(p.ui.findingsLabel)


def test_what_is_unusual_about_a_volume_is_said_before_a_run(p):
    volume = makeCT()
    volume.SetSpacing(1.6, 1.6, 8.0)
    pump(lambda: shown(p.ui.findingsLabel))
    assert p.ui.findingsLabel.text.startswith("Please note: Slices are 8.0 mm apart")
    assert p.ui.segmentButton.enabled
    volume.SetSpacing(1.6, 1.6, 5.0)
    pump(lambda: not shown(p.ui.findingsLabel))


def test_a_volume_that_is_no_ct_disables_the_button_and_says_why(p):
    volume = makeCT()
    array = slicer.util.arrayFromVolume(volume)
    array[:] = np.clip(array, 0, 1)
    slicer.util.arrayFromVolumeModified(volume)
    pump(lambda: not p.ui.segmentButton.enabled)
    assert "not Hounsfield units" in p.ui.reasonLabel.text and not shown(p.ui.findingsLabel)


def test_a_node_without_an_image_is_refused(p):
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")
    pump(lambda: not p.ui.segmentButton.enabled)
    assert "Empty holds no image" in p.ui.reasonLabel.text


def test_a_click_submits_the_volume_with_the_choices_and_makes_the_button_cancel(p):
    volume = makeCT()
    run = submit(p, volume)
    assert run.volumeNode is volume and run.outputNode is None and run.roiName == "" and not run.replace
    assert run.options == RunOptions(postprocessing=PostProcessing())
    assert p.ui.segmentButton.text == "Cancel" and p.ui.segmentButton.enabled
    assert shown(p.ui.progressBar) and p.ui.progressLabel.text == "CT: Waiting"
    assert not shown(p.ui.queueList)


def test_progress_names_the_stage_and_the_time_left_in_plain_words(p):
    run = submit(p, makeCT())
    run.onProgress(0.42, "Lesions", 17.0)
    assert p.ui.progressBar.value == 42
    assert p.ui.progressLabel.text == "CT: Finding lesions, about 15 s left"


def test_a_finished_run_shows_its_result(p):
    run = submit(p, makeCT())
    run.onProgress(0.5, "Lesions", None)
    node = p.runs.finish(run)
    assert p.ui.segmentButton.text == "Segment" and not shown(p.ui.progressBar)
    assert p.ui.statusLabel.text == "CT is done."
    assert shown(p.ui.resultsCollapsibleButton) and not p.ui.resultsCollapsibleButton.collapsed
    assert p.ui.segmentsTable.segmentationNode() is node and p.ui.show3DButton.enabled
    assert totals(p).startswith("2 lesions, ") and ", liver 1" in totals(p)
    assert p.ui.summaryLabel.text.startswith("Made in 0 s on the processor")
    assert not shown(p.ui.undoReplaceButton)


def test_what_a_run_says_about_its_result_is_shown_and_survives_the_scene(p, tmp_path):
    run = submit(p, makeCT())
    result = panel_fakes.resultOf(run.volumeNode)
    result.findings = [Finding("non_contrast", "warning", "The liver measures 50 HU: no contrast?")]
    p.runs.finish(run, result)
    text = "Please note: The liver measures 50 HU: no contrast?"
    assert p.ui.resultFindingsLabel.text == text
    summary = p.ui.summaryLabel.text
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear()
    assert not shown(p.ui.resultsCollapsibleButton)
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    assert p.ui.resultFindingsLabel.text == text and p.ui.summaryLabel.text == summary


def test_what_the_result_says_is_not_said_twice(p):
    volume = makeCT()
    volume.SetSpacing(1.6, 1.6, 8.0)
    pump(lambda: shown(p.ui.findingsLabel))
    run = submit(p, volume)
    result = panel_fakes.resultOf(volume)
    result.findings = list(p.panel._check.findings)
    p.runs.finish(run, result)
    assert not shown(p.ui.findingsLabel) and "8.0 mm apart" in p.ui.resultFindingsLabel.text
    slicer.mrmlScene.RemoveNode(p.panel.results.node)
    assert shown(p.ui.findingsLabel)


def test_the_totals_follow_a_person_s_edits(p):
    volume = makeCT()
    node = segmented(p, volume)
    lesion = node.GetSegmentation().GetNthSegmentID(2)
    assert "2 lesions" in totals(p)
    slicer.util.updateSegmentBinaryLabelmapFromArray(np.zeros((24, 160, 160), np.uint8), node, lesion, volume)
    pump(lambda: "1 lesion of" in totals(p))
    node.GetSegmentation().RemoveSegment(node.GetSegmentation().GetNthSegmentID(1))
    pump(lambda: "No lesion" in totals(p))


def test_a_failed_run_says_what_to_do_and_the_panel_is_usable_again(p):
    run = submit(p, makeCT())
    run.onFailed("Not enough memory: close other programs.", "Traceback")
    assert p.ui.errorLabel.text == "Not enough memory: close other programs." and shown(p.ui.errorDetailsButton)
    p.ui.errorDetailsButton.click()
    assert p.questions.asked == [("Not enough memory: close other programs.", "Traceback")]
    assert p.ui.segmentButton.text == "Segment" and p.ui.segmentButton.enabled
    p.ui.segmentButton.click()
    assert not shown(p.ui.errorLabel) and not shown(p.ui.errorDetailsButton)


def test_a_volume_that_the_runs_refuse_is_an_error_in_the_panel(p):
    p.runs.error = OutputError("The output is under another transform.")
    makeCT()
    p.ui.segmentButton.click()
    assert p.ui.errorLabel.text == "The output is under another transform."
    assert p.ui.segmentButton.text == "Segment" and not shown(p.ui.progressBar)


def test_cancel_ends_the_run_and_waits_until_it_is_gone(p):
    run = submit(p, makeCT())
    p.ui.segmentButton.click()
    assert run.cancelled and not p.ui.segmentButton.enabled and p.ui.segmentButton.text == "Cancelling..."
    run.onCancelled()
    assert p.ui.segmentButton.enabled and p.ui.segmentButton.text == "Segment"
    assert p.ui.statusLabel.text == "CT was cancelled." and not shown(p.ui.progressBar)


def test_a_double_click_on_segment_does_not_cancel_the_run(p):
    del p.panel.doubleClickSeconds
    run = submit(p, makeCT())
    p.ui.segmentButton.click()
    assert not run.cancelled and p.ui.segmentButton.text == "Cancel"


def test_without_torch_nothing_is_submitted_until_it_is_installed(p):
    p.installer.installed = False
    makeCT()
    p.ui.segmentButton.click()
    assert p.installer.asked == 1 and p.runs.submitted == [] and p.ui.segmentButton.text == "Segment"
    assert p.runs.client.onReady is None
    p.installer.installed = True
    p.ui.segmentButton.click()
    assert len(p.runs.submitted) == 1


def test_several_volumes_are_queued_and_each_can_be_cancelled(p):
    first, second = makeCT("First"), makeCT("Second")
    runs = [submit(p, first), submit(p, second)]
    runs[0].onProgress(0.5, "Liver", 70.0)
    queue = p.ui.queueList
    assert shown(queue) and queue.count == 2
    texts = [queue.item(row).text() for row in range(2)]
    assert texts == ["First: Finding the liver, about 1 minute left", "Second: Waiting"]
    assert p.ui.progressLabel.text == "Second: Waiting"
    queue.setCurrentRow(0)
    assert p.widget._parameterNode.inputVolume is first and p.ui.progressBar.value == 50
    queue.setCurrentRow(1)
    p.ui.segmentButton.click()
    assert runs[1].cancelled and not runs[0].cancelled
    runs[1].onCancelled()
    assert not shown(queue)


def test_another_volume_shows_the_progress_of_the_one_that_runs_and_can_be_queued(p):
    run = submit(p, makeCT("First"))
    run.onProgress(0.25, "Lesions", None)
    p.ui.inputSelector.setCurrentNode(makeCT("Second"))
    assert p.ui.segmentButton.text == "Segment" and p.ui.segmentButton.enabled
    assert p.ui.progressLabel.text == "First: Finding lesions" and p.ui.progressBar.value == 25


def test_a_result_goes_with_its_volume_when_another_is_chosen_meanwhile(p):
    first, second = makeCT("First"), makeCT("Second")
    run = submit(p, first)
    p.ui.inputSelector.setCurrentNode(second)
    node = p.runs.finish(run)
    assert not shown(p.ui.resultsCollapsibleButton) and p.ui.statusLabel.text == "First is done."
    p.ui.inputSelector.setCurrentNode(first)
    assert p.ui.segmentsTable.segmentationNode() is node


def test_a_second_run_asks_and_keeps_the_first_result_by_default(p):
    volume = makeCT()
    first = segmented(p, volume)
    p.questions.answer = Rerun.NEW
    second = segmented(p, volume)
    assert p.questions.asked == [first.GetName()] and second is not first
    assert p.panel.results.node is second


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_new_segmentation_is_shown_though_an_older_one_is_the_chosen_output(p, elsewhere):
    volume = makeCT()
    first = segmented(p, volume)
    p.ui.outputSelector.setCurrentNode(first)
    p.questions.answer = Rerun.NEW
    run = submit(p, volume)
    assert p.panel.results.node is first and p.ui.outputSelector.currentNode() is first
    if elsewhere:  # in another module
        p.widget.exit()
    second = p.runs.finish(run)
    if elsewhere:
        p.widget.enter()
    assert p.panel.results.node is second and p.ui.outputSelector.currentNode() is None


def submitAnother(p):
    """A result, and a second run of its scan that has not ended."""
    volume = makeCT()
    first = segmented(p, volume)
    p.questions.answer = Rerun.NEW
    return first, submit(p, volume)


def test_an_output_that_is_chosen_during_the_run_stays_chosen(p):
    first, run = submitAnother(p)
    p.ui.outputSelector.setCurrentNode(first)
    p.runs.finish(run)
    assert p.panel.results.node is first


def test_a_result_that_is_edited_stays_until_back_when_a_newer_one_comes(p):
    first, run = submitAnother(p)
    p.ui.editButton.click()
    second = p.runs.finish(run)
    assert p.panel.editPage.isShown and p.panel.results.node is first
    assert first.GetDisplayNode().GetVisibility()
    p.ui.backButton.click()
    assert p.panel.results.node is second and second.GetDisplayNode().GetVisibility()


def test_what_keeps_lesions_out_of_the_liver_is_said(p):
    volume = makeCT()
    node = segmented(p, volume)
    p.ui.editButton.click()
    paintBeside(node, volume, slice(70, 80))
    node.SetAndObserveTransformNodeID(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode").GetID())
    p.questions.answer = True
    p.ui.backButton.click()
    assert "is not under the same transform" in p.ui.errorLabel.text


def test_a_second_run_that_is_called_off_does_nothing(p):
    volume = makeCT()
    segmented(p, volume)
    p.questions.answer = Rerun.CANCEL
    p.ui.segmentButton.click()
    assert len(p.runs.submitted) == 1 and p.ui.segmentButton.text == "Segment"


@pytest.mark.parametrize("segmentId", ["lesion_1", "liver"])
def test_a_segment_that_is_copied_into_another_segmentation_takes_no_result_s_place(p, segmentId):
    volume = makeCT()
    node = segmented(p, volume)
    other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Vessels")
    other.CreateDefaultDisplayNodes()
    other.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    assert other.GetSegmentation().CopySegmentFromSegmentation(node.GetSegmentation(), segmentId, False)
    p.widget.exit()
    p.widget.enter()
    assert p.panel.results.node is node and node.GetDisplayNode().GetVisibility()
    p.questions.answer = Rerun.CANCEL
    p.ui.segmentButton.click()
    assert p.questions.asked == [node.GetName()]


def test_a_copied_lesion_stays_in_its_segmentation_when_results_come_into_it_and_are_replaced(p):
    volume = makeCT()
    node = segmented(p, volume)
    other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Vessels")
    assert other.GetSegmentation().CopySegmentFromSegmentation(node.GetSegmentation(), "lesion_1", False)
    p.ui.outputSelector.setCurrentNode(other)
    segmented(p, volume)
    assert p.questions.asked == []
    p.questions.answer = Rerun.REPLACE
    segmented(p, volume)
    assert p.questions.asked == ["Vessels"]
    assert len(other.GetSegmentation().GetSegmentIDs()) == 4 and other.GetSegmentation().GetSegment("lesion_1")


def test_replacing_can_be_undone_and_redone_with_the_edits(p):
    volume = makeCT()
    node = segmented(p, volume)
    segmentation = node.GetSegmentation()
    segmentation.RemoveSegment(segmentation.GetNthSegmentID(2))
    p.questions.answer = Rerun.REPLACE
    assert segmented(p, volume) is node and p.runs.submitted[-1].replace
    assert "2 lesions" in totals(p) and shown(p.ui.undoReplaceButton)
    p.ui.undoReplaceButton.click()
    assert "1 lesion of" in totals(p)
    assert not shown(p.ui.undoReplaceButton) and shown(p.ui.redoReplaceButton)
    p.ui.redoReplaceButton.click()
    assert "2 lesions" in totals(p) and shown(p.ui.undoReplaceButton)


def test_a_replaced_result_takes_its_verdicts_and_previews_along(p):
    volume = makeCT()
    p.ui.inputSelector.setCurrentNode(volume)
    p.ui.segmentButton.click()
    first = resultOf(volume)
    node = p.runs.finish(p.runs.submitted[-1], withProbabilities(first, 0))
    lesions, _, threshold, *_ = p.panel.results.workbench.sections
    lesions.select("lesion_1")
    lesions.review.toggle(ACCEPTED)
    threshold.ui.thresholdCollapsibleButton.collapsed = False
    threshold.ui.thresholdSlider.value = 70
    pump(lambda: threshold._isPreviewing())
    p.questions.answer = Rerun.REPLACE
    p.ui.segmentButton.click()
    moved = dataclasses.replace(first, lesions=first.lesions.moved((0, 1, 0)), liver=first.liver.moved((0, 1, 0)))
    p.runs.finish(p.runs.submitted[-1], withProbabilities(moved, 2))
    assert len(slicer.util.getNodesByClass("vtkMRMLSegmentationNode")) == 1  # no preview of what is no longer there
    assert lesions.selectedId() == "" and not lesions.review._undo.enabled
    threshold.ui.thresholdSlider.value = 60
    pump(lambda: threshold._isPreviewing())
    assert "2 lesions" in threshold.ui.thresholdSummaryLabel.text
    assert {reviewStatus(node.GetSegmentation().GetSegment(f"lesion_{n}")) for n in (1, 2)} == {UNREVIEWED}


def withProbabilities(result, margin):
    """The result with maps of a box that reaches so much beyond the liver."""
    box = grown(result.liver.box, result.grid.shape, margin)
    values = np.where(result.lesions.within(box) > 0, 0.9, 0.01).astype(np.float16)
    return dataclasses.replace(result, lesion_probability=Boxed(values, start_of(box)))


def test_a_result_is_worked_on_again_when_its_volume_is_no_longer_under_a_non_linear_transform(p):
    first, second = makeCT("First"), makeCT("Second")
    node, other = segmented(p, first), segmented(p, second)
    table = p.panel.results.workbench.lesions.ui.lesionTable
    warp = addNonLinearTransformNode(slicer.mrmlScene)
    for each in (second, other):  # as it is shown
        each.SetAndObserveTransformNodeID(warp.GetID())
    pump(lambda: table.rowCount == 0)
    first.SetAndObserveTransformNodeID(warp.GetID())
    p.ui.inputSelector.setCurrentNode(first)
    assert p.ui.resultNameLabel.text == node.GetName() and table.rowCount == 0
    for each in (first, second, other):
        each.SetAndObserveTransformNodeID(None)
    pump(lambda: table.rowCount == 2)
    p.ui.inputSelector.setCurrentNode(second)
    assert p.ui.resultNameLabel.text == other.GetName() and table.rowCount == 2


def test_a_scan_that_is_moved_without_its_result_is_not_measured_and_said_to_be_elsewhere(p):
    volume = makeCT()
    node = segmented(p, volume)
    rows = workspaceOf(node).tool(LesionRows).rows()
    lesions = p.panel.results.workbench.lesions
    shift = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 3, 12.8)
    shift.SetMatrixTransformToParent(matrix)
    for each in (volume, node):  # whichever of the two is moved
        each.SetAndObserveTransformNodeID(shift.GetID())
        pump(lambda: lesions.ui.lesionTable.rowCount == 0)
        assert p.ui.resultFindingsLabel.text.startswith("CT does not lie where its segmentation")
        each.SetAndObserveTransformNodeID(None)
        pump(lambda: lesions.ui.lesionTable.rowCount == 2)
        assert not shown(p.ui.resultFindingsLabel)
        assert workspaceOf(node).tool(LesionRows).rows() == rows


def test_a_scan_that_is_cropped_in_place_is_measured_on_its_new_grid(p):
    volume = makeCT()
    node = segmented(p, volume)
    before = workspaceOf(node).tool(LesionRows).rows()
    image, array = vtk.vtkImageData(), slicer.util.arrayFromVolume(volume)[2:22, 20:150, 10:130].copy()
    fillImage(image, array)
    origin = [index * spacing for index, spacing in zip((10, 20, 2), volume.GetSpacing(), strict=True)]
    volume.SetOrigin(origin)
    volume.SetAndObserveImageData(image)
    pump(lambda: p.panel.results._workspace is not None and p.panel.results._workspace.shape == array.shape)
    after = p.panel.results._workspace.tool(LesionRows).rows()
    assert [row.measures.mean_hu for row in after] == [row.measures.mean_hu for row in before] == [60, 60]
    assert not any(row.edited for row in after)


def test_a_scan_that_is_moved_has_its_result_measured_anew_and_not_shown_anew(p, monkeypatch):
    """To show it anew would empty the table of the follow-up, again and again while a registration is dragged."""
    volume = makeCT()
    node = segmented(p, volume)
    shift = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    for each in (volume, node):
        each.SetAndObserveTransformNodeID(shift.GetID())
    asked, told = [], []
    monkeypatch.setattr(p.panel.results._updating, "ask", asked.append)
    workspaceOf(node).tool(LesionRows).subscribe(lambda *_: told.append(1))
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 3, 5.0)
    shift.SetMatrixTransformToParent(matrix)
    pump(lambda: told)
    assert asked == []


def test_an_output_with_only_a_person_s_segments_is_added_to_without_a_question(p):
    volume = makeCT()
    output = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Mine")
    output.GetSegmentation().AddEmptySegment("cyst", "Cyst")
    p.ui.outputSelector.setCurrentNode(output)
    run = submit(p, volume)
    assert run.outputNode is output and not run.replace and p.questions.asked == []
    p.runs.finish(run)
    assert p.panel.results.node is output
    p.questions.answer = Rerun.CANCEL
    p.ui.segmentButton.click()
    assert p.questions.asked == ["Mine"]


def test_edit_opens_the_editor_on_the_result_s_own_volume_with_a_lesion_selected(p):
    first = makeCT("First")
    node = segmented(p, first)
    p.ui.outputSelector.setCurrentNode(node)
    p.ui.inputSelector.setCurrentNode(makeCT("Second"))
    p.ui.editButton.click()
    editor = p.panel.editPage.editor
    assert p.ui.pages.currentWidget() == p.ui.editPage
    assert editor.segmentationNode() is node and editor.sourceVolumeNode() is first
    assert editor.currentSegmentID() == node.GetSegmentation().GetNthSegmentID(1)
    assert editor._shortcutsIn == p.ui.editPage
    editorNode = editor.mrmlSegmentEditorNode()
    assert editorNode.GetOverwriteMode() == editorNode.OverwriteNone  # what is painted as lesion stays liver
    p.ui.backButton.click()
    assert p.ui.pages.currentWidget() == p.ui.panelPage and editor._shortcutsIn is None
    p.ui.segmentsTable.setSelectedSegmentIDs([node.GetSegmentation().GetNthSegmentID(2)])
    p.ui.editButton.click()
    assert editor.currentSegmentID() == node.GetSegmentation().GetNthSegmentID(2)


def paint(node, volume, segmentId, rows, columns):
    """As the editor does."""
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(node, segmentId, volume)
    mask = np.zeros((24, 160, 160), np.uint8) if mask is None else mask.copy()
    mask[12, rows, columns] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segmentId, volume)


def paintBeside(node, volume, rows):
    """A person paints a lesion that reaches beyond the liver, in the editor."""
    segmentId = node.GetSegmentation().GetSegmentIdBySegmentName("Mine") or node.GetSegmentation().AddEmptySegment(
        "", "Mine"
    )
    paint(node, volume, segmentId, rows, slice(96, 112))


def test_what_was_painted_beside_the_liver_is_added_to_it_if_the_person_says_so(p):
    volume = makeCT()
    node = segmented(p, volume)
    p.ui.editButton.click()
    paintBeside(node, volume, slice(70, 80))
    before = slicer.util.arrayFromSegmentBinaryLabelmap(node, "liver", volume).copy()
    p.questions.answer = False
    p.ui.backButton.click()
    beside = round(before[12, 70:80, 96:112].size * 0.0128 - before[12, 70:80, 96:112].sum() * 0.0128, 1)
    assert beside > 0.5 and p.questions.asked == [beside]
    np.testing.assert_array_equal(slicer.util.arrayFromSegmentBinaryLabelmap(node, "liver", volume), before)
    p.ui.editButton.click()
    p.ui.backButton.click()
    assert p.questions.asked == [beside]  # once
    p.ui.editButton.click()
    paintBeside(node, volume, slice(80, 90))
    p.questions.answer = True
    p.ui.backButton.click()
    liver = slicer.util.arrayFromSegmentBinaryLabelmap(node, "liver", volume)
    assert liver[12, 80:90, 96:112].all() and not liver[12, 70:80, 111].any()


def test_a_lesion_where_the_person_erased_liver_is_not_offered_to_it(p):
    volume = makeCT()
    node = segmented(p, volume)
    p.ui.editButton.click()
    liver = slicer.util.arrayFromSegmentBinaryLabelmap(node, "liver", volume).copy()
    assert liver[12, 70:80, 85:96].all()
    liver[:, :, 85:] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(liver, node, "liver", volume)
    lesion = np.zeros_like(liver)
    lesion[12, 70:80, 85:96] = 1
    segmentId = node.GetSegmentation().AddEmptySegment("", "Mine")
    slicer.util.updateSegmentBinaryLabelmapFromArray(lesion, node, segmentId, volume)
    p.questions.answer = True
    p.ui.backButton.click()
    assert p.questions.asked == []
    np.testing.assert_array_equal(slicer.util.arrayFromSegmentBinaryLabelmap(node, "liver", volume), liver)


def stroke(p, node, volume, segmentId, rows):
    """In the editor, which saves before each what it can go back to."""
    p.panel.editPage.editor.saveStateForUndo()
    paint(node, volume, segmentId, rows, slice(50, 60))


def test_undo_in_the_editor_takes_back_strokes_and_never_what_the_panel_did_since(p):
    volume = makeCT()
    node = segmented(p, volume)
    p.ui.editButton.click()
    stroke(p, node, volume, "lesion_1", slice(40, 44))
    p.ui.backButton.click()
    workspace = workspaceOf(node)
    edited, lesion = workspace.mask("lesion_1"), workspace.mask("lesion_2")
    workspace.tool(Review).accept("lesion_2")
    p.ui.editButton.click()
    editor = p.panel.editPage.editor
    editor.undo()
    assert workspace.tool(Review).status("lesion_2") == ACCEPTED
    assert (workspace.mask("lesion_1"), workspace.mask("lesion_2")) == (edited, lesion)
    stroke(p, node, volume, "lesion_1", slice(44, 46))
    workspace.flush()
    editor.undo()
    assert workspace.mask("lesion_1") == edited
    editor.redo()
    assert workspace.mask("lesion_1") != edited


def test_no_key_gives_a_verdict_in_the_editor_whose_undo_would_take_it_back(p):
    segmented(p, makeCT())
    lesions = p.panel.results.workbench.lesions
    lesions.select("lesion_1")

    def enabled():
        return [key for key, shortcut in sorted(lesions._shortcuts.items()) if shortcut.enabled]

    every, without = enabled(), ["Alt+Down", "Alt+Up", "Ctrl+Shift+N"]
    assert every == ["Alt+Down", "Alt+Up", *(f"Ctrl+Shift+{letter}" for letter in "AFNR")]
    p.ui.editButton.click()
    assert enabled() == without
    p.widget.exit()
    p.widget.enter()
    assert enabled() == without
    p.ui.backButton.click()
    assert enabled() == every
    p.ui.editButton.click()
    slicer.mrmlScene.RemoveNode(p.panel.results.node)
    p.panel.update()
    assert enabled() == every


def test_the_first_stroke_can_be_done_again_and_the_segment_says_that_it_is_edited_once_the_editor_is_closed(p):
    volume = makeCT()
    node = segmented(p, volume)
    p.ui.editButton.click()
    workspace, editor = workspaceOf(node), p.panel.editPage.editor
    stroke(p, node, volume, "lesion_1", slice(40, 44))
    edited = workspace.mask("lesion_1")
    editor.undo()
    assert workspace.mask("lesion_1") != edited
    editor.redo()
    assert workspace.mask("lesion_1") == edited
    p.ui.backButton.click()
    segments = [node.GetSegmentation().GetSegment(each) for each in workspace.lesionIds()]
    assert [isMarked(each, EDITED) for each in segments] == [True, False]


def test_undo_in_the_editor_does_not_bring_a_result_back_that_was_replaced_meanwhile(p):
    volume = makeCT()
    node = segmented(p, volume)
    p.questions.answer = Rerun.REPLACE
    run = submit(p, volume)
    p.ui.editButton.click()
    stroke(p, node, volume, "lesion_1", slice(40, 44))
    result = resultOf(volume)
    p.runs.finish(run, dataclasses.replace(result, lesions=result.lesions.moved((0, 1, 0))))
    found = workspaceOf(node).lesions()
    p.panel.editPage.editor.undo()
    assert workspaceOf(node).lesions() == found


def test_the_editor_opens_at_its_top_and_the_panel_comes_back_where_it_was(p):
    segmented(p, makeCT())
    area = qt.QScrollArea()
    area.setWidgetResizable(True)
    area.setWidget(p.ui.LiverLesionCascade)
    area.resize(350, 200)
    area.show()
    qt.QApplication.processEvents()
    bar = area.verticalScrollBar()
    bar.value = 150
    p.ui.editButton.click()
    qt.QApplication.processEvents()
    assert bar.value == 0
    p.ui.backButton.click()
    qt.QApplication.processEvents()
    assert bar.value == 150
    p.parent.layout().addWidget(area.takeWidget())


def test_a_result_is_shown_with_its_own_scan_only(p):
    first, second = makeCT("First"), makeCT("Second")
    views = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    one = segmented(p, first)
    for view in views:
        view.SetBackgroundVolumeID(first.GetID())
    assert p.questions.asked == []
    two = segmented(p, second)
    pump(lambda: {view.GetBackgroundVolumeID() for view in views} == {second.GetID()})
    assert p.questions.asked == ["Second"]
    assert two.GetDisplayNode().GetVisibility() and not one.GetDisplayNode().GetVisibility()
    p.ui.inputSelector.setCurrentNode(first)
    pump(lambda: {view.GetBackgroundVolumeID() for view in views} == {first.GetID()})
    assert one.GetDisplayNode().GetVisibility() and not two.GetDisplayNode().GetVisibility()
    p.ui.inputSelector.setCurrentNode(second)
    followUp = next(each for each in p.panel.results.workbench.sections if hasattr(each.ui, "baselineSelector"))
    followUp.ui.followUpCollapsibleButton.collapsed = False
    followUp.ui.baselineSelector.setCurrentNode(one)
    pump(lambda: followUp.ui.followUpTable.rowCount == 2)
    assert two.GetDisplayNode().GetVisibility() and not one.GetDisplayNode().GetVisibility()
    p.ui.inputSelector.setCurrentNode(first)
    pump(lambda: {view.GetBackgroundVolumeID() for view in views} == {first.GetID()})
    views[0].SetBackgroundVolumeID(second.GetID())  # what a person shows elsewhere stays when they come back
    p.widget.exit()
    p.widget.enter()
    slicer.app.processEvents()
    assert views[0].GetBackgroundVolumeID() == second.GetID()


def test_the_questions_about_the_views_are_asked_once(monkeypatch):
    settings = slicer.app.userSettings()
    asked = []
    monkeypatch.setattr(slicer.util, "confirmYesNoDisplay", lambda text, **_: asked.append(text))
    for setting, ask in (
        (SHOW_CHOSEN_SCAN, lambda: Questions().showChosenScan("CT")),
        (READING_LAYOUT, Questions().readingLayout),
    ):
        settings.remove(setting)
        asked.clear()
        assert not ask() and not ask() and len(asked) == 1
        settings.setValue(setting, "yes")
        assert ask() and len(asked) == 1
        settings.remove(setting)


def test_views_are_laid_out_for_reading_at_the_first_result_only(p):
    layout = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    before = layout.GetViewArrangement()
    p.questions.reading = True
    segmented(p, makeCT("First"))
    pump(lambda: p.questions.readingAsked)
    ElementTree.fromstring(layout.GetCurrentLayoutDescription())
    assert layout.GetViewArrangement() == navigation.READING_LAYOUT
    layout.SetViewArrangement(before)  # what a person chooses stays
    segmented(p, makeCT("Second"))
    slicer.app.processEvents()
    assert p.questions.readingAsked == 1 and layout.GetViewArrangement() == before


def turnLoop(p):
    """Whatever waits in the event loop at no distance is done."""
    turned = []
    p.panel._callLater(0, lambda: turned.append(1))
    pump(lambda: turned)


def test_the_reading_layout_is_offered_when_the_person_comes_back_and_not_in_another_module(p):
    run = submit(p, makeCT())
    p.widget.exit()
    p.runs.finish(run)
    turnLoop(p)
    assert p.questions.readingAsked == 0
    p.widget.enter()
    turnLoop(p)
    assert p.questions.readingAsked == 1
    p.widget.exit()
    p.widget.enter()
    turnLoop(p)
    assert p.questions.readingAsked == 1


def test_the_editor_shows_segments_in_their_own_colours_and_the_panel_verdicts_whichever_way_one_came(p):
    def rejectedLooks(node):
        p.panel.results.workbench.lesions.select("lesion_1")
        p.panel.results.workbench.lesions.review.toggle(REJECTED)
        return lambda: min(node.GetDisplayNode().GetSegmentOverrideColor("lesion_1")) >= 0

    looks = rejectedLooks(segmented(p, makeCT()))
    pump(looks)
    p.ui.editButton.click()
    assert not looks()
    p.widget.exit()
    p.widget.enter()
    assert p.panel.editPage.isShown and not looks()
    slicer.mrmlScene.Clear()
    pump(rejectedLooks(segmented(p, makeCT("Next patient"))))
    p.ui.editButton.click()
    slicer.mrmlScene.RemoveNode(p.panel.results.node)
    pump(rejectedLooks(segmented(p, makeCT("Third patient"))))


def test_no_key_of_ours_is_one_of_a_menu_or_a_view(p):
    keys = [shortcut.key.toString() for shortcut in p.parent.findChildren(qt.QShortcut)]
    assert len(keys) == 6 and [key for key in keys if shortcuts.isTaken(key)] == []
    texts = [widget.text for widget in p.parent.findChildren(qt.QAbstractButton)]
    assert [text for text in texts if "&" in text] == []


def test_the_editor_has_a_parameter_node_of_its_own(p):
    segmented(p, makeCT())
    other = slicer.modules.segmenteditor.widgetRepresentation().self().editor
    p.ui.editButton.click()
    p.ui.backButton.click()
    p.ui.editButton.click()
    nodes = slicer.util.getNodesByClass("vtkMRMLSegmentEditorNode")
    assert len([node for node in nodes if node.GetSingletonTag() == "LiverLesionCascade"]) == 1
    assert other.segmentationNode() is None


def test_shortcuts_of_the_editor_work_only_while_the_module_is_shown(p):
    segmented(p, makeCT())
    p.ui.editButton.click()
    editor = p.panel.editPage.editor
    editor.setActiveEffectByName("Paint")
    p.widget.exit()
    assert editor._shortcutsIn is None and editor.mrmlSegmentEditorNode().GetActiveEffectName() == ""
    p.widget.enter()
    assert editor._shortcutsIn == p.ui.editPage


def test_removing_the_result_that_is_edited_goes_back_to_the_one_that_is_left(p):
    volume = makeCT()
    first = segmented(p, volume)
    p.questions.answer = Rerun.NEW
    second = segmented(p, volume)
    p.ui.editButton.click()
    slicer.mrmlScene.RemoveNode(second)
    assert not p.panel.editPage.isShown and p.panel.results.node is first


def test_a_result_that_is_deleted_before_anybody_looked_at_it_leaves_nothing_hidden_behind(p):
    volume = makeCT()
    p.ui.inputSelector.setCurrentNode(volume)
    p.ui.segmentButton.click()
    node = p.runs.finish(p.runs.submitted[-1], withProbabilities(resultOf(volume), 0))
    p.panel.results.show(None)
    closeWorkspaces()  # as after a scene was loaded in which another result is shown
    assert any(each.GetHideFromEditors() for each in slicer.util.getNodesByClass("vtkMRMLVolumeNode"))
    slicer.mrmlScene.RemoveNode(node)
    assert slicer.util.getNodesByClass("vtkMRMLVolumeNode") == [volume]


def test_removing_the_result_while_it_is_edited_goes_back_to_the_panel(p):
    node = segmented(p, makeCT())
    p.ui.editButton.click()
    slicer.mrmlScene.RemoveNode(node)
    assert p.ui.pages.currentWidget() == p.ui.panelPage and not shown(p.ui.resultsCollapsibleButton)


def test_closing_the_scene_in_a_run_cancels_it_and_leaves_a_usable_panel(p):
    first, second = makeCT("First"), makeCT("Second")
    runs = [submit(p, first), submit(p, second)]
    slicer.mrmlScene.Clear()
    assert all(run.cancelled for run in runs)
    assert not p.ui.segmentButton.enabled and p.ui.segmentButton.text == "Segment"
    assert not shown(p.ui.progressBar) and not shown(p.ui.queueList)
    for run in runs:
        run.onCancelled()
    assert p.ui.statusLabel.text == ""
    makeCT()
    assert p.ui.segmentButton.enabled


def test_closing_the_scene_while_editing_goes_back_to_the_panel(p):
    segmented(p, makeCT())
    p.ui.editButton.click()
    slicer.mrmlScene.Clear()
    assert p.ui.pages.currentWidget() == p.ui.panelPage
    segmented(p, makeCT())
    p.ui.editButton.click()
    assert p.panel.editPage.editor.segmentationNode() is p.panel.results.node


def test_a_result_without_its_scan_says_so_and_is_worked_on_again_with_the_scan_that_is_chosen_in_the_editor(p):
    volume = makeCT()
    node = segmented(p, volume)
    p.ui.outputSelector.setCurrentNode(node)
    slicer.mrmlScene.RemoveNode(volume)
    pump(lambda: p.ui.resultFindingsLabel.text.startswith("The CT of CT liver and lesions is not in the scene"))
    assert totals(p) == ""
    again = makeCT()
    p.ui.editButton.click()
    p.panel.editPage.editor.setSourceVolumeNode(again)
    p.ui.backButton.click()
    assert not shown(p.ui.resultFindingsLabel) and totals(p).startswith("2 lesions")
    again.SetOrigin(5.0, 0.0, 0.0)
    pump(lambda: p.ui.resultFindingsLabel.text.startswith("CT does not lie"))


def test_removing_the_volume_in_a_run_keeps_the_run_in_sight_until_it_has_ended(p):
    volume = makeCT()
    run = submit(p, volume)
    slicer.mrmlScene.RemoveNode(volume)
    assert p.ui.progressLabel.text == "CT: Waiting"
    run.onFailed("CT was removed while it was being segmented.", "")
    assert p.ui.errorLabel.text.startswith("CT was removed") and not shown(p.ui.errorDetailsButton)
    assert not shown(p.ui.progressBar)


def test_reloading_the_module_in_a_run_cancels_it_and_nothing_speaks_to_the_old_panel(p):
    run = submit(p, makeCT())
    label = p.ui.progressLabel.text
    p.widget.cleanup()
    assert run.cancelled and p.runs.closed
    run.onProgress(0.9, "Measuring", None)
    run.onCancelled()
    p.runs.client.onReady()
    assert p.ui.progressLabel.text == label
    again = openPanel()
    assert again.ui.segmentButton.enabled
    closePanel(again)


def test_progress_after_the_module_was_left_does_no_harm(p):
    run = submit(p, makeCT())
    p.widget.exit()
    run.onProgress(0.9, "Measuring", None)
    p.runs.finish(run)
    p.widget.enter()
    assert p.ui.segmentButton.text == "Segment" and shown(p.ui.resultsCollapsibleButton)


def test_the_worker_is_started_early_and_its_devices_are_offered(p):
    makeCT()
    combo = p.ui.deviceSelector
    p.runs.client.devices = [
        DeviceInfo("cpu", "CPU", True),
        DeviceInfo("cuda:0", "GPU 0: Fast", True),
        DeviceInfo("cuda:1", "GPU 1: Old", False),
    ]
    p.runs.client.device_note = "The NVIDIA driver is too old: update it."
    p.runs.client.onReady()
    texts = [combo.itemText(index) for index in range(combo.count)]
    assert texts == ["Automatic", "CPU", "GPU 0: Fast", "GPU 1: Old (cannot be used)"]
    assert p.ui.deviceNoteLabel.text == "The NVIDIA driver is too old: update it."
    combo.setCurrentIndex(2)
    p.ui.segmentButton.click()
    assert p.runs.submitted[0].options.device == "cuda:0"


def test_a_device_of_another_computer_stays_chosen_and_says_so(p):
    makeCT()
    p.widget._parameterNode.device = "cuda:3"
    p.runs.client.devices = [DeviceInfo("cpu", "CPU", True)]
    p.runs.client.onReady()
    assert p.ui.deviceSelector.currentText == "cuda:3 (not on this computer)"
    assert p.widget._parameterNode.device == "cuda:3"


def test_all_choices_reach_the_run(p, tmp_path):
    volume = makeCT()
    roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Region")
    roi.SetSize(100, 100, 100)
    p.ui.roiSelector.setCurrentNode(roi)
    for box in (p.ui.multiScaleCheckBox, p.ui.crfCheckBox, p.ui.keepProbabilitiesCheckBox):
        box.click()
    p.ui.fillHolesCheckBox.click()
    p.ui.minimumLesionSpinBox.value = 7.5
    choosePreset(p, 1)
    (tmp_path / "metadata.json").write_text('{"name": "mine", "version": "2"}', encoding="utf-8")
    p.questions.path = str(tmp_path)
    chooseBundle(p, "Choose a folder...")
    assert p.ui.bundleSelector.currentText == "mine 2"
    run = submit(p, volume)
    assert run.roiName == "Region"
    assert run.options == RunOptions(
        preset="paper",
        bundle=str(tmp_path),
        multi_scale=True,
        crf=True,
        keep_probabilities=True,
        postprocessing=PostProcessing.paper(),
    )


def choosePreset(p, index):
    """As a person does: the box changes, then says that it was activated."""
    p.ui.presetSelector.setCurrentIndex(index)
    p.ui.presetSelector.activated.emit(index)


def chooseBundle(p, text):
    index = p.ui.bundleSelector.findText(text)
    p.ui.bundleSelector.setCurrentIndex(index)
    p.ui.bundleSelector.activated.emit(index)


def test_a_preset_brings_its_rules_which_can_be_changed_after(p):
    choosePreset(p, 1)
    assert p.ui.fillHolesCheckBox.checked and not p.ui.lesionsInsideLiverCheckBox.checked
    assert p.ui.minimumLesionSpinBox.value == 0.0 and not p.ui.rejectUnlikelyCheckBox.checked
    p.ui.minimumLesionSpinBox.value = 4.0
    choosePreset(p, 0)
    assert p.ui.minimumLesionSpinBox.value == 3.0 and p.ui.largestLiverCheckBox.checked
    assert p.ui.rejectUnlikelyCheckBox.checked


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("fillHoles", "fill_holes"),
        ("largestLiver", "largest_liver_component"),
        ("lesionsInsideLiver", "lesions_inside_liver"),
        ("rejectUnlikely", "reject_unlikely_lesions"),
        ("splitLesions", "split_lesions"),
    ],
)
def test_each_rule_is_switched_alone(p, name, rule):
    getattr(p.ui, f"{name}CheckBox").click()
    assert runOptions(p.widget._parameterNode).postprocessing == PostProcessing(**{rule: False})


def test_a_bundle_that_is_not_there_disables_the_button_and_says_so(p, tmp_path):
    makeCT()
    p.widget._parameterNode.bundle = str(tmp_path / "gone")
    assert not p.ui.segmentButton.enabled and "gone is not there" in p.ui.reasonLabel.text
    p.widget._parameterNode.bundle = ""
    assert p.ui.segmentButton.enabled


def test_a_file_chooses_its_bundle_and_no_file_changes_nothing(p, tmp_path):
    p.questions.path = ""
    before = p.ui.bundleSelector.currentText
    chooseBundle(p, "Choose a file...")
    assert p.ui.bundleSelector.currentText == before and p.widget._parameterNode.bundle == ""
    path = tmp_path / "metadata.json"
    path.write_text('{"name": "mine", "version": "2"}', encoding="utf-8")
    p.questions.path = str(path)
    chooseBundle(p, "Choose a file...")
    assert p.widget._parameterNode.bundle == str(tmp_path)
    chooseBundle(p, before)
    assert p.widget._parameterNode.bundle == ""


def test_the_chosen_folder_can_be_chosen_again_and_is_looked_at_again(p, tmp_path):
    makeCT()
    p.questions.path = str(tmp_path)
    chooseBundle(p, "Choose a folder...")
    assert not p.ui.segmentButton.enabled and "is not there" in p.ui.reasonLabel.text
    (tmp_path / "metadata.json").write_text('{"name": "mine", "version": "2"}', encoding="utf-8")
    chooseBundle(p, "Choose a folder...")
    assert p.ui.bundleSelector.currentText == "mine 2" and p.widget._parameterNode.bundle == str(tmp_path)
    assert p.ui.segmentButton.enabled and p.ui.reasonLabel.text == ""


def test_a_new_region_covers_the_chosen_volume(p):
    volume = makeCT()
    roi = p.ui.roiSelector.addNode("vtkMRMLMarkupsROINode")
    bounds, found = [0.0] * 6, [0.0] * 6
    volume.GetRASBounds(bounds)
    roi.GetRASBounds(found)
    np.testing.assert_allclose(found, bounds, atol=1e-4)
    assert p.widget._parameterNode.roi is roi
    assert not roi.GetDisplayNode().GetFillVisibility()


def test_all_choices_survive_saving_closing_and_loading_the_scene(p, tmp_path):
    volume = makeCT()
    parameters = p.widget._parameterNode
    parameters.preset = type(parameters.preset).paper
    parameters.device, parameters.bundle = "cuda:1", str(tmp_path / "mine")
    parameters.multiScale = parameters.crf = parameters.keepProbabilities = True
    parameters.postProcessing.fillHoles = parameters.postProcessing.rejectUnlikelyLesions = False
    parameters.postProcessing.minimumLesionMm = 6.5
    parameters.outputSegmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Mine")
    parameters.roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Region")
    parameters.inputVolume = volume
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear()
    assert p.ui.minimumLesionSpinBox.value == 3.0 and p.ui.deviceSelector.currentIndex == 0
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    parameters = p.widget._parameterNode
    assert parameters.inputVolume.GetName() == "CT" and parameters.preset.name == "paper"
    assert parameters.outputSegmentation.GetName() == "Mine" and parameters.roi.GetName() == "Region"
    rules = PostProcessing(fill_holes=False, reject_unlikely_lesions=False, min_lesion_mm=6.5)
    assert runOptions(p.widget._parameterNode) == RunOptions(
        "paper", "cuda:1", str(tmp_path / "mine"), True, True, rules, True
    )
    assert not p.ui.fillHolesCheckBox.checked and p.ui.deviceSelector.currentText == "cuda:1"


def test_two_sets_of_choices_in_one_scene_do_not_mix(p):
    wrapper = type(p.widget._parameterNode)
    mine, other = (wrapper(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")) for _ in range(2))
    p.widget.setParameterNode(mine)
    p.ui.crfCheckBox.click()
    p.ui.fillHolesCheckBox.click()
    p.ui.deviceSelector.setCurrentIndex(1)
    p.widget.setParameterNode(other)
    assert not p.ui.crfCheckBox.checked and p.ui.fillHolesCheckBox.checked and p.ui.deviceSelector.currentIndex == 0
    p.ui.minimumLesionSpinBox.value = 9.0
    p.widget.setParameterNode(mine)
    assert p.ui.crfCheckBox.checked and not p.ui.fillHolesCheckBox.checked and p.ui.minimumLesionSpinBox.value == 3.0
    assert (mine.device, other.device) == ("cpu", "auto") and other.postProcessing.minimumLesionMm == 9.0


def test_the_scan_that_was_chosen_is_chosen_again_after_the_scene_was_loaded(p, tmp_path):
    makeCT("First")
    p.ui.inputSelector.setCurrentNode(makeCT("Second"))
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    assert p.ui.inputSelector.currentNode().GetName() == "Second" == p.widget._parameterNode.inputVolume.GetName()


def test_no_widget_of_a_form_is_given_a_property_twice():
    for path in (panel_fakes.MODULE.parent / "Resources" / "UI").glob("*.ui"):
        for element in ElementTree.parse(path).getroot().iter():
            names = [each.get("name") for each in element.findall("property")]
            assert len(names) == len(set(names)), (path.name, element.get("name"), names)


def test_the_summary_is_explained_as_what_it_says(p):
    segmented(p, makeCT())
    assert p.ui.summaryLabel.text.startswith("Made in") and "How long the run" in p.ui.summaryLabel.toolTip


def test_every_widget_that_a_person_can_use_has_a_tooltip(p):
    for name, widget in vars(p.ui).items():
        usable = name.endswith(("Selector", "Button", "CheckBox", "SpinBox", "Label", "List", "Table", "Bar"))
        if usable and not name.startswith("qt_"):
            assert widget.toolTip, name


def test_the_model_card_is_that_of_the_chosen_bundle(p, monkeypatch, tmp_path):
    shownFolders = []
    monkeypatch.setattr("LiverLesionCascadeLib.gui.panel.panel.showModelCard", shownFolders.append)
    p.ui.modelCardButton.click()
    p.widget._parameterNode.bundle = str(tmp_path)
    p.ui.modelCardButton.click()
    assert (shownFolders[0] / "MODEL_CARD.md").is_file() and shownFolders[1] == tmp_path


@pytest.mark.parametrize(
    ("button", "answer"),
    [("New segmentation", Rerun.NEW), ("Replace", Rerun.REPLACE), ("Cancel", Rerun.CANCEL)],
)
def test_the_question_about_a_second_run_has_three_answers(monkeypatch, button, answer):
    asked = []

    def clicked(box):
        asked.append(box.text)
        return next(each for each in box.buttons() if each.text.replace("&", "") == button)

    monkeypatch.setattr(qt.QMessageBox, "exec", lambda box: None)
    monkeypatch.setattr(qt.QMessageBox, "clickedButton", clicked)
    assert Questions().newOrReplace("CT liver and lesions") is answer
    assert asked == ["CT liver and lesions holds a result already."]


def test_the_tab_key_reaches_every_widget_from_top_to_bottom(p):
    root = ElementTree.parse(panel_fakes.MODULE.parent / "Resources" / "UI" / "LiverLesionCascade.ui").getroot()
    order = [each.text for each in root.iterfind("tabstops/tabstop")]
    usable = ("Selector", "Button", "CheckBox", "SpinBox", "List", "Table")
    names = [each.get("name") for each in root.iter("widget") if each.get("name").endswith(usable)]
    assert order == names
