"""Every name of Slicer, Qt, CTK and VTK that the extension uses exists; and the list that knows them is complete."""

import json

import pytest
from slicer_harness import catalogue
from tools import lint_slicer_names as lint
from tools import trim_api


def test_the_extension_uses_only_names_that_exist():
    problems = [
        f"{path}:{line}: {text}" for path in lint.sources() for line, text in lint.check(path.read_text("utf-8"))
    ]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("slicer.vtkMRMLFooNode()", "slicer.vtkMRMLFooNode is not in Slicer"),
        ("slicer.util.getNod('CT')", "slicer.util.getNod is not in Slicer"),
        ("slicer.app.fooBar()", "slicer.app.fooBar is not in Slicer"),
        ("slicer.vtkMRMLScene.GetNodeByFoo", "slicer.vtkMRMLScene.GetNodeByFoo is not in Slicer"),
        ("qt.QPushBtn()", "qt.QPushBtn is not in Slicer"),
        ("qt.Signal()", "qt.Signal is not in Slicer"),
        ("ctk.ctkFoo()", "ctk.ctkFoo is not in Slicer"),
        ("ctk.ctkWidgetsUtils.grabFoo(None)", "ctk.ctkWidgetsUtils.grabFoo is not in Slicer"),
        ("vtk.vtkFoo()", "vtk.vtkFoo is not in Slicer"),
        ("qt.QPushButton(text='x')", "takes no keyword arguments"),
        ("from slicer import vtkMRMLFooNode", "slicer.vtkMRMLFooNode is not in Slicer"),
        ("from slicer.util import VTKObservationMixi", "slicer.util.VTKObservationMixi is not in Slicer"),
        ("from PySide6 import QtCore", "PySide and PyQt are not in Slicer"),
    ],
)
def test_a_wrong_name_is_found(source, problem):
    ((_, text),) = lint.check(source)
    assert problem in text


def test_right_names_pass():
    source = """
from slicer import vtkMRMLScalarVolumeNode
from slicer.util import VTKObservationMixin
from slicer.i18n import tr as _
slicer.util.getNode("CT")
slicer.app.layoutManager()
slicer.modules.segmentations.logic()
qt.QPushButton("x")
ctk.ctkCollapsibleButton()
ctk.ctkWidgetsUtils.grabWidget(slicer.util.mainWindow())
vtk.vtkMatrix4x4.Invert
"""
    assert lint.check(source) == []


def test_the_list_of_names_has_every_widget_class_that_is_used():
    used = {name for path in lint.sources() for name in trim_api.CLASS_NAME.findall(path.read_text("utf-8"))}
    for path in trim_api.REPOSITORY.glob("*/Resources/UI/*.ui"):
        used.update(trim_api.CLASS_NAME.findall(path.read_text("utf-8")))
    # Not classes: the names of Slicer's own translation contexts are classes that no panel uses.
    used = {name for name in used if name.startswith(("qMRML", "ctk")) and not name.endswith("_h")}
    missing = sorted(name for name in used if not catalogue.known(name) and not catalogue.pythonqt_members(name))
    assert not missing, f"run Testing/tools/trim_api.py: {', '.join(missing)}"


def test_the_list_of_names_was_made_from_the_names_that_are_used():
    listed = json.loads(trim_api.OUTPUT.read_text("utf-8"))["names"]
    assert set(listed) == trim_api.used_names(), "run Testing/tools/trim_api.py"


def test_the_list_of_names_agrees_with_the_full_catalogues_where_they_are_present(capsys):
    if trim_api.CATALOGUES.is_dir():
        assert trim_api.main(["--check"]) == 0, capsys.readouterr().out
    assert trim_api.OUTPUT.stat().st_size < 200_000


def test_the_list_of_names_is_not_written_without_the_catalogues(tmp_path, capsys):
    before = trim_api.OUTPUT.read_bytes()
    assert trim_api.main([str(tmp_path / "none")]) == 2
    assert "full catalogues are needed" in capsys.readouterr().err
    assert trim_api.OUTPUT.read_bytes() == before
