"""Nothing of ours outlives what it was about: runs, results, the scene, the panel."""

import gc
import time
import weakref

import pytest
import slicer_harness
from fakes import alive
from fakes.panel_fakes import closePanel, makeCT, openPanel, pump, resultOf

slicer_harness.install()

import qt  # noqa: E402
import slicer  # noqa: E402
from LiverLesionCascadeLib.engine.grid.boxed import Boxed  # noqa: E402
from LiverLesionCascadeLib.gui.panel.questions import Rerun  # noqa: E402
from LiverLesionCascadeLib.gui.runs.event_loop import EventLoop  # noqa: E402
from LiverLesionCascadeLib.gui.sections.follow_up_section import FollowUpSection  # noqa: E402
from LiverLesionCascadeLib.gui.sections.threshold_section import ThresholdSection  # noqa: E402
from LiverLesionCascadeLib.scene.tools.follow_up import FollowUp  # noqa: E402
from LiverLesionCascadeLib.scene.tools.lesion_rows import LesionRows  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.review import ACCEPTED  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.segment_watch import SegmentWatch  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.workspace import workspaceOf  # noqa: E402
from slicer_harness import errors  # noqa: E402


@pytest.fixture
def p():
    slicer.mrmlScene.Clear()
    opened = openPanel()
    yield opened
    if not opened.closed:
        closePanel(opened)
    slicer.mrmlScene.Clear()


def withProbability(volume):
    result = resultOf(volume)
    result.lesion_probability = Boxed((result.lesions.values > 0).astype("float16"), result.lesions.start)
    return result


def segmented(p, volume):
    p.ui.inputSelector.setCurrentNode(volume)
    p.ui.segmentButton.click()
    run = p.runs.submitted.pop()
    return p.runs.finish(run, withProbability(volume))


def section(p, kind):
    return next(each for each in p.panel.results.workbench.sections if isinstance(each, kind))


def measured(p, node):
    pump(lambda: not workspaceOf(node).tool(LesionRows).pending())


def nodes():
    """IDs of the scene's nodes, without the display nodes, which Slicer itself leaves behind."""
    found = [slicer.mrmlScene.GetNthNode(n) for n in range(slicer.mrmlScene.GetNumberOfNodes())]
    return {node.GetID() for node in found if not node.IsA("vtkMRMLDisplayNode")}


class Held:
    def __call__(self):
        pass


def test_the_event_loop_lets_go_of_what_it_has_called():
    loop, function = EventLoop(), Held()
    called = []
    loop.callLater(0, function)
    loop.callLater(0, lambda: called.append(True))
    gone = weakref.ref(function)
    del function
    pump(lambda: called)
    assert gone() is None
    loop.close()


def test_what_qt_s_own_single_shot_calls_lives_on_here_as_in_slicer():
    function = Held()
    qt.QTimer.singleShot(0, function)
    gone = weakref.ref(function)
    del function
    done = []
    qt.QTimer.singleShot(1, lambda: done.append(True))
    pump(lambda: done)
    gc.collect()
    assert gone() is not None


def test_the_event_loop_keeps_the_order_of_what_is_due_and_survives_one_that_raises():
    loop, called = EventLoop(), []
    loop.callLater(0.02, lambda: called.append("last"))
    loop.callLater(0, lambda: called.append("first"))
    loop.callLater(0, lambda: 1 / 0)
    loop.callLater(0, lambda: called.append("third"))
    pump(lambda: len(called) == 3)
    assert called == ["first", "third", "last"]
    assert "ZeroDivisionError" in errors.taken()[0]
    loop.close()


def test_a_closed_event_loop_calls_nothing():
    loop, other, called = EventLoop(), EventLoop(), []
    loop.callLater(0, lambda: called.append("closed"))
    loop.close()
    other.callLater(0.01, lambda: called.append("other"))
    pump(lambda: called)
    assert called == ["other"]
    other.close()


def test_nothing_but_the_volume_is_left_of_a_result_that_is_shown_and_deleted(p):
    volume = makeCT()
    before = nodes()
    for _ in range(2):
        node = segmented(p, volume)
        assert len(nodes() - before) > 2
        measured(p, node)
        slicer.mrmlScene.RemoveNode(node)
        qt.QApplication.processEvents()
        assert nodes() == before


