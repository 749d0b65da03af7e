"""``liver-lesion-cascade segment --dicom``: a DICOM series in, a SEG and an SR of it out."""

import csv
import importlib.util
import json
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from fixtures.dicom_files import write_enhanced, write_series
from fixtures.dicom_seg_files import read_masks
from fixtures.phantom import LESION_HU, PhantomSegmenter, phantom_hu, write_phantom
from LiverLesionCascadeLib.cli import main
from LiverLesionCascadeLib.engine.run_options import RunOptions
from LiverLesionCascadeLib.engine.scan.dicom.dicom_io import read_dicom_files
from LiverLesionCascadeLib.outputs import dicom_outputs


def run(*words: object, segmenter: PhantomSegmenter | None = None) -> int:
    return main(["segment", *map(str, words), "--dicom"], segmenter or PhantomSegmenter())


@pytest.fixture
def series(tmp_path: Path) -> Path:
    folder = tmp_path / "Übung 1"
    stored = (phantom_hu().astype(np.int32) + 1024).clip(0).astype(np.uint16)
    write_series(folder, stored, FrameOfReferenceUID="1.2.3.9", RescaleIntercept=-1024, RescaleSlope=1)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_the_segments_are_written_voxel_for_voxel_and_measured_in_a_report(series, tmp_path, capsys):
    assert run(series, "-o", tmp_path / "out") == 0
    assert "segmentation.seg.dcm" in names(tmp_path / "out") and "lesions.sr.dcm" in names(tmp_path / "out")
    assert "lesions.sr.dcm" in capsys.readouterr().out
    grid = read_dicom_files([series]).source
    masks = read_masks(tmp_path / "out" / "segmentation.seg.dcm", grid.ijk_to_lps, grid.shape)
    assert list(masks) == ["Liver", "Lesion 1", "Lesion 2"]
    lesion = np.abs(phantom_hu() - 30) < 10
    np.testing.assert_array_equal(masks["Lesion 1"] | masks["Lesion 2"], lesion)
    assert masks["Lesion 1"].sum() > masks["Lesion 2"].sum()
    report = pydicom.dcmread(tmp_path / "out" / "lesions.sr.dcm")
    segmentation = pydicom.dcmread(tmp_path / "out" / "segmentation.seg.dcm", stop_before_pixels=True)
    source = pydicom.dcmread(next(series.iterdir()), stop_before_pixels=True)
    for written in (report, segmentation):
        assert written.StudyInstanceUID == source.StudyInstanceUID
    assert segmentation.SOPInstanceUID in str(report)


def grown_together() -> np.ndarray:
    """The phantom's (slice, row, column) HU with a third lesion that a thin bridge joins with the first one."""
    hu = phantom_hu()
    slices, rows, columns = np.indices(hu.shape)
    ball = ((slices - 9) / 3) ** 2 + ((rows - 54) / 5) ** 2 + ((columns - 32) / 5) ** 2 <= 1
    bridge = (slices == 9) & (abs(columns - 33) <= 1) & (rows > 38) & (rows < 54)
    hu[ball | bridge] = LESION_HU
    return hu


def test_lesions_that_have_grown_together_are_segments_and_measurement_groups_of_their_own(tmp_path):
    hu = grown_together()
    write_series(
        tmp_path / "ct",
        (hu.astype(np.int32) + 1024).clip(0).astype(np.uint16),
        FrameOfReferenceUID="1.2.3.9",
        RescaleIntercept=-1024,
        RescaleSlope=1,
    )
    grid = read_dicom_files([tmp_path / "ct"]).source
    for count, words in (3, ()), (2, ["--no-split-lesions"]):
        expected = [f"Lesion {number}" for number in range(1, count + 1)]
        out = tmp_path / f"{count} lesions"
        assert run(tmp_path / "ct", "-o", out, *words) == 0
        masks = read_masks(out / "segmentation.seg.dcm", grid.ijk_to_lps, grid.shape)
        assert list(masks) == ["Liver", *expected]
        owners = sum(masks[name].astype(int) for name in expected)
        np.testing.assert_array_equal(owners, np.abs(hu - LESION_HU) < 10, "none is lost or owned twice")
        report = highdicom.sr.srread(out / "lesions.sr.dcm")
        groups = report.content.get_volumetric_roi_measurement_groups()
        assert [group.tracking_identifier for group in groups] == ["Liver", *expected]
        table = list(csv.DictReader((out / "lesions.csv").open(encoding="utf-8")))
        for group, name, lesion in zip(groups[1:], expected, table, strict=True):
            volume, long_axis = (measure.value for measure in group.get_measurements()[:2])
            assert volume == pytest.approx(float(lesion["volume_ml"]), abs=0.01)
            assert long_axis == pytest.approx(float(lesion["long_axis_mm"]), abs=0.1)
            extents = [np.ptp(axis) + 1 for axis in np.nonzero(masks[name])[1:]]
            assert long_axis <= np.hypot(*np.multiply(extents, grid.spacing[1:])), "within the lesion alone"


