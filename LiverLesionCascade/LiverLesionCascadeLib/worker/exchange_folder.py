"""The private folder through which a client and its worker exchange volumes and results.

In it lies one folder a run: ``volume.npy``, ``request.json``, later ``result/``. Scans are patients' data: the folder
can be read by its owner only, and what a killed program left behind is removed at the next start.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from ..engine.errors import reason
from ..engine.files import read_array, remove_tree
from ..engine.grid.boxed import Boxed
from ..engine.run_options import RunOptions
from .submitted_run import VolumeData

RESULT = "result"
_VOLUME_FILE = "volume.npy"
_EDITS_FILE = "edits.npy"
_REQUEST_FILE = "request.json"
_PREFIX = "LiverLesionCascade-"
_LOCK_FILE = "in-use"
_ATTEMPTS = 20
#: What is written at a time: a disk takes it within a few hundredths of a second.
_SLAB_BYTES = 16_000_000


class ExchangeFolder:
    """A folder of its own in the temporary folder, locked as long as its owner lives. Raises OSError."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        for _ in range(_ATTEMPTS):
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))
            try:
                self._lock: IO[bytes] = open(self.path / _LOCK_FILE, "xb")
            except FileNotFoundError:
                continue  # removed as empty by one who tidies up
            except OSError:
                remove_tree(self.path)
                raise
            if _try_lock(self._lock) and (self.path / _LOCK_FILE).exists():
                return
            self._lock.close()  # one who tidies up was faster
        raise OSError(errno.EBUSY, "other programs remove what is made there")

    def run_folder(self, number: int) -> Path:
        return self.path / f"run-{number}"

    def remove(self) -> None:
        """Removes it with everything in it."""
        self._lock.close()  # Windows removes no open file
        remove_tree(self.path)


def remove_abandoned(root: Path) -> None:
    """Removes the exchange folders in ``root`` whose owner is gone; others' and what else lies there stay."""
    for folder in root.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # another user's, in use, or removed just now
            if (folder / _LOCK_FILE).exists():
                _remove_if_abandoned(folder)
            else:
                folder.rmdir()  # made by one who was killed before the lock; one at work makes another


def write_volume(folder: Path, volume: VolumeData, options: RunOptions) -> Iterator[None]:
    """Makes a run's folder, pausing (yielding) before each of many short writes. Raises OSError."""
    folder.mkdir()
    request = {"name": volume.name, "ijk_to_lps": np.asarray(volume.ijk_to_lps).tolist(), "options": options.to_dict()}
    if volume.edits is not None:
        request["edits_start"] = [int(first) for first in volume.edits.start]
        yield
        np.save(folder / _EDITS_FILE, volume.edits.values, allow_pickle=False)
    (folder / _REQUEST_FILE).write_text(json.dumps(request), encoding="ascii")
    with open(folder / _VOLUME_FILE, "xb") as file:
        header = np.lib.format.header_data_from_array_1_0(volume.array)
        np.lib.format.write_array_header_1_0(file, header | {"fortran_order": False})
        for slab in slabs(volume.array):
            yield
            file.write(slab.tobytes())


def slabs(array: np.ndarray, limit: int = _SLAB_BYTES) -> Iterator[np.ndarray]:
    """Views of at most ``limit`` bytes that make up the array, in C order."""
    if array.nbytes <= limit or array.ndim == 0:
        yield array
    elif len(array) == 1:
        yield from slabs(array[0], limit)
    else:
        step = max(1, limit * len(array) // array.nbytes)
        for first in range(0, len(array), step):
            yield from slabs(array[first : first + step], limit)


def read_volume(folder: Path) -> tuple[VolumeData, RunOptions]:
    """What ``write_volume`` wrote. Raises OSError, or ValueError where it is damaged."""
    array = read_array(folder / _VOLUME_FILE)
    try:
        request = json.loads((folder / _REQUEST_FILE).read_text(encoding="ascii"))
        matrix = np.array(request["ijk_to_lps"], np.float64).reshape(4, 4)
        edits = None
        if "edits_start" in request:
            edits = Boxed.read(folder / _EDITS_FILE, request["edits_start"], array.shape)
        return VolumeData(array, matrix, str(request["name"]), edits), RunOptions.from_dict(request["options"])
    except (LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"{folder / _REQUEST_FILE} is damaged ({error})") from error


def unusable(root: Path, error: Exception) -> str:
    """The sentence for an error in a temporary folder, with the remedy."""
    return (
        f"The temporary folder {root} cannot be used ({reason(error)}): free space there, or choose another one in the "
        "application settings."
    )


def _remove_if_abandoned(folder: Path) -> None:
    lock = folder / _LOCK_FILE
    if os.name == "nt":
        lock.unlink()  # refused while it is open
        remove_tree(folder)
        return
    with open(lock, "r+b") as file:
        if _try_lock(file):  # and holds it until all is gone
            remove_tree(folder)


def _try_lock(file: IO[bytes]) -> bool:
    """Locks a file until it is closed or its process ends; whether that was possible. On Windows an open file is."""
    if os.name == "nt":
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
