"""Splitting and merging lesions of a result: whose voxels are, numbers, verdicts, undo, and what a person painted."""

import numpy as np
import pytest
import slicer
from fixtures import scene_cases as cases
from fixtures.follow_up_cases import addResult
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.grid.boxed import Boxed
from LiverLesionCascadeLib.engine.measures.lesion_matching import MATCHED, MERGED, SPLIT
from LiverLesionCascadeLib.scene.headless import headlessScene
from LiverLesionCascadeLib.scene.nodes.arrays import orientedImage
from LiverLesionCascadeLib.scene.nodes.volume import ctVolumeFromNode, ijkToRasMatrix
from LiverLesionCascadeLib.scene.tools.dividing import Dividing
from LiverLesionCascadeLib.scene.tools.follow_up import FollowUp
from LiverLesionCascadeLib.scene.tools.lesion_rows import LesionRows, lesionNumbers
from LiverLesionCascadeLib.scene.tools.threshold import Threshold, mayBeRebuilt
from LiverLesionCascadeLib.scene.workspace import edit_record
from LiverLesionCascadeLib.scene.workspace.review import ACCEPTED, REJECTED, UNREVIEWED, Review
from LiverLesionCascadeLib.scene.workspace.segmentation import segmentationNodeFromResult
from LiverLesionCascadeLib.scene.workspace.stored_probability import storeProbability
from LiverLesionCascadeLib.scene.workspace.workspace import closeWorkspaces, workspaceOf

SHAPE = (20, 40, 60)


def ball(centre, radius):
    axes = np.ix_(*(np.arange(n) - c for n, c in zip(SHAPE, centre, strict=True)))
    return sum(axis**2 for axis in axes) <= radius**2


LEFT, RIGHT, SMALL = ball((10, 20, 14), 8), ball((10, 20, 28), 7), ball((10, 20, 48), 5)
LIVER = np.ones(SHAPE, bool)


@pytest.fixture
def scene():
    closeWorkspaces()
    with headlessScene() as scene:
        yield scene
        closeWorkspaces()


@pytest.fixture
def workspace(scene):
    """Lesion 1 is two that touch, lesion 2 one of its own."""
    hu = np.where(LEFT | RIGHT | SMALL, 40, 100).astype(np.int16)
    volume = cases.addVolumeNode(scene, hu)
    instances = np.where(LEFT | RIGHT, 1, np.where(SMALL, 2, 0)).astype(np.uint16)
    return workspaceOf(segmentationNodeFromResult(cases.resultOf(ctVolumeFromNode(volume), LIVER, instances), volume))


def masks(workspace):
    return {each: workspace.mask(each).full(SHAPE) for each in workspace.lesionIds()}


def setMask(workspace, segmentId, mask):
    image = orientedImage(mask.astype(np.uint8), ijkToRasMatrix(workspace.volumeNode))
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    assert logic.SetBinaryLabelmapToSegment(image, workspace.node, segmentId, logic.MODE_REPLACE)


def test_a_split_keeps_the_number_for_the_largest_part_and_gives_the_others_new_ones(workspace):
    dividing = workspace.tool(Dividing)
    first, second = workspace.lesionIds()
    proposal = dividing.proposal(first)
    assert (proposal.fewest, proposal.proposed) == (1, 2) and proposal.isPossible
    ids = dividing.split(first, proposal.proposed)
    assert ids[0] == first and workspace.lesionIds() == [first, second, ids[1]]
    assert lesionNumbers(workspace) == {first: 1, second: 2, ids[1]: 3}
    now = masks(workspace)
    assert np.count_nonzero(now[first] & LEFT) > 0.97 * LEFT.sum()
    assert np.array_equal(now[first] | now[ids[1]], LEFT | RIGHT) and not (now[first] & now[ids[1]]).any()
    assert np.array_equal(now[second], SMALL)
    assert workspace.node.GetSegmentation().GetSegment(ids[1]).GetName() == "Lesion 3"
    rows = {row.segmentId: row for row in workspace.tool(LesionRows).rows()}
    assert rows[first].measures.long_axis_mm < 1.2 * 17 * max(workspace.geometry.spacing)


