"""Buttons for a person's verdict on the selected lesion, and the way to the next one that waits."""

import qt
from slicer.i18n import tr as _

from ...scene.nodes.one_change import oneRendering
from ...scene.tools.lesion_looks import VERDICT_COLORS
from ...scene.workspace.review import ACCEPTED, FLAGGED, REJECTED, Review
from ..section import Section
from ..widgets import showSteps
from .lesion_columns import colorIcon

BUTTONS_A_ROW = 2


class ReviewBar(Section):
    """Accept, Reject and Flag of the selected lesion (again to take it back), undo, redo, and the next to look at.

    :param selectedId: returns the ID of the selected lesion's segment; empty for none.
    :param select: given the ID of a segment, selects the lesion and goes to it.
    :param confidence: of a segment ID, None where unknown; what the segments' tags say if not given.
    """

    def __init__(self, selectedId, select, confidence=None):
        super().__init__()
        self._selectedId, self._select, self._confidence = selectedId, select, confidence
        self.widget = qt.QWidget()
        layout = qt.QGridLayout(self.widget)
        layout.setContentsMargins(0, 0, 0, 0)
        self._verdicts = {}
        for verdict, name, text, toolTip in (
            (ACCEPTED, "acceptButton", _("Accept"), _("The selected lesion is right; click again to take it back")),
            (
                REJECTED,
                "rejectButton",
                _("Reject"),
                _("The selected lesion is none: it no longer counts, but stays; click again to take it back"),
            ),
            (FLAGGED, "flagButton", _("Flag"), _("Come back to the selected lesion; click again to take it back")),
        ):
            button = self._add(name, text, toolTip, lambda checked=False, verdict=verdict: self.toggle(verdict))
            button.checkable = True
            button.setIcon(colorIcon(VERDICT_COLORS[verdict]))
            self._verdicts[verdict] = button
        self._next = self._add(
            "nextUnreviewedButton",
            _("Next unreviewed"),
            _("Go to the lesion without a verdict that is least certain"),
            self.next,
        )
        self._undo = self._add("undoReviewButton", _("Undo"), _("Take the last verdict back"), self.undo)
        self._redo = self._add("redoReviewButton", _("Redo"), _("Give the verdict again that was undone"), self.redo)
        self.update()

    def show(self, workspace):
        super().show(workspace)
        self.update()

    def update(self):
        """Show the selected lesion's verdict; to be called when another is selected."""
        review, segmentId = self._review, self._selected()
        status = review.status(segmentId) if segmentId else None
        for verdict, button in self._verdicts.items():
            button.enabled = bool(segmentId)
            button.checked = verdict == status
        showSteps(review, self._undo, self._redo)
        remaining = review.remaining() if review is not None else 0
        self._next.enabled = remaining > 0
        self._next.text = _("Next unreviewed ({count})").format(count=remaining)

    @oneRendering()
    def toggle(self, verdict):
        """Give the selected lesion a verdict of `scene.review`; take it back where it has it already."""
        segmentId = self._selected()
        if segmentId:
            review = self._review
            give = {ACCEPTED: review.accept, REJECTED: review.reject, FLAGGED: review.flag}[verdict]
            (review.clear if review.status(segmentId) == verdict else give)(segmentId)
            self._workspace.flush()  # at once: who shows verdicts in the views does so in the same rendering
        self.update()

    @oneRendering()
    def undo(self, checked=False):
        """Take the last verdict back and go to its lesion."""
        if self._review is not None and self._review.canUndo():
            self._select(self._review.undo())
        self.update()

    @oneRendering()
    def redo(self, checked=False):
        if self._review is not None and self._review.canRedo():
            self._select(self._review.redo())
        self.update()

    def next(self, checked=False):
        """Go to the next lesion that waits for a verdict, in order of doubt."""
        segmentId = self._review.nextUnreviewed(self._selected(), self._confidence) if self._review else None
        if segmentId:
            self._select(segmentId)
        self.update()

    @property
    def _review(self):
        return self._workspace.tool(Review) if self._isThere else None

    def _selected(self):
        """ID of the selected lesion, None where there is none or it is gone."""
        segmentId = self._selectedId() if self._review is not None else None
        return segmentId if segmentId and segmentId in self._workspace.lesionIds() else None

    def _onChanges(self, changes):
        self.update()

    def _add(self, name, text, toolTip, onClicked):
        button = qt.QPushButton(text, self.widget)
        button.objectName = name
        button.toolTip = toolTip
        button.connect("clicked(bool)", onClicked)
        layout = self.widget.layout()
        layout.addWidget(button, layout.count() // BUTTONS_A_ROW, layout.count() % BUTTONS_A_ROW)
        return button
