"""Splitting and merging in the panel, as a person does it."""

import numpy as np
import pytest
import slicer_harness
from fakes.panel_fakes import closePanel, makeCT, openPanel, pump

slicer_harness.install()

import qt  # noqa: E402
import slicer  # noqa: E402
from LiverLesionCascadeLib.scene.nodes.arrays import orientedImage  # noqa: E402
from LiverLesionCascadeLib.scene.nodes.volume import ijkToRasMatrix  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.segmentation import segmentMask  # noqa: E402


class Panel:
    """A panel that shows a result with two lesions, the first of which was painted on until it is two that touch."""

    def __init__(self, opened):
        self.opened, self.volume = opened, makeCT()
        opened.ui.inputSelector.setCurrentNode(self.volume)
        opened.ui.segmentButton.click()
        self.node = opened.runs.finish(opened.runs.submitted[-1])
        self.table = opened.panel.results.workbench.lesions
        self.section = next(each for each in opened.panel.results.workbench.sections if hasattr(each.ui, "partsSlider"))
        self.ui = self.section.ui
        k, j, i = np.ogrid[:24, :160, :160]
        second = ((k - 12) / 4) ** 2 + ((j - 60) / 10) ** 2 + ((i - 73) / 10) ** 2 <= 1
        image = orientedImage((self.mask("lesion_1") | second).astype(np.uint8), ijkToRasMatrix(self.volume))
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        assert logic.SetBinaryLabelmapToSegment(image, self.node, "lesion_1", logic.MODE_REPLACE)
        self.ui.dividingCollapsibleButton.collapsed = False
        pump(lambda: self.table.ui.lesionTable.rowCount == 2)

    def mask(self, segmentId):
        return segmentMask(self.node, segmentId, self.volume)

    def select(self, *rows):
        table = self.table.ui.lesionTable
        table.clearSelection()
        for row in rows:
            table.setRangeSelected(qt.QTableWidgetSelectionRange(row, 0, row, table.columnCount - 1), True)
        pump(lambda: not self.section._looking.isAwaited)

    def lesions(self):
        return [each for each in self.node.GetSegmentation().GetSegmentIDs() if each.startswith("lesion")]

    def previews(self):
        nodes = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
        return [each for each in nodes if each.GetName() == "Preview of lesions"]


@pytest.fixture
def p():
    slicer.mrmlScene.Clear()
    opened = openPanel()
    yield Panel(opened)
    closePanel(opened)
    slicer.mrmlScene.Clear()


def test_a_lesion_is_split_into_the_parts_that_the_slider_shows_and_undo_brings_it_back(p):
    p.select(0)
    assert p.ui.splitButton.enabled and not p.ui.splitAtGapsButton.enabled and not p.ui.mergeButton.enabled
    assert not p.previews(), "nothing is shown before the person asks"
    whole = p.mask("lesion_1")
    p.ui.partsSlider.value = 1
    p.ui.partsSlider.value = 2
    assert len(p.previews()) == 1 and "2 parts" in p.ui.dividingSummaryLabel.text
    p.ui.splitButton.click()
    pump(lambda: p.table.ui.lesionTable.rowCount == 3)
    assert p.table.ui.lesionTable.rowCount == 3 and p.lesions() == ["lesion_1", "lesion_2", "lesion_3"]
    assert np.array_equal(p.mask("lesion_1") | p.mask("lesion_3"), whole) and not p.previews()
    p.ui.undoDividingButton.click()
    pump(lambda: p.table.ui.lesionTable.rowCount == 2)
    assert p.lesions() == ["lesion_1", "lesion_2"] and np.array_equal(p.mask("lesion_1"), whole)
    assert p.ui.redoDividingButton.enabled and not p.ui.undoDividingButton.enabled


def test_selected_rows_are_merged_and_pieces_told_apart_again_at_their_gap(p):
    p.select(0, 1)
    assert p.ui.mergeButton.enabled and p.ui.mergeButton.text == "Merge (2)" and not p.ui.splitButton.enabled
    p.ui.mergeButton.click()
    pump(lambda: p.table.ui.lesionTable.rowCount == 1)
    assert p.lesions() == ["lesion_1"] and p.table.selectedIds() == ["lesion_1"]
    pump(lambda: p.ui.splitAtGapsButton.enabled)
    assert p.ui.splitAtGapsButton.enabled
    p.ui.splitAtGapsButton.click()
    pump(lambda: p.table.ui.lesionTable.rowCount == 2)
    assert p.lesions() == ["lesion_1", "lesion_3"], "the number of a lesion that is gone is not given to another"


def test_what_cannot_be_done_is_said(p):
    p.select()
    assert "Select a lesion" in p.ui.dividingSummaryLabel.text and not p.ui.splitButton.enabled
    p.select(1)
    assert "no neck" in p.ui.dividingSummaryLabel.text and not p.ui.splitButton.enabled


def test_the_preview_goes_with_another_selection_and_when_the_section_is_collapsed(p):
    for turnAway in (lambda: p.select(1), lambda: setattr(p.ui.dividingCollapsibleButton, "collapsed", True)):
        p.ui.dividingCollapsibleButton.collapsed = False
        p.select(0)
        p.ui.partsSlider.value = 1
        p.ui.partsSlider.value = 2
        assert p.previews()
        turnAway()
        pump(lambda: not p.previews())
        assert not p.previews()


def test_several_rows_stay_selected_while_their_measures_come_in(p):
    p.select(0, 1)
    p.table._update()
    assert len(p.table.selectedIds()) == 2
    p.table._onHeading(2)
    assert len(p.table.selectedIds()) in (1, 2) and p.table.selectedId() in p.table.selectedIds()
