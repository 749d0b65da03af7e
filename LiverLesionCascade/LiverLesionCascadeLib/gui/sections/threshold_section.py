"""The section with the sliders for lesion probability and minimum size, and their preview."""

from slicer.i18n import tr as _

from ...engine.errors import CascadeError
from ...scene.nodes.one_change import oneRendering
from ...scene.tools.threshold import Threshold
from ..runs.stepwise import Stepwise
from ..section import Section
from ..widgets import loadForm, showSteps, showText, signalsBlocked


class ThresholdSection(Section):
    """Tries thresholds on the result of a workspace in the slice views, and applies them.

    The preview goes when the section is collapsed, another result is shown or the module is left.

    :param callLater: (seconds, function): the event loop calls the function once, later.
    """

    def __init__(self, callLater):
        super().__init__()
        self._callLater = callLater
        self._previewWaits = False
        self._ahead = Stepwise(callLater, self._isPreviewing)
        self.widget, self.ui = loadForm("LiverLesionThreshold.ui")
        self.ui.thresholdSlider.connect("valueChanged(double)", self._onSlider)
        self.ui.minimumSizeSlider.connect("valueChanged(double)", self._onSlider)
        self.ui.applyThresholdButton.connect("clicked(bool)", lambda: self._do(self._apply))
        self.ui.discardThresholdButton.connect("clicked(bool)", self.leave)
        self.ui.undoThresholdButton.connect("clicked(bool)", lambda: self._do(lambda: self._threshold.undo()))
        self.ui.redoThresholdButton.connect("clicked(bool)", lambda: self._do(lambda: self._threshold.redo()))
        self.ui.thresholdCollapsibleButton.connect("contentsCollapsed(bool)", self._onCollapsed)
        self._update()

    def show(self, workspace):
        if workspace is not self._workspace:
            super().show(workspace)
            self.leave()

    @oneRendering()
    def leave(self, checked=False):
        """The person turns to something else, or away from the preview: it goes, and the sliders go back."""
        self._previewWaits = False
        if self._workspace is not None:
            self._threshold.endPreview()
            settings = self._threshold.settings
            with signalsBlocked(self.ui.thresholdSlider), signalsBlocked(self.ui.minimumSizeSlider):
                self.ui.thresholdSlider.value = 100 * settings.threshold
                self.ui.minimumSizeSlider.value = settings.minimumMm
        self._update()

    @property
    def _threshold(self):
        return self._workspace.tool(Threshold)

    def _forget(self):
        self._previewWaits = False
        self._ahead.stop()
        if self._workspace is not None:
            self._threshold.endPreview()
        super()._forget()

    def _onSlider(self, _value):
        """A slider moves: however many times, before the next preview is drawn once."""
        if self._workspace is not None and not self._previewWaits:
            self._previewWaits = True
            self._callLater(0, self._previewIfWaiting)

    def _previewIfWaiting(self):
        if self._previewWaits:
            try:  # what changed just before is seen in the preview, and no reason to leave it
                self._do(lambda: self._threshold.preview(*self._values()))
            finally:
                self._previewWaits = False
            if self._isPreviewing():  # while the person looks at it, most of the work of applying it is done
                self._ahead.begin(self._threshold.tellApart(*self._values()), lambda _labels: None, lambda _error: None)

    def _prepare(self):
        """The first step of a slider is as fast as the others then."""
        if self._isThere and self._threshold.isPossible:
            self._threshold.prepare()

    def _isPreviewing(self):
        return self._isThere and self._threshold.isPreviewing

    def _apply(self):
        self._previewWaits = False
        self._ahead.stop()
        self._threshold.apply(*self._values())

    def _values(self):
        return self.ui.thresholdSlider.value / 100, self.ui.minimumSizeSlider.value

    @oneRendering()
    def _do(self, action):
        """Do something with the thresholds and show what came of it, or why not."""
        if not self._isThere:
            return
        summary = problem = None
        try:
            summary = action()
        except CascadeError as error:
            problem = str(error)
        if summary is None and problem is None:
            self.leave()
        self._update(summary, problem)

    def _onChanges(self, changes):
        """A preview shows what they allow now."""
        if self._threshold.isPreviewing:
            self._onSlider(None)
        elif not self._previewWaits:
            self.leave()

    def _onCollapsed(self, collapsed):
        if collapsed:
            self.leave()
        else:
            self._callLater(0, self._prepare)

    def _update(self, summary=None, problem=None):
        ui = self.ui
        threshold = self._threshold if self._workspace is not None else None
        possible = threshold is not None and threshold.isPossible
        for each in (ui.thresholdSlider, ui.minimumSizeSlider):
            each.enabled = possible
        previewing = possible and threshold.isPreviewing
        ui.applyThresholdButton.enabled = ui.discardThresholdButton.enabled = previewing
        showSteps(threshold, ui.undoThresholdButton, ui.redoThresholdButton)
        if problem:
            text = problem
        elif threshold is None or (possible and not previewing):
            text = ""
        elif self._workspace.liverId() is None:
            text = _("The segment of the liver was deleted: lesions are looked for within it only.")
        elif not possible:
            text = _("No probabilities are stored with this result. Segment the volume again to try thresholds.")
        else:
            text = summaryText(summary) if summary is not None else ui.thresholdSummaryLabel.text
        showText(ui.thresholdSummaryLabel, text)


def summaryText(summary):
    """What a preview shows, in words."""
    text = (
        _("Preview (yellow): 1 lesion, {volume:.1f} mL.")
        if summary.lesions == 1
        else _("Preview (yellow): {count} lesions, {volume:.1f} mL.")
    ).format(count=summary.lesions, volume=summary.volumeMl)
    if summary.kept:
        text += " " + _(
            "Lesions that you edited, refined, split, merged, reviewed or added stay as they are: {count}."
        ).format(count=summary.kept)
    return text
