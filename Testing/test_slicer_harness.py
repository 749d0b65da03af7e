"""The harness refuses what Slicer refuses; otherwise a module would pass here and fail there."""

import enum
import runpy
import subprocess
import sys
import typing

import pytest
import slicer_harness
from tools.refresh_cmake_lists import REPOSITORY

slicer_harness.install()

import ctk  # noqa: E402
import qt  # noqa: E402
import slicer  # noqa: E402
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper, parameterPack  # noqa: E402
from slicer_harness import errors, ui_loader  # noqa: E402

UI = """<ui version="4.0"><class>Panel</class>
<widget class="qMRMLWidget" name="Panel"><layout class="QVBoxLayout" name="verticalLayout">
 <item><widget class="qMRMLNodeComboBox" name="selector">{properties}</widget></item>
 <item><widget class="ctkSliderWidget" name="slider"/></item>
 <item><widget class="QPushButton" name="button"><property name="text"><string>Go</string></property></widget></item>
</layout></widget>
<connections><connection><sender>Panel</sender><signal>{signal}</signal>
 <receiver>selector</receiver><slot>setMRMLScene(vtkMRMLScene*)</slot></connection></connections></ui>"""
GOOD = {
    "properties": '<property name="noneEnabled"><bool>true</bool></property>',
    "signal": "mrmlSceneChanged(vtkMRMLScene*)",
}


def load_ui(tmp_path, **parts):
    path = tmp_path / "Panel.ui"
    path.write_text(UI.format(**(GOOD | parts)), encoding="utf-8")
    return slicer.util.loadUI(str(path))


@pytest.fixture
def ui(tmp_path):
    slicer.mrmlScene.Clear()
    panel = load_ui(tmp_path)
    panel.setMRMLScene(slicer.mrmlScene)
    variables = slicer.util.childWidgetVariables(panel)
    variables.panel = panel
    yield variables
    slicer.mrmlScene.Clear()


MISTAKES = {
    "a mistyped property": (lambda ui: setattr(ui.button, "enable", True), AttributeError),
    "a property that is called": (lambda ui: ui.button.text(), TypeError),
    "a method that is overwritten": (lambda ui: setattr(ui.button, "setText", "x"), AttributeError),
    "a C++ method that is no slot": (lambda ui: ui.slider.setRange(0, 1), AttributeError),
    "a signal that does not exist": (lambda ui: ui.button.connect("click()", print), ValueError),
    "a class that does not exist": (lambda ui: slicer.qMRMLFooWidget, AttributeError),
    "a ctk class that does not exist": (lambda ui: ctk.ctkFoo, AttributeError),
    "a member that is not imitated": (lambda ui: ui.selector.sortFilterProxyModel(), NotImplementedError),
    "a mistyped method of the layout": (lambda ui: slicer.app.layoutManager().setLayut(3), AttributeError),
    "a view that is not here": (lambda ui: slicer.app.layoutManager().sliceWidget("Red"), NotImplementedError),
    "a mistyped member of the application": (lambda ui: slicer.app.fooBar, AttributeError),
    "a property of the wrong type": (lambda ui: setattr(ui.button, "text", [1]), (ValueError, TypeError)),
    "a keyword argument": (lambda ui: ui.panel.layout().addWidget(widget=ui.button), (AttributeError, TypeError)),
    "a name that only PySide has": (lambda ui: qt.Signal, AttributeError),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_is_refused(ui, name):
    mistake, error = MISTAKES[name]
    with pytest.raises(error):
        mistake(ui)


def test_properties_signals_and_nodes_work_as_in_slicer(ui):
    clicks = []
    ui.button.connect("clicked(bool)", lambda checked: clicks.append(checked))
    ui.button.click()
    assert clicks == [False] and ui.button.text == "Go"
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    ui.selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    assert ui.selector.currentNode() is None
    ui.selector.setCurrentNode(node)
    assert ui.selector.currentNode() is node
    slicer.mrmlScene.RemoveNode(node)
    assert ui.selector.currentNode() is None


def test_a_selector_without_none_takes_the_first_node_of_an_empty_list_and_no_other_where_none_is_chosen(ui):
    ui.selector.nodeTypes, ui.selector.noneEnabled = ["vtkMRMLScalarVolumeNode"], False
    first, second, _third = (slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode") for _ in range(3))
    assert ui.selector.currentNode() is first
    slicer.mrmlScene.RemoveNode(first)
    assert ui.selector.currentNode() is second
    ui.selector.setCurrentNode(None)
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    assert ui.selector.currentNode() is None


def test_a_node_that_a_person_adds_is_chosen_before_that_is_told(ui):
    ui.selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    chosen = []
    ui.selector.connect("nodeAddedByUser(vtkMRMLNode*)", lambda node: chosen.append(ui.selector.currentNode() is node))
    ui.selector.addNode("vtkMRMLScalarVolumeNode")
    assert chosen == [True]


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        (
            {"properties": '<property name="noneEnable"><bool>true</bool></property>'},
            "sets qMRMLNodeComboBox.noneEnable",
        ),
        ({"signal": "sceneChanged(vtkMRMLScene*)"}, "Panel.sceneChanged(vtkMRMLScene*) -> selector"),
    ],
    ids=["property", "connection"],
)
def test_a_mistake_in_a_ui_file_is_reported(tmp_path, monkeypatch, parts, problem):
    monkeypatch.setattr(ui_loader, "PROBLEMS", [])
    load_ui(tmp_path, **parts)
    assert len(ui_loader.PROBLEMS) == 1 and problem in ui_loader.PROBLEMS[0]


