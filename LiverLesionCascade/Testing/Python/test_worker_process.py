"""The real worker process: what it computes, and that nothing of it stays, whatever ends it."""

import contextlib
import json
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from fakes.worker_loop import EventLoop, PipedProcess
from fixtures.phantom import SPACING_KJI, phantom_hu
from fixtures.small_bundle import METADATA, write_tiny_bundle
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
from LiverLesionCascadeLib.engine.run_options import RunOptions
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from LiverLesionCascadeLib.engine.segmenter import Segmenter
from LiverLesionCascadeLib.worker.client import WorkerClient
from LiverLesionCascadeLib.worker.exchange_folder import remove_abandoned
from LiverLesionCascadeLib.worker.process import worker_command
from LiverLesionCascadeLib.worker.submitted_run import RunHandlers, VolumeData

MATRIX = np.diag([*SPACING_KJI[::-1], 1.0])


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return str(write_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny"))


@pytest.fixture(scope="module")
def slow_bundle(tmp_path_factory):
    """Its lesion pass is run again and again: seconds that a test can use to break in."""
    passes = {"lesion_pass": METADATA["lesion_pass"] | {"size": 288, "iterations": 20, "liver_threshold": 0.001}}
    passes["liver_pass"] = METADATA["liver_pass"] | {"threshold": 0.001}
    return str(write_tiny_bundle(tmp_path_factory.mktemp("bundle") / "slow", **passes))


class Bench:
    """A client with real processes.

    Args:
        changes: For the processes: a command, an environment.
    """

    def __init__(self, root, **changes):
        self.root, self.loop, self.changes = root, EventLoop(), changes
        self.processes = []
        self.client = WorkerClient(self._make, self.loop.call_later, root)

    def _make(self, events):
        self.processes.append(PipedProcess(self.loop, events, **self.changes))
        return self.processes[-1]

    def submit(self, bundle, array=None, **options):
        return Submitted(self, phantom_hu() if array is None else array, RunOptions(bundle=bundle, **options))

    def files(self):
        return list(self.root.iterdir()) if self.root.exists() else []


class Submitted:
    def __init__(self, bench, array, options):
        self.bench, self.stages, self.fractions, self.ends = bench, [], [], []
        handlers = RunHandlers(
            self._progress,
            lambda result: self.ends.append(("finished", result)),
            lambda failure: self.ends.append((failure.kind, failure)),
            lambda: self.ends.append(("cancelled", bench.files())),
        )
        self.run = bench.client.submit(VolumeData(array, MATRIX, "phantom"), options, handlers)

    def _progress(self, fraction, stage, seconds_left):
        self.fractions.append(fraction)
        if stage not in self.stages:
            self.stages.append(stage)

    def wait(self, stage=None):
        """Until it has ended, or reached a stage; how it ended, and with what."""
        self.bench.loop.run_until(lambda: self.ends or stage in self.stages)
        return self.ends[0] if self.ends else None


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One worker for all tests that leave it alive: starting one takes seconds."""
    bench = Bench(tmp_path_factory.mktemp("Zwischen ablage") / "肝臓")
    yield bench
    bench.client.close()


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path / "temp")
    yield made
    made.client.close()


def alive(pid):
    """Whether a process is there and not only waiting to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for_death(pid, seconds=30.0):
    end = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.01)
    assert not alive(pid), f"process {pid} is alive after {seconds} s"


def test_the_worker_gives_what_the_segmenter_gives(shared, bundle):
    submitted = shared.submit(bundle, keep_probabilities=True)
    kind, result = submitted.wait()
    assert kind == "finished", result
    ct = CTVolume.from_array(phantom_hu(), MATRIX, "phantom")
    expected = Segmenter(ModelBundle.load(bundle), "cpu").segment(ct).on_source(ct, True)
    for name in ("liver", "lesions"):
        np.testing.assert_array_equal(
            getattr(result, name).full(ct.source.shape), getattr(expected, name).full(ct.source.shape), err_msg=name
        )
    np.testing.assert_allclose(
        result.liver_probability.full(ct.source.shape), expected.liver_probability.full(ct.source.shape), atol=0.01
    )
    assert result.name == "phantom"
    assert submitted.fractions == sorted(submitted.fractions)
    assert submitted.stages[:4] == ["Starting", "Reading", "Loading the model", "Liver"]
    assert submitted.stages[-1] == "Writing"
    assert shared.files() == []
    assert shared.client.devices[0].id == "cpu"


