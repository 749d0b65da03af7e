"""Stand-ins for the ctk widgets that panels use."""

from PySide6 import QtCore, QtWidgets
from PySide6.QtCore import Property, Signal

from .strict import Strict, register, stored_property

HEADER_HEIGHT = 24


@register
class ctkCollapsibleButton(Strict, QtWidgets.QAbstractButton):
    contentsCollapsed = Signal(bool)

    def __init__(self, *args):
        super().__init__(next((arg for arg in args if isinstance(arg, QtWidgets.QWidget)), None))
        self.setCheckable(True)
        self.setChecked(True)
        self.setText(args[0] if args and isinstance(args[0], str) else "")
        self.setContentsMargins(0, HEADER_HEIGHT, 0, 0)
        self._applying, self._hidden = False, set()
        self.toggled.connect(lambda expanded: self._apply(not expanded))
        self.setSizePolicy(QtWidgets.QSizePolicy.Minimum, QtWidgets.QSizePolicy.Preferred)  # as in CTK

    def _apply(self, collapsed):
        self._applying = True
        for child in self.children():
            if isinstance(child, QtWidgets.QWidget):
                child.setVisible(not collapsed and child not in self._hidden)
        self._applying = False
        self.updateGeometry()
        self.contentsCollapsed.emit(collapsed)

    def childEvent(self, event):
        if event.added() and event.child().isWidgetType():
            event.child().installEventFilter(self)

    def eventFilter(self, child, event):
        """As in CTK, what was hidden stays hidden when it opens, and what is shown while it is collapsed waits."""
        kind = event.type()
        if kind == QtCore.QEvent.HideToParent and not self._applying:
            self._hidden.add(child)
        elif kind == QtCore.QEvent.ShowToParent and not self._applying:
            self._hidden.discard(child)
            if not self.isChecked() and self.isVisible():
                self._applying = True
                child.setVisible(False)
                self._applying = False
        return False

    def showEvent(self, event):
        super().showEvent(event)
        if not self.isChecked():  # it was collapsed before it had children
            self._apply(True)

    def _set_collapsed(self, collapsed):
        self.setChecked(not collapsed)

    collapsed = Property(bool, lambda self: not self.isChecked(), _set_collapsed)
    collapsedHeight = stored_property(int, "collapsedHeight", 10)
    flat = stored_property(bool, "flat", False)

    def sizeHint(self):
        if self.layout() is None or not self.isChecked():
            return QtCore.QSize(120, HEADER_HEIGHT + (0 if self.isChecked() else self.collapsedHeight))
        return self.layout().totalSizeHint()

    def minimumSizeHint(self):
        if self.layout() is None or not self.isChecked():
            return QtCore.QSize(120, HEADER_HEIGHT + (0 if self.isChecked() else self.collapsedHeight))
        return self.layout().totalMinimumSize()

    def paintEvent(self, event):
        painter = QtWidgets.QStylePainter(self)
        option = QtWidgets.QStyleOptionButton()
        option.rect = QtCore.QRect(0, 0, self.width, HEADER_HEIGHT)
        option.state = QtWidgets.QStyle.State_Enabled | QtWidgets.QStyle.State_Raised
        option.text = ("\u25be " if self.isChecked() else "\u25b8 ") + self.text
        option.palette = self.palette
        painter.drawControl(QtWidgets.QStyle.CE_PushButton, option)

    def hitButton(self, position):
        return position.y() < HEADER_HEIGHT


@register
class ctkSliderWidget(Strict, QtWidgets.QWidget):
    valueChanged = Signal(float)
    valueIsChanging = Signal(float)
    decimalsChanged = Signal(int)

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._slider = QtWidgets.QSlider(QtCore.Qt.Horizontal, self)
        self._box = QtWidgets.QDoubleSpinBox(self)
        self._box.setMaximum(99.0)
        layout.addWidget(self._slider)
        layout.addWidget(self._box)
        self._step = 1.0
        self._busy = False
        self._box.valueChanged.connect(self._from_box)
        self._slider.valueChanged.connect(self._from_slider)
        self._range()

    def _position(self, value):
        return round((value - self._box.minimum) / (self._step or 1.0))

    def _range(self):
        self._busy = True
        self._slider.setRange(0, max(1, self._position(self._box.maximum)))
        self._slider.setValue(self._position(self._box.value))
        self._busy = False

    def _from_box(self, value):
        if not self._busy:
            self._busy = True
            self._slider.setValue(self._position(value))
            self._busy = False
            self.valueChanged.emit(value)

    def _from_slider(self, position):
        if not self._busy:
            self._box.setValue(self._box.minimum + position * self._step)

    def _set_minimum(self, value):
        self._box.setMinimum(value)
        self._range()

    def _set_maximum(self, value):
        self._box.setMaximum(value)
        self._range()

    def _set_step(self, value):
        self._step = value
        self._box.setSingleStep(value)
        self._range()

    minimum = Property(float, lambda self: self._box.minimum, _set_minimum)
    maximum = Property(float, lambda self: self._box.maximum, _set_maximum)
    singleStep = Property(float, lambda self: self._step, _set_step)
    pageStep = stored_property(float, "pageStep", 10.0)
    value = Property(float, lambda self: self._box.value, lambda self, value: self._box.setValue(value))
    decimals = Property(int, lambda self: self._box.decimals, lambda self, value: self._box.setDecimals(value))
    suffix = Property(str, lambda self: self._box.suffix, lambda self, value: self._box.setSuffix(value))
    prefix = Property(str, lambda self: self._box.prefix, lambda self, value: self._box.setPrefix(value))
    tracking = stored_property(bool, "tracking", True)

    def setValue(self, value):
        self._box.setValue(value)

    def setDecimals(self, value):
        self._box.setDecimals(value)


@register
class ctkPathLineEdit(Strict, QtWidgets.QWidget):
    Dirs, Files = 0x001, 0x002
    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._edit = QtWidgets.QLineEdit(self)
        layout.addWidget(self._edit)
        layout.addWidget(QtWidgets.QToolButton(self))
        self._edit.textChanged.connect(self.currentPathChanged)

    currentPath = Property(str, lambda self: self._edit.text, lambda self, value: self._edit.setText(value))
    label = stored_property(str, "label", "")
    nameFilters = stored_property("QStringList", "nameFilters", [])
    filters = stored_property(int, "filters", 0)
    settingKey = stored_property(str, "settingKey", "")
    showBrowseButton = stored_property(bool, "showBrowseButton", True)
    showHistoryButton = stored_property(bool, "showHistoryButton", True)

    def setCurrentPath(self, value):
        self._edit.setText(value)

    def addCurrentPathToHistory(self):
        pass
