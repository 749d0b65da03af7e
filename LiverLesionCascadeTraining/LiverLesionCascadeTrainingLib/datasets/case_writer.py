"""Adds a case to a training folder in a process of its own: compressing a large scan takes a while.

A program for :func:`runs.python_command`; the arrays come through uncompressed files in a temporary folder.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from LiverLesionCascadeLib.engine.errors import CascadeError, InputError

from ..layouts.msd import is_msd
from .added_case import add_case


def save_arrays(folder: Path, hu: np.ndarray, labels: np.ndarray, ijk_to_lps: np.ndarray) -> None:
    """What :func:`write_case` reads: HU and labels (k, j, i) on one grid, (i, j, k, 1) to LPS mm (4, 4)."""
    for name, array in (("hu", hu), ("labels", labels), ("ijk_to_lps", ijk_to_lps)):
        np.save(folder / f"{name}.npy", array)


def write_case(arrays: Path, folder: Path, patient: str) -> str:
    """Adds the case under a new name, which says nothing about the patient, and returns that name.

    Raises:
        InputError: If the folder holds a data set that lists its cases, or the case can be none.
        OutputError: If the folder cannot be written to.
    """
    if is_msd(folder):
        raise InputError(f"{folder} lists its cases in dataset.json (Decathlon): choose another folder for own cases")
    hu, labels, ijk_to_lps = (np.load(arrays / f"{name}.npy", mmap_mode="r") for name in ("hu", "labels", "ijk_to_lps"))
    # Unique wherever it is added, so that the folders of two people can be put together.
    return add_case(folder, f"added-{uuid.uuid4().hex[:12]}", hu, labels, np.array(ijk_to_lps), patient).name


def main(arguments: Sequence[str] | None = None) -> int:
    """``case_writer ARRAYS FOLDER PATIENT``: prints the case's name."""
    arrays, folder, patient = sys.argv[1:] if arguments is None else arguments
    try:
        print(write_case(Path(arrays), Path(folder), patient), flush=True)
    except CascadeError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
        return 1
    return 0
