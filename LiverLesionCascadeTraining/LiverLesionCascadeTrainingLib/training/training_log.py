"""The log of one training: rows of ``log.csv`` and, where it is installed, TensorBoard events."""

from __future__ import annotations

import csv
from pathlib import Path

from LiverLesionCascadeLib.engine.files import atomic_file

from ..runs.run_folder import LOG_FILE

LOG_COLUMNS = ("step", "learning_rate", "loss", "images_per_second", "validation_liver_dice", "validation_lesion_dice")


class TrainingLog:
    """CSV and, where tensorboard is installed, TensorBoard events; rows after the resumed step are dropped."""

    def __init__(self, folder: Path, resumed_step: int) -> None:
        path = folder / LOG_FILE
        rows = [row for row in read_rows(path) if int(row["step"]) <= resumed_step] if path.is_file() else []
        # Replaced as a whole: a kill while the old rows are copied must not lose them.
        with atomic_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, LOG_COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        self._file = path.open("a", newline="", encoding="utf-8")
        self._writer = csv.DictWriter(self._file, LOG_COLUMNS)
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            self._board = None
        else:
            self._board = SummaryWriter(str(folder), purge_step=resumed_step + 1)

    def write(self, row: dict[str, float]) -> None:
        self._writer.writerow({key: f"{value:.6g}" for key, value in row.items()})
        self._file.flush()
        if self._board is not None:
            for key, value in row.items():
                if key != "step":
                    self._board.add_scalar(key, value, int(row["step"]))

    def close(self) -> None:
        try:
            self._file.close()
        finally:
            if self._board is not None:
                self._board.close()


def read_rows(path: Path) -> list[dict[str, str]]:
    """The complete rows of a log; a last one that was being written when the training was killed is left out."""
    with path.open(newline="", encoding="utf-8") as file:
        lines = [line for line in file if line.endswith("\n")]
    return [row for row in csv.DictReader(lines) if row["validation_lesion_dice"] is not None]
