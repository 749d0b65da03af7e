"""Lesions copied between livers: where they land, how they look there, and that a training sees them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from fixtures.tiny_recipe import tiny_recipe
from LiverLesionCascadeTrainingLib.slices.batches import BatchMaker
from LiverLesionCascadeTrainingLib.slices.lesion_paste import paste_lesion
from LiverLesionCascadeTrainingLib.slices.simulated_corrections import LESION, LIVER
from LiverLesionCascadeTrainingLib.slices.slice_store import SliceStore

SIZE = 48


def slice_of(liver_value: float, lesion_value: float | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """A liver in the middle of an image (1, 1, ...); with a round lesion of 9 pixels if it has a value."""
    rows, columns = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    target = torch.zeros(2, SIZE, SIZE)
    target[LIVER] = ((rows - 24) ** 2 + (columns - 24) ** 2 <= 18**2).float()
    image = liver_value * target[:1].clone()
    if lesion_value is not None:
        target[LESION] = ((rows - 20) ** 2 + (columns - 26) ** 2 <= 4.5**2).float()
        image[0][target[LESION] > 0] = lesion_value
    return image[None], target[None]


@pytest.mark.parametrize("seed", range(20))
def test_a_pasted_lesion_lies_in_the_liver_and_keeps_its_contrast_to_it(seed):
    (image,), (target,) = images, targets = slice_of(0.5)
    donor_images, donor_targets = slice_of(0.8, 0.6)
    untouched, donor_target = image.clone(), donor_targets[0]
    paste_lesion(images, targets, donor_images, donor_targets, np.random.default_rng(seed))
    pasted = target[LESION] > 0
    assert 0 < int(pasted.sum()) <= int(donor_target[LESION].sum())
    assert not (pasted & (target[LIVER] == 0)).any()
    # 0.2 darker than the donor's liver, times 0.6 to 1.2.
    darker = 0.5 - image[0][pasted]
    assert 0.11 < float(darker.mean()) < 0.25
    far = torch.nn.functional.max_pool2d(pasted[None].float(), 9, 1, 4)[0] == 0
    assert torch.equal(image[0][far], untouched[0][far])


def test_a_lesion_that_is_there_already_stays():
    images, targets = slice_of(0.5, 0.2)
    before = targets.clone()
    paste_lesion(images, targets, *slice_of(0.8, 0.6), np.random.default_rng(0))
    assert (targets >= before).all()
    assert targets[:, LESION].sum() > before[:, LESION].sum()


def test_what_lies_below_and_above_a_lesion_goes_with_it():
    images, targets = (planes.repeat(3, 1, 1, 1) for planes in slice_of(0.5))
    donor_images, donor_targets = (planes.repeat(3, 1, 1, 1) for planes in slice_of(0.8, 0.6))
    donor_targets[1, LESION] = 0  # it ends below its slice
    donor_images[1][donor_images[1] == 0.6] = 0.8
    paste_lesion(images, targets, donor_images, donor_targets, np.random.default_rng(3))
    shown = [image[0][targets[0, LESION] > 0.9].mean() for image in images]
    assert shown[0] < 0.4 and shown[2] == shown[0]
    assert abs(shown[1] - 0.5) < 0.02
    assert torch.equal(targets[0], targets[2]) and targets[1, LESION].sum() == 0


def test_nothing_changes_without_a_lesion_to_copy_or_a_liver_to_put_it():
    empty = torch.zeros(1, 1, SIZE, SIZE), torch.zeros(1, 2, SIZE, SIZE)
    for receiver, donor in ((slice_of(0.5), slice_of(0.8)), (empty, slice_of(0.8, 0.6))):
        image, target = receiver
        before = image.clone(), target.clone()
        paste_lesion(image, target, *donor, np.random.default_rng(0))
        assert torch.equal(image, before[0])
        assert torch.equal(target, before[1])


@pytest.mark.parametrize(("covered", "expected"), [(0.6, True), (0.4, False)])
def test_pixels_that_are_liver_and_lesion_for_the_most_part_count_as_such(covered, expected):
    for half in ("receiver's liver", "donor's liver", "lesion"):
        images, targets = slice_of(0.5)
        donor_images, donor_targets = slice_of(0.8, 0.6)
        partly = {"receiver's liver": targets[:, LIVER], "donor's liver": donor_targets[:, LIVER]}
        partly.get(half, donor_targets[:, LESION]).mul_(covered)
        paste_lesion(images, targets, donor_images, donor_targets, np.random.default_rng(0))
        assert bool(targets[:, LESION].any()) == expected, half


def a_store(lesion: bool) -> SliceStore:
    """Ten slices of healthy liver of patient 0, and one of patient 1 with a lesion or without."""
    slices = [slice_of(0.5)] * 10 + [slice_of(0.8, 0.6 if lesion else None)]
    return SliceStore(
        images=np.stack([(image[0, 0] * 255).numpy() for image, _ in slices]).astype(np.uint8),
        targets=np.stack([(target[0] * 255).numpy() for _, target in slices]).astype(np.uint8),
        priors=None,
        case=np.arange(11),
        slice=np.zeros(11, int),
        patient=np.asarray([0] * 10 + [1]),
        kinds=np.asarray(["liver"] * 10 + ["lesion" if lesion else "liver"]),
        names=[str(i) for i in range(11)],
        patients=["0", "1"],
        views=[],
        inner=0.8,
        chosen=np.ones(11, bool),
        lesions_known=np.ones(11, bool),
    )


@pytest.mark.parametrize(
    ("lesion", "patients", "expected"), [(True, None, True), (True, {0}, False), (False, None, False)]
)
def test_a_training_pastes_lesions_of_its_own_patients_alone(lesion, patients, expected):
    recipe = tiny_recipe()
    stage = replace(recipe.lesion_image, mixture={"liver": 1.0}, paste=1.0, drawn=0.0)
    maker = BatchMaker(a_store(lesion), recipe, stage, "lesion-image", patients)
    shown = any(float(maker.make(step).targets[:, LESION].max()) > 0.5 for step in range(10))
    assert shown == expected
