"""Training batches: drawn, warped, jittered and given their priors, all from (seed, job, step)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import torch
from LiverLesionCascadeLib.engine.priors import encode_estimate
from torch import Tensor

from .augmentation import crop_field_of_view, darken, jitter_intensity, random_affine, warp
from .corrections import LESION, LIVER, correct
from .recipes import Recipe, StageRecipe
from .sampling import SliceSampler
from .slice_store import SliceStore
from .validation import network_input


@dataclass(frozen=True)
class Batch:
    """inputs (n, 3, size, size): (I, I, I) or (I, Y^t, Y^v); targets (n, 2, size, size): liver, lesion in 0..1."""

    inputs: Tensor
    targets: Tensor


class BatchMaker:
    """Makes the batch of any step; a resumed training sees exactly what an undisturbed one would.

    Args:
        store: Slices of the pass.
        patients: Patient numbers that may be used; None for all.
        job: Name of the job, part of the seed.
    """

    def __init__(
        self, store: SliceStore, recipe: Recipe, stage: StageRecipe, job: str, patients: set[int] | None = None
    ) -> None:
        self._store, self._recipe, self._stage = store, recipe, stage
        self._sampler = SliceSampler(store, stage.mixture, stage.by_patient, patients)
        self._seed = (recipe.seed, zlib.crc32(job.encode()))

    def random(self, step: int) -> np.random.Generator:
        return np.random.default_rng((*self._seed, step))

    def make(self, step: int) -> Batch:
        store, recipe, stage = self._store, self._recipe, self._stage
        random = self.random(step)
        phase = stage.phase_at(step)
        size = phase.size
        index = self._sampler.draw(recipe.batch, random)
        planes = np.concatenate([store.images[index][:, None], store.targets[index]], axis=1)
        matrices = random_affine(len(index), store.inner, phase.crop, recipe, stage, random)
        warped = warp(torch.from_numpy(planes.astype(np.float32) / 255), matrices, size)
        images, targets = warped[:, :1].contiguous(), warped[:, 1:].contiguous()
        crop_field_of_view(images, targets, stage.crop_view, random)
        darken(images, targets, stage.dark, random)
        if stage.prior_absent < 1:
            images, priors = self._priors(index, matrices, images, targets, size, random)
            inputs = torch.cat([jitter_intensity(images, recipe, random), priors], dim=1)
        else:
            images = jitter_intensity(images, recipe, random)
            # From the image alone: stage 1 sees (I, I, I); for stage 2 all-zero priors mean "no estimate".
            inputs = network_input(images, stage.image_thrice)
        return Batch(inputs.contiguous(), targets)

    def _priors(
        self,
        index: np.ndarray,
        matrices: Tensor,
        images: Tensor,
        targets: Tensor,
        size: int,
        random: np.random.Generator,
    ) -> tuple[Tensor, Tensor]:
        store, stage = self._store, self._stage
        if store.priors is None:
            raise ValueError("This stage needs cross-fitted priors, and the prepared slices have none")
        estimates = warp(torch.from_numpy(store.priors[index].astype(np.float32) / 255), matrices, size).numpy()
        encoded = np.zeros((len(index), 2, size, size), np.float32)
        pixels = images.numpy()
        for i in range(len(index)):
            if random.random() < stage.prior_absent:
                continue
            if random.random() < stage.corrections:
                maps = correct(pixels[i, 0], targets[i].numpy(), estimates[i], random)
            else:
                maps = encode_estimate(estimates[i])
            encoded[i] = maps[LESION], maps[LIVER]
        return images, torch.from_numpy(encoded)
