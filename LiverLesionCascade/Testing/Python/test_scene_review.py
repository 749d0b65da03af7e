"""Verdicts on lesions live in Slicer's own status, can be undone, and no lesion is asked about twice."""

from types import SimpleNamespace

import numpy as np
import pytest
import slicer
from fixtures import scene_cases as cases
from hypothesis import given, settings
from hypothesis import strategies as st
from LiverLesionCascadeLib.scene.headless import headlessScene
from LiverLesionCascadeLib.scene.nodes.storage import saveSegmentation
from LiverLesionCascadeLib.scene.nodes.volume import ctVolumeFromNode
from LiverLesionCascadeLib.scene.workspace.provenance import CONFIDENCE
from LiverLesionCascadeLib.scene.workspace.replace_history import ReplaceHistory
from LiverLesionCascadeLib.scene.workspace.review import (
    ACCEPTED,
    FLAGGED,
    REJECTED,
    REVIEW,
    UNREVIEWED,
    Review,
    reviewStatus,
)
from LiverLesionCascadeLib.scene.workspace.segmentation import segmentationNodeFromResult, segmentMask
from LiverLesionCascadeLib.scene.workspace.workspace import closeWorkspaces, workspaceOf

HU, LIVER, _ = cases.abdomen()
INSTANCES = np.zeros(HU.shape, np.uint16)
for number in range(1, 5):
    INSTANCES[10:12, 14:16, 8 + 3 * number : 10 + 3 * number] = number
LESIONS = [f"lesion_{number}" for number in range(1, 5)]
CONFIDENCES = dict(zip(LESIONS, (0.9, 0.4, 0.7, 0.5), strict=True))
Logic = slicer.vtkSlicerSegmentationsModuleLogic


class Lesions:
    """A result with four lesions, and its review."""

    def __init__(self, scene):
        self.volume = cases.addVolumeNode(scene, HU)
        result = cases.resultOf(ctVolumeFromNode(self.volume), LIVER, INSTANCES)
        self.node = segmentationNodeFromResult(result, self.volume)
        for segmentId, confidence in CONFIDENCES.items():
            self.segment(segmentId).SetTag(CONFIDENCE, str(confidence))
        self.workspace = workspaceOf(self.node)
        self.review = self.workspace.tool(Review)

    def segment(self, segmentId):
        return self.node.GetSegmentation().GetSegment(segmentId)

    def native(self, segmentId):
        return Logic.GetSegmentStatus(self.segment(segmentId))


@pytest.fixture
def case():
    with headlessScene() as scene:
        lesions = Lesions(scene)
        yield SimpleNamespace(lesions=lesions, review=lesions.review, scene=scene)
        closeWorkspaces()


def test_a_verdict_is_slicers_own_status_of_the_segment(case):
    review, lesions = case.review, case.lesions
    assert review.status("lesion_1") == UNREVIEWED and lesions.native("lesion_1") == Logic.InProgress
    review.accept("lesion_1")
    review.flag("lesion_2")
    review.reject("lesion_3")
    assert [lesions.native(each) for each in LESIONS] == [
        Logic.Completed, Logic.Flagged, Logic.NotStarted, Logic.InProgress,
    ]  # fmt: skip
    assert [review.status(each) for each in LESIONS] == [ACCEPTED, FLAGGED, REJECTED, UNREVIEWED]
    review.clear("lesion_3")
    assert review.status("lesion_3") == UNREVIEWED and not lesions.segment("lesion_3").HasTag(REVIEW)
    with pytest.raises(KeyError, match="has no segment nothing"):
        review.accept("nothing")


def test_a_rejected_lesion_keeps_its_voxels_and_is_still_rejected_in_a_file(case, tmp_path):
    case.review.reject("lesion_2")
    np.testing.assert_array_equal(segmentMask(case.lesions.node, "lesion_2", case.lesions.volume), INSTANCES == 2)
    node = cases.loadSegmentation(case.scene, saveSegmentation(case.lesions.node, tmp_path / "Ärzte 1.seg.nrrd"))
    statuses = [reviewStatus(node.GetSegmentation().GetSegment(each)) for each in LESIONS]
    assert statuses == [UNREVIEWED, REJECTED, UNREVIEWED, UNREVIEWED]


