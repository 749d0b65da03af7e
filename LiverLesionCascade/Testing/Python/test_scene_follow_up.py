"""Follow-up in the scene: transforms are honoured, choices stand and are saved with it."""

import numpy as np
import pytest
import slicer
from fixtures import scene_cases as cases
from fixtures.follow_up_cases import AFTER, BEFORE, SHAPE, addResult
from LiverLesionCascadeLib.engine.errors import InputError, InvalidVolumeError
from LiverLesionCascadeLib.engine.measures.lesion_matching import GONE, MATCHED, NEW
from LiverLesionCascadeLib.scene.headless import headlessScene
from LiverLesionCascadeLib.scene.nodes.volume import ctVolumeFromNode
from LiverLesionCascadeLib.scene.tools.follow_up import LIVERS, SCENE, TRANSFORM, FollowUp
from LiverLesionCascadeLib.scene.workspace.replace_history import ReplaceHistory
from LiverLesionCascadeLib.scene.workspace.review import Review
from LiverLesionCascadeLib.scene.workspace.segmentation import segmentationNodeFromResult
from LiverLesionCascadeLib.scene.workspace.workspace import closeWorkspaces, workspaceOf

MOTION = cases.affine(cases.rotation((0.2, 0.3, 1.0), 12), (14.0, -9.0, 120.0))
EXPECTED = {
    ("lesion_2", "lesion_1"): MATCHED,
    ("lesion_1", "lesion_2"): MATCHED,
    (None, "lesion_3"): NEW,
    ("lesion_3", None): GONE,
}


class Case:
    def __init__(self, scene, toWorld=None):
        self.scene = scene
        self.beforeVolume, self.before = addResult(scene, "Before", BEFORE)
        self.afterVolume, self.after = addResult(scene, "After", AFTER, toWorld)
        self.followUp = workspaceOf(self.after).tool(FollowUp)
        self.followUp.setBaseline(self.before)

    def states(self):
        return states(self.followUp)


def states(followUp):
    rows = followUp.compare().table.rows
    return {(row.before and row.before.key, row.after and row.after.key): row.state for row in rows}


@pytest.fixture
def case():
    with headlessScene() as scene:
        yield Case(scene)
        closeWorkspaces()


@pytest.fixture
def movedCase():
    with headlessScene() as scene:
        yield Case(scene, MOTION)
        closeWorkspaces()


def test_lesions_are_matched_by_the_livers_wherever_the_scans_lie(movedCase):
    assert movedCase.followUp.alignment == LIVERS
    assert movedCase.states() == EXPECTED
    comparison = movedCase.followUp.compare()
    assert comparison.fitMm < 3 and comparison.rejected == 0
    row = comparison.table.rows[0]
    assert row.long_axis_mm.before == pytest.approx(18, abs=4) and row.long_axis_mm.after == pytest.approx(24, abs=4)
    assert row.distance_mm < 5
    assert comparison.table.sum_of_long_axes_mm.after == pytest.approx(58, abs=8)


def test_a_baseline_under_a_non_linear_transform_is_refused_for_that_reason(case):
    case.beforeVolume.SetAndObserveTransformNodeID(cases.addNonLinearTransformNode(case.scene).GetID())
    for compare in (case.followUp.compare, lambda: case.followUp.setBaseline(case.before)):
        with pytest.raises(InvalidVolumeError, match="Before is under the non-linear transform Warp"):
            compare()
    case.beforeVolume.SetAndObserveTransformNodeID(None)
    assert case.states() == EXPECTED


def test_who_follows_hears_when_the_baseline_can_be_compared_again_or_is_another_result(case):
    warp = cases.addNonLinearTransformNode(case.scene)
    case.beforeVolume.SetAndObserveTransformNodeID(warp.GetID())
    with pytest.raises(InvalidVolumeError):
        case.followUp.compare()
    told = []
    case.followUp.subscribe(lambda: told.append(1))
    case.beforeVolume.SetAndObserveTransformNodeID(None)
    assert told
    assert case.states() == EXPECTED
    told.clear()
    liver, history = workspaceOf(case.before).liver().full(SHAPE), ReplaceHistory()
    result = cases.resultOf(ctVolumeFromNode(case.beforeVolume), liver, np.zeros(SHAPE, np.uint16))
    segmentationNodeFromResult(result, case.beforeVolume, case.before, replace=True, history=history)
    assert told
    assert MATCHED not in case.states().values()
    told.clear()
    history.undo(case.before)
    assert told
    assert case.states() == EXPECTED


def test_as_they_lie_in_the_scene_nothing_is_moved(movedCase):
    movedCase.followUp.setAlignment(SCENE)
    assert MATCHED not in movedCase.states().values()
    assert movedCase.followUp.compare().fitMm is None


def test_a_transform_takes_the_baseline_to_the_later_scan(movedCase):
    transform = cases.addTransformNode(movedCase.scene, MOTION)
    movedCase.followUp.setAlignment(TRANSFORM, transform)
    assert movedCase.states() == EXPECTED
    told = []
    movedCase.followUp.subscribe(lambda: told.append(1))
    transform.SetMatrixTransformToParent(cases.vtkMatrix(np.eye(4)))
    assert told and MATCHED not in movedCase.states().values()


