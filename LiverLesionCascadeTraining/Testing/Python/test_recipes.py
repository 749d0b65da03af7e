"""Recipes and schedules are what the paper and the documentation say."""

from dataclasses import replace

import pytest
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
from LiverLesionCascadeTrainingLib.recipes import COMPACT, PAPER, RECIPES, Phase, StageRecipe
from LiverLesionCascadeTrainingLib.training.losses import learning_rate


def test_paper_recipe_is_that_of_the_paper():
    stage = PAPER.liver
    steps_an_epoch = 8802 / 10
    assert (PAPER.model.width, PAPER.model.window_hu, PAPER.batch, PAPER.momentum) == (1.0, (-160.0, 240.0), 10, 0.9)
    assert stage.steps == pytest.approx(100 * steps_an_epoch, abs=1)
    assert stage.mixture == {"lesion": 0.5, "neither": 0.5}
    assert PAPER.dice_loss == 0 and not PAPER.nesterov
    assert PAPER.slices == 8802 and stage.epochs

    def rate(epoch):
        step = round(epoch * steps_an_epoch)
        return learning_rate(step, stage.steps, stage.learning_rate, stage.warmup, stage.schedule)

    assert rate(0) == rate(59.9) == 0.0016
    assert rate(60.01) == pytest.approx(0.0008, rel=0.01)
    assert rate(80) == pytest.approx(0.0004, rel=0.01)
    assert rate(99.99) == pytest.approx(0, abs=1e-5)


def test_a_recipe_s_model_is_of_the_size_of_the_images_that_it_is_trained_on():
    for recipe in RECIPES.values():
        assert (recipe.model.liver_pass.size, recipe.model.lesion_pass.size) == (recipe.liver.size, recipe.lesion.size)
    with pytest.raises(ValueError, match="504"):
        replace(COMPACT, liver=PAPER.liver)


def test_the_compact_recipe_makes_a_model_as_the_shipped_one_that_sees_neighbours_too():
    shipped = ModelBundle.shipped().settings
    seen = replace(shipped.lesion_pass, neighbour_mm=COMPACT.model.lesion_pass.neighbour_mm)
    assert replace(shipped, lesion_pass=seen) == COMPACT.model


def test_cosine_schedule_warms_up_and_ends_at_nothing():
    rates = [learning_rate(step, 100, 0.05, 10, "cosine") for step in range(100)]
    assert rates[0] == pytest.approx(0.005) and rates[9] == rates[10] == 0.05
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 1e-4


def test_unknown_schedule_is_refused():
    with pytest.raises(ValueError, match="step-wise"):
        learning_rate(5, 10, 0.1, 0, "step-wise")


def test_phases_change_the_image_size_and_the_last_one_is_the_native_size():
    stage = StageRecipe((Phase(3, 192), Phase(2, 256)), "cosine", 0.1, 0, {"liver": 1.0})
    assert [stage.phase_at(step).size for step in range(6)] == [192, 192, 192, 256, 256, 256]
    assert (stage.steps, stage.size) == (5, 256)


def test_jobs_are_named_and_ordered_so_that_each_finds_what_it_builds_on():
    assert COMPACT.jobs == ("liver-fold-0", "liver-fold-1", "liver", "lesion-image", "lesion")
    assert COMPACT.stage("liver-fold-1") is COMPACT.liver_fold
    with pytest.raises(KeyError):
        COMPACT.stage("spleen")


def test_priors_come_late_and_are_absent_in_two_of_five_samples():
    assert COMPACT.lesion_image.prior_absent == 1.0
    assert COMPACT.lesion.prior_absent == pytest.approx(0.4)
    assert COMPACT.lesion.corrections > 0
