"""Rows of the lesion table are right whatever becomes of the segments; and the way to a lesion in the views."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import slicer
from fixtures import scene_cases as cases
from hypothesis import given, settings
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.grid.boxed import Boxed
from LiverLesionCascadeLib.engine.measures.lesions import measure_lesion
from LiverLesionCascadeLib.engine.measures.segment_measures import SourceMeasures
from LiverLesionCascadeLib.engine.model.lesion_filter import LesionFilter
from LiverLesionCascadeLib.scene.headless import headlessScene
from LiverLesionCascadeLib.scene.nodes import segment_looks
from LiverLesionCascadeLib.scene.nodes.segment_looks import endIsolation, isIsolating, isolate
from LiverLesionCascadeLib.scene.nodes.segment_writer import writeSegments
from LiverLesionCascadeLib.scene.nodes.volume import ctVolumeFromNode
from LiverLesionCascadeLib.scene.tools import lesion_rows
from LiverLesionCascadeLib.scene.tools.diameter_lines import LINES_ROLE, hideDiameters, showDiameters, showsDiameters
from LiverLesionCascadeLib.scene.tools.dividing import Dividing
from LiverLesionCascadeLib.scene.tools.lesion_rows import LesionRows
from LiverLesionCascadeLib.scene.tools.navigation import jumpTo, lesionPosition
from LiverLesionCascadeLib.scene.tools.threshold import Threshold
from LiverLesionCascadeLib.scene.workspace.provenance import LESION_FILTER
from LiverLesionCascadeLib.scene.workspace.replace_history import ReplaceHistory
from LiverLesionCascadeLib.scene.workspace.review import Review
from LiverLesionCascadeLib.scene.workspace.segmentation import segmentationNodeFromResult
from LiverLesionCascadeLib.scene.workspace.workspace import closeWorkspaces, workspaceOf
from vtk.util.numpy_support import vtk_to_numpy

HU, LIVER, INSTANCES = cases.abdomen()
VOXEL_ML = np.prod(cases.SPACING) / 1000


def opened(scene, direction=None, **fields):
    volume = cases.addVolumeNode(scene, HU, direction)
    result = cases.resultOf(ctVolumeFromNode(volume), LIVER, INSTANCES, **fields)
    node = segmentationNodeFromResult(result, volume)
    workspace = workspaceOf(node)
    return SimpleNamespace(
        scene=scene, volume=volume, result=result, node=node, workspace=workspace, rows=workspace.tool(LesionRows)
    )


@pytest.fixture
def case():
    with headlessScene() as scene:
        yield opened(scene)
        closeWorkspaces()


def paint(case, segmentId, mask):
    """Give a segment other voxels, as an editor does."""
    if case.node.GetSegmentation().GetSegment(segmentId) is None:
        case.node.GetSegmentation().AddEmptySegment(segmentId, segmentId)
    writeSegments(case.node, {segmentId: Boxed.mask(mask)}, case.volume)


def row(case, segmentId):
    return next(each for each in case.rows.rows() if each.segmentId == segmentId)


def measured(case, mask):
    """What the engine says of a mask on the volume's grid, which is in axial order but for flips."""
    ct = ctVolumeFromNode(case.volume)
    return measure_lesion(ct.from_source(mask.astype(np.uint8)) > 0, ct.hu, ct.geometry)


@pytest.mark.parametrize("direction", [cases.ORIENTATIONS[0], cases.ORIENTATIONS[13]], ids=["axial", "turned"])
def test_confidence_is_the_likelihood_by_the_bundle_s_filter_and_follows_an_edit(direction):
    known = LesionFilter(0.5, 1.5, 0.4)
    with headlessScene() as scene:
        case = opened(scene, direction, lesion_filter=known)
        for number, found in enumerate(case.rows.rows(), start=1):
            assert found.number == number
            expected = float(known.likelihood(0.75))
            assert found.measures.confidence == pytest.approx(expected, abs=0.01)
            assert abs(expected - 0.75) > 0.05, "else it could be the mean probability"
        before = row(case, "lesion_1").measures.confidence
        paint(case, "lesion_1", LIVER)  # what the network holds for liver
        assert row(case, "lesion_1").measures.confidence < before - 0.1
        closeWorkspaces()


