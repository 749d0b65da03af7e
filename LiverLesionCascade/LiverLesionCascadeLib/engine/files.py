"""Files that appear complete or not at all, and arrays in files that may be anything."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import CascadeError, InputError, OutputError, system_errors_as

if TYPE_CHECKING:
    import numpy as np


#: What hinders a file from being moved or removed may be gone a moment later: a program that looks at it.
ATTEMPTS = 3


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
        remove_file(temporary)


def writing_to(folder: Path) -> AbstractContextManager[None]:
    """Raises OutputError where the disk refuses what is written meanwhile."""
    remedy = "make room there, close programs that have its files open, and start again to go on"
    return system_errors_as(OutputError, f"{folder} cannot be written", remedy)


def remove_file(path: Path) -> None:
    """Removes a file as far as that is possible, whether it is there or not."""
    for _ in range(ATTEMPTS):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
            return


def remove_tree(folder: Path) -> None:
    """Removes a folder with everything in it, as far as that is possible, whether it is there or not."""
    for _ in range(ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.lexists(folder):
            return


def files_below(folder: Path, unlisted: Callable[[OSError], object] | None = None) -> Iterator[Path]:
    """All files in a folder and its subfolders, sorted, but for hidden ones.

    Every folder is searched once, whatever links lead to it; those that are no links first, so that they keep their
    names. Links out of the folder to what it lies in are not followed.

    Args:
        unlisted: Called with the error of a folder that cannot be listed.
    """
    seen: set[str] = set()
    around = Path(folder).resolve().parents
    waiting = [os.fspath(folder)]
    while waiting:
        links: list[str] = []
        for start in waiting:
            for place, subfolders, names in os.walk(start, onerror=unlisted):
                real = os.path.realpath(place)
                if real in seen:
                    subfolders.clear()
                    continue
                seen.add(real)
                subfolders.sort()
                links += [link for name in subfolders if os.path.islink(link := os.path.join(place, name))]
                yield from (path for name in sorted(names) if may_be_read(path := Path(place) / name))
        waiting = [link for link in links if Path(link).resolve() not in around]


def may_be_read(path: Path) -> bool:
    """Whether a path that a folder lists is a file that is not hidden (macOS puts ``._IM0001`` beside every file on
    foreign disks). So is a link that leads nowhere, for the reader to say; pipes and devices may never end."""
    return not path.name.startswith(".") and (os.path.isfile(path) or not os.path.exists(path))


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


def require_text_name(path: Path, kind: type[CascadeError] = InputError) -> None:
    """Raises an error of a kind for a path that is no text."""
    if not has_text_name(path):
        raise kind(
            f"{shown_name(path)}: the path holds bytes that are no text (UTF-8), as on an old disk. Give the file or "
            "folder another name, or copy it to one."
        )


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a whole file. Raises OSError."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(content)


def json_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty where there is none that can be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def mapped_array(path: Path) -> np.ndarray:
    """The array in an NPY file, which stays on the disk until it is used.

    Raises OSError, and ValueError for a file that is damaged or holds anything but plain values.
    """
    import numpy as np

    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError:
        raise
    # A header is Python's syntax to numpy: of a damaged one anything may come.
    except Exception as error:
        raise ValueError(f"{path.name} holds no array: {' '.join(str(error).split())[:80]}") from error


def read_array(path: Path) -> np.ndarray:
    """The array in an NPY file, in memory, of which no more is taken than the file holds.

    Raises as :func:`mapped_array`.
    """
    import numpy as np

    return np.array(mapped_array(path), order="C")
