"""Training cases in LiTS layout: ``volume-N.nii.gz`` (HU), ``segmentation-N.nii.gz`` (0, 1 liver, 2 lesion)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from LiverLesionCascadeLib.engine.errors import InputError

_VOLUME = re.compile(r"^volume-(?P<name>.+?)(?P<suffix>\.nii(?:\.gz)?|\.nrrd|\.mha)$")


@dataclass(frozen=True)
class TrainingCase:
    """One CT with its reference label map.

    Attributes:
        name: N of ``volume-N``.
        patient: Cases of one patient are never split between training and validation, or between folds.
        sparse: True where the slices are single ones: no volumes, no 3D lesions.
    """

    name: str
    volume: Path
    segmentation: Path
    patient: str
    sparse: bool = False

    def load(self) -> tuple[np.ndarray, np.ndarray, tuple[float, float, float]]:
        """Reads the case in axial LPS order.

        Returns:
            HU (slice, row, column) float32, labels (slice, row, column) uint8, spacing (slice, row, column) in mm.

        Raises:
            InputError: If a file cannot be read, the grids differ or a label is unknown.
        """
        import SimpleITK as sitk

        images = []
        for path in (self.volume, self.segmentation):
            try:
                image = sitk.ReadImage(str(path))
            except RuntimeError as error:
                raise InputError(f"{path} cannot be read as an image: replace or remove it") from error
            images.append(sitk.DICOMOrient(image, "LPS"))
        hu, labels = (sitk.GetArrayFromImage(image) for image in images)
        if hu.shape != labels.shape:
            raise InputError(
                f"Case {self.name}: volume {hu.shape} and segmentation {labels.shape} (slices, rows, columns) differ; "
                "export the segmentation on the volume's grid"
            )
        unknown = sorted(set(np.unique(labels).tolist()) - {0, 1, 2})
        if unknown:
            raise InputError(f"Case {self.name}: unknown labels {unknown}; use 0 background, 1 liver, 2 lesion")
        x, y, z = images[0].GetSpacing()
        return hu.astype(np.float32), labels.astype(np.uint8), (z, y, x)


def _descriptions(folder: Path) -> dict[str, Any]:
    """``dataset.json`` of the folder or of its parent, if there is one: per case the patient and what it holds."""
    for candidate in (folder / "dataset.json", folder.parent / "dataset.json"):
        if candidate.is_file():
            return json.loads(candidate.read_text(encoding="utf-8"))
    return {}


def find_cases(folders: list[Path]) -> list[TrainingCase]:
    """Finds the cases in LiTS-layout folders.

    ``dataset.json`` in the folder or beside it may name each case's ``patient``; a case with ``slice_index`` holds
    single slices. Without it every case is a patient of its own.

    Raises:
        InputError: If a folder is missing or holds no case, a segmentation is missing, or a case appears twice.
    """
    cases: dict[str, TrainingCase] = {}
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"Training folder {folder} does not exist")
        descriptions = _descriptions(folder)
        found = 0
        for volume in sorted(folder.iterdir()):
            match = _VOLUME.match(volume.name)
            if not match:
                continue
            found += 1
            name = match["name"]
            segmentation = folder / f"segmentation-{name}{match['suffix']}"
            if not segmentation.is_file():
                raise InputError(f"{volume.name} has no {segmentation.name} beside it in {folder}")
            if name in cases:
                raise InputError(f"Case {name} is in {cases[name].volume.parent} and in {folder}: keep one of them")
            description = descriptions.get(name, {})
            patient = description.get("patient", f"p{name}")
            cases[name] = TrainingCase(name, volume, segmentation, patient, "slice_index" in description)
        if not found:
            raise InputError(f"{folder} holds no volume-N.nii.gz; choose a folder in LiTS layout")
    return sorted(cases.values(), key=natural_order)


def natural_order(case: TrainingCase) -> tuple[int, str]:
    """Sorts case 9 before case 10."""
    return (int(case.name) if case.name.isdigit() else 2**31, case.name)


def patient_folds(cases: list[TrainingCase], folds: int, seed: int) -> dict[str, int]:
    """Assigns each patient to a fold, dense and sparse patients spread evenly.

    Returns:
        Fold number by patient.
    """
    random = np.random.default_rng(seed)
    assignment: dict[str, int] = {}
    for sparse in (False, True):
        patients = sorted({case.patient for case in cases if case.sparse == sparse} - assignment.keys())
        for i, patient in enumerate(random.permutation(patients).tolist()):
            assignment[patient] = i % folds
    return assignment
