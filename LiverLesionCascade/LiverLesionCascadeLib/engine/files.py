"""Files that appear complete or not at all."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_file(path: Path, suffix: str = "") -> Iterator[Path]:
    """A path beside ``path`` to write to; it takes that name on leaving, and is removed after an error.

    Args:
        suffix: What the temporary name must end in, for writers that choose the format by it.
    """
    temporary = path.with_name(f".writing-{uuid.uuid4().hex}{suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):  # gone already, or its folder is: nothing is left behind
            temporary.unlink()


def has_text_name(path: Path | str) -> bool:
    """Whether a path is text. Old disks and archives have names that are not (as bytes of Latin-1 are no UTF-8), which
    Python passes through, but native libraries end the process for."""
    try:
        os.fspath(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def shown_name(path: Path | str) -> str:
    """A path for messages and reports, with question marks for what is no text in it."""
    return os.fspath(path).encode("utf-8", errors="replace").decode()


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a whole file. Raises OSError."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(content)
