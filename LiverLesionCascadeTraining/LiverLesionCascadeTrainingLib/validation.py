"""Quick validation while training: slice Dice of one network on the stored slices of the validation patients."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from .augmentation import warp
from .slice_store import SliceStore


def native_planes(planes: np.ndarray, inner: float, size: int) -> Tensor:
    """The native view of stored planes, without augmentation.

    Args:
        planes: (n, channels, canvas, canvas) uint8.
        inner: Part of the canvas side that the native view covers.

    Returns:
        (n, channels, size, size) float32 in [0, 1].
    """
    identity = torch.tensor([[inner, 0.0, 0.0], [0.0, inner, 0.0]]).expand(len(planes), 2, 3)
    return warp(torch.from_numpy(planes.astype(np.float32) / 255), identity, size)


def network_input(images: Tensor, image_thrice: bool) -> Tensor:
    """(I, I, I) or (I, 0, 0) from images (n, 1, rows, columns)."""
    if image_thrice:
        return images.expand(-1, 3, -1, -1)
    return torch.cat([images, torch.zeros_like(images), torch.zeros_like(images)], dim=1)


@torch.inference_mode()
def slice_dice(
    network: nn.Module,
    store: SliceStore,
    size: int,
    image_thrice: bool,
    device: torch.device,
    limit: int = 96,
    batch: int = 8,
) -> tuple[float, float]:
    """Mean over patients of the Dice of liver and lesion, over at most ``limit`` evenly chosen slices.

    Patients without lesions in these slices do not count for lesions; NaN if no patient does.
    """
    index = np.unique(np.linspace(0, len(store.case) - 1, min(limit, len(store.case))).round().astype(int))
    overlap = np.zeros((len(store.patients), 2))
    predicted, reference = np.zeros_like(overlap), np.zeros_like(overlap)
    for start in range(0, len(index), batch):
        part = index[start : start + batch]
        images = native_planes(store.images[part][:, None], store.inner, size)
        truth = native_planes(store.targets[part], store.inner, size) > 0.5
        inputs = network_input(images, image_thrice).to(device, memory_format=torch.channels_last)
        found = network(inputs).cpu() > 0
        for i, patient in enumerate(store.patient[part]):
            overlap[patient] += (found[i] & truth[i]).sum(dim=(1, 2)).numpy()
            predicted[patient] += found[i].sum(dim=(1, 2)).numpy()
            reference[patient] += truth[i].sum(dim=(1, 2)).numpy()
    with np.errstate(invalid="ignore"):
        dice = 2 * overlap / (predicted + reference)
    dice[reference == 0] = np.nan
    means = [float(np.nanmean(dice[:, i])) if np.isfinite(dice[:, i]).any() else float("nan") for i in (0, 1)]
    return means[0], means[1]
