"""Random geometry and intensity of training batches (the paper: random scaling, crops and flips)."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from ..recipes import Recipe, StageRecipe
from .simulated_corrections import LESION, LIVER

#: Standard deviation, in pixels, up to which the noise's grain is smoothed: that of a scan depends on its kernel.
_COARSEST_GRAIN_PX = 0.8
#: How much brighter than the liver a vessel is at least, in windowed images of 160 HU: about 10 HU.
_VESSEL_CONTRAST = 0.06
#: What is taken away of that: 1 makes vessels as dark as the liver, 2 as much darker as they were brighter.
_VESSEL_FADING = (1.0, 1.8)


def random_affine(inner: float, recipe: Recipe, stage: StageRecipe, random: np.random.Generator) -> Tensor:
    """Random rotation, scale, shift and mirroring as a sampling matrix.

    Args:
        inner: Part of the stored canvas that the native view covers.

    Returns:
        (2, 3) float32 for ``torch.nn.functional.affine_grid``: output in [-1, 1] to canvas in [-1, 1].
    """
    angle = np.radians(random.uniform(-recipe.rotation_degrees, recipe.rotation_degrees))
    zoom = inner / np.exp(random.uniform(math.log(recipe.scale[0]), math.log(recipe.scale[1])))
    mirror = -1.0 if random.random() < 0.5 else 1.0
    reach = 2 * stage.shift * inner
    right, down = random.uniform(-reach, reach, 2)
    cosine, sine = np.cos(angle) * zoom, np.sin(angle) * zoom
    return torch.tensor([[mirror * cosine, -sine, right], [mirror * sine, cosine, down]], dtype=torch.float32)


def warp(planes: Tensor, matrices: Tensor, size: int) -> Tensor:
    """Samples planes (n, channels, rows, columns) at the affine grid: (n, channels, size, size), zero outside.

    Args:
        matrices: (n, 2, 3), or (2, 3) for all planes.
    """
    grid = F.affine_grid(matrices.expand(len(planes), 2, 3), [len(planes), 1, size, size], align_corners=False)
    return F.grid_sample(planes, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def jitter_intensity(images: Tensor, strength: float, noise: float, random: np.random.Generator) -> Tensor:
    """Gain, offset, gamma and noise on a windowed slice and its neighbours (n, 1, rows, columns) in [0, 1], the same
    for all but for where the noise falls; the result stays there.

    Args:
        strength: Largest offset; gain and gamma vary by one and a half times as much.
        noise: Standard deviation of the strongest noise; weak noise is drawn more often than strong noise.
    """
    if strength == 0 and noise == 0:
        return images
    gain = random.uniform(1 - 1.5 * strength, 1 + 1.5 * strength)
    offset = random.uniform(-strength, strength)
    gamma = math.exp(random.uniform(-1.5 * strength, 1.5 * strength))
    images = images.clamp(0, 1).pow(gamma)
    images = ((images - 0.5) * gain + 0.5 + offset).clamp_(0, 1)
    grain, amplitude = random.uniform(0, _COARSEST_GRAIN_PX), noise * random.random() ** 2
    drawn = ndimage.gaussian_filter(random.standard_normal(images.shape, np.float32), (0, 0, grain, grain))
    images += torch.from_numpy(drawn * (amplitude / drawn.std()))
    return images.clamp_(0, 1)


def fade_vessels(images: Tensor, targets: Tensor, probability: float, random: np.random.Generator) -> None:
    """Sometimes takes the contrast medium from the liver's vessels in a windowed slice and its neighbours, in place:
    before it reaches the veins, they are as dark as the liver or darker, and look like lesions.

    Args:
        images: (n, 1, rows, columns) in [0, 1]; targets: (n, 2, rows, columns), liver first.
    """
    if random.random() >= probability:
        return
    fading = random.uniform(*_VESSEL_FADING)
    for image, target in zip(images, targets, strict=True):
        healthy = target[LIVER] * (1 - target[LESION])
        if not (healthy > 0.5).any():
            continue
        smooth = torch.from_numpy(ndimage.gaussian_filter(image[0].numpy(), 1.0))
        above = smooth - smooth[healthy > 0.5].median() - _VESSEL_CONTRAST
        image -= fading * above.clamp_min(0) * healthy


def darken(images: Tensor, targets: Tensor, probability: float, random: np.random.Generator) -> None:
    """Sometimes darkens a windowed slice and its neighbours, or only the liver in them (lesions included), as fat or a
    missing contrast phase would; in place.

    Args:
        images: (n, 1, rows, columns) in [0, 1]; targets: (n, 2, rows, columns), liver first.
    """
    if random.random() >= probability:
        return
    factor = random.uniform(0.25, 0.8)
    images *= factor if random.random() < 0.5 else 1 - (1 - factor) * targets[:, :1]


def crop_field_of_view(images: Tensor, targets: Tensor, probability: float, random: np.random.Generator) -> None:
    """Sometimes blanks random sides of a slice and its neighbours, and their targets, as if the field of view ended
    there; in place."""
    if random.random() >= probability:
        return
    for side in random.choice(4, size=int(random.integers(1, 4)), replace=False):
        axis = 2 if side < 2 else 3
        extent = images.shape[axis]
        depth = int(random.uniform(0.1, 0.35) * extent)
        for planes in (images, targets):
            planes.narrow(axis, 0 if side % 2 == 0 else extent - depth, depth).zero_()
