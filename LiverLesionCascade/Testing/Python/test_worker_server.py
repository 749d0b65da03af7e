"""What the worker makes of errors, how it estimates the time left, and what it says of a GPU that it cannot use."""

import io
import os
import shlex
import sys
import weakref

import pytest
import torch
from LiverLesionCascadeLib.engine.errors import BundleError, DeviceError, InputError, InvalidVolumeError, OutputError
from LiverLesionCascadeLib.engine.model import device
from LiverLesionCascadeLib.engine.run_options import RunOptions
from LiverLesionCascadeLib.worker import server
from LiverLesionCascadeLib.worker.devices import DeviceInfo, device_note, list_devices, torch_problem
from LiverLesionCascadeLib.worker.protocol import LineReader, RunFailed, StartRun, decode
from LiverLesionCascadeLib.worker.server import Server, failure_of

CPU = DeviceInfo("cpu", "CPU", True)


def caused_by(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), "memory"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), "memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8000000000 bytes."), "memory"),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."), "memory"),
        (caused_by(DeviceError("cuda:0 cannot be used"), torch.OutOfMemoryError("CUDA out of memory.")), "memory"),
        (InvalidVolumeError("It is no CT."), "input"),
        (InputError("It is no CT."), "input"),
        (BundleError("It is no bundle."), "bundle"),
        (DeviceError("It is no device."), "device"),
        (OutputError("It is no folder."), "disk"),
        (RuntimeError("expected scalar type Half"), "internal"),
        (ZeroDivisionError("division by zero"), "internal"),
    ],
    ids=str,
)
def test_every_error_has_its_kind_and_a_sentence(error, kind):
    found, message = failure_of(error)
    assert found == kind
    if kind == "memory":
        assert "Close other programs, choose the quality Fast" in message
    elif kind == "internal":
        assert f"{type(error).__name__}: {error}" in message
        assert "report it" in message
    else:
        assert message == str(error)


class Sent(list):
    """Stands in for the server: keeps what is sent."""

    def send(self, message):
        self.append(message)


def test_the_time_left_is_told_once_it_can_be_estimated_and_not_too_often(monkeypatch):
    now = 100.0
    monkeypatch.setattr(server.time, "monotonic", lambda: now)
    sent = Sent()
    progress = server._Progress(sent, 3)
    progress.report(0.0, "Reading")
    for step in range(101):
        progress.of_segmentation(step / 100, "Liver" if step < 50 else "Lesions")
        now += 0.04  # four seconds in all
    assert sent[1].stage == "Liver"
    assert sent[1].seconds_left is None
    assert [message.fraction for message in sent] == sorted(message.fraction for message in sent)
    assert len(sent) < 45, "at most ten a second"
    for message in sent[15:]:
        done = (message.fraction - 0.02) / 0.96
        assert message.seconds_left == pytest.approx(4 * (1 - done), abs=0.01)


def test_a_gpu_that_is_there_but_not_used_is_a_finding_of_an_automatic_run():
    models = server._Models()
    models.note = "There is a GPU, but it cannot be used."
    model, findings = models.get(RunOptions(device="auto"))
    expected = [("gpu_not_used", "warning", models.note)] if model.device.type == "cpu" else []
    assert [(each.code, each.severity, each.message) for each in findings] == expected
    assert models.get(RunOptions(device="cpu"))[1] == [], "it was chosen"


def test_the_model_is_kept_until_another_device_is_asked_for():
    models = server._Models()
    first, _ = models.get(RunOptions(device="cpu"))
    assert models.get(RunOptions(device="cpu", preset="paper"))[0] is first
    assert models.get(RunOptions(device="auto"))[0] is not first


class Ended(BaseException):
    """The process has ended itself."""


def serve(monkeypatch, problem, error):
    """What a worker says to a run that fails, on a computer with a GPU that worked when it started; and how it ends."""

    def run(self, request):
        raise error

    def end(code):
        raise Ended(code)

    monkeypatch.setattr(server, "list_devices", lambda: [CPU, DeviceInfo("cuda:0", "GPU", True)])
    monkeypatch.setattr(device, "device_problem", lambda name: problem if name == "cuda:0" else "")
    monkeypatch.setattr(Server, "_run", run)
    monkeypatch.setattr(Server, "_leave", lambda self: None)
    monkeypatch.setattr(os, "_exit", end)
    replies = io.BytesIO()
    served = Server(io.BytesIO(), replies, idle_seconds=0.0)
    served._waiting.put(StartRun(1, "/nowhere/run-1"))
    code = "idle"
    try:
        served.serve()
    except Ended as ended:
        (code,) = ended.args
    told = [decode(line) for line in LineReader().lines(replies.getvalue())]
    (failed,) = (message for message in told if isinstance(message, RunFailed))
    return failed, code


