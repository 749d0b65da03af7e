"""Steers ``failing.c``: the n-th file operation below a folder fails, or ends the process."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SOURCE = Path(__file__).with_suffix(".c")
_LIBRARY = "LIVER_LESION_CASCADE_FAILING"


@contextmanager
def failing_library() -> Iterator[Path]:
    """The library that makes file operations fail; it needs a C compiler."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "failing.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, _SOURCE, "-ldl"], check=True)
        yield library


def restart_with_failing() -> None:
    """Starts this program again with the library loaded first, unless it is."""
    if _LIBRARY in os.environ:
        return
    with failing_library() as library:
        done = subprocess.run(
            [sys.executable, "-m", "fire", *sys.argv[1:]],
            env=os.environ | {"LD_PRELOAD": str(library), _LIBRARY: str(library)},
        )
    sys.exit(done.returncode)


class Operations:
    """The file operations of this process below a folder."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(os.environ[_LIBRARY])

    def _whole(self, name: str) -> ctypes.c_int:
        return ctypes.c_int.in_dll(self._library, name)

    @contextmanager
    def watched(self, folder: Path, at: int = 0, code: int = 0, stays: bool = False) -> Iterator[None]:
        """Counts them meanwhile.

        Args:
            at: Number of the one that fails, from 1; 0 for none.
            code: As which ``errno``; 0 for a short write (else nothing), -1 to end the process by SIGKILL.
            stays: Whether all that write fail from then on, as on a full disk.
        """
        for name, value in (("fire_seen", 0), ("fire_at", at), ("fire_errno", code), ("fire_stays", int(stays))):
            self._whole(name).value = value
        ctypes.memset(ctypes.addressof(ctypes.c_char.in_dll(self._library, "fire_failed")), 0, 64)
        place = (ctypes.c_char * 4096).in_dll(self._library, "fire_folder")
        place.value = os.fsencode(folder)
        try:
            yield
        finally:
            place.value = b""

    @property
    def seen(self) -> int:
        return self._whole("fire_seen").value

    @property
    def failed(self) -> str:
        """What failed; empty where nothing did."""
        return (ctypes.c_char * 64).in_dll(self._library, "fire_failed").value.decode()
