"""Slicer module that segments the liver and its lesions on contrast-enhanced CT."""

from pathlib import Path
from typing import Annotated

import slicer
import vtk
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import Choice, parameterNodeWrapper
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


def registerSampleData():
    """Offer the sample CT in the Sample Data module."""
    from LiverLesionCascadeLib.gui.sample_data import registerSource

    registerSource(Path(__file__).parent / "Resources" / "Icons" / "LiverLesionCascadeSample.png")


@parameterNodeWrapper
class LiverLesionCascadeParameterNode:
    """What the user chose; saved with the scene.

    inputVolume: The CT to segment.
    outputSegmentation: The node that gets the segments; none for a new one.
    preset: "fast", or "paper" for the method exactly as published.
    device: "auto", "cpu", "cuda", "cuda:N" or "mps".
    """

    inputVolume: vtkMRMLScalarVolumeNode
    outputSegmentation: vtkMRMLSegmentationNode
    preset: Annotated[str, Choice(["fast", "paper"])] = "fast"
    device: str = "auto"


class LiverLesionCascadeWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath("UI/LiverLesionCascade.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(slicer.mrmlScene)
        self.logic = LiverLesionCascadeLogic()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.ui.segmentButton.connect("clicked(bool)", self.onSegment)
        self.initializeParameterNode()

    def cleanup(self):
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self):
        self.initializeParameterNode()

    def exit(self):
        self.setParameterNode(None)

    def onSceneStartClose(self, caller, event):
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event):
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self):
        self.setParameterNode(self.logic.getParameterNode())
        if not self._parameterNode.inputVolume:
            volumeNode = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
            if volumeNode:
                self._parameterNode.inputVolume = volumeNode

    def setParameterNode(self, parameterNode):
        """Show and follow a parameter node; None for none."""
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanSegment)
        self._parameterNode = parameterNode
        self._parameterNodeGuiTag = None
        if parameterNode:
            self._parameterNodeGuiTag = parameterNode.connectGui(self.ui)
            self.addObserver(parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanSegment)
            self._checkCanSegment()

    def _checkCanSegment(self, caller=None, event=None):
        ready = bool(self._parameterNode and self._parameterNode.inputVolume)
        self.ui.segmentButton.enabled = ready
        self.ui.segmentButton.toolTip = (
            _("Segment the liver and its lesions") if ready else _("Load a CT and select it as CT volume")
        )

    def onSegment(self):
        with slicer.util.tryWithErrorDisplay(_("The segmentation failed."), waitCursor=True):
            parameters = self._parameterNode
            outputNode = parameters.outputSegmentation
            replace = outputNode is not None and self.logic.holdsResult(outputNode)
            if replace and not slicer.util.confirmYesNoDisplay(
                _("{name} holds an earlier result. Replace it? What was edited in it is lost.").format(
                    name=outputNode.GetName()
                )
            ):
                return
            node = self.logic.segment(
                parameters.inputVolume,
                outputNode,
                preset=parameters.preset,
                device=parameters.device,
                replace=replace,
            )
            self.ui.statusLabel.text = _("{count} lesion(s) in {name}").format(
                count=self.logic.numberOfLesions(node), name=node.GetName()
            )


class LiverLesionCascadeLogic(ScriptedLoadableModuleLogic):
    """Everything the module does, without its panel.

    From the Python console::

        logic = slicer.util.getModuleLogic("LiverLesionCascade")
        segmentationNode = logic.segment(slicer.util.getNode("CT"))

    :param segmenterFactory: makes the segmenter of a (bundle folder or None, device); a test hands in its own.
    """

    def __init__(self, segmenterFactory=None):
        super().__init__()
        self._segmenterFactory = segmenterFactory or loadSegmenter
        self._segmenter = None
        self._segmenterKey = None

    def getParameterNode(self):
        return LiverLesionCascadeParameterNode(super().getParameterNode())

    def segment(
        self,
        volumeNode: vtkMRMLScalarVolumeNode,
        outputNode: vtkMRMLSegmentationNode | None = None,
        preset: str = "fast",
        device: str = "auto",
        bundle: str | None = None,
        replace: bool = False,
        progress=None,
        cancel=None,
    ) -> vtkMRMLSegmentationNode:
        """Segment a CT and return the segmentation node; blocks until it is done.

        :param volumeNode: the CT. A linear parent transform is honoured.
        :param outputNode: node that gets the segments, in front of those it holds; a new one beside the volume if None.
        :param preset: "fast" or "paper".
        :param device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        :param bundle: folder of a model bundle; the shipped one if None.
        :param replace: replace an earlier result in ``outputNode``; other segments stay.
        :param progress: called with (fraction done, name of the stage).
        :param cancel: asked often; returning True ends the run.

        Raises a CascadeError, one clear sentence, where the input, the bundle, the device or the output is unfit, and
        CancelledError. The scene has not changed then.
        """
        from LiverLesionCascadeLib.scene.segmentation import segmentationNodeFromResult

        result = self.run(volumeNode, preset, device, bundle, progress, cancel)
        return segmentationNodeFromResult(result, volumeNode, outputNode, replace)

    def run(self, volumeNode, preset="fast", device="auto", bundle=None, progress=None, cancel=None):
        """Segment a CT and return the engine's SegmentationResult; the scene is not changed. See :meth:`segment`."""
        from LiverLesionCascadeLib.scene.volume import ctVolumeFromNode

        if volumeNode is None:
            raise ValueError(_("Select the CT to segment."))
        ct = ctVolumeFromNode(volumeNode)
        return self._segmenterFor(bundle, device).segment(ct, preset=preset, progress=progress, cancel=cancel)

    def _segmenterFor(self, bundle, device):
        """The segmenter of a bundle on a device, kept for the next run: loading the networks takes time."""
        key = (bundle, device)
        if self._segmenterKey != key:
            self._segmenter = self._segmenterFactory(bundle, device)
            self._segmenterKey = key
        return self._segmenter

    @staticmethod
    def holdsResult(segmentationNode: vtkMRMLSegmentationNode) -> bool:
        """Whether segments of an earlier result are in the node."""
        from LiverLesionCascadeLib.scene.segmentation import resultSegmentIds

        return bool(resultSegmentIds(segmentationNode))

    @staticmethod
    def numberOfLesions(segmentationNode: vtkMRMLSegmentationNode) -> int:
        """Lesions of a result that are in the node."""
        from LiverLesionCascadeLib.scene.segmentation import resultSegmentIds

        return max(len(resultSegmentIds(segmentationNode)) - 1, 0)


