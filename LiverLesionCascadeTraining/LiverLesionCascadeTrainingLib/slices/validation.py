"""Quick validation while training: slice Dice of one network on the stored slices of the validation patients."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import torch
from LiverLesionCascadeLib.engine.files import atomic_file
from torch import Tensor, nn

from .augmentation import warp
from .slice_store import SliceStore, stored

#: Slices of a preview, those that are measured at most, and those that the network sees at once.
_SHOWN, _MEASURED, _BATCH = 6, 96, 8


def native_planes(planes: np.ndarray, inner: float, size: int) -> Tensor:
    """The native view of stored planes, without augmentation.

    Args:
        planes: (n, channels, canvas, canvas) uint8.
        inner: Part of the canvas side that the native view covers.

    Returns:
        (n, channels, size, size) float32 in [0, 1].
    """
    middle = torch.tensor([[inner, 0.0, 0.0], [0.0, inner, 0.0]])
    return warp(torch.from_numpy(planes.astype(np.float32) / 255), middle, size)


def network_input(images: Tensor, image_thrice: bool) -> Tensor:
    """(I, I, I) or (I, 0, 0) from images (n, 1, rows, columns); (I, 0, 0, below, above) where their neighbours are with
    them: (n, 3, rows, columns)."""
    if image_thrice:
        return images.expand(-1, 3, -1, -1)
    nothing = images.new_zeros(len(images), 2, *images.shape[2:])
    return torch.cat([images[:, :1], nothing, images[:, 1:]], dim=1)


def _evenly(slices: np.ndarray, limit: int) -> np.ndarray:
    """At most ``limit`` of the slices, evenly chosen."""
    return slices[np.unique(np.linspace(0, len(slices) - 1, min(limit, len(slices))).round().astype(int))]


def _compared(
    network: nn.Module, store: SliceStore, part: np.ndarray, size: int, image_thrice: bool, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Images (n, 1, size, size) of some slices, and reference and prediction (n, 2, size, size) as masks."""
    images = native_planes(store.images[store.seen(part)], store.inner, size)
    truth = native_planes(store.targets[part], store.inner, size) > 0.5
    inputs = network_input(images, image_thrice).to(device, memory_format=torch.channels_last)
    return images, truth, network(inputs).cpu() > 0


@torch.inference_mode()
def write_preview(
    network: nn.Module, store: SliceStore, size: int, image_thrice: bool, device: torch.device, path: Path
) -> None:
    """Writes what the network makes of a few validation slices, those with lesions first of all.

    The file (.npz, replaced as a whole) holds ``images`` (n, size, size) uint8, ``reference`` and ``predicted``
    (n, size, size) uint8: 0, 1 liver, 2 lesion, and ``names`` (n,).
    """
    lesion = np.flatnonzero(store.kinds == "lesion")
    part = _evenly(lesion if len(lesion) else np.arange(len(store.kinds)), _SHOWN)
    images, truth, found = _compared(network, store, part, size, image_thrice, device)
    labels = [torch.where(mask[:, 1], 2, mask[:, 0].to(torch.uint8)).numpy() for mask in (truth, found)]
    names = [f"{store.names[store.case[i]]}, slice {store.slice[i]}" for i in part]
    # On Windows a file that somebody reads cannot be replaced; the next validation shows the next one.
    with contextlib.suppress(PermissionError), atomic_file(path, ".npz") as temporary:
        np.savez_compressed(
            temporary,
            images=stored(images[:, 0]),
            reference=labels[0].astype(np.uint8),
            predicted=labels[1].astype(np.uint8),
            names=np.array(names),
        )


@torch.inference_mode()
def slice_dice(
    network: nn.Module, store: SliceStore, size: int, image_thrice: bool, device: torch.device
) -> tuple[float, float]:
    """Mean over patients of the Dice of liver and lesion, over at most ``_MEASURED`` evenly chosen slices.

    Patients without lesions in these slices do not count for lesions; NaN if no patient does.
    """
    index = _evenly(np.arange(len(store.case)), _MEASURED)
    overlap = np.zeros((len(store.patients), 2))
    predicted, reference = np.zeros_like(overlap), np.zeros_like(overlap)
    for start in range(0, len(index), _BATCH):
        part = index[start : start + _BATCH]
        _, truth, found = _compared(network, store, part, size, image_thrice, device)
        for pixels, masks in ((overlap, found & truth), (predicted, found), (reference, truth)):
            np.add.at(pixels, store.patient[part], masks.sum(dim=(2, 3)).numpy())
    with np.errstate(invalid="ignore"):
        dice = 2 * overlap / (predicted + reference)
    dice[reference == 0] = np.nan
    means = [float(np.nanmean(dice[:, i])) if np.isfinite(dice[:, i]).any() else float("nan") for i in (0, 1)]
    return means[0], means[1]
