"""How long the event loop lets events wait, as a person feels it."""

import time

import qt

INTERVAL_MS = 10


class Meter:
    """A timer that should fire every ten milliseconds; ``longest`` is the longest time, in s, that it had to wait.

    ``doing`` says what is done, and ``worst`` what was done then.
    """

    def __init__(self):
        self.doing = ""
        self.longest, self.worst = 0.0, ""
        self._last = time.perf_counter()
        self._timer = qt.QTimer()
        self._timer.setInterval(INTERVAL_MS)
        self._timer.connect("timeout()", self._beat)
        self._timer.start()

    def restart(self):
        self.longest, self.worst, self._last = 0.0, self.doing, time.perf_counter()

    def skip(self):
        """What was done since the last beat is not a person's: it does not count."""
        self._last = time.perf_counter()

    def stop(self):
        self._timer.stop()

    def _beat(self):
        now = time.perf_counter()
        waited, self._last = now - self._last - INTERVAL_MS / 1000, now
        if waited > self.longest:
            self.longest, self.worst = waited, self.doing
