"""What a training step sees: slices by mixture and patient, geometry, intensities, priors and corrections."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from fixtures.lits_phantoms import ellipsoid, write_lits_folders
from fixtures.made_up_store import made_up_store
from fixtures.tiny_recipe import tiny_recipe
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.passes.priors import ERASED, PAINTED
from LiverLesionCascadeTrainingLib.datasets.cases import find_cases
from LiverLesionCascadeTrainingLib.slices import simulated_corrections as corrections
from LiverLesionCascadeTrainingLib.slices.augmentation import (
    crop_field_of_view,
    darken,
    fade_vessels,
    jitter_intensity,
    random_affine,
    warp,
)
from LiverLesionCascadeTrainingLib.slices.batches import BatchMaker
from LiverLesionCascadeTrainingLib.slices.sampling import EpochSampler, SliceSampler, slices_of
from LiverLesionCascadeTrainingLib.slices.slice_store import build_store, open_store
from LiverLesionCascadeTrainingLib.slices.validation import native_planes

RECIPE = tiny_recipe(200)


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    root = tmp_path_factory.mktemp("stores")
    cases = find_cases([write_lits_folders(root)[0]])
    for name in ("liver", "lesion"):
        build_store(cases, name, RECIPE, root / name)
    return {name: open_store(root / name) for name in ("liver", "lesion")}


def test_draws_follow_the_mixture():
    store = made_up_store(["lesion"] * 2 + ["liver"] * 50 + ["near"] * 3 + ["neither"] * 40, [0] * 95)
    sampler = SliceSampler(store, {"lesion": 0.5, "liver": 0.3, "neither": 0.2}, 0.0)
    drawn = Counter(store.kinds[sampler.draw(4000, np.random.default_rng(0))].tolist())
    assert drawn["lesion"] / 4000 == pytest.approx(0.5, abs=0.03)
    assert drawn["liver"] / 4000 == pytest.approx(0.3, abs=0.03)
    assert (drawn["near"] + drawn["neither"]) / 4000 == pytest.approx(0.2, abs=0.03)


def test_drawing_by_patient_keeps_a_large_patient_from_dominating():
    store = made_up_store(["lesion"] * 99 + ["lesion"], [0] * 99 + [1])
    for share, expected in ((0.0, 0.01), (1.0, 0.5)):
        drawn = SliceSampler(store, {"lesion": 1.0}, share).draw(2000, np.random.default_rng(0))
        assert np.mean(store.patient[drawn] == 1) == pytest.approx(expected, abs=0.04)


def test_patients_of_another_fold_are_never_drawn():
    store = made_up_store(["lesion", "liver"] * 10, [0, 0, 1, 1, 2] * 4)
    drawn = SliceSampler(store, {"lesion": 0.5, "liver": 0.5}, 0.5, {0, 2}).draw(500, np.random.default_rng(0))
    assert set(store.patient[drawn].tolist()) == {0, 2}


def test_slices_of_a_kind_are_found_among_those_that_may_be_drawn():
    store = made_up_store(["lesion"] * 3 + ["liver"] * 5 + ["lesion"], [0, 0, 1, 1, 1, 1, 1, 1, 2])
    found = [slices_of(store, {"lesion"}, patients).tolist() for patients in (None, {0}, {1, 2}, set())]
    assert found == [[0, 1, 2, 8], [0, 1], [2, 8], []]
    assert not len(slices_of(replace(store, chosen=store.slice > 0), {"lesion"}, None))


def test_kind_that_no_slice_has_is_left_out_and_nothing_at_all_is_an_error():
    store = made_up_store(["liver"] * 4, [0] * 4)
    assert len(SliceSampler(store, {"lesion": 0.9, "liver": 0.1}, 0.5).draw(10, np.random.default_rng(0))) == 10
    with pytest.raises(InputError, match="No slice to train on: none is of the kinds lesion. Give more"):
        SliceSampler(store, {"lesion": 1.0}, 0.5)
    with pytest.raises(InputError, match="No slice to train on"):
        EpochSampler(store, {"lesion"}, None, (1,))


def test_stored_slices_show_the_reference_where_it_is(stores):
    for name, store in stores.items():
        image = native_planes(store.images[:, None], store.inner, 32)[:, 0]
        target = native_planes(store.targets, store.inner, 32)
        liver = (target[:, 0] > 0.9) & (target[:, 1] < 0.1)
        # The liver of the phantoms has 110 HU; the recipe wants 100 in the lesion pass.
        shift = -10 if name == "lesion" else 0
        assert image[liver].mean() == pytest.approx((110 + shift) / 160, abs=0.03), name
        assert image[target[:, 1] > 0.9].mean() == pytest.approx((55 + shift) / 160, abs=0.05), name
    assert "neither" not in stores["lesion"].kinds
    assert set(stores["liver"].kinds) >= {"lesion", "liver"}


def test_box_of_the_lesion_pass_fills_with_liver(stores):
    share = {name: (store.targets[:, 0] > 127).mean() for name, store in stores.items()}
    assert share["lesion"] > 2 * share["liver"]


def test_batch_of_a_step_is_always_the_same_and_steps_differ(stores):
    maker = BatchMaker(stores["liver"], RECIPE, RECIPE.liver, "liver")
    again = BatchMaker(stores["liver"], RECIPE, RECIPE.liver, "liver")
    torch.testing.assert_close(maker.make(7).inputs, again.make(7).inputs, rtol=0, atol=0)
    assert not torch.equal(maker.make(7).inputs, maker.make(8).inputs)
    other = BatchMaker(stores["liver"], RECIPE, RECIPE.liver, "liver-fold-0")
    assert not torch.equal(maker.make(7).inputs, other.make(7).inputs)


def test_stage_1_sees_the_image_three_times_and_stage_2_empty_priors(stores):
    liver = BatchMaker(stores["liver"], RECIPE, RECIPE.liver, "liver").make(0).inputs
    assert torch.equal(liver[:, 0], liver[:, 1]) and torch.equal(liver[:, 0], liver[:, 2])
    lesion = BatchMaker(stores["lesion"], RECIPE, RECIPE.lesion_image, "lesion-image").make(0).inputs
    assert lesion[:, 0].max() > 0 and (lesion[:, 1:3] == 0).all()


def test_stage_2_sees_the_slices_below_and_above_or_the_slice_itself_for_them(stores):
    store = stores["lesion"]
    assert store.beside is not None
    middle = next(i for i, (low, high) in enumerate(store.beside) if low < i < high)
    stage = replace(RECIPE.lesion_image, paste=0.0, drawn=0.0, faded_vessels=0.0, noise=0.0, shift=0.0)
    plain = replace(RECIPE, intensity=0.0, rotation_degrees=0.0, scale=(1.0, 1.0), neighbours_absent=0.0)

    def sample(recipe, index):
        inputs, _ = BatchMaker(store, recipe, stage, "lesion-image")._sample(index, 0, np.random.default_rng(2))
        return inputs[0]

    own, low, high = (sample(plain, index)[0] for index in (middle, *store.beside[middle]))
    seen = sample(plain, middle)
    assert torch.equal(seen[0], own) and torch.equal(seen[3], low) and torch.equal(seen[4], high)
    assert not torch.equal(low, own)
    noisy = replace(stage, noise=0.1)
    alone = BatchMaker(store, replace(plain, neighbours_absent=1.0), noisy, "lesion-image").make(0).inputs
    assert torch.equal(alone[:, 3], alone[:, 0]) and torch.equal(alone[:, 4], alone[:, 0])


def test_lesions_that_nobody_labelled_are_unknown_in_the_liver_and_none_outside(stores):
    store = stores["lesion"]
    unknown = replace(store, lesions_known=np.zeros(len(store.case), bool))
    stage = replace(RECIPE.lesion_image, mixture={"liver": 1.0}, paste=0.0, drawn=0.0)
    known, targets = (BatchMaker(s, RECIPE, stage, "lesion-image").make(0).targets for s in (store, unknown))
    liver = known[:, 0] > 0
    assert liver.any() and (~liver).any()
    assert targets[:, 1][liver].isnan().all() and (targets[:, 1][~liver] == 0).all()
    assert torch.equal(targets[:, 0], known[:, 0])


def test_priors_are_absent_in_two_of_five_samples_and_at_most_half_without_corrections(stores):
    store = replace(stores["lesion"], priors=np.full((len(stores["lesion"].case), 2, 20, 20), 255, np.uint8))
    stage = replace(RECIPE.lesion, corrections=0.0)
    maker = BatchMaker(store, replace(RECIPE, batch=8), stage, "lesion")
    inputs = torch.cat([maker.make(step).inputs for step in range(40)])
    absent = (inputs[:, 1:3] == 0).flatten(1).all(dim=1)
    assert absent.float().mean() == pytest.approx(0.4, abs=0.09)
    assert inputs[:, 1:3].max() == pytest.approx(0.5, abs=1e-3)


def test_missing_priors_are_an_error_not_silently_empty(stores):
    with pytest.raises(ValueError, match="cross-fitted"):
        BatchMaker(stores["lesion"], RECIPE, RECIPE.lesion, "lesion").make(0)


def test_warp_without_change_is_the_native_view():
    planes = torch.rand(1, 1, 40, 40)
    matrix = torch.tensor([[0.8, 0, 0], [0, 0.8, 0]])
    torch.testing.assert_close(warp(planes, matrix, 32)[0, 0], planes[0, 0, 4:36, 4:36])


def test_random_geometry_keeps_shape_in_mm_and_mirrors_half():
    recipe = replace(RECIPE, rotation_degrees=15.0, scale=(0.8, 1.25))
    random = np.random.default_rng(0)
    drawn = [random_affine(0.8, recipe, recipe.liver, random) for _ in range(400)]
    matrices = torch.stack(drawn)[:, :, :2].double()
    determinant = torch.linalg.det(matrices)
    assert (determinant < 0).double().mean() == pytest.approx(0.5, abs=0.1)
    zoom = determinant.abs().sqrt()
    assert zoom.min() >= 0.8 / 1.25 - 1e-6 and zoom.max() <= 0.8 / 0.8 + 1e-6
    torch.testing.assert_close(
        matrices @ matrices.transpose(1, 2), torch.eye(2).double() * (zoom**2)[:, None, None], atol=1e-6, rtol=0
    )


def test_random_shifts_keep_the_pixel_size_and_reach_as_far_as_the_recipe_says():
    recipe = replace(RECIPE, rotation_degrees=0.0, scale=(1.0, 1.0))
    stage = replace(recipe.lesion, shift=0.1)
    random = np.random.default_rng(0)
    matrices = torch.stack([random_affine(0.8, recipe, stage, random) for _ in range(2000)])
    torch.testing.assert_close(matrices[:, 1, 1], torch.full((2000,), 0.8))
    low, high = matrices[:, :, 2].min(), matrices[:, :, 2].max()
    assert -0.16 - 1e-6 <= low <= -0.159 and 0.159 <= high <= 0.16 + 1e-6


def test_darkened_images_have_a_darker_liver_and_nothing_brighter():
    images, targets = torch.full((200, 1, 8, 8), 0.6), torch.zeros(200, 2, 8, 8)
    targets[:, 0, :4] = 1
    random = np.random.default_rng(0)
    for image, target in zip(images, targets, strict=True):
        darken(image[None], target[None], 0.5, random)
    liver, rest = images[:, 0, :4].amax((1, 2)), images[:, 0, 4:].amax((1, 2))
    dark = liver < 0.6
    assert dark.double().mean() == pytest.approx(0.5, abs=0.1)
    assert liver[dark].min() >= 0.6 * 0.25 - 1e-6 and liver[dark].max() <= 0.6 * 0.8 + 1e-6
    torch.testing.assert_close(rest[~dark], torch.full_like(rest[~dark], 0.6))
    alone = dark & (rest > liver)
    torch.testing.assert_close(rest[alone], torch.full_like(rest[alone], 0.6))
    torch.testing.assert_close(rest[dark & ~alone], liver[dark & ~alone])
    assert 60 / 200 > alone.double().mean() > 30 / 200


class Extreme:
    """Random numbers that are all as large as they may be, or as small; noise of no strength."""

    def __init__(self, sign):
        self.sign = sign

    def uniform(self, low, high):
        return high if self.sign > 0 or low == 0 else low

    def random(self):
        return 1.0

    def standard_normal(self, shape, dtype):
        return np.random.default_rng(0).standard_normal(shape, dtype)


@pytest.mark.parametrize("sign", [-1, 1])
def test_gain_and_gamma_vary_by_one_and_a_half_times_the_offset(sign):
    images = torch.linspace(0.2, 0.6, 64).reshape(1, 1, 8, 8)
    expected = (images ** np.exp(sign * 0.15) - 0.5) * (1 + sign * 0.15) + 0.5 + sign * 0.1
    assert torch.allclose(jitter_intensity(images.clone(), 0.1, 0.0, Extreme(sign)), expected, atol=1e-5)


def test_what_the_network_sees_is_stored_in_255ths():
    store = made_up_store(["lesion"], [0])
    store.images[:] = 51
    plain = replace(RECIPE, intensity=0.0, rotation_degrees=0.0, scale=(1.0, 1.0), batch=1)
    stage = replace(RECIPE.liver, shift=0.0, crop_view=0.0, dark=0.0, noise=0.0)
    inputs = BatchMaker(store, plain, stage, "liver").make(0).inputs
    assert torch.allclose(inputs, torch.tensor(0.2), atol=1e-5)


def test_intensities_stay_in_range_and_change():
    images = torch.rand(4, 1, 16, 16)
    changed = jitter_intensity(images.clone(), 0.15, 0.1, np.random.default_rng(0))
    assert changed.min() >= 0 and changed.max() <= 1 and not torch.allclose(changed, images)
    assert torch.equal(jitter_intensity(images, 0.0, 0.0, np.random.default_rng(0)), images)


def test_noise_is_mostly_weak_never_stronger_than_asked_for_and_of_any_grain():
    images = torch.full((300, 1, 64, 64), 0.5)
    random = np.random.default_rng(0)
    noise = torch.cat([jitter_intensity(image[None], 0.0, 0.1, random) for image in images]) - 0.5
    strength = noise.std(dim=(1, 2, 3), correction=0)
    assert 0.09 < strength.max() <= 0.1 + 1e-6 and strength.median() < 0.04
    beside = (noise[..., 1:] * noise[..., :-1]).mean(dim=(1, 2, 3)) / strength**2
    assert beside.min() < 0.1 and beside.max() > 0.4


def test_faded_vessels_are_at_least_as_dark_as_the_liver_and_nothing_else_changes():
    images, targets = torch.full((200, 1, 48, 48), 0.6), torch.zeros(200, 2, 48, 48)
    targets[:, 0, :, :40] = 1  # the rest is no liver, and bright
    targets[:, 1, 30:42, 4:16] = 1  # a lesion with a bright part
    images[:, :, :, 40:] = 0.9
    images[:, :, 32:40, 6:14] = 0.9
    images[:, :, 8:16, 4:30] = 0.9  # a vessel
    before, random = images.clone(), np.random.default_rng(0)
    for image, target in zip(images, targets, strict=True):
        fade_vessels(image[None], target[None], 0.5, random)
    changed = (images != before).flatten(1).any(dim=1)
    assert changed.double().mean() == pytest.approx(0.5, abs=0.1)
    vessel = images[changed][:, 0, 12, 10:20]
    assert vessel.max() <= 0.6 + 0.06 + 1e-3 and vessel.min() >= 0.6 - 0.3 and vessel.min() < 0.5
    assert torch.equal(images[:, :, 30:42, 4:16], before[:, :, 30:42, 4:16])
    assert torch.equal(images[:, :, :, 40:], before[:, :, :, 40:])


def test_vessels_fade_only_where_there_is_healthy_liver():
    images, targets = torch.rand(4, 1, 16, 16), torch.zeros(4, 2, 16, 16)
    targets[2:] = 1  # all lesion
    before = images.clone()
    fade_vessels(images, targets, 1.0, np.random.default_rng(0))
    assert torch.equal(images, before)


def test_one_to_three_sides_of_the_field_of_view_are_blanked_none_by_more_than_a_third():
    blanked = Counter()
    for seed in range(60):
        images, targets = torch.ones(1, 1, 40, 40), torch.ones(1, 2, 40, 40)
        crop_field_of_view(images, targets, 1.0, np.random.default_rng(seed))
        shown = images[0, 0] > 0
        rows, columns = shown.any(dim=1), shown.any(dim=0)
        edges = (rows[0], rows[-1], columns[0], columns[-1])
        blanked[sum(not edge for edge in edges)] += 1
        assert rows.sum() >= 40 * (1 - 2 * 0.35) and columns.sum() >= 40 * (1 - 2 * 0.35)
    assert set(blanked) == {1, 2, 3}


def test_blanked_field_of_view_takes_image_and_target_together():
    images, targets = torch.ones(20, 1, 32, 32), torch.ones(20, 2, 32, 32)
    crop_field_of_view(images, targets, 1.0, np.random.default_rng(0))
    assert torch.equal(images.expand(-1, 2, -1, -1), targets)
    left = images.mean(dim=(1, 2, 3))
    assert (left < 1).all() and (left > 0.1).all()


def test_a_field_of_view_ends_in_what_is_drawn_and_in_what_it_should_become(stores):
    stages = (replace(RECIPE.lesion_image, crop_view=share) for share in (0.0, 1.0))
    whole, cropped = (BatchMaker(stores["lesion"], RECIPE, stage, "job") for stage in stages)
    changed = 0
    for step in range(4):
        before, after = whole.make(step).targets, cropped.make(step).targets
        differ = before != after
        assert not after[differ].any()
        changed += int(differ.any())
    assert changed > 1


@pytest.fixture
def lesion_sample():
    liver = ellipsoid((1, 64, 64), (0, 32, 32), (1, 24, 24))[0]
    lesion = ellipsoid((1, 64, 64), (0, 30, 36), (1, 8, 8))[0]
    image = np.where(lesion, 0.3, np.where(liver, 0.7, 0.1)).astype(np.float32)
    target = np.stack([liver, lesion]).astype(np.float32)
    return image, target, target.copy(), lesion


@pytest.mark.parametrize("seed", range(6))
def test_marked_lesion_loses_its_estimate_and_gets_a_disk_of_half_its_radius(lesion_sample, seed):
    image, target, estimate, lesion = lesion_sample
    marks = corrections.mark_missed_lesion(image[None], target, estimate, np.random.default_rng(seed))
    painted = marks == PAINTED
    assert set(np.unique(marks)) == {0.0, PAINTED}
    assert painted.sum() == pytest.approx(np.pi * 4**2, rel=0.3)
    assert lesion[painted].all()
    assert estimate[corrections.LESION].max() <= 0.2


def test_half_of_the_marked_lesions_fade_into_the_liver(lesion_sample):
    image, target, estimate, lesion = lesion_sample
    contrast = []
    for seed in range(60):
        shown = image.copy()
        corrections.mark_missed_lesion(shown[None], target, estimate.copy(), np.random.default_rng(seed))
        contrast.append(0.7 - shown[lesion].mean())
    faded = np.array(contrast) < 0.35
    assert 0.3 < faded.mean() < 0.7


@pytest.mark.parametrize("seed", range(6))
def test_false_lesion_is_invented_in_healthy_liver_and_erased(lesion_sample, seed):
    _, target, estimate, lesion = lesion_sample
    marks = corrections.erase_false_lesion(target, estimate, np.random.default_rng(seed))
    invented = (estimate[corrections.LESION] > 0) & ~lesion
    assert invented.any()
    assert set(np.unique(marks)) == {0.0, ERASED}
    assert not lesion[marks == ERASED].any()


@pytest.mark.parametrize("seed", range(6))
def test_leak_is_cut_on_one_side_only(lesion_sample, seed):
    _, target, estimate, lesion = lesion_sample
    marks = corrections.cut_boundary(target, estimate, np.random.default_rng(seed))
    leak = (estimate[corrections.LESION] > 0) & ~lesion
    erased = marks == ERASED
    assert (erased & leak).sum() == erased.sum()
    assert 0.2 < erased.sum() / leak.sum() < 0.8


def test_encoded_correction_speaks_louder_than_the_estimate(lesion_sample):
    image, target, estimate, _ = lesion_sample
    for seed in range(20):
        encoded = corrections.correct(image[None].copy(), target, estimate.copy(), np.random.default_rng(seed))
        values = np.unique(encoded)
        assert ((values <= 0.5) | (values == PAINTED)).all() and ((values >= 0) | (values == ERASED)).all()


def test_slice_without_lesion_still_gets_an_estimate():
    target = np.zeros((2, 32, 32), np.float32)
    encoded = corrections.correct(
        np.zeros((1, 32, 32), np.float32), target, np.full((2, 32, 32), 0.8), np.random.default_rng(0)
    )
    np.testing.assert_allclose(encoded, 0.4)