def test_a_second_run_is_done_by_the_process_that_has_the_model_already(shared, bundle):
    shared.submit(bundle).wait()
    submitted = shared.submit(bundle)
    assert submitted.wait()[0] == "finished"
    assert len(shared.processes) == 1


def test_a_bundle_that_was_changed_on_disk_is_loaded_anew(shared, tmp_path):
    folder = write_tiny_bundle(tmp_path / "changing", version="0.1")
    assert shared.submit(str(folder)).wait()[1].bundle_version == "0.1"
    write_tiny_bundle(folder, version="0.2")
    assert shared.submit(str(folder)).wait()[1].bundle_version == "0.2"


@pytest.mark.parametrize(
    ("options", "array", "kind", "words"),
    [
        ({"device": "cuda:7"}, None, "device", "cuda:7 cannot be used"),
        ({"bundle": "/nowhere"}, None, "bundle", "is not a model bundle"),
        ({}, np.ones((5, 6, 7), np.int16), "input", "phantom is empty: every voxel is 1"),
    ],
)
def test_errors_of_the_engine_arrive_in_their_own_words(shared, bundle, options, array, kind, words):
    submitted = shared.submit(**{"bundle": bundle} | options, array=array)
    found, failure = submitted.wait()
    assert found == kind
    assert words in failure.message
    assert "Traceback" in failure.details
    assert shared.files() == []
    assert shared.submit(bundle).wait()[0] == "finished", "the same worker goes on"
    assert len(shared.processes) == 1


def test_cancelling_a_run_leaves_no_process_and_no_file(bench, slow_bundle, bundle):
    submitted = bench.submit(slow_bundle)
    assert submitted.wait("Lesions") is None
    (process,) = bench.processes
    submitted.run.cancel()
    assert submitted.wait() == ("cancelled", [])
    wait_for_death(process.pid)
    assert bench.submit(bundle).wait()[0] == "finished"


def test_killed_at_ten_random_moments_each_run_fails_with_a_remedy_and_the_next_one_succeeds(
    bench, slow_bundle, bundle
):
    moments = random.Random(5)
    for number in range(10):
        submitted = bench.submit(slow_bundle)
        # Some in the computation, the others anywhere in the start, which takes a test most of its time.
        if number % 3 == 2:
            assert submitted.wait("Lesions") is None
        bench.loop.run_for(moments.uniform(0.05, 1.5))
        assert submitted.ends == []
        os.kill(bench.processes[-1].pid, 9)
        kind, failure = submitted.wait()
        assert kind == "memory"
        assert "choose the quality Fast" in failure.message
        assert bench.files() == []
    assert bench.submit(bundle).wait()[0] == "finished"
    assert len(bench.processes) == 11


@pytest.mark.parametrize("stage", ["Starting", "Lesions"])
def test_the_worker_and_its_scan_are_gone_when_slicer_is_killed(tmp_path, slow_bundle, stage):
    program = f"""
import sys
sys.path[:0] = {sys.path!r}
from pathlib import Path
from test_worker_process import Bench
bench = Bench(Path({str(tmp_path / "temp")!r}))
submitted = bench.submit({slow_bundle!r})
submitted.wait({stage!r})
if {stage!r} == "Starting":
    bench.loop.run_for(1.0)
print(bench.processes[0].pid, flush=True)
submitted.wait()
"""
    path = f"{Path(__file__).parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    owner = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": path}
    )
    worker = int(owner.stdout.readline())
    assert alive(worker)
    owner.kill()
    owner.communicate()
    wait_for_death(worker, 10.0)
    if stage != "Starting":  # a worker that was not given the run yet cannot remove it
        assert list((tmp_path / "temp").glob("*/run-*")) == []
    remove_abandoned(tmp_path / "temp")
    assert list((tmp_path / "temp").iterdir()) == []


