"""The panel's part after a training: evaluate its model, copy it to a folder, use it for segmentation."""

import shutil
from pathlib import Path

import slicer
from LiverLesionCascadeLib.engine.errors import CascadeError, OutputError, reason
from LiverLesionCascadeLib.gui.install.torch_installation import TorchInstaller
from LiverLesionCascadeLib.gui.panel.bundle_choice import bundleTitle
from LiverLesionCascadeLib.gui.widgets import showText
from slicer.i18n import tr as _

from ..runs.background_command import BackgroundCommand
from ..runs.training_process import cascade_command
from .part import Part

SEGMENTATION_MODULE = "LiverLesionCascade"


class ResultPanel(Part):
    """Evaluates, exports and uses the bundle of the run that is shown.

    :param ui: the panel's widgets.
    :param chooseFolder: asks for the folder to export to; returns its path, or "" if the user declines.
    :param installer, launch: as in TrainingPanel.
    """

    def __init__(self, ui, chooseFolder, installer=None, launch=BackgroundCommand):
        super().__init__(ui, launch)
        self._chooseFolder, self._installer = chooseFolder, installer or TorchInstaller()
        self._run = None
        ui.evaluateButton.connect("clicked(bool)", self.onEvaluate)
        ui.exportButton.connect("clicked(bool)", self.onExport)
        ui.useButton.connect("clicked(bool)", self.onUse)
        self._say("")
        self.update()

    def setRun(self, run):
        """The run whose bundle is meant; None for none."""
        self._run = run
        self.update()

    @property
    def bundle(self):
        """Folder of the run's bundle; None before the training has finished."""
        return self._run.folder.bundle if self._run is not None else None

    def update(self):
        ui, bundle = self.ui, self.bundle
        cases = bool(self._parameters and self._parameters.casesFolder)
        if bundle is not None:
            ui.modelLabel.text = _("{model} in {folder}").format(model=bundleTitle(bundle), folder=bundle)
        else:
            ui.modelLabel.text = _("The model that comes with the extension, until a training has finished")
        ui.evaluateButton.text = _("Cancel") if self.busy else _("Evaluate")
        ui.evaluateButton.enabled = self.busy or cases
        ui.evaluateButton.toolTip = (
            _("Segment every case with the model and compare with its reference")
            if cases
            else _("Choose a folder of cases to evaluate on")
        )
        ui.evaluationBar.visible = self.busy
        for button, toolTip in (
            (ui.exportButton, _("Copy the model to a folder of your choice")),
            (ui.useButton, _("Segment with this model in the module Liver Lesion Cascade")),
        ):
            button.enabled = bundle is not None
            button.toolTip = toolTip if bundle is not None else _("A training has to finish first")

    def poll(self):
        super().poll()
        if self.busy:
            self._say(_("Evaluating. {progress}").format(progress=self._command.error))

    def _onEnded(self, succeeded, output, error):
        # Where some cases failed there are figures all the same, of the others.
        if output.strip():
            self.ui.resultsText.setPlainText(output.strip())
        if succeeded:
            self._say("")
        elif output.strip():
            self._say(error)
        else:
            self._say(_("The evaluation failed: {reason}").format(reason=error or _("it left no message")))
        self.update()

    def onEvaluate(self):
        if self.busy:
            self.close()
            self._say(_("Cancelled"))
        elif self._installer.ensure():
            words = ["evaluate", self._parameters.casesFolder, "--device", self._parameters.device]
            words += ["--bundle", str(self.bundle)] if self.bundle else []
            try:
                self._command = self._launch(cascade_command(*words))
                self._say(_("Evaluating."))
            except OSError as error:
                self._say(_("The evaluation could not be started: {reason}").format(reason=error))
        self.update()

    def onExport(self):
        folder = self._chooseFolder()
        if not folder:
            return
        try:
            with slicer.util.tryWithErrorDisplay(show=False, waitCursor=True):
                copy = exportBundle(self.bundle, Path(folder))
            self._say(_("The model is in {folder}").format(folder=copy))
        except CascadeError as error:
            self._say(str(error))

    def onUse(self):
        """Choose the model in the segmentation module, and open that module."""
        slicer.util.selectModule(SEGMENTATION_MODULE)
        slicer.util.getModuleLogic(SEGMENTATION_MODULE).getParameterNode().bundle = str(self.bundle)

    def _say(self, text):
        showText(self.ui.resultLabel, text)


def exportBundle(bundle: Path, parent: Path) -> Path:
    """Copy a bundle into a new folder below ``parent``, named by its name and version; returns that folder.

    It appears complete or not at all. Raises OutputError where it is there already or cannot be written.
    """
    target = parent / "".join(c if c.isalnum() or c in ".-_" else "-" for c in bundleTitle(bundle))
    if target.exists():
        raise OutputError(_("{folder} exists already: choose another folder.").format(folder=target))
    partial = parent / f".{target.name}.partial"
    try:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(bundle, partial)
        partial.rename(target)
    except OSError as error:
        message = _("{folder} cannot be written ({reason}): choose a folder that you can write to.")
        raise OutputError(message.format(folder=target, reason=reason(error))) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target
