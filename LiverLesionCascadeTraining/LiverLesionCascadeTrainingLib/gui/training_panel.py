"""The panel's part that trains: checks the data, starts, follows and steers the training in the run folder."""

from pathlib import Path

from LiverLesionCascadeLib.engine.errors import CascadeError
from LiverLesionCascadeLib.gui.install.torch_installation import TorchInstaller
from slicer.i18n import tr as _

from ..datasets.data_check import DataCheck
from ..runs.background_command import BackgroundCommand
from ..runs.log_curves import LogReader
from ..runs.run_folder import ACTIVE_STATES, RunStatus
from ..runs.training_process import TrainingRequest, TrainingRun, python_command
from .curve_view import TrainingCurves
from .preview_view import PreviewView
from .status_text import detailsText, isError, jobText, stateText
from .training_state import choicesProblem, controls

LAST_RUN_SETTING = "LiverLesionCascadeTraining/LastRunFolder"


class TrainingPanel:
    """Shows what the run folder says and does what the buttons say. Nothing here waits: a timer calls :meth:`poll`.

    :param ui: the panel's widgets.
    :param settings: remembers the last run folder on this computer (QSettings).
    :param onRunChanged: called with the run, or None, when another is shown or its state has changed.
    :param installer: sees to PyTorch before a training starts.
    :param makeRun: (folder) -> TrainingRun.
    :param launch: (command) -> BackgroundCommand, for the check of the data.
    :param curves: TrainingCurves.
    """

    def __init__(
        self,
        ui,
        settings,
        onRunChanged,
        installer=None,
        makeRun=TrainingRun,
        launch=BackgroundCommand,
        curves=None,
    ):
        self.ui = ui
        self._settings, self._onRunChanged = settings, onRunChanged
        self._installer = installer or TorchInstaller()
        self._makeRun, self._launch = makeRun, launch
        self.curves = curves or TrainingCurves()
        self.preview = PreviewView(ui.previewLabel, ui.legendLabel)
        self._parameters = None
        self._runs = {}  # folder -> TrainingRun: one that was started here knows when its process ends
        self._started = set()
        self._status = RunStatus(state="none")
        self._check, self._startAfterCheck = None, False
        self._asked = ""
        self._message = ""
        self._log = self._curvesJob = None
        self._curvesWanted = False
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

    def close(self):
        """The module is unloaded or reloaded. A training goes on; a check of the data ends."""
        self._endCheck()

    def onSlicerQuits(self):
        """Trainings that were started here stop, their last step saved, unless the user wants them to go on."""
        self._endCheck()
        if self._parameters is None or not self._parameters.outliveSlicer:
            for folder in self._started:
                if self._runs[folder].active:
                    self._runs[folder].send("stop")

    # -- what is shown

    def update(self):
        """Show the run folder and the choices as they are now; cheap, called after every change and every second."""
        if self._parameters is None:
            return
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
        """To be called every second."""
        self._followCheck()
        self.update()

    @property
    def busy(self):
        """Whether there is something to follow even while another module is open."""
        return self._check is not None or self._status.state in ACTIVE_STATES

    def _show(self):
        ui, status, checking = self.ui, self._status, self._check is not None
        problem = choicesProblem(self._parameters) if self._parameters else ""
        state = controls(status.state, problem, checking, self._asked)
        ui.startButton.text, ui.startButton.enabled = state.startText, state.startEnabled
        ui.startButton.toolTip = state.startToolTip
        ui.pauseButton.text, ui.pauseButton.enabled = state.pauseText, state.pauseEnabled
        ui.stopButton.enabled = state.stopEnabled
        ui.checkButton.enabled = state.checkEnabled
        ui.choicesWidget.enabled = state.choicesEnabled
        _showText(ui.reasonLabel, state.reason)
        _showText(ui.errorLabel, self._message or (stateText(status) if isError(status) else ""))
        self._showProgress(status, checking)
        self._showJobs(status)

    def _showProgress(self, status, checking):
        ui, active = self.ui, status.state in ACTIVE_STATES
        ui.progressBar.visible = checking or active
        counted = active and status.steps > 0
        ui.progressBar.setRange(0, status.steps if counted else 0)  # 0 to 0: busy, nobody knows how long
        ui.progressBar.setValue(status.step if counted else 0)
        if checking:
            text = _("Checking the data: {case}").format(case=self._check.error) if self._check.error else ""
            _showText(ui.statusLabel, text or _("Checking the data"))
        else:
            _showText(ui.statusLabel, "" if isError(status) else stateText(status))
        _showText(ui.detailsLabel, detailsText(status) if active else "")

    def _showJobs(self, status):
        jobs = self.run.folder.jobs() if self.run else []
        box = self.ui.jobComboBox
        known = [box.itemData(index) for index in range(box.count)]
        if known != ["", *jobs]:
            chosen = box.itemData(box.currentIndex) if box.count else ""
            wasBlocked = box.blockSignals(True)
            box.clear()
            for job in ["", *jobs]:
                box.addItem(jobText(job) if job else _("The network that is being trained"), job)
            box.setCurrentIndex(max(0, box.findData(chosen)))
            box.blockSignals(wasBlocked)
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
        if self._check is not None:
            self._endCheck()
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
            self._check = self._launch(python_command("LiverLesionCascadeTrainingLib.datasets.data_check", *folders))
        except OSError as error:
            self._message = _("The check of the data could not be started: {reason}").format(reason=error)
        self._startAfterCheck = startAfter
        self._show()

    def _followCheck(self):
        if self._check is None or not self._check.ended:
            return
        result, error = DataCheck.from_output(self._check.output), self._check.error
        self._endCheck()
        if result is None:
            self._message = _("The data could not be checked: {reason}").format(reason=error or _("no message"))
            return
        self.ui.reportText.setPlainText("\n".join(result.problems) or result.text)
        if result.problems:
            self._message = _("Not started: {count} problem(s) in the data, listed below.").format(
                count=len(result.problems)
            )
        elif self._startAfterCheck:
            self._start(result)

    def _endCheck(self):
        if self._check is not None:
            self._check.close()
            self._check = None

    def _start(self, result):
        parameters = self._parameters
        request = TrainingRequest(
            train=parameters.trainFolder,
            validation=parameters.validationFolder,
            run=parameters.runFolder,
            recipe=parameters.recipe,
            start=parameters.startBundle,
            device=parameters.device,
            prepared=result.prepared,
        )
        run = self._runOf(parameters.runFolder)
        try:
            run.start(request)
        except CascadeError as error:
            self._message = str(error)
            return
        self._started.add(run.folder.path)
        self._settings.setValue(LAST_RUN_SETTING, parameters.runFolder)
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

    def _runOf(self, folder):
        path = Path(folder)
        if path not in self._runs:
            self._runs[path] = self._makeRun(path)
        return self._runs[path]


def _showText(label, text):
    label.text = text
    label.visible = bool(text)
