"""The client of the worker, with a process that does what the test says: every way that a run can go and end."""

from pathlib import Path

import numpy as np
import pytest
from fakes.worker_loop import EventLoop
from hypothesis import given, settings
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.grid.boxed import EMPTY
from LiverLesionCascadeLib.engine.grid.geometry import ImageGeometry
from LiverLesionCascadeLib.engine.results.result import SegmentationResult
from LiverLesionCascadeLib.engine.run_options import RunOptions
from LiverLesionCascadeLib.worker.client import WorkerClient
from LiverLesionCascadeLib.worker.devices import DeviceInfo
from LiverLesionCascadeLib.worker.exchange_folder import RESULT, read_volume
from LiverLesionCascadeLib.worker.protocol import (
    VERSION,
    Hello,
    LineReader,
    RunFailed,
    RunFinished,
    RunProgress,
    decode,
    encode,
)
from LiverLesionCascadeLib.worker.submitted_run import RunHandlers, VolumeData

CPU = DeviceInfo("cpu", "CPU", True)
HELLO = Hello(VERSION, "", (CPU,), "")
KILLED = 9


class FakeProcess:
    """A worker of which the test plays both sides of the operating system."""

    def __init__(self, loop, events):
        self._loop, self.events = loop, events
        self.requests, self.pid, self.alive, self.killed = [], 0, False, False
        self._reader = LineReader()

    def start(self):
        self.pid, self.alive = 4711, True

    def write(self, data):
        self.requests += [decode(line) for line in self._reader.lines(data)]

    def kill(self):
        self.killed = True
        self.end(KILLED, crashed=True)

    def wait(self, seconds):
        pass

    def say(self, *messages):
        data = b"".join(map(encode, messages))
        self._loop.post(lambda: self.events.on_output(data))

    def end(self, code, crashed=False):
        if self.alive:
            self.alive = False
            self._loop.post(lambda: self.events.on_ended(code, crashed))

    def fail_to_start(self, reason):
        self.alive = False
        self._loop.post(lambda: self.events.on_failed_to_start(reason))

    def finish(self):
        """Answers the last request with a result that names its volume."""
        folder = Path(self.requests[-1].folder)
        volume, _options = read_volume(folder)
        SegmentationResult(
            grid=ImageGeometry(volume.array.shape, volume.ijk_to_lps),
            name=volume.name,
            liver=EMPTY,
            lesions=EMPTY,
            liver_volume_ml=0.0,
            table=[],
            bundle_name="b",
            bundle_version="1",
            preset="fast",
            device="cpu",
        ).write(folder / RESULT)
        self.say(RunFinished(self.requests[-1].run))


class Submitted:
    """A run, and what was told about it."""

    def __init__(self, bench, name="CT", shape=(3, 4, 5)):
        self.told = []
        self.bench = bench
        volume = VolumeData(np.arange(np.prod(shape), dtype=np.int16).reshape(shape), np.eye(4), name)
        handlers = RunHandlers(
            lambda *progress: self.told.append(("progress", *progress)),
            lambda result: self.told.append(("finished", result.name)),
            lambda failure: self.told.append(("failed", failure)),
            lambda: self.told.append(("cancelled", list(bench.root.glob("*/*")))),
        )
        self.run = bench.client.submit(volume, RunOptions(), handlers)

    @property
    def end(self):
        """How it ended, None before."""
        ends = [event for event in self.told if event[0] != "progress"]
        assert len(ends) <= 1, "told once"
        assert not ends or self.told[-1] is ends[0], "nothing follows the end"
        return ends[0] if ends else None


class Bench:
    def __init__(self, root):
        self.root, self.loop, self.processes = root, EventLoop(), []
        self.client = WorkerClient(self._make, self.loop.call_later, root)

    def _make(self, events):
        self.processes.append(FakeProcess(self.loop, events))
        return self.processes[-1]

    @property
    def process(self):
        return self.processes[-1]

    def settle(self):
        self.loop.run_pending()

    def say(self, *messages):
        self.process.say(*messages)
        self.settle()

    def finish(self):
        """The process answers its last request."""
        self.process.finish()
        self.settle()

    def computing(self, *names):
        """Runs that were submitted, the first of which is being computed."""
        runs = [Submitted(self, name) for name in names or ("CT",)]
        self.settle()
        self.say(HELLO)
        return runs


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path / "temp")


