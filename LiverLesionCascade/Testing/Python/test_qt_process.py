"""Processes on Qt's event loop: what is read and told, in which order, and that nothing stays connected."""

import sys
import time

import numpy as np
import pytest
import slicer_harness

slicer_harness.install()

import qt  # noqa: E402
from fixtures.phantom import SPACING_KJI, phantom_hu  # noqa: E402
from fixtures.small_bundle import write_tiny_bundle  # noqa: E402
from LiverLesionCascadeLib.engine.run_options import RunOptions  # noqa: E402
from LiverLesionCascadeLib.gui.runs import event_loop  # noqa: E402
from LiverLesionCascadeLib.gui.runs.qt_process import QtProcess  # noqa: E402
from LiverLesionCascadeLib.worker.client import WorkerClient  # noqa: E402
from LiverLesionCascadeLib.worker.process import ProcessEvents  # noqa: E402
from LiverLesionCascadeLib.worker.submitted_run import RunHandlers, VolumeData  # noqa: E402


def run_until(done, seconds=60):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        qt.QApplication.processEvents()
        time.sleep(0.005)


class Told:
    """A process that runs a line of Python, and what it reports."""

    def __init__(self, program, python=sys.executable):
        self.output, self.errors, self.ends = b"", b"", []
        events = ProcessEvents(
            self._on_output, self._on_errors, lambda *end: self._on_end(*end), lambda reason: self._on_end(reason)
        )
        self.process = QtProcess(events, [python, "-c", program])
        self.process.start()

    def _on_output(self, data):
        assert isinstance(data, bytes)
        assert not self.ends, "nothing follows the end"
        self.output += data

    def _on_errors(self, data):
        assert not self.ends
        self.errors += data

    def _on_end(self, *end):
        self.ends.append(end)

    def wait(self):
        run_until(lambda: self.ends)
        (end,) = self.ends
        return end


def test_all_output_is_told_before_the_end():
    told = Told("import sys; sys.stdout.buffer.write(b'\\xff\\x00' * 100_000); sys.stderr.write('error'); sys.exit(3)")
    assert told.wait() == (3, False)
    assert (told.output, told.errors) == (b"\xff\x00" * 100_000, b"error")


def test_bytes_written_arrive():
    told = Told("import sys; print(sys.stdin.readline()[::-1], flush=True); sys.stdin.read()")
    told.process.write(b"hello\n")
    run_until(lambda: b"olleh" in told.output)
    assert told.process.pid > 0
    told.process.kill()
    told.wait()


def test_a_killed_process_is_told_as_crashed_with_its_signal():
    told = Told("import time; time.sleep(600)")
    run_until(lambda: told.process.pid)
    told.process.kill()
    assert told.ends == [], "not from within kill"
    assert told.wait() == (9, True)
    # What comes too late is harmless.
    told.process.kill()
    told.process.write(b"too late")
    told.process.wait(0.1)
    assert told.process.pid == 0


def test_a_program_that_is_not_there_is_told_once_and_later(tmp_path):
    told = Told("", python=str(tmp_path / "nothing"))
    assert told.ends == []
    (reason,) = told.wait()
    assert isinstance(reason, str)
    assert reason
    for _ in range(20):
        qt.QApplication.processEvents()
    assert len(told.ends) == 1


def test_waiting_for_the_end_gives_up_after_the_time_allowed():
    told = Told("import time; time.sleep(60)")
    run_until(lambda: told.process.pid)
    told.process.wait(0.2)
    assert told.ends == [], "it did not wait for the end of the process"
    told.process.kill()
    told.process.wait(5)
    assert told.ends == [(9, True)]


@pytest.mark.parametrize("name", ["temp", "Ablage für 肝臓"])
def test_the_worker_segments_on_qt_s_event_loop(tmp_path, name):
    bundle = str(write_tiny_bundle(tmp_path / "bundle"))
    ends, stages = [], []
    handlers = RunHandlers(
        lambda fraction, stage, left: stages.append(stage),
        lambda result: ends.append(result.name),
        lambda failure: ends.append(failure),
        lambda: ends.append("cancelled"),
    )
    client = WorkerClient(QtProcess, event_loop.shared.callLater, tmp_path / name)
    matrix = np.diag([*SPACING_KJI[::-1], 1.0])
    client.submit(VolumeData(phantom_hu(), matrix, "phantom"), RunOptions(bundle=bundle), handlers)
    run_until(lambda: ends)
    assert ends == ["phantom"]
    assert "Lesions" in stages or "Liver" in stages
    client.close()
    assert list((tmp_path / name).iterdir()) == []
