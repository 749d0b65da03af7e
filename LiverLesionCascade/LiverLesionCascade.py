"""Slicer module that segments the liver and its lesions on contrast-enhanced CT."""

import enum
import functools
import importlib.util
import logging
from pathlib import Path
from typing import Annotated

import slicer
import vtk
from LiverLesionCascadeLib.gui.registered import module_test
from slicer import vtkMRMLMarkupsROINode, vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper, parameterPack
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

# The rest of the library is imported where it is used, so that Slicer starts without it; torch only for a run.


class LiverLesionCascade(ScriptedLoadableModule):
    """Describes the module to Slicer."""

    def __init__(self, parent):
        super().__init__(parent)
        self.parent.title = _("Liver Lesion Cascade")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.dependencies = ["Segmentations", "Volumes"]
        self.parent.contributors = ["Liver Lesion Cascade contributors"]
        self.parent.helpText = _(
            "Segments the liver and its lesions on contrast-enhanced CT of the abdomen. Load a CT, select it and click "
            "Segment. For research use only, not a medical device."
        )
        self.parent.acknowledgementText = _(
            "The cascade of residual networks is that of Bi et al., Automatic Liver Lesion Detection using Cascaded "
            "Deep Residual Networks, 2017."
        )
        slicer.app.connect("startupCompleted()", registerSampleData)
        slicer.app.connect("startupCompleted()", registerSegmentStatistics)


def registerSampleData():
    """Offer the sample CT in the Sample Data module."""
    from LiverLesionCascadeLib.gui.registered.sample_data import registerSource

    registerSource(Path(__file__).parent / "Resources" / "Icons" / "LiverLesionCascadeSample.png")


def registerSegmentStatistics():
    """Offer the axial diameters in the module Segment Statistics, where Slicer has it."""
    if importlib.util.find_spec("SegmentStatistics") is not None:
        from LiverLesionCascadeLib.gui.registered.segment_statistics import register

        register()


class Quality(enum.Enum):
    """Presets of the engine, by name, as the panel calls them."""

    fast = "fast"
    paper = "paper"

    def label(self):
        return {"fast": _("Fast"), "paper": _("As published (slow)")}[self.value]


@parameterPack
class PostProcessingParameters:
    """Rules that are applied to the masks; see the engine's PostProcessing."""

    fillHoles: bool = True
    largestLiverComponent: bool = True
    lesionsInsideLiver: bool = True
    rejectUnlikelyLesions: bool = True
    splitLesions: bool = True
    minimumLesionMm: Annotated[float, WithinRange(0, 50)] = 3.0


@parameterNodeWrapper
class LiverLesionCascadeParameterNode:
    """What the user chose; saved with the scene.

    inputVolume: The CT to segment.
    outputSegmentation: The node that gets the segments; none for a new one.
    roi: The region to segment; none for the whole volume.
    preset: How thoroughly the scan is looked at.
    device: "auto", "cpu", "cuda:N" or "mps".
    bundle: Folder of a model bundle; empty for the shipped one.
    multiScale: The lesion pass at the paper's five scales, whatever the preset.
    crf: Refine the maps by the paper's 3D-CRF.
    keepProbabilities: Add the probability maps to the scene.
    """

    inputVolume: vtkMRMLScalarVolumeNode
    outputSegmentation: vtkMRMLSegmentationNode
    roi: vtkMRMLMarkupsROINode
    preset: Quality = Quality.fast
    device: str = "auto"
    bundle: str = ""
    multiScale: bool = False
    crf: bool = False
    keepProbabilities: bool = False
    postProcessing: PostProcessingParameters


class LiverLesionCascadeWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel in Slicer's module list; what it does is in LiverLesionCascadeLib.gui.panel.panel.

    :param runs: runs segmentations in the background; the logic's if None. A test hands in its own.
    :param installer: sees to PyTorch. A test hands in its own.
    :param questions: asks the user. A test hands in its own.
    """

    def __init__(self, parent=None, runs=None, installer=None, questions=None):
        self._runs, self._installer, self._questions = runs, installer, questions
        self.logic = self.panel = self._eventLoop = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None
        VTKObservationMixin.__init__(self)
        ScriptedLoadableModuleWidget.__init__(self, parent)

    def setup(self):
        from LiverLesionCascadeLib.gui.install.torch_installation import TorchInstaller
        from LiverLesionCascadeLib.gui.panel.panel import SegmentationPanel
        from LiverLesionCascadeLib.gui.panel.questions import Questions
        from LiverLesionCascadeLib.gui.runs import event_loop
        from LiverLesionCascadeLib.scene.workspace.workspace import useEventLoop

        ScriptedLoadableModuleWidget.setup(self)
        useEventLoop(event_loop.shared.callLater)
        self._eventLoop = event_loop.EventLoop()
        widget = slicer.util.loadUI(self.resourcePath("UI/LiverLesionCascade.ui"))
        self.layout.addWidget(widget)
        self.ui = slicer.util.childWidgetVariables(widget)
        widget.setMRMLScene(slicer.mrmlScene)
        self.logic = LiverLesionCascadeLogic(runs=self._runs)
        self.panel = SegmentationPanel(
            self.ui,
            self.logic.runs,
            self._installer or TorchInstaller(),
            self._questions or Questions(),
            self._eventLoop.callLater,
        )
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneChanged)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartImportEvent, self.onSceneStartImport)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneChanged)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.NodeRemovedEvent, self.onNodeRemoved)
        self.initializeParameterNode()

    def cleanup(self):
        """The module is unloaded or reloaded."""
        from LiverLesionCascadeLib.scene.workspace.workspace import closeWorkspaces

        self.setParameterNode(None)
        self.removeObservers()
        if self.panel:
            self.panel.cleanup()
            self._eventLoop.close()  # what still waits would find the widgets gone
        closeWorkspaces()
        if self.logic:
            self.logic.close()

    def enter(self):
        self.initializeParameterNode()
        self.panel.enter()

    def exit(self):
        self.panel.exit()
        self.setParameterNode(None)

    def onSceneStartClose(self, caller, event):
        self.panel.onSceneClosing()
        self.setParameterNode(None)

    def onSceneStartImport(self, caller, event):
        """A list of scans that fills meanwhile would choose one, and write it over the choice that is loaded."""
        self.setParameterNode(None)

    def onSceneChanged(self, caller, event):
        if self.parent.isEntered:
            self.initializeParameterNode()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def onNodeRemoved(self, caller, event, node):
        from LiverLesionCascadeLib.scene.workspace.workspace import removeCompanions

        if slicer.mrmlScene.IsClosing():
            return
        if isinstance(node, vtkMRMLSegmentationNode):  # also of a result that nobody looked at in this session
            removeCompanions(slicer.mrmlScene, node)
        self.panel.update()

    def initializeParameterNode(self):
        self.setParameterNode(self.logic.getParameterNode())
        if not self._parameterNode.inputVolume:
            from LiverLesionCascadeLib.scene.nodes.volume import shownVolumes

            for volumeNode in shownVolumes(slicer.mrmlScene)[:1]:
                self._parameterNode.inputVolume = volumeNode

    def setParameterNode(self, parameterNode):
        """Show and follow a parameter node; None for none."""
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParametersModified)
        self._parameterNode = parameterNode
        self._parameterNodeGuiTag = None
        if parameterNode:
            self._parameterNodeGuiTag = parameterNode.connectGui(self.ui)
            self.addObserver(parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParametersModified)
        if self.panel:
            self.panel.setParameters(parameterNode)

    def onParametersModified(self, caller, event):
        self.panel.update()


class LiverLesionCascadeLogic(ScriptedLoadableModuleLogic):
    """Everything the module does, without its panel.

    From the Python console, waiting for the result::

        logic = slicer.util.getModuleLogic("LiverLesionCascade")
        segmentationNode = logic.segment(slicer.util.getNode("CT"))

    and in the background, while Slicer can be used::

        def onFinished(segmentationNode, result):
            print(f"{segmentationNode.GetName()}: {len(result.table)} lesions, {result.lesion_volume_ml:.1f} mL")

        def onProgress(fraction, stage, secondsLeft):
            print(f"{stage}: {fraction:.0%}")

        run = logic.segmentAsync(slicer.util.getNode("CT"), onProgress, onFinished)
        # run.cancel() ends it

    :param segmenterFactory: makes the segmenter of a (bundle folder or None, device); a test hands in its own.
    :param runs: the background runs; those that all of Slicer shares if None. A test hands in its own.
    """

    def __init__(self, segmenterFactory=None, runs=None):
        super().__init__()
        # Kept for the next run: loading the networks takes time.
        self._segmenterFor = functools.lru_cache(maxsize=1)(segmenterFactory or loadSegmenter)
        self._runs = runs

    def getParameterNode(self):
        return LiverLesionCascadeParameterNode(super().getParameterNode())

    def segment(
        self,
        volumeNode: vtkMRMLScalarVolumeNode,
        outputNode: vtkMRMLSegmentationNode | None = None,
        *,
        replace: bool = False,
        roiNode: vtkMRMLMarkupsROINode | None = None,
        progress=None,
        cancel=None,
        **choices,
    ) -> vtkMRMLSegmentationNode:
        """Segment a CT in this process and return the segmentation node; blocks until it is done.

        :param volumeNode: the CT. A linear parent transform is honoured.
        :param outputNode: node that gets the segments, in front of those it holds; a new one beside the volume if None.
        :param replace: replace an earlier result in ``outputNode``; other segments stay. See :meth:`undoReplace`.
        :param roiNode: only what lies in this region is segmented.
        :param progress: called with (fraction done, name of the stage).
        :param cancel: asked often; returning True ends the run.
        :param choices: see :meth:`runOptions`.

        Raises a CascadeError, one clear sentence, where the input, the bundle, the device or the output is unfit, and
        CancelledError. The scene has not changed then.
        """
        request = self._segmentation(volumeNode, outputNode, replace, roiNode, choices)
        node, _result = self._compute(request, progress, cancel)
        return node

    def segmentAsync(
        self,
        volumeNode: vtkMRMLScalarVolumeNode,
        onProgress=None,
        onFinished=None,
        onFailed=None,
        onCancelled=None,
        *,
        outputNode: vtkMRMLSegmentationNode | None = None,
        replace: bool = False,
        roiNode: vtkMRMLMarkupsROINode | None = None,
        **choices,
    ):
        """Segment a CT in the background: returns a run at once, whose ``cancel()`` ends it. Runs are queued.

        Exactly one of the last three functions is called, once. Without ``onFailed`` a failure goes to the error log.

        :param onProgress: called with (fraction done, name of the stage, seconds left or None).
        :param onFinished: called with (segmentation node, result): see the engine's SegmentationResult.
        :param onFailed: called with (one sentence that says what to do, details for a report).
        :param onCancelled: called without arguments.
        :param outputNode, replace, roiNode: as in :meth:`segment`.
        :param choices: see :meth:`runOptions`.

        Raises a CascadeError where the volume, the region or the output is unfit.
        """
        request = self._segmentation(volumeNode, outputNode, replace, roiNode, choices)
        return self.runs.submit(request, self._observer(onProgress, onFinished, onFailed, onCancelled))

    def refine(
        self,
        segmentationNode: vtkMRMLSegmentationNode,
        *,
        roiNode: vtkMRMLMarkupsROINode | None = None,
        progress=None,
        cancel=None,
        **choices,
    ):
        """Carry what was painted and erased in a result on to what is around it; blocks until it is done.

        Nothing changes yet: the returned Refinement says by its ``summary()`` and ``changes()`` what would, and its
        ``accept()`` puts it into the segments; :meth:`undoRefinement` takes it out again. Voxels that were painted or
        erased, and reviewed lesions, stay as they are in any case.

        :param roiNode: only what lies in this region is refined.
        :param progress, cancel: as in :meth:`segment`.
        :param choices: see :meth:`runOptions`.

        Raises a CascadeError where there is nothing to refine or a choice is unfit, and CancelledError.
        """
        request = self._refinement(segmentationNode, roiNode, choices)
        _node, refinement = self._compute(request, progress, cancel)
        return refinement

    def refineAsync(
        self,
        segmentationNode: vtkMRMLSegmentationNode,
        onProgress=None,
        onFinished=None,
        onFailed=None,
        onCancelled=None,
        *,
        roiNode: vtkMRMLMarkupsROINode | None = None,
        **choices,
    ):
        """:meth:`refine` in the background: returns a run at once, whose ``cancel()`` ends it.

        The functions are called as those of :meth:`segmentAsync`, but ``onFinished`` with (segmentation node,
        Refinement).

        Raises a CascadeError where there is nothing to refine or a choice is unfit.
        """
        request = self._refinement(segmentationNode, roiNode, choices)
        return self.runs.submit(request, self._observer(onProgress, onFinished, onFailed, onCancelled))

    def _segmentation(self, volumeNode, outputNode, replace, roiNode, choices):
        from LiverLesionCascadeLib.gui.runs.run_request import SegmentationRequest

        options = self.runOptions(**choices)
        return SegmentationRequest(volumeNode, options, self.runs.history, outputNode, replace, roiNode)

    def _refinement(self, segmentationNode, roiNode, choices):
        from LiverLesionCascadeLib.gui.runs.run_request import RefinementRequest

        return RefinementRequest(segmentationNode, self.runOptions(**choices), roiNode)

    def _compute(self, request, progress, cancel):
        """What a request asks for, computed here and put into the scene."""
        from LiverLesionCascadeLib.engine.source_run import run_on_source

        ct, edits, options = request.scan.ctVolume(), request.edits(), request.options
        segmenter = self._segmenterFor(options.bundle, options.device)
        return request.intoScene(run_on_source(segmenter, ct, options, edits, progress, cancel))

    @staticmethod
    def _observer(onProgress, onFinished, onFailed, onCancelled):
        from LiverLesionCascadeLib.gui.runs.segmentation_runs import RunObserver

        def nothing(*_arguments):
            """For who was not asked to be told."""

        log = onFailed or (lambda message, details: logging.error("%s\n%s", message, details))
        return RunObserver(onProgress or nothing, onFinished or nothing, log, onCancelled or nothing)

    @staticmethod
    def undoRefinement(segmentationNode: vtkMRMLSegmentationNode) -> None:
        """Take the refinement that was accepted last back; what was edited since stays. Raises LookupError for none."""
        from LiverLesionCascadeLib.scene.tools.refinement import Refining
        from LiverLesionCascadeLib.scene.workspace.workspace import workspaceOf

        workspace = workspaceOf(segmentationNode)
        if workspace is None:
            raise LookupError(f"{segmentationNode.GetName()} holds no result.")
        workspace.tool(Refining).undo()

    @staticmethod
    def runOptions(
        preset: str = "fast",
        device: str = "auto",
        bundle: str | None = None,
        multiScale: bool = False,
        crf: bool = False,
        postProcessing=None,
        keepProbabilities: bool = False,
    ):
        """Choices of a run, as the engine's RunOptions.

        :param preset: "fast" or "paper".
        :param device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        :param bundle: folder of a model bundle; the shipped one if None.
        :param multiScale: run the lesion pass at the paper's five scales, whatever the preset.
        :param crf: refine the maps by the paper's 3D-CRF.
        :param postProcessing: rules instead of the preset's, an engine's PostProcessing.
        :param keepProbabilities: add the liver's and the lesions' probability maps to the scene.
        """
        from LiverLesionCascadeLib.engine.run_options import RunOptions

        return RunOptions(preset, device, bundle, multiScale, crf, postProcessing, keepProbabilities)

    @property
    def runs(self):
        """The background runs, a SegmentationRuns; one worker serves all of Slicer."""
        if self._runs is None:
            from LiverLesionCascadeLib.gui.runs.shared_runs import sharedRuns

            self._runs = sharedRuns()
        return self._runs

    def undoReplace(self, segmentationNode: vtkMRMLSegmentationNode) -> None:
        """Bring back the result, with its edits, that was replaced last in a node. Raises LookupError for none."""
        self.runs.history.undo(segmentationNode)

    def redoReplace(self, segmentationNode: vtkMRMLSegmentationNode) -> None:
        """Bring back what :meth:`undoReplace` took out. Raises LookupError for none."""
        self.runs.history.redo(segmentationNode)

    def close(self) -> None:
        """Cancel all background runs and end the worker; the next run starts another. Blocks for a second at most."""
        if self._runs is not None:
            self._runs.close()


def loadSegmenter(bundle, device):
    """The engine's segmenter for a bundle folder (None: the shipped one) on a device."""
    from LiverLesionCascadeLib.engine.errors import DeviceError
    from LiverLesionCascadeLib.engine.loading import load_segmenter

    try:
        return load_segmenter(bundle, device)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise DeviceError(
            _(
                "PyTorch is not installed. Install the extension PyTorch (Extensions Manager), restart Slicer, and "
                "install PyTorch in its module PyTorch Utils."
            )
        ) from error


class LiverLesionCascadeTest(module_test.ModuleTest):
    """See there."""

    def makeLogic(self, segmenterFactory):
        return LiverLesionCascadeLogic(segmenterFactory)
