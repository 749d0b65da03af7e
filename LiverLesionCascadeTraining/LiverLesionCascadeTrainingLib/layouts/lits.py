"""Cases in LiTS layout: ``volume-N.nii.gz`` (HU), ``segmentation-N.nii.gz`` (0, 1 liver, 2 lesion, 3 liver with
lesions that nobody labelled)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from LiverLesionCascadeLib.engine.errors import CascadeError
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from LiverLesionCascadeLib.engine.scan.image_io import read_image, read_labels, runs_down

from ..cases.case_source import CaseSource, Found, descriptions
from ..cases.labels import LESION, LESIONS_UNKNOWN, LIVER, with_labels
from ..cases.problems import Problem

# In capitals or not: some file systems tell them apart, and people who rename files do not.
_FILE = re.compile(r"^(?P<kind>volume|segmentation)-(?P<name>.+?)(\.nii(\.gz)?|\.nrrd|\.mha)$", re.IGNORECASE)


@dataclass(frozen=True)
class LabelMapSource(CaseSource):
    """A scan and its label map in one image file each.

    Attributes:
        roles: What the label map's numbers mean.
        label_names: Their names, for messages.
    """

    roles: tuple[tuple[int, int], ...] = ((0, 0), (1, LIVER), (2, LESION), (3, LESIONS_UNKNOWN))
    label_names: tuple[tuple[int, str], ...] = ()

    def open(self) -> tuple[CTVolume, Path, Callable[[], np.ndarray]]:
        volume, segmentation = self.files
        ct = read_image(volume, self.sparse)
        values = read_labels(segmentation, like=ct.source)
        return ct, segmentation, lambda: with_labels(values, dict(self.roles), dict(self.label_names))

    def settings(self) -> list[object]:
        return [*super().settings(), self.roles]


def find_lits(folder: Path) -> Found:
    """The cases of a folder.

    ``dataset.json`` in the folder or beside it may name each case's ``patient``; a case with ``slice_index`` holds
    single slices, one with ``source_slice_index`` a selection of the slices of a scan. Without it every case is a
    patient of its own.
    """
    found = Found()
    described = descriptions(folder)
    volumes: dict[str, re.Match[str]] = {}
    segmentations: dict[str, re.Match[str]] = {}
    for path in sorted(folder.iterdir()):
        if match := _FILE.match(path.name):
            of_kind = volumes if match["kind"].lower() == "volume" else segmentations
            other = of_kind.setdefault(match["name"].casefold(), match)
            if other is not match:
                message = f"{other.string} and {path.name} in {folder} are of one case: keep one of them"
                found.problems.append(Problem(match["name"], message))
    for key, there in sorted((segmentations | volumes).items()):
        name = there["name"]
        if key not in volumes or key not in segmentations:
            missing = there.string.replace(there["kind"], "segmentation" if key in volumes else "volume", 1)
            found.problems.append(Problem(name, f"{there.string} has no {missing} beside it in {folder}"))
            continue
        description = described.get(name, {})
        patient, sparse = str(description.get("patient", f"p{name}")), "slice_index" in description
        numbers = description.get("source_slice_index", [])
        if not isinstance(numbers, list) or not all(type(each) is int for each in numbers):
            found.problems.append(Problem(name, f"dataset.json: source_slice_index of {name} must list slice numbers"))
            continue
        if any(after <= before for before, after in pairwise(numbers)):
            message = f"dataset.json: source_slice_index of {name} must rise from each slice of the file to the next"
            found.problems.append(Problem(name, message))
            continue
        files = (folder / volumes[key].string, folder / segmentations[key].string)
        found.cases.append(LabelMapSource(name, patient, sparse, files, slice_numbers=_from_feet(numbers, files[0])))
    return found


def _from_feet(numbers: list[int], volume: Path) -> tuple[int, ...]:
    """The numbers of slices that a file has in its own order, counted from its lowest slice where it begins at the
    head: as scans are read, from feet to head."""
    try:
        turned = bool(numbers) and runs_down(volume)
    except (OSError, CascadeError):
        turned = False  # who reads it is told
    return tuple(numbers[-1] - number for number in reversed(numbers)) if turned else tuple(numbers)
