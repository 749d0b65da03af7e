"""Cases of a task of the Medical Segmentation Decathlon: ``dataset.json``, ``imagesTr`` and ``labelsTr``."""

from __future__ import annotations

import os
from pathlib import Path

from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.scan.image_io import READABLE, image_stem

from ..cases.case_source import Found, read_json, safe_name
from ..cases.problems import Problem
from .lits import LabelMapSource
from .segment_labels import SegmentIdentity, role_of_name


def is_msd(folder: Path) -> bool:
    path = folder / "dataset.json"
    return os.path.isfile(path) and isinstance(read_json(path).get("training"), list)


def find_msd(folder: Path, ignore: tuple[str, ...] = ()) -> Found:
    """The training cases that ``dataset.json`` lists; every case is a patient of its own.

    Labels are understood by their names there: 1 liver and 2 cancer in Task03_Liver.

    Args:
        ignore: Patterns of the names of labels that are neither liver nor lesion and do not matter.

    Raises:
        InputError: If ``dataset.json`` is not as the Decathlon defines it.
    """
    description = read_json(folder / "dataset.json")
    labels = description.get("labels")
    if not isinstance(labels, dict) or not all(str(value).isdecimal() for value in labels):
        raise InputError(
            f'{folder / "dataset.json"} lacks "labels", as {{"0": "background", "1": "liver", "2": "cancer"}}'
        )
    names = {int(value): str(name) for value, name in labels.items()}
    ignored = ("background", *ignore)
    roles = {value: 0 if SegmentIdentity(n).matches(ignored) else role_of_name(n) for value, n in names.items()}
    known = tuple(sorted(({value: role for value, role in roles.items() if role is not None} | {0: 0}).items()))
    found = Found()
    for entry in description["training"]:
        if not isinstance(entry, dict) or not {"image", "label"} <= entry.keys():
            raise InputError(f'{folder / "dataset.json"}: every "training" entry needs "image" and "label"')
        files = (folder / entry["image"], folder / entry["label"])
        name = safe_name(image_stem(files[0].name))
        missing = [path for path in files if not os.path.isfile(path)]
        if missing:
            listed = " and ".join(str(path.relative_to(folder)) for path in missing)
            found.problems.append(Problem(name, f"{listed} is listed in dataset.json but not in {folder}"))
            continue
        found.cases.append(LabelMapSource(name, f"p{name}", False, files, known, tuple(sorted(names.items()))))
    labels_listed = {(folder / entry["label"]).resolve() for entry in description["training"]}
    for path in sorted((folder / "labelsTr").glob("[!.]*")):
        if path.name.lower().endswith(READABLE) and path.resolve() not in labels_listed:
            found.notes.append(f"{path} is not listed in dataset.json and was left out")
    return found
