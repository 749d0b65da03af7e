"""A person's verdict on each lesion, kept in Slicer's own segment status so that it is saved and shown everywhere.

Accepted is Slicer's *Completed*, flagged its *Flagged*; a lesion that waits is *In progress* or *Not started*. Slicer
has no word for rejected: that is *Not started* with a tag, which no longer counts once the status is another. So in
Slicer's own table it has not the tick of an accepted one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import slicer

from .history import History
from .provenance import PREFIX, getTag, taggedConfidence

if TYPE_CHECKING:
    from .workspace import Workspace

UNREVIEWED, ACCEPTED, REJECTED, FLAGGED = "unreviewed", "accepted", "rejected", "flagged"

REVIEW = PREFIX + "Review"
"""Tag of a segment; "rejected" or absent."""

_Logic = slicer.vtkSlicerSegmentationsModuleLogic
_NATIVE = {
    UNREVIEWED: _Logic.InProgress,
    ACCEPTED: _Logic.Completed,
    REJECTED: _Logic.NotStarted,
    FLAGGED: _Logic.Flagged,
}


def reviewStatus(segment: slicer.vtkSegment) -> str:
    """ "unreviewed", "accepted", "rejected" or "flagged"."""
    return _Verdict.of(segment).word


def setReviewStatus(segment: slicer.vtkSegment, word: str) -> None:
    """Give a segment one of the verdicts that `reviewStatus` tells."""
    if reviewStatus(segment) != word:
        _Verdict.named(word).give(segment)


class _Verdict(NamedTuple):
    """What a segment holds: Slicer's status and whether the tag says that it is rejected."""

    native: int
    rejected: bool

    @classmethod
    def of(cls, segment: slicer.vtkSegment) -> _Verdict:
        native = _Logic.GetSegmentStatus(segment)
        return cls(native, native == _NATIVE[REJECTED] and getTag(segment, REVIEW) == REJECTED)

    @classmethod
    def named(cls, word: str) -> _Verdict:
        return cls(_NATIVE[word], word == REJECTED)

    @property
    def word(self) -> str:
        if self.rejected:
            return REJECTED
        return {_Logic.Completed: ACCEPTED, _Logic.Flagged: FLAGGED}.get(self.native, UNREVIEWED)

    def give(self, segment: slicer.vtkSegment) -> None:
        if self.rejected:
            segment.SetTag(REVIEW, REJECTED)
        else:
            _removeTag(segment)
        if _Logic.GetSegmentStatus(segment) != self.native:
            _Logic.SetSegmentStatus(segment, self.native)


def _removeTag(segment: slicer.vtkSegment) -> None:
    if segment.HasTag(REVIEW):
        segment.RemoveTag(REVIEW)


class _Step(NamedTuple):
    segmentId: str
    before: _Verdict
    after: _Verdict


class Review(History[_Step]):
    """Accept, reject and flag the lesions of a workspace, with undo.

    Statuses that are changed elsewhere, in Slicer's segments table or by a script, are understood and can be undone
    too. Use the workspace's `tool(Review)`, so that all who review a result share one history.
    """

    def __init__(self, workspace: Workspace):
        super().__init__()
        self._workspace = workspace
        self._seen: dict[str, _Verdict] = self._present()
        workspace.subscribe(self._onChanges)

    def close(self) -> None:
        self._workspace.unsubscribe(self._onChanges)
        # In another result, steps back would be verdicts on lesions that nobody looked at.
        self.forgetAll()
        self._seen = {}

    def status(self, segmentId: str) -> str:
        """ "unreviewed", "accepted", "rejected" or "flagged". Raises KeyError where there is no such segment."""
        return reviewStatus(self._segment(segmentId))

    def accept(self, segmentId: str) -> None:
        self._set(segmentId, ACCEPTED)

    def reject(self, segmentId: str) -> None:
        """It stays in the node, and no longer counts."""
        self._set(segmentId, REJECTED)

    def flag(self, segmentId: str) -> None:
        self._set(segmentId, FLAGGED)

    def clear(self, segmentId: str) -> None:
        """As if nobody had reviewed it."""
        self._set(segmentId, UNREVIEWED)

    def nextUnreviewed(
        self, currentId: str | None = None, confidence: Callable[[str], float | None] | None = None
    ) -> str | None:
        """The lesion to look at next: of those that wait, the one after the current in order of doubt, from the least
        confidence to the most and then from the start again; None if none waits.

        :param currentId: where the person is; None to begin with the most doubtful.
        :param confidence: of a segment ID, None where unknown; what the segments' tags say if not given. Lesions of
            unknown confidence, which a person drew, come last.
        """

        def doubt(segmentId: str) -> tuple[float, int]:
            value = confidence(segmentId) if confidence else taggedConfidence(self._segment(segmentId))
            return (math.inf if value is None else value, ids.index(segmentId))

        ids = self._workspace.lesionIds()
        waiting = sorted((each for each in ids if self.status(each) == UNREVIEWED and each != currentId), key=doubt)
        if currentId in ids:
            later = [each for each in waiting if doubt(each) > doubt(currentId)]
            waiting = later or waiting
        return waiting[0] if waiting else None

    def remaining(self) -> int:
        """How many lesions wait for a verdict."""
        return sum(self.status(each) == UNREVIEWED for each in self._workspace.lesionIds())

    def undo(self) -> str:
        """Take the last verdict back; the segment ID it was about. Raises LookupError where there is none."""
        return super().undo().segmentId

    def redo(self) -> str:
        """Give the verdict again that was taken back last. Raises LookupError where there is none."""
        return super().redo().segmentId

    def _onChanges(self, _changes) -> None:
        self._notice()

    def _set(self, segmentId: str, word: str) -> None:
        segment = self._segment(segmentId)
        self._notice()
        before = _Verdict.of(segment)
        if before.word != word:
            self._give(segmentId, _Verdict.named(word))
            self._did(_Step(segmentId, before, _Verdict.of(segment)))

    def _next(self, steps: list[_Step], forward: bool) -> int | None:
        """Steps on lesions that are gone are passed over."""
        self._notice()
        places = reversed(range(len(steps)))
        return next((place for place in places if self._possible(steps[place], forward)), None)

    def _apply(self, step: _Step, forward: bool) -> _Step:
        self._give(step.segmentId, step.after if forward else step.before)
        return step

    def _nothing(self) -> str:
        return "There is no other verdict on a lesion."

    def _give(self, segmentId: str, verdict: _Verdict) -> None:
        segment = self._segment(segmentId)
        verdict.give(segment)
        self._seen[segmentId] = _Verdict.of(segment)

    def _notice(self) -> None:
        """Make steps of what was changed elsewhere since the last look."""
        present = self._present()
        for segmentId, verdict in present.items():
            before = self._seen.get(segmentId, verdict)
            if verdict.native != _NATIVE[REJECTED]:
                _removeTag(self._segment(segmentId))  # not started again later, it would be rejected again
            if before.word != verdict.word:
                self._did(_Step(segmentId, before, verdict))
        self._seen = present

    def _possible(self, step: _Step, forward: bool) -> bool:
        return self._workspace.segment(step.segmentId) is not None

    def _present(self) -> dict[str, _Verdict]:
        return {each: _Verdict.of(self._segment(each)) for each in self._workspace.lesionIds()}

    def _segment(self, segmentId: str) -> slicer.vtkSegment:
        segment = self._workspace.segment(segmentId)
        if segment is None:
            raise KeyError(f"{self._workspace.node.GetName()} has no segment {segmentId}")
        return segment
