"""Calls from the application's event loop."""

import qt


def callLater(seconds, function):
    """Call a function once, later, from the event loop; never from within this call."""
    qt.QTimer.singleShot(round(1000 * seconds), function)