@pytest.mark.parametrize("watched", [False, True])
def test_no_verdict_is_undone_in_another_result_than_it_was_given_in(case, watched):
    lesions, history = case.lesions, ReplaceHistory()
    case.review.accept("lesion_1")
    again = cases.resultOf(ctVolumeFromNode(lesions.volume), LIVER, np.roll(INSTANCES, 1, axis=0))
    segmentationNodeFromResult(again, lesions.volume, lesions.node, replace=True, history=history)
    if watched:
        lesions.workspace.flush()
    review = workspaceOf(lesions.node).tool(Review)
    for each in (review, case.review):  # who still holds the one of before has nothing to undo either
        assert not each.canUndo() and not each.canRedo()
    assert [review.status(each) for each in LESIONS] == [UNREVIEWED] * 4
    history.undo(lesions.node)
    assert workspaceOf(lesions.node).tool(Review).status("lesion_1") == ACCEPTED


def test_the_most_doubtful_lesion_comes_first_and_none_twice(case):
    review = case.review
    walked, current = [], None
    while (current := review.nextUnreviewed(current)) is not None:
        walked.append(current)
        review.accept(current)
    assert walked == sorted(LESIONS, key=CONFIDENCES.get) and review.remaining() == 0


def test_lesions_that_were_skipped_come_again_after_the_last(case):
    review, current, walked = case.review, None, []
    for _ in range(6):
        current = review.nextUnreviewed(current)
        walked.append(current)
    order = sorted(LESIONS, key=CONFIDENCES.get)
    assert walked == [*order, *order[:2]] and review.remaining() == 4
    case.lesions.segment("lesion_2").RemoveTag(CONFIDENCE)
    assert review.nextUnreviewed("lesion_1") == "lesion_2", "what a person drew comes last"
    assert review.nextUnreviewed(confidence={**CONFIDENCES, "lesion_1": 0.1}.get) == "lesion_1"


def test_a_status_from_slicers_own_table_is_understood_and_undone_like_any_other(case):
    review, segment = case.review, case.lesions.segment("lesion_1")
    review.reject("lesion_1")
    Logic.SetSegmentStatus(segment, Logic.Flagged)
    assert review.status("lesion_1") == FLAGGED
    assert review.undo() == "lesion_1" and review.status("lesion_1") == REJECTED
    assert review.undo() == "lesion_1" and review.status("lesion_1") == UNREVIEWED
    assert not review.canUndo()
    review.redo()
    review.redo()
    assert review.status("lesion_1") == FLAGGED and not review.canRedo()


def test_a_lesion_that_was_rejected_and_is_completed_later_in_slicers_table_counts_as_accepted(case):
    segment = case.lesions.segment("lesion_1")
    case.review.reject("lesion_1")
    Logic.SetSegmentStatus(segment, Logic.InProgress)
    case.lesions.workspace.flush()
    Logic.SetSegmentStatus(segment, Logic.NotStarted)
    assert case.review.status("lesion_1") == UNREVIEWED
    Logic.SetSegmentStatus(segment, Logic.Completed)
    assert case.review.status("lesion_1") == ACCEPTED


def test_a_verdict_on_a_lesion_that_is_gone_is_passed_over(case):
    case.review.accept("lesion_1")
    case.review.flag("lesion_2")
    case.lesions.node.GetSegmentation().RemoveSegment("lesion_2")
    assert case.review.canUndo() and case.review.undo() == "lesion_1"
    assert not case.review.canUndo() and case.review.canRedo()
    with pytest.raises(LookupError, match="no other verdict"):
        case.review.undo()


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from(["accept", "reject", "flag", "clear"]), st.sampled_from(LESIONS)), max_size=8)
)
def test_undo_and_redo_walk_through_every_state(verdicts):
    with headlessScene() as scene:
        review = Lesions(scene).review

        def state():
            return [review.status(each) for each in LESIONS]

        states = [state()]
        for verdict, segmentId in verdicts:
            getattr(review, verdict)(segmentId)
            if state() != states[-1]:
                states.append(state())
        for expected in states[-2::-1]:
            review.undo()
            assert state() == expected
        assert not review.canUndo()
        for expected in states[1:]:
            review.redo()
            assert state() == expected
        assert not review.canRedo()
        closeWorkspaces()
