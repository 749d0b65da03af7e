"""The module's self-test, as its button Reload and Test and Slicer's own test runs find it."""

from pathlib import Path

import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest

# What the tests use is imported by them: this file is read when Slicer starts.


class ModuleTest(ScriptedLoadableModuleTest):
    """The module's parts on a phantom, and the sample CT from download to saved scene with the shipped networks.

    The sample needs PyTorch, and a connection the first time.
    """

    LIVER_DICE, LESION_DICE = 0.95, 0.76

    def setUp(self):
        from ..panel.questions import READING_LAYOUT, SHOW_CHOSEN_SCAN

        slicer.mrmlScene.Clear()
        settings = slicer.app.userSettings()
        self.answers = {each: settings.value(each) for each in (READING_LAYOUT, SHOW_CHOSEN_SCAN)}
        for each in self.answers:
            settings.setValue(each, "no")  # a question would wait for a person

    def tearDown(self):
        settings = slicer.app.userSettings()
        for each, answer in self.answers.items():
            settings.remove(each) if answer is None else settings.setValue(each, answer)

    # -- on a phantom, with a segmenter that thresholds instead of a network

    def makeLogic(self, segmenterFactory):
        """The module's logic with another segmenter."""
        raise NotImplementedError

    def thresholdingLogic(self):
        from .self_test import ThresholdSegmenter

        return self.makeLogic(lambda bundle, device: ThresholdSegmenter())

    def addPhantom(self):
        from .self_test import addPhantom

        return addPhantom()

    def assertMasks(self, segmentationNode, volumeNode, masks):
        """The node's segments are these, in order, voxel for voxel."""
        import numpy as np

        from .self_test import masksOf

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
        node = self.thresholdingLogic().segment(volumeNode, progress=lambda fraction, stage: fractions.append(fraction))
        self.assertMasks(node, volumeNode, masks)
        self.assertTerminology(node)
        self.assertEqual(node.GetName(), "CT liver and lesions")
        self.assertEqual(fractions[-1], 1.0)

    def test_phantom_cancelled_leaves_the_scene_as_it_was(self):
        from ...engine.errors import CancelledError

        volumeNode, _masks = self.addPhantom()
        with self.assertRaises(CancelledError):
            self.thresholdingLogic().segment(volumeNode, cancel=lambda: True)
        self.assertIsNone(slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSegmentationNode"))

    def test_phantom_and_choices_survive_saving_and_loading_the_scene(self):
        volumeNode, masks = self.addPhantom()
        logic = self.thresholdingLogic()
        logic.segment(volumeNode)
        parameterNode = logic.getParameterNode()
        parameterNode.inputVolume = volumeNode
        quality = type(parameterNode.preset)
        parameterNode.preset = quality.paper
        self.saveAndLoadScene()
        volumeNode = slicer.util.getNode("CT")
        self.assertMasks(slicer.util.getNode("CT liver and lesions"), volumeNode, masks)
        parameterNode = logic.getParameterNode()
        self.assertIs(parameterNode.inputVolume, volumeNode)
        self.assertEqual(parameterNode.preset, quality.paper)

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
        from .sample_data import CATEGORY

        source = slicer.modules.sampleDataSources[CATEGORY][-1]
        self.assertTrue(Path(source.thumbnailFileName).is_file())
        source.customDownloader(source)
        return slicer.util.getNode(source.nodeNames[0])

    def startSample(self):
        """Load the sample and click Segment: the volume, the panel's widgets while the run goes on, and the condition
        that it has ended: what the button says then, and said before.
        """
        from .self_test import waitUntil

        volumeNode = self.loadSample()
        ui = self.openPanel()
        ui.inputSelector.setCurrentNode(volumeNode)
        waitUntil(lambda: ui.segmentButton.enabled, "the sample can be segmented")
        segment = ui.segmentButton.text
        ui.segmentButton.click()
        self.assertNotEqual(ui.segmentButton.text, segment)
        return volumeNode, ui, lambda: ui.segmentButton.text == segment

    def saveAndLoadScene(self):
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "scene.mrb")
            self.assertTrue(slicer.util.saveScene(path))
            slicer.mrmlScene.Clear()
            slicer.util.loadScene(path)

    def test_sample_from_click_to_saved_scene(self):
        from .self_test import masksOf, sampleDice

        volumeNode, _ui, _shown = self.segmentSample()
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
        from .self_test import waitUntil

        volumeNode, ui, ended = self.startSample()
        waitUntil(lambda: ui.progressBar.value >= 25, "a quarter of the run on the sample is done")
        ui.segmentButton.click()
        waitUntil(ended, "the run on the sample is cancelled")
        self.assertTrue(ui.segmentButton.enabled)
        self.assertEqual(ui.errorLabel.text, "")
        self.assertEqual(slicer.util.getNodesByClass("vtkMRMLSegmentationNode"), [])
        self.assertIs(ui.inputSelector.currentNode(), volumeNode)

    def segmentSample(self):
        """The sample's volume, the panel's widgets, and its result, which Segment has made."""
        from .self_test import waitUntil

        volumeNode, ui, ended = self.startSample()
        waitUntil(ended, "the run on the sample ends")
        self.assertEqual(ui.errorLabel.text, "")
        return volumeNode, ui, slicer.modules.LiverLesionCascadeWidget.panel.results.node

    def test_sample_refined_from_a_mark_by_clicks(self):
        from .self_test import dice, masksOf, miss, paintNew, waitUntil

        volumeNode, ui, node = self.segmentSample()
        lesion, mark = miss(node)
        others = masksOf(node, volumeNode)
        ui.editButton.click()
        segmentId = paintNew(node, volumeNode, "Missed", mark)
        ui.backButton.click()
        section = slicer.modules.LiverLesionCascadeWidget.panel.results.workbench.refine
        section.ui.refineCollapsibleButton.collapsed = False
        waitUntil(lambda: section.ui.refineButton.enabled, "the mark can be refined")
        refine = section.ui.refineButton.text
        section.ui.refineButton.click()
        waitUntil(lambda: section.ui.refineButton.text == refine, "the refinement ends")
        self.assertTrue((slicer.util.arrayFromSegmentBinaryLabelmap(node, segmentId, volumeNode) > 0)[mark].all())
        section.ui.acceptRefinementButton.click()
        refined = masksOf(node, volumeNode)["Missed"]
        self.assertTrue(refined[mark].all())
        self.assertGreater(dice(refined, lesion), 0.7)
        section.ui.undoRefinementButton.click()
        self.assertMasks(node, volumeNode, {**others, "Missed": mark})

    def test_sample_edited_and_segmented_again_keeps_what_a_person_did(self):
        from unittest import mock

        from ..panel.questions import Rerun
        from .self_test import masksOf, waitUntil

        volumeNode, ui, node = self.segmentSample()
        found = masksOf(node, volumeNode)
        segmentation = node.GetSegmentation()
        erased, cyst = found["Lesion 1"].copy(), found["Liver"].copy()
        for mask in (erased, cyst):
            inside = mask.ravel().nonzero()[0]
            mask.ravel()[inside[: len(inside) // 2]] = False
        ui.editButton.click()
        for segmentId, mask in (
            (segmentation.GetSegmentIdBySegmentName("Lesion 1"), erased),
            (segmentation.AddEmptySegment("", "Cyst"), cyst),
        ):
            slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype("uint8"), node, segmentId, volumeNode)
        ui.backButton.click()
        edited = masksOf(node, volumeNode)
        self.assertTrue((edited["Lesion 1"] == erased).all())

        panel = slicer.modules.LiverLesionCascadeWidget.panel
        with mock.patch.object(panel._questions, "newOrReplace", return_value=Rerun.REPLACE):
            segment = ui.segmentButton.text
            ui.segmentButton.click()
            waitUntil(lambda: ui.segmentButton.text == segment, "the second run on the sample ends")
        self.assertEqual(ui.errorLabel.text, "")
        self.assertIs(panel.results.node, node)
        again = masksOf(node, volumeNode)
        self.assertGreater((again["Lesion 1"] & found["Lesion 1"]).sum(), erased.sum())
        self.assertTrue((again["Cyst"] == cyst).all())

        ui.undoReplaceButton.click()
        self.assertMasks(node, volumeNode, edited)