def test_undo_and_redo_of_a_split(workspace):
    dividing = workspace.tool(Dividing)
    before, order = masks(workspace), workspace.lesionIds()
    ids = dividing.split(order[0], 2)
    after = masks(workspace)
    dividing.undo()
    assert workspace.lesionIds() == order and all(
        np.array_equal(before[each], masks(workspace)[each]) for each in order
    )
    assert mayBeRebuilt(workspace, order[0]), "as if it had never been split"
    assert not dividing.canUndo() and dividing.canRedo()
    dividing.redo()
    assert set(workspace.lesionIds()) == {*order, ids[1]}
    assert all(np.array_equal(after[each], masks(workspace)[each]) for each in after)
    assert not mayBeRebuilt(workspace, order[0]), "the person decided: no threshold joins the parts again"


def test_a_part_that_was_edited_since_is_not_undone_and_nothing_is_lost(workspace):
    dividing = workspace.tool(Dividing)
    first = workspace.lesionIds()[0]
    part = dividing.split(first, 2)[1]
    setMask(workspace, part, masks(workspace)[part] | ball((10, 36, 28), 3))
    lesions = workspace.lesions().full(SHAPE)
    assert not dividing.canUndo()
    with pytest.raises(LookupError):
        dividing.undo()
    assert np.array_equal(workspace.lesions().full(SHAPE), lesions)


def test_parts_have_the_verdict_of_the_lesion_they_were(workspace):
    review = workspace.tool(Review)
    first = workspace.lesionIds()[0]
    review.reject(first)
    part = workspace.tool(Dividing).split(first, 2)[1]
    assert review.status(first) == review.status(part) == REJECTED, "or the rejected lesion would count again"
    workspace.tool(Dividing).undo()
    assert review.status(first) == REJECTED


def test_merged_lesions_have_the_lowest_number_and_all_voxels(workspace):
    dividing = workspace.tool(Dividing)
    first, second = workspace.lesionIds()
    assert dividing.merge([second, first]) == first
    assert workspace.lesionIds() == [first] and np.array_equal(masks(workspace)[first], LEFT | RIGHT | SMALL)
    dividing.undo()
    assert workspace.lesionIds() == [first, second] and np.array_equal(masks(workspace)[second], SMALL)


@pytest.mark.parametrize(("other", "merged"), [(ACCEPTED, ACCEPTED), (UNREVIEWED, UNREVIEWED)])
def test_a_verdict_that_all_had_stays_else_the_merged_lesion_waits_for_one(workspace, other, merged):
    review = workspace.tool(Review)
    first, second = workspace.lesionIds()
    review.accept(first)
    if other == ACCEPTED:
        review.accept(second)
    workspace.tool(Dividing).merge([first, second])
    assert review.status(first) == merged
    workspace.tool(Dividing).undo()
    assert (review.status(first), review.status(second)) == (ACCEPTED, other)


def test_what_a_person_painted_keeps_its_shape_and_stays_theirs(workspace):
    first, second = workspace.lesionIds()
    bridge = ball((10, 20, 38), 5)
    setMask(workspace, first, masks(workspace)[first] | (bridge & ~SMALL))
    workspace.flush()
    painted = workspace.edits.painted(edit_record.LESIONS).full(SHAPE)
    lesions = workspace.lesions().full(SHAPE)
    dividing = workspace.tool(Dividing)
    ids = dividing.split(first, 2)
    dividing.merge([ids[1], second])
    assert np.array_equal(workspace.lesions().full(SHAPE), lesions)
    assert np.array_equal(workspace.edits.painted(edit_record.LESIONS).full(SHAPE), painted) and painted.any()
    assert sum(mask.astype(int) for mask in masks(workspace).values()).max() == 1
    assert masks(workspace)[second][painted].all(), "painted voxels go with the part that they are in"
    assert workspace.isEdited(second), "voxels that a person painted are in a lesion that they edited"


