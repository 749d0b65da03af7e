"""QUiLoader that knows the qMRML and ctk stand-ins, and checks a .ui file while it loads it."""

import traceback
import xml.etree.ElementTree as ET

import shiboken6
from PySide6 import QtCore, QtWidgets
from PySide6.QtUiTools import QUiLoader

from . import catalogue, qt_layer

REGISTRY = {}
"""Class name -> stand-in."""
PROBLEMS = []
"""What Slicer would complain about in the .ui files loaded so far."""

SLICER_PREFIXES = ("qMRML", "qSlicer", "ctk")
_alive = []  # the form builder holds no Python reference to what it made


def forget_destroyed():
    """Let go of the widgets that are destroyed."""
    _alive[:] = filter(shiboken6.isValid, _alive)


class UiLoader(QUiLoader):
    def __init__(self, parent=None):
        super().__init__(parent)
        self.errors = []

    def createWidget(self, className, parent=None, name=""):
        if className not in REGISTRY and not className.startswith(SLICER_PREFIXES):
            return super().createWidget(className, parent, name)
        try:
            widget = self._stand_in(className)(parent)
        except Exception:  # noqa: BLE001 - must not pass through the C++ form builder; load() raises it
            self.errors.append(traceback.format_exc())
            widget = QtWidgets.QWidget(parent)
        widget.setObjectName(name)
        _alive.append(widget)
        return widget

    def load(self, device, parent=None):
        root = ET.fromstring(bytes(device.readAll().data()))
        connections = [
            tuple(connection.findtext(key) for key in ("sender", "signal", "receiver", "slot"))
            for connection in root.iterfind("connections/connection")
        ]
        node = root.find("connections")
        if node is not None:
            root.remove(node)
        buffer = QtCore.QBuffer()
        buffer.setData(ET.tostring(root))
        buffer.open(QtCore.QIODevice.ReadOnly)
        qt_layer.LOADING.append(self)
        try:
            widget = super().load(buffer, parent)
        finally:
            qt_layer.LOADING.pop()
        if self.errors:
            raise RuntimeError("\n".join(self.errors))
        if widget is None:
            raise RuntimeError(self.errorString())
        _check_properties(root)
        _make_connections(widget, connections)
        return widget

    @staticmethod
    def _stand_in(class_name):
        if class_name in REGISTRY:
            return REGISTRY[class_name]
        from .strict import placeholder

        return placeholder(class_name)


def _check_properties(root):
    for widget in root.iter("widget"):
        class_name = widget.get("class")
        if not class_name.startswith(SLICER_PREFIXES):
            continue
        if not catalogue.known(class_name):
            PROBLEMS.append(f".ui uses unknown class {class_name}")
            continue
        for each in widget.findall("property"):
            if each.get("stdset") != "0" and not catalogue.has_property(class_name, each.get("name")):
                PROBLEMS.append(
                    f'.ui sets {class_name}.{each.get("name")}, not a property (add stdset="0" if it is dynamic)'
                )


def _make_connections(widget, connections):
    by_name = {child.objectName: child for child in widget.findChildren(QtCore.QObject)}
    by_name[widget.objectName] = widget
    for sender, signal, receiver, slot in connections:
        source, target = by_name.get(sender), by_name.get(receiver)
        possible = (
            source is not None
            and target is not None
            and qt_layer.has_signature(source, signal, qt_layer.SIGNAL)
            and qt_layer.has_signature(target, slot, qt_layer.SLOT)
        )
        if possible:
            getattr(source, qt_layer.signal_name(signal)).connect(getattr(target, qt_layer.signal_name(slot)))
        else:
            PROBLEMS.append(f".ui connection {sender}.{signal} -> {receiver}.{slot} cannot be made")
