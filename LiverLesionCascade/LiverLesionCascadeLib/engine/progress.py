"""Progress and cancellation of a run; work that is done in pieces."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Literal, TypeVar

from .errors import CancelledError

#: The stages of a run. The panel has words for each in every language.
Stage = Literal[
    "Liver",
    "Lesions",
    "Lesions, again on the result",
    "3D-CRF",
    "Measuring",
    "Looking again",
    "Carrying corrections on",
]
#: Called with the fraction done (0..1, never falling) and the name of the stage.
ProgressCallback = Callable[[float, str], None]
#: Returns True once the run should stop.
CancelCallback = Callable[[], bool]


class Progress:
    """Reports a run's progress in stages of known share, and stops it when asked.

    Args:
        report: Told of every step, or None.
        cancelled: Asked at every step, or None.
    """

    def __init__(self, report: ProgressCallback | None = None, cancelled: CancelCallback | None = None) -> None:
        self._report, self._cancelled = report, cancelled
        self._start, self._share, self._stage = 0.0, 0.0, ""
        self._reserved = 0.0

    def reserve(self, share: float) -> None:
        """Keeps a share of the run for the stages after the next ones."""
        self._reserved = share

    @property
    def rest(self) -> float:
        """What is left for the next stages: neither done, nor the present stage's, nor reserved."""
        return max(0.0, 1.0 - self._start - self._share - self._reserved)

    def begin(self, stage: Stage, share: float) -> None:
        """Enters a stage that takes this share of the whole run."""
        self._start += self._share
        self._stage, self._share = stage, min(share, 1.0 - self._start)
        self.advance(0.0)

    def advance(self, fraction: float) -> None:
        """Reports the fraction of the stage that is done.

        Raises:
            CancelledError: If the run should stop.
        """
        self.check()
        if self._report is not None:
            self._report(min(1.0, self._start + self._share * fraction), self._stage)

    def check(self) -> None:
        """Raises CancelledError if the run should stop."""
        if self._cancelled is not None and self._cancelled():
            raise CancelledError("The segmentation was cancelled; nothing was written")

    def silent(self) -> Progress:
        """One that reports nothing and stops where this one does, for a part of a stage."""
        return Progress(None, self._cancelled)


Result = TypeVar("Result")
#: Work in pieces: yields after each piece of some hundredths of a second, and returns what comes of all of them.
Steps = Generator[None, None, Result]


def finish(steps: Steps[Result]) -> Result:
    """All pieces at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
