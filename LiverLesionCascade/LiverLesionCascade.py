"""Slicer module that segments the liver and its lesions on contrast-enhanced CT."""

import enum
import importlib.util
import logging
from pathlib import Path
from typing import Annotated

import slicer
import vtk
from slicer import vtkMRMLMarkupsROINode, vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper, parameterPack
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

# The library is imported where it is used, so that Slicer starts without it; torch only when a run needs it.


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

    def onSceneChanged(self, caller, event):
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onNodeRemoved(self, caller, event):
        if not slicer.mrmlScene.IsClosing():
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
        self._segmenterFactory = segmenterFactory or loadSegmenter
        self._segmenter = None
        self._segmenterKey = None
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
        from LiverLesionCascadeLib.gui.runs.run_request import SegmentationRequest

        options = self.runOptions(**choices)
        request = SegmentationRequest.of(volumeNode, options, self.runs.history, outputNode, replace, roiNode)
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
        observer = self._observer(onProgress, onFinished, onFailed, onCancelled)
        return self.runs.submit(volumeNode, self.runOptions(**choices), observer, outputNode, replace, roiNode)

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
        from LiverLesionCascadeLib.gui.runs.run_request import RefinementRequest

        request = RefinementRequest.of(segmentationNode, self.runOptions(**choices), roiNode)
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
        observer = self._observer(onProgress, onFinished, onFailed, onCancelled)
        return self.runs.refine(segmentationNode, self.runOptions(**choices), observer, roiNode)

    def _compute(self, request, progress, cancel):
        """What a request asks for, computed here and put into the scene."""
        from LiverLesionCascadeLib.engine.source_run import run_on_source

        ct, edits, options = request.scan.ctVolume(), request.edits(), request.options
        segmenter = self._segmenterFor(options.bundle, options.device)
        return request.intoScene(run_on_source(segmenter, ct, options, edits, progress, cancel))

    @staticmethod
    def _observer(onProgress, onFinished, onFailed, onCancelled):
        from LiverLesionCascadeLib.gui.runs.segmentation_runs import RunObserver

        given = {"onProgress": onProgress, "onFinished": onFinished, "onCancelled": onCancelled}
        log = onFailed or (lambda message, details: logging.error("%s\n%s", message, details))
        return RunObserver(onFailed=log, **{name: function for name, function in given.items() if function})

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

    def _segmenterFor(self, bundle, device):
        """The segmenter of a bundle on a device, kept for the next run: loading the networks takes time."""
        key = (bundle, device)
        if self._segmenterKey != key:
            self._segmenter = self._segmenterFactory(bundle, device)
            self._segmenterKey = key
        return self._segmenter


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


