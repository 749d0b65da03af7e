"""The lesion table in the panel, as a person uses it."""

import numpy as np
import pytest
import slicer_harness
from fakes.panel_fakes import closePanel, makeCT, openPanel, pump

slicer_harness.install()

import qt  # noqa: E402
import slicer  # noqa: E402
from LiverLesionCascadeLib.gui.lesions.lesion_columns import COLUMNS  # noqa: E402
from LiverLesionCascadeLib.scene.nodes.volume import worldFromIjk  # noqa: E402
from LiverLesionCascadeLib.scene.tools.diameter_lines import LINES_ROLE  # noqa: E402

STATUS, VOLUME = 1, 2


class Table:
    """The table of a panel that shows a result with two lesions."""

    def __init__(self, opened):
        self.panel = opened
        self.volume = makeCT()
        opened.ui.inputSelector.setCurrentNode(self.volume)
        opened.ui.segmentButton.click()
        self.node = opened.runs.finish(opened.runs.submitted[-1])
        self.section = opened.panel.results.workbench.lesions
        self.ui = self.section.ui
        pump(lambda: self.texts(VOLUME).count("") == 0)

    @property
    def segmentation(self):
        return self.node.GetSegmentation()

    def texts(self, column):
        table = self.ui.lesionTable
        return [table.item(row, column).text() for row in range(table.rowCount)]

    def button(self, name):
        return next(each for each in self.section.review.widget.findChildren(qt.QPushButton) if each.name == name)

    def visible(self):
        display = self.node.GetDisplayNode()
        return [bool(display.GetSegmentVisibility(each)) for each in ("liver", "lesion_1", "lesion_2")]

    def axial(self):
        red = next(each for each in slicer.util.getNodesByClass("vtkMRMLSliceNode") if each.GetLayoutName() == "Red")
        return red.GetSliceOffset()


@pytest.fixture
def t():
    slicer.mrmlScene.Clear()
    opened = openPanel()
    yield Table(opened)
    closePanel(opened)
    slicer.mrmlScene.Clear()


def test_every_lesion_has_a_row_with_its_measures_and_totals_are_below(t):
    rows = t.section._rows.rows()
    assert t.texts(0) == ["1", "2"] and t.texts(STATUS) == ["", ""]
    measures = [row.measures for row in rows]
    assert t.texts(VOLUME) == [f"{each.volume_ml:.2f}" for each in measures]
    assert t.texts(3) == [f"{each.long_axis_mm:.0f} \u00d7 {each.short_axis_mm:.0f}" for each in measures]
    assert t.ui.totalsLabel.text.startswith("2 lesions, ") and "tumour burden" in t.ui.totalsLabel.text


def test_what_has_no_column_is_said_of_the_selected_lesion_and_in_the_tooltip(t):
    assert t.ui.detailLabel.text == ""
    t.section.select("lesion_2")
    row = t.section._rows.rows()[1]
    lesion = row.measures
    text = t.ui.detailLabel.text
    assert text.startswith(f"Lesion 2: To review, {lesion.long_axis_mm:.1f} x {lesion.short_axis_mm:.1f} mm in slice ")
    assert f" {row.slice}, {lesion.mean_hu:.0f} HU, SD " in text
    assert "mm from the liver's surface" in text and t.ui.lesionTable.item(1, 3).toolTip() == text
    t.button("acceptButton").click()
    pump(lambda: t.ui.detailLabel.text.startswith("Lesion 2: Accepted, "))


def test_a_click_on_a_heading_sorts_by_number_and_the_second_turns_it_round(t):
    t.segmentation.GetSegment("lesion_2").SetName("A cyst")
    t.section._onHeading(VOLUME)
    assert [float(text) for text in t.texts(VOLUME)] == sorted(float(text) for text in t.texts(VOLUME))
    t.section._onHeading(VOLUME)
    pump(lambda: t.texts(0) == ["1", "2 A cyst"])
    t.section._onHeading(0)
    t.section._onHeading(0)
    assert t.texts(0) == ["2 A cyst", "1"]


def test_a_lesion_without_a_voxel_comes_last_whatever_is_sorted(t):
    slicer.util.updateSegmentBinaryLabelmapFromArray(np.zeros((24, 160, 160), np.uint8), t.node, "lesion_1", t.volume)
    pump(lambda: "" in t.texts(VOLUME))
    for _ in range(2):
        t.section._onHeading(VOLUME)
        assert t.texts(0) == ["2", "1"]


def test_selecting_a_row_jumps_to_the_slice_that_was_measured(t):
    t.ui.lesionTable.selectRow(1)
    row = t.section._rows.rows()[1]
    assert t.section.selectedId() == "lesion_2"
    assert t.axial() == pytest.approx((worldFromIjk(t.volume) @ (0, 0, row.slice, 1))[2])


def test_next_and_previous_walk_through_the_table_and_round(t):
    t.ui.nextLesionButton.click()
    assert t.section.selectedId() == "lesion_1"
    t.ui.nextLesionButton.click()
    t.ui.nextLesionButton.click()
    assert t.section.selectedId() == "lesion_1"
    t.ui.previousLesionButton.click()
    assert t.section.selectedId() == "lesion_2"
    assert [index.row() for index in t.ui.lesionTable.selectionModel().selectedRows()] == [1]


def test_keys_work_while_the_module_is_shown_and_only_then(t):
    keys = dict(t.section._shortcuts)
    letters = ["Ctrl+Shift+A", "Ctrl+Shift+F", "Ctrl+Shift+N", "Ctrl+Shift+R"]
    assert sorted(keys) == ["Alt+Down", "Alt+Up", *letters]
    keys["Alt+Down"].activated.emit()
    keys["Ctrl+Shift+R"].activated.emit()
    pump(lambda: t.texts(STATUS)[0] == "\u2717")
    t.panel.widget.exit()
    assert t.section._shortcuts == {}
    t.panel.widget.enter()
    t.panel.widget.enter()
    assert len(t.section._shortcuts) == len(keys)


