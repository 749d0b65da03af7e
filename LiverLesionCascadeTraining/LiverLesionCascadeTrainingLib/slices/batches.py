"""Training batches: drawn, warped, jittered and given their priors, all from (seed, job, step).

What is drawn also depends on what the network was wrong about, where the recipe wants that (``hard_slices``).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import torch
from LiverLesionCascadeLib.engine.passes.priors import encode_estimate
from torch import Tensor

from ..recipes import Recipe, StageRecipe
from .augmentation import crop_field_of_view, darken, fade_vessels, jitter_intensity, random_affine, warp
from .hard_slices import HardSlices
from .lesion_paste import paste_lesion
from .lesion_synthesis import draw_lesion
from .sampling import EpochSampler, SliceSampler, slices_of
from .simulated_corrections import LESION, LIVER, correct
from .slice_store import SliceStore
from .validation import network_input

#: Pasted lesions are shrunk by up to this factor.
_SMALLER = 2.0


@dataclass(frozen=True)
class Batch:
    """inputs (n, 3 or 5, size, size): (I, I, I), (I, Y^t, Y^v) or (I, Y^t, Y^v, below, above); targets
    (n, 2, size, size): liver, lesion in 0..1, NaN where nobody knows."""

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
        self._store, self.recipe, self.stage = store, recipe, stage
        self._seed = (recipe.seed, zlib.crc32(job.encode()))
        if stage.epochs:
            self._epochs = EpochSampler(store, set(stage.mixture), patients, self._seed)
        else:
            self._sampler = SliceSampler(store, stage.mixture, stage.by_patient, patients, stage.hard)
        # Donors by patient: half of all lesion slices are those of two patients.
        self._donors = None
        if stage.paste and len(slices_of(store, {"lesion"}, patients)):
            self._donors = SliceSampler(store, {"lesion": 1.0}, 1.0, patients)

    def random(self, step: int, *more: int) -> np.random.Generator:
        """The random numbers of a step, or of one sample of it."""
        return np.random.default_rng((*self._seed, step, *more))

    @property
    def hard_slices(self) -> HardSlices | None:
        """What the network is known to be wrong about; None where draws do not follow it."""
        return self._sampler.hard_slices if self.stage.hard and not self.stage.epochs else None

    def drawn(self, step: int) -> np.ndarray:
        """Indices (batch,) into the store of the slices of a step."""
        count = self.recipe.batch
        return self._epochs.draw(count, step) if self.stage.epochs else self._sampler.draw(count, self.random(step))

    def make(self, step: int, samples: range | None = None) -> Batch:
        """The batch of a step, or some samples of it.

        Each sample has random numbers of its own, so that it is the same whoever makes it, with whatever others.
        """
        index = self.drawn(step)
        samples = range(len(index)) if samples is None else samples
        made = [self._sample(int(index[i]), step, self.random(step, i)) for i in samples]
        return Batch(torch.cat([inputs for inputs, _ in made]), torch.cat([targets for _, targets in made]))

    def _sample(self, index: int, step: int, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Inputs (1, channels, size, size) and targets (1, 2, size, size) of a slice."""
        store, recipe, stage = self._store, self.recipe, self.stage
        size = stage.phase_at(step).size
        matrix = random_affine(store.inner, recipe, stage, random)
        seen = store.seen(np.array([index]))[0]
        if random.random() < recipe.neighbours_absent:
            seen[1:] = index
        # Where all planes are the same, one is enough.
        shown = seen if (seen != index).any() else seen[:1]
        images, targets = self._warped(shown, matrix, size)
        if self._donors is not None and random.random() < stage.paste:
            self._paste(images, targets, self._donors, random)
        if stage.drawn and random.random() < stage.drawn:
            draw_lesion(images, targets, random)
        fade_vessels(images, targets, stage.faded_vessels, random)
        crop_field_of_view(images, targets, stage.crop_view, random)
        darken(images, targets, stage.dark, random)
        priors = None
        if stage.prior_absent < 1:
            priors = self._priors(index, matrix, images, targets, random)
        jittered = jitter_intensity(images, recipe.intensity, stage.noise, random)
        # A slice that stands for its neighbour is the same to the last bit, as it will be in a run.
        own = torch.from_numpy(np.where(seen == index, 0, np.arange(len(seen))))
        inputs = network_input(jittered[own].transpose(0, 1), stage.image_thrice)
        if priors is not None:
            inputs[:, 1:3] = priors
        targets = targets[:1]
        if not store.lesions_known[index]:
            targets[:, LESION][(targets[:, LIVER] > 0) & (targets[:, LESION] == 0)] = torch.nan
        return inputs, targets

    def _warped(self, index: np.ndarray, matrix: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """Images (n, 1, size, size) and targets (n, 2, size, size) of slices, warped by one matrix (2, 3)."""
        planes = np.concatenate([self._store.images[index][:, None], self._store.targets[index]], axis=1)
        warped = warp(torch.from_numpy(planes).float() / 255, matrix, size)
        return warped[:, :1].contiguous(), warped[:, 1:].contiguous()

    def _paste(self, images: Tensor, targets: Tensor, donors: SliceSampler, random: np.random.Generator) -> None:
        """Puts a lesion of another slice into the liver of images and targets (n, ..., size, size), in place."""
        index = self._store.seen(donors.draw(1, random))[0, : len(images)]
        matrix = random_affine(self._store.inner, self.recipe, self.stage, random)
        # Also smaller than it is: there are too few small lesions to learn from.
        matrix[:, :2] *= float(random.uniform(1.0, _SMALLER))
        paste_lesion(images, targets, *self._warped(index, matrix, images.shape[-1]), random)

    def _priors(
        self, index: int, matrix: Tensor, images: Tensor, targets: Tensor, random: np.random.Generator
    ) -> Tensor:
        """Encoded (1, 2, size, size) Y^t, Y^v of a sample; a simulated correction may change its image in place."""
        store, stage = self._store, self.stage
        if store.priors is None:
            raise ValueError("This stage needs cross-fitted priors, and the prepared slices have none")
        size = images.shape[-1]
        if random.random() < stage.prior_absent:
            return torch.zeros(1, 2, size, size)
        stored = torch.from_numpy(np.array(store.priors[index]))[None]
        estimate = warp(stored.float() / 255, matrix, size)[0].numpy()
        if random.random() < stage.corrections:
            maps = correct(images[:, 0].numpy(), targets[0].numpy(), estimate, random)
        else:
            maps = encode_estimate(estimate)
        return torch.from_numpy(np.stack([maps[LESION], maps[LIVER]])[None])
