"""Lesions drawn into healthy liver: where they lie, how they look there, and that a training sees them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from fixtures.tiny_recipe import tiny_recipe
from hypothesis import example, given, settings
from hypothesis import strategies as st
from LiverLesionCascadeTrainingLib.slices.batches import BatchMaker
from LiverLesionCascadeTrainingLib.slices.lesion_synthesis import draw_lesion
from LiverLesionCascadeTrainingLib.slices.simulated_corrections import LESION, LIVER
from LiverLesionCascadeTrainingLib.slices.slice_store import SliceStore

SIZE = 96


def a_liver() -> tuple[torch.Tensor, torch.Tensor]:
    """A noisy round liver in the middle of an image, with a lesion of 8 x 8 pixels."""
    rows, columns = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    target = torch.zeros(2, SIZE, SIZE)
    target[LIVER] = ((rows - 48) ** 2 + (columns - 48) ** 2 <= 40**2).float()
    target[LESION, 30:38, 50:58] = 1
    noise = 0.05 * torch.randn(1, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    return (0.6 + noise) * target[:1], target


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
@example(430)  # over the old one
def test_a_drawn_lesion_lies_in_the_liver_and_what_is_far_from_it_stays(seed):
    image, target = a_liver()
    untouched, before = image.clone(), target.clone()
    draw_lesion(image[None], target[None], np.random.default_rng(seed))
    assert torch.equal(target[LIVER], before[LIVER])
    assert (target[LESION] >= before[LESION]).all()
    new = target[LESION] > before[LESION]
    assert not (new & (target[LIVER] == 0)).any()
    assert new.any()
    lesions = target[LESION] > 0  # one drawn across the old one may show within it
    far = torch.nn.functional.max_pool2d(lesions[None, None].float(), 17, 1, 8)[0, 0] == 0
    assert torch.equal(image[0][far], untouched[0][far])
    assert torch.equal(image[0][before[LIVER] == 0], untouched[0][before[LIVER] == 0])
    assert 0 <= float(image.min()) <= float(image.max()) <= 1


def test_most_are_darker_than_the_liver_and_some_brighter():
    differences = []
    for seed in range(200):
        image, target = a_liver()
        before = target[LESION].clone()
        draw_lesion(image[None], target[None], np.random.default_rng(seed))
        inside = (target[LESION] > 0.9) & (before == 0)
        differences.append(float(image[0][inside].mean()) - 0.6 if inside.any() else 0.0)
    darker, brighter = np.mean(np.asarray(differences) < -0.03), np.mean(np.asarray(differences) > 0.03)
    assert darker > 0.75
    assert 0.04 < brighter < 0.2


def test_a_drawn_lesion_is_round_along_the_scan_so_that_small_ones_end_sooner():
    areas = []
    for seed in range(60):
        images, targets = (planes.repeat(3, 1, 1, 1) for planes in (plane[None] for plane in a_liver()))
        targets[:, LESION] = 0
        draw_lesion(images, targets, np.random.default_rng(seed))
        areas.append(targets[:, LESION].sum(dim=(1, 2)).tolist())
    own, below, above = np.asarray(areas).T
    # A lesion may be cut below its middle: one neighbour then shows more of it, never both.
    assert (np.minimum(below, above) <= own + 1e-3).all()
    assert (np.maximum(below, above) > own).any()
    lost = 1 - (below + above) / (2 * own)
    small = own < np.median(own)
    assert lost[small].mean() > lost[~small].mean() > 0


def test_a_liver_of_one_pixel_has_no_spread_and_is_drawn_into_as_well():
    image, target = torch.full((1, 8, 8), 0.5), torch.zeros(2, 8, 8)
    target[LIVER, 4, 4] = 1
    draw_lesion(image[None], target[None], np.random.default_rng(0))
    assert target[LESION].any()
    assert torch.isfinite(image).all()


def test_nothing_is_drawn_without_healthy_liver():
    image, target = a_liver()
    target[LIVER] = target[LESION]
    before = image.clone(), target.clone()
    draw_lesion(image[None], target[None], np.random.default_rng(0))
    assert torch.equal(image, before[0])
    assert torch.equal(target, before[1])


@pytest.mark.parametrize(("drawn", "expected"), [(1.0, True), (0.0, False)])
def test_a_training_sees_drawn_lesions_where_its_recipe_wants_them(drawn, expected):
    image, target = a_liver()
    target[LESION] = 0
    store = SliceStore(
        images=(image * 255).numpy().astype(np.uint8),
        targets=(target[None] * 255).numpy().astype(np.uint8),
        priors=None,
        case=np.zeros(1, int),
        slice=np.zeros(1, int),
        patient=np.zeros(1, int),
        kinds=np.asarray(["liver"]),
        names=["0"],
        patients=["0"],
        views=[],
        inner=0.8,
        chosen=np.ones(1, bool),
        lesions_known=np.ones(1, bool),
    )
    recipe = tiny_recipe()
    stage = replace(recipe.lesion_image, mixture={"liver": 1.0}, paste=0.0, drawn=drawn)
    maker = BatchMaker(store, recipe, stage, "lesion-image")
    assert any(float(maker.make(step).targets[:, LESION].max()) > 0.2 for step in range(10)) == expected
