"""Training batches: drawn, warped, jittered and given their priors, all from (seed, job, step)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import torch
from LiverLesionCascadeLib.engine.passes.priors import encode_estimate
from torch import Tensor

from ..recipes import Phase, Recipe, StageRecipe
from .augmentation import crop_field_of_view, darken, fade_vessels, jitter_intensity, random_affine, warp
from .epochs import EpochSampler
from .lesion_paste import paste_lesion
from .lesion_synthesis import draw_lesion
from .sampling import SliceSampler, lesion_slices
from .simulated_corrections import LESION, LIVER, correct
from .slice_store import SliceStore
from .validation import network_input

#: Pasted lesions are shrunk by up to this factor.
_SMALLER = 2.0


@dataclass(frozen=True)
class Batch:
    """inputs (n, 3, size, size): (I, I, I) or (I, Y^t, Y^v); targets (n, 2, size, size): liver, lesion in 0..1."""

    inputs: Tensor
    targets: Tensor

    def pinned(self, device: torch.device) -> Batch:
        """In memory that a CUDA device can fetch while it computes; elsewhere the batch itself."""
        return Batch(self.inputs.pin_memory(), self.targets.pin_memory()) if device.type == "cuda" else self


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
        self._seed = (recipe.seed, zlib.crc32(job.encode()))
        if stage.epochs:
            self._epochs = EpochSampler(store, set(stage.mixture), patients, self._seed)
        else:
            self._sampler = SliceSampler(store, stage.mixture, stage.by_patient, patients)
        # Donors by patient: half of all lesion slices are those of two patients.
        self._donors = None
        if stage.paste and lesion_slices(store, patients):
            self._donors = SliceSampler(store, {"lesion": 1.0}, 1.0, patients)

    def random(self, step: int, *more: int) -> np.random.Generator:
        """The random numbers of a step, or of one sample of it."""
        return np.random.default_rng((*self._seed, step, *more))

    def make(self, step: int, samples: range | None = None) -> Batch:
        """The batch of a step, or some samples of it.

        Each sample has random numbers of its own, so that it is the same whoever makes it, with whatever others.
        """
        count = self._recipe.batch
        index = self._epochs.draw(count, step) if self._stage.epochs else self._sampler.draw(count, self.random(step))
        samples = range(len(index)) if samples is None else samples
        made = [self._sample(index[i : i + 1], step, self.random(step, i)) for i in samples]
        return Batch(torch.cat([inputs for inputs, _ in made]), torch.cat([targets for _, targets in made]))

    def _sample(self, index: np.ndarray, step: int, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Inputs (1, 3, size, size) and targets (1, 2, size, size) of the slice ``index`` (1,)."""
        store, recipe, stage = self._store, self._recipe, self._stage
        phase = stage.phase_at(step)
        size = phase.size
        planes = np.concatenate([store.images[index][:, None], store.targets[index]], axis=1)
        matrices = random_affine(1, store.inner, phase.crop, recipe, stage, random)
        warped = warp(torch.from_numpy(planes).float() / 255, matrices, size)
        images, targets = warped[:, :1].contiguous(), warped[:, 1:].contiguous()
        if self._donors is not None and random.random() < stage.paste:
            self._paste(images, targets, self._donors, phase, random)
        if stage.drawn and random.random() < stage.drawn:
            draw_lesion(images[0], targets[0], random)
        fade_vessels(images, targets, stage.faded_vessels, random)
        crop_field_of_view(images, targets, stage.crop_view, random)
        darken(images, targets, stage.dark, random)
        if stage.prior_absent < 1:
            priors = self._priors(index, matrices, images, targets, random)
            return torch.cat([self._jittered(images, random), priors], dim=1), targets
        # From the image alone: stage 1 sees (I, I, I); for stage 2 all-zero priors mean "no estimate".
        return network_input(self._jittered(images, random), stage.image_thrice), targets

    def _jittered(self, images: Tensor, random: np.random.Generator) -> Tensor:
        return jitter_intensity(images, self._recipe.intensity, self._stage.noise, random)

    def _paste(
        self, images: Tensor, targets: Tensor, donors: SliceSampler, phase: Phase, random: np.random.Generator
    ) -> None:
        """Puts a lesion of another slice into the liver of images and targets (1, ..., size, size), in place."""
        index = donors.draw(1, random)
        matrices = random_affine(1, self._store.inner, phase.crop, self._recipe, self._stage, random)
        # Also smaller than it is: there are too few small lesions to learn from.
        matrices[:, :, :2] *= float(random.uniform(1.0, _SMALLER))
        planes = np.concatenate([self._store.images[index][:, None], self._store.targets[index]], axis=1)
        donor = warp(torch.from_numpy(planes).float() / 255, matrices, phase.size)[0]
        paste_lesion(images[0], targets[0], donor[:1], donor[1:], random)

    def _priors(
        self, index: np.ndarray, matrices: Tensor, images: Tensor, targets: Tensor, random: np.random.Generator
    ) -> Tensor:
        """Encoded (1, 2, size, size) Y^t, Y^v of a sample; a simulated correction may change its image in place."""
        store, stage = self._store, self._stage
        if store.priors is None:
            raise ValueError("This stage needs cross-fitted priors, and the prepared slices have none")
        size = images.shape[-1]
        if random.random() < stage.prior_absent:
            return torch.zeros(1, 2, size, size)
        estimate = warp(torch.from_numpy(store.priors[index]).float() / 255, matrices, size)[0].numpy()
        if random.random() < stage.corrections:
            maps = correct(images[0, 0].numpy(), targets[0].numpy(), estimate, random)
        else:
            maps = encode_estimate(estimate)
        return torch.from_numpy(np.stack([maps[LESION], maps[LIVER]])[None])
