"""Panels in the width that Slicer gives them: nothing is cut and nothing grows, in any language."""

import subprocess
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
from slicer_harness import layout  # noqa: E402


@pytest.fixture(params=["en", "de-DE", "fr-FR"])
def p(request, tmp_path):
    """A panel with a result, in a language."""
    translator = QtCore.QTranslator()
    if request.param != "en":
        compiled = tmp_path / "module.qm"
        lrelease = Path(PySide6.__file__).parent / "lrelease"
        ts = translations.ts_path("LiverLesionCascade", request.param)
        subprocess.run([lrelease, ts, "-qm", compiled], check=True, capture_output=True)
        assert translator.load(str(compiled)) and QtCore.QCoreApplication.installTranslator(translator)
    slicer.mrmlScene.Clear()
    opened = openPanel()
    opened.area = layout.shown(opened.parent)
    yield opened
    opened.area.takeWidget()
    closePanel(opened)
    slicer.mrmlScene.Clear()
    QtCore.QCoreApplication.removeTranslator(translator)


def turn():
    for _ in range(3):
        QtWidgets.QApplication.processEvents()


def test_at_its_usual_width_nothing_is_cut_and_nothing_makes_the_panel_grow(p, tmp_path):
    said = {}

    def look(state):
        turn()
        said[state] = [f"wants {layout.wanted(p.parent)} pixels"] * (layout.wanted(p.parent) > layout.PANEL_PIXELS)
        said[state] += layout.cut(p.parent)

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
    assert {state: problems for state, problems in said.items() if problems} == {}


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
