"""Slicer module that trains the cascade, follows the training, and evaluates and hands on its model."""

import pathlib
from typing import Annotated

import qt
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

# The libraries are imported where they are used, so that Slicer starts without them; torch only when a run needs it.

DEVICES = ["auto", "cpu", "cuda", "cuda:0", "cuda:1", "cuda:2", "cuda:3", "mps"]
POLL_MS = 1000


class LiverLesionCascadeTraining(ScriptedLoadableModule):
    """Describes the module to Slicer."""

    def __init__(self, parent):
        super().__init__(parent)
        self.parent.title = _("Liver Lesion Cascade Training")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.dependencies = ["LiverLesionCascade"]
        self.parent.contributors = ["Liver Lesion Cascade contributors"]
        self.parent.helpText = _(
            "Trains the cascade of the Liver Lesion Cascade module on cases of your own, and evaluates it. Choose a "
            "folder of labelled CTs and a run folder, and click Start training. Add this case collects cases that were "
            "corrected in Slicer."
        )
        self.parent.acknowledgementText = _(
            "The cascade of residual networks is that of Bi et al., Automatic Liver Lesion Detection using Cascaded "
            "Deep Residual Networks, 2017."
        )


@parameterNodeWrapper
class LiverLesionCascadeTrainingParameterNode:
    """What the user chose; saved with the scene. Folders are texts, empty for none.

    trainFolder, validationFolder: Labelled CTs of any layout; validation cases are drawn if there is no folder.
    runFolder: Checkpoints, curves and the model of a training.
    recipe: "compact" or "paper".
    startBundle: Bundle to start from.
    device: Where to train.
    outliveSlicer: Whether the training goes on when Slicer is closed.
    casesFolder: Labelled CTs to evaluate on.
    caseVolume, caseSegmentation, caseFolder, casePatient: The case to add to a training folder.
    """

    trainFolder: str = ""
    validationFolder: str = ""
    runFolder: str = ""
    recipe: Annotated[str, Choice(["compact", "paper"])] = "compact"
    startBundle: str = ""
    device: Annotated[str, Choice(DEVICES)] = "auto"
    outliveSlicer: bool = True
    casesFolder: str = ""
    caseVolume: vtkMRMLScalarVolumeNode
    caseSegmentation: vtkMRMLSegmentationNode
    caseFolder: str = ""
    casePatient: str = ""


class LiverLesionCascadeTrainingWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel. The training runs in a process of its own: the run folder, not this object, knows all about it."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath("UI/LiverLesionCascadeTraining.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(slicer.mrmlScene)
        self.logic = LiverLesionCascadeTrainingLogic()
        self.makeParts()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        slicer.app.connect("aboutToQuit()", self.onSlicerQuits)
        self.timer = qt.QTimer()
        self.timer.setInterval(POLL_MS)
        self.timer.connect("timeout()", self.onTimer)
        self.timer.start()
        self.initializeParameterNode()

    def makeParts(self):
        from LiverLesionCascadeTrainingLib.gui.case_panel import CasePanel
        from LiverLesionCascadeTrainingLib.gui.path_fields import PathFields
        from LiverLesionCascadeTrainingLib.gui.result_panel import ResultPanel
        from LiverLesionCascadeTrainingLib.gui.training_panel import TrainingPanel

        self.pathFields = PathFields(
            {
                "trainFolder": self.ui.trainPathLineEdit,
                "validationFolder": self.ui.validationPathLineEdit,
                "startBundle": self.ui.startBundlePathLineEdit,
                "runFolder": self.ui.runPathLineEdit,
                "casesFolder": self.ui.casesPathLineEdit,
                "caseFolder": self.ui.casePathLineEdit,
            }
        )
        self.results = ResultPanel(self.ui, self.chooseFolder)
        self.training = TrainingPanel(self.ui, slicer.app.userSettings(), self.results.setRun)
        self.caseAdder = CasePanel(self.ui)

    @property
    def parts(self):
        return (self.training, self.results, self.caseAdder)

    def cleanup(self):
        self.timer.stop()
        slicer.app.disconnect("aboutToQuit()", self.onSlicerQuits)
        self.setParameterNode(None)
        self.removeObservers()
        for part in self.parts:
            part.close()

    def enter(self):
        self.initializeParameterNode()

    def onSceneStartClose(self, caller, event):
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event):
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSlicerQuits(self):
        self.training.onSlicerQuits()

    def onTimer(self):
        """Follow what is at work, also while another module is used, as the curves may be in view; a panel that nobody
        sees is left alone otherwise."""
        for part in self.parts:
            if part.busy or self.parent.isEntered:
                part.poll()

    def initializeParameterNode(self):
        self.setParameterNode(self.logic.getParameterNode())

    def setParameterNode(self, parameterNode):
        """Show and follow a parameter node; None for none."""
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParametersModified)
        self._parameterNode = parameterNode
        self._parameterNodeGuiTag = None
        for part in self.parts:
            part.setParameters(parameterNode)
        self.pathFields.show(parameterNode)
        if parameterNode:
            self._parameterNodeGuiTag = parameterNode.connectGui(self.ui)
            self.addObserver(parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParametersModified)

    def onParametersModified(self, caller=None, event=None):
        self.pathFields.show(self._parameterNode)
        for part in self.parts:
            part.update()

    def chooseFolder(self):
        return qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Folder for the model"))


