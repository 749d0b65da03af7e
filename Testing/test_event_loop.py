"""Slicer stays alive while the sample is segmented: events are handled in every stage of a run.

With the real panel, worker process and networks. How long an event waits at most is measured by benchmark_panel.py.
"""

import time

import pytest
import slicer_harness
from LiverLesionCascadeLib.sample import fetch_sample

slicer_harness.install()

import qt  # noqa: E402
import slicer  # noqa: E402
from fakes.heartbeat import Heartbeat  # noqa: E402
from LiverLesionCascadeLib.gui.registered.self_test import waitUntil  # noqa: E402
from LiverLesionCascadeLib.gui.runs import event_loop  # noqa: E402
from LiverLesionCascadeLib.gui.runs.qt_process import QtProcess  # noqa: E402
from LiverLesionCascadeLib.gui.runs.segmentation_runs import SegmentationRuns  # noqa: E402
from LiverLesionCascadeLib.worker.client import WorkerClient  # noqa: E402
from tools.refresh_cmake_lists import REPOSITORY  # noqa: E402


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return fetch_sample(tmp_path_factory.mktemp("sample")).image


@pytest.fixture
def runs(tmp_path):
    made = SegmentationRuns(lambda: WorkerClient(QtProcess, event_loop.shared.callLater, tmp_path))
    yield made
    made.close()


@pytest.fixture
def ui(runs):
    module = slicer_harness.load(REPOSITORY / "LiverLesionCascade" / "LiverLesionCascade.py").module
    parent = slicer.qSlicerWidget()
    parent.setLayout(qt.QVBoxLayout())
    parent.setMRMLScene(slicer.mrmlScene)
    parent.__dict__["isEntered"] = True
    made = module.LiverLesionCascadeWidget(parent, runs=runs)
    made.setup()
    made.enter()
    yield made.ui
    slicer_harness.destroy_widget(made)
    slicer.mrmlScene.Clear()


STAGES = ("Starting", "Loading the trained networks", "Finding the liver", "Finding lesions", "Measuring")
"""What the panel says while the worker computes."""


def test_the_event_loop_turns_in_every_stage_of_a_run_on_the_sample(ui, sample):
    volumeNode = slicer.util.loadVolume(str(sample))
    heartbeat = Heartbeat(lambda: ui.progressLabel.text)
    ui.inputSelector.setCurrentNode(volumeNode)
    waitUntil(lambda: ui.segmentButton.enabled, "the sample can be segmented")
    ui.segmentButton.click()
    waitUntil(lambda: ui.segmentButton.text == "Segment", "the run ends")
    heartbeat.stop()
    assert ui.errorLabel.text == ""
    assert len(slicer.util.getNodesByClass("vtkMRMLSegmentationNode")) == 1
    # Code that waits for the worker handles no event, or the one that ends its wait.
    beats = {stage: sum(n for text, n in heartbeat.beats.items() if stage in text) for stage in STAGES}
    assert min(beats.values()) >= 3, beats


def test_the_heartbeat_notices_what_blocks():
    heartbeat = Heartbeat(lambda: "asleep")
    done = []
    event_loop.shared.callLater(0.02, lambda: time.sleep(0.3))
    event_loop.shared.callLater(0.1, lambda: done.append(True))
    waitUntil(lambda: done, "the event loop goes on")
    waitUntil(lambda: heartbeat.longest > 0.2, "the block is noticed", seconds=5)
    heartbeat.stop()
    assert heartbeat.during == "asleep"
