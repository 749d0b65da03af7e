"""Results as segmentation nodes: in place in any orientation, in stock terminology, and no work of others lost."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import slicer
from fixtures import scene_cases as cases
from hypothesis import given, settings
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.errors import OutputError
from LiverLesionCascadeLib.scene.headless import headlessScene
from LiverLesionCascadeLib.scene.nodes import terminology
from LiverLesionCascadeLib.scene.nodes.arrays import orientedImage
from LiverLesionCascadeLib.scene.nodes.volume import ctVolumeFromNode, ijkToRasMatrix
from LiverLesionCascadeLib.scene.workspace.provenance import getTag
from LiverLesionCascadeLib.scene.workspace.segmentation import (
    BINARY_LABELMAP,
    resultSegmentIds,
    segmentationNodeFromResult,
    segmentationNodeOnSource,
    segmentMask,
)

IDS = ["liver", "lesion_1", "lesion_2"]


@pytest.fixture
def scene():
    with headlessScene() as scene:
        yield scene


def segmented(scene, direction=None, transform=None, spacing=cases.SPACING, origin=cases.ORIGIN, **options):
    """(volume node, masks of what was put in, segmentation node, result) of the small abdomen."""
    hu, liver, instances = cases.abdomen()
    volume = cases.addVolumeNode(scene, hu, direction, spacing, origin)
    if transform is not None:
        volume.SetAndObserveTransformNodeID(cases.addTransformNode(scene, transform).GetID())
    result = cases.resultOf(ctVolumeFromNode(volume), liver, instances)
    masks = {"liver": liver, "lesion_1": instances == 1, "lesion_2": instances == 2}
    return volume, masks, segmentationNodeFromResult(result, volume, **options), result


def segment(node, segmentId):
    return node.GetSegmentation().GetSegment(segmentId)


def addSegment(node, volume, mask, segmentId, name):
    """A segment as a person would have painted it."""
    new = slicer.vtkSegment()
    new.SetName(name)
    new.AddRepresentation(BINARY_LABELMAP, orientedImage(mask, ijkToRasMatrix(volume)))
    assert node.GetSegmentation().AddSegment(new, segmentId)


def assertOverlays(node, volume, masks):
    assert node.GetTransformNodeID() == volume.GetTransformNodeID()
    for segmentId, mask in masks.items():
        found, expected = cases.segmentPositions(node, segmentId), cases.voxelPositions(volume, mask)
        assert len(found) == len(expected)
        np.testing.assert_allclose(found, expected, atol=1e-6)
        np.testing.assert_array_equal(segmentMask(node, segmentId, volume), mask)


# ------------------------------------------------------------------------------------------------------- geometry


@pytest.mark.parametrize("direction", cases.ORIENTATIONS, ids=lambda d: str(d.astype(int).tolist()))
def test_every_axis_order_and_flip_gets_its_segments_voxel_for_voxel(scene, direction):
    volume, masks, node, _ = segmented(scene, direction)
    assertOverlays(node, volume, masks)


@pytest.mark.parametrize("direction", cases.ORIENTATIONS, ids=lambda d: str(d.astype(int).tolist()))
def test_every_orientation_under_a_parent_transform_is_overlaid_exactly(scene, direction):
    transform = cases.affine(cases.rotation((1, 0, 0), 90), (40, -30, 20))
    volume, masks, node, _ = segmented(scene, direction, transform)
    assertOverlays(node, volume, masks)


@settings(max_examples=25, deadline=None)
@given(
    orientation=st.sampled_from(cases.ORIENTATIONS),
    spacing=st.tuples(*[st.floats(0.5, 5)] * 3),
    origin=st.tuples(*[st.floats(-400, 400)] * 3),
    shift=st.tuples(*[st.floats(-400, 400)] * 3),
)
def test_any_spacing_origin_and_shift_is_overlaid_exactly(orientation, spacing, origin, shift):
    with headlessScene() as scene:
        volume, masks, node, _ = segmented(scene, orientation, cases.affine(translation=shift), spacing, origin)
        for segmentId, mask in masks.items():
            np.testing.assert_array_equal(segmentMask(node, segmentId, volume), mask)


@pytest.mark.parametrize("tilt", ["in the volume", "in its transform"])
@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (1, 1, 1)], ids=str)
def test_a_volume_tilted_by_15_degrees_is_overlaid_within_a_voxel(scene, axis, tilt):
    turn = cases.rotation(axis, 15)
    placed = {"direction": turn} if tilt == "in the volume" else {"transform": cases.affine(turn)}
    volume, masks, node, _ = segmented(scene, spacing=(1.2, 1.1, 1.3), **placed)
    assert ctVolumeFromNode(volume).resampled
    for segmentId, mask in masks.items():
        found = segmentMask(node, segmentId, volume)
        dice = 2 * (found & mask).sum() / (found.sum() + mask.sum())
        assert dice > (0.95 if segmentId == "liver" else 0.8)
        centres = [np.argwhere(m).mean(axis=0) for m in (found, mask)]
        np.testing.assert_allclose(*centres, atol=0.5)
    image = slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation("liver", image)
    np.testing.assert_allclose(image.GetSpacing(), volume.GetSpacing(), atol=1e-9)


def test_a_volume_moved_after_the_run_keeps_its_segments_on_the_anatomy(scene):
    hu, liver, instances = cases.abdomen()
    volume = cases.addVolumeNode(scene, hu)
    result = cases.resultOf(ctVolumeFromNode(volume), liver, instances)
    volume.SetAndObserveTransformNodeID(cases.addTransformNode(scene, cases.affine(translation=(50, 0, 0))).GetID())
    volume.SetOrigin(1, 2, 3)
    node = segmentationNodeFromResult(result, volume)
    assertOverlays(node, volume, {"liver": liver})


def test_the_reference_geometry_is_the_volume(scene):
    volume, _, node, _ = segmented(scene, cases.ORIENTATIONS[17])
    role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    assert node.GetNodeReference(role) is volume
    parameter = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    image = slicer.vtkOrientedImageData()
    slicer.vtkSegmentationConverter.DeserializeImageGeometry(
        node.GetSegmentation().GetConversionParameter(parameter), image, False
    )
    assert image.GetDimensions() == volume.GetImageData().GetDimensions()


@pytest.mark.parametrize("change", ["cropped", "emptied", "given another spacing"])
def test_a_volume_changed_since_the_run_is_refused_and_the_scene_left_as_it_was(scene, change):
    hu, liver, instances = cases.abdomen()
    volume = cases.addVolumeNode(scene, hu)
    result = cases.resultOf(ctVolumeFromNode(volume), liver, instances)
    if change == "given another spacing":
        volume.SetSpacing(*(1.1 * spacing for spacing in volume.GetSpacing()))
    else:
        other = cases.addVolumeNode(scene, hu[1:]).GetImageData() if change == "cropped" else None
        volume.SetAndObserveImageData(other)
    count = scene.GetNumberOfNodes()
    with pytest.raises(OutputError, match="CT has changed since it was segmented.*Segment it again"):
        segmentationNodeFromResult(result, volume)
    assert scene.GetNumberOfNodes() == count


# ---------------------------------------------------------------------------------- order, names, codes, provenance


def test_the_liver_comes_first_then_the_lesions_by_number(scene):
    _, _, node, _ = segmented(scene)
    segmentation = node.GetSegmentation()
    assert list(segmentation.GetSegmentIDs()) == IDS
    assert [segmentation.GetNthSegment(n).GetName() for n in range(3)] == ["Liver", "Lesion 1", "Lesion 2"]


def test_lesions_share_one_layer_beside_the_liver_s(scene):
    _, _, node, _ = segmented(scene)
    assert node.GetSegmentation().GetNumberOfLayers() == 2
    images = [segment(node, segmentId).GetRepresentation(BINARY_LABELMAP) for segmentId in IDS]
    assert images[1] is images[2] and images[0] is not images[1]


def test_layers_are_no_larger_than_what_they_show(scene):
    _, masks, node, _ = segmented(scene)
    box = [int(np.ptp(indices)) + 1 for indices in np.nonzero(masks["liver"])]
    assert list(segment(node, "liver").GetRepresentation(BINARY_LABELMAP).GetDimensions()) == box[::-1]


def test_more_lesions_than_a_byte_counts_are_all_there(scene):
    hu, liver, _ = cases.abdomen()
    instances = np.zeros(hu.shape, np.uint16)
    instances.ravel()[np.flatnonzero(liver)[:300]] = np.arange(1, 301)
    volume = cases.addVolumeNode(scene, hu)
    node = segmentationNodeFromResult(cases.resultOf(ctVolumeFromNode(volume), liver, instances, table=[]), volume)
    assert node.GetSegmentation().GetNumberOfSegments() == 301
    np.testing.assert_array_equal(segmentMask(node, "lesion_300", volume), instances == 300)


def test_codes_and_colours_are_those_of_the_stock_terminology(scene):
    _, _, node, _ = segmented(scene)
    liver, lesion = segment(node, "liver"), segment(node, "lesion_1")
    assert liver.GetTerminology() == (
        "Segmentation category and type - 3D Slicer General Anatomy list~SCT^123037004^Anatomical Structure"
        "~SCT^10200004^Liver~^^~Anatomic codes - DICOM master list~^^~^^"
    )
    assert lesion.GetTerminology() == (
        "Segmentation category and type - 3D Slicer General Anatomy list"
        "~SCT^49755003^Morphologically Altered Structure~SCT^4147007^Mass~^^"
        "~Anatomic codes - DICOM master list~SCT^10200004^Liver~^^"
    )
    np.testing.assert_allclose(liver.GetColor(), np.array([221, 130, 101]) / 255)
    np.testing.assert_allclose(lesion.GetColor(), np.array([144, 238, 144]) / 255)
    assert not liver.GetNameAutoGenerated() and not liver.GetColorAutoGenerated()


def stockEntries():
    """{context name: content} of Slicer's own terminology files, which a package of test tools carries."""
    folder = Path(find_spec("trame_slicer").submodule_search_locations[0]) / "resources" / "terminologies"
    files = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    return {next(value for key, value in f.items() if key.endswith("ContextName")): f for f in files}


