"""Small synthetic scans in LiTS layout, for tests of training and evaluation."""

import json
from pathlib import Path

import numpy as np
import SimpleITK as sitk


def ellipsoid(shape, centre, radii) -> np.ndarray:
    axes = (((np.arange(n) - c) / r) ** 2 for n, c, r in zip(shape, centre, radii, strict=True))
    z, y, x = axes
    return z[:, None, None] + y[:, None] + x <= 1


def phantom_case(seed: int, lesion: bool = True, slices: int = 12, side: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """HU and labels (slice, row, column) of a body with a liver and perhaps a lesion, somewhat different by seed."""
    random = np.random.default_rng(seed)
    shape = (slices, side, side)
    middle = np.array([slices / 2, side / 2, side / 2.6]) + random.uniform(-1.5, 1.5, 3)
    body = ellipsoid(shape, (slices / 2, side / 2, side / 2), (10 * slices, side / 2.2, side / 2.1))
    liver = ellipsoid(shape, middle, (slices / 3, side / 4, side / 4.5))
    hu = np.where(body, 40.0, -1000.0)
    hu[liver] = 110
    labels = liver.astype(np.uint8)
    if lesion:
        spot = ellipsoid(shape, middle + random.uniform(-2, 2, 3), (slices / 6, side / 12, side / 12)) & liver
        hu[spot] = 55
        labels[spot] = 2
    return hu + random.normal(0, 4, shape), labels


def write_case(folder: Path, name: str, hu: np.ndarray, labels: np.ndarray, spacing=(5.0, 5.0, 4.0)) -> None:
    """Writes ``volume-NAME.nii.gz`` and ``segmentation-NAME.nii.gz``; spacing (x, y, z) in mm."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, array in (("volume", hu.astype(np.int16)), ("segmentation", labels)):
        image = sitk.GetImageFromArray(array)
        image.SetSpacing(spacing)
        sitk.WriteImage(image, str(folder / f"{kind}-{name}.nii.gz"))


def write_lits_folders(root: Path) -> tuple[Path, Path]:
    """Training cases 1 to 5 (4 and 5 of one patient, 3 without lesion) and validation case 9: their two folders."""
    train, validation = root / "train", root / "val"
    for seed in (1, 2, 3, 4, 5):
        write_case(train, str(seed), *phantom_case(seed, lesion=seed != 3))
    (root / "dataset.json").write_text(json.dumps({"4": {"patient": "g4"}, "5": {"patient": "g4"}}))
    write_case(validation, "9", *phantom_case(9))
    return train, validation
