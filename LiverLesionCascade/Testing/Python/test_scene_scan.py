"""What of a volume is sent, whole or within a region of interest, and how its result comes back."""

import numpy as np
import pytest
from fixtures import scene_cases as cases
from hypothesis import given, settings
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.errors import InputError, InvalidVolumeError
from LiverLesionCascadeLib.scene.headless import headlessScene
from LiverLesionCascadeLib.scene.nodes.roi import roiBox
from LiverLesionCascadeLib.scene.nodes.volume import ijkToRasMatrix
from LiverLesionCascadeLib.scene.tools.scan_input import scanFromNode
from LiverLesionCascadeLib.scene.workspace.segmentation import segmentationNodeFromResult, segmentMask

SHAPE = (24, 40, 36)


@pytest.fixture
def scene():
    with headlessScene() as scene:
        yield scene


def addRoi(scene, centre, size, turn=None, name="Region"):
    """A box ROI at a centre (RAS mm of its node), turned by a (3, 3) rotation."""
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", name)
    node.SetSize(*size)
    node.SetAndObserveObjectToNodeMatrix(cases.vtkMatrix(cases.affine(turn, centre)))
    return node


def roiOfBox(scene, volume, box):
    """A ROI whose sides lie a quarter of a voxel outside of the box's (k, j, i) outermost voxel centres."""
    matrix = ijkToRasMatrix(volume)
    low, high = (np.array([getattr(axis, end) for axis in box[::-1]], float) for end in ("start", "stop"))
    centre = matrix @ [*(low + high - 1) / 2, 1]
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    return addRoi(scene, centre[:3], (high - low - 0.5) * spacing, matrix[:3, :3] / spacing)


@st.composite
def boxes(draw):
    sides = []
    for size in SHAPE:
        first = draw(st.integers(0, size - 2))
        sides.append(slice(first, draw(st.integers(first + 2, size))))
    return tuple(sides)


# ---------------------------------------------------------------------------------------------------------------- ROI


@settings(max_examples=40, deadline=None)
@given(box=boxes(), orientation=st.sampled_from(cases.ORIENTATIONS))
def test_a_roi_gives_the_voxels_whose_centres_are_in_it_in_any_orientation(box, orientation):
    with headlessScene() as scene:
        volume = cases.addVolumeNode(scene, cases.abdomen()[0], orientation)
        assert roiBox(roiOfBox(scene, volume, box), volume) == box


@settings(max_examples=40, deadline=None)
@given(
    axis=st.tuples(*[st.floats(0.1, 1)] * 3),
    degrees=st.floats(0, 180),
    centre=st.tuples(*[st.floats(-10, 10)] * 3),
    size=st.tuples(*[st.floats(6, 30)] * 3),
)
def test_the_box_of_a_turned_roi_holds_every_voxel_that_slicer_finds_in_it(axis, degrees, centre, size):
    with headlessScene() as scene:
        volume = cases.addVolumeNode(scene, cases.abdomen()[0], origin=(-12, -18, -30))
        roi = addRoi(scene, centre, size, cases.rotation(axis, degrees))
        box, matrix = roiBox(roi, volume), ijkToRasMatrix(volume)
        for kji in np.argwhere(np.ones(SHAPE))[::7]:
            inside = roi.IsPointInROIWorld((matrix @ [*kji[::-1], 1])[:3])
            assert not inside or all(s.start <= n < s.stop for s, n in zip(box, kji, strict=True))


def test_a_roi_and_a_volume_under_different_transforms_meet_where_they_are_seen(scene):
    volume = cases.addVolumeNode(scene, cases.abdomen()[0])
    box = (slice(3, 9), slice(5, 20), slice(7, 30))
    roi = roiOfBox(scene, volume, box)
    moved = cases.addTransformNode(scene, cases.affine(cases.rotation((1, 2, 3), 40), (30, 20, 10)))
    for node in (volume, roi):
        node.SetAndObserveTransformNodeID(moved.GetID())
    assert roiBox(roi, volume) == box
    # Only the volume moves, by two columns: the ROI then covers others of its voxels.
    along = ijkToRasMatrix(volume)[:3, 0] * 2
    shift = cases.addTransformNode(scene, cases.affine(translation=along), parent=moved)
    volume.SetAndObserveTransformNodeID(shift.GetID())
    assert roiBox(roi, volume) == (box[0], box[1], slice(5, 28))


def test_a_roi_that_reaches_beyond_the_volume_is_cut_at_its_edge(scene):
    volume = cases.addVolumeNode(scene, cases.abdomen()[0])
    roi = addRoi(scene, cases.ORIGIN, (1000, 1000, 1000))
    assert roiBox(roi, volume) == tuple(slice(0, n) for n in SHAPE)


