"""Runs a network over the slices of a view, at one or several scales."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import BundleError
from ..progress import Progress
from .device import autocast, memory_errors
from .network import OUTPUT_STRIDE, SliceNetwork

#: Work of one batch relative to eight 256 x 256 images at width 0.125: small batches stay in the caches of a processor.
_BATCH_WORK = 8 * 256 * 256 * 0.125


@contextmanager
def interruptible(network: SliceNetwork, progress: Progress) -> Iterator[None]:
    """Lets a cancelled run stop between two blocks of the network, not only between two batches."""
    hooks = [block.register_forward_pre_hook(lambda module, args: progress.check()) for block in network.blocks]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def batch_size(width: float, rows: int, columns: int) -> int:
    """How many images are run at once."""
    return max(1, int(_BATCH_WORK / (rows * columns * max(width, 0.125))))


def scaled_size(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """Image size at a scale, rounded to what the network's strides divide."""
    rows, columns = (max(OUTPUT_STRIDE, OUTPUT_STRIDE * round(n * scale / OUTPUT_STRIDE)) for n in size)
    return rows, columns


def predict(
    network: SliceNetwork,
    inputs: Callable[[slice], Tensor],
    count: int,
    size: tuple[int, int],
    scales: tuple[float, ...],
    device: torch.device,
    progress: Progress,
    mirror: bool = False,
) -> Tensor:
    """Probabilities of all slices, averaged over the scales (Bi et al. 2017, section 2.4).

    Args:
        inputs: Gives the inputs (n, 3, *size) of a range of the slices, on the CPU.
        count: Number of slices.
        size: Native (rows, columns).
        scales: Relative to the native size.
        mirror: Also look at every image mirrored left to right, and average.

    Returns:
        (count, 2, *size) float16 on the CPU: liver, lesion.

    Raises:
        CancelledError: If the run was cancelled.
        DeviceError: If the device, or the computer, ran out of memory.
        BundleError: If the network gives values that are no numbers: they would be taken for "no liver".
    """
    batch = batch_size(network.width, *scaled_size(size, max(scales)))
    with memory_errors(device), torch.no_grad(), interruptible(network, progress), autocast(device):
        maps = torch.empty((count, 2, *size), dtype=torch.float16)
        for start in range(0, count, batch):
            part = slice(start, min(start + batch, count))
            images = inputs(part).to(device)
            total = torch.zeros((), device=device)
            for scale in scales:
                total = total + _at_scale(network, images, size, scale)
                if mirror:
                    total = total + _at_scale(network, images.flip(-1), size, scale).flip(-1)
            maps[part] = (total / (len(scales) * (2 if mirror else 1))).to("cpu", torch.float16)
            progress.advance(part.stop / count)
    if not torch.isfinite(maps).all():
        raise BundleError(
            f"The bundle's network gives values that are no numbers on {device}: get the bundle again, or choose "
            "device cpu"
        )
    return maps


def _at_scale(network: nn.Module, images: Tensor, native: tuple[int, int], scale: float) -> Tensor:
    size = scaled_size(native, scale)
    if size != native:
        images = F.interpolate(images, size=size, mode="bilinear", align_corners=False)
    images = images.contiguous(memory_format=torch.channels_last)
    probability = torch.sigmoid(network(images).float())
    if size != native:
        probability = F.interpolate(probability, size=native, mode="bilinear", align_corners=False)
    return probability


def evenly_stepped(first: int, last: int, step_mm: float, slice_mm: float) -> list[int]:
    """Slice indices from first to last, both included, at most ``step_mm`` apart, or every one."""
    # The small number: a step of exactly n slices must not become n - 1 by rounding.
    return [*range(first, last, max(1, int(step_mm / slice_mm + 1e-6))), last]


def between_slices(maps: Tensor, indices: list[int], wanted: list[int]) -> Tensor:
    """Maps (n, ...) of ascending slice indices, interpolated linearly along the slices (clamped at the ends)."""
    if indices == wanted:
        return maps
    if len(indices) == 1:
        return maps.expand(len(wanted), *maps.shape[1:])
    known = torch.tensor(indices, dtype=torch.float64)
    target = torch.tensor(wanted, dtype=torch.float64).clamp(known[0], known[-1])
    upper = torch.searchsorted(known, target).clamp(1, len(indices) - 1)
    lower = upper - 1
    weight = ((target - known[lower]) / (known[upper] - known[lower])).to(torch.float32)
    weight = weight.view(-1, *([1] * (maps.ndim - 1)))
    return torch.lerp(maps[lower].float(), maps[upper].float(), weight).to(maps.dtype)
