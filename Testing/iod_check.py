"""Checks DICOM objects against the tables of the standard: modules and attributes of their type, recursively.

The tables are those that come with highdicom. Conditions ("1C", "2C", conditional modules) are written in words, which
no table can decide; only what is always required is checked. ``dicom-validator`` knows more, but needs the standard's
files at hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import highdicom

_TABLES = Path(highdicom.__file__).parent / "_standard"
_IODS, _MODULES, _CLASSES = (
    json.loads((_TABLES / f"{name}.json").read_text("utf-8"))
    for name in ("iod_module_map", "module_attribute_map", "sop_class_iod_map")
)

_FUNCTIONAL_GROUPS = (["SharedFunctionalGroupsSequence"], ["PerFrameFunctionalGroupsSequence"])
# What an item of a report must hold depends on its value type.
_IN_WORDS = ("sr-document-content",)
# Of a segmentation in the frame of reference of its source.
_EVERY_FRAME_HAS = (
    "PixelMeasuresSequence",
    "PlaneOrientationSequence",
    "PlanePositionSequence",
    "FrameContentSequence",
    "DerivationImageSequence",
    "SegmentIdentificationSequence",
)


def iod_problems(dataset: Any) -> list[str]:
    """One line for everything that a mandatory module or a sequence that is there asks for and the object lacks."""
    problems = []
    for module in _IODS[_CLASSES[str(dataset.SOPClassUID)]]:
        if module["usage"] != "M" or module["key"] in _IN_WORDS:
            continue
        for attribute in _MODULES[module["key"]]:
            name, kind, path = attribute["keyword"], attribute["type"], attribute["path"]
            if path in _FUNCTIONAL_GROUPS:
                continue  # where one may be, and whether it must, is in words; see below
            for holder in _holders(dataset, path):
                if kind in ("1", "2") and name not in holder:
                    problems.append(f"{module['key']}: {'.'.join([*path, name])} is missing")
                elif kind == "1" and holder[name].is_empty:
                    problems.append(f"{module['key']}: {'.'.join([*path, name])} is empty")
    for group in _EVERY_FRAME_HAS if "PerFrameFunctionalGroupsSequence" in dataset else ():
        (shared,) = dataset.SharedFunctionalGroupsSequence
        if not all((group in frame) != (group in shared) for frame in dataset.PerFrameFunctionalGroupsSequence):
            problems.append(f"{group} is not in all frames or shared by them")
    return problems


def _holders(dataset: Any, path: list[str]) -> list[Any]:
    """The items that a sequence's path leads to; none where a sequence of the path is absent."""
    found = [dataset]
    for name in path:
        found = [item for holder in found if name in holder for item in holder[name].value]
    return found