def refused(capsys, segmenter: PhantomSegmenter, *words: object) -> str:
    assert run(*words, segmenter=segmenter) != 0
    assert segmenter.preset is None, "it is refused before the scan is segmented"
    return capsys.readouterr().err


def test_other_input_than_dicom_is_refused_before_the_run(tmp_path, capsys):
    scan = write_phantom(tmp_path / "scan.nii.gz")
    assert "scan.nii.gz is no DICOM series" in refused(capsys, PhantomSegmenter(), scan, "-o", tmp_path / "out")
    assert names(tmp_path / "out") == []


def test_without_highdicom_it_is_said_how_to_install_it(series, tmp_path, capsys, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "highdicom" else find(name, *more)
    )
    assert "pip install" in refused(capsys, PhantomSegmenter(), series, "-o", tmp_path / "out")
    assert names(tmp_path / "out") == []


def test_results_in_the_folder_are_not_replaced_unasked(series, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "lesions.sr.dcm").write_text("mine")
    assert "lesions.sr.dcm" in refused(capsys, PhantomSegmenter(), series, "-o", tmp_path / "out")
    assert (tmp_path / "out" / "lesions.sr.dcm").read_text() == "mine"
    assert run(series, "-o", tmp_path / "out", "--force") == 0


# Headers as hospitals write them


STORED = (phantom_hu().astype(np.int32) + 1024).clip(0).astype(np.uint16)
ODD_HEADERS: dict[str, dict] = {
    "Japanese": {
        "SpecificCharacterSet": ["", "ISO 2022 IR 87"],
        "PatientName": "Yamada^Tarou=山田^太郎",
    },
    "Korean": {"SpecificCharacterSet": ["", "ISO 2022 IR 149"], "PatientName": "Hong^Gildong=洪^吉洞=홍^길동"},
    "an unknown character set": {"raw": {0x00080005: ("CS", "KLINGON"), 0x00100010: ("PN", "Worf")}},
    "no character set for its umlauts": {"raw": {0x00100010: ("PN", "Müller^Jörg à")}},
    "no slice thickness": {"SliceThickness": None},
    "a slice thickness that is none": {"SliceThickness": None, "raw": {0x00180050: ("DS", "thin")}},
    "sex in small letters": {"raw": {0x00100040: ("CS", "f")}},
    "sex in words": {"raw": {0x00100040: ("CS", "weiblich")}},
    "sex in a language that begins otherwise": {"raw": {0x00100040: ("CS", "MUJER")}},
    "a sex that is not known": {"raw": {0x00100040: ("CS", "onbekend")}},
    "a date that may be two": {"raw": {0x00100030: ("DA", "03/05/1960"), 0x00080020: ("DA", "23.05.2024")}},
    "a date with dashes": {"raw": {0x00100030: ("DA", "1960-01-02"), 0x00080020: ("DA", "2024.01.02")}},
    "a date that is none": {"raw": {0x00100030: ("DA", "unknown"), 0x00080020: ("DA", "20241399")}},
    "a time with colons": {"raw": {0x00080030: ("TM", "10:11:12")}},
    "a time that is none": {"raw": {0x00080030: ("TM", "noon")}},
    "two names": {"raw": {0x00100010: ("PN", "Doe\\Jane")}},
    "too many parts of a name": {"raw": {0x00100010: ("PN", "a=b=c=d^e^f^g^h^i^j")}},
    "a long name": {"raw": {0x00100010: ("PN", "Doe" * 40)}},
    "a series number that is none": {"SeriesNumber": None, "raw": {0x00200011: ("IS", "abc")}},
    "a negative series number": {"SeriesNumber": -5},
    "long identifiers": {
        "raw": {0x00100020: ("LO", "7" * 64), 0x00080050: ("SH", "A" * 17), 0x00200010: ("SH", "s\\t")}
    },
    "control characters": {"raw": {0x00100020: ("LO", "12\x1b34\x00"), 0x00100010: ("PN", "Doe\x07^Jane")}},
    "no patient, study or frame of reference": {"PatientName": None, "FrameOfReferenceUID": None},
    "two values where there is one": {"raw": {0x00080050: ("SH", "1\\2"), 0x00080090: ("PN", "A\\B")}},
    "values that end in nothing": {"raw": {0x00100020: ("LO", "17\\")}},
    "no preamble": {"bare": True},
}


