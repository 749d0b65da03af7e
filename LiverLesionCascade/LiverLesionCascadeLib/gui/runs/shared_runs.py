"""The runs of this Slicer: one worker process for all panels and logics, which ends with Slicer."""

from pathlib import Path

import slicer

from ...scene.workspace.workspace import useEventLoop
from ...worker.client import WorkerClient
from . import event_loop
from .qt_process import QtProcess
from .segmentation_runs import SegmentationRuns

_runs = None


def sharedRuns() -> SegmentationRuns:
    """Made on first use; the worker process starts with the first run."""
    global _runs
    if _runs is None:
        useEventLoop(event_loop.shared.callLater)  # edits of results are noted in the event loop
        _runs = SegmentationRuns(_makeClient)
        slicer.app.connect("aboutToQuit()", _close)
    return _runs


def _makeClient() -> WorkerClient:
    return WorkerClient(QtProcess, event_loop.shared.callLater, Path(slicer.app.temporaryPath))


def _close():
    _runs.close()
    event_loop.shared.close()
