"""What an archive holds: an entry is a scan to segment, or something that cannot be one and why."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_NAME_LENGTH = 80


@dataclass(frozen=True)
class Entry:
    """One line of the table of cases.

    Attributes:
        name: Unique in the archive, the same in every run, fit for a folder's name on every system.
        source: Where it lies, for people.
        paths: An image file, or the folders with the files of a DICOM series.
        series: UID of the DICOM series; None for image files.
        fingerprint: Changes with the files (name, size, time).
        problem: Why it is no case; None for a case.
    """

    name: str
    source: str
    paths: tuple[str, ...]
    series: str | None = None
    fingerprint: str = ""
    problem: str | None = None


def entry_name(readable: str, identity: str) -> str:
    """A folder's name from what a person recognises, with a hash of ``identity`` so that no two are the same."""
    safe = re.sub(r"[^\w.-]+", "_", readable, flags=re.ASCII).strip("._") or "case"
    return f"{safe[-_NAME_LENGTH:].strip('._')}-{_digest([identity])[:8]}"


def files_fingerprint(paths: Iterable[str | os.PathLike[str]]) -> str:
    """By name, size and time of change, so that an archive may move; contents are not read. Raises OSError."""
    stats = []
    for path in sorted(os.fspath(p) for p in paths):
        stat = os.stat(path)
        stats.append(f"{os.path.basename(path)}\0{stat.st_size}\0{stat.st_mtime_ns}")
    return _digest(stats)


def image_files(path: Path) -> list[Path]:
    """An image file and, for a header on its own (NHDR, MHD), the files with its voxels. Raises OSError."""
    if path.suffix.lower() not in (".nhdr", ".mhd"):
        return [path]
    with path.open("rb") as file:
        header = file.read(1 << 16).decode("utf-8", errors="replace")
    named = re.search(r"^(?:data ?file|ElementDataFile)\s*[:=]\s*(\S.*?)\s*$", header, re.MULTILINE | re.IGNORECASE)
    data = path.parent / named[1] if named else path
    return [path, data] if os.path.isfile(data) and data != path else [path]


def _digest(parts: Iterable[str]) -> str:
    joined = "\n".join(parts).encode("utf-8", errors="surrogateescape")
    return hashlib.blake2b(joined, digest_size=16).hexdigest()