def test_a_result_whose_filter_cannot_be_read_shows_the_mean_probability(case):
    case.node.GetSegmentation().GetSegment(case.workspace.liverId()).SetTag(LESION_FILTER, '{"intercept": 1.0}')
    assert row(case, "lesion_1").measures.confidence == pytest.approx(0.75, abs=1 / 255)


@settings(deadline=None, max_examples=48)
@given(st.sampled_from(cases.ORIENTATIONS))
def test_rows_are_what_the_engine_measured_in_any_orientation(direction):
    with headlessScene() as scene:
        case = opened(scene, direction)
        for found, expected in zip(case.rows.rows(), case.result.table, strict=True):
            assert found.number == expected.number and found.status == "unreviewed" and not found.edited
            for name in ("voxels", "volume_ml", "long_axis_mm", "short_axis_mm", "mean_hu", "sd_hu", "centroid"):
                np.testing.assert_allclose(getattr(found.measures, name), getattr(expected, name), err_msg=name)
            assert found.measures.confidence == pytest.approx(expected.confidence, abs=1 / 255)
            np.testing.assert_allclose(found.measures.long_axis_points, expected.long_axis_points, atol=1e-9)
            assert found.slice == expected.slice_in(case.result.grid)
        closeWorkspaces()


def test_in_an_oblique_volume_the_diameters_are_axial_and_the_volume_is_that_of_the_voxels():
    with headlessScene() as scene:
        case = opened(scene, cases.rotation((1, 0.3, 0), 8))
        for found in case.rows.rows():
            positions = cases.segmentPositions(case.node, found.segmentId)
            assert found.measures.voxels == len(positions)
            ends = [lesionPosition(replace(found.measures, long_axis_points=(point, point)))
                    for point in found.measures.long_axis_points]  # fmt: skip
            assert ends[0][2] == pytest.approx(ends[1][2])
            assert np.linalg.norm(ends[0] - ends[1]) == pytest.approx(found.measures.long_axis_mm)
        closeWorkspaces()


def test_only_the_segment_that_was_edited_is_measured_again(case, monkeypatch):
    case.rows.rows()
    untouched, again = row(case, "lesion_2"), []
    measure = SourceMeasures.measure
    monkeypatch.setattr(SourceMeasures, "measure", lambda *a, **k: again.append(a) or measure(*a, **k))
    mask = (INSTANCES == 1) & (np.arange(HU.shape[0])[:, None, None] > 11)
    paint(case, "lesion_1", mask)
    edited = row(case, "lesion_1")
    assert len(again) == 1 and edited.edited
    assert edited.measures.voxels == mask.sum()
    assert edited.measures.long_axis_mm == pytest.approx(measured(case, mask).long_axis_mm)
    assert row(case, "lesion_2") == untouched


def test_a_lesion_that_is_split_becomes_two_rows_and_the_new_one_has_a_number_of_its_own(case):
    half = np.arange(HU.shape[0])[:, None, None] > 11
    paint(case, "lesion_1", (INSTANCES == 1) & half)
    paint(case, "other_half", (INSTANCES == 1) & ~half)
    rows = case.rows.rows()
    assert [each.number for each in rows] == [1, 2, 3]
    assert sum(each.measures.voxels for each in rows) == (INSTANCES > 0).sum()
    case.node.GetSegmentation().RemoveSegment("lesion_2")
    assert [each.number for each in case.rows.rows()] == [1, 3]


def test_a_copied_lesion_does_not_take_the_number_of_the_first(case):
    copy = slicer.vtkSegment()
    copy.DeepCopy(case.node.GetSegmentation().GetSegment("lesion_1"))
    case.node.GetSegmentation().AddSegment(copy, "copy", "lesion_1")
    assert {each.segmentId: each.number for each in case.rows.rows()} == {"copy": 3, "lesion_1": 1, "lesion_2": 2}


