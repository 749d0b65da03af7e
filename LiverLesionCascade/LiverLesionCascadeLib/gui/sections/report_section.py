"""The section that writes a result's report: for people, for spreadsheets, as DICOM."""

from functools import partial
from pathlib import Path

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate

from ...engine.errors import CascadeError, InputError
from ...scene.tools.case_report import CaseReport, dicomFiles
from ..install.highdicom_installation import HighdicomInstaller
from ..lesions.lesion_columns import statusText
from ..runs.stepwise import Stepwise
from ..section import Section
from ..widgets import askPath, loadForm, mayWrite, showText, unwritable

SEGMENTATION_ENDING, REPORT_ENDING = ".seg.dcm", ".sr.dcm"


class ReportSection(Section):
    """Writes the segments as they are when a button is clicked; rejected lesions are left out, which is said.

    :param callLater: (seconds, function): the event loop calls the function once, later.
    :param installer: sees to highdicom. A test hands in its own.
    :param askPath: asks where to write, as that of `widgets` does. A test hands in its own.
    :param fileForInstance: see `CaseReport`.
    """

    def __init__(self, callLater, installer=None, askPath=askPath, fileForInstance=None):
        super().__init__()
        self._work = Stepwise(callLater, lambda: self._isThere)
        self._installer = installer or HighdicomInstaller()
        self._askPath = partial(askPath, _("Write report"))
        self._fileForInstance = fileForInstance
        self.widget, self.ui = loadForm("LiverLesionReport.ui")
        ui = self.ui
        ui.writeHtmlButton.connect("clicked(bool)", lambda _checked: self._html())
        ui.writeCsvButton.connect("clicked(bool)", lambda _checked: self._csv())
        ui.writeSegmentationButton.connect("clicked(bool)", lambda _checked: self._segmentation())
        ui.writeMeasuresButton.connect("clicked(bool)", lambda _checked: self._measures())
        ui.reportCollapsibleButton.connect("contentsCollapsed(bool)", lambda _collapsed: self._update())
        self._update()

    def show(self, workspace):
        if workspace is self._workspace and self._work.isBusy:
            return
        super().show(workspace)
        self._update()

    def enter(self):
        if not self._work.isBusy:
            self._update()  # the DICOM database may be another one by now

    def _forget(self):
        self._work.stop()  # what is being written is of another result
        super()._forget()

    def _update(self, message=""):
        there = self._isThere and not self._work.isBusy
        reason = self._dicomReason() if there else ""
        self.ui.writeHtmlButton.enabled = self.ui.writeCsvButton.enabled = there
        self.ui.writeSegmentationButton.enabled = self.ui.writeMeasuresButton.enabled = there and not reason
        self.ui.dicomReasonLabel.text = reason
        self.ui.dicomReasonLabel.visible = bool(reason) and not self.ui.reportCollapsibleButton.collapsed
        showText(self.ui.reportMessageLabel, message)

    def _dicomReason(self):
        """Why nothing can be written as DICOM; empty where it can."""
        try:
            dicomFiles(self._workspace.volumeNode, self._fileForInstance)
        except InputError as error:
            return _("No DICOM export: {reason}").format(reason=error)
        return ""

    def _html(self):
        """In steps: Slicer goes on meanwhile."""
        path = self._chosenPath(_("Report (*.html)"), ".html")
        if path is not None:
            self._work.begin(self._steps(path), self._update, self._update)
            self._update(_("Writing the report..."))

    def _steps(self, path):
        """Returns what is to be said about it."""
        report = CaseReport(self._workspace, self._fileForInstance)
        yield
        try:
            yield from report.writeHtmlInSteps(path, partial(translate, "Report"), statusText)
        except OSError as error:
            return unwritable(path, error)
        return self._written(report, path)

    def _csv(self):
        self._write(_("Table (*.csv)"), ".csv", CaseReport.writeCsv)

    def _segmentation(self):
        if self._installer.ensure():
            self._write(_("DICOM segmentation (*.dcm)"), SEGMENTATION_ENDING, CaseReport.writeDicomSegmentation)

    def _measures(self):
        if self._installer.ensure():
            self._write(_("DICOM measurement report (*.dcm)"), REPORT_ENDING, CaseReport.writeDicomReport, True)

    def _write(self, kinds, ending, write, withSegmentation=False):
        """:param write: (report, path) writes it; with a segmentation (report, path, path of that, beside it)."""
        path = self._chosenPath(kinds, ending)
        if path is None:
            return
        beside = None
        if withSegmentation:
            beside = path.with_name(path.name[: -len(ending)] + SEGMENTATION_ENDING)
            if not mayWrite(beside):
                return
        try:
            with slicer.util.tryWithErrorDisplay(show=False, waitCursor=True):
                report = CaseReport(self._workspace, self._fileForInstance)
                write(report, path, *([beside] if withSegmentation else ()))
            message = self._written(report, path, beside)
        except CascadeError as error:
            message = str(error)
        except OSError as error:
            message = unwritable(path, error)
        self._update(message)

    def _chosenPath(self, kinds, ending):
        """Where the person wants it; None for nowhere."""
        if not self._isThere:
            return None
        chosen = self._askPath(f"{self._workspace.node.GetName()}{ending}", kinds, ending)
        return Path(chosen) if chosen else None

    @staticmethod
    def _written(report, path, beside=None):
        """What was written, in words."""
        lines = [_("Written to {path}.").format(path=path)]
        if beside:
            lines.append(_("The segmentation that it measures is in {path}.").format(path=beside))
        if report.leftOut:
            lines.append(_("Rejected lesions were left out: {names}.").format(names=", ".join(report.leftOut)))
        return "\n".join(lines)
