"""Segments as Bi et al. 2017 do: whole slices through one network, or two, the second on the first one's maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from LiverLesionCascadeLib.engine.model.inference import predict
from LiverLesionCascadeLib.engine.model.model_settings import ModelSettings
from LiverLesionCascadeLib.engine.model.network import SliceNetwork
from LiverLesionCascadeLib.engine.model.view import whole_slice_view
from LiverLesionCascadeLib.engine.passes.crf_pass import run_crf_pass
from LiverLesionCascadeLib.engine.passes.lesion_pass import box_images
from LiverLesionCascadeLib.engine.passes.priors import ESTIMATE_SCALE
from LiverLesionCascadeLib.engine.progress import Progress
from LiverLesionCascadeLib.engine.results.postprocessing import PostProcessing, postprocess
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from LiverLesionCascadeLib.engine.segmenter import paste

THRESHOLD = 0.5


@dataclass(frozen=True)
class WholeSlices:
    """Networks that see whole slices.

    Attributes:
        networks: The first sees (I, I, I), each further one (I, Y^t, Y^v) with the maps of the one before.
        model: Its liver pass and window count.
    """

    networks: Sequence[SliceNetwork]
    model: ModelSettings
    device: torch.device

    def segment(
        self, ct: CTVolume, scales: tuple[float, ...] = (1.0,), crf: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Liver and lesions, bool (slice, row, column); holes are filled per axial slice as in the paper.

        Args:
            scales: Image sizes whose maps are averaged.
            crf: Whether the maps go through the 3D-CRF.
        """
        _, rows, columns = ct.hu.shape
        seen, window_hu = self.model.liver_pass, self.model.window_hu
        view = whole_slice_view(rows, columns, ct.spacing[1:], seen.size, seen.pixel_mm)
        indices = list(range(ct.hu.shape[0]))
        images = box_images(ct, view, indices, window_hu)
        maps = None
        for network in self.networks:
            if maps is None:
                inputs = images[:, None].expand(-1, 3, -1, -1)
            else:
                # (I, Y^t, Y^v): the lesion map comes first.
                inputs = torch.cat([images[:, None], maps.flip(1).float() * ESTIMATE_SCALE], dim=1)
            maps = predict(network, inputs.__getitem__, len(indices), view.size, scales, self.device, Progress())
        assert maps is not None, "at least one network"
        if crf:
            maps = run_crf_pass(maps, ct, view, indices, window_hu, self.device, Progress())
        liver, lesions = (box.full(ct.hu.shape) > THRESHOLD for box in paste(maps, indices, view, ct))
        return postprocess(liver, lesions, ct.spacing, PostProcessing.paper())
