"""The follow-up section in a panel of the harness on real MRML."""

import csv

import pytest
import slicer_harness

slicer_harness.install()

import numpy as np  # noqa: E402
import slicer  # noqa: E402
from fixtures.follow_up_cases import AFTER, BEFORE, addResult  # noqa: E402
from LiverLesionCascadeLib.gui.runs import stepwise  # noqa: E402
from LiverLesionCascadeLib.gui.sections.follow_up_section import EARLIER_COLUMN, LATER_COLUMN, FollowUpSection  # noqa: E402
from LiverLesionCascadeLib.scene.tools.follow_up import LIVERS, TRANSFORM, FollowUp  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.workspace import closeWorkspaces, workspaceOf  # noqa: E402
from slicer_harness.ui_loader import PROBLEMS  # noqa: E402

_alive = []  # PySide deletes what Slicer keeps


class Case:
    def __init__(self, folder):
        _, self.before = addResult(slicer.mrmlScene, "Before", BEFORE)
        _, self.after = addResult(slicer.mrmlScene, "After", AFTER)
        self.followUp = workspaceOf(self.after).tool(FollowUp)
        self.calls = []
        self.path = str(folder / "täble one.csv")
        self.section = FollowUpSection(lambda seconds, function: self.calls.append(function), lambda *_: self.path)
        _alive.append(self.section)
        self.ui = self.section.ui
        self.ui.followUpCollapsibleButton.collapsed = False
        self.section.show(workspaceOf(self.after))
        self.turn()

    def turn(self):
        """Until nothing waits any more; how many calls that were."""
        turned = 0
        while self.calls:
            self.calls.pop(0)()
            turned += 1
        return turned

    def texts(self, column):
        table = self.ui.followUpTable
        return [table.item(row, column).text() for row in range(table.rowCount)]

    def pick(self, row, column, name):
        box = self.ui.followUpTable.cellWidget(row, column)
        index = box.findText(name)
        assert index >= 0
        box.setCurrentIndex(index)
        box.activated.emit(index)
        self.turn()


@pytest.fixture
def case(tmp_path, monkeypatch):
    monkeypatch.setattr(stepwise, "SECONDS", 0)  # one piece at a time, however fast the computer is
    slicer.mrmlScene.Clear(0)
    case = Case(tmp_path)
    yield case
    case.section.cleanup()
    closeWorkspaces()
    slicer.mrmlScene.Clear(0)
    assert PROBLEMS == []


def test_choosing_an_earlier_result_fills_the_table(case):
    assert case.ui.followUpTable.rowCount == 0
    case.ui.baselineSelector.setCurrentNode(case.before)
    case.turn()
    assert case.texts(EARLIER_COLUMN) == ["Lesion 2", "Lesion 1", "", "Lesion 3"]
    assert case.texts(LATER_COLUMN) == ["Lesion 1", "Lesion 2", "Lesion 3", ""]
    assert case.texts(2) == ["proposed", "proposed", "new", "gone"]
    assert "\u2192" in case.texts(3)[0] and "%" in case.texts(4)[0] and case.texts(4)[2] == ""
    assert "Sum of long diameters" in case.ui.followUpSummaryLabel.text
    assert "2 matched, 1 new, 1 gone" in case.ui.followUpSummaryLabel.text


def test_the_lists_of_all_rows_are_one(case):
    case.ui.baselineSelector.setCurrentNode(case.before)
    case.turn()
    boxes = [case.ui.followUpTable.cellWidget(row, EARLIER_COLUMN) for row in range(3)]
    assert boxes[0].count == 4 and all(box.model() == boxes[0].model() for box in boxes)
    assert [box.currentText for box in boxes] == ["Lesion 2", "Lesion 1", "None: new"]


def test_a_match_is_changed_in_its_row_from_either_side(case):
    case.ui.baselineSelector.setCurrentNode(case.before)
    case.turn()
    assert not case.ui.proposeMatchesButton.enabled
    case.pick(3, LATER_COLUMN, "Lesion 3")
    assert case.texts(2)[2] == "chosen" and case.followUp.choices() == {"lesion_3": "lesion_3"}
    case.pick(0, EARLIER_COLUMN, "None: new")
    assert case.texts(2)[0] == "new, chosen" and "gone" in case.texts(2)
    case.ui.proposeMatchesButton.click()
    case.turn()
    assert case.followUp.choices() == {} and case.texts(2) == ["proposed", "proposed", "new", "gone"]


