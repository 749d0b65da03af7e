"""The fully connected CRF against sums over all pairs of voxels, and what it is for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.passes.dense_crf import (
    INTENSITY_STEPS,
    CrfSettings,
    CrfVolume,
    dense_crf,
    gaussian_features,
)

WINDOW = (-40.0, 160.0)


def brute_force(maps: np.ndarray, volume: CrfVolume, crf: CrfSettings) -> np.ndarray:
    """Mean field with every pair of voxels written out, in float64; from the formula, not from the code."""
    grid = np.meshgrid(*(axis.numpy() for axis in volume.axes_mm), indexing="ij")
    position = np.stack([axis.ravel() for axis in grid], 1).astype(np.float64)
    low, high = volume.window_hu
    steps = np.round(volume.image.numpy().astype(np.float64).ravel() * INTENSITY_STEPS)  # no finer ones are told apart
    hu = steps / INTENSITY_STEPS * (high - low) + low
    distance = ((position[:, None] - position[None]) ** 2).sum(-1)
    contrast = (hu[:, None] - hu[None]) ** 2
    pairwise = np.zeros_like(distance)
    for weight, kernel in (
        (crf.appearance_weight, np.exp(-distance / 2 / crf.appearance_mm**2 - contrast / 2 / crf.appearance_hu**2)),
        (crf.smoothness_weight, np.exp(-distance / 2 / crf.smoothness_mm**2)),
    ):
        scale = kernel.sum(1) ** -0.5
        pairwise += weight * scale[:, None] * scale[None] * kernel
    np.fill_diagonal(pairwise, 0)
    liver, lesion = maps[:, 0].ravel().astype(np.float64), maps[:, 1].ravel().astype(np.float64)
    unary = np.log(np.clip(np.stack([1 - np.maximum(liver, lesion), liver - lesion, lesion]), 1e-5, None))
    q = np.exp(unary) / np.exp(unary).sum(0)
    for _ in range(crf.iterations):
        # Potts: a voxel pays for every other one by the probability that the two labels differ.
        energy = unary - (1 - q) @ pairwise
        q = np.exp(energy - energy.max(0))
        q /= q.sum(0)
    shape = volume.image.shape
    return np.stack([(q[1] + q[2]).reshape(shape), q[2].reshape(shape)], 1)


@settings(deadline=None, max_examples=15)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 5), st.integers(2, 10), st.integers(2, 10)),
    mm=st.tuples(st.floats(0.5, 6), st.floats(0.5, 3), st.floats(0.5, 3)),
    crf=st.builds(
        CrfSettings,
        iterations=st.integers(1, 6),
        appearance_weight=st.floats(0, 5),
        appearance_mm=st.floats(2, 30),
        appearance_hu=st.floats(5, 60),
        smoothness_weight=st.floats(0, 3),
        smoothness_mm=st.floats(0.5, 5),
    ),
)
def test_the_marginals_are_those_of_a_brute_force_mean_field(seed, shape, mm, crf) -> None:
    random = np.random.default_rng(seed)
    volume = CrfVolume(
        torch.from_numpy(random.random(shape, np.float32)), torch.arange(shape[0]) * mm[0], mm[1:], WINDOW
    )
    liver = random.random(shape, np.float32)
    maps = np.stack([liver, liver * random.random(shape, np.float32)], 1)
    found = dense_crf(torch.from_numpy(maps), volume, crf).numpy()
    np.testing.assert_allclose(found, brute_force(maps, volume, crf), atol=5e-3)


@settings(deadline=None, max_examples=30)
@given(
    width=st.floats(0.5, 50),
    positions=st.lists(st.floats(-200, 200), min_size=1, max_size=40),
)
def test_products_of_features_are_the_gaussian_kernel(width: float, positions: list[float]) -> None:
    x = torch.tensor(positions)
    features = gaussian_features(x, width)
    exact = np.exp(-0.5 * ((x.double().numpy()[:, None] - x.double().numpy()[None]) / width) ** 2)
    np.testing.assert_allclose((features @ features.T).numpy(), exact, atol=2e-3)


def bright_ball() -> tuple[torch.Tensor, CrfVolume]:
    """A liver of 100 HU around a lesion of 40 HU; the maps know the liver, and the lesion only in its middle."""
    z, y, x = np.mgrid[:7, :32, :32]
    lesion = (3 * (z - 3)) ** 2 + (y - 16) ** 2 + (x - 16) ** 2 <= 8**2
    core = (3 * (z - 3)) ** 2 + (y - 16) ** 2 + (x - 16) ** 2 <= 6**2
    noise = np.random.default_rng(1).normal(0, 3, lesion.shape)
    hu = np.where(lesion, 40.0, 100.0) + noise
    image = torch.from_numpy(((hu - WINDOW[0]) / (WINDOW[1] - WINDOW[0])).astype(np.float32))
    maps = np.stack([np.full(lesion.shape, 0.95), np.where(core, 0.8, np.where(lesion, 0.45, 0.3))], 1)
    return torch.from_numpy(maps.astype(np.float32)), CrfVolume(image, torch.arange(7) * 3.0, (1.0, 1.0), WINDOW)


def test_an_uncertain_outline_moves_to_the_edge_in_the_image() -> None:
    maps, volume = bright_ball()
    lesion = volume.image * (WINDOW[1] - WINDOW[0]) + WINDOW[0] < 70
    assert ((maps[:, 1] > 0.5) & lesion).sum() < 0.6 * lesion.sum()
    found = dense_crf(maps, volume)[:, 1] > 0.5
    assert (found == lesion).float().mean() > 0.995


def test_without_weights_the_maps_stay() -> None:
    maps, volume = bright_ball()
    crf = CrfSettings(appearance_weight=0.0, smoothness_weight=0.0)
    torch.testing.assert_close(dense_crf(maps.half(), volume, crf), maps.half(), atol=1e-3, rtol=0)


def test_a_certain_map_far_from_anything_alike_stays() -> None:
    maps = torch.zeros(1, 2, 8, 8)
    maps[0, 0, :, :4] = 1.0
    image = torch.zeros(1, 8, 8)
    image[:, :, :4] = 1.0
    found = dense_crf(maps, CrfVolume(image, torch.zeros(1), (1.0, 1.0), WINDOW))
    assert torch.equal(found > 0.5, maps > 0.5)


def test_progress_rises_to_one_and_a_check_that_raises_ends_the_work() -> None:
    maps, volume = bright_ball()
    fractions: list[float] = []
    dense_crf(maps, volume, advance=fractions.append)
    assert fractions == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        dense_crf(maps, volume, check=stop)