def test_a_roi_outside_of_the_volume_is_refused(scene):
    volume = cases.addVolumeNode(scene, cases.abdomen()[0])
    with pytest.raises(InputError, match="Region lies outside of CT. Move it"):
        roiBox(addRoi(scene, (900, 0, 0), (50, 50, 50)), volume)


def test_a_roi_that_was_not_drawn_is_refused(scene):
    volume = cases.addVolumeNode(scene, cases.abdomen()[0])
    with pytest.raises(InputError, match="Region has no extent. Draw it"):
        roiBox(scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Region"), volume)


def test_a_roi_of_one_slice_is_refused(scene):
    volume = cases.addVolumeNode(scene, cases.abdomen()[0])
    roi = roiOfBox(scene, volume, (slice(4, 5), slice(0, 30), slice(0, 30)))
    with pytest.raises(InputError, match="only one voxel of CT in one direction. Make it larger"):
        roiBox(roi, volume)


# --------------------------------------------------------------------------------------------------------------- scan


@settings(max_examples=20, deadline=None)
@given(box=boxes(), orientation=st.sampled_from(cases.ORIENTATIONS))
def test_what_is_found_in_a_region_lies_where_it_was_in_the_volume(box, orientation):
    with headlessScene() as scene:
        hu, liver, instances = cases.abdomen()
        volume = cases.addVolumeNode(scene, hu, orientation)
        volume.SetAndObserveTransformNodeID(
            cases.addTransformNode(scene, cases.affine(cases.rotation((0, 0, 1), 90), (4, 5, 6))).GetID()
        )
        roi = roiOfBox(scene, volume, box)
        roi.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
        scan = scanFromNode(volume, roi)
        np.testing.assert_array_equal(scan.array, hu[box])
        inside = np.zeros(SHAPE, bool)
        inside[box] = True
        if not (liver & inside).any() or np.ptp(hu[box]) == 0:
            return
        result = cases.resultOf(scan.ctVolume(), liver[box], instances[box])
        node = segmentationNodeFromResult(scan.onWholeVolume(result), volume)
        np.testing.assert_array_equal(segmentMask(node, "liver", volume), liver & inside)
        for number in range(1, int(instances[box].max(initial=0)) + 1):
            expected = (instances == number) & inside
            np.testing.assert_array_equal(segmentMask(node, f"lesion_{number}", volume), expected)


def test_the_result_of_a_region_says_so_and_that_of_a_volume_does_not(scene):
    hu, liver, instances = cases.abdomen()
    volume = cases.addVolumeNode(scene, hu)
    box = (slice(2, 22), slice(4, 30), slice(1, 30))
    scan = scanFromNode(volume, roiOfBox(scene, volume, box))
    result = scan.onWholeVolume(cases.resultOf(scan.ctVolume(), liver[box], instances[box]))
    assert result.findings[0].code == "restricted" and "region Region" in result.findings[0].message
    whole = scanFromNode(volume)
    result = whole.onWholeVolume(cases.resultOf(whole.ctVolume(), liver, instances))
    assert result.grid.shape == SHAPE and not result.findings


@pytest.mark.parametrize("direction", cases.ORIENTATIONS[::9], ids=lambda d: str(d.astype(int).tolist()))
def test_a_lesion_found_in_a_region_has_the_place_in_space_that_it_has_in_the_volume(scene, direction):
    hu, liver, instances = cases.abdomen()
    volume = cases.addVolumeNode(scene, hu, direction)
    box = (slice(2, 22), slice(4, 30), slice(1, 30))
    found = []
    for scan in (scanFromNode(volume), scanFromNode(volume, roiOfBox(scene, volume, box))):
        inside = box if scan.roiName else (slice(None),) * 3
        result = cases.resultOf(scan.ctVolume(), liver[inside], instances[inside])
        found.append(scan.onWholeVolume(result).table[0])
    np.testing.assert_allclose(found[0].centroid, found[1].centroid, atol=1e-6)


def test_a_scan_shares_the_volume_s_memory(scene):
    volume = cases.addVolumeNode(scene, cases.abdomen()[0])
    scan = scanFromNode(volume, roiOfBox(scene, volume, (slice(2, 22), slice(4, 30), slice(1, 30))))
    assert np.shares_memory(scan.array, scanFromNode(volume).array)


def test_a_volume_without_an_image_is_refused_before_its_region_is_looked_at(scene):
    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Nothing")
    with pytest.raises(InvalidVolumeError, match="Nothing holds no image"):
        scanFromNode(volume, addRoi(scene, (0, 0, 0), (9, 9, 9)))


def test_the_region_of_a_volume_under_a_non_linear_transform_is_refused(scene):
    volume = cases.addVolumeNode(scene, cases.abdomen()[0])
    volume.SetAndObserveTransformNodeID(cases.addNonLinearTransformNode(scene).GetID())
    with pytest.raises(InvalidVolumeError, match="(?i)harden the transform"):
        scanFromNode(volume, addRoi(scene, (0, 0, 0), (9, 9, 9)))