def test_merged_lesions_are_one_row_and_the_total_stays(case):
    total = case.rows.totals().lesionMl
    paint(case, "lesion_1", INSTANCES > 0)
    case.node.GetSegmentation().RemoveSegment("lesion_2")
    assert [each.measures.voxels for each in case.rows.rows()] == [(INSTANCES > 0).sum()]
    assert case.rows.totals().count == 1 and case.rows.totals().lesionMl == pytest.approx(total)


def test_overlapping_lesions_are_measured_whole_and_counted_once(case):
    paint(case, "drawn", cases.ellipsoid(HU.shape, (0.5, 0.4, 0.35), (0.2, 0.2, 0.2)))
    drawn = row(case, "drawn").measures.voxels
    assert row(case, "lesion_1").measures.voxels == (INSTANCES == 1).sum()
    both = cases.ellipsoid(HU.shape, (0.5, 0.4, 0.35), (0.2, 0.2, 0.2))
    assert drawn == both.sum()
    assert case.rows.totals().lesionMl == pytest.approx((both | (INSTANCES > 0)).sum() * VOXEL_ML)


def test_a_renamed_recoloured_and_hidden_lesion_keeps_its_measures(case):
    before = row(case, "lesion_1")
    segment = case.node.GetSegmentation().GetSegment("lesion_1")
    segment.SetName("Metastasis")
    segment.SetColor(1, 0, 0)
    case.node.GetDisplayNode().SetSegmentVisibility("lesion_1", False)
    assert row(case, "lesion_1") == replace(before, name="Metastasis", color=(1, 0, 0))
    assert case.rows.totals().count == 2


def test_a_segment_that_a_person_names_otherwise_is_no_lesion(case):
    paint(case, "vessel", INSTANCES == 1)
    assert len(case.rows.rows()) == 3
    segment = case.node.GetSegmentation().GetSegment("vessel")
    segment.SetTerminology("c~SCT^49755003^Altered~SCT^85659009^Vein~^^~a~^^~^^")
    assert len(case.rows.rows()) == 2


def test_an_emptied_lesion_keeps_its_row_without_measures_and_does_not_count(case):
    paint(case, "lesion_2", np.zeros(HU.shape, bool))
    assert row(case, "lesion_2").measures is None
    assert case.rows.totals().count == 1


def test_rejected_lesions_leave_the_totals_but_not_the_table(case):
    Review(case.workspace).reject("lesion_1")
    totals = case.rows.totals()
    assert [each.status for each in case.rows.rows()] == ["rejected", "unreviewed"]
    assert (totals.count, totals.rejected) == (1, 1)
    assert totals.lesionMl == pytest.approx((INSTANCES == 2).sum() * VOXEL_ML)
    assert totals.liverMl == pytest.approx(LIVER.sum() * VOXEL_ML)
    assert totals.burdenPercent == pytest.approx(100 * (INSTANCES == 2).sum() / LIVER.sum())


def test_a_lesion_painted_outside_the_liver_belongs_to_the_organ_of_the_tumour_burden(case):
    outside = np.zeros(HU.shape, bool)
    outside[2:6, 34:38, 28:34] = True
    assert not (outside & LIVER).any()
    paint(case, "lesion_1", outside)
    case.workspace.flush()
    totals = case.rows.totals()
    lesions = outside | (INSTANCES == 2)
    assert totals.liverMl == pytest.approx(LIVER.sum() * VOXEL_ML)
    assert totals.burdenPercent == pytest.approx(100 * lesions.sum() / (LIVER | lesions).sum())
    paint(case, "liver", INSTANCES == 1)
    case.workspace.flush()
    assert case.rows.totals().burdenPercent == pytest.approx(100 * lesions.sum() / (lesions | (INSTANCES == 1)).sum())


def test_an_edited_or_deleted_liver_moves_the_surface_and_the_burden(case):
    before = row(case, "lesion_1").measures
    paint(case, "liver", cases.ellipsoid(HU.shape, (0.5, 0.45, 0.4), (0.45, 0.45, 0.4)))
    after = row(case, "lesion_1").measures
    assert after.distance_to_liver_surface_mm > before.distance_to_liver_surface_mm
    assert after == replace(before, distance_to_liver_surface_mm=after.distance_to_liver_surface_mm)
    case.node.GetSegmentation().RemoveSegment("liver")
    assert row(case, "lesion_1").measures.distance_to_liver_surface_mm is None
    assert case.rows.totals().liverMl is None and case.rows.totals().burdenPercent is None


