"""Calls from the application's event loop."""

import heapq
import itertools
import math
import time

import qt


class EventLoop:
    """Calls functions later, by one timer of its own, and lets go of them.

    Slicer's own ``qt.QTimer.singleShot`` keeps each timer, and with it the function and all that it holds, for as long
    as Slicer runs.
    """

    def __init__(self):
        self._waiting = []  # heap of (time.monotonic() when due, number, function)
        self._numbers = itertools.count()
        self._timer = None

    def callLater(self, seconds, function):
        """Call a function once, later, from the event loop; never from within this call."""
        if self._timer is None:
            self._timer = qt.QTimer()
            self._timer.setSingleShot(True)
            self._timer.connect("timeout()", self._onTimeout)
        heapq.heappush(self._waiting, (time.monotonic() + seconds, next(self._numbers), function))
        self._start()

    def close(self):
        """Call nothing that waits, and nothing more of it."""
        self._waiting.clear()
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.stop()
            timer.disconnect("timeout()", self._onTimeout)
            timer.deleteLater()  # not at once: it may be what is calling

    def _start(self):
        if self._waiting and self._timer is not None:
            self._timer.start(max(0, math.ceil(1000 * (self._waiting[0][0] - time.monotonic()))))

    def _onTimeout(self):
        if self._waiting and self._waiting[0][0] > time.monotonic():
            self._start()  # Qt's timers may come a little early
            return
        function = heapq.heappop(self._waiting)[2] if self._waiting else None
        self._start()  # first: the function may raise, or turn the event loop itself
        if function is not None:
            function()


shared = EventLoop()
"""For what lives as long as Slicer: the worker's client, the workspaces of results."""
