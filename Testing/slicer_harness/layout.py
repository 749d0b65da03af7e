"""A panel as wide as Slicer shows it: what does not fit, and whether it grows."""

from PySide6 import QtCore, QtGui, QtWidgets

PANEL_PIXELS = 350
"""Of the module panel in Slicer's main window, its scroll bar left out."""


def shown(panel, width=PANEL_PIXELS, height=900):
    """A scroll area with the panel in it, as in the main window; the caller keeps it."""
    area = QtWidgets.QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarAlwaysOff)
    area.setVerticalScrollBarPolicy(QtCore.Qt.ScrollBarAlwaysOff)
    area.setFrameShape(QtWidgets.QFrame.NoFrame)
    area.setWidget(panel)
    area.resize(width, height)
    area.show()
    QtWidgets.QApplication.processEvents()
    return area


def wanted(panel):
    """Pixels that the panel asks for, or that what lies in it needs: beyond PANEL_PIXELS Slicer's whole panel grows, or
    where a widget's own wishes are ignored, it is cut."""
    needed = [
        part.minimumSizeHint().width() + panel.width - part.width
        for part in panel.findChildren(QtWidgets.QWidget)
        # Pages and sections; lists of nodes cut a long name on purpose.
        if isinstance(part, (QtWidgets.QStackedWidget, QtWidgets.QAbstractButton))
        and part.isVisible()
        and part.sizePolicy.horizontalPolicy() == QtWidgets.QSizePolicy.Ignored
    ]
    return max([panel.sizeHint().width(), *needed])


def cut(panel):
    """Texts that are wider than what shows them: of labels, buttons and the headings and cells of tables."""
    found = []
    for widget in panel.findChildren(QtWidgets.QWidget):
        if not widget.isVisible():
            continue
        text, room = _text(widget)
        if text and _width(widget, text) > room:
            found.append(f"{widget.objectName}: {text!r}")
        if isinstance(widget, QtWidgets.QTableWidget):
            found += _cutCells(widget)
    return found


def _text(widget):
    width = widget.width
    if isinstance(widget, QtWidgets.QLabel) and not widget.wordWrap:
        return widget.text, width
    if isinstance(widget, (QtWidgets.QCheckBox, QtWidgets.QRadioButton)):
        return widget.text, width - 20  # the box
    if isinstance(widget, QtWidgets.QPlainTextEdit) and widget.lineWrapMode == QtWidgets.QPlainTextEdit.NoWrap:
        return widget.plainText, widget.viewport().width
    if isinstance(widget, QtWidgets.QPushButton):
        return widget.text, width - 8
    return "", 0


def _width(widget, text):
    metrics = QtGui.QFontMetrics(widget.font)
    return max(metrics.horizontalAdvance(line) for line in text.replace("&", "").split("\n"))


def _cutCells(table):
    found = []
    last = table.columnCount - 1
    right = table.columnViewportPosition(last) + table.columnWidth(last) if last >= 0 else 0
    if right > table.viewport().width:
        found.append(f"{table.objectName}: columns are {right} of {table.viewport().width} pixels wide")
    for column in range(table.columnCount):
        heading = table.horizontalHeaderItem(column)
        if heading is not None and _width(table, heading.text()) > table.columnWidth(column):
            found.append(f"{table.objectName}: {heading.text()!r}")
    return found
