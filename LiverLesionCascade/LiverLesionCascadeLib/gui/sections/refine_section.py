"""The section that refines a result from its edits: what would change is shown before anything does."""

import logging

from slicer.i18n import tr as _

from ...engine.errors import CascadeError
from ...scene.nodes.one_change import oneRendering
from ...scene.nodes.preview import LesionPreview
from ...scene.tools.refinement import Refining, hasCorrections
from ..runs.progress_text import stageText
from ..runs.segmentation_runs import RunObserver
from ..section import Section
from ..widgets import loadForm, showSteps, showText

ADDED_COLOR, REMOVED_COLOR = (0.2, 0.9, 0.2), (0.95, 0.2, 0.2)
LIVER_ADDED_COLOR, LIVER_REMOVED_COLOR = (0.2, 0.7, 0.95), (0.95, 0.6, 0.1)


class RefineSection(Section):
    """Runs the cascade on from a person's edits, previews the outcome, and takes it over or drops it.

    :param refine: (segmentation node, RunObserver): starts a run and returns it.
    """

    def __init__(self, refine):
        super().__init__()
        self._refine = refine
        self._run = self._awaited = None
        self._refinement = None
        self._previews = []
        self._message = ""
        self.widget, self.ui = loadForm("LiverLesionRefine.ui")
        self.ui.refineButton.connect("clicked(bool)", self.onRefine)
        self.ui.acceptRefinementButton.connect("clicked(bool)", self.onAccept)
        self.ui.discardRefinementButton.connect("clicked(bool)", self.onDiscard)
        self.ui.undoRefinementButton.connect("clicked(bool)", lambda: self._step("undo"))
        self.ui.redoRefinementButton.connect("clicked(bool)", lambda: self._step("redo"))
        self._update()

    def show(self, workspace):
        super().show(workspace)
        self._update()

    def onRefine(self, checked=False):
        """Start, or cancel what is under way."""
        if self._run is not None:
            self._run.cancel()
            return
        self._drop()
        awaited = self._awaited = object()
        observer = RunObserver.whileWanted(
            lambda: self._awaited is awaited, self._onProgress, self._onFinished, self._onFailed, self._onEnded
        )
        try:
            self._run = self._refine(self._workspace.node, observer)
        except CascadeError as error:
            self._message = str(error)
        else:
            self._message = _("Starting")
        self._update()

    @oneRendering()
    def onAccept(self, checked=False):
        if self._refinement is None:
            return
        accepted, self._refinement = self._refinement, None  # meanwhile, no preview of what is left to change
        try:
            accepted.accept()
            accepted = None
        except CascadeError as error:
            self._message = str(error)
        finally:
            self._refinement = accepted
        if accepted is None:
            self._drop()
        self._update()

    @oneRendering()
    def onDiscard(self, checked=False):
        self._drop()
        self._update()

    @oneRendering()
    def _step(self, name):
        try:
            getattr(self._workspace.tool(Refining), name)()
        except (CascadeError, LookupError) as error:
            self._message = str(error)
        self._update()

    def _onProgress(self, fraction, stage, secondsLeft):
        self._message = _("{stage}: {percent} %").format(stage=stageText(stage), percent=round(100 * fraction))
        self._update()

    def _onFinished(self, node, refinement):
        self._run = None
        if self._workspace is not None and node is self._workspace.node:
            self._refinement = refinement
            self._showPreview()
        self._update()

    def _onFailed(self, message, details):
        logging.error("%s\n%s", message, details)
        self._run = None
        self._message = message
        self._update()

    def _onEnded(self):
        self._run = None
        self._message = ""
        self._update()

    def _onChanges(self, changes):
        """What is edited while a preview is shown stands: the preview shows what is left to change."""
        if self._refinement is not None:
            self._showPreview()
        self._update()

    @oneRendering()
    def _showPreview(self):
        self._removePreviews()
        summary = self._refinement.summary()
        if summary.isEmpty:
            self._refinement = None
            self._message = _("Nothing more would change.")
            return
        for mask, color in (
            (summary.added, ADDED_COLOR),
            (summary.removed, REMOVED_COLOR),
            (summary.liverAdded, LIVER_ADDED_COLOR),
            (summary.liverRemoved, LIVER_REMOVED_COLOR),
        ):
            if mask:
                preview = LesionPreview(self._workspace.volumeNode, color)
                preview.show(mask.values, mask.start)
                self._previews.append(preview)
        sentences = [
            _("Lesions: {added:.1f} mL added (green), {removed:.1f} mL removed (red); {new} new, {gone} gone.").format(
                added=summary.addedMl, removed=summary.removedMl, new=summary.new, gone=summary.gone
            )
        ]
        if summary.isMuch:
            sentences.append(
                _("That is much for the {painted:.1f} mL that you painted: go through its slices first.").format(
                    painted=summary.paintedMl
                )
            )
        if summary.liverAdded or summary.liverRemoved:
            sentences.append(
                _("Liver: {added:.1f} mL added (blue), {removed:.1f} mL removed (orange).").format(
                    added=summary.liverAddedMl, removed=summary.liverRemovedMl
                )
            )
        self._message = " ".join([*sentences, _("What you painted, erased or reviewed stays as it is.")])

    @oneRendering()
    def _drop(self):
        self._refinement = None
        self._removePreviews()
        self._message = ""

    def _removePreviews(self):
        while self._previews:  # who hears that a node is removed may flush an edit, which is shown then
            self._previews.pop().remove()

    def _forget(self):
        if self._run is not None:
            self._awaited = None  # first: what it says on its way out is of no interest any more
            self._run.cancel()
            self._run = None
        self._drop()
        super()._forget()

    def _update(self):
        ui = self.ui
        running, previewing = self._run is not None, self._refinement is not None
        possible = self._isThere and hasCorrections(self._workspace)
        ui.refineButton.text = _("Cancel") if running else _("Refine from edits")
        ui.refineButton.enabled = running or possible
        ui.refineButton.toolTip = (
            _("Carry what you painted and erased on to the neighbouring slices; shown first, changed when you accept")
            if possible or running
            else _("Paint a missed lesion or erase a false one in one slice first")
        )
        ui.acceptRefinementButton.enabled = ui.discardRefinementButton.enabled = previewing
        tool = self._workspace.tool(Refining) if self._isThere else None
        showSteps(tool, ui.undoRefinementButton, ui.redoRefinementButton)
        showText(ui.refineSummaryLabel, self._message)
