"""Work in steps: it ends once, with its result or its problem, and never after it was dropped."""

import pytest
import slicer_harness
from fakes.panel_fakes import Loop
from LiverLesionCascadeLib.engine.errors import InputError

slicer_harness.install()

from LiverLesionCascadeLib.gui.runs import stepwise  # noqa: E402
from LiverLesionCascadeLib.gui.runs.stepwise import Stepwise  # noqa: E402


@pytest.fixture
def loop(monkeypatch):
    monkeypatch.setattr(stepwise, "SECONDS", 0)  # one step at a time
    return Loop()


@pytest.fixture
def ends():
    return []


def begin(work, ends, steps):
    work.begin(steps, lambda result: ends.append(("done", result)), lambda problem: ends.append(("failed", problem)))


def counting(taken, error=None):
    for step in range(3):
        taken.append(step)
        yield
    if error is not None:
        raise error
    return "result"


def test_nothing_is_done_at_once_and_then_a_step_at_each_turn_of_the_loop(loop, ends):
    taken, work = [], Stepwise(loop.callLater)
    begin(work, ends, counting(taken))
    assert work.isBusy and not taken
    loop.turn()
    assert taken == [0] and not ends
    for _ in range(3):
        loop.turn()
    assert ends == [("done", "result")]
    assert not work.isBusy and not loop.calls


def test_short_steps_are_taken_together(loop, ends, monkeypatch):
    monkeypatch.setattr(stepwise, "SECONDS", 60)
    begin(Stepwise(loop.callLater), ends, counting([]))
    loop.turn()
    assert ends == [("done", "result")] and not loop.calls


def test_a_problem_is_told_in_words(loop, ends):
    work = Stepwise(loop.callLater)
    begin(work, ends, counting([], InputError("too dark")))
    while loop.calls:
        loop.turn()
    assert ends == [("failed", "too dark")] and not work.isBusy


def test_an_error_that_nobody_foresaw_is_raised_and_other_work_can_begin(loop, ends):
    work = Stepwise(loop.callLater)
    begin(work, ends, counting([], ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        while loop.calls:
            loop.turn()
    assert not ends and not work.isBusy


@pytest.mark.parametrize("drop", ["stopped", "replaced", "unwanted"])
def test_work_that_is_dropped_takes_no_further_step(loop, ends, drop):
    wanted, taken = [True], []
    work = Stepwise(loop.callLater, lambda: wanted[0])
    begin(work, ends, counting(taken))
    loop.turn()
    if drop == "stopped":
        work.stop()
    elif drop == "replaced":
        begin(work, ends, iter(()))
    else:
        wanted[0] = False
    while loop.calls:
        loop.turn()
    assert taken == [0]
    assert ends == ([("done", None)] if drop == "replaced" else []) and not work.isBusy


def test_what_ends_may_begin_the_next(loop, ends):
    work = Stepwise(loop.callLater)
    work.begin(counting([]), lambda _result: begin(work, ends, counting([])), ends.append)
    while loop.calls:
        loop.turn()
    assert ends == [("done", "result")]
