"""Cases as they lie in somebody's folders, before they are prepared."""

from __future__ import annotations

import hashlib
import json
import re
from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.files import write_atomically
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume

from .mask_check import require_on_liver
from .problems import Problem
from .training_case import TrainingCase

#: Changes when prepared cases of an earlier version must be made again.
CACHE_FORMAT = 1
#: What the name of a case's file has besides the case's.
_OF_FILES = re.compile(r"^(volume|segmentation)-|\.nii(\.gz)?$")


@dataclass(frozen=True)
class CaseSource(TrainingCase):
    """A case in files that belong to somebody else and are only read.

    Attributes:
        files: All that it is read from; when one changes, the case is prepared again.
        lesions_unknown: Its liver is labelled, but nobody has looked for lesions.
    """

    files: tuple[Path, ...]
    lesions_unknown: bool = field(default=False, kw_only=True)

    def fingerprint(self) -> str:
        """Changes with the files (place, size, time) and with all that decides what is read from them."""
        stats = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in self.files]
        return hashlib.blake2b(json.dumps([self.settings(), stats]).encode(), digest_size=16).hexdigest()

    def settings(self) -> list[Any]:
        """What besides the files decides how they are read; a kind of source may add to it."""
        unknown = ["lesions unknown"] if self.lesions_unknown else []
        # The word tells such cases from those that were measured as if their slices were neighbours.
        selection = ["as scanned", *self.slice_numbers] if self.slice_numbers else []
        return [CACHE_FORMAT, type(self).__name__, self.sparse, *unknown, *selection]

    @abstractmethod
    def open(self) -> tuple[CTVolume, Path, Callable[[], np.ndarray]]:
        """The scan, the file of its labels, and what makes labels of that, (k, j, i) on the scan's own grid."""

    def read(self) -> tuple[CTVolume, np.ndarray]:
        ct, file, make_labels = self.open()
        try:
            labels = ct.from_source(make_labels())
            require_on_liver(ct.hu, labels)
        except InputError as error:
            raise InputError(f"{file.name}: {error}") from error
        return ct, labels


@dataclass
class Found:
    """What a search for cases gave."""

    cases: list[CaseSource] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, other: Found) -> None:
        self.cases += other.cases
        self.problems += other.problems
        self.notes += other.notes


def descriptions(folder: Path) -> dict[str, dict[str, Any]]:
    """``dataset.json`` of the folder and of its parent: per case its ``patient`` and what it holds.

    Of a case that both describe, the folder's own counts.

    Raises:
        InputError: If it cannot be read.
    """
    described: dict[str, dict[str, Any]] = {}
    for path in (folder.parent / "dataset.json", folder / "dataset.json"):
        if path.is_file():
            described |= {name: each for name, each in read_json(path).items() if isinstance(each, dict)}
    return described


def check_descriptions(folder: Path, found: Found) -> None:
    """Adds what ``dataset.json`` says in vain: cases of one patient would be taken for those of several without a word.

    What is surely a mistake is a problem; what may be meant for other folders, or for nobody, is at most a note.

    Args:
        found: All of the folder that ``descriptions`` are for.
    """
    names = {case.name for case in found.cases} | {problem.case for problem in found.problems}
    described = {name for name, each in descriptions(folder).items() if "patient" in each}
    called = {_plain(name): name for name in names - described}
    for path in (folder.parent / "dataset.json", folder / "dataset.json"):
        for name, each in read_json(path).items() if path.is_file() else ():
            if name in names and not isinstance(each, dict):
                message = f'{path} says nothing of a patient in this form: write {{"{name}": {{"patient": ...}}}}'
                if described & names:
                    found.notes.append(f"Case {name}: {message}")
                else:
                    found.problems.append(Problem(name, message))
            elif name in described - names and (case := called.get(_plain(name))):
                message = f"{path} describes {name}, and no case here is called that, but {case}: correct it"
                found.problems.append(Problem("", message))
            elif name in described - names and path.parent == folder:
                found.notes.append(f"{path} describes {name}, and no case here is called that")


def _plain(name: str) -> str:
    """What a case's name and a slip of it have in common: without capitals, zeros in front, and what files add."""
    return _OF_FILES.sub("", name.casefold()).lstrip("0")


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises InputError where the file holds none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read ({error}): correct or remove it") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no JSON object: correct or remove it")
    return content


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Replaces a file as a whole. Raises OSError."""
    write_atomically(path, json.dumps(content, indent=1).encode())


def safe_name(text: str) -> str:
    """A case's name that can be a folder's on every system."""
    return re.sub(r'[<>:"/\\|?*\x00-\x1f]+', "_", text).strip(" .") or "case"


def natural_order(case: TrainingCase) -> tuple[int, str]:
    """Sorts case 9 before case 10."""
    return (int(case.name) if case.name.isdecimal() else 2**31, case.name)


def duplicate_names(cases: Iterable[CaseSource]) -> list[Problem]:
    """Cases of one name; names that differ in capitals only are one to some file systems."""
    first: dict[str, CaseSource] = {}
    problems = []
    for case in cases:
        other = first.setdefault(case.name.casefold(), case)
        if other is not case:
            problems.append(
                Problem(
                    case.name,
                    f"Case {case.name} is in {other.files[0].parent} and in {case.files[0].parent}: keep one of them",
                )
            )
    return problems
