"""A refinement changes what it may, keeps what a person decided, and can be taken back."""

import numpy as np
import pytest
import slicer
from fixtures import scene_cases as cases
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.corrections.edit_flags import (
    LESION,
    LESION_PAINTED,
    LIVER,
    LIVER_ERASED,
    LIVER_PAINTED,
    TOUCHED,
    corrections_of,
    refined_on_source,
)
from LiverLesionCascadeLib.engine.corrections.refine import Refined
from LiverLesionCascadeLib.engine.errors import OutputError
from LiverLesionCascadeLib.engine.grid.boxed import Boxed
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from LiverLesionCascadeLib.scene.headless import headlessScene
from LiverLesionCascadeLib.scene.nodes.arrays import RAS_FROM_LPS, orientedImage
from LiverLesionCascadeLib.scene.nodes.volume import ctVolumeFromNode, ijkToRasMatrix
from LiverLesionCascadeLib.scene.tools.refinement import Refinement, Refining, editFlags, hasCorrections
from LiverLesionCascadeLib.scene.tools.threshold import Threshold
from LiverLesionCascadeLib.scene.workspace.edit_record import LESIONS
from LiverLesionCascadeLib.scene.workspace.lesion_change import REFINED
from LiverLesionCascadeLib.scene.workspace.provenance import isMarked
from LiverLesionCascadeLib.scene.workspace.review import Review
from LiverLesionCascadeLib.scene.workspace.segmentation import segmentationNodeFromResult, segmentMask
from LiverLesionCascadeLib.scene.workspace.stored_probability import storeProbability
from LiverLesionCascadeLib.scene.workspace.workspace import closeWorkspaces, workspaceOf
from scipy import ndimage
from scipy.spatial.transform import Rotation

HU, LIVER_MASK, INSTANCES = cases.abdomen()
SHAPE = HU.shape
DISK = np.zeros(SHAPE, bool)
DISK[12, 22:25, 8:11] = True
BLOCK = np.zeros(SHAPE, bool)
BLOCK[11:14, 21:26, 7:12] = True


class Bench:
    def __init__(self, scene):
        self.volume = cases.addVolumeNode(scene, HU)
        result = cases.resultOf(ctVolumeFromNode(self.volume), LIVER_MASK, INSTANCES)
        self.node = segmentationNodeFromResult(result, self.volume)
        self.workspace = workspaceOf(self.node)
        self.result = result

    def setMask(self, segmentId, mask):
        if self.node.GetSegmentation().GetSegment(segmentId) is None:
            self.node.GetSegmentation().AddEmptySegment(segmentId, segmentId)
        image = orientedImage(mask.astype(np.uint8), ijkToRasMatrix(self.volume))
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        assert logic.SetBinaryLabelmapToSegment(image, self.node, segmentId, logic.MODE_REPLACE)

    def refined(self, lesions, region=None):
        """What the engine would have answered to the edits so far."""
        editFlags(self.workspace)
        self.result.lesions = Boxed.labels(lesions.astype(np.uint8))
        return Refinement(self.workspace, self.result, region)

    def mask(self, segmentId):
        return segmentMask(self.node, segmentId, self.volume)

    @property
    def tool(self):
        return self.workspace.tool(Refining)


@pytest.fixture
def bench():
    with headlessScene() as scene:
        yield Bench(scene)
        closeWorkspaces()


def test_the_engine_is_told_what_was_painted_and_erased(bench):
    assert not hasCorrections(bench.workspace)
    bench.setMask("lesion_1", (INSTANCES == 1) | DISK)
    assert hasCorrections(bench.workspace)
    flags = editFlags(bench.workspace)
    whole = np.zeros(SHAPE, np.uint8)
    whole[flags.box] = flags.values
    np.testing.assert_array_equal(whole & LIVER > 0, LIVER_MASK)
    np.testing.assert_array_equal(whole & LESION > 0, (INSTANCES > 0) | DISK)
    painted = DISK & (INSTANCES == 0)
    assert painted.any()
    np.testing.assert_array_equal(whole & LESION_PAINTED > 0, painted)
    assert (whole[painted] & TOUCHED > 0).all()