def test_isolate_hides_the_other_lesions_follows_the_selection_and_gives_them_back(t):
    assert not t.ui.isolateCheckBox.enabled
    t.section.select("lesion_1")
    t.ui.isolateCheckBox.click()
    assert t.visible() == [True, True, False]
    t.section.step(1)
    assert t.visible() == [True, False, True]
    t.ui.isolateCheckBox.click()
    assert t.visible() == [True, True, True]


def test_verdicts_show_in_the_table_and_rejected_lesions_leave_the_totals(t):
    t.section.select("lesion_1")
    t.button("rejectButton").click()
    pump(lambda: t.texts(STATUS) == ["\u2717", ""])
    assert t.ui.totalsLabel.text.startswith("1 lesion of ") and "1 rejected" in t.ui.totalsLabel.text
    t.button("undoReviewButton").click()
    pump(lambda: t.texts(STATUS) == ["", ""])
    assert t.ui.totalsLabel.text.startswith("2 lesions")


def test_the_status_that_is_changed_in_slicers_own_table_is_shown(t):
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    logic.SetSegmentStatus(t.segmentation.GetSegment("lesion_2"), logic.Flagged)
    pump(lambda: t.texts(STATUS) == ["", "\u2691"])


def test_an_edit_updates_its_row_and_says_so(t):
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(t.node, "lesion_1", t.volume).copy()
    before = t.texts(VOLUME)
    mask[:12] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, t.node, "lesion_1", t.volume)
    pump(lambda: t.texts(STATUS)[0] == "\u270e" and t.texts(VOLUME)[0] not in ("", before[0]))
    assert t.texts(VOLUME)[1] == before[1]
    assert float(t.texts(VOLUME)[0]) == pytest.approx(mask.astype(bool).sum() * 0.0128, abs=0.01)


def test_added_and_deleted_segments_come_and_go(t):
    t.section.select("lesion_2")
    t.segmentation.RemoveSegment("lesion_2")
    pump(lambda: t.texts(0) == ["1"])
    assert t.section.selectedId() == ""
    t.segmentation.AddEmptySegment("new", "Lesion 7")
    mask = np.zeros((24, 160, 160), np.uint8)
    mask[12, 60:70, 60:70] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, t.node, "new", t.volume)
    pump(lambda: len(t.texts(VOLUME)) == 2 and t.texts(VOLUME)[1] != "")


def test_diameters_are_drawn_follow_edits_and_go(t):
    t.ui.diametersCheckBox.click()
    drawn = t.node.GetNodeReference(LINES_ROLE)
    assert drawn.GetPolyData().GetNumberOfCells() == 4
    t.segmentation.RemoveSegment("lesion_2")
    pump(lambda: drawn.GetPolyData().GetNumberOfCells() == 2)
    t.ui.diametersCheckBox.click()
    assert drawn.GetScene() is None


def test_diameters_are_those_of_the_lesion_that_is_shown_alone(t):
    t.ui.diametersCheckBox.click()
    drawn = t.node.GetNodeReference(LINES_ROLE)
    t.section.select("lesion_2")
    t.ui.isolateCheckBox.click()
    alone = drawn.GetPolyData().GetBounds()
    assert drawn.GetPolyData().GetNumberOfCells() == 2
    t.section.select("lesion_1")
    assert drawn.GetPolyData().GetNumberOfCells() == 2 and drawn.GetPolyData().GetBounds() != alone
    t.ui.isolateCheckBox.click()
    assert drawn.GetPolyData().GetNumberOfCells() == 4


def test_the_table_of_a_saved_scene_is_the_same_with_diameters_isolation_and_verdicts(t, tmp_path):
    t.section.select("lesion_1")
    t.button("acceptButton").click()
    t.ui.isolateCheckBox.click()
    t.ui.diametersCheckBox.click()
    pump(lambda: t.texts(STATUS)[0] == "\u2713")
    before = [t.texts(column) for column in range(len(COLUMNS))]
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear()
    assert t.texts(0) == [] and t.ui.totalsLabel.text == ""
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    pump(lambda: [t.texts(column) for column in range(len(COLUMNS))] == before)
    assert t.ui.diametersCheckBox.checked and t.ui.isolateCheckBox.checked
    t.ui.diametersCheckBox.click()
    assert t.node.GetNodeReference(LINES_ROLE) is None


def test_edit_opens_the_editor_on_the_selected_lesion(t):
    t.section.select("lesion_2")
    t.panel.ui.editButton.click()
    assert t.panel.panel.editPage.editor.currentSegmentID() == "lesion_2"


def test_removing_the_result_leaves_an_empty_table(t):
    slicer.mrmlScene.RemoveNode(t.node)
    assert t.texts(0) == [] and t.section.selectedId() == "" and not t.ui.nextLesionButton.enabled
    t.section.step(1)


def test_only_the_rows_of_lesions_that_changed_are_written_anew(t, monkeypatch):
    written = []
    fill = t.section._fillRow
    monkeypatch.setattr(t.section, "_fillRow", lambda index, row: (written.append(row.segmentId), fill(index, row)))
    t.section.step(1)
    assert written == []
    t.button("acceptButton").click()
    assert written == ["lesion_1"]
    t.segmentation.GetSegment("lesion_2").SetName("Cyst")
    pump(lambda: len(written) > 1)
    assert written == ["lesion_1", "lesion_2"]
    assert t.texts(0) == ["1", "2 Cyst"]
