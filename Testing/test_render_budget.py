"""What each action may cost in renderings and events: the table of render_budget.md."""

import re
from contextlib import closing
from pathlib import Path

import pytest
import slicer_harness
from fakes.panel_fakes import closePanel, makeCT, openPanel, pump, resultOf

slicer_harness.install()

import slicer  # noqa: E402
from LiverLesionCascadeLib.engine.grid.boxed import Boxed  # noqa: E402
from LiverLesionCascadeLib.gui.sections.threshold_section import ThresholdSection  # noqa: E402
from LiverLesionCascadeLib.scene.tools.lesion_rows import LesionRows  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.review import ACCEPTED  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.workspace import workspaceOf  # noqa: E402
from slicer_harness import views  # noqa: E402

TABLE = (Path(__file__).parent / "render_budget.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([a-zA-Z0-9 ]+?) \| (\d+) \| (\d+) \|$", TABLE, re.MULTILINE)
BUDGET = {name: (int(renderings), int(events)) for name, renderings, events in ROWS}
CLOSED_SURFACE = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()


class Counter:
    """Events of a node, as all who observe it are told."""

    def __init__(self):
        self.count, self.node, self._tag = 0, None, None

    def follow(self, node):
        self.node, self._tag = node, node.AddObserver("AnyEvent", self._on)

    def close(self):
        """Else the node tells it of its own end, when Python may have taken it apart."""
        if self.node is not None:
            self.node.RemoveObserver(self._tag)

    def _on(self, _caller, _event):
        self.count += 1


@pytest.fixture
def p():
    slicer.mrmlScene.Clear()
    opened = openPanel()
    yield opened
    closePanel(opened)
    slicer.mrmlScene.Clear()


def section(p, kind):
    return next(each for each in p.panel.results.workbench.sections if isinstance(each, kind))


def test_no_action_costs_more_than_its_budget_whatever_the_number_of_lesions(p):
    volume = makeCT(more=10)
    p.ui.inputSelector.setCurrentNode(volume)
    spent = {}
    with views.shown() as renderings, closing(Counter()) as events:

        def spend(name, action):
            before = events.count
            drawn = renderings.of(action)
            assert not views.paused(), name
            spent[name] = max(drawn.values()), events.count - before

        def arrive():
            result = resultOf(volume)
            result.lesion_probability = Boxed((result.lesions.values > 0).astype("float16"), result.lesions.start)
            p.runs.finish(p.runs.submitted.pop(), result)

        p.ui.segmentButton.click()
        spend("progress of a run", lambda: p.runs.submitted[-1].onProgress(0.5, "Lesions", 3.0))
        observer = slicer.mrmlScene.AddObserver(slicer.mrmlScene.NodeAddedEvent, lambda *_: follow())

        def follow():
            nodes = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
            if nodes and events.node is None:
                events.follow(nodes[0])

        spend("a result arrives", arrive)
        slicer.mrmlScene.RemoveObserver(observer)
        node = p.panel.results.node
        rows = workspaceOf(node).tool(LesionRows)
        assert len(rows.present()) == 12
        spend("lesions are measured", lambda: pump(lambda: not rows.pending()))
        workbench = p.panel.results.workbench
        lesions, threshold = workbench.lesions, section(p, ThresholdSection)
        spend("select a lesion", lambda: lesions.step(1))
        spend("accept", lambda: lesions.review.toggle(ACCEPTED))
        spend("undo a verdict", lesions.review.undo)
        spend("diameters on", lesions.ui.diametersCheckBox.click)
        spend("select with diameters", lambda: lesions.step(1))
        spend("diameters off", lesions.ui.diametersCheckBox.click)
        spend("show one alone", lesions.ui.isolateCheckBox.click)
        spend("select the next alone", lambda: lesions.step(1))
        spend("show all again", lesions.ui.isolateCheckBox.click)
        spend("show 3D", p.ui.show3DButton.toggle)
        threshold.ui.thresholdCollapsibleButton.collapsed = False

        def preview():
            threshold.ui.minimumSizeSlider.value = 20
            pump(lambda: threshold._threshold.isPreviewing)

        spend("preview of a threshold", preview)
        spend("apply a threshold", threshold.ui.applyThresholdButton.click)
        assert len(workspaceOf(node).lesionIds()) < 12
        spend("undo the threshold", threshold.ui.undoThresholdButton.click)
        assert len(workspaceOf(node).lesionIds()) == 12
        spend("hide 3D", p.ui.show3DButton.toggle)
    print(spent)
    assert {name: cost for name, cost in spent.items() if cost[0] > BUDGET[name][0] or cost[1] > BUDGET[name][1]} == {}
    assert set(spent) == set(BUDGET)


def test_surfaces_stay_shown_through_every_change_and_only_those_of_other_voxels_are_made_anew(p):
    volume = makeCT(more=10)
    p.ui.inputSelector.setCurrentNode(volume)
    p.ui.segmentButton.click()
    result = resultOf(volume)
    result.lesion_probability = Boxed((result.lesions.values > 0).astype("float16"), result.lesions.start)
    node = p.runs.finish(p.runs.submitted.pop(), result)
    segmentation = node.GetSegmentation()
    p.ui.show3DButton.toggle()

    def surfaces():
        ids = segmentation.GetSegmentIDs()
        return {each: segmentation.GetSegment(each).GetRepresentation(CLOSED_SURFACE) for each in ids}

    before = surfaces()
    workbench = p.panel.results.workbench
    workbench.lesions.step(1)
    workbench.lesions.review.toggle(ACCEPTED)
    threshold = section(p, ThresholdSection)
    threshold.ui.thresholdCollapsibleButton.collapsed = False
    threshold.ui.minimumSizeSlider.value = 20
    pump(lambda: threshold._threshold.isPreviewing)
    threshold.ui.applyThresholdButton.click()
    after = surfaces()
    assert len(after) < len(before) and all(after[each] is before[each] for each in after)
    threshold.ui.undoThresholdButton.click()
    back = surfaces()
    assert set(back) == set(before) and all(back.values()) and all(back[each] is before[each] for each in after)
    assert p.ui.show3DButton.checked


def test_a_view_draws_once_after_a_blocker_however_often_it_was_asked():
    slicer.mrmlScene.Clear()
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()

    def fade():
        for opacity in (0.1, 0.2, 0.3):
            display.SetOpacity(opacity)

    def fadeAtOnce():
        with slicer.util.RenderBlocker():
            fade()

    with views.shown() as renderings:
        assert set(renderings.of(fade).values()) == {3}
        assert set(renderings.of(fadeAtOnce).values()) == {1}
        assert set(renderings.of(lambda: None).values()) == {0}
    slicer.mrmlScene.Clear()