HELD: dict[str, dict[str, str]] = {
    "no character set for its umlauts": {"PatientName": "Müller^Jörg à"},
    "sex in small letters": {"PatientSex": "F"},
    "sex in words": {"PatientSex": "F"},
    "sex in a language that begins otherwise": {"PatientSex": ""},
    "a sex that is not known": {"PatientSex": ""},
    "a date with dashes": {"PatientBirthDate": "19600102", "StudyDate": "20240102"},
    "a date that is none": {"PatientBirthDate": "", "StudyDate": ""},
    "a date that may be two": {"PatientBirthDate": "", "StudyDate": "20240523"},
    "a time with colons": {"StudyTime": "101112"},
    "long identifiers": {"PatientID": "7" * 64, "AccessionNumber": "", "StudyID": ""},
    "two values where there is one": {"AccessionNumber": ""},
    "values that end in nothing": {"PatientID": "17"},
}


@pytest.mark.parametrize("kind", ODD_HEADERS)
def test_oddities_of_headers_are_repaired_or_emptied_and_cost_nothing(kind, tmp_path):
    write_series(tmp_path / "ct", STORED, **{"FrameOfReferenceUID": "1.2.3.9"} | ODD_HEADERS[kind])
    assert run(tmp_path / "ct", "-o", tmp_path / "out", "-q") == 0
    assert "segmentation.seg.dcm" in names(tmp_path / "out") and "lesions.sr.dcm" in names(tmp_path / "out")
    written = pydicom.dcmread(tmp_path / "out" / "segmentation.seg.dcm")
    if kind == "Japanese":
        assert written.PatientName.ideographic == "山田^太郎"
    held = HELD.get(kind, {})
    assert {name: str(written[name].value or "") for name in held} == held


@pytest.mark.parametrize("words", ["7" * 65, "1\\2"])
def test_no_patient_is_made_of_an_id_that_dicom_cannot_hold(words, tmp_path, capsys):
    write_series(tmp_path / "ct", STORED, FrameOfReferenceUID="1.2.3.9", raw={0x00100020: ("LO", words)})
    assert run(tmp_path / "ct", "-o", tmp_path / "out", "--json") == 5
    assert names(tmp_path / "out") == ["lesions.csv", "report.html", "segmentation.seg.nrrd"]
    assert "PatientID" in findings_of(capsys)["dicom_failed"]


def findings_of(capsys) -> dict[str, str]:
    printed = json.loads(capsys.readouterr().out)
    return {finding["code"]: finding["message"] for finding in printed["findings"]}


def test_a_scan_without_a_liver_keeps_its_other_results_and_says_why_there_is_no_seg(tmp_path, capsys):
    hu = phantom_hu()
    hu[hu > 0] = -40
    write_series(tmp_path / "ct", (hu.astype(np.int32) + 1024).clip(0).astype(np.uint16))
    assert run(tmp_path / "ct", "-o", tmp_path / "out", "--json") == 0
    assert names(tmp_path / "out") == ["lesions.csv", "report.html", "segmentation.seg.nrrd"]
    assert "no DICOM SEG" in findings_of(capsys)["no_dicom"]


