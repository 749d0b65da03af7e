"""The lesion pass (stage 2): the liver's box in, as (I, Y^t, Y^v), both maps out; run again on its own result.

Beyond the paper, the network may also see the slices a little below and above: vessels run on, lesions end.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..model.bundle import ModelBundle
from ..model.inference import evenly_stepped, predict
from ..model.model_settings import LesionPassSettings
from ..model.network import CascadeResNet
from ..model.view import View, normalise
from ..progress import Progress
from ..scan.ct_volume import CTVolume
from .liver_pass import LiverPassResult
from .presets import Preset
from .priors import ESTIMATE_SCALE

#: Farther away than this, relative to the distance that a network knows, no slice is a neighbour.
NEIGHBOUR_REACH = 1.85


def box_images(
    ct: CTVolume, view: View, indices: list[int], window_hu: tuple[float, float], shift_hu: float = 0.0
) -> Tensor:
    """The windowed image in the box, shifted: (n, *view.size) float32 in [0, 1]."""
    images = torch.empty((len(indices), *view.size))
    for i, index in enumerate(indices):
        hu = torch.from_numpy(ct.hu[index : index + 1].astype(np.float32))
        images[i] = view.extract(normalise(hu, window_hu, shift_hu))[0]
    return images


def neighbour_step(settings: LesionPassSettings, slice_mm: float) -> int:
    """How many slices away the neighbours lie that the network sees; 0 where it sees none, or none is near enough."""
    if settings.neighbour_mm is None:
        return 0
    step = max(1, round(settings.neighbour_mm / slice_mm))
    return step if step * slice_mm <= NEIGHBOUR_REACH * settings.neighbour_mm else 0


class LesionPassInputs:
    """What the network of the lesion pass sees of some slices: (I, Y^t, Y^v), or (I, Y^t, Y^v, I below, I above).

    Where a scan ends, or has no slice near enough, a slice stands for its neighbour.

    Args:
        view: The liver's box.
        indices: The slices.
        shift_hu: As of :func:`box_images`.
    """

    def __init__(self, ct: CTVolume, view: View, indices: list[int], bundle: ModelBundle, shift_hu: float) -> None:
        step = neighbour_step(bundle.settings.lesion_pass, ct.spacing[0])
        steps = (0,) if bundle.settings.lesion_pass.neighbour_mm is None else (0, -step, step)
        seen = np.clip(np.add.outer(indices, steps), 0, len(ct.hu) - 1)
        every, planes = np.unique(seen, return_inverse=True)
        self._images = box_images(ct, view, every.tolist(), bundle.settings.window_hu, shift_hu)
        self._planes = torch.from_numpy(planes.reshape(seen.shape))

    def __call__(self, part: slice, priors: Tensor) -> Tensor:
        """Inputs (n, 3 or 5, *size) of a part of the slices with their priors (n, 2, *size): Y^t, Y^v, encoded."""
        images = self._images[self._planes[part]]
        return torch.cat([images[:, :1], priors, images[:, 1:]], dim=1)


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
    indices = evenly_stepped(liver.first, liver.last, preset.lesion_step_mm, ct.spacing[0])
    images = LesionPassInputs(ct, view, indices, bundle, bundle.settings.lesion_pass.shift_hu(liver.liver_hu))
    maps = liver.in_view(view, indices) if preset.priors else torch.zeros((len(indices), 2, *view.size))

    def inputs(part: slice) -> Tensor:
        # The lesion map comes first.
        return images(part, (maps[part].float() * ESTIMATE_SCALE).flip(1))

    for iteration in range(iterations):
        progress.begin(
            "Lesions" if iteration == 0 else "Lesions, again on the result", progress.rest / (iterations - iteration)
        )
        maps = predict(
            network, inputs, len(indices), view.size, preset.lesion_scales, device, progress, preset.lesion_mirror
        )
    return maps, indices
