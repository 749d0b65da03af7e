"""The panel's part that adds a corrected segmentation of the scene to a training folder."""

import tempfile
from pathlib import Path

import slicer
from LiverLesionCascadeLib.engine.errors import CascadeError
from LiverLesionCascadeLib.gui.widgets import showText
from slicer.i18n import tr as _

from ..datasets.added_case import save_arrays
from ..runs.background_command import BackgroundCommand
from ..runs.training_process import python_command
from ..scene_case import caseFromScene
from .part import Part


class CasePanel(Part):
    """Adds the chosen volume with the chosen segmentation.

    :param ui: the panel's widgets.
    :param launch: (command) -> BackgroundCommand, which compresses and writes the files.
    """

    def __init__(self, ui, launch=BackgroundCommand):
        super().__init__(ui, launch)
        self._arrays = self._chosen = None
        self._unused, self._message = (), ""
        ui.addCaseButton.connect("clicked(bool)", self.onAdd)
        self.update()

    def update(self):
        """Show whether the case can be added, and why not."""
        reason, parameters = self._reason(), self._parameters
        chosen = (parameters.caseVolume, parameters.caseSegmentation, parameters.caseFolder) if parameters else None
        if chosen != self._chosen:
            self._chosen, self._message = chosen, ""  # what was said about another case goes
        self.ui.addCaseButton.enabled = not reason and not self.busy
        self.ui.addCaseButton.toolTip = reason or _("Write CT and segmentation into the training folder")
        showText(self.ui.caseLabel, _("Writing the case") if self.busy else self._message or reason)

    def onAdd(self):
        parameters = self._parameters
        self._message = ""
        try:
            with slicer.util.tryWithErrorDisplay(show=False, waitCursor=True):
                case = caseFromScene(parameters.caseVolume, parameters.caseSegmentation)
                self._arrays = tempfile.TemporaryDirectory(prefix="liver-lesion-cascade-")
                save_arrays(Path(self._arrays.name), case.hu, case.labels, case.ijkToLps)
            self._unused = case.unused
            self._command = self._launch(
                python_command(
                    "LiverLesionCascadeTrainingLib.datasets.added_case",
                    self._arrays.name,
                    parameters.caseFolder,
                    parameters.casePatient.strip(),
                )
            )
        except (CascadeError, OSError) as error:
            self._message = _("Not added: {reason}").format(reason=error)
            self.close()
        self.update()

    def _onEnded(self, succeeded, output, error):
        if succeeded:
            self._message = _("Added as case {name} to {folder}.").format(
                name=output.strip(), folder=self._parameters.caseFolder if self._parameters else ""
            )
            if self._unused:
                names = ", ".join(self._unused)
                self._message += " " + _("Left out, neither liver nor lesion: {names}.").format(names=names)
        else:
            self._message = _("Not added: {reason}").format(reason=error or _("it left no message"))
        self.update()

    def close(self):
        """End the writing if it is at work: the case is then not added."""
        super().close()
        if self._arrays is not None:
            self._arrays.cleanup()
            self._arrays = None

    def _reason(self):
        parameters = self._parameters
        if parameters is None or parameters.caseVolume is None:
            return _("Choose the CT volume.")
        if parameters.caseSegmentation is None:
            return _("Choose its corrected segmentation.")
        if not parameters.caseFolder:
            return _("Choose the training folder that the case is added to.")
        return ""
