"""Lesions that were never scanned, drawn into healthy liver: mostly small ones, which the scans have too few of.

Hu et al. 2023 ("Label-free liver tumor segmentation", CVPR) train on such lesions alone nearly as well as on real ones.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from LiverLesionCascadeLib.engine.grid.bounding_box import box_at, grown
from scipy import ndimage
from torch import Tensor

from .simulated_corrections import LESION, LIVER, healthy_liver, random_pixel

#: Radius of the smallest lesion in pixels, and of the largest as part of the image's side; small ones are as many as
#: large ones on a logarithmic scale.
_RADIUS_PX, _RADIUS_PART = 2.0, 1 / 16
#: Contrast to the liver, in standard deviations of the liver around it: a lesion that nobody could see teaches nothing.
_CONTRAST = (1.0, 3.5)
#: How far away a neighbour lies, as part of the image's side: about 3 mm in a liver's box.
_AWAY_PART = (0.006, 0.02)
#: Part of the lesions that are brighter than the liver.
_BRIGHT = 0.1


def draw_lesion(images: Tensor, targets: Tensor, random: np.random.Generator) -> None:
    """Draws one lesion at a random place in healthy liver, in place, if there is any; what shows of it below and above
    goes with it.

    It is a lobed ellipse, darker than the liver (some are brighter) and often darkest in its middle, with some of the
    noise and the vessels of the place that it is drawn over. It is cut off where the liver ends.

    Args:
        images: (n, 1, rows, columns) in [0, 1]: the slice, then its neighbours.
        targets: (n, 2, rows, columns) in 0..1, liver first.
    """
    healthy = healthy_liver(targets[0])
    if not healthy.any():
        return
    rows, columns = images.shape[-2:]
    radius = math.exp(random.uniform(math.log(_RADIUS_PX), math.log(max(_RADIUS_PX, _RADIUS_PART * rows))))
    row, column = random_pixel(healthy.numpy(), random)
    area = grown(box_at((row, column), (1, 1)), (rows, columns), math.ceil(2 * radius) + 4)
    dy, dx = np.mgrid[area]
    depth = _depth(dy - row, dx - column, radius, random) - _shrinking(len(images), radius, rows, random)
    covered = np.clip(depth + 0.5, 0, 1)
    liver_there, lesions, there = (
        planes[:, area[0], area[1]] for planes in (targets[:, LIVER], targets[:, LESION], images[:, 0])
    )
    coverage = torch.from_numpy(covered.astype(np.float32)) * liver_there
    # How lesions fade into the liver differs from lesion to lesion.
    fading = random.uniform(0.3, 1.5)
    edge = ndimage.gaussian_filter(covered, (0, fading, fading))
    middle = random.uniform(0, 0.5) * np.clip(depth / radius, 0, 1)
    liver = images[0, 0][healthy]
    mean, noise = float(liver.mean()), float(liver.std(correction=0))
    visible = noise * random.uniform(*_CONTRAST) * (1 + 2 / radius)
    contrast = float(np.clip(visible, 0.06, 0.5)) * (1.0 if random.random() < _BRIGHT else -1.0)
    kept = random.uniform(0.3, 1.0)
    shown = mean + kept * (there - mean) + contrast * torch.from_numpy((1 + middle).astype(np.float32))
    blend = torch.from_numpy(edge.astype(np.float32)) * (liver_there > 0.1)
    there += blend * (shown.clamp(0, 1) - there)
    torch.maximum(lesions, coverage, out=lesions)


def _shrinking(planes: int, radius: float, rows: int, random: np.random.Generator) -> np.ndarray:
    """How many pixels smaller than in its slice a lesion is in each plane (planes, 1, 1): it is round that way, too.

    Neighbours are a random distance away: what 3 mm are in pixels differs with scale and phase.
    """
    away, height = rows * random.uniform(*_AWAY_PART), radius * random.uniform(-0.5, 0.5)
    along = height + away * np.array([0.0, -1.0, 1.0])[:planes]
    return (radius - np.sqrt(np.maximum(0.0, radius**2 + height**2 - along**2)))[:, None, None]


def _depth(dy: np.ndarray, dx: np.ndarray, radius: float, random: np.random.Generator) -> np.ndarray:
    """About how many pixels each pixel lies within the outline of a lobed ellipse; negative outside of it."""
    turn, flat = random.uniform(0, math.pi), random.uniform(0.75, 1.0)
    along, across = dx * math.cos(turn) + dy * math.sin(turn), dy * math.cos(turn) - dx * math.sin(turn)
    distance, angle = np.hypot(along * flat, across / flat), np.arctan2(across, along)
    outline = np.full(dx.shape, radius)
    for lobes in range(2, 6):
        outline = outline + radius * random.normal(0, 0.25 / lobes) * np.cos(lobes * angle + random.uniform(0, 7))
    outline = np.maximum(outline, 1.0)
    return np.asarray(outline - distance)