def named(entries, code):
    return next(e for e in entries if (e["CodingSchemeDesignator"], e["CodeValue"], e["CodeMeaning"]) == tuple(code))


@pytest.mark.parametrize(
    ("category", "code", "color"),
    [
        (terminology.ANATOMICAL_STRUCTURE, terminology.LIVER, terminology.LIVER_COLOR),
        (terminology.MORPHOLOGICALLY_ALTERED_STRUCTURE, terminology.MASS, terminology.MASS_COLOR),
    ],
    ids=["liver", "lesion"],
)
def test_slicer_s_own_terminology_files_hold_the_codes_that_are_used(category, code, color):
    stock = stockEntries()[terminology.SEGMENT_CONTEXT]
    entry = named(named(stock["SegmentationCodes"]["Category"], category)["Type"], code)
    assert [round(255 * part) for part in color] == entry["recommendedDisplayRGBValue"]


def test_slicer_s_own_anatomic_codes_hold_the_region_of_the_lesions():
    named(stockEntries()[terminology.REGION_CONTEXT]["AnatomicCodes"]["AnatomicRegion"], terminology.LIVER)


def test_slicer_reads_the_composed_entries_as_its_own():
    entry = slicer.vtkSlicerTerminologyEntry()
    logic = slicer.vtkSlicerTerminologiesModuleLogic
    for composed in (terminology.LIVER_TERMINOLOGY, terminology.LESION_TERMINOLOGY):
        assert logic().DeserializeTerminologyEntry(composed, entry)
        assert logic.SerializeTerminologyEntry(entry) == composed


