"""Errors that are only printed: what Slicer's error log would show and nobody reads in a test that passes.

Python exceptions in slots and observers, errors of VTK and MRML, warnings of Qt. A fixture of all tests asks for them.
"""

import sys
import traceback

import vtk
from PySide6 import QtCore

_errors = []
_kept = []
#: Of this platform, not of the modules.
_NOT_OURS = ("propagateSizeHints", "This plugin does not support", "bad X server connection", "QStandardPaths")


def install():
    """Collect errors from now on; they are still printed."""
    window = vtk.vtkOutputWindow.GetInstance()
    _kept.append(window)
    window.AddObserver("ErrorEvent", _vtk_error)
    QtCore.qInstallMessageHandler(_qt_message)
    before = sys.excepthook

    def hook(kind, value, trace):
        _errors.append("".join(traceback.format_exception(kind, value, trace)))
        before(kind, value, trace)

    sys.excepthook = hook


def report(text):
    """What the application itself would print as an error."""
    print(text, file=sys.stderr)
    _errors.append(text)


def taken():
    """What was printed since the last call."""
    found = [each for each in _errors if not any(text in each for text in _NOT_OURS)]
    _errors.clear()
    return found


@vtk.calldata_type(vtk.VTK_STRING)
def _vtk_error(_caller, _event, text):
    _errors.append(text)


def _qt_message(kind, _context, text):
    if kind in (QtCore.QtMsgType.QtDebugMsg, QtCore.QtMsgType.QtInfoMsg):
        print(text, file=sys.stderr)
    else:
        report(text)
