"""The panel's behaviour: joins the widgets with the choices in the scene, the runs and the results."""

import logging
import time

import slicer
from slicer.i18n import tr as _

from ...engine.errors import CascadeError, InputError
from ...scene.nodes.volume import shownVolumes, volumeOf
from ...scene.tools.navigation import layoutNode, othersInView, showReadingLayout, showVolume
from ...scene.workspace.provenance import resultSegmentIds
from ..runs.run_request import RefinementRequest, SegmentationRequest
from ..runs.segmentation_runs import RunObserver
from ..sections.edit_page import EditPage, coverLesions
from ..sections.result_summary import findingsText, rememberRun, resultFindings
from ..sections.result_view import ResultView, latestResult
from ..widgets import showText, signalsBlocked
from .bundle_choice import BundleChoice
from .choices import runOptions, takePresetRules
from .device_choice import DeviceChoice
from .model_card_dialog import showModelCard
from .panel_state import buttonState
from .questions import Rerun
from .run_list import RunEntry, RunList
from .scan_check import ScanCheck

QUEUE_ROW_PIXELS = 24
QUEUE_ROWS = 4


class SegmentationPanel:
    """Shows what the parameter node, the scene and the runs say, and does what the buttons say.

    :param ui: the panel's widgets.
    :param runs: SegmentationRuns, or what does the same: submit, history, client.
    :param installer: TorchInstaller, or what does the same: isInstalled, ensure.
    :param questions: Questions, or what answers instead of a person.
    :param callLater: (seconds, function): the event loop calls the function once, later.
    """

    #: The second click of a double click on Segment does not cancel the run that the first one started.
    doubleClickSeconds = 0.5

    def __init__(self, ui, runs, installer, questions, callLater):
        self.ui = ui
        self._runs, self._installer, self._questions = runs, installer, questions
        self._callLater = callLater
        self._parameters = None
        self._list = RunList()
        self._failure, self._status = ("", ""), ""
        self._prepared = False
        self._shownId = ""
        self._isEntered = self._readingOffered = self._readingWaits = False
        self._closed = False
        self._check = ScanCheck(callLater, self.update)
        self.results = ResultView(ui, runs.history, callLater, self._refine)
        self.editPage = EditPage(ui.pages, ui.editPage, ui.panelPage)
        self.devices = DeviceChoice(ui.deviceSelector, ui.deviceNoteLabel, self._onDeviceChosen)
        self.bundles = BundleChoice(ui.bundleSelector, questions, self._onBundleChosen)
        ui.segmentButton.connect("clicked(bool)", self.onSegmentButton)
        ui.editButton.connect("clicked(bool)", self.onEdit)
        ui.backButton.connect("clicked(bool)", self.onBack)
        ui.modelCardButton.connect("clicked(bool)", lambda: showModelCard(self.bundles.folder()))
        ui.errorDetailsButton.connect("clicked(bool)", lambda: questions.showDetails(*self._failure))
        ui.presetSelector.connect("activated(int)", self._onPresetChosen)
        ui.queueList.connect("currentRowChanged(int)", self._onQueueRow)
        ui.roiSelector.connect("nodeAddedByUser(vtkMRMLNode*)", self._onRoiAdded)
        self.update()

    # -- life of the panel

    def setParameters(self, parameters):
        """Follow a parameter node; None while there is none."""
        self._parameters = parameters
        self.update()

    def enter(self):
        self._isEntered = True
        self.editPage.enter()
        self.results.workbench.enter()
        self._showLooks()
        self.update()
        if self._readingWaits:
            self._callLater(0, self._offerReading)

    def exit(self):
        self._isEntered = False
        self.editPage.leave()
        self.results.workbench.leave()

    def onSceneClosing(self):
        """The runs end with their scene, and what was said about it goes."""
        self.editPage.onSceneClosing()
        self._cancelAll()
        self._failure, self._status, self._shownId = ("", ""), "", ""
        self._readingWaits = False
        self.results.show(None)
        self._showLooks()
        self._check.start(None)

    def cleanup(self):
        """The module is unloaded or reloaded: nothing may call this object any more."""
        self.editPage.leave()
        self._cancelAll()
        self._closed = True
        self.results.cleanup()
        self._check.start(None)

    # -- what the panel shows

    def update(self):
        """Show the present state; cheap, called after every change."""
        if self._closed:
            return
        parameters = self._parameters
        volume = parameters.inputVolume if parameters else None
        if volume is not None and volume.GetID() != self._shownId:
            self._shownId = volume.GetID()
            self._callLater(0, self._showChosen)
        self._check.start(volume)
        if parameters:
            self.devices.show(parameters.device)
            self.bundles.show(parameters.bundle)
        self._showButton(volume)
        self._showProgress(volume)
        self._showQueue()
        message, details = self._failure
        showText(self.ui.errorLabel, message)
        self.ui.errorDetailsButton.visible = bool(details)
        showText(self.ui.statusLabel, self._status)
        if parameters:
            self._showResult()
        self._showFindings()
        if volume is not None:
            self._prepareWorker()

    def _showChosen(self):
        """The scan that is chosen comes into the views, where another one is there."""
        volume = slicer.mrmlScene.GetNodeByID(self._shownId) if self._shownId else None
        if volume is not None and othersInView(volume) and self._questions.showChosenScan(volume.GetName()):
            showVolume(volume)
            slicer.util.resetSliceViews()

    def _offerReading(self):
        """At the first result the views are laid out for reading, if the person wants it so; not while they work in
        another module, but when they come back."""
        self._readingWaits = not self._isEntered
        if self._isEntered and not self._readingOffered and layoutNode(slicer.mrmlScene) is not None:
            self._readingOffered = True
            if self._questions.readingLayout():
                showReadingLayout(slicer.mrmlScene)

    def _showResult(self):
        if self.editPage.isShown:
            edited = self.results.node
            if edited is not None and edited.GetScene() is not None:
                return  # it stays until Back, whichever result comes meanwhile
            self.editPage.close()
            self._showLooks()
        node = self._resultNode()
        if node is not self.results.node:
            self.results.show(node)

    def _showFindings(self):
        """What should be known before a run; not again what the result that is shown says already."""
        said = {message for _severity, message in resultFindings(self.results.node)} if self.results.node else ()
        findings = [(each.severity, each.message) for each in self._check.findings if each.message not in said]
        showText(self.ui.findingsLabel, "" if self._check.refusal else findingsText(findings))

    def _showButton(self, volume):
        entry = self._list.ofVolume(volume.GetID()) if volume else None
        state = buttonState(
            volume.GetName() if volume else None,
            bool(shownVolumes(slicer.mrmlScene)),
            self._check.refusal,
            self.bundles.problem,
            entry,
            len(self._list) > 0,
        )
        button = self.ui.segmentButton
        button.text, button.enabled, button.toolTip = state.text, state.enabled, state.toolTip
        showText(self.ui.reasonLabel, state.reason)

    def _showProgress(self, volume):
        entry = self._list.shown(volume.GetID() if volume else "")
        self.ui.progressBar.visible = entry is not None
        showText(self.ui.progressLabel, f"{entry.volumeName}: {entry.text()}" if entry else "")
        if entry is not None:
            self.ui.progressBar.value = round(100 * entry.fraction)

    def _showQueue(self):
        """The list of runs, where there is more than one."""
        queue = self.ui.queueList
        queue.visible = self.ui.queueLabel.visible = len(self._list) > 1
        with signalsBlocked(queue):
            if queue.count != len(self._list):
                queue.clear()
                queue.addItems([""] * len(self._list))
                queue.setFixedHeight(QUEUE_ROW_PIXELS * min(len(self._list), QUEUE_ROWS))
            for row, entry in enumerate(self._list):
                queue.item(row).setText(f"{entry.volumeName}: {entry.text()}")

    def _resultNode(self):
        """The result that is shown: the chosen output's, else the latest of the chosen volume."""
        output, volume = self._parameters.outputSegmentation, self._parameters.inputVolume
        if output is not None and resultSegmentIds(output):
            return output
        return latestResult(volume) if volume is not None else None

    # -- runs

    def onSegmentButton(self, checked=False):
        volume = self._parameters.inputVolume
        entry = self._list.ofVolume(volume.GetID())
        if entry is not None:
            if time.monotonic() - entry.submitted >= self.doubleClickSeconds:
                entry.cancel()
            self.update()
            return
        target = self._target(volume, self._parameters.outputSegmentation)
        if target is None or not self._installer.ensure():
            return
        self._submit(volume, *target)

    def _target(self, volume, output):
        """(node to put the result into or None for a new one, whether to replace); None if the person cancels."""
        holder = output if output is not None else latestResult(volume)
        if holder is None or not resultSegmentIds(holder):
            return output, False
        answer = self._questions.newOrReplace(holder.GetName())
        if answer is Rerun.CANCEL:
            return None
        return (holder, True) if answer is Rerun.REPLACE else (None, False)

    def _submit(self, volume, output, replace):
        self._failure, self._status = ("", ""), ""
        entry = RunEntry(volume.GetID(), volume.GetName())
        parameters, chosen = self._parameters, self._parameters.outputSegmentation

        def progressed(*values):
            entry.progressed(*values)
            self.update()

        def finished(node, result):
            rememberRun(node, result, time.monotonic() - (entry.started or entry.submitted))
            self._status = _("{name} is done.").format(name=entry.volumeName)
            if chosen is not None and chosen is not node and parameters.outputSegmentation is chosen:
                parameters.outputSegmentation = None  # it would go on being shown in place of the new result
            wasShown = self.results.node is node
            ended()
            self.ui.resultsCollapsibleButton.collapsed = False
            self._callLater(0, self._offerReading)
            if wasShown:  # replaced: the same node with another content
                self.results.show(node)
                self.editPage.forgetSteps()

        def failed(message, details):
            logging.error("Segmenting %s failed: %s\n%s", entry.volumeName, message, details)
            self._failure = (message, details)
            ended()

        def cancelled():
            self._status = _("{name} was cancelled.").format(name=entry.volumeName)
            ended()

        def ended():
            self._list.remove(entry)
            self.update()

        observer = RunObserver.whileWanted(lambda: entry in self._list, progressed, finished, failed, cancelled)
        self._list.append(entry)
        try:
            options, roi = runOptions(self._parameters), self._parameters.roi
            request = SegmentationRequest(volume, options, self._runs.history, output, replace, roi)
            entry.run = self._runs.submit(request, observer)
        except CascadeError as error:
            failed(str(error), "")
        self.update()

    def _refine(self, node, observer):
        """Start to refine a result with the panel's choices; within its region of interest where there is one."""
        if not self._installer.ensure():
            raise InputError(_("PyTorch is needed to refine, and was not installed."))
        request = RefinementRequest(node, runOptions(self._parameters), self._parameters.roi)
        return self._runs.submit(request, observer)

    def _cancelAll(self):
        runs = [entry.run for entry in self._list]
        self._list.clear()  # first: what the runs say on their way out is of no interest any more
        for run in runs:
            run.cancel()

    def _onQueueRow(self, row):
        """A run that is clicked on is shown: its volume becomes the chosen one, and the button cancels it."""
        if 0 <= row < len(self._list):
            volume = slicer.mrmlScene.GetNodeByID(self._list[row].volumeId)
            if volume is not None:
                self._parameters.inputVolume = volume

    def _prepareWorker(self):
        """Start the worker early, once, where PyTorch is there: the first run is faster, and devices are known."""
        if self._prepared or not self._installer.isInstalled():
            return
        self._prepared = True
        self._runs.client.prepare(self._onWorkerReady)

    def _onWorkerReady(self):
        if not self._closed:
            self.devices.setDevices(self._runs.client.devices, self._runs.client.device_note)

    # -- editing

    def onEdit(self, checked=False):
        node = self.results.node
        self.editPage.open(node, volumeOf(node), self.results.segmentToEdit())
        self._showLooks()

    def onBack(self, checked=False):
        self.editPage.close()
        self._takeSourceVolume()
        try:
            coverLesions(self.results.node, self._questions.addToLiver)
        except CascadeError as error:
            self._failure = (str(error), "")
        self.results.show(self.results.node)
        self._showLooks()
        self.update()

    def _takeSourceVolume(self):
        """A result whose volume is gone is of the one that the person chose in the editor, which tells a segmentation
        that has a grid nothing of it."""
        node, volume = self.results.node, self.editPage.editor.sourceVolumeNode()
        if node is not None and volumeOf(node) is None and volume is not None:
            node.SetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole(), volume.GetID())

    def _showLooks(self):
        """Verdicts are shown in the views by colours, and given by keys, while the panel is: the editor's own table
        shows others, and its steps would take them back."""
        isWorking = self._isEntered and not self.editPage.isShown
        self.results.workbench.lesions.showLooks(isWorking)
        self.results.workbench.lesions.enableVerdicts(isWorking)

    # -- choices

    def _onDeviceChosen(self, device):
        if self._parameters:
            self._parameters.device = device

    def _onBundleChosen(self, bundle):
        if self._parameters:
            self._parameters.bundle = bundle
        self.update()  # the same one may be there by now

    def _onPresetChosen(self, index):
        if self._parameters:
            takePresetRules(self._parameters)

    def _onRoiAdded(self, roiNode):
        """A new region covers the volume: the person only has to make it smaller. What lies in it is seen as before."""
        if roiNode.GetDisplayNode() is not None:
            roiNode.GetDisplayNode().SetFillVisibility(False)
        volume = self._parameters.inputVolume if self._parameters else None
        if volume is None:
            return
        bounds = [0.0] * 6
        volume.GetRASBounds(bounds)
        roiNode.SetCenter([(low + high) / 2 for low, high in zip(bounds[::2], bounds[1::2], strict=True)])
        roiNode.SetSize([high - low for low, high in zip(bounds[::2], bounds[1::2], strict=True)])
