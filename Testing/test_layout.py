"""Panels in the width that Slicer gives them: nothing is cut and nothing grows, in any language."""

import os
import subprocess
import time
from pathlib import Path

import PySide6
import pytest
import slicer_harness
from fakes.panel_fakes import closePanel, makeCT, openPanel, pump
from PySide6 import QtCore, QtWidgets
from tools import update_translations as translations

slicer_harness.install()

import slicer  # noqa: E402
from LiverLesionCascadeLib.scene.tools.lesion_rows import LesionRows  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.workspace import workspaceOf  # noqa: E402
from LiverLesionCascadeTrainingLib.gui.training_panel import LAST_RUN_SETTING  # noqa: E402
from LiverLesionCascadeTrainingLib.runs.run_folder import RunFolder, RunStatus  # noqa: E402
from slicer_harness import layout  # noqa: E402
from slicer_harness.ctk_widgets import HEADER_HEIGHT  # noqa: E402

TRAINING = Path(__file__).resolve().parents[1] / "LiverLesionCascadeTraining" / "LiverLesionCascadeTraining.py"


@pytest.fixture(params=["en", "de-DE", "fr-FR"])
def language(request, tmp_path):
    """Both modules' texts in a language."""
    translators = []
    for module in ("LiverLesionCascade", "LiverLesionCascadeTraining"):
        if request.param != "en":
            compiled = tmp_path / f"{module}.qm"
            lrelease = Path(PySide6.__file__).parent / "lrelease"
            ts = translations.ts_path(module, request.param)
            subprocess.run([lrelease, ts, "-qm", compiled], check=True, capture_output=True)
            translators.append(QtCore.QTranslator())
            assert translators[-1].load(str(compiled)) and QtCore.QCoreApplication.installTranslator(translators[-1])
    yield request.param
    for translator in translators:
        QtCore.QCoreApplication.removeTranslator(translator)


@pytest.fixture
def p(language):
    """A panel of the module that segments."""
    slicer.mrmlScene.Clear()
    opened = openPanel()
    opened.area = layout.shown(opened.parent)
    yield opened
    opened.area.takeWidget()
    closePanel(opened)
    slicer.mrmlScene.Clear()


@pytest.fixture
def training(language, tmp_path):
    """The widget of the module that trains, on a training that is at work."""
    slicer.mrmlScene.Clear()
    loaded = slicer_harness.LOADED.get(TRAINING.stem) or slicer_harness.load(TRAINING)
    settings = slicer.app.userSettings()
    settings.remove(LAST_RUN_SETTING)
    slicer.util.selectModule(TRAINING.stem)
    loaded.widget.area = layout.shown(loaded.parent)
    yield loaded.widget
    loaded.widget.area.takeWidget()
    slicer_harness.close_panels()
    slicer.mrmlScene.Clear()


def problems(panel):
    """What does not fit."""
    turn()
    wide = [f"wants {layout.wanted(panel)} pixels"] * (layout.wanted(panel) > layout.PANEL_PIXELS)
    return wide + layout.cut(panel)


def turn():
    for _ in range(3):
        QtWidgets.QApplication.processEvents()


def test_at_its_usual_width_nothing_is_cut_and_nothing_makes_the_panel_grow(p, tmp_path):
    said = {}

    def look(state):
        said[state] = problems(p.parent)

    look("empty")
    volume = makeCT("Abdomen arterial phase with a rather long name of its series", more=10)
    p.ui.inputSelector.setCurrentNode(volume)
    p.ui.segmentButton.click()
    run = p.runs.submitted.pop()
    run.onProgress(0.5, "Lesions", 100.0)
    look("running")
    node = p.runs.finish(run)
    pump(lambda: not workspaceOf(node).tool(LesionRows).pending())
    p.panel.results.workbench.lesions.step(1)
    look("result")
    for button in p.parent.findChildren(QtWidgets.QAbstractButton):
        if type(button).__name__ == "ctkCollapsibleButton":
            button.collapsed = False
    look("all sections open")
    assert {state: found for state, found in said.items() if found} == {}


def test_the_training_panel_is_neither_cut_nor_grows(training, tmp_path):
    said, ui = {"empty": problems(training.parent)}, training.ui
    (tmp_path / "train").mkdir()
    ui.trainPathLineEdit.currentPath = str(tmp_path / "train")
    run = RunFolder(tmp_path / "a run in a folder with a rather long name")
    for job in ("liver", "lesion-image"):
        (run.path / job).mkdir(parents=True)
        (run.path / job / "log.csv").write_text("step,loss\n5,0.9\n")
    now = time.time()
    run.write_status(RunStatus(os.getpid(), now, now, "training", "liver", 10, 4000, 9000.0, 21.0, "cuda:0", 15000.0))
    ui.runPathLineEdit.currentPath = str(run.path)
    training.onTimer()
    assert ui.jobComboBox.count == 3 and ui.stopButton.enabled
    said["training"] = problems(training.parent)
    report = "train: 2 cases of 2 patients\n  lesions: 34 of below 10 mm, 11 of 10 to 20 mm, 6 of 20 mm and more"
    ui.reportText.setPlainText(report)
    said["report"] = problems(training.parent)
    for button in training.parent.findChildren(QtWidgets.QAbstractButton):
        if type(button).__name__ == "ctkCollapsibleButton":
            button.collapsed = False
    said["all sections open"] = problems(training.parent)
    assert {state: found for state, found in said.items() if found} == {}


def test_sections_that_are_closed_stand_as_close_as_rows_of_buttons(p):
    p.ui.inputSelector.setCurrentNode(makeCT())
    p.ui.segmentButton.click()
    p.runs.finish(p.runs.submitted.pop())
    turn()
    parts = [
        p.ui.editButton,
        *(each.ui for each in p.panel.results.workbench.sections[1:]),
        p.ui.segmentsCollapsibleButton,
    ]
    parts = [part if isinstance(part, QtWidgets.QWidget) else _section(part) for part in parts]
    tops = [part.mapTo(p.parent, QtCore.QPoint(0, 0)).y() for part in parts]
    ends = [tops[0] + parts[0].height, *(top + HEADER_HEIGHT for top in tops[1:])]
    gaps = {below - end for end, below in zip(ends, tops[1:], strict=False)}
    assert len(parts) == 7 and len(gaps) == 1, gaps


def _section(ui):
    return next(widget for name, widget in vars(ui).items() if name.endswith("CollapsibleButton"))


def test_rows_of_the_table_are_whole(p):
    p.ui.inputSelector.setCurrentNode(makeCT(more=10))
    p.ui.segmentButton.click()
    p.runs.finish(p.runs.submitted.pop())
    turn()
    table = p.panel.results.workbench.lesions.ui.lesionTable
    assert table.rowCount == 12 and table.viewport().height % table.rowHeight(0) == 0


def test_what_does_not_fit_is_noticed():
    panel = QtWidgets.QWidget()
    box = QtWidgets.QVBoxLayout(panel)
    label = QtWidgets.QLabel("A text that is far wider than the panel in which it is shown " * 2)
    box.addWidget(label)
    area = layout.shown(panel)
    assert layout.wanted(panel) > layout.PANEL_PIXELS
    label.setMinimumWidth(10)
    label.setSizePolicy(QtWidgets.QSizePolicy.Ignored, QtWidgets.QSizePolicy.Preferred)
    turn()
    assert layout.wanted(panel) < layout.PANEL_PIXELS and len(layout.cut(panel)) == 1
    area.close()