def test_a_lesion_that_reaches_out_of_the_liver_touches_its_surface(case):
    mask = np.zeros(HU.shape, bool)
    mask[10:12, 15:17, :] = True
    paint(case, "drawn", mask)
    assert row(case, "drawn").measures.distance_to_liver_surface_mm == 0.0


def test_under_a_non_linear_transform_rows_stay_and_come_anew_when_it_is_gone(case):
    told, before = [], case.rows.rows()
    case.rows.subscribe(lambda: told.append(1))
    case.volume.SetAndObserveTransformNodeID(cases.addNonLinearTransformNode(case.scene).GetID())
    assert case.rows.present() == before and told == []
    shift = cases.addTransformNode(case.scene, cases.affine(None, (5, 0, 0)))
    case.volume.SetAndObserveTransformNodeID(shift.GetID())
    assert case.rows.present() == before and told == []  # no more can it be measured where it lies alone
    case.node.SetAndObserveTransformNodeID(shift.GetID())
    assert told and case.rows.rows() != before


def test_measuring_goes_on_in_steps(case, monkeypatch):
    monkeypatch.setattr(lesion_rows, "STEP_SECONDS", 0.0)
    rows = LesionRows(case.workspace)
    assert rows.pending() == 2 and [each.measures for each in rows.present()] == [None, None]
    rows.measureSome()
    assert rows.pending() == 1 and [each.measures is None for each in rows.present()] == [False, True]
    rows.measureSome()
    assert rows.pending() == 0 and rows.present() == case.rows.rows()
    rows.close()


def test_a_jump_puts_slices_and_cameras_on_the_lesion_in_the_slice_that_was_measured(case):
    camera = case.scene.AddNewNodeByClass("vtkMRMLCameraNode")
    camera.SetPosition(0, 400, 0)
    slices = case.scene.AddNewNodeByClass("vtkMRMLSliceNode")
    transform = cases.addTransformNode(case.scene, cases.affine(cases.rotation((0, 0, 1), 30), (5, 6, 7)))
    for node in (case.volume, case.node):
        node.SetAndObserveTransformNodeID(transform.GetID())
    found = row(case, "lesion_1")
    position = lesionPosition(found.measures)
    jumpTo(case.scene, position)
    np.testing.assert_allclose(camera.GetFocalPoint(), position)
    np.testing.assert_allclose(np.subtract(camera.GetPosition(), position), (0, 400, 0), atol=1e-6)
    matrix = slices.GetSliceToRAS()
    np.testing.assert_allclose([matrix.GetElement(n, 3) for n in range(3)], position, atol=1e-6)
    assert position[2] == pytest.approx(cases.ORIGIN[2] + cases.SPACING[2] * found.slice + 7)


def test_a_lesion_is_shown_alone_and_what_was_visible_comes_back(case):
    display = case.node.GetDisplayNode()
    paint(case, "drawn", INSTANCES == 2)
    display.SetSegmentVisibility("drawn", False)

    def visible():
        return [display.GetSegmentVisibility(each) for each in ("liver", "lesion_1", "lesion_2", "drawn")]

    isolate(case.node, case.workspace.lesionIds(), "drawn")
    assert visible() == [True, False, False, True]
    isolate(case.node, case.workspace.lesionIds(), "lesion_1")
    assert visible() == [True, True, False, False] and isIsolating(case.node)
    endIsolation(case.node)
    assert visible() == [True, True, True, False] and not isIsolating(case.node)


def mergeAndUndo(case):
    tool = case.workspace.tool(Dividing)
    tool.merge(["lesion_1", "lesion_2"])
    return tool.undo


def thresholdAndUndo(case):
    tool = case.workspace.tool(Threshold)
    tool.apply(0.9, 0.0)
    return tool.undo


