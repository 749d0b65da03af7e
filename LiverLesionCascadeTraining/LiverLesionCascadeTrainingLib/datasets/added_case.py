"""A case that somebody segmented or corrected, added to a training folder in LiTS layout.

Also a program for :func:`runs.python_command`, as compressing a large scan takes a while; the arrays come through
uncompressed files in a temporary folder.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from LiverLesionCascadeLib.commands.console import say
from LiverLesionCascadeLib.engine.errors import CascadeError, InputError, OutputError, reason
from LiverLesionCascadeLib.engine.files import write_atomically
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from LiverLesionCascadeLib.engine.scan.image_io import write_image

from ..cases.case_source import read_json, safe_name
from ..cases.labels import LESION, require_liver
from ..cases.mask_check import require_on_liver
from ..layouts.lits import LabelMapSource
from ..layouts.msd import is_msd
from .prepared import is_prepared


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


def add_case(
    folder: Path, name: str, hu: np.ndarray, labels: np.ndarray, ijk_to_lps: np.ndarray, patient: str = ""
) -> LabelMapSource:
    """Writes ``volume-NAME.nrrd`` and ``segmentation-NAME.nrrd``; each file appears complete or not at all.

    Args:
        folder: Training folder; created.
        name: Of the case; characters that no file name may have become ``_``.
        hu: HU (k, j, i) in any axis order.
        labels: Integers likewise: 0 background, 1 liver, 2 lesion.
        ijk_to_lps: (4, 4) from (i, j, k, 1) to LPS mm.
        patient: Cases of one patient are never split; empty: a patient of its own. Goes into ``dataset.json``.

    Returns:
        The case, as it is found there from now on.

    Raises:
        InputError: If the liver is empty, a label is unknown, or scan and labels differ in size.
        InvalidVolumeError: If the scan can be no CT.
        OutputError: If the case exists already or cannot be written.
    """
    name = safe_name(name)
    labels = np.asarray(labels)
    if labels.shape != np.shape(hu):
        raise InputError(f"case {name}: scan {np.shape(hu)} and labels {labels.shape} differ in size")
    if labels.size and (labels.min() < 0 or labels.max() > LESION):
        raise InputError(f"case {name}: unknown labels; use 0 background, 1 liver, 2 lesion")
    require_liver(labels)
    ct = CTVolume.from_array(hu, ijk_to_lps, name)
    ct.require_ct_like()
    try:
        require_on_liver(ct.hu, ct.from_source(labels))
    except InputError as error:
        raise InputError(f"case {name}: {error}") from error
    if is_prepared(folder):
        raise OutputError(f"{folder} is a prepared data set: add the case to a folder of scans and prepare that again")
    volume, segmentation = folder / f"volume-{name}.nrrd", folder / f"segmentation-{name}.nrrd"
    if volume.exists():
        raise OutputError(f"{folder} has a case {name} already: choose another name, or replace it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_image(segmentation, labels.astype(np.uint8), ct.source)
        write_image(volume, hu, ct.source)
        if patient:
            _describe(folder, name, patient)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {reason(error)}. Choose another folder.") from error
    return LabelMapSource(name, patient or f"p{name}", False, (volume, segmentation))


def _describe(folder: Path, name: str, patient: str) -> None:
    path = folder / "dataset.json"
    described = read_json(path) if path.is_file() else {}
    described[name] = {**described.get(name, {}), "patient": patient}
    write_atomically(path, json.dumps(described, indent=1, ensure_ascii=False).encode())


def main(arguments: Sequence[str] | None = None) -> int:
    """``added_case ARRAYS FOLDER PATIENT``: prints the case's name."""
    arrays, folder, patient = sys.argv[1:] if arguments is None else arguments
    try:
        print(write_case(Path(arrays), Path(folder), patient), flush=True)
    except CascadeError as error:
        say(str(error), "error")
        return 1
    return 0
