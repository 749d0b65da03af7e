"""An output folder that shows all files of a run or none of them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from ..engine.errors import OutputError


class OutputFolder:
    """Files are written to :attr:`staging`, a hidden folder inside the output folder, and moved into place by commit.

    Entering the context makes the folder, so that one that cannot be written is found before hours are spent. Leaving
    it without :meth:`commit` removes everything that was made, folders included.

    Args:
        folder: The output folder; made if need be, with its parents.
        names: Every file that a run may leave there. None may exist, unless ``force`` is set: they are replaced
            together then, and those that this run does not write are removed, as they belong to the earlier run.
    """

    def __init__(self, folder: Path, names: Sequence[str], force: bool = False) -> None:
        self.folder = Path(folder)
        self.names = tuple(names)
        self.force = force
        self.staging = self.folder
        self._made: list[Path] = []
        self._committed = False

    def __enter__(self) -> OutputFolder:
        self._refuse_existing()
        try:
            self._make_folders()
            self.staging = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=self.folder))
        except OSError as error:
            self._remove_made()
            raise _unwritable(self.folder, error) from error
        except BaseException:
            self._remove_made()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        shutil.rmtree(self.staging, ignore_errors=True)
        if not self._committed:
            self._remove_made()

    def commit(self) -> list[Path]:
        """Move the files into place and return their paths. Raises OutputError; the folder is as before then."""
        if not self.force:
            self._refuse_existing()
        replaced = Path(tempfile.mkdtemp(prefix=".replaced-", dir=self.staging))
        moved: list[tuple[Path, Path]] = []
        try:
            for name in self.names:
                target, new = self.folder / name, self.staging / name
                if os.path.lexists(target):
                    os.replace(target, replaced / name)
                    moved.append((replaced / name, target))
                if new.exists():
                    os.replace(new, target)
                    moved.append((target, new))
        except BaseException as error:
            for now, before in reversed(moved):
                os.replace(now, before)
            if isinstance(error, OSError):
                raise _unwritable(self.folder, error) from error
            raise
        self._committed = True
        return [self.folder / name for name in self.names if (self.folder / name).exists()]

    def _refuse_existing(self) -> None:
        existing = [name for name in self.names if os.path.lexists(self.folder / name)]
        if existing and not self.force:
            verb = "exists" if len(existing) == 1 else "exist"
            raise OutputError(
                f"{', '.join(existing)} {verb} in {self.folder}: choose another folder, or --force to replace"
            )

    def _make_folders(self) -> None:
        missing = []
        folder = self.folder
        while not os.path.lexists(folder):
            missing.append(folder)
            folder = folder.parent
        for folder in reversed(missing):
            folder.mkdir()
            self._made.append(folder)

    def _remove_made(self) -> None:
        for folder in reversed(self._made):
            try:
                folder.rmdir()
            except OSError:
                return  # somebody else put something there
        self._made.clear()


def _unwritable(folder: Path, error: OSError) -> OutputError:
    reason = "it is a file" if folder.is_file() else error.strerror or str(error)
    return OutputError(f"{folder} cannot be written ({reason}): choose another folder for the output")
