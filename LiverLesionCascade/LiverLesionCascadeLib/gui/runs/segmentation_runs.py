"""Runs of the worker as the scene knows them: from a volume node to a segmentation node."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import replace

import slicer
from slicer.i18n import tr as _

from ...engine.errors import CascadeError, InputError, OutputError
from ...engine.findings import Finding
from ...engine.run_options import RunOptions
from ...engine.results.source_result import SourceResult
from ...scene.nodes.probabilities import addProbabilityVolumes
from ...scene.tools.refinement import Refinement, editsIn, requireCorrections
from ...scene.workspace.replace_history import ReplaceHistory
from ...scene.tools.scan_input import scanFromNode
from ...scene.workspace.segmentation import requireUsable, segmentationNodeFromResult
from ...scene.workspace.workspace import workspaceOf
from ...worker.client import WorkerClient
from ...worker.submitted_run import RunFailure, RunHandlers, VolumeData


class SegmentationRuns:
    """Submits volume nodes to the worker and puts its results into the scene, in the event loop of Slicer.

    :param makeClient: makes the worker's client; called on first use, and on the next use after ``close``.
    """

    def __init__(self, makeClient: Callable[[], WorkerClient]):
        self.history = ReplaceHistory()
        self._makeClient = makeClient
        self._client: WorkerClient | None = None
        self._runs: list[SegmentationRun] = []

    @property
    def client(self) -> WorkerClient:
        """The worker's client; the process itself starts with the first run, or by its ``prepare``."""
        if self._client is None:
            self._client = self._makeClient()
        return self._client

    @property
    def runs(self) -> list[SegmentationRun]:
        """Runs that have not ended, in the order in which they were submitted."""
        return list(self._runs)

    def submit(
        self,
        volumeNode: slicer.vtkMRMLScalarVolumeNode,
        options: RunOptions,
        outputNode: slicer.vtkMRMLSegmentationNode | None = None,
        replace: bool = False,
        roiNode: slicer.vtkMRMLMarkupsROINode | None = None,
        onProgress: Callable[[float, str, float | None], None] | None = None,
        onFinished: Callable[[slicer.vtkMRMLSegmentationNode, SourceResult], None] | None = None,
        onFailed: Callable[[str, str], None] | None = None,
        onCancelled: Callable[[], None] | None = None,
    ) -> SegmentationRun:
        """Queue a volume and return at once.

        Exactly one of the last three functions is called, once, later. The result goes to the volume and the node
        given here, whatever is selected by then. Where the output node is gone or cannot take it any more, the result
        goes into a new one, and a finding says so. Removing the volume fails the run, closing the scene cancels it.

        :param outputNode: gets the segments; a new node beside the volume if None.
        :param replace: replace an earlier result in ``outputNode``, which ``history`` can undo.
        :param roiNode: only what lies in this region is segmented.
        :param onProgress: (fraction done, one of worker.submitted_run.STAGES, seconds left or None).
        :param onFinished: (segmentation node, result on the volume's grid).
        :param onFailed: (one sentence with the remedy, details for a report).

        Raises a CascadeError, one clear sentence, where volume, region or output are unfit.
        """
        if volumeNode is None or volumeNode.GetScene() is None:
            raise InputError(_("Select the CT to segment."))
        scan = scanFromNode(volumeNode, roiNode)
        if outputNode is not None:
            requireUsable(outputNode, volumeNode, replace)
        callbacks = [each or _nothing for each in (onProgress, onFinished, onFailed, onCancelled)]
        run = SegmentationRun(volumeNode, scan, outputNode, replace, self.history, self._runs.remove, *callbacks)
        run.start(self.client, options)
        self._runs.append(run)
        return run

    def refine(
        self,
        segmentationNode: slicer.vtkMRMLSegmentationNode,
        options: RunOptions,
        roiNode: slicer.vtkMRMLMarkupsROINode | None = None,
        onProgress: Callable[[float, str, float | None], None] | None = None,
        onFinished: Callable[[slicer.vtkMRMLSegmentationNode, Refinement], None] | None = None,
        onFailed: Callable[[str, str], None] | None = None,
        onCancelled: Callable[[], None] | None = None,
    ) -> SegmentationRun:
        """Queue a result to be refined from its edits and return at once; nothing changes until it is accepted.

        :param roiNode: only what lies in this region is refined.
        :param onFinished: (segmentation node, what would change).

        The other parameters are as for `submit`. Raises a CascadeError where there is nothing to refine.
        """
        workspace = requireCorrections(segmentationNode)
        scan = scanFromNode(workspace.volumeNode, roiNode)
        callbacks = [each or _nothing for each in (onProgress, onFinished, onFailed, onCancelled)]
        run = RefinementRun(workspace, scan, self._runs.remove, *callbacks)
        run.start(self.client, options)
        self._runs.append(run)
        return run

    def close(self) -> None:
        """Cancel every run and end the worker; blocks for a second at most. The next run starts another worker."""
        client, self._client = self._client, None
        if client is not None:
            client.close()