def test_what_grows_from_a_lesion_joins_it_and_what_stands_alone_is_new(bench):
    far = np.zeros(SHAPE, bool)
    far[5:7, 10:13, 20:23] = True
    bench.setMask("drawn", DISK)
    refinement = bench.refined((INSTANCES > 0) | BLOCK | far)
    assert refinement.summary().new == 1
    refinement.accept()
    np.testing.assert_array_equal(bench.workspace.lesions().full(SHAPE), (INSTANCES > 0) | BLOCK | far)
    assert np.count_nonzero(bench.mask("drawn")) > 2 * np.count_nonzero(DISK)
    assert not (bench.mask("drawn") & (bench.mask("lesion_1") | bench.mask("lesion_2")) & ~INSTANCES.astype(bool)).any()
    np.testing.assert_array_equal(bench.mask("lesion_3"), far)
    assert bench.node.GetSegmentation().GetSegment("lesion_3").GetName() == "Lesion 3"


def test_nothing_changes_before_it_is_accepted(bench):
    bench.setMask("drawn", DISK)
    refinement = bench.refined(BLOCK)
    summary = refinement.summary()
    np.testing.assert_array_equal(summary.added.full(SHAPE), BLOCK & ~DISK & (INSTANCES == 0))
    np.testing.assert_array_equal(summary.removed.full(SHAPE), (INSTANCES > 0) & ~BLOCK & ~DISK)
    np.testing.assert_array_equal(bench.mask("drawn"), DISK)
    np.testing.assert_array_equal(bench.mask("lesion_1"), INSTANCES == 1)


def test_reviewed_lesions_and_touched_voxels_stay_whatever_the_engine_says(bench):
    review = bench.workspace.tool(Review)
    review.accept("lesion_1")
    bench.setMask("drawn", DISK)
    bench.refined(np.zeros(SHAPE, bool)).accept()
    np.testing.assert_array_equal(bench.mask("lesion_1"), INSTANCES == 1)
    np.testing.assert_array_equal(bench.mask("drawn"), DISK)
    assert bench.node.GetSegmentation().GetSegment("lesion_2") is None


def test_edits_made_while_the_preview_is_shown_stand(bench):
    bench.setMask("drawn", DISK)
    refinement = bench.refined((INSTANCES > 0) | BLOCK)
    erased = np.zeros(SHAPE, bool)
    erased[12, 22, 8:11] = True
    bench.setMask("drawn", DISK & ~erased)
    refinement.accept()
    assert not bench.workspace.lesions().full(SHAPE)[erased & (INSTANCES == 0)].any()


def test_outside_of_the_region_nothing_changes(bench):
    bench.setMask("drawn", DISK)
    region = (slice(10, 15), slice(20, 27), slice(6, 13))
    bench.refined(BLOCK, region).accept()
    inside = np.zeros(SHAPE, bool)
    inside[region] = True
    now = bench.workspace.lesions().full(SHAPE)
    np.testing.assert_array_equal(now[~inside], ((INSTANCES > 0) | DISK)[~inside])
    assert now[BLOCK].all()


def test_accepting_is_undone_and_done_again(bench):
    bench.setMask("drawn", DISK)
    bench.refined(BLOCK).accept()
    assert bench.node.GetSegmentation().GetSegment("lesion_2") is None
    bench.tool.undo()
    np.testing.assert_array_equal(bench.mask("lesion_1"), INSTANCES == 1)
    np.testing.assert_array_equal(bench.mask("lesion_2"), INSTANCES == 2)
    np.testing.assert_array_equal(bench.mask("drawn"), DISK)
    bench.tool.redo()
    assert bench.node.GetSegmentation().GetSegment("lesion_2") is None


def test_accepting_is_no_edit_of_the_person(bench):
    bench.setMask("drawn", DISK)
    bench.workspace.flush()
    before = bench.workspace.edits.touched(LESIONS)
    bench.refined((INSTANCES > 0) | BLOCK).accept()
    bench.workspace.flush()
    assert bench.workspace.edits.touched(LESIONS) == before


def test_the_liver_is_refined_too_where_nobody_touched_it(bench):
    drawn, erased, wanted = LIVER_MASK.copy(), np.zeros(SHAPE, bool), LIVER_MASK.copy()
    k, j, i = (int(each[0]) for each in np.nonzero(LIVER_MASK & (INSTANCES == 0)))
    erased[k, j, i] = True
    drawn[erased] = False
    bench.setMask("liver", drawn)
    k, j, i = (int(each[-1]) for each in np.nonzero(LIVER_MASK & (INSTANCES == 0)))
    wanted[k, j, i] = False
    bench.result.liver = Boxed.labels(wanted.astype(np.uint8))
    refinement = bench.refined(INSTANCES > 0)
    summary = refinement.summary()
    assert (summary.liverAdded.count, summary.liverRemoved.count) == (0, 1)
    assert summary.liverRemovedMl > 0 and not summary.isEmpty
    refinement.accept()
    np.testing.assert_array_equal(bench.mask("liver"), wanted & ~erased)
    bench.tool.undo()
    np.testing.assert_array_equal(bench.mask("liver"), LIVER_MASK & ~erased)