def test_a_parent_transform_of_the_baseline_is_part_of_its_place(movedCase):
    transform = cases.addTransformNode(movedCase.scene, MOTION)
    for node in (movedCase.beforeVolume, movedCase.before):
        node.SetAndObserveTransformNodeID(transform.GetID())
    movedCase.followUp.setAlignment(SCENE)
    assert movedCase.states() == EXPECTED
    movedCase.followUp.setAlignment(TRANSFORM, transform)
    with pytest.raises(InputError, match="under Transform already"):
        movedCase.followUp.compare()


def test_a_transform_that_bends_is_honoured(case):
    case.followUp.setAlignment(TRANSFORM, cases.addNonLinearTransformNode(case.scene))
    assert case.states() == EXPECTED


def test_without_transform_or_liver_the_remedy_is_named(case):
    case.followUp.setAlignment(TRANSFORM, None)
    with pytest.raises(InputError, match="choose one"):
        case.followUp.compare()
    case.followUp.setAlignment(LIVERS)
    case.before.GetSegmentation().RemoveSegment("liver")
    with pytest.raises(InputError, match="no liver to align by"):
        case.followUp.compare()


def test_only_other_results_are_a_baseline(case):
    with pytest.raises(InputError, match="result itself"):
        case.followUp.setBaseline(case.after)
    with pytest.raises(InputError, match="holds no result"):
        case.followUp.setBaseline(case.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Other"))
    assert case.followUp.baselineNode is case.before
    case.followUp.setBaseline(None)
    assert case.followUp.compare() is None


def test_a_choice_stands_and_another_for_the_same_lesion_takes_its_place(case):
    case.followUp.choose("lesion_3", "lesion_3")
    assert case.states()["lesion_3", "lesion_3"] == MATCHED
    case.followUp.choose("lesion_1", "lesion_3")
    assert case.followUp.choices() == {"lesion_1": "lesion_3"}
    case.followUp.choose("lesion_2", None)
    assert case.states()[None, "lesion_2"] == NEW
    case.followUp.forgetChoices()
    assert case.states() == EXPECTED
    with pytest.raises(KeyError):
        case.followUp.choose("liver", None)
    with pytest.raises(KeyError):
        case.followUp.choose("lesion_1", "liver")


def test_choices_are_kept_for_each_baseline(case):
    _, other = addResult(case.scene, "Between", BEFORE)
    case.followUp.choose("lesion_1", None)
    case.followUp.setBaseline(other)
    assert case.followUp.choices() == {} and case.states() == EXPECTED
    case.followUp.setBaseline(case.before)
    assert case.followUp.choices() == {"lesion_1": None}


def test_edits_and_verdicts_at_either_time_are_followed(case):
    told = []
    case.followUp.subscribe(lambda: told.append(1))
    workspaceOf(case.before).tool(Review).reject("lesion_1")
    workspaceOf(case.before).flush()
    assert told
    comparison = case.followUp.compare()
    assert comparison.rejected == 1 and case.states()[None, "lesion_2"] == NEW
    told.clear()
    case.after.GetSegmentation().RemoveSegment("lesion_1")
    workspaceOf(case.after).flush()
    assert told and case.states()["lesion_2", None] == GONE


def test_a_baseline_that_is_removed_leaves_nothing_to_compare(case):
    case.followUp.compare()
    case.scene.RemoveNode(case.before)
    assert case.followUp.baselineNode is None and case.followUp.compare() is None


def test_the_way_to_a_lesion_that_is_gone_leads_where_it_would_be(movedCase):
    rows = movedCase.followUp.compare().table.rows
    gone = next(row for row in rows if row.state == GONE)
    expected = (MOTION @ [*BEFORE[2][0], 1])[:3]
    assert np.linalg.norm(movedCase.followUp.position(gone) - expected) < 5
    expected = (MOTION @ [*AFTER[0][0], 1])[:3]
    assert np.linalg.norm(movedCase.followUp.position(rows[0]) - expected) < 5


def test_baseline_alignment_and_choices_are_saved_with_the_scene(movedCase, tmp_path):
    transform = cases.addTransformNode(movedCase.scene, MOTION)
    movedCase.followUp.setAlignment(TRANSFORM, transform)
    movedCase.followUp.choose("lesion_3", "lesion_3")
    movedCase.followUp.choose("lesion_2", None)
    expected = movedCase.states()
    for node in (movedCase.beforeVolume, movedCase.afterVolume, movedCase.before, movedCase.after, transform):
        node.AddDefaultStorageNode()
    assert movedCase.scene.WriteToMRB(str(tmp_path / "scene.mrb"))
    with headlessScene() as other:
        cache, data = slicer.vtkCacheManager(), slicer.vtkDataIOManager()
        cache.SetRemoteCacheDirectory(str(tmp_path))
        data.SetCacheManager(cache)
        other.SetDataIOManager(data)
        assert other.ReadFromMRB(str(tmp_path / "scene.mrb"))
        node = other.GetFirstNodeByName(movedCase.after.GetName())
        followUp = workspaceOf(node).tool(FollowUp)
        assert followUp.baselineNode.GetName() == movedCase.before.GetName()
        assert followUp.alignment == TRANSFORM and followUp.transformNode.GetName() == "Transform"
        assert followUp.choices() == {"lesion_3": "lesion_3", "lesion_2": None}
        assert states(followUp) == expected
        closeWorkspaces()