def test_a_ui_file_without_mistakes_is_not_complained_about(tmp_path, monkeypatch):
    monkeypatch.setattr(ui_loader, "PROBLEMS", [])
    load_ui(tmp_path)
    assert not ui_loader.PROBLEMS


def test_data_nodes_have_items_in_the_subject_hierarchy_while_they_are_in_the_scene():
    slicer.mrmlScene.Clear()
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "S")
    item = hierarchy.GetItemByDataNode(node)
    assert item and hierarchy.GetItemName(item) == "S"
    slicer.mrmlScene.RemoveNode(node)
    assert not hierarchy.GetItemName(item)
    assert "Failed to find subject hierarchy item" in errors.taken()[0]


def connected(annotation, widget):
    """Connect a parameter of that type to a widget; returns the wrapper."""
    wrapper = parameterNodeWrapper(type("Parameters", (), {"__annotations__": {"value": annotation}}))
    wrapped = wrapper(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode"))
    wrapped.connectGui({"value": widget})
    return wrapped


class Mode(enum.Enum):
    Fast = "quick"
    Exact = "slow"


def combo_texts(box):
    return [box.itemText(index) for index in range(box.count)]


def test_widgets_are_connected_to_the_parameters_that_slicer_connects_them_to():
    box = qt.QComboBox()
    parameters = connected(Mode, box)
    assert combo_texts(box) == ["Fast", "Exact"]
    box.currentIndex = 1
    assert parameters.value is Mode.Exact
    slider = ctk.ctkSliderWidget()
    parameters = connected(typing.Annotated[float, WithinRange(0, 10)], slider)
    parameters.value = 4.0
    assert slider.value == 4.0 and slider.maximum == 10.0
    with pytest.raises(ValueError, match="within range"):
        parameters.value = 11.0


@pytest.mark.parametrize(
    ("annotation", "widget"),
    [
        (float, lambda: qt.QSpinBox()),
        (float, lambda: ctk.ctkSliderWidget()),
        (str, lambda: ctk.ctkPathLineEdit()),
        (str, lambda: qt.QComboBox()),
        (bool, lambda: qt.QLineEdit()),
    ],
    ids=["float to int box", "unbounded to slider", "text to path", "no choices", "bool to text"],
)
def test_widgets_that_slicer_cannot_connect_are_refused(annotation, widget):
    with pytest.raises(RuntimeError):
        connected(annotation, widget())


@parameterPack
class Rules:
    fill: bool = True
    size: typing.Annotated[float, WithinRange(0, 10)] = 3.0


def test_the_members_of_a_pack_are_connected_by_dotted_names_and_kept_in_the_node():
    wrapper = parameterNodeWrapper(type("Parameters", (), {"__annotations__": {"rules": Rules}}))
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    parameters, box, spin = wrapper(node), qt.QCheckBox(), qt.QDoubleSpinBox()
    parameters.connectGui({"rules.fill": box, "rules.size": spin})
    assert box.checked and spin.value == 3.0 and spin.maximum == 10.0
    box.checked = False
    parameters.rules.size = 4.5
    assert spin.value == 4.5 and wrapper(node).rules == Rules(fill=False, size=4.5)
    parameters.rules = Rules()
    assert box.checked and node.GetParameter("rules.size") == "3.0"
    with pytest.raises(ValueError, match="within range"):
        parameters.rules.size = 11.0
    with pytest.raises(ValueError, match="no member"):
        parameters.connectGui({"rules.colour": box})


def test_a_segment_editor_refuses_a_source_volume_before_the_segmentation():
    editor = slicer.qMRMLSegmentEditorWidget()
    editor.setMRMLSegmentEditorNode(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode"))
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    with pytest.raises(RuntimeError, match="crashes"):
        editor.setSourceVolumeNode(volume)


FAILING = """
from slicer.ScriptedLoadableModule import *
class Failing(ScriptedLoadableModule): pass
class FailingTest(ScriptedLoadableModuleTest):
    def test_fails(self):
        self.assertEqual(1, 2)
"""


def test_the_runner_fails_with_a_failing_self_test(tmp_path):
    (tmp_path / "Failing.py").write_text(FAILING, encoding="utf-8")
    runner = REPOSITORY / "Testing" / "tools" / "run_selftest.py"
    done = subprocess.run(
        [sys.executable, str(runner), str(tmp_path / "Failing.py")], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0 and "1 != 2" in done.stderr


def test_the_runner_runs_all_modules_of_the_extension():
    modules = runpy.run_path(str(REPOSITORY / "Testing" / "tools" / "run_selftest.py"))["MODULES"]
    assert [path.stem for path in modules] == ["LiverLesionCascade", "LiverLesionCascadeTraining"]
    assert all(path.is_file() for path in modules)
