"""Trainings as detached processes: started, steered, found again, and their ends told apart."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from fakes.training_fakes import FAKE_TRAINER
from hypothesis import given
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.errors import InputError, OutputError
from LiverLesionCascadeLib.engine.files import write_atomically
from LiverLesionCascadeTrainingLib.runs.log_curves import DRAWN_VALUES, Curves, LogReader
from LiverLesionCascadeTrainingLib.runs.run_folder import RunFolder, RunStatus
from LiverLesionCascadeTrainingLib.runs.training_process import (
    SILENT_S,
    TrainingRequest,
    TrainingRun,
    cascade_command,
    process_alive,
)


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Starts the fake trainer with options; whatever still runs at the end is killed."""
    runs = []

    def start(options="steps=15 pause=0.01", folder=tmp_path / "Läufe mit Abstand", **request):
        monkeypatch.setenv("FAKE_TRAINER", options)
        run = TrainingRun(folder, FAKE_TRAINER)
        run.start(TrainingRequest("train folder", "val", str(folder), **request))
        runs.append(run)
        return run

    yield start
    for run in runs:
        run._process.kill()
        run._process.wait()


def wait(condition, what="it", seconds=60):
    """Generous: what it waits for takes milliseconds on a free machine."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.01)


def wait_for(run, *states):
    wait(lambda: run.look().state in states, f"one of {states}, it is {run.look()}:")


def test_a_training_runs_to_its_bundle(started):
    run = started(device="cuda:1")
    assert run.active
    wait_for(run, "finished")
    assert not run.active
    assert run.folder.jobs() == ["liver", "lesion"]
    curves = run.folder.curves("lesion")
    assert curves.steps.tolist() == list(range(1, 16))
    assert curves.validation_steps.tolist() == [5, 10, 15]
    assert curves.losses[-1] < curves.losses[0] and curves.lesion_dice[-1] > curves.lesion_dice[0]
    preview = run.folder.preview("liver")
    assert preview.images.shape == preview.predicted.shape == (3, 96, 96)
    assert preview.names == ("case 1", "case 2", "case 3")
    assert run.folder.bundle == run.folder.path / "bundle"
    assert run.look().device == "cuda:1" and run.look().gpu_memory_mb == 1234


def test_pause_resume_and_stop_are_obeyed(started):
    run = started("steps=100000 pause=0.005")
    wait_for(run, "training")
    run.send("pause")
    wait_for(run, "paused")
    at = run.look().step
    time.sleep(0.1)
    assert run.look().step == at
    run.send("resume")
    wait(lambda: run.look().step > at, "going on")
    run.send("stop")
    wait_for(run, "stopped")
    wait(lambda: run._process.poll() is not None, "the end")
    assert run.folder.bundle is None


def test_a_stopped_training_is_started_again_and_goes_on_to_the_end(started):
    run = started("steps=100000 pause=0.005")
    wait_for(run, "training")
    run.send("stop")
    wait(lambda: run._process.poll() is not None, "the end")
    again = started()  # the stop command of before must not stop it
    wait_for(again, "finished")


def test_a_second_training_in_the_folder_is_refused(started):
    started("steps=100000 pause=0.005")
    with pytest.raises(InputError, match="at work"):
        started()


def test_another_process_finds_the_training_and_steers_it(started):
    run = started("steps=100000 pause=0.005")
    wait_for(run, "training")
    elsewhere = TrainingRun(run.folder.path)
    assert elsewhere.active and elsewhere.folder.request()["train"] == "train folder"
    elsewhere.send("stop")
    wait_for(run, "stopped")


STARTER = """
import sys, time
from pathlib import Path
from LiverLesionCascadeTrainingLib.runs.training_process import TrainingRequest, TrainingRun
run = TrainingRun(Path(sys.argv[1]), sys.argv[2:])
run.start(TrainingRequest("t", "v", sys.argv[1]))
time.sleep(600)
"""


def test_a_training_outlives_the_process_and_the_terminal_that_started_it(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_TRAINER", "steps=100000 pause=0.005")
    roots = [
        str(Path(__file__).resolve().parents[3] / name) for name in ("LiverLesionCascade", "LiverLesionCascadeTraining")
    ]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(roots))
    starter = subprocess.Popen([sys.executable, "-c", STARTER, str(tmp_path), *FAKE_TRAINER], start_new_session=True)
    run = TrainingRun(tmp_path)
    wait_for(run, "training")
    os.killpg(starter.pid, signal.SIGKILL)
    starter.wait()
    at = run.look().step
    wait(lambda: run.look().step > at, "going on")
    run.send("stop")
    wait_for(run, "stopped")
    pid = run.look().pid
    wait(lambda: not process_alive(pid), "the end")


def test_a_trainer_that_was_killed_is_lost_with_its_last_words(started):
    run = started("steps=100 pause=0.005 die=7")
    wait_for(run, "lost")
    assert run.look().message == "The disk is full: free some space"
    assert "fake trainer" in run.folder.tail()
    assert not run.active


def test_a_killed_trainer_is_seen_as_lost_by_another_process(started):
    run = started("steps=100000 pause=0.005")
    wait_for(run, "training")
    run._process.kill()
    run._process.wait()
    assert TrainingRun(run.folder.path).look().state == "lost"


def test_a_program_that_cannot_even_start_is_lost_with_its_reason(tmp_path):
    run = TrainingRun(tmp_path, [sys.executable, "-c", "print('error: No module named torch'); raise SystemExit(1)"])
    run.start(TrainingRequest("t", "v", str(tmp_path)))
    wait_for(run, "lost")
    assert run.look().message == "No module named torch"


def test_a_program_that_is_not_there_gives_one_clear_line(tmp_path):
    with pytest.raises(OutputError, match="could not be started"):
        TrainingRun(tmp_path, [str(tmp_path / "nothing")]).start(TrainingRequest("t", "v", str(tmp_path)))


def test_a_run_folder_that_is_a_file_gives_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="write to"):
        TrainingRun(tmp_path / "file", FAKE_TRAINER).start(TrainingRequest("t", "v", "r"))


def test_a_failed_training_keeps_the_trainer_s_own_message(started):
    run = started("steps=100 pause=0.001 fail=3")
    wait_for(run, "failed")
    assert "nan" in run.look().message


@pytest.mark.parametrize(
    ("pid", "silence", "state"),
    [
        (os.getpid(), 10.0, "training"),
        (os.getpid(), SILENT_S + 10, "lost"),  # the number is another program's by now
        (2**22 + 1, 10.0, "lost"),
        (0, 10.0, "training"),  # another Slicer started it a moment ago
        (0, 600.0, "lost"),
    ],
    ids=["at work", "silent", "gone", "just started", "never came"],
)
def test_who_is_at_work_is_told_by_process_and_silence(tmp_path, pid, silence, state):
    RunFolder(tmp_path).write_status(RunStatus(pid=pid, updated=time.time() - silence, state="training"))
    assert TrainingRun(tmp_path).look().state == state


def test_an_empty_folder_holds_no_training(tmp_path):
    run = TrainingRun(tmp_path / "new")
    assert run.look().state == "none" and run.folder.jobs() == [] and run.folder.preview("liver") is None
    assert run.folder.tail() == "" and run.folder.bundle is None and len(run.folder.curves("liver").steps) == 0


@given(st.binary(max_size=300))
def test_damaged_files_are_read_as_absent_ones(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("run")
    (folder / "liver").mkdir()
    for name in ("status.json", "request.json", "liver/preview.npz", "output.log"):
        (folder / name).write_bytes(content)
    run = RunFolder(folder)
    assert run.preview("liver") is None and run.request() == {}
    assert TrainingRun(folder).look().state == "none"
    run.tail()


def test_a_line_that_is_being_written_is_left_out(tmp_path):
    (tmp_path / "liver").mkdir()
    head = "step,learning_rate,loss,images_per_second,validation_liver_dice,validation_lesion_dice\n"
    (tmp_path / "liver" / "log.csv").write_text(head + "5,0.1,0.9,20,0.5,\n10,0.1,")
    curves = RunFolder(tmp_path).curves("liver")
    assert curves.steps.tolist() == [5] and curves.liver_dice.tolist() == [0.5] and np.isnan(curves.lesion_dice).all()


def test_unknown_and_missing_keys_of_a_status_do_no_harm():
    status = RunStatus.from_dict({"state": "training", "gpu_memory_mb": None, "colour": "blue"})
    assert status == RunStatus(state="training")


@pytest.mark.parametrize("wrong", [{"pid": 60.0}, {"step": True}, {"steps": -1}, {"pid": 1 << 40}, {"job": 3}])
def test_a_status_of_other_kinds_of_values_is_none(wrong, tmp_path):
    (tmp_path / "status.json").write_text(json.dumps({"state": "training", **wrong}))
    assert RunFolder(tmp_path).status() is None


def test_a_request_becomes_the_command_line_of_train(tmp_path):
    request = TrainingRequest("/data/a b", "", "/runs/ü", start="/bundle", device="cuda:1")
    assert request.arguments() == [
        *(
            "train",
            "/data/a b",
            "--output",
            "/runs/ü",
            "--recipe",
            "compact",
            "--device",
            "cuda:1",
            "--start-from",
            "/bundle",
        )
    ]
    assert TrainingRequest.from_dict(json.loads(json.dumps(request.__dict__))) == request
    assert TrainingRequest.from_dict({"colour": "blue"}) is None


def test_the_command_runs_without_installed_packages(tmp_path):
    done = subprocess.run(
        cascade_command("train", str(tmp_path / "missing"), "--validation", "x", "--output", str(tmp_path / "run")),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 3 and str(tmp_path / "missing") in done.stderr


def test_a_log_is_read_once_however_often_it_grows_and_anew_where_it_was_replaced(tmp_path):
    path = tmp_path / "log.csv"
    reader = LogReader(path)
    assert not reader.grew and len(reader.read().steps) == 0
    path.write_text("step,loss,validation_liver_dice,validation_lesion_dice\n5,0.9,,\n10,0.8,0.5,\n15,0.")
    assert reader.grew
    first = reader.read()
    assert first.steps.tolist() == [5, 10] and first.validation_steps.tolist() == [10] and not reader.grew
    taken = []
    reader._take, take = lambda row: (taken.append(row), take(row)), reader._take
    with path.open("a") as file:
        file.write("7,,\n20,0.6,0.7,0.3\n")
    second = reader.read()
    assert [row["step"] for row in taken] == ["15", "20"]
    assert second.steps.tolist() == [5, 10, 15, 20] and second.lesion_dice.tolist()[1:] == [0.3]
    write_atomically(path, b"step,loss,validation_liver_dice,validation_lesion_dice\n5,0.9,,\n")
    assert reader.grew and reader.read().steps.tolist() == [5]


def test_a_long_curve_is_drawn_by_means_that_cover_all_of_it():
    steps = np.arange(1, 10_002, dtype=float)
    drawn = Curves(steps, 2 * steps, np.array([5.0]), np.array([0.5]), np.array([0.1])).drawn()
    assert len(drawn.steps) <= DRAWN_VALUES and drawn.validation_steps.tolist() == [5]
    np.testing.assert_allclose(drawn.losses, 2 * drawn.steps)
    assert drawn.steps[0] < 20 and drawn.steps[-1] > 9_980
    short = Curves(steps[:300], steps[:300])
    assert short.drawn() is short
