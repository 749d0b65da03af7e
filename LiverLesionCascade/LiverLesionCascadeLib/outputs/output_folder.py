"""An output folder that shows all files of a run or none of them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from ..engine.errors import OutputError

_UNFINISHED, _REPLACED, _LOCK_FILE = ".unfinished-", ".replaced-", ".lock"


class OutputFolder:
    """Files are written to :attr:`staging`, a hidden folder inside the output folder, and moved into place by commit.

    Entering the context makes the folder, so that one that cannot be written is found before hours are spent, keeps
    other runs out of it, and clears what a run left there that was killed. Leaving it without :meth:`commit` removes
    everything that was made, folders included.

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
        self._lock: FileLock | None = None

    def __enter__(self) -> OutputFolder:
        self._refuse_existing()
        try:
            self._make_folders()
            self._keep_others_out()
            self.staging = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self.folder))
        except OSError as error:
            self._leave()
            raise _unwritable(self.folder, error) from error
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        shutil.rmtree(self.staging, ignore_errors=True)
        self._leave()

    def commit(self) -> list[Path]:
        """Move the files into place and return their paths. Raises OutputError; the folder is as before then."""
        if not self.force:
            self._refuse_existing()
        replaced = Path(tempfile.mkdtemp(prefix=_REPLACED, dir=self.staging))
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

    def _keep_others_out(self) -> None:
        """Raises OutputError while another run is at work; what is unfinished there is then nobody's."""
        lock = FileLock(self.folder / _LOCK_FILE, timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise OutputError(
                f"Another run is writing to {self.folder}: wait for it, or choose another folder for the output"
            ) from error
        except NotImplementedError:
            return  # a disk that knows no locks
        self._lock = lock
        for abandoned in self.folder.glob(f"{_UNFINISHED}*"):
            for kept in abandoned.glob(f"{_REPLACED}*/*"):  # it was killed while it moved files into place
                if not os.path.lexists(self.folder / kept.name):
                    os.replace(kept, self.folder / kept.name)
            shutil.rmtree(abandoned, ignore_errors=True)

    def _leave(self) -> None:
        if self._lock is not None:
            if os.name != "nt":  # an open file cannot be removed there, and not after another run has taken it here
                (self.folder / _LOCK_FILE).unlink(missing_ok=True)
            self._lock.release()
            with suppress(OSError):
                if os.name == "nt":
                    (self.folder / _LOCK_FILE).unlink(missing_ok=True)
            self._lock = None
        if not self._committed:
            self._remove_made()

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