@pytest.mark.parametrize(
    "tags", [{"StudyInstanceUID": None}, {"SOPInstanceUID": "1.2.3.4"}, {"raw": {0x0020000D: ("UI", "abc")}}]
)
def test_what_cannot_be_repaired_costs_the_dicom_files_alone(tags, tmp_path, capsys):
    write_series(tmp_path / "ct", STORED, **{"FrameOfReferenceUID": "1.2.3.9"} | tags)
    assert run(tmp_path / "ct", "-o", tmp_path / "out", "--json") == 5
    assert names(tmp_path / "out") == ["lesions.csv", "report.html", "segmentation.seg.nrrd"]
    assert "UID" in findings_of(capsys)["dicom_failed"]


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("odd"), NotImplementedError(), RuntimeError("no")])
def test_what_highdicom_refuses_costs_the_dicom_files_alone(error, series, tmp_path, capsys, monkeypatch):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(highdicom.sr, "Comprehensive3DSR", refuse)
    assert run(series, "-o", tmp_path / "out", "--json") == 5
    assert names(tmp_path / "out") == ["lesions.csv", "report.html", "segmentation.seg.nrrd"]
    assert "were not written" in findings_of(capsys)["dicom_failed"]
    assert run(series, "-o", tmp_path / "quiet", "--quiet") == 5
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: DICOM SEG and SR were not written.")


@pytest.mark.parametrize("where", ["highdicom.seg.Segmentation", "LiverLesionCascadeLib.engine.grid.boxed.Boxed.mask"])
def test_too_little_memory_for_the_dicom_objects_costs_the_dicom_files_alone(where, tmp_path, monkeypatch):
    write_series(tmp_path / "ct", STORED, FrameOfReferenceUID="1.2.3.9")
    ct = read_dicom_files([tmp_path / "ct"])
    result = PhantomSegmenter().segment(ct, RunOptions().resolved_preset()).on_source(ct)

    def refuse(*_, **__):
        raise MemoryError("Unable to allocate 19.5 GiB")

    monkeypatch.setattr(where, refuse)
    (finding,) = dicom_outputs.write_dicom(ct, result, tmp_path)
    assert finding.code == "dicom_failed"
    assert "too little memory" in finding.message


@pytest.mark.parametrize("other_mm", [6.0, 3.6])
def test_on_uneven_slices_the_segments_lie_on_the_scans_own_slices(other_mm, tmp_path):
    z = np.cumsum([0.0] + [3.0] * 11 + [other_mm] * 12)
    positions = np.array([-130.0, -100.0, 0.0]) + z[:, None] * np.array([0.0, 0.0, 1.0])
    tags = {"FrameOfReferenceUID": "1.2.3.9", "PixelSpacing": [2, 2]}
    write_series(tmp_path / "ct", STORED, positions=positions, **tags)
    assert run(tmp_path / "ct", "-o", tmp_path / "out", "-q") == 0
    written = pydicom.dcmread(tmp_path / "out" / "segmentation.seg.dcm")
    where = {
        round(float(group.PlanePositionSequence[0].ImagePositionPatient[2]), 3)
        for group in written.PerFrameFunctionalGroupsSequence
    }
    assert where <= set(z.round(3).tolist())
    ct = read_dicom_files([tmp_path / "ct"])
    liver = read_masks(tmp_path / "out" / "segmentation.seg.dcm", ct.source.ijk_to_lps, ct.source.shape)["Liver"]
    own = np.rint(ct.places).astype(int)
    truth = (np.abs(phantom_hu() - 110) < 20) | (np.abs(phantom_hu() - 30) < 10)
    assert np.count_nonzero(liver[own] & truth) > 0.95 * np.count_nonzero(truth)


def test_on_an_enhanced_ct_all_but_the_dicom_files_are_written(tmp_path, capsys):
    frames = [{"position": (0.0, 0.0, 3.0 * n)} for n in range(len(STORED))]
    write_enhanced(tmp_path / "ct.dcm", STORED, frames)
    assert run(tmp_path / "ct.dcm", "-o", tmp_path / "out", "--json") == 5
    assert names(tmp_path / "out") == ["lesions.csv", "report.html", "segmentation.seg.nrrd"]
    assert "multi-frame" in findings_of(capsys)["dicom_failed"]