def test_a_cut_with_the_editor_makes_rows_of_the_pieces_on_request(workspace):
    dividing = workspace.tool(Dividing)
    first = workspace.lesionIds()[0]
    with pytest.raises(InputError, match="in one piece"):
        dividing.splitAtGaps(first)
    cut = masks(workspace)[first]
    cut[:, :, 21:23] = False
    setMask(workspace, first, cut)
    ids = dividing.splitAtGaps(first)
    assert len(ids) == 2 and np.array_equal(masks(workspace)[ids[1]], cut & (np.arange(60) > 22))
    assert dividing.proposal(first).fewest == 1


def test_what_cannot_be_split_or_merged_is_refused_with_the_remedy(workspace):
    dividing = workspace.tool(Dividing)
    second = workspace.lesionIds()[1]
    assert not dividing.proposal(second).isPossible
    with pytest.raises(InputError, match="Split at gaps"):
        dividing.split(second, 2)
    with pytest.raises(InputError, match="two rows"):
        dividing.merge([second])
    with pytest.raises(InputError, match="Select the lesion"):
        dividing.proposal("gone")


def test_a_preview_shows_the_parts_and_changes_no_segment(workspace):
    dividing = workspace.tool(Dividing)
    first = workspace.lesionIds()[0]
    before = masks(workspace)
    count = workspace.node.GetScene().GetNumberOfNodes()
    volumes = dividing.preview(first, 2)
    assert len(volumes) == 2 and sum(volumes) == pytest.approx(before[first].sum() * workspace.geometry.voxel_volume_ml)
    assert all(np.array_equal(mask, masks(workspace)[each]) for each, mask in before.items())
    dividing.endPreview()
    assert workspace.node.GetScene().GetNumberOfNodes() == count


def test_parts_are_saved_and_found_again(workspace):
    first = workspace.lesionIds()[0]
    ids = workspace.tool(Dividing).split(first, 2)
    node, before = workspace.node, masks(workspace)
    closeWorkspaces()  # as on loading a scene: all is read from the nodes
    again = workspaceOf(node)
    assert all(np.array_equal(mask, masks(again)[each]) for each, mask in before.items())
    assert lesionNumbers(again)[ids[1]] == 3 and not mayBeRebuilt(again, ids[1])
    assert not again.edits.painted(edit_record.LESIONS), "a split is no correction to refine from"


@pytest.mark.parametrize("splits", [True, False])
def test_a_threshold_tells_lesions_apart_where_the_result_did(scene, splits):
    hu = np.where(LEFT | RIGHT, 40, 100).astype(np.int16)
    volume = cases.addVolumeNode(scene, hu, spacing=(1.0, 1.0, 1.0))
    ct = ctVolumeFromNode(volume)
    result = cases.resultOf(ct, LIVER, (LEFT | RIGHT).astype(np.uint16), split_lesions=splits)
    node = segmentationNodeFromResult(result, volume)
    storeProbability(node, volume, Boxed(np.where(LEFT | RIGHT, 0.9, 0.0).astype(np.float32), (0, 0, 0)))
    workspaceOf(node).tool(Threshold).apply(0.5, 3.0)
    assert len(workspaceOf(node).lesionIds()) == (2 if splits else 1)


def test_the_follow_up_sees_a_split_and_a_merge(scene):
    lesion = [((-30, 10, 10), 14.0), ((-30, 10, 36), 12.5)]
    _volume, before = addResult(scene, "Before", lesion)
    _volume, after = addResult(scene, "After", lesion)
    followUp = workspaceOf(after).tool(FollowUp)
    followUp.setBaseline(before)

    def states():
        return sorted(row.state for row in followUp.compare().table.rows)

    assert states() == [MATCHED, MATCHED]
    workspaceOf(after).tool(Dividing).merge(workspaceOf(after).lesionIds())
    assert MERGED in states()
    workspaceOf(before).tool(Dividing).merge(workspaceOf(before).lesionIds())
    assert states() == [MATCHED]
    workspaceOf(after).tool(Dividing).split(workspaceOf(after).lesionIds()[0], 2)
    assert SPLIT in states()