def test_a_click_on_a_row_goes_to_the_lesion(case):
    case.ui.baselineSelector.setCurrentNode(case.before)
    case.turn()
    sliceNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceNode")
    for row in (0, 3):
        case.ui.followUpTable.cellClicked.emit(row, 3)
        matrix = sliceNode.GetSliceToRAS()
        expected = case.followUp.position(case.followUp.compare().table.rows[row])
        np.testing.assert_allclose([matrix.GetElement(axis, 3) for axis in range(3)], expected, atol=0.1)


def test_a_wrong_choice_is_explained_and_taken_back(case):
    case.ui.baselineSelector.setCurrentNode(case.after)
    assert "the result itself" in case.ui.followUpSummaryLabel.text
    assert case.ui.baselineSelector.currentNode() is None


def test_the_transform_is_asked_for_only_where_it_is_used(case):
    case.ui.baselineSelector.setCurrentNode(case.before)
    assert case.ui.transformSelector.isHidden()
    box = case.ui.alignmentComboBox
    box.setCurrentIndex(box.findData(TRANSFORM))
    box.activated.emit(box.currentIndex)
    case.turn()
    assert not case.ui.transformSelector.isHidden() and "no transform" in case.ui.followUpSummaryLabel.text
    case.ui.transformSelector.setCurrentNode(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode"))
    case.turn()
    assert case.ui.followUpTable.rowCount == 4
    box.setCurrentIndex(box.findData(LIVERS))
    box.activated.emit(box.currentIndex)
    assert case.followUp.alignment == LIVERS


def test_the_table_is_exported(case):
    assert not case.ui.exportFollowUpButton.enabled
    case.ui.baselineSelector.setCurrentNode(case.before)
    case.turn()
    case.ui.exportFollowUpButton.click()
    with open(case.path, encoding="utf-8") as file:
        assert file.read(1) == "\ufeff", "as Excel knows UTF-8 by"
    with open(case.path, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["state"] for row in rows] == ["matched", "matched", "new", "gone", "sum"]
    case.path = case.path + "/no folder/x.csv"
    case.ui.exportFollowUpButton.click()
    assert "could not be written" in case.ui.followUpSummaryLabel.text


def test_nothing_is_compared_while_collapsed_and_edits_are_followed_once(case):
    case.ui.baselineSelector.setCurrentNode(case.before)
    case.turn()
    case.ui.followUpCollapsibleButton.collapsed = True
    case.turn()
    case.after.GetSegmentation().RemoveSegment("lesion_3")
    workspaceOf(case.after).flush()
    assert case.turn() == 0
    compared, compare = [], case.followUp.compare
    case.followUp.compare = lambda: compared.append(1) or compare()
    case.ui.followUpCollapsibleButton.collapsed = False
    case.turn()
    assert len(compared) == 1
    assert case.texts(2) == ["proposed", "proposed", "gone"]


def test_the_shown_result_may_go(case):
    case.ui.baselineSelector.setCurrentNode(case.before)
    case.turn()
    slicer.mrmlScene.RemoveNode(case.before)
    case.turn()
    assert case.ui.followUpTable.rowCount == 0
    case.section.show(None)
    assert not case.ui.baselineSelector.enabled


def test_slicer_goes_on_between_the_pieces_of_a_comparison(case):
    case.ui.baselineSelector.setCurrentNode(case.before)
    for _piece in range(3):
        case.calls.pop(0)()
        assert case.ui.followUpSummaryLabel.text == "Comparing..." and case.ui.followUpTable.rowCount == 0
        assert len(case.calls) == 1
    case.turn()
    assert case.ui.followUpTable.rowCount == 4


def test_a_comparison_under_way_is_given_up_for_another_result_or_at_the_end(case):
    case.ui.baselineSelector.setCurrentNode(case.before)
    case.calls.pop(0)()
    case.section.show(workspaceOf(case.before))
    case.turn()
    assert case.ui.followUpTable.rowCount == 0 and case.ui.followUpSummaryLabel.text != "Comparing..."
    case.section.show(workspaceOf(case.after))
    case.calls.pop(0)()
    slicer.mrmlScene.RemoveNode(case.after)
    case.turn()
    assert case.ui.followUpTable.rowCount == 0
