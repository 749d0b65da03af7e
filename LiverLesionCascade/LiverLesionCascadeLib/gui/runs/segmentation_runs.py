"""Runs of the worker as the scene knows them: from a volume node to a segmentation node."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import slicer
from slicer.i18n import tr as _

from ...engine.errors import CascadeError
from ...engine.results.result import SegmentationResult
from ...scene.nodes.one_change import oneRendering
from ...scene.workspace.replace_history import ReplaceHistory
from ...worker.client import WorkerClient
from ...worker.submitted_run import RunFailure, RunHandlers, VolumeData
from .run_request import RefinementRequest, SegmentationRequest


@dataclass(frozen=True)
class RunObserver:
    """Who is told about a run: exactly one of the last three, once, later.

    :param onProgress: (fraction done, one of worker.submitted_run.STAGES, seconds left or None).
    :param onFinished: (segmentation node, result on the volume's grid, or of a refinement what would change).
    :param onFailed: (one sentence with the remedy, details for a report).
    """

    onProgress: Callable[[float, str, float | None], None]
    onFinished: Callable[[slicer.vtkMRMLSegmentationNode, Any], None]
    onFailed: Callable[[str, str], None]
    onCancelled: Callable[[], None]

    @classmethod
    def whileWanted(cls, isWanted: Callable[[], bool], *functions: Callable[..., None]) -> RunObserver:
        """Who is told only as long as that is wanted: what a run says on its way out may be of no interest any more."""

        def guarded(function):
            def call(*arguments):
                if isWanted():
                    function(*arguments)

            return call

        return cls(*map(guarded, functions))


class SegmentationRuns:
    """Submits volume nodes to the worker and puts its results into the scene, in the event loop of Slicer.

    :param makeClient: makes the worker's client; called on first use, and on the next use after ``close``.

    :ivar runs: those that have not ended, in the order in which they were submitted.
    """

    def __init__(self, makeClient: Callable[[], WorkerClient]):
        self.history = ReplaceHistory()
        self._makeClient = makeClient
        self._client: WorkerClient | None = None
        self.runs: list[SegmentationRun] = []

    @property
    def client(self) -> WorkerClient:
        """The worker's client; the process itself starts with the first run, or by its ``prepare``."""
        if self._client is None:
            self._client = self._makeClient()
        return self._client

    def submit(self, request: SegmentationRequest | RefinementRequest, observer: RunObserver) -> SegmentationRun:
        """Queue what is asked for and return at once.

        Removing the volume fails the run, closing the scene cancels it.
        """
        run = SegmentationRun(self.client, request, observer, self.runs.remove)
        self.runs.append(run)
        return run

    def close(self) -> None:
        """Cancel every run and end the worker; blocks for a second at most. The next run starts another worker."""
        client, self._client = self._client, None
        if client is not None:
            client.close()


class SegmentationRun:
    """One request on its way through the worker; it stops when the volume leaves the scene or the scene is closed.

    Made by ``SegmentationRuns``.
    """

    def __init__(
        self,
        client: WorkerClient,
        request: SegmentationRequest | RefinementRequest,
        observer: RunObserver,
        onEnded: Callable[[SegmentationRun], None],
    ):
        self._request, self._observer, self._onEnded = request, observer, onEnded
        self.volumeNode = request.volumeNode
        self._scene = self.volumeNode.GetScene()
        self._cancelled = False
        self._whyStopped = ""
        scan = request.scan
        volume = VolumeData(scan.array, scan.ijkToLps, scan.name, request.edits())
        handlers = RunHandlers(self._workerProgressed, self._workerFinished, self._workerFailed, self._workerCancelled)
        self._workerRun = client.submit(volume, request.options, handlers)
        self._observers = [
            self._scene.AddObserver(self._scene.NodeRemovedEvent, self._onNodeRemoved),
            self._scene.AddObserver(self._scene.StartCloseEvent, lambda _caller, _event: self.cancel()),
        ]

    @property
    def state(self) -> str:
        """``queued``, ``running`` or ``ended``."""
        return self._workerRun.state

    def cancel(self) -> None:
        """End the run; nothing happens where it has ended already. ``onCancelled`` follows within two seconds."""
        if self.state != "ended":
            self._cancelled = True
            self._workerRun.cancel()

    def _onNodeRemoved(self, _caller, _event):
        if self.volumeNode.GetScene() is None and not self._cancelled:
            self._whyStopped = _(
                "{name} was removed while it was being segmented. Load it again and segment it again."
            ).format(name=self._request.scan.name)
            self.cancel()

    def _end(self):
        for tag in self._observers:
            self._scene.RemoveObserver(tag)
        self._onEnded(self)

    def _workerProgressed(self, fraction: float, stage: str, secondsLeft: float | None) -> None:
        if not self._cancelled:
            self._observer.onProgress(fraction, stage, secondsLeft)

    def _workerFailed(self, failure: RunFailure) -> None:
        self._end()
        self._observer.onFailed(failure.message, failure.details)

    def _workerCancelled(self) -> None:
        self._end()
        if self._whyStopped:
            self._observer.onFailed(self._whyStopped, "")
        else:
            self._observer.onCancelled()

    @oneRendering()
    def _workerFinished(self, result: SegmentationResult) -> None:
        if self._cancelled:  # a moment before it was done
            self._workerCancelled()
            return
        self._end()
        try:
            node, result = self._request.intoScene(result)
        except CascadeError as error:
            self._observer.onFailed(str(error), "")
        except Exception:
            message = _("The result of {name} could not be put into the scene because of an error in this extension.")
            self._observer.onFailed(message.format(name=self._request.scan.name), traceback.format_exc())
            raise
        else:
            self._observer.onFinished(node, result)
