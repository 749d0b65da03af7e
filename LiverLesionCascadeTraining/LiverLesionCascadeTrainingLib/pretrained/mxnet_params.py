"""Reads MXNet's ``.params`` files (lists of named NDArrays) without MXNet.

The format, all little-endian: uint64 0x112, uint64 reserved; uint64 count and that many arrays; uint64 count and that
many names, each a uint64 length and its bytes (``arg:`` or ``aux:`` and the name of the parameter). An array begins
with a uint32 that tells its version:

* 0xF993FAC9 (version 2): int32 storage type (0: dense), shape;
* 0xF993FACA (version 3, NumPy shapes): the same;
* 0xF993FAC8 (version 1): shape;
* anything else: the number of dimensions, then each as uint32 (the oldest files).

A shape is a uint32 number of dimensions and each as int64. Then: int32 device type, int32 device number, int32 type of
the values, the values in C order.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from LiverLesionCascadeLib.engine.errors import InputError, reason

LIST_MAGIC = 0x112
VERSION_1, VERSION_2, VERSION_3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
#: By MXNet's number of the type.
DTYPES = ("<f4", "<f8", "<f2", "u1", "<i4", "i1", "<i8")
_MOST_DIMENSIONS = 32


class _Reader:
    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._left = file, size

    def bytes(self, count: int) -> bytes:
        # Before any memory is taken: a damaged file may ask for far more than it holds.
        if count > self._left:
            raise ValueError("it ends too early")
        self._left -= count
        return self._file.read(count)

    def number(self, code: str) -> int:
        value: int = struct.unpack(f"<{code}", self.bytes(struct.calcsize(f"<{code}")))[0]
        return value

    def array(self) -> np.ndarray:
        version = self.number("I")
        if version in (VERSION_2, VERSION_3) and self.number("i") != 0:
            raise ValueError("it holds sparse arrays")
        modern = version in (VERSION_1, VERSION_2, VERSION_3)
        dimensions = self.number("I") if modern else version
        if dimensions > _MOST_DIMENSIONS:
            raise ValueError("an array in it is of an unknown version")
        shape = tuple(self.number("q" if modern else "I") for _ in range(dimensions))
        if not shape:  # an array that was never filled: nothing follows
            return np.zeros(0, np.float32)
        self.number("i"), self.number("i")  # the device that it was saved from
        kind = self.number("i")
        if not 0 <= kind < len(DTYPES) or min(shape) < 0:
            raise ValueError("an array in it is of an unknown type")
        dtype = np.dtype(DTYPES[kind])
        return np.frombuffer(self.bytes(math.prod(shape) * dtype.itemsize), dtype).reshape(shape)

    def name(self) -> str:
        return self.bytes(self.number("Q")).decode("utf-8")


def read_params(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file by name, without ``arg:`` and ``aux:``.

    Raises:
        InputError: If it cannot be read or is no such file.
    """
    try:
        with path.open("rb") as file:
            reader = _Reader(file, path.stat().st_size)
            if reader.number("Q") != LIST_MAGIC:
                raise ValueError("it does not begin as one")
            reader.number("Q")
            arrays = [reader.array() for _ in range(reader.number("Q"))]
            names = [reader.name() for _ in range(reader.number("Q"))]
    except OSError as error:
        raise InputError(f"The weights {path} cannot be read ({reason(error)})") from error
    except ValueError as error:
        raise InputError(f"{path} is no MXNet .params file, or damaged ({error}): get it again") from error
    if len(names) != len(arrays):
        raise InputError(f"{path} has {len(arrays)} arrays but {len(names)} names: get it again")
    return {name.split(":", 1)[-1]: array for name, array in zip(names, arrays, strict=True)}
