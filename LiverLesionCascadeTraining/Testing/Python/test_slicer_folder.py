"""CT and .seg.nrrd, saved by Slicer's own storage node, as training cases."""

import numpy as np
import pytest
import slicer
from fixtures.lits_phantoms import phantom_case
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.grid.geometry import ImageGeometry
from LiverLesionCascadeLib.engine.scan.image_io import write_image
from LiverLesionCascadeLib.scene.nodes.arrays import RAS_FROM_LPS, orientedImage
from LiverLesionCascadeLib.scene.nodes.terminology import LESION_TERMINOLOGY, LIVER_TERMINOLOGY
from LiverLesionCascadeLib.scene.workspace.segmentation import BINARY_LABELMAP
from LiverLesionCascadeTrainingLib.layouts.slicer_folder import find_slicer

#: A grid that is neither in axial order nor unflipped.
DIRECTION = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])


def write_slicer_case(folder, image, segmentation, segments=None, seed=1, crop=False, tags=None):
    """A phantom's CT, and its segments (name, terminology, mask value 1 or 2), as Slicer saves them."""
    folder.mkdir(parents=True, exist_ok=True)
    hu, labels = phantom_case(seed)
    geometry = ImageGeometry.from_axes(hu.shape, (5.0, 4.0, 3.0), (10.0, -20.0, 30.0), DIRECTION)
    write_image(folder / image, hu.astype(np.int16), geometry)
    node = slicer.vtkMRMLSegmentationNode()
    segments = segments or [("Liver", LIVER_TERMINOLOGY, (1, 2)), ("Lesion 1", LESION_TERMINOLOGY, (2,))]
    for number, (name, terminology, values) in enumerate(segments):
        mask = np.isin(labels, values).astype(np.uint8)
        segment = slicer.vtkSegment()
        segment.SetName(name)
        if terminology:
            segment.SetTag(segment.GetTerminologyEntryTagName(), terminology)
        for key, value in (tags or {}).items():
            segment.SetTag(key, value)
        segment.AddRepresentation(BINARY_LABELMAP, orientedImage(mask, RAS_FROM_LPS @ geometry.ijk_to_lps))
        node.GetSegmentation().AddSegment(segment, f"s{number}")
    storage = slicer.vtkMRMLSegmentationStorageNode()
    storage.SetCropToMinimumExtent(crop)
    storage.SetFileName(str(folder / segmentation))
    assert storage.WriteData(node)
    return labels


@pytest.mark.parametrize("crop", [False, True])
def test_segments_are_read_onto_the_scan_whole_or_cropped(tmp_path, crop):
    labels = write_slicer_case(tmp_path, "CT.nrrd", "CT.seg.nrrd", crop=crop)
    found = find_slicer(tmp_path)
    assert not found.problems
    ct, read = found.cases[0].read()
    np.testing.assert_array_equal(ct.to_source(read), labels)


def test_without_terminology_the_names_tell(tmp_path):
    segments = [("liver", "", (1, 2)), ("Größter Tumor", "", (2,)), ("gallbladder", "", (2,))]
    write_slicer_case(tmp_path, "CT.nrrd", "CT.seg.nrrd", segments)
    with pytest.raises(InputError, match=r"CT\.seg\.nrrd: unknown labels: segments 'Größter Tumor', 'gallbladder'"):
        find_slicer(tmp_path).cases[0].read()
    segments[1] = ("Tumor", "", (2,))
    labels = write_slicer_case(tmp_path, "CT.nrrd", "CT.seg.nrrd", segments)
    ct, read = find_slicer(tmp_path, ignore=("GALL*",)).cases[0].read()
    np.testing.assert_array_equal(ct.to_source(read), labels)


def test_terminology_is_believed_before_the_name(tmp_path):
    segments = [("spleen", LIVER_TERMINOLOGY, (1, 2)), ("liver", LESION_TERMINOLOGY, (2,))]
    labels = write_slicer_case(tmp_path, "CT.nrrd", "CT.seg.nrrd", segments)
    ct, read = find_slicer(tmp_path).cases[0].read()
    np.testing.assert_array_equal(ct.to_source(read), labels)