def test_a_run_is_sent_computed_reported_and_leaves_nothing_behind(bench):
    submitted = Submitted(bench)
    assert (bench.processes, submitted.run.state, submitted.told) == ([], "queued", []), "submit only queues"
    bench.settle()
    assert (submitted.run.state, bench.process.requests) == ("running", []), "nothing is sent before the hello"
    bench.say(HELLO)
    (request,) = bench.process.requests
    volume, options = read_volume(Path(request.folder))
    assert (volume.name, volume.array.sum(), options) == ("CT", sum(range(60)), RunOptions())
    bench.process.say(RunProgress(request.run, 0.4, "Liver", 12.5))
    bench.finish()
    assert submitted.told == [
        ("progress", 0.0, "Starting", None),
        ("progress", 0.4, "Liver", 12.5),
        ("finished", "CT"),
    ]
    assert (submitted.run.state, submitted.run.volume, bench.client.runs) == ("ended", None, [])
    assert list(bench.root.iterdir()) == []
    assert bench.process.alive, "it keeps the model for the next run"


def test_runs_go_one_after_the_other_in_their_order_through_one_process(bench):
    runs = bench.computing("first", "second", "third")
    assert [run.name for run in bench.client.runs] == ["first", "second", "third"]
    for number, submitted in enumerate(runs):
        assert len(bench.process.requests) == number + 1
        assert submitted.end is None
        bench.finish()
        assert submitted.end == ("finished", submitted.run.name)
    assert len(bench.processes) == 1


def test_a_queued_run_that_is_cancelled_is_dropped_and_the_others_go_on(bench):
    first, second, third = bench.computing("first", "second", "third")
    second.run.cancel()
    assert [run.name for run in bench.client.runs] == ["first", "third"]
    assert second.end is None, "no handler is called from within cancel"
    bench.settle()
    assert second.end[0] == "cancelled"
    assert not bench.process.killed
    for submitted in (first, third):
        bench.finish()
        assert submitted.end[0] == "finished"


def test_cancelling_the_running_one_ends_the_process_and_the_next_gets_a_new_one(bench):
    first, second = bench.computing("first", "second")
    bench.process.say(RunProgress(1, 0.5, "Liver", None), RunFinished(1))  # on their way when it is cancelled
    first.run.cancel()
    first.run.cancel()
    bench.settle()
    kind, files = first.end
    assert (kind, [path.name for path in files]) == ("cancelled", ["in-use"]), "its own files are gone by then"
    assert [process.alive for process in bench.processes] == [False, True]
    bench.say(HELLO)
    bench.finish()
    assert second.end == ("finished", "second")


@pytest.mark.parametrize("hello", [False, True])
def test_a_run_can_be_cancelled_before_it_was_sent(bench, hello):
    submitted = Submitted(bench, shape=(200, 512, 512))  # takes several turns of the event loop to write
    bench.loop.run_until(lambda: bench.processes)
    if hello:
        bench.process.say(HELLO)
    submitted.run.cancel()
    bench.settle()
    assert submitted.end == ("cancelled", [])
    assert bench.process.killed
    assert list(bench.root.iterdir()) == []


def test_cancelling_what_has_ended_does_nothing(bench):
    (submitted,) = bench.computing()
    bench.finish()
    submitted.run.cancel()
    bench.settle()
    assert submitted.end[0] == "finished"
    assert not bench.process.killed


def test_a_failure_that_the_worker_tells_is_passed_on_and_the_next_run_goes_on(bench):
    first, second = bench.computing("first", "second")
    bench.say(RunFailed(1, "device", "No such device: choose the CPU.", "Traceback"))
    kind, failure = first.end
    assert (kind, failure.kind, failure.message, failure.details) == (
        "failed", "device", "No such device: choose the CPU.", "Traceback",
    )  # fmt: skip
    bench.finish()
    assert second.end == ("finished", "second")
    assert len(bench.processes) == 1


@pytest.mark.parametrize(
    ("code", "crashed", "said", "kind", "words"),
    [
        (9, True, b"", "memory", "memory ran out. Close other programs, choose the quality Fast"),
        (1, False, b"error: [python-real] exit abnormally - Report the problem.\n", "memory", "memory ran out"),
        (11, True, b"Fatal Python error: Segmentation fault", "worker", "crash code 11"),
        (1, False, b"MemoryErrorless traceback\n", "worker", "exit code 1"),
    ],
)
def test_a_worker_that_dies_in_a_run_fails_it_with_a_remedy_and_the_next_gets_a_new_one(
    bench, code, crashed, said, kind, words
):
    first, second = bench.computing("first", "second")
    process = bench.process
    bench.loop.post(lambda: process.events.on_error_output(b"what it said last\n" + said))
    process.end(code, crashed)
    bench.settle()
    failure = first.end[1]
    assert failure.kind == kind
    assert words in failure.message
    assert "what it said last" in failure.details
    assert said.decode().strip() in failure.details
    bench.say(HELLO)
    bench.finish()
    assert second.end == ("finished", "second")