def test_behind_a_launcher_the_worker_ends_with_a_cancelled_run(tmp_path, slow_bundle):
    """PythonSlicer starts the Python that computes, and killing PythonSlicer does not reach it."""
    script = f'{" ".join(map(repr, worker_command()))} & echo $! > "{tmp_path}/pid"; wait'
    # sh gives a program in the background an empty input, unless it is told what to use.
    launcher = ["sh", "-c", f"exec 3<&0; {script.replace('&', '<&3 &', 1)}"]
    bench = Bench(tmp_path / "temp", command=launcher)
    submitted = bench.submit(slow_bundle)
    assert submitted.wait("Lesions") is None
    worker = int((tmp_path / "pid").read_text())
    assert worker != bench.processes[0].pid
    submitted.run.cancel()
    assert submitted.wait()[0] == "cancelled"
    wait_for_death(worker)
    assert bench.files() == []


@contextlib.contextmanager
def largest_file(size):
    """Files of this process and its children cannot grow larger, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_temporary_folder_fails_the_run_with_a_remedy_and_leaves_no_file(bench, bundle):
    size = phantom_hu().nbytes
    with largest_file(size // 2):
        kind, failure = bench.submit(bundle).wait()
    assert kind == "disk"
    assert f"The temporary folder {bench.root} cannot be used (File too large): free space there" in failure.message
    assert bench.files() == []
    assert bench.submit(bundle).wait()[0] == "finished"


def test_a_folder_too_full_for_the_result_fails_the_run_with_a_remedy(tmp_path, bundle):
    size = phantom_hu().nbytes
    bench = Bench(tmp_path / "temp")
    with largest_file(size // 4):
        bench.client.prepare()
        bench.loop.run_until(lambda: bench.processes)
    # The worker inherited the limit; this process has it no more.
    kind, failure = bench.submit(everything_is_liver(tmp_path), keep_probabilities=True).wait()
    bench.client.close()
    assert kind == "disk"
    assert str(bench.root) in failure.message
    assert bench.files() == []


def everything_is_liver(folder):
    return str(write_tiny_bundle(folder / "everything", liver_pass=METADATA["liver_pass"] | {"threshold": 0.001}))


def test_a_torch_that_cannot_be_loaded_is_said_with_a_remedy(tmp_path, bundle):
    (tmp_path / "broken" / "torch").mkdir(parents=True)
    (tmp_path / "broken" / "torch" / "__init__.py").write_text("raise OSError('libc10.so: cannot open shared object')")
    bench = Bench(tmp_path / "temp", env=os.environ | {"PYTHONPATH": str(tmp_path / "broken")})
    kind, failure = bench.submit(bundle).wait()
    assert kind == "torch"
    assert "libc10.so: cannot open shared object" in failure.message
    assert "PyTorch Utils" in failure.message
    wait_for_death(bench.processes[0].pid)
    bench.client.close()


def test_what_libraries_print_does_not_disturb_the_worker(tmp_path, bundle):
    """A sitecustomize prints on standard output, from Python and from C, before and while the worker runs."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import os, threading, time\n"
        "print('hello from Python')\n"
        "os.write(1, b'from C \\xff\\xfe {\"LiverLesionCascade\": \\r half a line')\n"
        "def chatter():\n"
        "    while True:\n"
        "        os.write(1, b'%|#### | 10/90\\r')\n"
        "        print('{\"json\": 1}')\n"
        "        time.sleep(0.01)\n"
        "threading.Thread(target=chatter, daemon=True).start()\n"
    )
    bench = Bench(tmp_path / "temp", env=os.environ | {"PYTHONPATH": str(tmp_path / "site"), "OMP_NUM_THREADS": "1"})
    kind, result = bench.submit(bundle).wait()
    assert kind == "finished", result
    bench.client.close()


def test_an_idle_worker_ends_itself_with_code_0(tmp_path):
    program = f"""
import sys
sys.path[:0] = {sys.path!r}
from LiverLesionCascadeLib.worker.main import private_streams
from LiverLesionCascadeLib.worker.server import Server
Server(*private_streams(), idle_seconds=0.2).serve()
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.wait(60) == 0
    hello = json.loads(process.stdout.read())
    assert hello["LiverLesionCascade"] == "Hello"
    process.stdin.close()
    process.stdout.close()
