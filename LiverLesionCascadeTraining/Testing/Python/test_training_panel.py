"""The training module's panel, in the harness, with fakes for PyTorch, the check of the data, and the trainer."""

import json
import os
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import slicer_harness
from fakes.training_fakes import FAKE_TRAINER, FakeInstaller

slicer_harness.install()

import qt  # noqa: E402
import slicer  # noqa: E402
from LiverLesionCascadeLib.engine.errors import OutputError  # noqa: E402
from LiverLesionCascadeTrainingLib.datasets.data_check import DataCheck, check  # noqa: E402
from LiverLesionCascadeTrainingLib.gui import result_panel  # noqa: E402
from LiverLesionCascadeTrainingLib.gui.case_panel import CasePanel  # noqa: E402
from LiverLesionCascadeTrainingLib.gui.preview_view import imageFromArray  # noqa: E402
from LiverLesionCascadeTrainingLib.gui.result_panel import ResultPanel, exportBundle  # noqa: E402
from LiverLesionCascadeTrainingLib.gui.status_text import durationText, jobText  # noqa: E402
from LiverLesionCascadeTrainingLib.gui.training_panel import LAST_RUN_SETTING, TrainingPanel  # noqa: E402
from LiverLesionCascadeTrainingLib.gui.training_state import controls  # noqa: E402
from LiverLesionCascadeTrainingLib.runs.preview_image import PREDICTED_RGB, REFERENCE_RGB, montage, outline  # noqa: E402
from LiverLesionCascadeTrainingLib.runs.run_folder import Preview, RunFolder, RunStatus  # noqa: E402
from LiverLesionCascadeTrainingLib.runs.training_process import TrainingRun  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
MODULE = ROOT / "LiverLesionCascadeTraining" / "LiverLesionCascadeTraining.py"
UI = MODULE.parent / "Resources" / "UI" / "LiverLesionCascadeTraining.ui"


class FakeCommand:
    """A background command that ends when the test says so."""

    def __init__(self, command):
        self.command, self.ended, self.succeeded, self.output, self.error, self.closed = (
            command,
            False,
            False,
            "",
            "",
            0,
        )

    def end(self, output="", error=""):
        self.ended, self.succeeded, self.output, self.error = True, not error, output, error

    def close(self):
        self.closed += 1


class Launcher:
    def __init__(self):
        self.commands = []

    def __call__(self, command):
        self.commands.append(FakeCommand(command))
        return self.commands[-1]


class Parameters:
    """The parameter node's fields, for parts that are tested without the widget."""

    def __init__(self, **values):
        names = (
            "trainFolder",
            "validationFolder",
            "runFolder",
            "startBundle",
            "casesFolder",
            "caseFolder",
            "casePatient",
        )
        self.__dict__.update(dict.fromkeys(names, ""), recipe="compact", device="cpu", outliveSlicer=True)
        self.caseVolume = self.caseSegmentation = None
        self.__dict__.update(values)


class Settings(dict):
    def value(self, key, default):
        return self.get(key, default)

    setValue = dict.__setitem__


@pytest.fixture
def ui():
    slicer.mrmlScene.Clear()
    panel = slicer.util.loadUI(str(UI))
    variables = slicer.util.childWidgetVariables(panel)
    variables.panel = panel
    yield variables
    slicer.mrmlScene.Clear()


@pytest.fixture
def training(ui, tmp_path, monkeypatch):
    """A panel whose choices are a training, with the fake trainer; what it started is ended afterwards."""
    monkeypatch.setenv("FAKE_TRAINER", "steps=100000 pause=0.005")
    (tmp_path / "train").mkdir()
    parameters = Parameters(trainFolder=str(tmp_path / "train"), runFolder=str(tmp_path / "run"))
    launcher, changes, settings = Launcher(), [], Settings()

    def make(**options):
        values = {"installer": FakeInstaller(), "launch": launcher}
        values["makeRun"] = lambda folder: TrainingRun(folder, FAKE_TRAINER)
        panel = TrainingPanel(ui, settings, changes.append, **(values | options))
        panel.launcher, panel.settings, panel.parameters = launcher, settings, parameters
        panel.setParameters(parameters)
        panels.append(panel)
        return panel

    panels = []
    yield make
    for panel in panels:
        for run in panel._runs.values():
            if run._process is not None:
                run._process.kill()
                run._process.wait()


