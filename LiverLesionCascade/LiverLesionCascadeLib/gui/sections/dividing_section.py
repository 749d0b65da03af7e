"""The section that makes several lesions of one and one of several."""

from slicer.i18n import tr as _

from ...engine.errors import CascadeError
from ...scene.nodes.later import Later
from ...scene.tools.dividing import Dividing
from ..section import Section
from ..widgets import loadForm, showSteps, showText, signalsBlocked


class DividingSection(Section):
    """Previews the parts of the selected lesion while a slider moves, and splits or merges lesions.

    Nothing is computed while it is collapsed. The preview goes when it is collapsed, another lesion or result is shown,
    or the module is left.

    :param callLater: (seconds, function): the event loop calls the function once, later.
    :param lesions: the table: ``selectedIds()``, ``select(segmentId)`` and ``selectionCallbacks``.
    """

    def __init__(self, callLater, lesions):
        super().__init__()
        self._lesions = lesions
        self._proposal = None
        self._looking = Later(callLater, self._look)
        self._message = ""
        self.widget, self.ui = loadForm("LiverLesionDividing.ui")
        self.ui.partsSlider.connect("valueChanged(double)", self._onSlider)
        self.ui.splitButton.connect("clicked(bool)", lambda: self._do(self._split))
        self.ui.splitAtGapsButton.connect("clicked(bool)", lambda: self._do(self._splitAtGaps))
        self.ui.mergeButton.connect("clicked(bool)", lambda: self._do(self._merge))
        self.ui.undoDividingButton.connect("clicked(bool)", lambda: self._do(lambda: self._dividing.undo()))
        self.ui.redoDividingButton.connect("clicked(bool)", lambda: self._do(lambda: self._dividing.redo()))
        self.ui.dividingCollapsibleButton.connect("contentsCollapsed(bool)", self._onCollapsed)
        lesions.selectionCallbacks.append(self._onSelected)
        self._update()

    def show(self, workspace):
        if workspace is not self._workspace:
            super().show(workspace)
            self._look()

    def leave(self):
        """The person turns to something else: the preview goes."""
        if self._workspace is not None:
            self._dividing.endPreview()

    def cleanup(self):
        super().cleanup()
        if self._onSelected in self._lesions.selectionCallbacks:
            self._lesions.selectionCallbacks.remove(self._onSelected)

    @property
    def _dividing(self):
        return self._workspace.tool(Dividing)

    @property
    def _isOpen(self):
        return self._isThere and not self.ui.dividingCollapsibleButton.collapsed

    def _forget(self):
        self._looking.cancel()
        self._message = ""
        self.leave()
        super()._forget()
        self._proposal = None

    def _onCollapsed(self, collapsed):
        self._message = ""
        self.leave()
        self._lookLater()

    def _onSelected(self):
        self._message = ""
        self._lookLater()

    def _onChanges(self, changes):
        self._lookLater()

    def _lookLater(self):
        if self._workspace is not None:
            self._looking.ask()

    def _look(self):
        """What can be done with the lesions that are selected now."""
        selected = self._selected()
        self._proposal = None
        if self._isOpen:
            self._dividing.endPreview()
            if len(selected) == 1:
                try:
                    self._proposal = self._dividing.proposal(selected[0])
                except CascadeError as error:
                    self._message = str(error)
        if self._proposal is not None and self._proposal.isPossible:
            slider = self.ui.partsSlider
            with signalsBlocked(slider):
                slider.minimum, slider.maximum = self._proposal.fewest, self._proposal.most
                slider.value = self._proposal.proposed
        self._update()

    def _onSlider(self, value):
        if self._isOpen and self._proposal is not None:
            self._message = ""
            self._do(lambda: self._preview(int(value)), look=False)

    def _preview(self, count):
        volumes = self._dividing.preview(self._selected()[0], count)
        listed = ", ".join(f"{volume:.1f}" for volume in sorted(volumes, reverse=True))
        self._message = _("Preview: {count} parts of {volumes} mL.").format(count=len(volumes), volumes=listed)

    def _split(self):
        ids = self._dividing.split(self._selected()[0], int(self.ui.partsSlider.value))
        self._message = _("{count} lesions were made of one.").format(count=len(ids))

    def _splitAtGaps(self):
        ids = self._dividing.splitAtGaps(self._selected()[0])
        self._message = _("{count} lesions were made of one.").format(count=len(ids))

    def _merge(self):
        selected = self._selected()
        self._lesions.select(self._dividing.merge(selected))
        self._message = _("One lesion was made of {count}.").format(count=len(selected))

    def _do(self, action, look=True):
        """Do something and show what came of it, or why not."""
        if not self._isThere:
            return
        self._message = ""
        try:
            action()
        except (CascadeError, LookupError) as error:
            self._message = str(error)
        if look:
            self._looking.cancel()
            self._look()
        self._update()

    def _selected(self):
        there = self._workspace.lesionIds() if self._workspace is not None else []
        return [each for each in self._lesions.selectedIds() if each in there]

    def _update(self):
        ui, proposal = self.ui, self._proposal
        possible = proposal is not None and proposal.isPossible
        several = len(self._selected()) if self._isOpen else 0
        ui.partsSlider.enabled = ui.splitButton.enabled = possible
        ui.splitAtGapsButton.enabled = proposal is not None and proposal.fewest > 1
        ui.mergeButton.enabled = several > 1
        ui.mergeButton.text = _("Merge ({count})").format(count=several) if several > 1 else _("Merge")
        showSteps(self._dividing if self._isOpen else None, ui.undoDividingButton, ui.redoDividingButton)
        showText(ui.dividingSummaryLabel, self._message or self._hint(several))

    def _hint(self, several):
        if not self._isOpen:
            return ""
        if several == 0:
            return _("Select a lesion to split it, several rows to merge them.")
        if self._proposal is None:
            return ""
        if self._proposal.isPossible:
            return _("Move the slider to see the parts.")
        return _(
            "This lesion has no neck. Cut it with Scissors or Erase in the Segment Editor, then use Split at gaps."
        )