def test_the_only_segment_whose_type_is_liver_is_the_first(scene):
    # Some tools look for the code anywhere in the entry, where a lesion's region has it too.
    _, _, node, _ = segmented(scene)
    with_code = [i for i in node.GetSegmentation().GetSegmentIDs() if "^10200004^" in segment(node, i).GetTerminology()]
    assert with_code[0] == "liver"


def test_tags_record_volume_bundle_preset_and_lesion(scene):
    volume, _, node, result = segmented(scene)
    for segmentId in IDS:
        assert getTag(segment(node, segmentId), "LiverLesionCascade.Volume") == "CT"
        assert getTag(segment(node, segmentId), "LiverLesionCascade.Bundle") == "test bundle 1.2"
        assert getTag(segment(node, segmentId), "LiverLesionCascade.Preset") == "fast"
    assert [getTag(segment(node, i), "LiverLesionCascade.Role") for i in IDS] == ["liver", "lesion", "lesion"]
    assert [getTag(segment(node, i), "LiverLesionCascade.LesionNumber") for i in IDS] == ["", "1", "2"]
    assert getTag(segment(node, "lesion_2"), "LiverLesionCascade.Confidence") == "0.750"


def test_a_dicom_series_is_recorded_by_its_uid(scene):
    hu, liver, instances = cases.abdomen()
    volume = cases.addVolumeNode(scene, hu)
    hierarchy = scene.GetSubjectHierarchyNode()
    hierarchy.SetItemUID(hierarchy.CreateItem(hierarchy.GetSceneItemID(), volume), "DICOM", "1.2.840.99.7")
    node = segmentationNodeFromResult(cases.resultOf(ctVolumeFromNode(volume), liver, instances), volume)
    assert getTag(segment(node, "liver"), "LiverLesionCascade.SeriesInstanceUID") == "1.2.840.99.7"


