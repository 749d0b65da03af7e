"""Slices that the network was wrong about are shown more often, the same ones however a training is interrupted."""

import numpy as np
import pytest
import torch
from fixtures.made_up_store import made_up_store
from LiverLesionCascadeTrainingLib.slices.hard_slices import HardSlices, false_and_sure
from LiverLesionCascadeTrainingLib.slices.sampling import SliceSampler


def test_what_is_seen_where_nothing_is_counts_the_more_the_surer_and_what_is_missed_does_not():
    targets = torch.zeros(4, 2, 8, 8)
    targets[1, 1, :4] = 1  # missed altogether
    targets[3, 1] = torch.nan  # nobody knows
    logits = torch.full((4, 2, 8, 8), -20.0)
    logits[0, 1, :4] = 0.0  # unsure
    logits[2, 1, :4] = 20.0  # sure
    logits[3, 1] = 20.0
    torch.testing.assert_close(false_and_sure(logits, targets), torch.tensor([0.125, 0.0, 0.5, 0.0]))


def test_slices_are_drawn_by_how_wrong_the_network_was_once_that_has_settled():
    hard, random = HardSlices(5), np.random.default_rng(0)
    slices = np.array([1, 2, 4])
    assert {hard.draw(slices, random) for _ in range(60)} == {1, 2, 4}
    hard.note(np.array([0, 1, 4]), np.array([0.9, 0.1, 0.3]))
    assert {hard.draw(slices, random) for _ in range(60)} == {1, 2, 4}
    hard.settle()
    drawn = np.array([hard.draw(slices, random) for _ in range(400)])
    assert set(drawn) == {1, 4}
    assert (drawn == 4).mean() == pytest.approx(0.75, abs=0.08)


def test_a_second_look_changes_what_is_known_but_does_not_replace_it():
    hard = HardSlices(1)
    hard.note(np.array([0]), np.array([0.6]))
    hard.note(np.array([0]), np.array([0.0]))
    assert 0.3 < float(hard.state()["errors"][0]) < 0.54


def test_the_state_of_hard_slices_is_all_that_their_draws_depend_on():
    hard, again = HardSlices(4), HardSlices(4)
    hard.note(np.arange(4), np.arange(4) / 4)
    hard.settle()
    hard.note(np.arange(4), np.ones(4))
    again.load({key: value.clone() for key, value in hard.state().items()})
    slices = np.arange(4)
    for _ in range(2):
        first, second = ([h.draw(slices, np.random.default_rng(i)) for i in range(20)] for h in (hard, again))
        assert first == second
        hard.settle(), again.settle()


def test_a_sampler_draws_hard_slices_in_the_share_that_it_is_given():
    store = made_up_store(["liver"] * 10, [0] * 10)
    sampler = SliceSampler(store, {"liver": 1.0}, 0.5, hard=0.4)
    sampler.hard_slices.note(np.array([3]), np.array([1.0]))
    sampler.hard_slices.settle()
    drawn = sampler.draw(2000, np.random.default_rng(1))
    assert (drawn == 3).mean() == pytest.approx(0.4 + 0.6 / 10, abs=0.04)