def test_a_worker_that_dies_before_its_hello_fails_the_run(bench):
    submitted = Submitted(bench)
    bench.settle()
    bench.process.end(0)
    bench.settle()
    assert submitted.end[1].kind == "worker"
    assert len(bench.processes) == 1


def test_a_worker_that_cannot_be_started_fails_the_run_with_the_reason(bench):
    submitted = Submitted(bench)
    bench.loop.run_until(lambda: bench.processes)
    bench.process.fail_to_start("execve: No such file or directory")
    bench.settle()
    assert submitted.end[1].kind == "start"
    assert "execve: No such file or directory" in submitted.end[1].message
    assert not bench.client.runs


def test_a_worker_that_ended_itself_just_when_a_run_began_is_started_again(bench):
    bench.client.prepare()
    bench.settle()
    bench.say(HELLO)
    submitted = Submitted(bench)
    bench.settle()
    bench.process.end(0)
    bench.settle()
    assert (submitted.end, len(bench.processes)) == (None, 2)
    bench.say(HELLO)
    bench.finish()
    assert submitted.end == ("finished", "CT")


def test_a_worker_that_ends_itself_after_a_failure_as_its_gpu_is_lost_costs_the_next_run_nothing(bench):
    first, second = bench.computing("first", "second")
    bench.process.say(RunFailed(1, "device", "The GPU cannot be used any more: segment again.", ""))
    bench.process.end(0)
    bench.settle()
    assert (first.end[1].kind, second.end, len(bench.processes)) == ("device", None, 2)
    bench.say(HELLO)
    bench.finish()
    assert second.end == ("finished", "second")


def test_an_idle_worker_may_end_and_the_next_run_starts_another(bench):
    (first,) = bench.computing()
    bench.finish()
    bench.process.end(0)
    bench.settle()
    (second,) = bench.computing()
    bench.finish()
    assert (first.end[0], second.end[0], len(bench.processes)) == ("finished", "finished", 2)


@pytest.mark.parametrize(
    ("hello", "kind", "words"),
    [
        (Hello(VERSION, "PyTorch is not installed: install it.", (), ""), "torch", "PyTorch is not installed"),
        (Hello(VERSION + 1, "", (CPU,), ""), "start", "restart Slicer"),
    ],
)
def test_a_worker_that_cannot_be_used_fails_the_run_and_is_ended(bench, hello, kind, words):
    submitted = Submitted(bench)
    bench.settle()
    bench.say(hello)
    assert submitted.end[1].kind == kind
    assert words in submitted.end[1].message
    assert bench.process.killed
    assert bench.process.requests == []


def test_devices_are_known_after_preparing_and_stay_known(bench):
    told = []
    bench.client.prepare(lambda: told.append(bench.client.devices))
    bench.settle()
    assert told == []
    gpu = DeviceInfo("cuda:0", "GPU", False)
    bench.say(Hello(VERSION, "", (CPU, gpu), "The GPU cannot be used."))
    assert told == [[CPU, gpu]]
    assert bench.client.device_note == "The GPU cannot be used."
    bench.client.prepare(lambda: told.append("again"))
    assert told[1:] == [], "not from within the call"
    bench.settle()
    assert told[1:] == ["again"]
    assert len(bench.processes) == 1


def test_who_waits_for_devices_is_told_also_when_the_worker_cannot_start(bench):
    told = []
    bench.client.prepare(lambda: told.append((bench.client.devices, bench.client.device_note)))
    bench.loop.run_until(lambda: bench.processes)
    bench.process.fail_to_start("no such file")
    bench.settle()
    ((devices, note),) = told
    assert devices == []
    assert "no such file" in note


@pytest.mark.parametrize("following", [0, 1])
def test_who_waits_for_devices_is_told_them_though_a_run_was_cancelled_while_the_worker_started(bench, following):
    told = []
    bench.client.prepare(lambda: told.append((bench.client.devices, bench.client.device_note)))
    first, *others = [Submitted(bench) for _ in range(1 + following)]
    bench.settle()
    first.run.cancel()
    bench.settle()
    assert (first.end[0], told, len(bench.processes)) == ("cancelled", [], 2)
    bench.say(HELLO)
    assert told == [([CPU], "")]
    for other in others:
        bench.finish()
        assert other.end == ("finished", "CT")
    assert len(bench.processes) == 2


def test_without_anyone_who_waits_no_worker_is_started_after_a_cancelled_run(bench):
    (submitted,) = bench.computing()
    submitted.run.cancel()
    bench.settle()
    assert (submitted.end[0], len(bench.processes)) == ("cancelled", 1)


