"""What the panel's parts do with widgets of all kinds."""

import contextlib
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from ..engine.errors import reason

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


def askPath(title, suggestion, kinds, ending):
    """Asks where to write a file; "" if the person changed their mind.

    :param kinds: of files, as Qt's file dialog takes them.
    :param ending: what the name ends in, added where the person left it out; ".dcm" of a longer one is completed.
    """
    path = qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), title, suggestion, kinds)
    if not path or path.lower().endswith(ending):
        return path
    path = f"{path.removesuffix('.dcm')}{ending}"
    return path if mayWrite(path) else ""


def mayWrite(path):
    """Whether a file that the person was not asked about by the dialog is new, or may be overwritten."""
    text = _("{path} exists already. Overwrite it?").format(path=path)
    return not Path(path).exists() or slicer.util.confirmYesNoDisplay(text, windowTitle=_("Liver Lesion Cascade"))


def unwritable(path, error):
    """What is said of a path that an OSError came of."""
    return _("{path} could not be written: {error}. Choose another folder.").format(path=path, error=reason(error))


def showText(label, text):
    """A label without text is hidden."""
    label.text = text
    label.visible = bool(text)