class LiverLesionCascadeTest(ScriptedLoadableModuleTest):
    """The module's parts on a phantom, and the sample CT from download to saved scene with the shipped networks.

    The sample needs PyTorch, and a connection the first time.
    """

    LIVER_DICE, LESION_DICE = 0.95, 0.76

    def setUp(self):
        slicer.mrmlScene.Clear()

    # -- on a phantom, with a segmenter that thresholds instead of a network

    def makeLogic(self):
        from LiverLesionCascadeLib.gui.registered.self_test import ThresholdSegmenter

        return LiverLesionCascadeLogic(segmenterFactory=lambda bundle, device: ThresholdSegmenter())

    def addPhantom(self):
        from LiverLesionCascadeLib.gui.registered.self_test import addPhantom

        return addPhantom()

    def assertMasks(self, segmentationNode, volumeNode, masks):
        """The node's segments are these, in order, voxel for voxel."""
        import numpy as np
        from LiverLesionCascadeLib.gui.registered.self_test import masksOf

        found = masksOf(segmentationNode, volumeNode)
        self.assertEqual(list(found), list(masks))
        for name, mask in masks.items():
            np.testing.assert_array_equal(found[name], mask, err_msg=name)

    def assertTerminology(self, segmentationNode):
        """The liver comes first, masses after it; all wait for a person's review."""
        segmentation = segmentationNode.GetSegmentation()
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        for index in range(segmentation.GetNumberOfSegments()):
            segment = segmentation.GetNthSegment(index)
            code = "~SCT^4147007^Mass~" if index else "~SCT^10200004^Liver~"
            self.assertIn(code, segment.GetTerminology())
            self.assertEqual(segment.GetName(), f"Lesion {index}" if index else "Liver")
            self.assertEqual(logic.GetSegmentStatus(segment), logic.InProgress)

    def test_phantom_is_segmented_in_place_with_stock_terminology(self):
        volumeNode, masks = self.addPhantom()
        fractions = []
        node = self.makeLogic().segment(volumeNode, progress=lambda fraction, stage: fractions.append(fraction))
        self.assertMasks(node, volumeNode, masks)
        self.assertTerminology(node)
        self.assertEqual(node.GetName(), "CT liver and lesions")
        self.assertEqual(fractions[-1], 1.0)

    def test_phantom_cancelled_leaves_the_scene_as_it_was(self):
        from LiverLesionCascadeLib.engine.errors import CancelledError

        volumeNode, _masks = self.addPhantom()
        with self.assertRaises(CancelledError):
            self.makeLogic().segment(volumeNode, cancel=lambda: True)
        self.assertIsNone(slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSegmentationNode"))

    def test_phantom_and_choices_survive_saving_and_loading_the_scene(self):
        volumeNode, masks = self.addPhantom()
        logic = self.makeLogic()
        logic.segment(volumeNode)
        parameterNode = logic.getParameterNode()
        parameterNode.inputVolume = volumeNode
        parameterNode.preset = Quality.paper
        self.saveAndLoadScene()
        volumeNode = slicer.util.getNode("CT")
        self.assertMasks(slicer.util.getNode("CT liver and lesions"), volumeNode, masks)
        parameterNode = logic.getParameterNode()
        self.assertIs(parameterNode.inputVolume, volumeNode)
        self.assertEqual(parameterNode.preset, Quality.paper)

    def test_panel_says_what_is_missing_and_survives_a_closed_scene(self):
        ui = self.openPanel()
        self.assertFalse(ui.segmentButton.enabled)
        self.assertTrue(ui.reasonLabel.text)
        volumeNode, _masks = self.addPhantom()
        ui.inputSelector.setCurrentNode(volumeNode)
        slicer.mrmlScene.Clear()
        self.assertFalse(ui.segmentButton.enabled)
        self.assertTrue(ui.reasonLabel.text)

    # -- on the sample, with the shipped networks

    def openPanel(self):
        slicer.util.selectModule("LiverLesionCascade")
        widget = slicer.modules.LiverLesionCascadeWidget
        widget.panel.doubleClickSeconds = 0  # clicks of a test follow each other fast
        return widget.ui

    def loadSample(self):
        """The sample as its button in the Sample Data module loads it; that was registered when Slicer started."""
        from LiverLesionCascadeLib.gui.registered.sample_data import CATEGORY

        source = slicer.modules.sampleDataSources[CATEGORY][-1]
        self.assertTrue(Path(source.thumbnailFileName).is_file())
        source.customDownloader(source)
        return slicer.util.getNode(source.nodeNames[0])

    def startSample(self):
        """Load the sample and click Segment: the volume, and the panel's widgets while the run goes on."""
        from LiverLesionCascadeLib.gui.registered.self_test import waitUntil

        volumeNode = self.loadSample()
        ui = self.openPanel()
        ui.inputSelector.setCurrentNode(volumeNode)
        waitUntil(lambda: ui.segmentButton.enabled, "the sample can be segmented")
        ui.segmentButton.click()
        self.assertEqual(ui.segmentButton.text, _("Cancel"))
        return volumeNode, ui

    def saveAndLoadScene(self):
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "scene.mrb")
            self.assertTrue(slicer.util.saveScene(path))
            slicer.mrmlScene.Clear()
            slicer.util.loadScene(path)

    def test_sample_from_click_to_saved_scene(self):
        from LiverLesionCascadeLib.gui.registered.self_test import masksOf, sampleDice, waitUntil

        volumeNode, ui = self.startSample()
        waitUntil(lambda: ui.segmentButton.text == _("Segment"), "the run on the sample ends")
        self.assertEqual(ui.errorLabel.text, "")
        (node,) = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
        self.assertEqual(node.GetName(), f"{volumeNode.GetName()} liver and lesions")
        self.assertIs(node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()), volumeNode)
        self.assertTerminology(node)
        masks = masksOf(node, volumeNode)
        liverDice, lesionDice = sampleDice(masks)
        self.assertGreaterEqual(liverDice, self.LIVER_DICE)
        self.assertGreaterEqual(lesionDice, self.LESION_DICE)
        for name, mask in masks.items():
            self.assertTrue(mask.any(), name)
            self.assertTrue(masks["Liver"][mask].all(), f"{name} lies in the liver")

        names = volumeNode.GetName(), node.GetName()
        self.saveAndLoadScene()
        volumeNode, node = (slicer.util.getNode(name) for name in names)
        self.assertMasks(node, volumeNode, masks)
        self.assertTerminology(node)
        self.assertIs(node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()), volumeNode)

    def test_sample_cancelled_leaves_the_scene_as_it_was(self):
        from LiverLesionCascadeLib.gui.registered.self_test import waitUntil

        volumeNode, ui = self.startSample()
        waitUntil(lambda: ui.progressBar.value >= 25, "a quarter of the run on the sample is done")
        ui.segmentButton.click()
        waitUntil(lambda: ui.segmentButton.text == _("Segment"), "the run on the sample is cancelled")
        self.assertTrue(ui.segmentButton.enabled)
        self.assertEqual(ui.errorLabel.text, "")
        self.assertEqual(slicer.util.getNodesByClass("vtkMRMLSegmentationNode"), [])
        self.assertIs(ui.inputSelector.currentNode(), volumeNode)

    def test_sample_refined_from_a_mark_by_clicks(self):
        from LiverLesionCascadeLib.gui.registered.self_test import dice, masksOf, miss, paintNew, waitUntil
        from LiverLesionCascadeLib.scene.workspace.workspace import workspaceOf

        volumeNode = self.loadSample()
        ui = self.openPanel()
        panel = slicer.modules.LiverLesionCascadeWidget.panel
        node = slicer.util.getModuleLogic("LiverLesionCascade").segment(volumeNode)
        ui.inputSelector.setCurrentNode(volumeNode)
        lesion, mark = miss(node)
        others = masksOf(node, volumeNode)
        segmentId = paintNew(node, volumeNode, "Missed", mark)
        workspaceOf(node).flush()
        panel.update()
        section = panel.results.workbench.refine
        waitUntil(lambda: section.ui.refineButton.enabled, "the mark can be refined")
        section.ui.refineButton.click()
        waitUntil(lambda: section.ui.refineButton.text != _("Cancel"), "the refinement ends")
        self.assertTrue((slicer.util.arrayFromSegmentBinaryLabelmap(node, segmentId, volumeNode) > 0)[mark].all())
        section.ui.acceptRefinementButton.click()
        refined = masksOf(node, volumeNode)["Missed"]
        self.assertTrue(refined[mark].all())
        self.assertGreater(dice(refined, lesion), 0.7)
        section.ui.undoRefinementButton.click()
        self.assertMasks(node, volumeNode, {**others, "Missed": mark})

    def test_sample_edited_and_segmented_again_keeps_what_a_person_did(self):
        from LiverLesionCascadeLib.gui.registered.self_test import masksOf, waitUntil

        volumeNode = self.loadSample()
        self.openPanel()
        logic = slicer.util.getModuleLogic("LiverLesionCascade")
        node = logic.segment(volumeNode)
        found = masksOf(node, volumeNode)
        segmentation = node.GetSegmentation()
        erased, cyst = found["Lesion 1"].copy(), found["Liver"].copy()
        for mask in (erased, cyst):
            inside = mask.ravel().nonzero()[0]
            mask.ravel()[inside[: len(inside) // 2]] = False
        for segmentId, mask in (
            (segmentation.GetSegmentIdBySegmentName("Lesion 1"), erased),
            (segmentation.AddEmptySegment("", "Cyst"), cyst),
        ):
            slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype("uint8"), node, segmentId, volumeNode)
        edited = masksOf(node, volumeNode)
        self.assertTrue((edited["Lesion 1"] == erased).all())

        ended = []
        logic.segmentAsync(
            volumeNode,
            onFinished=lambda segmentationNode, result: ended.append(segmentationNode),
            onFailed=lambda message, details: ended.append(message),
            outputNode=node,
            replace=True,
        )
        waitUntil(lambda: ended, "the second run on the sample ends")
        self.assertIs(ended[0], node)
        again = masksOf(node, volumeNode)
        self.assertGreater((again["Lesion 1"] & found["Lesion 1"]).sum(), erased.sum())
        self.assertTrue((again["Cyst"] == cyst).all())

        logic.undoReplace(node)
        self.assertMasks(node, volumeNode, edited)