def test_a_threshold_keeps_what_was_refined_until_it_is_undone(bench):
    whole = tuple(slice(0, n) for n in SHAPE)
    storeProbability(bench.node, bench.volume, Boxed((INSTANCES > 0).astype(np.float32)[whole], (0, 0, 0)))
    bench.setMask("drawn", DISK)
    bench.refined((INSTANCES == 1) | BLOCK).accept()
    refined = bench.workspace.lesions().full(SHAPE)
    threshold = bench.workspace.tool(Threshold)
    threshold.apply(0.5, 0.0)
    assert bench.workspace.lesions().full(SHAPE)[refined].all()
    threshold.undo()
    bench.tool.undo()
    segmentation = bench.node.GetSegmentation()
    assert not any(isMarked(segmentation.GetSegment(each), REFINED) for each in bench.workspace.lesionIds())
    bench.tool.redo()
    assert any(isMarked(segmentation.GetSegment(each), REFINED) for each in bench.workspace.lesionIds())


def moveToAnotherVolume(bench):
    bench.node.SetReferenceImageGeometryParameterFromVolumeNode(cases.addVolumeNode(bench.node.GetScene(), HU))


def replaceByAnotherResult(bench):
    again = cases.resultOf(ctVolumeFromNode(bench.volume), LIVER_MASK, np.roll(INSTANCES, 2, axis=2))
    segmentationNodeFromResult(again, bench.volume, bench.node, replace=True)


@pytest.mark.parametrize("change", [moveToAnotherVolume, replaceByAnotherResult])
def test_a_refinement_of_a_result_that_is_another_one_by_now_is_refused(bench, change):
    bench.setMask("drawn", DISK)
    refinement = bench.refined(BLOCK)
    change(bench)
    before = bench.mask("lesion_1")
    with pytest.raises(OutputError, match="Refine again"):
        refinement.accept()
    np.testing.assert_array_equal(bench.mask("lesion_1"), before)


@settings(deadline=None)  # the first example loads torch
@given(st.integers(0, 47), st.integers(0, 2**32 - 1))
def test_masks_reach_the_engine_and_come_back_voxel_for_voxel_in_any_orientation(orientation, seed):
    random = np.random.default_rng(seed)
    shape = (7, 8, 9)
    matrix = RAS_FROM_LPS @ cases.affine(cases.ORIENTATIONS[orientation] * np.asarray(cases.SPACING), cases.ORIGIN)
    ct = CTVolume.from_array(cases.numberedArray(shape), matrix, "CT")
    box = (slice(1, 6), slice(2, 8), slice(0, 7))
    flags = np.zeros(shape, np.uint8)
    flags[box] = random.integers(0, 128, flags[box].shape)
    flags[3, 4, 5] = 127
    c = corrections_of(Boxed(flags[box], (1, 2, 0)), ct)

    for mask, bit in ((c.liver, LIVER), (c.lesions, LESION), (c.touched, TOUCHED)):
        assert ct.boxed_to_source(Boxed.mask(mask, c.start)) == Boxed.mask(flags & bit)

    wanted = random.integers(0, 2, flags.shape) > 0
    free = flags & TOUCHED == 0
    on_grid = ct.from_source(wanted)[c.box]
    refined = Refined(c.start, c.liver | on_grid, np.where(c.touched, c.lesions, on_grid))
    back = refined_on_source(refined, c, Boxed(flags[box], (1, 2, 0)), ct, Bundle, "cpu")
    inside = ct.boxed_to_source(Boxed(np.ones(c.liver.shape, bool), c.start)).full(shape)
    np.testing.assert_array_equal(back.lesions.full(shape) > 0, np.where(free & inside, wanted, flags & LESION > 0))
    decided = flags & (TOUCHED | LIVER_PAINTED | LIVER_ERASED) > 0
    np.testing.assert_array_equal(
        back.liver.full(shape), np.where(~decided & inside, wanted | (flags & LIVER > 0), flags & LIVER > 0)
    )


