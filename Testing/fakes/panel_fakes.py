"""A panel under the harness, with fakes for the runs, the installer and the person who answers."""

import dataclasses
import types
from pathlib import Path

import numpy as np
import slicer_harness
from LiverLesionCascadeLib.engine.grid.boxed import Boxed
from LiverLesionCascadeLib.engine.grid.geometry import ImageGeometry
from LiverLesionCascadeLib.engine.measures.lesions import label_lesions, measure_lesions
from LiverLesionCascadeLib.engine.results.result import SegmentationResult

MODULE = Path(__file__).resolve().parents[2] / "LiverLesionCascade" / "LiverLesionCascade.py"


class FakeRun:
    """A submitted run; the test says what becomes of it."""

    def __init__(self, request, observer):
        self.volumeNode, self.roiName = request.volumeNode, request.scan.roiName
        self.options = dataclasses.replace(request.options, keep_probabilities=request.keepProbabilities)
        self.outputNode, self.replace = request.outputNode, request.replace
        self.onProgress, self.onFinished = observer.onProgress, observer.onFinished
        self.onFailed, self.onCancelled = observer.onFailed, observer.onCancelled
        self.cancelled = False

    def cancel(self):
        self.cancelled = True


class FakeClient:
    """Knows the devices once it has been prepared and the test calls ``onReady``."""

    def __init__(self):
        self.devices, self.device_note, self.onReady = [], "", None

    def prepare(self, on_ready=None):
        self.onReady = on_ready


class FakeRuns:
    """Stands in for SegmentationRuns."""

    def __init__(self):
        from LiverLesionCascadeLib.scene.workspace.replace_history import ReplaceHistory

        self.submitted, self.client, self.history, self.error = [], FakeClient(), ReplaceHistory(), None
        self.closed = False

    def close(self):
        self.closed = True

    def submit(self, request, observer):
        if self.error:
            raise self.error
        self.submitted.append(FakeRun(request, observer))
        return self.submitted[-1]

    def finish(self, run, result=None):
        """End a run as SegmentationRuns does: the segments are in the scene when the panel is told."""
        from LiverLesionCascadeLib.scene.nodes.one_change import oneRendering
        from LiverLesionCascadeLib.scene.workspace.segmentation import segmentationNodeFromResult
        from LiverLesionCascadeLib.scene.workspace.workspace import workspaceOf

        result = result or resultOf(run.volumeNode)
        with oneRendering():
            node = segmentationNodeFromResult(result, run.volumeNode, run.outputNode, run.replace, history=self.history)
            workspaceOf(node)
            run.onFinished(node, result)
        return node


class FakeInstaller:
    def __init__(self):
        self.installed, self.asked = True, 0

    def isInstalled(self):
        return self.installed

    def ensure(self):
        self.asked += 1
        return self.installed


class FakeQuestions:
    def __init__(self):
        self.answer, self.path, self.asked = None, "", []
        self.reading, self.readingAsked = False, 0

    def newOrReplace(self, nodeName):
        self.asked.append(nodeName)
        return self.answer

    def showChosenScan(self, volumeName):
        self.asked.append(volumeName)
        return True

    def readingLayout(self):
        self.readingAsked += 1
        return self.reading

    def addToLiver(self, ml):
        self.asked.append(round(ml, 1))
        return self.answer

    def bundleFolder(self):
        return self.path

    def bundleFile(self):
        return self.path

    def showDetails(self, message, details):
        self.asked.append((message, details))


def closePanel(opened):
    """What Slicer does when a module is unloaded; what still waits in the event loop finds the widgets gone."""
    import qt

    opened.closed = True
    slicer_harness.destroy_widget(opened.widget)
    qt.QApplication.processEvents()


def openPanel(runs=None):
    """The module's widget with fakes, entered; has ``runs``, ``installer`` and ``questions`` beside it."""
    import qt
    import slicer

    loaded = slicer_harness.LOADED.get("LiverLesionCascade") or slicer_harness.load(MODULE)
    parent = slicer.qSlicerWidget()
    parent.setLayout(qt.QVBoxLayout())
    parent.setMRMLScene(slicer.mrmlScene)
    parent.__dict__["isEntered"] = True
    runs, installer, questions = runs or FakeRuns(), FakeInstaller(), FakeQuestions()
    widget = loaded.module.LiverLesionCascadeWidget(parent, runs, installer, questions)
    widget.setup()
    widget.enter()
    widget.panel.doubleClickSeconds = 0
    return types.SimpleNamespace(
        widget=widget,
        parent=parent,
        ui=widget.ui,
        panel=widget.panel,
        runs=runs,
        installer=installer,
        questions=questions,
        closed=False,
    )


def makeCT(name="CT", more=0):
    """A volume node with a liver of 110 HU and two lesions of 60 HU in fat; nothing about it is to be noted.

    :param more: further lesions, of one size, 12 at most.
    """
    import slicer

    k, j, i = np.ogrid[:24, :160, :160]
    hu = np.full((24, 160, 160), -900, np.int16)
    hu[((j - 80) / 70) ** 2 + ((i - 80) / 74) ** 2 + 0 * k <= 1] = -90
    hu[((k - 12) / 9) ** 2 + ((j - 75) / 50) ** 2 + ((i - 60) / 45) ** 2 <= 1] = 110
    hu[((k - 12) / 4) ** 2 + ((j - 60) / 15) ** 2 + ((i - 50) / 15) ** 2 <= 1] = 60
    hu[((k - 14) / 2) ** 2 + ((j - 90) / 8) ** 2 + ((i - 70) / 8) ** 2 <= 1] = 60
    for number in range(more):
        row, column = divmod(number, 6)
        middle = 104 + 9 * row, 34 + 9 * column
        hu[((k - 12) / 1.5) ** 2 + ((j - middle[0]) / 3) ** 2 + ((i - middle[1]) / 3) ** 2 <= 1] = 60
    node = slicer.util.addVolumeFromArray(hu, name=name)
    node.SetSpacing(1.6, 1.6, 5.0)
    return node


def resultOf(volumeNode):
    """What the engine would find in such a volume."""
    from LiverLesionCascadeLib.scene.tools.scan_input import scanFromNode

    scan = scanFromNode(volumeNode)
    lesion = scan.array == 60
    instances = label_lesions(lesion)
    geometry = ImageGeometry(scan.array.shape, scan.ijkToLps)
    liver = (scan.array == 110) | lesion
    return SegmentationResult(
        grid=geometry,
        name=scan.name,
        liver=Boxed.mask(liver),
        lesions=Boxed.labels(instances),
        table=measure_lesions(instances, scan.array, geometry),
        liver_volume_ml=float(liver.sum()) * 0.0128,
        bundle_name="fake",
        bundle_version="1",
        preset="fast",
        device="cpu",
    )


def pump(condition, limit=400):
    """Let the event loop run until the condition holds."""
    import qt
    import slicer

    for _ in range(limit):
        slicer.app.processEvents()
        if condition():
            return
        qt.QThread.msleep(5)
    raise AssertionError("what was waited for did not come")


class Loop:
    """An event loop that a test turns by hand."""

    def __init__(self):
        self.calls = []

    def callLater(self, seconds, function):
        self.calls.append(function)

    def turn(self):
        """What waits now is called; how many calls that were."""
        calls, self.calls = self.calls, []
        for call in calls:
            call()
        return len(calls)
