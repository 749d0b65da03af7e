"""The tour on the harness: every step comes to its end without an error, is counted and pictured."""

import json
from pathlib import Path

import numpy as np
import pytest
import slicer_harness
from fakes.panel_fakes import closePanel, makeCT, openPanel, resultOf
from fakes.training_fakes import FAKE_TRAINER, useFakeTrainer
from scipy import ndimage

slicer_harness.install()

import slicer  # noqa: E402
from LiverLesionCascadeLib.engine.errors import OutputError  # noqa: E402
from LiverLesionCascadeLib.engine.grid.boxed import Boxed  # noqa: E402
from LiverLesionCascadeLib.gui.runs.run_request import SegmentationRequest  # noqa: E402
from LiverLesionCascadeLib.scene.workspace import edit_record  # noqa: E402
from LiverLesionCascadeTrainingLib.datasets.data_check import DataCheck  # noqa: E402
from LiverLesionCascadeTrainingLib.gui.training_panel import LAST_RUN_SETTING  # noqa: E402
from LiverLesionCascadeTrainingLib.runs.training_process import TrainingRun  # noqa: E402
from slicer_harness import views  # noqa: E402
from slicer_tour.tour import SEGMENTATION, TRAINING, Tour  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]


class HarnessViews:
    """Views without windows, and the panel that is open."""

    def __init__(self, shown):
        self._shown, self.panel = shown, None

    def renderings(self):
        return {view.name: view.renderings for view in self._shown.views}

    def picture(self, path):
        assert self.panel.grab().save(str(path))


class Checked:
    """A check of the data that finds nothing wrong."""

    ended, succeeded, error = True, True, ""

    def __init__(self, _command):
        self.output = json.dumps(DataCheck("5 cases").__dict__)

    def close(self):
        pass


class Machine:
    """What computes in the background: it answers whenever it is waited for."""

    def __init__(self, runs):
        self._runs, self._refinements = runs, []
        self._segment, runs.submit = runs.submit, self._submit

    def _submit(self, request, observer):
        if isinstance(request, SegmentationRequest):
            return self._segment(request, observer)
        self._refinements.append((request, observer))
        return type("Run", (), {"cancel": lambda self: None})()

    def turn(self):
        while self._runs.submitted:
            run = self._runs.submitted.pop()
            result = resultOf(run.volumeNode)
            result.lesion_probability = Boxed((result.lesions.values > 0).astype("float16"), result.lesions.start)
            self._runs.finish(run, result)
        while self._refinements:
            request, observer = self._refinements.pop()
            workspace = request.workspace
            marked = workspace.edits.painted(edit_record.LESIONS).full(workspace.shape)
            result = resultOf(workspace.volumeNode)
            lesions = workspace.lesions().full(workspace.shape) | ndimage.binary_dilation(marked, iterations=2)
            result.lesions = Boxed.labels(lesions.astype(np.uint8))
            observer.onFinished(*request.intoScene(result))


@pytest.fixture
def opened():
    slicer.mrmlScene.Clear()
    slicer.app.userSettings().remove(LAST_RUN_SETTING)
    panel = openPanel()
    yield panel
    closePanel(panel)
    slicer.app.userSettings().remove(LAST_RUN_SETTING)
    slicer.mrmlScene.Clear()


def test_a_day_with_both_modules(opened, tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_TRAINER", "steps=100000 pause=0.005")
    if TRAINING not in slicer_harness.LOADED:
        slicer_harness.load(ROOT / TRAINING / f"{TRAINING}.py")
    (tmp_path / "cases").mkdir()
    machine = Machine(opened.runs)
    trainings = []

    def open_module(name):
        if name == SEGMENTATION:
            seen.panel = opened.parent
            return opened.widget
        slicer.util.selectModule(name)
        widget = slicer_harness.LOADED[name].widget
        useFakeTrainer(widget, makeRun=make_run, launch=Checked)
        widget.initializeParameterNode()
        seen.panel = slicer_harness.LOADED[name].parent
        return widget

    def make_run(path):
        trainings.append(TrainingRun(path, FAKE_TRAINER))
        return trainings[-1]

    def turn():
        machine.turn()
        if TRAINING in slicer_harness.LOADED and slicer_harness.LOADED[TRAINING].widget is not None:
            slicer_harness.LOADED[TRAINING].widget.onTimer()

    folder = tmp_path / "tour"
    with views.shown() as shown:
        seen = HarnessViews(shown)
        tour = Tour(folder, seen, open_module, lambda name: makeCT(name, more=4), [tmp_path / "cases"] * 2, turn)
        try:
            tour.run()
        finally:
            for run in trainings:
                if run._process is not None:
                    run._process.kill()
                    run._process.wait()
    assert [step.name for step in tour.steps] == list(Tour.STEPS)
    assert len(list(folder.glob("*.png"))) >= len(Tour.STEPS)
    assert [each["name"] for each in json.loads((folder / "tour.json").read_text())] == list(Tour.STEPS)
    assert (folder / "tour.md").read_text().count("\n") == len(Tour.STEPS) + 2
    assert all(step.renderings for step in tour.steps)
    print((folder / "tour.md").read_text())


def test_a_step_that_does_not_come_to_its_end_fails_the_tour_and_is_written_down(opened, tmp_path):
    with views.shown() as shown:
        seen = HarnessViews(shown)
        seen.panel = opened.parent
        tour = Tour(tmp_path, seen, lambda name: opened.widget, makeCT, [tmp_path] * 2, lambda: None)
        opened.runs.error = OutputError("The disk is full.")
        with pytest.raises(AssertionError, match="The disk is full"):
            tour.run()
    assert [each["name"] for each in json.loads((tmp_path / "tour.json").read_text())] == ["load"]