def replaceAndUndo(case):
    history = ReplaceHistory()
    segmentationNodeFromResult(case.result, case.volume, case.node, replace=True, history=history)
    return lambda: history.undo(case.node)


@pytest.mark.parametrize("change", [mergeAndUndo, thresholdAndUndo, replaceAndUndo])
@pytest.mark.parametrize("stillAlone", [False, True])
@pytest.mark.parametrize("alone", ["lesion_1", "lesion_2"])
def test_a_lesion_that_was_hidden_for_another_is_seen_again_after_a_change_was_undone(case, change, stillAlone, alone):
    display, ids = case.node.GetDisplayNode(), case.workspace.lesionIds()
    isolate(case.node, ids, alone)
    undo = change(case)
    if stillAlone:
        undo()
        expected = [each == alone or not isIsolating(case.node) for each in ids]
        assert [display.GetSegmentVisibility(each) for each in ids] == expected
    endIsolation(case.node)
    if not stillAlone:
        undo()
    assert [display.GetSegmentVisibility(each) for each in ids] == [True, True]


def test_what_is_visible_is_read_once_and_not_for_each_lesion_where_another_is_shown_alone(case, monkeypatch):
    isolate(case.node, case.workspace.lesionIds(), "lesion_1")
    read, loads = [], segment_looks.json.loads
    monkeypatch.setattr(segment_looks.json, "loads", lambda text: read.append(text) or loads(text))
    isolate(case.node, case.workspace.lesionIds(), "lesion_2")
    assert len(read) == 1


def test_no_lesion_is_shown_alone_any_more_when_the_result_is_replaced(case):
    isolate(case.node, case.workspace.lesionIds(), "lesion_1")
    replaceAndUndo(case)
    assert not isIsolating(case.node)


def drawn(case):
    """Lengths in mm and height of the middles of the diameters that are drawn, in mm."""
    polyData = case.node.GetNodeReference(LINES_ROLE).GetPolyData()
    corners = vtk_to_numpy(polyData.GetPoints().GetData()).reshape(-1, 4, 3)
    return np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1), corners[:, :, 2].mean(axis=1), np.ptp(corners[..., 2])


def test_diameters_are_one_node_drawn_in_the_slice_that_was_measured_and_follow_edits(case):
    showDiameters(case.workspace, case.rows.rows())
    node = case.node.GetNodeReference(LINES_ROLE)
    assert case.node.GetNumberOfNodeReferences(LINES_ROLE) == 1
    found = row(case, "lesion_1")
    lengths, heights, _ = drawn(case)
    assert lengths[:2] == pytest.approx([found.measures.long_axis_mm, found.measures.short_axis_mm], abs=1e-3)
    assert heights[:2] == pytest.approx([cases.ORIGIN[2] + cases.SPACING[2] * found.slice] * 2)
    paint(case, "lesion_1", (INSTANCES == 1) & (np.arange(HU.shape[1])[None, :, None] > 15))
    Review(case.workspace).reject("lesion_2")
    showDiameters(case.workspace, case.rows.rows())
    lengths, _, height = drawn(case)
    assert lengths == pytest.approx(
        [row(case, "lesion_1").measures.long_axis_mm, row(case, "lesion_1").measures.short_axis_mm], abs=1e-3
    )
    assert 0.9 * cases.SPACING[2] < height < cases.SPACING[2]  # it is cut by its own slice and by no other
    display = node.GetDisplayNode()
    hideDiameters(case.workspace)
    assert not showsDiameters(case.workspace) and node.GetScene() is None and display.GetScene() is None


def test_the_lines_of_a_result_go_with_it(case):
    showDiameters(case.workspace, case.rows.rows())
    lines = [
        case.node.GetNthNodeReference(LINES_ROLE, n) for n in range(case.node.GetNumberOfNodeReferences(LINES_ROLE))
    ]
    assert lines
    displays = [line.GetDisplayNode() for line in lines]
    case.node.GetScene().RemoveNode(case.node)
    assert all(each.GetScene() is None for each in (*lines, *displays))
