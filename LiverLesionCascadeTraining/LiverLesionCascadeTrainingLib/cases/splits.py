"""Patients into training and validation, reproducible by seed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

TRAIN, VALIDATION = "train", "validation"
SPLITS = (TRAIN, VALIDATION)


def split_patients(
    patients: Mapping[str, tuple[bool, ...]], share: float, seed: int, earlier: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Assigns each patient to a split; patients of every group (with and without lesions ...) in about equal shares.

    The same patients, share and seed give the same splits, in whatever order they come. Patients who were assigned
    earlier keep their split, so that what one network was validated on never becomes what the next is trained on.

    Args:
        patients: Group of each patient.
        share: Part of the patients for validation, rounded, but at least one of two or more where it is above 0.
        earlier: Splits of an earlier assignment.

    Returns:
        ``train`` or ``validation`` by patient.
    """
    splits = {patient: split for patient, split in (earlier or {}).items() if patient in patients}
    free = [patient for patient in patients if patient not in splits]
    free.sort(key=lambda patient: hashlib.sha256(f"{seed}/{patient}".encode()).digest())
    wanted = min(max(1, round(share * len(patients))), len(patients) - 1) if share > 0 else 0
    # How many more patients of each group validation should have.
    short = dict.fromkeys(sorted(set(patients.values())), 0.0)
    for patient, group in patients.items():
        short[group] += share - (splits.get(patient) == VALIDATION)
    missing = wanted - sum(split == VALIDATION for split in splits.values())
    for _ in range(min(missing, len(free))):
        chosen = max(free, key=lambda patient: short[patients[patient]])
        free.remove(chosen)
        splits[chosen] = VALIDATION
        short[patients[chosen]] -= 1
    return {patient: splits.get(patient, TRAIN) for patient in patients}