class LiverLesionCascadeTrainingLogic(ScriptedLoadableModuleLogic):
    """Training and evaluation without the panel; both block, and a training takes hours.

    From the Python console::

        logic = slicer.util.getModuleLogic("LiverLesionCascadeTraining")
        bundle = logic.train(["/data/train"], ["/data/validation"], "/data/run")
        print(logic.table(logic.evaluate(["/data/validation"], bundle)))
    """

    def getParameterNode(self):
        return LiverLesionCascadeTrainingParameterNode(super().getParameterNode())

    def train(self, trainFolders, validationFolders, runFolder, recipe="compact", device="auto", report=print):
        """Train a cascade and return the folder of its bundle. After an interruption the same call goes on.

        :param trainFolders: folders of cases in LiTS layout.
        :param validationFolders: the same of other patients.
        :param runFolder: where checkpoints, logs and the bundle go.
        :param recipe: "compact" or "paper".
        :param device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        :param report: called with lines of text.

        Raises a CascadeError with one clear sentence where the cases, the run folder or the device are unfit.
        """
        from LiverLesionCascadeLib.engine.model.device import select_device
        from LiverLesionCascadeTrainingLib.bundles.export import default_card, export_bundle
        from LiverLesionCascadeTrainingLib.datasets.cases import find_splits
        from LiverLesionCascadeTrainingLib.recipes import RECIPES
        from LiverLesionCascadeTrainingLib.training.cascade_training import CascadeTraining

        runFolder = pathlib.Path(runFolder)
        training = CascadeTraining(
            runFolder,
            RECIPES[recipe],
            find_splits([pathlib.Path(f) for f in trainFolders], [pathlib.Path(f) for f in validationFolders]),
            select_device(device),
            report,
        )
        training.prepare()
        for job in training.recipe.jobs:
            training.run(job)
        bundle = runFolder / "bundle"
        export_bundle(training, bundle, default_card(recipe))
        return bundle

    def evaluate(self, caseFolders, bundle=None, preset="fast", device="auto", progress=None):
        """Segment cases that have references and return the EvaluationSummary.

        :param caseFolders: folders of cases in LiTS layout, or prepared data sets, of which the validation cases count.
        :param bundle: folder of a model bundle; the shipped one if None.
        :param progress: called with (cases done, cases, name of the case).

        Raises a CascadeError with one clear sentence where the cases, the bundle or the device are unfit.
        """
        from LiverLesionCascadeLib.engine.loading import load_segmenter
        from LiverLesionCascadeLib.engine.passes.presets import PRESETS
        from LiverLesionCascadeTrainingLib.cases.splits import VALIDATION
        from LiverLesionCascadeTrainingLib.datasets.cases import find_cases
        from LiverLesionCascadeTrainingLib.evaluation.evaluation_task import evaluate_cases

        segmenter = load_segmenter(bundle, device)
        cases = find_cases([pathlib.Path(folder) for folder in caseFolders], VALIDATION)
        return evaluate_cases(cases, PRESETS[preset], segmenter, progress)

    @staticmethod
    def table(summary):
        """The measures of each case and their means, as text."""
        from LiverLesionCascadeTrainingLib.evaluation.evaluation_text import format_table

        return format_table(summary)


