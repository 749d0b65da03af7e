"""The lesion pass (stage 2): the liver's box in, as (I, Y^t, Y^v), both maps out; run again on its own result."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..model.bundle import ModelBundle
from ..model.inference import evenly_stepped, predict, slice_step
from ..model.network import CascadeResNet
from ..model.view import View, normalise
from ..progress import Progress
from ..scan.ct_volume import CTVolume
from .liver_pass import LiverPassResult
from .presets import Preset
from .priors import ESTIMATE_SCALE


def lesion_pass_slices(first: int, last: int, slice_mm: float, preset: Preset) -> list[int]:
    """The slices that the lesion pass looks at."""
    return evenly_stepped(first, last, slice_step(preset.lesion_step_mm, slice_mm))


def box_images(
    ct: CTVolume, view: View, indices: list[int], window_hu: tuple[float, float], shift_hu: float = 0.0
) -> Tensor:
    """The windowed image in the box, shifted: (n, *view.size) float32 in [0, 1]."""
    images = torch.empty((len(indices), *view.size))
    for i, index in enumerate(indices):
        hu = torch.from_numpy(ct.hu[index : index + 1].astype(np.float32))
        images[i] = view.extract(normalise(hu, window_hu, shift_hu))[0]
    return images


def run_lesion_pass(
    ct: CTVolume,
    bundle: ModelBundle,
    network: CascadeResNet,
    preset: Preset,
    liver: LiverPassResult,
    iterations: int,
    device: torch.device,
    progress: Progress,
) -> tuple[Tensor, list[int]]:
    """Looks at the liver's box.

    Args:
        liver: Result of the liver pass, with a box.
        iterations: At least 1; each run after the first takes the result of the one before as its priors.

    Returns:
        Probabilities (n, 2, size, size) float16 of liver and lesion in the box, and the n slices they belong to.

    Raises:
        CancelledError: If the run was cancelled.
        DeviceError: If the device ran out of memory.
    """
    if liver.box is None or liver.first is None or liver.last is None:
        raise ValueError("The lesion pass needs the box of a liver that was found")
    view = liver.box
    indices = lesion_pass_slices(liver.first, liver.last, ct.spacing[0], preset)
    images = box_images(ct, view, indices, bundle.window_hu, bundle.lesion_pass.shift_hu(liver.liver_hu))
    maps = liver.in_view(view, indices) if preset.priors else torch.zeros((len(indices), 2, *view.size))
    for iteration in range(iterations):
        priors = maps

        def inputs(part: slice, priors: Tensor = priors) -> Tensor:
            estimate = priors[part].float() * ESTIMATE_SCALE
            # (I, Y^t, Y^v): the lesion map comes first.
            return torch.stack([images[part], estimate[:, 1], estimate[:, 0]], dim=1)

        progress.begin(
            "Lesions" if iteration == 0 else "Lesions, again on the result", progress.rest / (iterations - iteration)
        )
        maps = predict(
            network, inputs, len(indices), view.size, preset.lesion_scales, device, progress, preset.lesion_mirror
        )
    return maps, indices
