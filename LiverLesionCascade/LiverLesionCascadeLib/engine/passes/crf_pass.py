"""The 3D-CRF on a pass's maps, before they become masks."""

from __future__ import annotations

import torch
from torch import Tensor

from ..model.device import memory_errors
from ..model.view import View
from ..progress import Progress
from ..scan.ct_volume import CTVolume
from .dense_crf import CrfVolume, dense_crf
from .lesion_pass import box_images


def run_crf_pass(
    maps: Tensor,
    ct: CTVolume,
    view: View,
    indices: list[int],
    window_hu: tuple[float, float],
    device: torch.device,
    progress: Progress,
) -> Tensor:
    """The field's marginals from maps (n, 2, *view.size) of ascending slices; its image is what the networks saw.

    Raises:
        CancelledError: If the run was cancelled.
        DeviceError: If the device, or the computer, ran out of memory.
    """
    slice_mm, row_mm, column_mm = ct.spacing
    with memory_errors(device, " in the 3D-CRF", "switch the CRF off"):
        volume = CrfVolume(
            box_images(ct, view, indices, window_hu).to(device),
            torch.tensor(indices) * slice_mm,
            (row_mm * view.height / view.size[0], column_mm * view.width / view.size[1]),
            window_hu,
        )
        return dense_crf(maps, volume, advance=progress.advance, check=progress.check)
