"""Simulated corrections: what a radiologist would paint or erase in an estimate, for training stage 2.

Priors are planes (Y^t, Y^v): estimates enter scaled to 0..0.5, painted pixels as 1, erased ones as -1, no estimate
as 0.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from LiverLesionCascadeLib.engine.passes.priors import ERASED, PAINTED, encode_estimate
from scipy import ndimage
from torch import Tensor

LIVER, LESION = 0, 1

Planes = TypeVar("Planes", np.ndarray, Tensor)


def healthy_liver(target: Planes) -> Planes:
    """Bool (rows, columns): what of a target (2, rows, columns) is mostly liver and hardly lesion."""
    return (target[LIVER] > 0.5) & (target[LESION] < 0.1)


def random_pixel(mask: np.ndarray, random: np.random.Generator) -> tuple[int, int]:
    """Row and column of one of the pixels of a mask that is not empty."""
    pixels = np.argwhere(mask)
    row, column = pixels[random.integers(len(pixels))].tolist()
    return row, column


def _disk(shape: tuple[int, ...], centre: tuple[int, int], radius: float) -> np.ndarray:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 <= max(radius, 1.0) ** 2


def mark_missed_lesion(
    images: np.ndarray, target: np.ndarray, estimate: np.ndarray, random: np.random.Generator
) -> np.ndarray | None:
    """A lesion that the estimate misses, marked with a disk of half its radius.

    Half of the lesions are also faded into the liver, so that the mark, not the image, says where the lesion is.

    Args:
        images: (n, rows, columns) in [0, 1], the slice and its neighbours; changed in place where the lesion is faded.
        target: (2, rows, columns) liver and lesion, 0..1.
        estimate: (2, rows, columns) probabilities; changed in place.

    Returns:
        (rows, columns) of PAINTED and 0, or None if there is no lesion.
    """
    components, count = ndimage.label(target[LESION] > 0.5)
    if not count:
        return None
    lesion = components == random.integers(1, count + 1)
    depth = ndimage.distance_transform_edt(np.pad(lesion, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    around = ndimage.binary_dilation(lesion, iterations=4)
    estimate[LESION][around] *= random.uniform(0.0, 0.2)
    liver = (target[LIVER] > 0.5) & (target[LESION] < 0.5) & ~around
    if random.random() < 0.5 and liver.any():
        soft = ndimage.gaussian_filter(around.astype(np.float32), 1.0) * random.uniform(0.3, 0.9)
        images += soft * (float(images[0][liver].mean()) - images)
    return np.where(_disk(target.shape[1:], (int(row), int(column)), depth.max() / 2), PAINTED, 0.0).astype(np.float32)


def erase_false_lesion(target: np.ndarray, estimate: np.ndarray, random: np.random.Generator) -> np.ndarray | None:
    """A lesion that the estimate invents somewhere in the liver, erased by the person.

    Args as in :func:`mark_missed_lesion`. Returns a map of ERASED and 0, or None if there is no healthy liver.
    """
    healthy = healthy_liver(target)
    if not healthy.any():
        return None
    shape, centre = target.shape[1:], random_pixel(healthy, random)
    radius = random.uniform(2, shape[0] / 16)
    blob = _disk(shape, centre, radius) & (target[LESION] < 0.1)
    estimate[LESION][blob] = random.uniform(0.5, 1.0)
    erased = _disk(shape, centre, radius * random.uniform(0.6, 1.2)) & (target[LESION] < 0.1)
    return np.where(erased, ERASED, 0.0).astype(np.float32)


def cut_boundary(target: np.ndarray, estimate: np.ndarray, random: np.random.Generator) -> np.ndarray | None:
    """An estimate that leaks out of a lesion, cut by the person on one side.

    Args as in :func:`mark_missed_lesion`. Returns a map of ERASED and 0, or None if there is no lesion.
    """
    lesion = target[LESION] > 0.5
    if not lesion.any():
        return None
    leak = ndimage.binary_dilation(lesion, iterations=int(random.integers(2, 6))) & ~lesion
    estimate[LESION][leak] = random.uniform(0.5, 1.0)
    rows, columns = np.indices(lesion.shape)
    centre, angle = ndimage.center_of_mass(lesion), random.uniform(0, 2 * np.pi)
    side = (rows - centre[0]) * np.sin(angle) + (columns - centre[1]) * np.cos(angle) > 0
    return np.where(leak & side, ERASED, 0.0).astype(np.float32)


def correct(images: np.ndarray, target: np.ndarray, estimate: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Encodes an estimate with one simulated correction, or as it is where none fits.

    Args:
        images: (n, rows, columns) in [0, 1], the slice and its neighbours; target and estimate: (2, rows, columns)
            liver and lesion. Images and estimate may be changed in place.

    Returns:
        (2, rows, columns) float32: encoded liver and lesion priors.
    """
    kind = random.random()
    if kind < 0.6:
        marks = mark_missed_lesion(images, target, estimate, random)
    elif kind < 0.8:
        marks = erase_false_lesion(target, estimate, random)
    else:
        marks = cut_boundary(target, estimate, random)
    encoded = encode_estimate(estimate)
    if marks is not None:
        encoded[LESION] = np.where(marks != 0, marks, encoded[LESION])
    return encoded
