"""Mutated files for every reader: a clear refusal or a result, and nothing else.

A reader has failed where it raises anything but a ``CascadeError`` with a message, hangs, ends its process, needs more
than 4 GB of address space, leaves a file behind, or gives other voxels than those that were stored without a word where
the format lets it know better: checksums, and voxels that are missing at a file's end.
"""

from __future__ import annotations

import os
import random
import tempfile
import traceback
import warnings
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path

from LiverLesionCascadeLib.engine.errors import CascadeError

from ..guard import Finding, findings_of
from .mutations import mutated

Files = dict[str, bytes]


def always_protected(name: str, old: bytes, new: bytes) -> bool:
    return False


@dataclass(frozen=True)
class Reader:
    """Something that reads what others wrote.

    Attributes:
        name: For people.
        seeds: Contents of folders that it reads without complaint.
        read: Reads such a folder; a digest of what it found, and whether it said that something is odd.
        checked: (file, old content, new content): whether the format lets a reader know of the change.
    """

    name: str
    seeds: list[Files]
    read: Callable[[Path], tuple[Hashable, bool]]
    checked: Callable[[str, bytes, bytes], bool] = always_protected


class Fuzzing:
    """The task of a reader's inputs: input number n is always the same one."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._wanted: list[Hashable] = []
        self._place: Path | None = None

    def __call__(self, number: int, place: Path) -> str | None:
        if self._place != place:
            self._lay_out(place)
        rng = random.Random(f"{self.reader.name} {number}")
        index = rng.randrange(len(self.reader.seeds))
        files, folder = self.reader.seeds[index], place / str(index)
        changes = {}
        checked = False
        for name in rng.sample(sorted(files), 1 if rng.random() < 0.9 else min(2, len(files))):
            changes[name], cut = mutated(rng, name, files[name])
            checked = checked or cut or self.reader.checked(name, files[name], changes[name])
        for name, content in changes.items():
            (folder / name).write_bytes(content)
        try:
            return self._judge(folder, index, checked) or self._left_behind(folder, files)
        finally:
            for name in changes:
                (folder / name).write_bytes(files[name])

    def _lay_out(self, place: Path) -> None:
        self._place = place
        (place / "temporary").mkdir()
        tempfile.tempdir = str(place / "temporary")
        warnings.simplefilter("ignore")
        for index, files in enumerate(self.reader.seeds):
            for name, content in files.items():
                path = place / str(index) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        self._wanted = [self.reader.read(place / str(index))[0] for index in range(len(self.reader.seeds))]

    def _judge(self, folder: Path, index: int, checked: bool) -> str | None:
        try:
            found, warned = self.reader.read(folder)
        except CascadeError as error:
            return None if str(error).strip() else "an error without a message"
        # What else is raised is what is looked for.
        except Exception as error:  # noqa: BLE001
            where = traceback.extract_tb(error.__traceback__)[-1]
            text = " ".join(str(error).split())[:120]
            own = next((f for f in reversed(traceback.extract_tb(error.__traceback__)) if "Lib/" in f.filename), where)
            return f"{type(error).__name__} ({text}) in {Path(own.filename).name}:{own.lineno}"
        if checked and found != self._wanted[index] and not warned:
            return "other voxels without a word"
        return None

    def _left_behind(self, folder: Path, files: Files) -> str | None:
        assert self._place is not None
        there = {os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names}
        if there != set(files):
            return f"files left behind: {sorted(there ^ set(files))}"
        left = os.listdir(self._place / "temporary")
        return f"temporary files left behind: {left}" if left else None


def fuzz(reader: Reader, inputs: range) -> list[Finding]:
    """What went wrong with these inputs of a reader."""
    return findings_of(Fuzzing(reader), inputs)