@pytest.mark.parametrize(
    ("image", "segmentation", "tags"),
    [
        ("CT.nrrd", "CT.seg.nrrd", {}),
        ("CT.nii.gz", "CT liver and lesions.seg.nrrd", {}),
        ("CT.nrrd", "Correction.seg.nrrd", {"LiverLesionCascade.Volume": "CT"}),
    ],
)
def test_segmentation_is_paired_with_its_ct_among_other_images(tmp_path, image, segmentation, tags):
    write_slicer_case(tmp_path, "Other.nrrd", "Other.seg.nrrd", seed=2)
    write_slicer_case(tmp_path, image, segmentation, tags=tags)
    pairs = {case.files[1].name: case.files[0].name for case in find_slicer(tmp_path).cases}
    assert pairs == {segmentation: image, "Other.seg.nrrd": "Other.nrrd"}


def test_the_only_image_of_a_subfolder_is_the_ct_and_the_subfolder_the_patient(tmp_path):
    write_slicer_case(tmp_path / "Müller" / "2019", "CT.nrrd", "Segmentation.seg.nrrd")
    write_slicer_case(tmp_path / "Müller" / "2021", "CT.nrrd", "Segmentation.seg.nrrd", seed=2)
    write_slicer_case(tmp_path, "a.nrrd", "a.seg.nrrd", seed=3)
    cases = {case.name: case.patient for case in find_slicer(tmp_path).cases}
    assert cases.keys() == {"Müller_2019_CT", "Müller_2021_CT", "a"}
    assert cases["Müller_2019_CT"] == cases["Müller_2021_CT"] != cases["a"]


def test_linked_folders_are_searched_once_and_folders_keep_their_names(tmp_path):
    write_slicer_case(tmp_path / "store" / "pat1", "CT.nrrd", "CT.seg.nrrd")
    write_slicer_case(tmp_path / "subset" / "pat9", "CT.nrrd", "CT.seg.nrrd")
    try:
        (tmp_path / "subset" / "pat1").symlink_to(tmp_path / "store" / "pat1")
        (tmp_path / "subset" / "again").symlink_to(tmp_path / "subset" / "pat9")
        (tmp_path / "subset" / "pat9" / "up").symlink_to(tmp_path / "subset")
    except OSError:
        pytest.skip("links need rights here")
    assert [case.name for case in find_slicer(tmp_path / "subset").cases] == ["pat9_CT", "pat1_CT"]


def test_segmentation_of_unknown_ct_and_a_second_one_are_named_and_lone_images_noted(tmp_path):
    for name in ("a", "b"):
        write_slicer_case(tmp_path, f"{name}.nrrd", "x.seg.nrrd")
    write_slicer_case(tmp_path, "a.nrrd", "a.seg.nrrd")
    write_slicer_case(tmp_path, "a.nrrd", "a2.seg.nrrd")
    found = find_slicer(tmp_path)
    messages = "\n".join(str(problem) for problem in found.problems)
    assert "has two segmentations, a.seg.nrrd and a2.seg.nrrd" in messages
    assert "x.seg.nrrd belongs to cannot be told (images beside it: a.nrrd, b.nrrd)" in messages
    assert len(found.notes) == 1 and "b.nrrd" in found.notes[0]


def test_segmentation_of_another_scan_is_refused(tmp_path):
    write_slicer_case(tmp_path, "CT.nrrd", "CT.seg.nrrd")
    hu = phantom_case(1)[0].astype(np.int16)
    write_image(tmp_path / "CT.nrrd", hu, ImageGeometry.from_axes(hu.shape, (5.0, 4.0, 3.1), (10.0, -20.0, 30.0)))
    with pytest.raises(InputError, match="segment 'Liver' is not on the scan's grid.*segment 'Lesion 1' is not"):
        find_slicer(tmp_path).cases[0].read()


def test_file_that_is_no_segmentation_is_named(tmp_path):
    write_slicer_case(tmp_path, "CT.nrrd", "CT.seg.nrrd")
    (tmp_path / "CT.seg.nrrd").write_bytes((tmp_path / "CT.nrrd").read_bytes())
    with pytest.raises(InputError, match=r"CT\.seg\.nrrd: the file holds no segments"):
        find_slicer(tmp_path).cases[0].read()
    (tmp_path / "CT.seg.nrrd").write_bytes(b"NRRD0004\n")
    with pytest.raises(InputError, match=r"CT\.seg\.nrrd cannot be read"):
        find_slicer(tmp_path).cases[0].read()
