"""A case that somebody segmented or corrected, added to a training folder in LiTS layout."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from LiverLesionCascadeLib.engine.errors import InputError, OutputError
from LiverLesionCascadeLib.engine.files import write_atomically
from LiverLesionCascadeLib.engine.grid.geometry import ImageGeometry
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from LiverLesionCascadeLib.engine.scan.image_io import write_image

from ..cases.case_source import read_json, safe_name
from ..cases.labels import LESION, require_liver
from ..cases.mask_check import require_on_liver
from ..layouts.lits import LabelMapSource
from .prepared import is_prepared


def add_case(
    folder: Path,
    name: str,
    hu: np.ndarray,
    labels: np.ndarray,
    ijk_to_lps: np.ndarray,
    patient: str = "",
    replace: bool = False,
) -> LabelMapSource:
    """Writes ``volume-NAME.nrrd`` and ``segmentation-NAME.nrrd``; each file appears complete or not at all.

    Args:
        folder: Training folder; created.
        name: Of the case; characters that no file name may have become ``_``.
        hu: HU (k, j, i) in any axis order.
        labels: Integers likewise: 0 background, 1 liver, 2 lesion.
        ijk_to_lps: (4, 4) from (i, j, k, 1) to LPS mm.
        patient: Cases of one patient are never split; empty: a patient of its own. Goes into ``dataset.json``.
        replace: Replace a case of that name.

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
    if volume.exists() and not replace:
        raise OutputError(f"{folder} has a case {name} already: choose another name, or replace it")
    geometry = ImageGeometry((labels.shape[0], labels.shape[1], labels.shape[2]), ijk_to_lps)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_image(segmentation, labels.astype(np.uint8), geometry)
        write_image(volume, hu, geometry)
        if patient:
            _describe(folder, name, patient)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}. Choose another folder.") from error
    return LabelMapSource(name, patient or f"p{name}", False, (volume, segmentation))


def _describe(folder: Path, name: str, patient: str) -> None:
    path = folder / "dataset.json"
    described = read_json(path) if path.is_file() else {}
    described[name] = {**described.get(name, {}), "patient": patient}
    write_atomically(path, json.dumps(described, indent=1, ensure_ascii=False).encode())
