"""The section that refines from edits, in a panel of the harness on real MRML; the engine's answers are made up."""

import numpy as np
import pytest
import slicer_harness

slicer_harness.install()

import slicer  # noqa: E402
from fakes.panel_fakes import makeCT, resultOf  # noqa: E402
from LiverLesionCascadeLib.engine.errors import InputError, OutputError  # noqa: E402
from LiverLesionCascadeLib.engine.grid.boxed import Boxed  # noqa: E402
from LiverLesionCascadeLib.gui.sections.refine_section import RefineSection  # noqa: E402
from LiverLesionCascadeLib.scene.nodes.arrays import orientedImage  # noqa: E402
from LiverLesionCascadeLib.scene.nodes.volume import ijkToRasMatrix  # noqa: E402
from LiverLesionCascadeLib.scene.tools.refinement import Refinement  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.segmentation import segmentationNodeFromResult, segmentMask  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.workspace import closeWorkspaces, workspaceOf  # noqa: E402
from slicer_harness.ui_loader import PROBLEMS  # noqa: E402

_alive = []  # PySide deletes what Slicer keeps
MARK = (12, slice(98, 102), slice(55, 59))
GROWN = (slice(11, 14), slice(96, 104), slice(53, 61))


class Case:
    """A result, the section, and runs whose end the test decides."""

    def __init__(self):
        self.volume = makeCT()
        self.result = resultOf(self.volume)
        self.node = segmentationNodeFromResult(self.result, self.volume)
        self.workspace = workspaceOf(self.node)
        self.runs, self.error = [], None
        self.section = RefineSection(self.refine)
        self.ui = self.section.ui
        _alive.append(self.section)
        self.section.show(self.workspace)

    def refine(self, node, observer):
        if self.error:
            raise self.error
        run = type("Run", (), {"node": node, "cancelled": False})()
        run.onProgress, run.onFinished, run.onFailed = observer.onProgress, observer.onFinished, observer.onFailed

        def cancel():
            run.cancelled = True
            observer.onCancelled()

        run.cancel = cancel
        self.runs.append(run)
        return run

    def paint(self, where, segmentId="mine", erase=False):
        if self.node.GetSegmentation().GetSegment(segmentId) is None:
            self.node.GetSegmentation().AddEmptySegment(segmentId, segmentId)
        mask = segmentMask(self.node, segmentId, self.volume)
        mask[where] = not erase
        image = orientedImage(mask.astype(np.uint8), ijkToRasMatrix(self.volume))
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        assert logic.SetBinaryLabelmapToSegment(image, self.node, segmentId, logic.MODE_REPLACE)
        self.workspace.flush()

    def lesions(self):
        return self.workspace.lesions().full(self.result.grid.shape)

    def answer(self, grown=GROWN, liver=None):
        """What the engine would say: the mark grown; perhaps voxels taken out of the liver."""
        lesions, organ = self.lesions(), self.result.liver.full(self.result.grid.shape)
        if grown is not None:
            lesions[grown] = True
        if liver is not None:
            organ[liver] = 0
        self.result.lesions, self.result.liver = Boxed.labels(lesions.astype(np.uint8)), Boxed.labels(organ)
        self.runs[-1].onFinished(self.node, Refinement(self.workspace, self.result))

    def previews(self):
        return [node for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode") if node is not self.node]

    def enabled(self):
        names = ("refine", "acceptRefinement", "discardRefinement", "undoRefinement", "redoRefinement")
        return [name for name in names if getattr(self.ui, f"{name}Button").enabled]


@pytest.fixture
def case():
    slicer.mrmlScene.Clear()
    yield Case()
    closeWorkspaces()
    slicer.mrmlScene.Clear()


def test_without_an_edit_there_is_nothing_to_refine(case):
    assert PROBLEMS == []
    assert case.enabled() == [] and "Paint a missed lesion" in case.ui.refineButton.toolTip
    case.paint(MARK)
    assert case.enabled() == ["refine"]
    case.section.show(None)
    assert case.enabled() == []


def test_the_preview_says_when_much_would_be_added_for_what_was_painted(case):
    case.paint(MARK)
    case.ui.refineButton.click()
    case.answer(grown=(slice(8, 16), slice(96, 106), slice(53, 63)))
    assert "That is much for the 0.2 mL that you painted" in case.ui.refineSummaryLabel.text
    case.ui.discardRefinementButton.click()
    case.ui.refineButton.click()
    case.answer(grown=None)
    assert "much" not in case.ui.refineSummaryLabel.text


def test_what_would_change_is_shown_before_anything_does_and_accepted_undone_and_redone(case):
    case.paint(MARK)
    case.ui.refineButton.click()
    assert case.ui.refineButton.text == "Cancel" and case.enabled() == ["refine"]
    case.runs[0].onProgress(0.42, "Looking again", None)
    assert "Looking again at the corrected slices: 42 %" in case.ui.refineSummaryLabel.text
    before = case.lesions()
    case.answer(liver=(slice(20, 22), slice(70, 80), slice(55, 65)))
    assert case.ui.refineButton.text == "Refine from edits"
    text = case.ui.refineSummaryLabel.text
    assert "much" not in text
    assert "2.3 mL added (green), 0.0 mL removed (red); 0 new, 0 gone" in text and "removed (orange)" in text
    assert len(case.previews()) == 2 and case.enabled() == ["refine", "acceptRefinement", "discardRefinement"]
    np.testing.assert_array_equal(case.lesions(), before)
    case.ui.acceptRefinementButton.click()
    assert case.lesions()[GROWN].all() and case.previews() == []
    assert case.enabled() == ["refine", "undoRefinement"] and not case.ui.refineSummaryLabel.visible
    case.ui.undoRefinementButton.click()
    np.testing.assert_array_equal(case.lesions(), before)
    assert case.enabled() == ["refine", "redoRefinement"]
    case.ui.redoRefinementButton.click()
    assert case.lesions()[GROWN].all()


def test_while_it_is_accepted_no_preview_is_made_anew(case, monkeypatch):
    case.paint(MARK)
    case.ui.refineButton.click()
    case.answer()
    monkeypatch.setattr(Refinement, "summary", lambda self: pytest.fail("The preview was made anew."))
    case.ui.acceptRefinementButton.click()
    assert case.lesions()[GROWN].all() and case.previews() == []


def test_what_cannot_be_accepted_is_shown_still(case, monkeypatch):
    case.paint(MARK)
    case.ui.refineButton.click()
    case.answer()
    shown = case.previews()

    def accept(self):
        raise OutputError("They would not overlay the volume.")

    monkeypatch.setattr(Refinement, "accept", accept)
    case.ui.acceptRefinementButton.click()
    assert case.ui.refineSummaryLabel.text == "They would not overlay the volume."
    assert case.previews() == shown and case.enabled() == ["refine", "acceptRefinement", "discardRefinement"]


def test_what_is_discarded_changes_nothing(case):
    case.paint(MARK)
    before = case.lesions()
    case.ui.refineButton.click()
    case.answer()
    case.ui.discardRefinementButton.click()
    np.testing.assert_array_equal(case.lesions(), before)
    assert case.previews() == [] and case.enabled() == ["refine"]


def test_the_preview_follows_what_is_edited_while_it_is_shown(case):
    case.paint(MARK)
    case.ui.refineButton.click()
    case.answer()
    case.paint((slice(11, 14), slice(96, 98), slice(53, 61)))  # a quarter of what would be added, by hand
    assert "1.6 mL added" in case.ui.refineSummaryLabel.text
    case.paint(GROWN)
    assert case.ui.refineSummaryLabel.text == "Nothing more would change." and case.previews() == []
    assert case.enabled() == ["refine"]


def test_a_run_is_cancelled_by_the_button_by_another_result_and_at_the_end(case):
    case.paint(MARK)
    for end in (case.ui.refineButton.click, lambda: case.section.show(None), case.section.cleanup):
        case.section.show(case.workspace)
        case.ui.refineButton.click()
        assert not case.runs[-1].cancelled
        end()
        assert case.runs[-1].cancelled
        assert end == case.section.cleanup or case.ui.refineButton.text == "Refine from edits"


def test_an_answer_that_comes_after_the_result_was_left_is_dropped(case):
    case.paint(MARK)
    case.ui.refineButton.click()
    run = case.runs[0]
    run.cancel = lambda: None  # too late
    case.section.show(None)
    run.onFinished(case.node, Refinement(case.workspace, case.result))
    assert case.previews() == [] and case.enabled() == []


def test_what_would_change_in_a_result_that_was_replaced_is_dropped(case):
    case.paint(MARK)
    case.ui.refineButton.click()
    case.answer()
    segmentationNodeFromResult(resultOf(case.volume), case.volume, case.node, replace=True)
    before = segmentMask(case.node, "lesion_1", case.volume)
    case.ui.acceptRefinementButton.click()  # before anybody told the section
    assert "is another result by now" in case.ui.refineSummaryLabel.text
    np.testing.assert_array_equal(segmentMask(case.node, "lesion_1", case.volume), before)
    case.section.show(workspaceOf(case.node))
    assert case.previews() == [] and case.enabled() == ["refine"]  # what was drawn in a segment of its own stayed


def test_a_refusal_and_a_failure_are_said_and_change_nothing(case):
    case.paint(MARK)
    before = case.lesions()
    case.error = InputError("PyTorch is needed.")
    case.ui.refineButton.click()
    assert case.ui.refineSummaryLabel.text == "PyTorch is needed." and case.ui.refineButton.text == "Refine from edits"
    case.error = None
    case.ui.refineButton.click()
    case.runs[0].onFailed("Memory ran out: choose a region of interest.", "details")
    assert case.ui.refineSummaryLabel.text.startswith("Memory ran out") and case.enabled() == ["refine"]
    np.testing.assert_array_equal(case.lesions(), before)


def test_no_preview_is_left_when_the_module_is_unloaded(case):
    case.paint(MARK)
    case.ui.refineButton.click()
    case.answer()
    assert case.previews()
    case.section.cleanup()
    assert case.previews() == []


def test_an_edit_that_is_noticed_while_the_preview_goes_leaves_none_behind(case):
    scene = slicer.mrmlScene
    tag = scene.AddObserver(scene.NodeRemovedEvent, lambda *_event: case.workspace.flush())
    try:
        case.paint(MARK)
        case.ui.refineButton.click()
        case.answer()
        case.node.GetSegmentation().GetSegment("mine").SetName("Mine")  # not noticed yet
        case.ui.discardRefinementButton.click()
    finally:
        scene.RemoveObserver(tag)
    assert case.previews() == [] and case.enabled() == ["refine"]