class LiverLesionCascadeTrainingTest(ScriptedLoadableModuleTest):
    """Tests of the module's own parts; the training engine has tests of its own."""

    def setUp(self):
        import tempfile

        from LiverLesionCascadeTrainingLib.gui.training_panel import LAST_RUN_SETTING

        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        self.settings = slicer.app.userSettings()
        self.lastRun = self.settings.value(LAST_RUN_SETTING, "")
        self.settings.setValue(LAST_RUN_SETTING, "")
        slicer.mrmlScene.Clear()

    def tearDown(self):
        from LiverLesionCascadeTrainingLib.gui.training_panel import LAST_RUN_SETTING

        slicer.mrmlScene.Clear()
        self.settings.setValue(LAST_RUN_SETTING, self.lastRun)
        self.folder.cleanup()

    def openPanel(self):
        slicer.util.selectModule("LiverLesionCascadeTraining")
        return slicer.modules.LiverLesionCascadeTrainingWidget

    def writeRun(self, state="training"):
        """A run folder as a trainer leaves it while it works; this process stands for the trainer."""
        import os
        import time

        from LiverLesionCascadeTrainingLib.runs.run_folder import RunFolder, RunStatus

        run = RunFolder(self.root / "run")
        (run.path / "liver").mkdir(parents=True, exist_ok=True)
        (run.path / "liver" / "log.csv").write_text(
            "step,loss,validation_liver_dice,validation_lesion_dice\n5,0.9,,\n10,0.6,0.7,0.2\n"
        )
        now = time.time()
        run.write_status(RunStatus(os.getpid(), now, now, state, "liver", 10, 40, 90.0, 21.0, "cuda:0", 1500.0))
        return run

    def test_a_folder_without_cases_gives_one_clear_line(self):
        from LiverLesionCascadeLib.engine.errors import CascadeError

        logic = LiverLesionCascadeTrainingLogic()
        with self.assertRaises(CascadeError):
            logic.train([self.root], [self.root], self.root / "run")

    def test_the_logic_trains_and_evaluates(self):
        from unittest import mock

        from LiverLesionCascadeTrainingLib.datasets.added_case import save_arrays, write_case
        from LiverLesionCascadeTrainingLib.recipes import RECIPES
        from LiverLesionCascadeTrainingLib.scene_case import caseFromScene
        from LiverLesionCascadeTrainingLib.training.cascade_training import scaled

        case = caseFromScene(*self.makeCase())
        save_arrays(self.root, case.hu, case.labels, case.ijkToLps)
        folders = [self.root / name for name in ("first", "second", "validation")]
        for folder in folders:
            write_case(self.root, folder, folder.name)
        logic, lines = LiverLesionCascadeTrainingLogic(), []
        with mock.patch.dict(RECIPES, demo=scaled(RECIPES["demo"], 0.001)):
            bundle = logic.train(folders[:2], folders[2:], self.root / "run", "demo", "cpu", lines.append)
        self.assertEqual(len(logic.evaluate(folders[2:], bundle, device="cpu").cases), 1)
        self.assertTrue(any("lesion" in line for line in lines))

    def test_the_panel_says_why_a_training_cannot_start(self):
        widget = self.openPanel()
        self.assertFalse(widget.ui.startButton.enabled)
        self.assertEqual(widget.ui.reasonLabel.text, _("Choose the folder of training cases."))
        widget.ui.trainPathLineEdit.currentPath = str(self.root)
        widget.ui.runPathLineEdit.currentPath = str(self.root / "run")
        self.assertTrue(widget.ui.startButton.enabled)
        self.assertEqual(widget.ui.reasonLabel.text, "")

    def test_the_panel_follows_and_steers_the_training_in_the_run_folder(self):
        import json

        run = self.writeRun()
        widget = self.openPanel()
        widget.ui.runPathLineEdit.currentPath = str(run.path)
        self.assertFalse(widget.ui.startButton.enabled)
        self.assertEqual(widget.ui.progressBar.value, 10)
        self.assertIn("1.5 GB", widget.ui.detailsLabel.text)
        widget.ui.pauseButton.click()
        self.assertEqual(json.loads((run.path / "control.json").read_text()), {"command": "pause"})
        self.writeRun("paused")
        widget.onTimer()
        self.assertEqual(widget.ui.pauseButton.text, _("Resume"))

    def test_the_curves_are_in_the_plot_view_s_chart(self):
        run = self.writeRun()
        widget = self.openPanel()
        widget.ui.runPathLineEdit.currentPath = str(run.path)
        widget.ui.curvesButton.click()
        chart = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLPlotChartNode")
        self.assertEqual(slicer.app.applicationLogic().GetSelectionNode().GetActivePlotChartID(), chart.GetID())
        found = {}
        for index in range(chart.GetNumberOfPlotSeriesNodes()):
            series = chart.GetNthPlotSeriesNode(index)
            values = [
                slicer.util.arrayFromTableColumn(series.GetTableNode(), name).tolist()
                for name in (series.GetXColumnName(), series.GetYColumnName())
            ]
            found[series.GetName()] = values
        self.assertEqual(
            found,
            {_("Loss"): [[5, 10], [0.9, 0.6]], _("Liver Dice"): [[10], [0.7]], _("Lesion Dice"): [[10], [0.2]]},
        )

    def test_a_corrected_segmentation_becomes_a_training_case(self):
        import numpy as np
        from LiverLesionCascadeTrainingLib.datasets.added_case import save_arrays, write_case
        from LiverLesionCascadeTrainingLib.datasets.cases import find_cases
        from LiverLesionCascadeTrainingLib.scene_case import caseFromScene

        volumeNode, segmentationNode = self.makeCase()
        case = caseFromScene(volumeNode, segmentationNode)
        self.assertEqual(case.unused, ("Cyst",))
        save_arrays(self.root, case.hu, case.labels, case.ijkToLps)
        name = write_case(self.root, self.root / "train", "patient 7")
        (found,) = find_cases([self.root / "train"])
        self.assertEqual((found.name, found.patient), (name, "patient 7"))
        _hu, labels, spacing = found.load()
        self.assertEqual(np.bincount(labels.ravel()).tolist()[1:], [(case.labels == 1).sum(), (case.labels == 2).sum()])
        np.testing.assert_allclose(spacing, (2.5, 1.1, 1.2), rtol=1e-5)

    def makeCase(self):
        """A CT with a liver, a lesion in it, and a segment that is neither."""
        import numpy as np

        k, j, i = np.ogrid[:16, :40, :36]
        liver = ((k - 8) / 6) ** 2 + ((j - 18) / 14) ** 2 + ((i - 15) / 11) ** 2 <= 1
        lesion = (k - 8) ** 2 + (j - 15) ** 2 + (i - 13) ** 2 <= 12
        hu = np.full(liver.shape, 30, np.int16)
        hu[:, 0] = -1000
        hu[liver], hu[lesion] = 110, 60
        volumeNode = slicer.util.addVolumeFromArray(hu, name="CT")
        volumeNode.SetSpacing(1.2, 1.1, 2.5)
        segmentationNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
        segmentationNode.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
        for name, mask in (("Liver", liver), ("Tumor 1", lesion), ("Cyst", k + j + i < 3)):
            segmentId = segmentationNode.GetSegmentation().AddEmptySegment("", name)
            slicer.util.updateSegmentBinaryLabelmapFromArray(
                mask.astype(np.uint8), segmentationNode, segmentId, volumeNode
            )
        return volumeNode, segmentationNode

    def test_the_choices_are_saved_with_the_scene(self):
        widget = self.openPanel()
        widget.ui.trainPathLineEdit.currentPath = "/data/train"
        widget.ui.recipeComboBox.currentIndex = 1
        widget.ui.outliveCheckBox.checked = False
        path = str(self.root / "scene.mrb")
        self.assertTrue(slicer.util.saveScene(path))
        slicer.mrmlScene.Clear()
        self.assertEqual(widget.ui.trainPathLineEdit.currentPath, "")
        slicer.util.loadScene(path)
        widget.initializeParameterNode()
        self.assertEqual(widget.ui.trainPathLineEdit.currentPath, "/data/train")
        self.assertEqual(widget.ui.recipeComboBox.currentText, "paper")
        self.assertFalse(widget.ui.outliveCheckBox.checked)
