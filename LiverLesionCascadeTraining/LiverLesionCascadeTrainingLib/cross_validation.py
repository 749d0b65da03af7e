"""Cross-validation by patient: every case is segmented by networks that never saw its patient.

The lesion pass is the one that learns from the image alone (``lesion-image``): cross-fitted priors would take more
networks for each fold than all the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

from .cases import TrainingCase, patient_folds
from .datasets.splits import TRAIN, VALIDATION

JOBS = ("liver", "lesion-image")


def fold_cases(cases: Sequence[TrainingCase], folds: int, seed: int) -> list[dict[str, list[TrainingCase]]]:
    """By fold, the cases for ``train`` and, of the fold's own patients, for ``validation``."""
    fold = patient_folds(cases, folds, seed)
    return [
        {
            TRAIN: [case for case in cases if fold[case.patient] != number],
            VALIDATION: [case for case in cases if fold[case.patient] == number],
        }
        for number in range(folds)
    ]
