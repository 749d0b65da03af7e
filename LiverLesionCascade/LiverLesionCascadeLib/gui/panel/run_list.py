"""The runs that the panel has submitted and that have not ended."""

import time
from dataclasses import dataclass, field
from typing import Any

from slicer.i18n import tr as _

from ..runs.progress_text import stageText, timeLeftText


@dataclass(eq=False)
class RunEntry:
    """One run.

    :param volumeId: MRML ID of the volume that was submitted.
    :param volumeName: its name then.
    :param started: time.monotonic() when its turn came; None before that.
    :param submitted: time.monotonic() when it was.
    """

    volumeId: str
    volumeName: str
    run: Any = None
    started: float | None = None
    cancelling: bool = False
    fraction: float = 0.0
    stage: str = ""
    secondsLeft: float | None = None
    submitted: float = field(default_factory=time.monotonic)

    def progressed(self, fraction, stage, secondsLeft):
        self.started = self.started or time.monotonic()
        self.fraction, self.stage, self.secondsLeft = fraction, stage, secondsLeft

    def cancel(self):
        if not self.cancelling:
            self.cancelling = True
            self.run.cancel()

    def text(self) -> str:
        """What is being done, and for how long."""
        if self.cancelling:
            return _("Cancelling")
        if not self.started:
            return _("Waiting")
        left = timeLeftText(self.secondsLeft)
        return f"{stageText(self.stage)}, {left}" if left else stageText(self.stage)


class RunList(list[RunEntry]):
    """In the order in which they were submitted; one runs at a time."""

    def ofVolume(self, volumeId: str) -> RunEntry | None:
        return next((entry for entry in self if entry.volumeId == volumeId), None)

    def shown(self, volumeId: str) -> RunEntry | None:
        """The run whose progress is shown: the chosen volume's, else the one whose turn it is."""
        return self.ofVolume(volumeId) or (self[0] if self else None)
