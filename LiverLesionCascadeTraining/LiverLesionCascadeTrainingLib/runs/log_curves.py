"""The curves of a training from its ``log.csv``, which grows while it is read."""

from __future__ import annotations

import csv
import math
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

#: A curve of more values is drawn by their means: no plot shows more, and each value is drawn anew whenever one comes.
DRAWN_VALUES = 400
_READ = ("step", "loss", "validation_liver_dice", "validation_lesion_dice")


@dataclass(frozen=True)
class Curves:
    """One job's ``log.csv``.

    Attributes:
        steps, losses: (n,) float64, one value a logged interval.
        validation_steps, liver_dice, lesion_dice: (m,) float64, one value a validation; NaN where no patient counts.
    """

    steps: np.ndarray = field(default_factory=lambda: np.empty(0))
    losses: np.ndarray = field(default_factory=lambda: np.empty(0))
    validation_steps: np.ndarray = field(default_factory=lambda: np.empty(0))
    liver_dice: np.ndarray = field(default_factory=lambda: np.empty(0))
    lesion_dice: np.ndarray = field(default_factory=lambda: np.empty(0))

    def drawn(self) -> Curves:
        """With as many losses as a plot can show, the mean of as many neighbours each."""
        together = math.ceil(len(self.steps) / DRAWN_VALUES)
        if together < 2:
            return self
        starts = np.arange(0, len(self.steps), together)
        counts = np.diff([*starts, len(self.steps)])
        steps, losses = (np.add.reduceat(values, starts) / counts for values in (self.steps, self.losses))
        return Curves(steps, losses, self.validation_steps, self.liver_dice, self.lesion_dice)


class LogReader:
    """Reads what was written to a log since the last time; from the start where it was replaced, as it is when an
    interrupted training goes on.

    Args:
        path: ``log.csv``; need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._forget()

    def _forget(self) -> None:
        self._file, self._offset, self._size = -1, 0, -1
        self._columns: list[str] = []
        self._values: list[tuple[float, ...]] = []

    @property
    def grew(self) -> bool:
        """Whether anything was written since it was read."""
        try:
            found = self.path.stat()
        except OSError:
            return False
        return (found.st_ino, found.st_size) != (self._file, self._size)

    def read(self) -> Curves:
        """All curves so far; empty where there is no log yet. A last line that is being written is left out."""
        try:
            with self.path.open("rb") as file:
                found = self.path.stat()
                if found.st_ino != self._file or found.st_size < self._offset:
                    self._forget()
                self._file, self._size = found.st_ino, found.st_size
                file.seek(self._offset)
                text = file.read()
        except OSError:
            self._forget()
            return Curves()
        text = text[: text.rfind(b"\n") + 1]
        self._offset += len(text)
        with suppress(csv.Error):  # a damaged line: what is after it is not read
            for row in csv.reader(text.decode("utf-8", errors="replace").splitlines()):
                if self._columns:
                    self._take(dict(zip(self._columns, row, strict=False)))
                else:
                    self._columns = row
        steps, losses, liver, lesion = np.array(self._values, np.float64).reshape(-1, len(_READ)).T
        validated = ~(np.isnan(liver) & np.isnan(lesion))
        return Curves(steps, losses, steps[validated], liver[validated], lesion[validated])

    def _take(self, row: dict[str, str]) -> None:
        step, loss, *dice = (_number(row.get(column)) for column in _READ)
        if not (math.isnan(step) or math.isnan(loss)):
            self._values.append((step, loss, *dice))


def _number(text: str | None) -> float:
    """NaN for what is no number."""
    try:
        return float(text) if text else math.nan
    except ValueError:
        return math.nan
