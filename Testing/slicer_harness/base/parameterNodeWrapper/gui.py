"""Links between parameters and widgets: which widget types suit which parameter, as Slicer's connectors do it."""

import enum
import pathlib

import ctk
import qt
import slicer

INT_WIDGETS = (qt.QSlider, qt.QSpinBox)
NUMBER_WIDGETS = (qt.QDoubleSpinBox, ctk.ctkSliderWidget)
BOUNDED_WIDGETS = (qt.QSlider, ctk.ctkSliderWidget)


def widgetsByParameter(gui):
    """{parameter name: widget} of a dict, of a widget's children, or of what childWidgetVariables returned."""
    if isinstance(gui, dict):
        return dict(gui)
    pool = slicer.util.findChildren(gui) if isinstance(gui, qt.QWidget) else list(vars(gui).values())
    found = {}
    for widget in pool:
        name = widget.property("SlicerParameterName") if hasattr(widget, "property") else None
        if name:
            found[name] = widget
    return found


class GuiLink:
    """Keeps one parameter and one widget at the same value."""

    def __init__(self, owner, parameter, widget):
        self.owner, self.parameter, self.widget, self.busy = owner, parameter, widget, False
        self.get, self.set, self.signal = self._accessors()

    def connect(self):
        self.signal.connect(self.fromGui)

    def disconnect(self):
        self.signal.disconnect(self.fromGui)

    def fromGui(self, *_):
        if not self.busy:
            self.owner.setValue(self.parameter.name, self.get())

    def toGui(self):
        value = self.owner.getValue(self.parameter.name)
        if value != self.get():
            self.busy = True
            try:
                self.set(value)
            finally:
                self.busy = False

    def _accessors(self):
        parameter, widget = self.parameter, self.widget
        data, kind = parameter.type, type(widget)
        if parameter.nodeTypes and kind is slicer.qMRMLNodeComboBox:
            widget.nodeTypes = [node_type.__name__ for node_type in parameter.nodeTypes]
            return widget.currentNode, widget.setCurrentNode, widget.currentNodeChanged
        if data is bool and kind in (qt.QCheckBox, qt.QPushButton):
            if kind is qt.QPushButton:
                widget.checkable = True
            return (lambda: widget.checked), widget.setChecked, widget.toggled
        if (data is int and kind in INT_WIDGETS) or (data in (int, float) and kind in NUMBER_WIDGETS):
            self._applyBounds()
            return (lambda: data(widget.value)), widget.setValue, widget.valueChanged
        is_enum = isinstance(data, type) and issubclass(data, enum.Enum)
        if kind is qt.QComboBox and (is_enum or data in (int, float, str, bool)):
            items = list(data) if is_enum else parameter.choices()
            widget.clear()
            for item in items:
                widget.addItem(_label(data, item) if is_enum else str(item))
            return (
                (lambda: items[widget.currentIndex]),
                (lambda value: widget.setCurrentIndex(items.index(value))),
                widget.currentIndexChanged,
            )
        if data is str and kind is qt.QLineEdit:
            return (lambda: widget.text), widget.setText, widget.textChanged
        if isinstance(data, type) and issubclass(data, pathlib.PurePath) and kind is ctk.ctkPathLineEdit:
            return (
                (lambda: data(widget.currentPath)),
                (lambda value: widget.setCurrentPath(str(value))),
                widget.currentPathChanged,
            )
        raise RuntimeError(f"Unable to create GUI connector from datatype '{data}' to widget type '{kind}'.")

    def _applyBounds(self):
        low, high = self.parameter.bounds()
        if low is not None:
            self.widget.minimum = low
        if high is not None:
            self.widget.maximum = high
        if (low is None or high is None) and isinstance(self.widget, BOUNDED_WIDGETS):
            raise RuntimeError(f"Cannot have a connection to {type(self.widget).__name__} where the value is unbounded")


def _label(enumeration, item):
    """An enumeration may define label(); otherwise the member's name is shown."""
    return getattr(enumeration, "label", lambda member: member.name)(item)