def test_segments_are_outlined_and_lightly_filled_and_lesions_show_through_the_liver_in_3d(scene):
    _, _, node, _ = segmented(scene)
    display = node.GetDisplayNode()
    for segmentId in IDS:
        assert display.GetSegmentVisibility2DOutline(segmentId) and display.GetSegmentOpacity2DOutline(segmentId) == 1
        assert display.GetSegmentVisibility2DFill(segmentId) and 0 < display.GetSegmentOpacity2DFill(segmentId) < 0.5
    assert display.GetSegmentOpacity3D("liver") < 0.5 and display.GetSegmentOpacity3D("lesion_1") == 1


def test_surfaces_are_smoothed_unless_the_user_changed_it(scene):
    _, _, node, _ = segmented(scene)
    name = slicer.vtkBinaryLabelmapToClosedSurfaceConversionRule.GetSmoothingFactorParameterName()
    assert float(node.GetSegmentation().GetConversionParameter(name)) == 0.5


def test_segments_await_review(scene):
    _, _, node, _ = segmented(scene)
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    assert {logic.GetSegmentStatus(segment(node, i)) for i in IDS} == {logic.InProgress}


def test_the_node_is_named_after_the_volume_and_stands_beside_it(scene):
    hu, liver, instances = cases.abdomen()
    volume = cases.addVolumeNode(scene, hu, name="Abdomen portal")
    hierarchy = scene.GetSubjectHierarchyNode()
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "Study")
    hierarchy.CreateItem(study, volume)
    result = cases.resultOf(ctVolumeFromNode(volume), liver, instances)
    node = segmentationNodeFromResult(result, volume)
    assert node.GetName() == "Abdomen portal liver and lesions"
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == study
    assert segmentationNodeFromResult(result, volume).GetName() != node.GetName()


def test_a_scan_without_a_liver_gives_an_empty_liver_segment_to_paint_in(scene):
    hu, liver, instances = cases.abdomen()
    volume = cases.addVolumeNode(scene, hu)
    nothing = cases.resultOf(ctVolumeFromNode(volume), np.zeros_like(liver), np.zeros_like(instances))
    node = segmentationNodeFromResult(nothing, volume)
    assert list(node.GetSegmentation().GetSegmentIDs()) == ["liver"]
    assert not segmentMask(node, "liver", volume).any()


def test_without_a_volume_node_the_segments_lie_where_the_image_was(scene):
    volume, masks, _, result = segmented(scene, cases.ORIENTATIONS[29], cases.affine(translation=(5, 6, 7)))
    volume.HardenTransform()
    node = segmentationNodeOnSource(scene, result)
    assert node.GetParentTransformNode() is None
    assertOverlays(node, volume, masks)


# --------------------------------------------------------------------------------- what is in the scene is not lost


def test_a_second_run_makes_a_second_node(scene):
    volume, masks, first, result = segmented(scene)
    second = segmentationNodeFromResult(result, volume)
    assert second is not first
    assertOverlays(first, volume, masks)


def test_segments_of_a_chosen_node_stay_behind_the_result(scene):
    hu, liver, instances = cases.abdomen()
    volume = cases.addVolumeNode(scene, hu)
    own = np.zeros_like(liver)
    own[2:5, 3:9, 4:8] = True
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Mine")
    addSegment(node, volume, own, "liver", "Liver")
    result = cases.resultOf(ctVolumeFromNode(volume), liver, instances)
    assert segmentationNodeFromResult(result, volume, outputNode=node) is node
    ids = list(node.GetSegmentation().GetSegmentIDs())
    assert ids == [*resultSegmentIds(node), "liver"] and len(ids) == 4
    np.testing.assert_array_equal(segmentMask(node, "liver", volume), own)
    np.testing.assert_array_equal(segmentMask(node, ids[0], volume), liver)