class SegmentationRun:
    """One volume on its way through the worker. Made by ``SegmentationRuns.submit``."""

    def __init__(
        self, volumeNode, scan, outputNode, replace, history, onEnded, onProgress, onFinished, onFailed, onCancelled
    ):
        self.volumeNode = volumeNode
        self._scan, self._outputNode, self._replace, self._history = scan, outputNode, replace, history
        self._onEnded = onEnded
        self._onProgress, self._onFinished, self._onFailed, self._onCancelled = (
            onProgress, onFinished, onFailed, onCancelled,
        )  # fmt: skip
        self._scene = volumeNode.GetScene()
        self._observers: list[int] = []
        self._workerRun = None
        self._showProbabilities = False
        self._cancelled = False
        self._whyStopped = ""

    def start(self, client: WorkerClient, options: RunOptions) -> None:
        """Queue it, and stop it when the volume leaves the scene or the scene is closed."""
        self._showProbabilities = options.keep_probabilities
        options = replace(options, keep_probabilities=True)  # thresholds are tried on them later
        volume = self._volumeData()
        handlers = RunHandlers(self._workerProgressed, self._workerFinished, self._workerFailed, self._workerCancelled)
        self._workerRun = client.submit(volume, options, handlers)
        self._observers = [
            self._scene.AddObserver(self._scene.NodeRemovedEvent, self._onNodeRemoved),
            self._scene.AddObserver(self._scene.StartCloseEvent, self._onSceneClosing),
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
            ).format(name=self._scan.name)
            self.cancel()

    def _onSceneClosing(self, _caller, _event):
        self.cancel()

    def _end(self):
        for tag in self._observers:
            self._scene.RemoveObserver(tag)
        self._onEnded(self)

    def _workerProgressed(self, fraction: float, stage: str, secondsLeft: float | None) -> None:
        if not self._cancelled:
            self._onProgress(fraction, stage, secondsLeft)

    def _workerFailed(self, failure: RunFailure) -> None:
        self._end()
        self._onFailed(failure.message, failure.details)

    def _workerCancelled(self) -> None:
        self._end()
        if self._whyStopped:
            self._onFailed(self._whyStopped, "")
        else:
            self._onCancelled()

    def _workerFinished(self, result: SourceResult) -> None:
        if self._cancelled:  # a moment before it was done
            self._workerCancelled()
            return
        self._end()
        try:
            node, result = self._intoScene(result)
        except CascadeError as error:
            self._onFailed(str(error), "")
        except Exception:
            message = _("The result of {name} could not be put into the scene because of an error in this extension.")
            self._onFailed(message.format(name=self._scan.name), traceback.format_exc())
            raise
        else:
            self._onFinished(node, result)

    def _volumeData(self) -> VolumeData:
        return VolumeData(self._scan.array, self._scan.ijkToLps, self._scan.name)

    def _intoScene(self, result: SourceResult) -> tuple[slicer.vtkMRMLSegmentationNode, SourceResult]:
        """The node, and the result on the whole volume, with a finding where the output had to be another."""
        result = self._scan.onWholeVolume(result)
        outputNode, reason = self._outputNode, ""
        if outputNode is not None and outputNode.GetScene() is None:
            outputNode, reason = None, _("{name} was removed.").format(name=outputNode.GetName())
        elif outputNode is not None:
            try:
                requireUsable(outputNode, self.volumeNode, self._replace)
            except OutputError as error:
                outputNode, reason = None, str(error)
        node = segmentationNodeFromResult(result, self.volumeNode, outputNode, self._replace, history=self._history)
        if reason:
            message = _("The result is in the new node {name}. {reason}").format(name=node.GetName(), reason=reason)
            result.findings = [*result.findings, Finding("new_output", "info", message)]
        if self._showProbabilities:
            addProbabilityVolumes(result, self.volumeNode)
        workspaceOf(node)  # from now on, every edit is known
        return node, result


class RefinementRun(SegmentationRun):
    """A result on its way through the worker, to be refined. Made by ``SegmentationRuns.refine``."""

    def __init__(self, workspace, scan, onEnded, *callbacks):
        super().__init__(workspace.volumeNode, scan, workspace.node, False, None, onEnded, *callbacks)
        self._workspace = workspace

    def _volumeData(self) -> VolumeData:
        edits = editsIn(self._workspace, self._scan)
        return VolumeData(self._scan.array, self._scan.ijkToLps, self._scan.name, edits)

    def _intoScene(self, result: SourceResult) -> tuple[slicer.vtkMRMLSegmentationNode, Refinement]:
        """The node, and what would change; nothing has changed yet."""
        workspace = workspaceOf(self._workspace.node)
        if workspace is not self._workspace:
            message = _("{name} was removed or is another result by now. Refine again.")
            raise OutputError(message.format(name=self._workspace.node.GetName()))
        return workspace.node, Refinement.ofScan(workspace, self._scan, result)


def _nothing(*_arguments):
    """For who was not asked to be told."""