def loadSegmenter(bundle, device):
    """The engine's segmenter for a bundle folder (None: the shipped one) on a device."""
    from LiverLesionCascadeLib.engine.bundle import ModelBundle
    from LiverLesionCascadeLib.engine.errors import DeviceError

    try:
        from LiverLesionCascadeLib.engine.segmenter import Segmenter
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise DeviceError(
            _(
                "PyTorch is not installed. Install the extension PyTorch (Extensions Manager), restart Slicer, and "
                "install PyTorch in its module PyTorch Utils."
            )
        ) from error
    return Segmenter(ModelBundle.load(bundle) if bundle else ModelBundle.shipped(), device)


class LiverLesionCascadeTest(ScriptedLoadableModuleTest):
    """Tests of the module's own parts, with a segmenter that thresholds instead of a network."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def makeCT(self, name="CT"):
        """A volume with a liver of 110 HU and two lesions of 60 HU; and the masks (k, j, i) of the three."""
        import numpy as np

        k, j, i = np.ogrid[:24, :40, :36]
        liver = ((k - 12) / 9) ** 2 + ((j - 18) / 14) ** 2 + ((i - 15) / 11) ** 2 <= 1
        large = (k - 12) ** 2 + (j - 15) ** 2 + (i - 13) ** 2 <= 16
        small = (k - 14) ** 2 + (j - 24) ** 2 + (i - 18) ** 2 <= 5
        hu = np.full(liver.shape, 30, np.int16)
        hu[liver] = 110
        hu[large | small] = 60
        volumeNode = slicer.util.addVolumeFromArray(hu, name=name)
        volumeNode.SetSpacing(1.2, 1.1, 2.5)
        volumeNode.SetOrigin(-40, 20, 300)
        return volumeNode, {"Liver": liver, "Lesion 1": large, "Lesion 2": small}

    def makeLogic(self):
        return LiverLesionCascadeLogic(segmenterFactory=lambda bundle, device: ThresholdSegmenter())

    def assertSegments(self, segmentationNode, volumeNode, masks):
        """The node's first segments are these, in order, voxel for voxel."""
        import numpy as np

        segmentation = segmentationNode.GetSegmentation()
        for index, (name, mask) in enumerate(masks.items()):
            segmentId = segmentation.GetNthSegmentID(index)
            self.assertEqual(segmentation.GetSegment(segmentId).GetName(), name)
            found = slicer.util.arrayFromSegmentBinaryLabelmap(segmentationNode, segmentId, volumeNode)
            np.testing.assert_array_equal(found > 0, mask)

    def test_logic_segments_in_place_with_stock_terminology(self):
        volumeNode, masks = self.makeCT()
        stages = []
        node = self.makeLogic().segment(volumeNode, progress=lambda fraction, stage: stages.append(fraction))
        self.assertSegments(node, volumeNode, masks)
        self.assertEqual(node.GetName(), "CT liver and lesions")
        self.assertEqual(stages[-1], 1.0)
        liver, lesion = (node.GetSegmentation().GetNthSegment(index) for index in (0, 1))
        self.assertIn("~SCT^10200004^Liver~", liver.GetTerminology())
        self.assertIn("~SCT^4147007^Mass~", lesion.GetTerminology())
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        self.assertEqual(logic.GetSegmentStatus(liver), logic.InProgress)

    def test_logic_keeps_its_segmenter_between_runs(self):
        made = []

        def factory(bundle, device):
            made.append((bundle, device))
            return ThresholdSegmenter()

        logic = LiverLesionCascadeLogic(segmenterFactory=factory)
        volumeNode, _masks = self.makeCT()
        for device in ("cpu", "cpu", "auto"):
            logic.segment(volumeNode, device=device)
        self.assertEqual(made, [(None, "cpu"), (None, "auto")])

    def test_a_cancelled_run_leaves_the_scene_as_it_was(self):
        from LiverLesionCascadeLib.engine.errors import CancelledError

        volumeNode, _masks = self.makeCT()
        with self.assertRaises(CancelledError):
            self.makeLogic().segment(volumeNode, cancel=lambda: True)
        self.assertIsNone(slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSegmentationNode"))

    def test_a_person_s_segments_survive_a_replaced_result(self):
        import numpy as np

        logic = self.makeLogic()
        volumeNode, masks = self.makeCT()
        node = logic.segment(volumeNode)
        cyst = np.zeros(masks["Liver"].shape, np.uint8)
        cyst[2:5, 2:5, 2:5] = 1
        segmentId = node.GetSegmentation().AddEmptySegment("cyst", "Cyst")
        slicer.util.updateSegmentBinaryLabelmapFromArray(cyst, node, segmentId, volumeNode)
        self.assertTrue(logic.holdsResult(node))
        self.assertIs(logic.segment(volumeNode, node, replace=True), node)
        self.assertSegments(node, volumeNode, masks | {"Cyst": cyst > 0})
        self.assertEqual(node.GetSegmentation().GetNumberOfSegments(), 4)

    def test_a_scene_saved_and_loaded_has_the_same_segments_and_choices(self):
        import os
        import tempfile

        volumeNode, masks = self.makeCT()
        logic = self.makeLogic()
        logic.segment(volumeNode)
        parameterNode = logic.getParameterNode()
        parameterNode.inputVolume = volumeNode
        parameterNode.preset = "paper"
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "scene.mrb")
            self.assertTrue(slicer.util.saveScene(path))
            slicer.mrmlScene.Clear()
            slicer.util.loadScene(path)
        volumeNode = slicer.util.getNode("CT")
        self.assertSegments(slicer.util.getNode("CT liver and lesions"), volumeNode, masks)
        parameterNode = logic.getParameterNode()
        self.assertIs(parameterNode.inputVolume, volumeNode)
        self.assertEqual(parameterNode.preset, "paper")

    def test_the_panel_segments_the_selected_volume_into_a_new_node_each_time(self):
        slicer.util.selectModule("LiverLesionCascade")
        widget = slicer.modules.LiverLesionCascadeWidget
        widget.logic = self.makeLogic()
        widget.initializeParameterNode()
        self.assertFalse(widget.ui.segmentButton.enabled)
        self.assertEqual(widget.ui.segmentButton.toolTip, _("Load a CT and select it as CT volume"))
        volumeNode, masks = self.makeCT()
        widget.ui.inputSelector.setCurrentNode(volumeNode)
        self.assertTrue(widget.ui.segmentButton.enabled)
        widget.ui.segmentButton.click()
        widget.ui.segmentButton.click()
        nodes = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
        self.assertEqual(len(nodes), 2)
        for node in nodes:
            self.assertSegments(node, volumeNode, masks)
        self.assertEqual(widget.ui.statusLabel.text, f"2 lesion(s) in {nodes[-1].GetName()}")

    def test_the_panel_survives_a_closed_scene(self):
        slicer.util.selectModule("LiverLesionCascade")
        widget = slicer.modules.LiverLesionCascadeWidget
        volumeNode, _masks = self.makeCT()
        widget.ui.inputSelector.setCurrentNode(volumeNode)
        slicer.mrmlScene.Clear()
        self.assertFalse(widget.ui.segmentButton.enabled)


class ThresholdSegmenter:
    """Stands in for the engine's segmenter in tests: 50..80 HU is lesion, 100..120 HU liver."""

    def segment(self, ct, preset="fast", progress=None, cancel=None):
        import numpy as np
        from LiverLesionCascadeLib.engine.errors import CancelledError
        from LiverLesionCascadeLib.engine.lesions import label_lesions, measure_lesions
        from LiverLesionCascadeLib.engine.result import ProbabilityBox, SegmentationResult

        if cancel is not None and cancel():
            raise CancelledError("The run was cancelled.")
        lesion = (ct.hu > 50) & (ct.hu < 80)
        probability = ProbabilityBox(lesion.astype(np.float16), (0, 0, 0))
        instances = label_lesions(lesion)
        if progress is not None:
            progress(1.0, "done")
        return SegmentationResult(
            ct=ct,
            liver=((ct.hu > 100) & (ct.hu < 120)) | lesion,
            lesions=instances,
            liver_probability=probability,
            lesion_probability=probability,
            table=measure_lesions(instances, ct.hu, ct.geometry, probability),
            bundle_name="threshold",
            bundle_version="1",
            preset=preset,
            device="cpu",
        )
