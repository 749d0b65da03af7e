"""Many runs of one Slicer by the real worker and the shipped networks: neither of the two processes grows."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import slicer_harness

slicer_harness.install()

import slicer  # noqa: E402
from fakes import alive  # noqa: E402
from fakes.panel_fakes import pump  # noqa: E402
from fixtures.scene_cases import volumeNodeFromArray  # noqa: E402
from LiverLesionCascadeLib.engine.grid.geometry import ImageGeometry  # noqa: E402
from LiverLesionCascadeLib.engine.run_options import RunOptions  # noqa: E402
from LiverLesionCascadeLib.engine.scan.image_io import read_image  # noqa: E402
from LiverLesionCascadeLib.gui.runs import event_loop  # noqa: E402
from LiverLesionCascadeLib.gui.runs.qt_process import QtProcess  # noqa: E402
from LiverLesionCascadeLib.gui.runs.run_request import SegmentationRequest  # noqa: E402
from LiverLesionCascadeLib.gui.runs.segmentation_runs import RunObserver, SegmentationRuns  # noqa: E402
from LiverLesionCascadeLib.sample import fetch_sample  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.workspace import closeWorkspaces, workspaceOf  # noqa: E402
from LiverLesionCascadeLib.worker.client import WorkerClient  # noqa: E402

from ..guard import Finding  # noqa: E402
from .soak import grown  # noqa: E402

SLICES = slice(60, 72)


class Bench:
    """The runs of a Slicer, with a temporary folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = SegmentationRuns(lambda: WorkerClient(QtProcess, event_loop.shared.callLater, folder))

    def segment(self, volume, options: RunOptions | None = None):
        """The node of the result, or the sentence with which the run failed."""
        ended = []
        observer = RunObserver(
            onProgress=lambda *_values: None,
            onFinished=lambda node, result: ended.append(node),
            onFailed=lambda message, details: ended.append(message),
            onCancelled=lambda: ended.append("cancelled"),
        )
        options = options or RunOptions(device="cpu")
        self.runs.submit(SegmentationRequest(volume, options, self.runs.history, None, False, None), observer)
        pump(lambda: ended, limit=100_000)
        return ended[0]

    @staticmethod
    def later(seconds: float, function: Callable[[], None]) -> None:
        event_loop.shared.callLater(seconds, function)

    @property
    def worker(self) -> psutil.Process:
        (worker,) = psutil.Process().children()
        return worker


def few_slices():
    """A volume node of some slices of the sample CT, with lesions in them."""
    with tempfile.TemporaryDirectory() as folder:
        ct = read_image(fetch_sample(Path(folder)).image)
    hu = ct.hu[SLICES]
    return volumeNodeFromArray(slicer.mrmlScene, hu, ImageGeometry(hu.shape, ct.geometry.ijk_to_lps), "sample")


def runs_by_the_worker(count: int) -> tuple[int, int, list[Finding]]:
    """Bytes of both processes after a tenth of the runs and after all, and what went wrong."""
    with tempfile.TemporaryDirectory() as place:
        folder, found, early = Path(place) / "temporary", [], None
        volume, bench = few_slices(), Bench(folder)
        before = alive.of_process(folder)
        for number in range(1, count + 1):
            node = bench.segment(volume)
            if isinstance(node, str):
                found.append(Finding(number, node))
                continue
            lesions = workspaceOf(node).lesionIds()
            found += [] if lesions else [Finding(number, "no lesion was found")]
            slicer.mrmlScene.RemoveNode(node)
            closeWorkspaces()
            slicer.app.processEvents()
            if number in (max(1, count // 10), count):
                own = alive.of_process(folder) + alive.ours()
                measured = own, alive.memory() + alive.memory(bench.worker.pid)
                early = early or measured
        bench.runs.close()
        pump(lambda: not psutil.Process().children(), limit=4000)
        left = alive.of_process(folder) - before
        found += [Finding(count, f"left when the worker ended: {dict(left)}")] if left else []
        slicer.mrmlScene.Clear()
        return early[1], measured[1], found + grown(count, early, measured)


def main(folder: str, output: str) -> None:
    """One run, whose lesions go into a NumPy file, in a Slicer with this temporary folder."""
    bench, volume = Bench(Path(folder)), few_slices()
    node = bench.segment(volume)
    assert not isinstance(node, str), node
    np.save(output, workspaceOf(node).lesions().full(workspaceOf(node).shape))
    bench.runs.close()
    pump(lambda: not psutil.Process().children(), limit=4000)


if __name__ == "__main__":
    main(*sys.argv[1:])
