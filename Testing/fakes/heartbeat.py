"""How long Qt's event loop lets events wait, and what it was busy with meanwhile."""

import time
from collections import Counter
from pathlib import Path

import qt


def secondsWithoutProcessor():
    """How long this thread has waited for a processor that other programs had; 0 where the system does not tell."""
    path = Path("/proc/thread-self/schedstat")
    return int(path.read_text().split()[1]) / 1e9 if path.exists() else 0.0


class Heartbeat:
    """Counts a timer that should fire every few milliseconds, and notes how long the event loop lets it wait.

    Not counted in the waits is the time in which other programs had the processor.

    :param stage: tells what is going on.
    """

    def __init__(self, stage=lambda: ""):
        self.longest, self.during = 0.0, ""
        self.beats = Counter()
        self._stage = stage
        self._last = self._now()
        self._timer = qt.QTimer()
        self._timer.setInterval(5)
        self._timer.connect("timeout()", self._beat)
        self._timer.start()

    @staticmethod
    def _now():
        return time.perf_counter() - secondsWithoutProcessor()

    def _beat(self):
        now, stage = self._now(), self._stage()
        self.beats[stage] += 1
        if now - self._last > self.longest:
            self.longest, self.during = now - self._last, stage
        self._last = now

    def stop(self):
        self._timer.stop()
