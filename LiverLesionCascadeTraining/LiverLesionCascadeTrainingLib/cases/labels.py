"""What the numbers of a label map mean: 0 background, 1 liver, 2 lesion of the liver, 3 liver whose lesions nobody
labelled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from LiverLesionCascadeLib.engine.errors import InputError

LIVER, LESION, LESIONS_UNKNOWN = 1, 2, 3


def with_labels(values: np.ndarray, roles: Mapping[int, int], names: Mapping[int, str]) -> np.ndarray:
    """Our labels (uint8) from a label map with other numbers.

    Args:
        values: Whole numbers from 0, (k, j, i).
        roles: What a number means: 0, LIVER, LESION or LESIONS_UNKNOWN.
        names: What a number is called, for the message.

    Raises:
        InputError: If a number has no role.
    """
    present = sorted(set().union(*(np.unique(part).tolist() for part in values)))
    unknown = [f"{value} ({names[value]})" if value in names else str(value) for value in present if value not in roles]
    if unknown:
        remedy = (
            "prepare with --ignore NAME what does not matter"
            if names
            else ("use 0 background, 1 liver, 2 lesion, 3 liver with lesions unknown")
        )
        raise InputError(f"unknown labels {', '.join(unknown)}; {remedy}")
    table = np.zeros(present[-1] + 1, np.uint8)
    table[present] = [roles[value] for value in present]
    return table[values]


def require_liver(labels: np.ndarray) -> None:
    """Raises InputError where no voxel is liver."""
    if not any(((part == LIVER) | (part == LESIONS_UNKNOWN)).any() for part in labels):
        raise InputError("the liver is empty: no voxel is labelled as liver; segment it, or remove the case")


def with_lesions_unknown(labels: np.ndarray) -> np.ndarray:
    """Labels of a liver in which nobody has looked for lesions.

    Raises:
        InputError: If lesions are labelled all the same.
    """
    if any((part == LESION).any() for part in labels):
        raise InputError("lesions are labelled, though they are said to be unknown: give its folder as the others")
    return np.where(labels == LIVER, np.uint8(LESIONS_UNKNOWN), labels)


def slices_shown(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """In which slices liver or lesion lies, and in which a lesion does: two bool (slices,) of (slice, row, column)."""
    liver, lesion = np.zeros(len(labels), bool), np.zeros(len(labels), bool)
    for i, part in enumerate(labels):  # slice by slice: the labels may be memory-mapped
        liver[i], lesion[i] = part.any(), (part == LESION).any()
    return liver, lesion
