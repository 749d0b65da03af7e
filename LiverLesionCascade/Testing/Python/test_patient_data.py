"""What outputs and logs hold of a patient is what Docs/reliability.md says, and no more."""

import pyarrow.parquet as parquet
import pydicom
import pytest
from fakes.archive_tasks import Here, run_archive
from fixtures.dicom_files import write_series
from fixtures.phantom import PhantomSegmenter, phantom_hu
from LiverLesionCascadeLib.archive.summary import write_summary
from LiverLesionCascadeLib.cli import main

#: Of a DICOM header, by what can be written into it: all that names a person, a place or a stay (PS3.15, table E.1-1).
MARKED = {
    **{
        name: f"MARK^{name}"
        for name in (
            "PatientName", "OtherPatientNames", "PatientMotherBirthName", "ReferringPhysicianName",
            "PerformingPhysicianName", "OperatorsName", "PhysiciansOfRecord", "NameOfPhysiciansReadingStudy",
        )
    },
    **{
        name: f"MARK {name}"
        for name in (
            "PatientID", "IssuerOfPatientID", "OtherPatientIDs", "PatientAddress", "PatientTelephoneNumbers",
            "PatientComments", "AdditionalPatientHistory", "MedicalRecordLocator", "AdmissionID",
            "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "DeviceSerialNumber",
            "StudyDescription", "ProtocolName", "RequestedProcedureDescription", "ImageComments",
        )
    },
    "PatientBirthDate": "19010203",
    "StudyDate": "20010304",
    "SeriesDate": "20010305",
    "AcquisitionDate": "20010306",
    "ContentDate": "20010307",
    "StudyTime": "111213",
    # 16 characters at most
    "AccessionNumber": "MARK accession",
    "StudyID": "MARK study",
    "StationName": "MARK station",
    "EthnicGroup": "MARK group",
    "CountryOfResidence": "MARK country",
    "RegionOfResidence": "MARK region",
    "Occupation": "MARK occupation",
}  # fmt: skip
MARKS = set(MARKED.values())


@pytest.fixture
def scan(tmp_path):
    stored = (phantom_hu() + 1024).clip(0).astype("uint16")
    write_series(tmp_path / "scan", stored, "1.2.345", StudyInstanceUID="1.2.999", **MARKED)
    return tmp_path / "scan"


def marks_in(path):
    """Which marks a file holds; of a table, its values."""
    if path.suffix == ".parquet":
        content = repr(parquet.read_table(path).to_pylist()).encode()
    else:
        content = path.read_bytes()
    return sorted(mark for mark in MARKS if mark.encode() in content)


def found_below(folder):
    """The files that hold marks."""
    found = {path.name: marks_in(path) for path in folder.rglob("*") if path.is_file()}
    assert found
    return {name: marks for name, marks in found.items() if marks}


def test_a_mark_is_found_where_there_is_one(scan):
    (first, *_rest) = sorted(scan.iterdir())
    header = pydicom.dcmread(first)
    assert {name for name in MARKED if name not in header} == set()
    assert set(marks_in(first)) == MARKS


def test_what_a_command_writes_and_says_holds_nothing_of_the_patient(scan, tmp_path, capfd):
    for more in ([], ["--json", "--force"]):
        out = tmp_path / "out"
        assert main(["segment", str(scan), "-o", str(out), "--probabilities", *more], PhantomSegmenter()) == 0
        assert found_below(out) == {}
        said = "".join(capfd.readouterr())
        assert [mark for mark in MARKS if mark in said] == []


def test_the_dicom_objects_alone_belong_to_the_patient_as_the_scan_does(scan, tmp_path):
    pytest.importorskip("highdicom")
    assert main(["segment", str(scan), "-o", str(tmp_path / "out"), "--dicom", "-q"], PhantomSegmenter()) == 0
    found = found_below(tmp_path / "out")
    assert set(found) == {"segmentation.seg.dcm", "lesions.sr.dcm"}
    for name in found:
        header = pydicom.dcmread(tmp_path / "out" / name)
        assert (header.PatientName, header.PatientID) == (MARKED["PatientName"], MARKED["PatientID"])


def test_an_archive_holds_nothing_of_its_patients(scan, tmp_path):
    out = tmp_path / "out"
    records = run_archive(scan, out, Here()).records
    write_summary(records, out)
    assert [record["state"] for record in records] == ["done"]
    assert {"summary.html", "cases.parquet"} <= {path.name for path in out.iterdir()}
    assert found_below(out) == {}


@pytest.mark.parametrize(
    "change", [{"PatientID": "MARK of another"}, {"Rows": None}, {"PixelData": b"short"}, {"RescaleSlope": 0}]
)
def test_what_is_said_of_a_scan_that_cannot_be_read_names_no_patient(scan, tmp_path, capfd, change):
    path = sorted(scan.iterdir())[3]
    header = pydicom.dcmread(path)
    for name, value in change.items():
        if value is None:
            delattr(header, name)
        else:
            setattr(header, name, value)
    header.save_as(path)
    main(["segment", str(scan), "-o", str(tmp_path / "out")], PhantomSegmenter())
    said = "".join(capfd.readouterr())
    assert "MARK" not in said
    assert [mark for mark in MARKS if mark in said] == []


def test_of_the_scan_the_outputs_name_its_folder_and_its_series(scan, tmp_path, capfd):
    """The exceptions that are documented: what a person called the files, and how the series is called."""
    names = {"folder": scan.name, "description": "Portal phase", "UID": "1.2.345"}
    for path in scan.iterdir():
        header = pydicom.dcmread(path)
        header.SeriesDescription = names["description"]
        header.save_as(path)
    assert main(["segment", str(scan), "-o", str(tmp_path / "out")], PhantomSegmenter()) == 0
    said = "".join(capfd.readouterr())
    assert all(name in said for name in names.values())
    write_summary(run_archive(scan, tmp_path / "archive", Here()).records, tmp_path / "archive")
    assert holders(tmp_path / "out", names) == {
        "folder": {".html"}, "description": {".html", ".nrrd"}, "UID": {".html"},
    }  # fmt: skip
    assert holders(tmp_path / "archive", names) == {
        "folder": {".html", ".json", ".parquet"},
        "description": {".html", ".json", ".nrrd", ".parquet"},
        "UID": {".html", ".json", ".parquet"},
    }


def holders(folder, names):
    """The kinds of files that hold each of the names."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {what: {path.suffix for path in files if name.encode() in path.read_bytes()} for what, name in names.items()}
