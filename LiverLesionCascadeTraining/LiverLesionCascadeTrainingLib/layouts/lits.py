"""Cases in LiTS layout: ``volume-N.nii.gz`` (HU), ``segmentation-N.nii.gz`` (0, 1 liver, 2 lesion, 3 liver with
lesions that nobody labelled)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from LiverLesionCascadeLib.engine.scan.image_io import read_image, read_labels

from ..cases.case_source import CaseSource, Found, descriptions, patient_of
from ..cases.labels import LESION, LESIONS_UNKNOWN, LIVER, with_labels
from ..cases.problems import Problem

_VOLUME = re.compile(r"^volume-(?P<name>.+?)(?P<suffix>\.nii(?:\.gz)?|\.nrrd|\.mha)$")


@dataclass(frozen=True)
class LabelMapSource(CaseSource):
    """A scan and its label map in one image file each.

    Attributes:
        roles: What the label map's numbers mean.
        label_names: Their names, for messages.
    """

    roles: tuple[tuple[int, int], ...] = ((0, 0), (1, LIVER), (2, LESION), (3, LESIONS_UNKNOWN))
    label_names: tuple[tuple[int, str], ...] = ()

    @property
    def volume(self) -> Path:
        return self.files[0]

    @property
    def segmentation(self) -> Path:
        return self.files[1]

    def read(self) -> tuple[CTVolume, np.ndarray]:
        ct = read_image(self.volume, self.sparse)
        values = read_labels(self.segmentation, like=ct.source)
        try:
            labels = with_labels(values, dict(self.roles), dict(self.label_names))
        except InputError as error:
            raise InputError(f"{self.segmentation.name}: {error}") from error
        return ct, ct.from_source(labels)

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
    for volume in sorted(folder.iterdir()):
        match = _VOLUME.match(volume.name)
        if not match:
            continue
        name = match["name"]
        segmentation = folder / f"segmentation-{name}{match['suffix']}"
        if not segmentation.is_file():
            message = f"{volume.name} has no {segmentation.name} beside it in {folder}"
            found.problems.append(Problem(name, message))
            continue
        description = described.get(name)
        sparse = isinstance(description, dict) and "slice_index" in description
        patient = patient_of(described, name, f"p{name}")
        numbers = description.get("source_slice_index", ()) if isinstance(description, dict) else ()
        found.cases.append(LabelMapSource(name, patient, sparse, (volume, segmentation), slice_numbers=tuple(numbers)))
    return found
