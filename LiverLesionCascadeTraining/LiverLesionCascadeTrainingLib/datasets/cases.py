"""The cases of training and evaluation: in LiTS folders as they are, or in a prepared data set."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from LiverLesionCascadeLib.engine.errors import InputError

from ..cases.case_source import Found, check_descriptions, duplicate_names, natural_order
from ..cases.problems import DataProblems
from ..cases.splits import TRAIN, VALIDATION
from ..cases.training_case import TrainingCase
from ..layouts.lits import find_lits
from .prepared import is_prepared, open_dataset


def find_cases(folders: Sequence[Path], split: str | None = None) -> list[TrainingCase]:
    """The cases of folders in LiTS layout and of prepared data sets.

    Args:
        folders: A LiTS folder gives all its cases.
        split: Of a prepared data set, only this split: ``train`` or ``validation``.

    Raises:
        InputError: If a folder is missing or holds no case, a segmentation is missing, or a case appears twice; all
            that is wrong in one message.
    """
    cases: list[TrainingCase] = []
    found = Found()
    for folder in folders:
        if not os.path.isdir(folder):
            raise InputError(f"Training folder {folder} does not exist")
        if is_prepared(folder):
            dataset = open_dataset(folder)
            cases += dataset.cases if split is None else dataset.splits[split]
            continue
        lits = find_lits(folder)
        check_descriptions(folder, lits)
        found.add(lits)
        if not lits.cases and not lits.problems:
            raise InputError(
                f"{folder} holds no volume-N.nii.gz (LiTS layout) and is no prepared data set; other layouts: "
                "liver-lesion-cascade prepare"
            )
    problems = found.problems + duplicate_names(found.cases)
    if problems:
        raise DataProblems(problems)
    cases += found.cases
    twice = sorted({case.name for case in cases if sum(other.name == case.name for other in cases) > 1})
    if twice:
        raise InputError(f"Cases {', '.join(twice)} are in several of the folders: keep one of each")
    return sorted(cases, key=natural_order)


def find_splits(train: Sequence[Path], validation: Sequence[Path] = ()) -> dict[str, list[TrainingCase]]:
    """The cases for ``train`` and for ``validation``, from LiTS folders and prepared data sets.

    A prepared data set brings its own split: among ``train`` it gives its training cases, among ``validation`` its
    validation cases. Without folders for validation, those of the data sets among ``train`` are taken.

    Raises:
        InputError: As :func:`find_cases`; if there is nothing to validate on, or a patient is in both.
    """
    splits = {TRAIN: find_cases(train, TRAIN)}
    sources = validation or [folder for folder in train if is_prepared(folder)]
    splits[VALIDATION] = find_cases(sources, VALIDATION)
    for split, cases in splits.items():
        if not cases:
            raise InputError(f"There is no case for {split}: give more folders (--validation), or prepare with a share")
    shared = {case.patient for case in splits[TRAIN]} & {case.patient for case in splits[VALIDATION]}
    if shared:
        raise InputError(f"Patients in both training and validation: {', '.join(sorted(shared))}; remove one side")
    return splits


def patient_folds(cases: Sequence[TrainingCase], folds: int, seed: int) -> dict[str, int]:
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


def require_folds(fold_of_patient: Mapping[str, int], folds: int) -> None:
    """Raises InputError where a fold has no patient: its network would learn from nobody, or be measured on nobody."""
    if len(set(fold_of_patient.values())) < folds:
        raise InputError(
            f"Too few patients for {folds} folds: {len(fold_of_patient)}, and those of whole scans and of single "
            "slices are divided each for themselves. Give more patients, or choose fewer folds"
        )