def poll_until(panel, condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not reached; the status is {panel._status}"
        time.sleep(0.02)
        panel.poll()


def end_check(panel, found):
    panel.launcher.commands[-1].end(json.dumps(asdict(found)))
    panel.poll()


def started(panel, until="training"):
    """Clicks Start, lets the check of the data find nothing wrong, and waits until the trainer is in a state."""
    panel.ui.startButton.click()
    end_check(panel, DataCheck("5 cases", prepared="/data set"))
    poll_until(panel, lambda: panel._status.state == until)
    return panel


def test_start_checks_the_data_first_and_then_trains_on_what_was_prepared(training):
    panel = training()
    panel.ui.startButton.click()
    (check,) = panel.launcher.commands
    assert check.command[-3:] == [panel.parameters.trainFolder, "", panel.parameters.runFolder]
    assert not panel.ui.startButton.enabled and panel.ui.stopButton.enabled and not panel.ui.choicesWidget.enabled
    assert panel._status.state == "none"
    end_check(panel, DataCheck("5 cases", prepared="/data set"))
    poll_until(panel, lambda: panel._status.state == "training")
    assert panel.ui.reportText.plainText == "5 cases"
    assert "/data set" in panel.run.folder.tail()
    assert panel.settings[LAST_RUN_SETTING] == panel.parameters.runFolder
    poll_until(panel, lambda: panel.curves.chart is not None)


def test_a_scene_that_is_closed_while_the_data_are_checked_does_not_keep_the_training_from_starting(training):
    panel = training()
    panel.ui.startButton.click()
    panel.setParameters(None)
    end_check(panel, DataCheck("5 cases", prepared="/data set"))
    panel.setParameters(panel.parameters)
    poll_until(panel, lambda: panel._status.state == "training")
    assert "/data set" in panel.run.folder.tail()


def test_problems_of_the_data_are_listed_and_nothing_is_started(training):
    panel = training()
    panel.ui.startButton.click()
    end_check(panel, DataCheck(problems=["case 3: no liver", "case 7: two grids"]))
    assert panel.ui.reportText.plainText == "case 3: no liver\ncase 7: two grids"
    assert "2 problem" in panel.ui.errorLabel.text and panel._status.state == "none" and panel.ui.startButton.enabled


def test_a_check_that_dies_says_why(training):
    panel = training()
    panel.ui.checkButton.click()
    panel.launcher.commands[0].end(error="No module named filelock")
    panel.poll()
    assert "No module named filelock" in panel.ui.errorLabel.text and panel.launcher.commands[0].closed


def test_a_check_can_be_stopped(training):
    panel = training()
    panel.ui.startButton.click()
    panel.ui.stopButton.click()
    assert panel.launcher.commands[0].closed and panel.ui.startButton.enabled
    panel.poll()
    assert panel._status.state == "none"


def test_without_pytorch_nothing_is_started(training):
    panel = training(installer=FakeInstaller(False))
    panel.ui.startButton.click()
    assert panel.launcher.commands == []


def test_pause_resume_and_stop_are_steered_by_the_buttons(training):
    panel = started(training())
    panel.ui.pauseButton.click()
    assert not panel.ui.pauseButton.enabled  # until the trainer has obeyed
    poll_until(panel, lambda: panel._status.state == "paused")
    assert panel.ui.pauseButton.text == "Resume" and panel.ui.pauseButton.enabled
    panel.ui.pauseButton.click()
    poll_until(panel, lambda: panel._status.state == "training")
    panel.ui.stopButton.click()
    poll_until(panel, lambda: panel._status.state == "stopped")
    assert panel.ui.startButton.text == "Continue training" and panel.ui.startButton.enabled


def test_curves_and_slices_follow_the_training(training, monkeypatch):
    monkeypatch.setenv("FAKE_TRAINER", "steps=20 pause=0.001")
    panel = started(training(), until="finished")
    chart = panel.curves.chart
    assert chart.GetTitle() == jobText("lesion")
    table = chart.GetNthPlotSeriesNode(0).GetTableNode()
    assert slicer.util.arrayFromTableColumn(table, "Step").tolist() == list(range(1, 21))
    assert panel.ui.previewLabel.pixmap.width() > 0 and "case 1" in panel.ui.previewLabel.toolTip
    assert [panel.ui.jobComboBox.itemData(index) for index in range(3)] == ["", "liver", "lesion"]
    panel.ui.jobComboBox.setCurrentIndex(1)
    panel.ui.jobComboBox.activated.emit(1)
    assert chart.GetTitle() == jobText("liver")
    assert not panel.ui.startButton.enabled and "finished" in panel.ui.startButton.toolTip


def test_removed_plot_nodes_are_made_again(training):
    panel = started(training())
    for name in ("vtkMRMLPlotChartNode", "vtkMRMLPlotSeriesNode", "vtkMRMLTableNode"):
        for node in slicer.util.getNodesByClass(name):
            slicer.mrmlScene.RemoveNode(node)
    panel.poll()
    assert panel.curves.chart is None  # the user has removed it: it comes back when asked for
    panel.ui.curvesButton.click()
    assert panel.curves.chart.GetNumberOfPlotSeriesNodes() == 3
    assert not panel.curves.chart.GetSaveWithScene()


def test_a_trainer_that_dies_is_said_with_its_last_output(training, monkeypatch):
    monkeypatch.setenv("FAKE_TRAINER", "steps=50 pause=0.005 die=20")
    panel = started(training(), until="lost")
    assert "The disk is full" in panel.ui.errorLabel.text and "fake trainer" in panel.ui.reportText.plainText
    assert panel.ui.startButton.text == "Continue training"


def test_a_new_scene_takes_up_the_training_that_goes_on(training):
    panel = started(training())
    fresh = Parameters()
    panel.setParameters(None)
    panel.setParameters(fresh)
    assert (fresh.runFolder, fresh.trainFolder) == (panel.parameters.runFolder, panel.parameters.trainFolder)
    assert panel.ui.stopButton.enabled


def test_closing_the_module_leaves_the_training_at_work_and_a_new_panel_finds_it(training):
    first = started(training())
    first.close()
    second = training()
    step = second._status.step
    poll_until(second, lambda: second._status.step > step)
    second.ui.stopButton.click()
    poll_until(second, lambda: second._status.state == "stopped")


@pytest.mark.parametrize(("outlive", "command"), [(True, None), (False, "stop")])
def test_slicer_s_end_stops_the_training_unless_it_shall_go_on(training, outlive, command):
    panel = started(training())
    panel.parameters.outliveSlicer = outlive
    panel.onSlicerQuits()
    control = panel.run.folder.path / "control.json"
    assert (json.loads(control.read_text())["command"] if control.is_file() else None) == command


@pytest.mark.parametrize(("outlive", "command"), [(True, None), (False, "stop")])
def test_a_scene_that_was_closed_leaves_the_wish_for_the_training_at_slicer_s_end(training, outlive, command):
    panel = training()
    panel.parameters.outliveSlicer = outlive
    started(panel)
    panel.setParameters(None)
    panel.onSlicerQuits()
    control = panel.run.folder.path / "control.json"
    assert (json.loads(control.read_text())["command"] if control.is_file() else None) == command


@pytest.mark.parametrize("other_slicer", [False, True])
def test_in_a_new_scene_the_training_goes_on_or_not_as_was_chosen_for_it(training, tmp_path, other_slicer):
    panel = training()
    panel.parameters.outliveSlicer = False
    started(panel)
    panel.setParameters(None)
    if other_slicer:
        panel = TrainingPanel(panel.ui, panel.settings, lambda run: None, FakeInstaller())
    fresh = Parameters()
    panel.setParameters(fresh)
    assert fresh.runFolder == str(tmp_path / "run") and not fresh.outliveSlicer


def test_at_slicer_s_end_one_run_that_cannot_be_told_to_stop_leaves_the_others_told(training):
    class Deaf:
        active = True

        def send(self, command):
            raise OutputError("its folder cannot be written to")

    panel = started(training())
    panel.parameters.outliveSlicer = False
    panel._started = [Deaf(), panel.run]
    panel.onSlicerQuits()
    assert json.loads((panel.run.folder.path / "control.json").read_text())["command"] == "stop"


def test_another_s_training_is_not_stopped_with_slicer(training, tmp_path):
    RunFolder(tmp_path).write_status(RunStatus(os.getpid(), time.time(), time.time(), "training", "liver", 1, 9))
    panel = training()
    panel.parameters.runFolder, panel.parameters.outliveSlicer = str(tmp_path), False
    panel.update()
    assert panel.ui.stopButton.enabled
    panel.onSlicerQuits()
    assert not (tmp_path / "control.json").exists()


@pytest.mark.parametrize("state", ["none", "preparing", "training", "validating", "paused"])
@pytest.mark.parametrize("checking", [False, True])
def test_a_training_starts_only_where_none_is_at_work(state, checking):
    assert controls(state, "", checking).startEnabled == (state == "none" and not checking)


def test_a_reason_is_given_whenever_the_choices_are_no_training(training):
    panel = training()
    for field in ("runFolder", "trainFolder"):
        setattr(panel.parameters, field, "")
        panel.update()
        assert panel.ui.reasonLabel.text and not panel.ui.startButton.enabled
    panel.parameters.trainFolder = "/no such folder"
    panel.update()
    assert "/no such folder" in panel.ui.reasonLabel.text


# ------------------------------------------------------------------------------------------------------------ the data


def test_the_check_prepares_folders_and_says_what_is_wrong(tmp_path):
    from fixtures.lits_phantoms import phantom_case, write_case

    for name in ("1", "2"):
        write_case(tmp_path / "train", name, *phantom_case(int(name)))
    found = check(str(tmp_path / "train"), "", str(tmp_path / "run"))
    assert found.problems == [] and "train: " in found.text
    assert Path(found.prepared) == tmp_path / "run" / "data"
    again = check(found.prepared, "", str(tmp_path / "run 2"))
    assert again.prepared == "" and again.problems == []
    hu, labels = phantom_case(3)
    write_case(tmp_path / "train", "3", hu, labels * 0)
    problems = check(str(tmp_path / "train"), "", str(tmp_path / "run")).problems
    assert len(problems) == 1 and "liver" in problems[0]
    assert check(str(tmp_path / "nothing"), "", str(tmp_path / "run")).problems


# ----------------------------------------------------------------------------------------------------------- the model


def finished_run(tmp_path):
    bundle = tmp_path / "run" / "bundle"
    bundle.mkdir(parents=True)
    (bundle / "metadata.json").write_text(json.dumps({"name": "Löwe", "version": "1.0"}), encoding="utf-8")
    (bundle / "weights.pt").write_bytes(b"weights")
    return TrainingRun(tmp_path / "run")


def test_an_evaluation_shows_its_table_and_can_be_cancelled(ui, tmp_path):
    launcher = Launcher()
    panel = ResultPanel(ui, lambda: "", installer=FakeInstaller(), launch=launcher)
    assert not ui.evaluateButton.enabled
    panel.setParameters(Parameters(casesFolder=str(tmp_path)))
    panel.setRun(finished_run(tmp_path))
    ui.evaluateButton.click()
    assert launcher.commands[0].command[-6:] == [
        *("evaluate", str(tmp_path), "--device", "cpu", "--bundle", str(tmp_path / "run" / "bundle"))
    ]
    launcher.commands[0].error = "case 9, 1 of 2"
    panel.poll()
    assert "case 9, 1 of 2" in ui.resultLabel.text and ui.evaluateButton.text == "Cancel"
    launcher.commands[0].end("| Case |\n")
    panel.poll()
    assert ui.resultsText.plainText == "| Case |" and ui.evaluateButton.text == "Evaluate"
    ui.evaluateButton.click()
    ui.evaluateButton.click()
    assert launcher.commands[1].closed and not panel.busy
    ui.evaluateButton.click()
    launcher.commands[2].end(error="Device cuda cannot be used")
    panel.poll()
    assert "Device cuda cannot be used" in ui.resultLabel.text
    ui.evaluateButton.click()
    launcher.commands[3].end("| Case | 19 of 20\n", error="1 of 20 cases failed and are left out")
    panel.poll()
    assert ui.resultsText.plainText == "| Case | 19 of 20" and ui.resultLabel.text.startswith("1 of 20 cases failed")


def test_a_model_is_exported_whole_and_never_over_another(ui, tmp_path):
    target = tmp_path / "Modelle"
    target.mkdir()
    panel = ResultPanel(ui, lambda: str(target), installer=FakeInstaller())
    assert not ui.exportButton.enabled
    panel.setRun(finished_run(tmp_path))
    ui.exportButton.click()
    assert sorted(path.name for path in (target / "Löwe-1.0").iterdir()) == ["metadata.json", "weights.pt"]
    with pytest.raises(OutputError, match="exists already"):
        exportBundle(panel.bundle, target)
    ui.exportButton.click()
    assert "exists already" in ui.resultLabel.text
    assert [path.name for path in target.iterdir()] == ["Löwe-1.0"]


def test_a_model_is_used_by_the_segmentation_module(ui, tmp_path, monkeypatch):
    chosen = Parameters()
    logic = type("Logic", (), {"getParameterNode": lambda self: chosen})()
    selected = []
    monkeypatch.setattr(result_panel.slicer.util, "selectModule", selected.append)
    monkeypatch.setattr(result_panel.slicer.util, "getModuleLogic", lambda name: logic)
    panel = ResultPanel(ui, lambda: "")
    panel.setRun(finished_run(tmp_path))
    ui.useButton.click()
    assert chosen.bundle == str(tmp_path / "run" / "bundle") and selected == ["LiverLesionCascade"]


# ------------------------------------------------------------------------------------------------------ add this case


def test_a_case_of_the_scene_is_written_beside_the_others(ui, tmp_path):
    from LiverLesionCascadeTrainingLib.datasets.cases import find_cases

    module = slicer_harness.load(MODULE).module
    volume, segmentation = module.LiverLesionCascadeTrainingTest().makeCase()
    panel = CasePanel(ui)
    parameters = Parameters(caseFolder=str(tmp_path / "Fälle"), casePatient="p 7")
    panel.setParameters(parameters)
    assert not ui.addCaseButton.enabled and "CT volume" in ui.caseLabel.text
    parameters.caseVolume, parameters.caseSegmentation = volume, segmentation
    for count in (1, 2):
        panel.update()
        ui.addCaseButton.click()
        poll_case(panel)
        assert "Added as case" in ui.caseLabel.text and "Cyst" in ui.caseLabel.text
        cases = find_cases([tmp_path / "Fälle"])
        assert [case.patient for case in cases] == ["p 7"] * count
        assert all("CT" not in case.name for case in cases)
    assert not [path for path in (tmp_path / "Fälle").iterdir() if path.name.startswith(".")]


def poll_case(panel):
    end = time.monotonic() + 120
    while panel.busy:
        assert time.monotonic() < end
        time.sleep(0.05)
        panel.poll()


def test_a_case_without_a_liver_is_not_added_and_says_so(ui, tmp_path):
    volume, segmentation = slicer_harness.load(MODULE).module.LiverLesionCascadeTrainingTest().makeCase()
    segmentation.GetSegmentation().RemoveSegment(segmentation.GetSegmentation().GetNthSegmentID(0))
    panel = CasePanel(ui)
    panel.setParameters(Parameters(caseFolder=str(tmp_path / "new"), caseVolume=volume, caseSegmentation=segmentation))
    ui.addCaseButton.click()
    assert "has no liver" in ui.caseLabel.text and not panel.busy and not (tmp_path / "new").exists()


def test_terminology_counts_before_the_name(ui):
    from LiverLesionCascadeLib.scene.nodes.terminology import LESION_TERMINOLOGY, LIVER_TERMINOLOGY
    from LiverLesionCascadeTrainingLib.scene_case import segmentRole

    roles = []
    for name, terminology in (("Segment_1", LIVER_TERMINOLOGY), ("Liver", LESION_TERMINOLOGY), ("Leber", "")):
        segment = slicer.vtkSegment()
        segment.SetName(name)
        if terminology:
            segment.SetTerminology(terminology)
        roles.append(segmentRole(segment))
    assert roles == [1, 2, 1]


# --------------------------------------------------------------------------------------------------------- the picture


def test_outlines_lie_on_the_inner_border_of_each_label():
    labels = np.zeros((7, 7), np.uint8)
    labels[1:6, 1:6] = 1
    labels[3, 3] = 2
    expected = labels == 1
    expected[2:5, 2:5] = False
    expected[3, 3] = True
    np.testing.assert_array_equal(outline(labels), expected)
    assert not outline(np.ones((4, 4), np.uint8)).any()


def test_the_picture_shows_both_outlines_the_right_way_up():
    reference, predicted = np.zeros((1, 220, 220), np.uint8), np.zeros((1, 220, 220), np.uint8)
    reference[0, 10:30, 10:30], predicted[0, 150:200, 40:60] = 1, 1
    picture = montage(Preview(np.full((1, 220, 220), 90, np.uint8), reference, predicted, ("a",)))
    assert tuple(picture[10, 20]) == REFERENCE_RGB and tuple(picture[150, 50]) == PREDICTED_RGB
    image = imageFromArray(picture)
    assert (image.width(), image.height()) == (220, 220)
    color = qt.QColor(image.pixel(20, 10))
    assert (color.red(), color.green(), color.blue()) == REFERENCE_RGB


def test_durations_are_said_as_a_person_says_them():
    assert [durationText(seconds) for seconds in (20, 50, 600, 3 * 3600 + 120, 86400 * 3)] == [
        *("half a minute", "1 minute", "10 minutes", "3 h 2 min", "3 days")
    ]