@settings(max_examples=30, deadline=None)
@given(st.tuples(*[st.floats(-25, 25)] * 3), st.floats(0, 0.3), st.integers(0, 2**32 - 1))
def test_what_the_engine_left_alone_is_voxel_for_voxel_the_persons_own_on_an_oblique_grid(angles, shear, seed):
    ct, flags = obliqueCase(angles, shear, seed)
    c = corrections_of(flags, ct)
    back = refined_on_source(Refined(c.start, c.liver, c.lesions), c, flags, ct, Bundle, "cpu")
    assert back.liver == flags.has(LIVER)
    assert Boxed.mask(back.lesions.values, back.lesions.start) == flags.has(LESION)


@settings(max_examples=30, deadline=None)
@given(st.tuples(*[st.floats(-25, 25)] * 3), st.floats(0, 0.3), st.integers(0, 2**32 - 1))
def test_on_an_oblique_grid_the_engines_changes_change_no_voxel_that_a_person_decided_about(angles, shear, seed):
    """They arrive, and a new part of a lesion is liver too."""
    ct, flags = obliqueCase(angles, shear, seed)
    c = corrections_of(flags, ct)
    lesions = np.where(c.touched, c.lesions, ndimage.binary_dilation(c.lesions))
    liver = ndimage.binary_erosion(c.liver) | lesions
    back = refined_on_source(Refined(c.start, liver, lesions), c, flags, ct, Bundle, "cpu")
    shape = ct.source.shape
    before, found = flags.full(shape), back.lesions.full(shape) > 0
    touched, wasLesion = before & TOUCHED > 0, before & LESION > 0
    np.testing.assert_array_equal(found[touched], wasLesion[touched])
    decided = before & (TOUCHED | LIVER_PAINTED | LIVER_ERASED) > 0
    np.testing.assert_array_equal(back.liver.full(shape)[decided], (before & LIVER > 0)[decided])
    assert np.count_nonzero(found) > np.count_nonzero(wasLesion)
    assert not np.any(found & ~wasLesion & ~decided & ~back.liver.full(shape))


@settings(max_examples=30, deadline=None)
@given(st.tuples(*[st.floats(-25, 25)] * 3), st.floats(0, 0.3), st.integers(0, 2**32 - 1))
def test_of_what_the_engine_took_away_no_crumb_is_left_on_an_oblique_grid(angles, shear, seed):
    ct, flags = obliqueCase(angles, shear, seed)
    c = corrections_of(flags, ct)
    back = refined_on_source(Refined(c.start, c.touched & c.liver, c.touched & c.lesions), c, flags, ct, Bundle, "cpu")
    shape = ct.source.shape
    before = flags.full(shape)
    # The axial grid holds what was touched a voxel farther out or in.
    near = ndimage.binary_dilation(before & TOUCHED > 0, np.ones((3, 3, 3)), 2)
    decided = near | (before & (LIVER_PAINTED | LIVER_ERASED) > 0)
    assert not np.any((back.lesions.full(shape) > 0) & ~near)
    assert not np.any(back.liver.full(shape) & ~decided)


class Bundle:
    name, version = "tiny", "1"


def obliqueCase(angles, shear, seed):
    """A scan on a turned and sheared grid, and a result of it in which a person changed something."""
    shape = (12, 24, 26)
    axes = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() @ np.diag([1.2, 1.0, 2.5])
    axes[:, 2] += shear * axes[:, 1]
    random = np.random.default_rng(seed)
    ct = CTVolume.from_array(random.integers(-900, 900, shape).astype(np.int16), cases.affine(axes, (5.0, -3.0, 9.0)))
    assume(ct.resampled)

    def ball(radius):
        centre = [random.uniform(0.35, 0.65) * n for n in shape]
        place = [(axis - c) * s for axis, c, s in zip(np.indices(shape), centre, (2.5, 1.0, 1.2), strict=True)]
        return sum(each**2 for each in place) < radius**2

    lesions, painted, erased, touched, beside = (ball(radius) for radius in (4, 3, 3, 4, 5))
    values = ((ball(10) | lesions | painted) & ~beside | painted) * LIVER
    values |= ((lesions | painted) & ~erased) * LESION
    values |= (painted & ~erased) * LESION_PAINTED | (erased | painted | touched) * TOUCHED | beside * LIVER_ERASED
    return ct, Boxed.of(values.astype(np.uint8))
