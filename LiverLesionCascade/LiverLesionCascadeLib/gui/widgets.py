"""What the panel's parts do with widgets of all kinds."""

import contextlib
from pathlib import Path

import slicer

FORMS = Path(__file__).resolve().parents[2] / "Resources" / "UI"


def loadForm(name):
    """The widget of a form (a .ui file), and an object with all named widgets in it."""
    widget = slicer.util.loadUI(str(FORMS / name))
    return widget, slicer.util.childWidgetVariables(widget)


@contextlib.contextmanager
def signalsBlocked(widget):
    """What is shown in a widget within is no choice of the person: nobody is told."""
    wasBlocked = widget.blockSignals(True)
    try:
        yield
    finally:
        widget.blockSignals(wasBlocked)


def fillComboBox(comboBox, items, chosen):
    """Show other entries, and which is chosen, without telling anybody.

    :param items: (text, data) pairs.
    :param chosen: data of an entry.
    """
    with signalsBlocked(comboBox):
        comboBox.clear()
        for text, data in items:
            comboBox.addItem(text, data)
        comboBox.setCurrentIndex(comboBox.findData(chosen))


def showSteps(history, undoButton, redoButton):
    """Buttons that take a step back and do it again can be clicked where there is one.

    :param history: with ``canUndo()`` and ``canRedo()``; None for none.
    """
    undoButton.enabled = history is not None and history.canUndo()
    redoButton.enabled = history is not None and history.canRedo()


def showText(label, text):
    """A label without text is hidden."""
    label.text = text
    label.visible = bool(text)
