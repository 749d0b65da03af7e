"""Arrays on the disk: a ``.npy`` file written item by item, so that one larger than the memory can be made, and the
folder of several."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np

#: NumPy pads headers to a multiple of 64: those of arrays with up to four axes take two of them.
_HEADER_BYTES = 128


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """An empty folder beside ``folder`` to write to; it takes its place on leaving, and is removed after an error."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


class NpyWriter:
    """Writes items one after the other along the first axis; to be used in a ``with`` statement.

    Plain writes, not a memory map: a full disk is then an OSError, where a map would kill the process. Items that
    are all zero are skipped and take no space on file systems that know sparse files.

    Args:
        path: The file; replaced.
        dtype: Of the items.
        shape: Of one item.
    """

    def __init__(self, path: Path, dtype: type[np.generic], shape: tuple[int, ...]) -> None:
        self._dtype, self._shape = np.dtype(dtype), shape
        self._bytes = int(np.prod(shape, dtype=np.int64)) * self._dtype.itemsize
        self._file = open(path, "wb")
        self.count = 0

    def append(self, items: np.ndarray) -> None:
        """Adds items (n, *shape) of the right type. Raises OSError where the disk is full."""
        if items.dtype != self._dtype or items.shape[1:] != self._shape:
            raise ValueError(f"expected {self._dtype} (n, {self._shape}), not {items.dtype} {items.shape}")
        for item in items:
            if item.any():
                self._file.seek(_HEADER_BYTES + self.count * self._bytes)
                self._file.write(np.ascontiguousarray(item).data)
            self.count += 1

    def __enter__(self) -> NpyWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._file.truncate(_HEADER_BYTES + self.count * self._bytes)
                self._file.seek(0)
                header = {"descr": self._dtype.str, "fortran_order": False, "shape": (self.count, *self._shape)}
                np.lib.format.write_array_header_1_0(self._file, header)
        finally:
            self._file.close()