def test_nothing_is_left_of_the_results_that_were_replaced_in_a_deleted_node(p):
    volume = makeCT()
    before = nodes()
    segmented(p, volume)
    p.questions.answer = Rerun.REPLACE
    node = segmented(p, volume)
    slicer.mrmlScene.RemoveNode(node)
    qt.QApplication.processEvents()
    assert nodes() == before


def test_thirty_runs_whose_results_are_deleted_leave_no_more_than_five(p):
    """Counts, not bytes: nodes, who listens to the scene and to the volume, and all objects of our classes."""
    volume = makeCT()
    before = alive.ours()  # what other tests still hold
    counted = {}
    for number in range(1, 31):
        node = segmented(p, volume)
        measured(p, node)
        p.panel.results.workbench.lesions.step(1)
        p.panel.results.workbench.lesions.review.toggle(ACCEPTED)
        slicer.mrmlScene.RemoveNode(node)
        del node
        qt.QApplication.processEvents()
        if number in (5, 30):
            end = time.monotonic() + 2 * SegmentWatch.delaySeconds  # what waits to be told holds on to it
            pump(lambda: time.monotonic() > end)  # noqa: B023 - called here
            listening = alive.observers(slicer.mrmlScene), str(volume).count("vtkObserver (")
            counted[number] = (nodes(), *listening), alive.ours()
    assert counted[30][0] == counted[5][0]
    more = counted[30][1] - counted[5][1]  # what other tests held may have gone meanwhile
    assert not more
    assert counted[30][1]["Workspace"] <= before["Workspace"]


def test_closing_the_scene_leaves_nothing_of_ours_alive(p):
    observers = alive.observers(slicer.mrmlScene)
    volume = makeCT()
    node = segmented(p, volume)
    earlier = makeCT("Earlier")
    baseline = segmented(p, earlier)
    p.ui.inputSelector.setCurrentNode(volume)
    measured(p, node)
    workspace = workspaceOf(node)
    workspace.tool(FollowUp).setBaseline(baseline)
    section(p, FollowUpSection).ui.followUpCollapsibleButton.collapsed = False
    pump(lambda: section(p, FollowUpSection).ui.followUpTable.rowCount)
    kept = {
        "workspace": weakref.ref(workspace),
        "baseline": weakref.ref(workspaceOf(baseline)),
        "rows": weakref.ref(workspace.tool(LesionRows)),
        "node": weakref.ref(node),
        "volume": weakref.ref(volume),
        "image": weakref.ref(volume.GetImageData()),
    }
    del volume, node, earlier, baseline, workspace
    p.runs.submitted.clear()
    slicer.mrmlScene.Clear()
    pump(lambda: True)
    gc.collect()
    assert [name for name, reference in kept.items() if reference() is not None] == []
    assert alive.observers(slicer.mrmlScene) == observers


def test_after_cleanup_nothing_speaks_to_the_widgets(p):
    volume = makeCT()
    node = segmented(p, volume)
    workspace = workspaceOf(node)
    threshold = section(p, ThresholdSection)
    threshold.ui.thresholdCollapsibleButton.collapsed = False
    section(p, FollowUpSection).ui.followUpCollapsibleButton.collapsed = False
    threshold.ui.thresholdSlider.value = 30
    segmentId = workspace.lesionIds()[0]
    node.GetSegmentation().GetSegment(segmentId).SetName("Renamed")
    p.ui.segmentButton.click()
    closePanel(p)
    slicer.mrmlScene.RemoveNode(node)
    done = []
    loop = EventLoop()
    loop.callLater(0.5, lambda: done.append(True))
    pump(lambda: done)
    loop.close()
    assert errors.taken() == []


def test_an_error_that_is_only_printed_is_noticed():
    loop, done = EventLoop(), []
    loop.callLater(0, lambda: {}["missing"])
    loop.callLater(0, lambda: done.append(True))
    pump(lambda: done)
    slicer.mrmlScene.RemoveNode(None)
    label = qt.QLabel()
    label.setMinimumSize(-1, -1)
    qt.QObject.startTimer(label, -1)
    found = errors.taken()
    assert any("KeyError: 'missing'" in each for each in found)
    assert len(found) >= 2
    loop.close()
