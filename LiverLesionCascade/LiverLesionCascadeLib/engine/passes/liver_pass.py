"""The liver pass (stage 1): whole slices in, the liver's slices, box and first maps out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..model.bundle import ModelBundle
from ..model.inference import between_slices, evenly_stepped, predict
from ..model.network import CascadeResNet
from ..model.view import View, liver_box_view, normalise, whole_slice_view
from ..progress import Progress
from ..results.postprocessing import largest_component
from ..scan.ct_volume import CTVolume
from .presets import Preset

#: The liver pass may miss the organ's thin ends: the lesion pass also sees this much above and below, in mm.
END_MARGIN_MM = 15.0


@dataclass(frozen=True)
class LiverPassResult:
    """Maps of the liver pass.

    Attributes:
        maps: (n, 2, rows, columns) float16 probabilities of liver and lesion, in the view.
        indices: The n slices that were looked at.
        view: What the network saw of each slice.
        first, last: First and last slice for the lesion pass, or None where no liver was found.
        box: Box around the liver for the lesion pass, or None.
        liver_hu: Median HU of the liver, clipped to the bundle's window; None where no liver was found.
    """

    maps: Tensor
    indices: list[int]
    view: View
    first: int | None
    last: int | None
    box: View | None
    liver_hu: float | None

    def in_view(self, view: View, slices: list[int]) -> Tensor:
        """The maps of other slices in another view: (n, 2, *view.size) float32."""
        matrix = view.sampling_matrix(self.view)
        maps = between_slices(self.maps, self.indices, slices).float()
        grid = F.affine_grid(matrix.expand(len(maps), 2, 3), [len(maps), 1, *view.size], align_corners=False)
        return F.grid_sample(maps, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def run_liver_pass(
    ct: CTVolume, bundle: ModelBundle, network: CascadeResNet, preset: Preset, device: torch.device, progress: Progress
) -> LiverPassResult:
    """Looks at the whole scan and finds the liver.

    Raises:
        CancelledError: If the run was cancelled.
        DeviceError: If the device ran out of memory.
    """
    settings = bundle.settings.liver_pass
    slices, rows, columns = ct.hu.shape
    slice_mm, row_mm, column_mm = ct.spacing
    view = whole_slice_view(rows, columns, (row_mm, column_mm), settings.size, settings.pixel_mm)
    indices = evenly_stepped(0, slices - 1, preset.liver_step_mm, slice_mm)

    images = torch.empty((len(indices), *view.size), dtype=torch.float16)

    def inputs(part: slice) -> Tensor:
        hu = torch.from_numpy(ct.hu[indices[part]].astype(np.float32))
        extracted = view.extract(normalise(hu, bundle.settings.window_hu))
        images[part] = extracted
        return extracted[:, None].expand(-1, 3, -1, -1)

    maps = predict(network, inputs, len(indices), view.size, preset.liver_scales, device, progress)
    # What lies outside of the image is no liver and no lesion, whatever the network sees in the padding.
    in_rows = _inside(view.top, view.height, view.size[0], rows)
    in_columns = _inside(view.left, view.width, view.size[1], columns)
    maps *= torch.from_numpy(np.outer(in_rows, in_columns))
    seen = (maps[:, 0] > settings.threshold).numpy()
    # Single slices, so far apart that none hangs together with another, have each a largest part of their own.
    single = slice_mm > 2 * END_MARGIN_MM
    liver = np.concatenate([largest_component(each[None]) for each in seen]) if single else largest_component(seen)
    nothing = LiverPassResult(maps, indices, view, None, None, None, None)
    if not liver.any():
        return nothing
    found = np.flatnonzero(liver.any(axis=(1, 2)))
    # Between the outermost slice that shows liver and its unseen neighbours there may be more of it.
    margin = max(1, round(END_MARGIN_MM / slice_mm))
    first, last = max(0, indices[found[0]] - margin), min(slices - 1, indices[found[-1]] + margin)
    liver_rows = _in_slice(np.any(liver, axis=(0, 2)), view.top, view.height, rows)
    liver_columns = _in_slice(np.any(liver, axis=(0, 1)), view.left, view.width, columns)
    if not liver_rows.any() or not liver_columns.any():
        return nothing  # a speck that is smaller than a pixel of the slice
    lesion_pass = bundle.settings.lesion_pass
    box = liver_box_view(liver_rows, liver_columns, (row_mm, column_mm), lesion_pass.size, lesion_pass.margin)
    low, high = bundle.settings.window_hu
    liver_hu = low + (high - low) * float(images[torch.from_numpy(liver)].median())
    return LiverPassResult(maps, indices, view, first, last, box, liver_hu)


def _inside(start: int, extent: int, size: int, count: int) -> np.ndarray:
    """Which of the view's ``size`` pixels along an axis have their centre in the image's ``count`` ones."""
    centres = start + (np.arange(size) + 0.5) * extent / size
    return (centres >= 0) & (centres < count)


def _in_slice(profile: np.ndarray, start: int, extent: int, count: int) -> np.ndarray:
    """A profile over the view's pixels as one over the slice's rows or columns, which all lie in the view."""
    positions = (np.arange(count) + 0.5 - start) / extent * len(profile)
    return profile[positions.astype(int)]
