"""An output folder that shows all files of a run or none of them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from ..engine.errors import OutputError, reason
from ..engine.files import ATTEMPTS, remove_file, remove_tree

_UNFINISHED, _REPLACED, _ALL, _LOCK_FILE = ".unfinished-", ".replaced-", ".all", ".lock"


class OutputFolder:
    """Files are written to :attr:`staging`, a hidden folder inside the output folder, and moved into place by commit.

    Entering the context makes the folder, so that one that cannot be written is found before hours are spent, keeps
    other runs out of it, and clears what a run left there that was killed. Leaving it without :meth:`commit` removes
    everything that was made, folders included.

    Args:
        folder: The output folder; made if need be, with its parents.
        names: Every file that a run may leave there. None may exist, unless ``force`` is set: they are replaced
            together then, and those that this run does not write are removed, as they belong to the earlier run.
        option: What whoever runs it sets ``force`` by.
    """

    def __init__(self, folder: Path, names: Sequence[str], force: bool = False, option: str = "--force") -> None:
        self.folder = Path(folder)
        self.names = tuple(names)
        self.force = force
        self.option = option
        self.staging = self.folder
        self._made: list[Path] = []
        self._lock: FileLock | None = None

    def __enter__(self) -> OutputFolder:
        try:
            self._make_folders()
            self._keep_others_out()
            self._refuse_existing()
            self.staging = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self.folder))
        except OSError as error:
            self._leave()
            raise _unwritable(self.folder, error) from error
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        remove_tree(self.staging)
        self._leave()

    def commit(self) -> list[Path]:
        """Move the files into place and return their paths. Raises OutputError; the folder is as before then."""
        self._refuse_existing()
        moved: list[tuple[Path, Path]] = []
        try:
            replaced = Path(tempfile.mkdtemp(prefix=_REPLACED, dir=self.staging))
            for name in self.names:
                if os.path.lexists(self.folder / name):
                    os.replace(self.folder / name, replaced / name)
                    moved.append((replaced / name, self.folder / name))
            # From here on, whatever a run that is killed leaves in place is new.
            all_replaced = self.staging / f"{_ALL}{replaced.name}"
            os.replace(replaced, all_replaced)
            moved = [(all_replaced / now.name, before) for now, before in moved]
            for name in self.names:
                if (self.staging / name).exists():
                    os.replace(self.staging / name, self.folder / name)
                    moved.append((self.folder / name, self.staging / name))
        except BaseException as error:
            for now, before in reversed(moved):
                _back(now, before)
            if isinstance(error, OSError):
                raise _unwritable(self.folder, error) from error
            raise
        self._made.clear()
        return [self.folder / name for name in self.names if (self.folder / name).exists()]

    def _refuse_existing(self) -> None:
        existing = [name for name in self.names if os.path.lexists(self.folder / name)]
        if existing and not self.force:
            verb = "exists" if len(existing) == 1 else "exist"
            raise OutputError(
                f"{', '.join(existing)} {verb} in {self.folder}: choose another folder, or {self.option} to replace"
            )

    def _make_folders(self) -> None:
        missing = [folder for folder in (self.folder, *self.folder.parents) if not os.path.lexists(folder)]
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
            self._undo(abandoned)
            remove_tree(abandoned)

    def _undo(self, abandoned: Path) -> None:
        """A run was killed: unless it had moved all its files, those that it had go and the old ones come back."""
        if any((abandoned / name).exists() for name in self.names):
            for replaced in abandoned.glob(f"{_ALL}*"):
                for name in self.names:
                    (self.folder / name).unlink(missing_ok=True)
                os.replace(replaced, abandoned / f"{_REPLACED}all")
        for kept in abandoned.glob(f"{_REPLACED}*/*"):
            if not os.path.lexists(self.folder / kept.name):
                os.replace(kept, self.folder / kept.name)

    def _leave(self) -> None:
        if self._lock is not None:
            if os.name != "nt":  # an open file cannot be removed there, and not after another run has taken it here
                remove_file(self.folder / _LOCK_FILE)
            self._lock.release()
            if os.name == "nt":
                remove_file(self.folder / _LOCK_FILE)
        with suppress(OSError):  # somebody else put something there
            for folder in reversed(self._made):
                folder.rmdir()


def _back(now: Path, before: Path) -> None:
    """Undoes a move; tried again, as what hinders it may be gone (a full disk, a program that looks at the file)."""
    for attempt in range(ATTEMPTS):
        try:
            os.replace(now, before)
            return
        except OSError:
            if attempt == ATTEMPTS - 1:
                raise


def _unwritable(folder: Path, error: OSError) -> OutputError:
    why = "it is a file" if os.path.isfile(folder) else reason(error)
    return OutputError(f"{folder} cannot be written ({why}): choose another folder for the output")