def test_an_empty_chosen_node_gets_the_volume_s_transform(scene):
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Mine")
    volume, masks, _, _ = segmented(scene, transform=cases.affine(translation=(1, 2, 3)), outputNode=node)
    assertOverlays(node, volume, masks)


def test_an_earlier_result_is_not_replaced_unless_asked(scene):
    volume, masks, node, result = segmented(scene)
    with pytest.raises(OutputError, match="holds an earlier result already"):
        segmentationNodeFromResult(result, volume, outputNode=node)
    assertOverlays(node, volume, masks)


def test_replacing_takes_the_result_s_own_segments_only(scene):
    volume, masks, node, result = segmented(scene)
    painted = np.zeros_like(masks["liver"])
    painted[1:3, 1:3, 1:3] = True
    addSegment(node, volume, painted, "cyst", "Cyst")
    # As a person copies a segment to keep it: all tags come along.
    copy = slicer.vtkSegment()
    copy.DeepCopy(segment(node, "lesion_1"))
    assert node.GetSegmentation().AddSegment(copy, "lesion_1_copy")
    # Slicer merges layers when it saves: what is the person's then shares a layer with what is ours.
    node.GetSegmentation().CollapseBinaryLabelmaps(False)

    other = cases.resultOf(ctVolumeFromNode(volume), masks["liver"], 1 * masks["lesion_2"])
    segmentationNodeFromResult(other, volume, outputNode=node, replace=True)

    assert list(node.GetSegmentation().GetSegmentIDs()) == ["liver", "lesion_1", "cyst", "lesion_1_copy"]
    np.testing.assert_array_equal(segmentMask(node, "lesion_1", volume), masks["lesion_2"])
    np.testing.assert_array_equal(segmentMask(node, "cyst", volume), painted)
    np.testing.assert_array_equal(segmentMask(node, "lesion_1_copy", volume), masks["lesion_1"])


def test_a_chosen_node_under_another_transform_is_refused(scene):
    volume, masks, node, result = segmented(scene)
    volume.SetAndObserveTransformNodeID(cases.addTransformNode(scene, cases.affine(translation=(9, 0, 0))).GetID())
    with pytest.raises(OutputError, match="not under the same transform"):
        segmentationNodeFromResult(result, volume, outputNode=node, replace=True)
    assert list(node.GetSegmentation().GetSegmentIDs()) == IDS


def test_a_chosen_node_of_surfaces_is_refused(scene):
    volume, _, node, result = segmented(scene)
    assert node.GetSegmentation().CreateRepresentation("Closed surface")
    node.GetSegmentation().SetSourceRepresentationName("Closed surface")
    with pytest.raises(OutputError, match="Closed surface segments. Choose a new output"):
        segmentationNodeFromResult(result, volume, outputNode=node, replace=True)
    assert list(node.GetSegmentation().GetSegmentIDs()) == IDS


def test_a_node_that_shows_surfaces_gets_them_for_the_new_segments(scene):
    volume, _, node, result = segmented(scene)
    assert node.CreateClosedSurfaceRepresentation()
    segmentationNodeFromResult(result, volume, outputNode=node, replace=True)
    surface = segment(node, "lesion_1").GetRepresentation("Closed surface")
    assert surface is not None and surface.GetNumberOfPoints() > 0


# -------------------------------------------------------------------------------------------------- reading segments


def test_an_edited_segment_is_read_with_its_edit(scene):
    volume, masks, node, _ = segmented(scene)
    edited = masks["lesion_2"].copy()
    edited[3:6, 20:24, 10:12] = True
    node.GetSegmentation().RemoveSegment("lesion_2")
    addSegment(node, volume, edited, "lesion_2", "Lesion 2")
    np.testing.assert_array_equal(segmentMask(node, "lesion_2", volume), edited)


def test_a_segment_under_another_transform_is_read_where_it_is_seen(scene):
    volume, masks, node, _ = segmented(scene)
    shift = cases.affine(translation=(3 * cases.SPACING[0], 0, 0))
    node.SetAndObserveTransformNodeID(cases.addTransformNode(scene, shift).GetID())
    np.testing.assert_array_equal(segmentMask(node, "liver", volume), np.roll(masks["liver"], 3, axis=2))
    assert cases.segmentPositions(node, "liver").shape == (masks["liver"].sum(), 3)


def test_a_segment_that_is_not_there_is_an_error(scene):
    volume, _, node, _ = segmented(scene)
    with pytest.raises(KeyError, match="lesion_9"):
        segmentMask(node, "lesion_9", volume)
