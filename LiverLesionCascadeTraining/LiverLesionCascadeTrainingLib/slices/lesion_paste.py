"""Lesions copied from one liver into another: more combinations of lesion and liver than were ever scanned."""

from __future__ import annotations

import numpy as np
import torch
from LiverLesionCascadeLib.engine.grid.bounding_box import grown
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from .simulated_corrections import LESION, LIVER, healthy_liver, random_pixel

#: Pixels over which a pasted lesion fades into its new surroundings.
_FADE_PX = 3


def paste_lesion(
    images: Tensor, targets: Tensor, donor_images: Tensor, donor_targets: Tensor, random: np.random.Generator
) -> None:
    """Copies one lesion of a donor slice to a random place in the liver of another slice, in place; what lies below and
    above it goes with it. Nothing is done if the donor shows no lesion, or either shows no healthy liver.

    The lesion keeps its contrast to the liver that it comes from (times 0.6 to 1.2): it is shifted by the difference of
    the two livers' mean intensity. It is cut off where the liver ends.

    Args:
        images, donor_images: (n, 1, rows, columns) in [0, 1]: the slice, then its neighbours.
        targets, donor_targets: (n, 2, rows, columns) in 0..1, liver first.
    """
    components, count = ndimage.label(donor_targets[0, LESION].numpy() > 0.5)
    donor_healthy, healthy = healthy_liver(donor_targets[0]), healthy_liver(targets[0])
    if not count or not donor_healthy.any() or not healthy.any():
        return
    found = ndimage.find_objects(components)[int(random.integers(count))]
    rows, columns = images.shape[-2:]
    # With room for the edge to fade in, and for the lesion's partly covered pixels.
    area = grown(found, (rows, columns), _FADE_PX)
    height, width = (s.stop - s.start for s in area)
    coverage = donor_targets[:, LESION, area[0], area[1]]
    patch = donor_images[:, 0, area[0], area[1]]
    row, column = random_pixel(healthy.numpy(), random)
    # The place becomes the middle of the lesion; what would lie outside of the image is left out.
    row, column = row - height // 2, column - width // 2
    inner = slice(max(0, -row), min(height, rows - row)), slice(max(0, -column), min(width, columns - column))
    outer = tuple(slice(s.start + start, s.stop + start) for s, start in zip(inner, (row, column), strict=True))
    liver, lesions, there = (
        planes[:, outer[0], outer[1]] for planes in (targets[:, LIVER], targets[:, LESION], images[:, 0])
    )
    new = coverage[:, inner[0], inner[1]] * liver
    soft = F.avg_pool2d(new, _FADE_PX, stride=1, padding=_FADE_PX // 2, count_include_pad=False)
    blend = torch.maximum(new, soft)
    contrast = float(random.uniform(0.6, 1.2))
    shown = images[0, 0][healthy].mean() + contrast * (
        patch[:, inner[0], inner[1]] - donor_images[0, 0][donor_healthy].mean()
    )
    there += blend * (shown.clamp(0, 1) - there)
    torch.maximum(lesions, new, out=lesions)
