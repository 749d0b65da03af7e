"""What networks learn from and are judged by: no patient on both sides, the whole liver, every setting of a recipe."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from fixtures.found_lesions import fold as make_fold
from fixtures.lits_phantoms import write_lits_folders
from fixtures.tiny_recipe import tiny_recipe
from LiverLesionCascadeTrainingLib.datasets.cases import find_splits
from LiverLesionCascadeTrainingLib.slices.batches import BatchMaker
from LiverLesionCascadeTrainingLib.slices.slice_store import SliceStore
from LiverLesionCascadeTrainingLib.studies.lesion_filter_fit import fit_filter, fit_filters
from LiverLesionCascadeTrainingLib.training import cascade_training
from LiverLesionCascadeTrainingLib.training.cascade_training import CascadeTraining
from LiverLesionCascadeTrainingLib.training.trainer import Trainer

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    train, validation = write_lits_folders(folder / "data")
    made = CascadeTraining(folder / "run", tiny_recipe(), find_splits([train], [validation]), CPU, lambda line: None)
    made.prepare()
    return made


class Watched:
    """Stands for a trainer: draws the slices of many steps instead of learning from them, and validates once."""

    last: "Watched"

    def __init__(self, network, batches, folder, device, validate, *rest) -> None:
        folder.mkdir(exist_ok=True)
        self.drawn = np.unique(np.concatenate([batches.drawn(step) for step in range(200)]))
        self.dice = validate(network.eval(), 32)
        Watched.last = self

    def run(self, *intervals) -> None:
        pass


@pytest.fixture
def watched(monkeypatch):
    monkeypatch.setattr(cascade_training, "Trainer", Watched)
    stores: list[SliceStore] = []
    measure = cascade_training.slice_dice
    monkeypatch.setattr(
        cascade_training,
        "slice_dice",
        lambda network, store, *rest: stores.append(store) or measure(network, store, *rest),
    )
    return stores


def test_a_fold_network_never_sees_the_patients_of_its_fold_and_all_others(training, watched):
    store = training.store("train", "liver")
    for fold, job in enumerate(training.recipe.fold_jobs):
        training.run(job)
        seen = {store.patients[p] for p in store.patient[Watched.last.drawn]}
        others = {name for name, number in training.fold_of_patient.items() if number != fold}
        assert seen == others and len(others) < len(training.fold_of_patient)


@pytest.mark.parametrize("job", ["liver", "lesion-image"])
def test_validation_is_on_the_validation_patients_alone(training, watched, job):
    training.run(job)
    (store,) = watched
    assert set(store.patients) == {case.patient for case in training.cases["validation"]}
    assert not set(store.patients) & {case.patient for case in training.cases["train"]}


def test_the_lesions_of_a_fold_have_no_part_in_the_filter_that_judges_them():
    random = np.random.default_rng(0)

    def found(fold, slope):
        means = random.uniform(0.3, 0.9, 40)
        correct = random.random(40) < 1 / (1 + np.exp(-slope * (means - 0.6)))
        lesions = list(zip(means.tolist(), correct.tolist(), strict=True))
        return make_fold({f"{fold}-{n}": lesions[n::4] for n in range(4)})

    folds = [found(0, 20.0), found(1, -20.0), found(2, 2.0)]
    filters = fit_filters(folds)
    for own, fitted in enumerate(filters):
        assert fitted == fit_filter([each for number, each in enumerate(folds) if number != own])
        assert fitted != fit_filter(folds)


@pytest.mark.parametrize("pass_name", ["liver", "lesion"])
def test_the_livers_target_is_the_whole_organ_lesions_included(training, pass_name):
    store = training.store("train", pass_name)
    liver, lesion = np.asarray(store.targets[:, 0], int), np.asarray(store.targets[:, 1], int)
    assert lesion.any() and (liver >= lesion).all()


def a_trainer(training, folder, **changes) -> Trainer:
    recipe = replace(training.recipe, **{key: value for key, value in changes.items() if key == "gradient_clip"})
    stage = replace(recipe.liver, **{key: value for key, value in changes.items() if key != "gradient_clip"})
    maker = BatchMaker(training.store("train", "liver"), recipe, stage, "liver")
    return Trainer(training.network("liver"), maker, folder, CPU, None, lambda line: None)


def moved(trainer: Trainer) -> float:
    before = [value.detach().clone() for value in trainer.network.parameters()]
    trainer.train_step(trainer.make_parts(trainer.step))
    change = [a.detach() - b for a, b in zip(trainer.network.parameters(), before, strict=True)]
    return float(torch.cat([each.flatten() for each in change]).norm())


def test_a_step_goes_no_farther_than_the_clipped_gradient_allows(training, tmp_path):
    free, clipped = (a_trainer(training, tmp_path / str(clip), gradient_clip=clip, warmup=0) for clip in (None, 1e-3))
    # What is left is weight decay, of the size of the weights.
    weights = torch.cat([value.detach().flatten() for value in clipped.network.parameters()]).norm()
    limit = clipped._stage.learning_rate * 1.9 * (1e-3 + clipped._recipe.weight_decay * float(weights))
    assert moved(clipped) <= 1.01 * limit < 0.5 * moved(free)


def test_the_first_steps_are_warm_up(training, tmp_path):
    slow, fast = (a_trainer(training, tmp_path / str(warmup), warmup=warmup) for warmup in (100, 0))
    assert moved(slow) < 0.05 * moved(fast)


def test_pasted_lesions_are_as_large_as_scanned_or_up_to_half_as_wide(training, monkeypatch):
    store, recipe = training.store("train", "lesion"), training.recipe
    plain = replace(recipe, scale=(1.0, 1.0), rotation_degrees=0.0, neighbours_absent=1.0)
    stage = replace(recipe.lesion_image, paste=1.0, drawn=0.0, shift=0.0)
    maker = BatchMaker(store, plain, stage, "lesion-image")
    zooms = []
    warped = maker._warped
    monkeypatch.setattr(
        maker,
        "_warped",
        lambda index, matrices, size: zooms.append(float(matrices[1, 1])) or warped(index, matrices, size),
    )
    for step in range(60):
        maker.make(step)
    # Every second call is for the donor of the one before.
    smaller = np.asarray(zooms[1::2]) / np.asarray(zooms[::2])
    assert len(smaller) == 120 and 1.0 <= smaller.min() < 1.2 and 1.8 < smaller.max() <= 2.0