def test_closing_cancels_all_ends_the_process_and_removes_every_file(bench):
    first, second = bench.computing("first", "second")
    bench.client.close()
    assert (first.end[0], second.end[0]) == ("cancelled", "cancelled")
    assert bench.process.killed
    assert list(bench.root.iterdir()) == []
    bench.client.close()
    bench.settle()
    assert (first.end[0], len(bench.processes)) == ("cancelled", 1)
    with pytest.raises(RuntimeError, match="closed"):
        Submitted(bench)


def test_closing_while_a_volume_is_written_leaves_no_file(bench):
    submitted = Submitted(bench, shape=(100, 512, 512))
    bench.loop.run_until(lambda: bench.processes)
    bench.client.close()
    bench.settle()
    assert submitted.end[0] == "cancelled"
    assert list(bench.root.iterdir()) == []


def test_an_error_in_a_handler_is_logged_and_the_queue_goes_on(bench, caplog):
    first, second = bench.computing("first", "second")
    first.told = None  # append to it fails
    bench.finish()
    assert "A handler of a segmentation run failed" in caplog.text
    assert "AttributeError" in caplog.text
    bench.finish()
    assert second.end == ("finished", "second")


def test_foreign_output_and_messages_of_other_runs_disturb_nothing(bench, caplog):
    caplog.set_level("DEBUG")
    (submitted,) = bench.computing()
    process = bench.process
    noise = b'\xff\xfe 50 %\r{\n[1, 2]\n"text"\n' + encode(RunFinished(77)) + encode(RunFailed(0, "disk", "", ""))
    bench.loop.post(lambda: process.events.on_output(noise + b"no line break"))
    process.finish()
    bench.settle()
    assert submitted.end == ("finished", "CT")
    assert "Worker: [1, 2]" in caplog.text


def test_a_result_that_is_not_there_is_a_failure_with_a_remedy(bench):
    (submitted,) = bench.computing()
    bench.say(RunFinished(1))
    assert submitted.end[1].kind == "disk"
    assert f"{bench.root} cannot be used (No such file or directory): free space there" in submitted.end[1].message


def test_a_temporary_folder_that_cannot_be_made_is_a_failure_with_a_remedy(bench):
    bench.root.write_text("a file in its place")
    submitted = Submitted(bench)
    bench.settle()
    assert submitted.end[1].kind == "disk"
    assert str(bench.root) in submitted.end[1].message
    bench.root.unlink()
    (second,) = bench.computing()
    bench.finish()
    assert second.end[0] == "finished", "the client is usable again"


def test_a_temporary_folder_that_was_cleaned_away_between_runs_is_made_again(bench):
    first, second = bench.computing("first", "second")
    bench.process.finish()
    bench.loop.run_until(lambda: first.end)
    for folder in bench.root.iterdir():
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    bench.settle()
    bench.finish()
    assert second.end == ("finished", "second")


STEPS = st.sampled_from(
    ["submit", "cancel first", "cancel last", "hello", "progress", "finish", "fail", "crash", "idle end", "turn"]
)


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(STEPS, max_size=25))
def test_whatever_happens_every_run_ends_once_and_nothing_stays(tmp_path_factory, steps):
    bench = Bench(tmp_path_factory.mktemp("any") / "temp")
    runs, greeted = [], set()

    def running():
        """The process, where it is alive and has a request to answer."""
        process = bench.processes[-1] if bench.processes else None
        alive = process is not None and process.alive and process.requests and id(process) in greeted
        return process if alive and Path(process.requests[-1].folder).is_dir() else None

    for step in [*steps, "submit", "turn"]:
        process = bench.processes[-1] if bench.processes else None
        if step == "submit":
            runs.append(Submitted(bench, f"volume {len(runs)}"))
        elif step.startswith("cancel") and runs:
            runs[0 if step == "cancel first" else -1].run.cancel()
        elif step == "hello" and process is not None and process.alive and id(process) not in greeted:
            greeted.add(id(process))
            process.say(HELLO)
        elif step == "progress" and running():
            running().say(RunProgress(running().requests[-1].run, 0.5, "Liver", None))
        elif step == "finish" and running():
            running().finish()
        elif step == "fail" and running():
            running().say(RunFailed(running().requests[-1].run, "input", "No CT.", ""))
        elif step in ("crash", "idle end") and process is not None and process.alive:
            process.end(*((11, True) if step == "crash" else (0, False)))
        else:
            bench.loop.step()
    for _ in range(4 * len(runs) + 4):
        bench.settle()
        process = bench.processes[-1]
        if process.alive and id(process) not in greeted:
            greeted.add(id(process))
            process.say(HELLO)
        elif bench.client.runs and running():
            running().finish()
    bench.settle()
    assert [submitted.run.name for submitted in runs if submitted.end is None] == []
    assert not bench.client.runs
    assert sum(process.alive for process in bench.processes) <= 1
    assert list(bench.root.iterdir()) == []
    bench.client.close()