CUDA_ERROR = RuntimeError("CUDA error: unspecified launch failure")


@pytest.mark.parametrize("error", [CUDA_ERROR, DeviceError("Device cuda cannot be used.")], ids=str)
def test_a_run_that_loses_its_gpu_says_so_and_the_process_ends_so_that_the_next_run_gets_a_fresh_one(
    monkeypatch, error
):
    failed, code = serve(monkeypatch, "unspecified launch failure", error)
    assert (failed.kind, code) == ("device", 0)
    assert "The GPU cannot be used any more (unspecified launch failure): segment again" in failed.message
    assert "report" not in failed.message
    assert str(error) in failed.details


@pytest.mark.parametrize(
    ("error", "kind"), [(CUDA_ERROR, "internal"), (DeviceError("Device cuda:9 cannot be used."), "device")], ids=str
)
def test_while_its_gpu_works_a_worker_goes_on_after_any_error(monkeypatch, error, kind):
    failed, code = serve(monkeypatch, "", error)
    assert (failed.kind, code) == (kind, "idle")
    assert str(error) in failed.message


def test_where_memory_ran_out_nothing_of_the_run_holds_any_when_it_is_given_back(monkeypatch):
    held, alive = [], []

    def run(self, request):
        model, activations = Sent(), torch.zeros(1)
        self._models._model = model
        held.extend(map(weakref.ref, (model, activations)))
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(Server, "_run", run)
    monkeypatch.setattr(server.logging, "exception", lambda message: None)  # pytest keeps what is logged
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: alive.extend(each() is not None for each in held))
    assert Server(io.BytesIO(), io.BytesIO())._answer(StartRun(1, "/nowhere/run-1")).kind == "memory"
    assert alive == [False, False]


def test_a_run_on_the_cpu_does_not_need_the_memory_of_a_lost_gpu_to_be_emptied(monkeypatch):
    def lost():
        raise CUDA_ERROR

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lost)
    assert server._Models().get(RunOptions(device="cpu"))[0].device.type == "cpu"


def test_torch_works_here_and_the_cpu_is_a_device():
    assert torch_problem() == ""
    assert list_devices()[0] == CPU


def write_tool(folder, lines):
    """A program named nvidia-smi."""
    tool = folder / "nvidia-smi"
    (folder / "tool.py").write_text(lines)
    # By the shell: a line that names the interpreter cannot hold a path with a space.
    tool.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(folder / 'tool.py'))}\n")
    tool.chmod(0o755)


@pytest.fixture
def no_cuda(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


@pytest.mark.parametrize(("cuda", "why"), [(None, "was built without CUDA"), ("12.6", "finds no driver that fits it")])
def test_an_nvidia_gpu_that_torch_cannot_use_is_said_with_a_remedy(no_cuda, monkeypatch, cuda, why):
    monkeypatch.setattr(torch.version, "cuda", cuda)
    write_tool(no_cuda, r"print('NVIDIA GeForce RTX 5090\nNVIDIA T400')")
    note = device_note([CPU])
    assert note.startswith(f"There is a GPU (NVIDIA GeForce RTX 5090, NVIDIA T400), but PyTorch {torch.__version__}")
    assert why in note
    assert "PyTorch Utils" in note


@pytest.mark.parametrize("lines", ["", "print('NVIDIA-SMI has failed'); raise SystemExit(9)"])
def test_without_an_nvidia_gpu_nothing_is_said(no_cuda, lines):
    write_tool(no_cuda, lines)
    assert device_note([CPU]) == ""


def test_a_gpu_whose_kernels_fail_is_listed_as_unusable_and_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: f"Model {index}")
    problem = "CUDA error: no kernel image is available for execution on the device"
    monkeypatch.setattr(device, "device_problem", lambda name: problem if name == "cuda:1" else "")
    found = list_devices()
    assert found[:3] == [
        CPU,
        DeviceInfo("cuda:0", "Model 0", True),
        DeviceInfo("cuda:1", "Model 1", False),
    ]
    assert f"The GPU Model 1 cannot be used by PyTorch {torch.__version__} ({problem})" in device_note(found)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ModuleNotFoundError("No module named 'torch'", name="torch"), "PyTorch is not installed"),
        (ModuleNotFoundError("No module named 'typing_extensions'", name="typing_extensions"), "does not work (No mod"),
        (RuntimeError("Numpy is not available"), "does not work (Numpy is not available)"),
    ],
)
def test_a_torch_that_cannot_be_used_is_said_with_a_remedy(monkeypatch, error, words):
    def fail(array):
        raise error

    monkeypatch.setattr(torch, "from_numpy", fail)
    assert words in torch_problem()
    assert "PyTorch Utils" in torch_problem()
