"""The panel's part that trains: checks the data, starts, follows and steers the training in the run folder."""

import logging
from dataclasses import replace
from pathlib import Path

from LiverLesionCascadeLib.engine.errors import CascadeError
from LiverLesionCascadeLib.gui.install.torch_installation import TorchInstaller
from LiverLesionCascadeLib.gui.widgets import fillComboBox, showText
from slicer.i18n import tr as _

from ..datasets.data_check import DataCheck
from ..runs.background_command import BackgroundCommand
from ..runs.log_curves import LogReader
from ..runs.run_folder import ACTIVE_STATES, RunStatus
from ..runs.training_process import TrainingRequest, TrainingRun, python_command
from .curve_view import TrainingCurves
from .part import Part
from .preview_view import PreviewView
from .status_text import detailsText, isError, jobText, stateText
from .training_state import choicesProblem, controls

LAST_RUN_SETTING = "LiverLesionCascadeTraining/LastRunFolder"


class TrainingPanel(Part):
    """Shows what the run folder says and does what the buttons say. Nothing here waits: a timer calls :meth:`poll`.

    :param ui: the panel's widgets.
    :param settings: remembers the last run folder on this computer (QSettings).
    :param onRunChanged: called with the run, or None, when another is shown or its state has changed.
    :param installer: sees to PyTorch before a training starts.
    :param makeRun: (folder) -> TrainingRun.
    :param launch: (command) -> BackgroundCommand, for the check of the data.
    """

    def __init__(self, ui, settings, onRunChanged, installer=None, makeRun=TrainingRun, launch=BackgroundCommand):
        super().__init__(ui, launch)
        self._settings, self._onRunChanged = settings, onRunChanged
        self._installer, self._makeRun = installer or TorchInstaller(), makeRun
        self.curves = TrainingCurves()
        self.preview = PreviewView(ui.previewLabel, ui.legendLabel)
        self._runs = {}  # folder -> TrainingRun: one that was started here knows when its process ends
        self._started = set()  # of the runs
        self._status = RunStatus(state="none")
        self._afterCheck = None
        self._asked = ""
        self._message = ""
        self._log = self._curvesJob = None
        self._curvesWanted = False
        self._outlive = None  # whether trainings go on when Slicer is closed, as was last chosen; None: not yet here
        self.run = None
        ui.checkButton.connect("clicked(bool)", self.onCheck)
        ui.startButton.connect("clicked(bool)", self.onStart)
        ui.pauseButton.connect("clicked(bool)", self.onPause)
        ui.stopButton.connect("clicked(bool)", self.onStop)
        ui.curvesButton.connect("clicked(bool)", self.onShowCurves)
        ui.jobComboBox.connect("activated(int)", self._onJobChosen)
        self._show()

    # -- life of the panel

    def setParameters(self, parameters):
        """Follow a parameter node; None while there is none."""
        self._parameters = parameters
        if parameters is not None:
            self._adoptLastRun()
            self.update()

    def onSlicerQuits(self):
        """Trainings that were started here stop, their last step saved, unless the user wants them to go on."""
        self.close()
        if not (self._parameters.outliveSlicer if self._parameters else self._outlive):
            for run in self._started:
                if run.active:
                    try:
                        run.send("stop")
                    except CascadeError as error:  # the others are told all the same
                        logging.warning("A training goes on after Slicer: %s", error)

    # -- what is shown

    def update(self):
        """Show the run folder and the choices as they are now; cheap, called after every change and every second."""
        if self._parameters is None:
            return
        # Kept here, as the choices are gone when the scene is closed, and the training is not.
        self._outlive = self._parameters.outliveSlicer
        folder = self._parameters.runFolder
        run = self._runOf(folder) if folder else None
        if run is not self.run:
            self.run, self._asked, self._message, self._curvesJob = run, "", "", None
            self.preview.clear()
            self._onRunChanged(run)
        before = self._status
        self._status = self.run.look() if self.run else RunStatus(state="none")
        if self._obeyed():
            self._asked = ""
        if before.state != self._status.state:
            self._onRunChanged(self.run)
            if self._status.state == "lost":
                self.ui.reportText.setPlainText(self.run.folder.tail())
        self._show()

    def poll(self):
        super().poll()
        self.update()

    @property
    def busy(self):
        return super().busy or self._status.state in ACTIVE_STATES

    def _show(self):
        ui, status, checking = self.ui, self._status, self._command is not None
        problem = choicesProblem(self._parameters) if self._parameters else ""
        state = controls(status.state, problem, checking, self._asked)
        ui.startButton.text, ui.startButton.enabled = state.startText, state.startEnabled
        ui.startButton.toolTip = state.startToolTip
        ui.pauseButton.text, ui.pauseButton.enabled = state.pauseText, state.pauseEnabled
        ui.stopButton.enabled = state.stopEnabled
        ui.checkButton.enabled = state.checkEnabled
        ui.choicesWidget.enabled = state.choicesEnabled
        showText(ui.reasonLabel, state.reason)
        showText(ui.errorLabel, self._message or (stateText(status) if isError(status) else ""))
        self._showProgress(status, checking)
        self._showJobs(status)

    def _showProgress(self, status, checking):
        ui, active = self.ui, status.state in ACTIVE_STATES
        ui.progressBar.visible = checking or active
        counted = active and status.steps > 0
        ui.progressBar.setRange(0, status.steps if counted else 0)  # 0 to 0: busy, nobody knows how long
        ui.progressBar.setValue(status.step if counted else 0)
        if checking:
            case, text = self._command.error, _("Checking the data: {case}")
            showText(ui.statusLabel, text.format(case=case) if case else _("Checking the data"))
        else:
            showText(ui.statusLabel, "" if isError(status) else stateText(status))
        showText(ui.detailsLabel, detailsText(status) if active else "")

    def _showJobs(self, status):
        jobs = self.run.folder.jobs() if self.run else []
        box = self.ui.jobComboBox
        known = [box.itemData(index) for index in range(box.count)]
        if known != ["", *jobs]:
            chosen = box.itemData(box.currentIndex) if box.count else ""
            items = [(_("The network that is being trained"), ""), *((jobText(job), job) for job in jobs)]
            fillComboBox(box, items, chosen if chosen in jobs else "")
        self.ui.curvesWidget.visible = bool(jobs)
        job = box.itemData(box.currentIndex) or (status.job if status.job in jobs else (jobs or [""])[-1])
        if not job:
            self.preview.clear()
            return
        self.preview.show(self.run.folder, job)
        self._draw(job)

    def _draw(self, job):
        """Fill the curves where the log has grown. They come into the scene only when the user has asked for them, and
        into the plot view with their first value."""
        path = self.run.folder.log_path(job)
        if self._log is None or self._log.path != path:
            self._log = LogReader(path)
        wanted = self._curvesWanted or self.curves.chart is not None
        if not wanted or not (self._log.grew or job != self._curvesJob or self.curves.chart is None):
            return
        found = self._log.read()
        if not len(found.steps):
            return
        self._curvesJob = job
        self.curves.update(jobText(job), found.drawn())
        if self._curvesWanted:
            self._curvesWanted = False
            self.curves.show()

    # -- the buttons

    def onCheck(self):
        self._beginCheck(startAfter=False)

    def onStart(self):
        self._beginCheck(startAfter=True)

    def onPause(self):
        self._send("resume" if self._status.state == "paused" else "pause")

    def onStop(self):
        if self._command is not None:
            self.close()
            self._show()
        else:
            self._send("stop")

    def onShowCurves(self):
        """Show the curves in the plot view, and keep them up to date from now on."""
        self._curvesWanted = True
        self.update()

    def _onJobChosen(self, index):
        self.update()

    def _send(self, command):
        try:
            self.run.send(command)
            self._asked = command
        except CascadeError as error:
            self._message = str(error)
        self._show()

    def _obeyed(self):
        states = {"pause": ("paused",), "resume": ("preparing", "training", "validating"), "stop": ()}
        return self._asked and (self._status.state not in ACTIVE_STATES or self._status.state in states[self._asked])

    # -- the check of the data, and what follows it

    def _beginCheck(self, startAfter):
        self._message = ""
        if not self._installer.ensure():
            return
        parameters = self._parameters
        folders = (parameters.trainFolder, parameters.validationFolder, parameters.runFolder)
        try:
            self._command = self._launch(python_command("LiverLesionCascadeTrainingLib.datasets.data_check", *folders))
        except OSError as error:
            self._message = _("The check of the data could not be started: {reason}").format(reason=error)
        # As it is checked: the choices may change meanwhile, and are gone when the scene is closed.
        self._afterCheck = self._request() if startAfter else None
        self._show()

    def _request(self):
        parameters = self._parameters
        return TrainingRequest(
            train=parameters.trainFolder,
            validation=parameters.validationFolder,
            run=parameters.runFolder,
            recipe=parameters.recipe,
            start=parameters.startBundle,
            device=parameters.device,
            outlive=parameters.outliveSlicer,
        )

    def _onEnded(self, succeeded, output, error):
        result = DataCheck.from_output(output)
        if result is None:
            self._message = _("The data could not be checked: {reason}").format(reason=error or _("no message"))
            return
        self.ui.reportText.setPlainText("\n".join(result.problems) or result.text)
        if result.problems:
            self._message = _("Not started: {count} problem(s) in the data, listed below.").format(
                count=len(result.problems)
            )
        elif self._afterCheck is not None:
            self._start(replace(self._afterCheck, prepared=result.prepared))

    def _start(self, request):
        run = self._runOf(request.run)
        try:
            run.start(request)
        except CascadeError as error:
            self._message = str(error)
            return
        self._started.add(run)
        self._settings.setValue(LAST_RUN_SETTING, request.run)
        self.run = run
        self._curvesWanted = True

    # -- coming back to a training

    def _adoptLastRun(self):
        """In a new scene, take up the training that this computer worked at last, with its choices."""
        last = self._settings.value(LAST_RUN_SETTING, "")
        if self._parameters.runFolder or not last:
            return
        run = self._runOf(last)
        if run.look().state == "none":
            return
        self._parameters.runFolder = last
        request = TrainingRequest.from_dict(run.folder.request())
        if request is not None:
            self._parameters.trainFolder = request.train
            self._parameters.validationFolder = request.validation
            self._parameters.startBundle = request.start
            self._parameters.recipe = request.recipe
            self._parameters.device = request.device
            self._parameters.outliveSlicer = request.outlive if self._outlive is None else self._outlive

    def _runOf(self, folder):
        path = Path(folder)
        if path not in self._runs:
            self._runs[path] = self._makeRun(path)
        return self._runs[path]
