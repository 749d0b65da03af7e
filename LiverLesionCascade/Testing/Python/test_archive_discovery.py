"""What is found in an archive: each scan once, under the same name in every run, and a line for all that is no scan."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from fixtures.dicom_files import body_phantom, write_series
from LiverLesionCascadeLib.archive import case_run
from LiverLesionCascadeLib.archive.discovery import find_entries
from LiverLesionCascadeLib.archive.entries import Entry, entry_name
from LiverLesionCascadeLib.engine.errors import CascadeError, InputError

STORED = body_phantom((24, 8, 8))


def touch(path: Path, content: bytes = b"scan") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def cases(entries: list[Entry]) -> list[str]:
    return [entry.source for entry in entries if entry.problem is None]


def problems(entries: list[Entry]) -> dict[str, str]:
    return {entry.source: entry.problem for entry in entries if entry.problem is not None}


def test_image_files_of_a_tree_are_cases_wherever_they_lie(tmp_path):
    for name in ("b/ü 1.nii.gz", "a.nrrd", "b/c/d.MHA", ".hidden.nii"):
        touch(tmp_path / name, name.encode())

    entries = find_entries(tmp_path)

    assert cases(entries) == ["a.nrrd", "b/c/d.MHA", "b/ü 1.nii.gz"]
    assert problems(entries) == {}


def test_names_differ_fit_for_folders_and_stay_when_the_archive_grows(tmp_path):
    for name in ("a/b.nii", "a_b.nii", "a/b.nrrd", "ä:?.nii", "x" * 180 + ".nii"):
        touch(tmp_path / name, name.encode())
    before = {entry.source: entry.name for entry in find_entries(tmp_path)}
    touch(tmp_path / "0.nii", b"0")
    after = {entry.source: entry.name for entry in find_entries(tmp_path)}

    assert len({name.lower() for name in before.values()}) == 5
    assert all(name.replace("-", "").replace("_", "").replace(".", "").isalnum() for name in before.values())
    assert all(name.isascii() and len(name) < 100 for name in before.values())
    assert before.items() <= after.items()


def test_the_fingerprint_changes_with_the_file_and_with_a_detached_headers_voxels(tmp_path):
    scan = touch(tmp_path / "a.nii")
    header = touch(tmp_path / "b.mhd", b"ObjectType = Image\nElementDataFile = b c.raw\n")
    voxels = touch(tmp_path / "b c.raw")
    first = {entry.source: entry.fingerprint for entry in find_entries(tmp_path)}
    os.utime(scan, ns=(1, 1))
    os.utime(voxels, ns=(1, 1))
    second = {entry.source: entry.fingerprint for entry in find_entries(tmp_path)}

    assert first[scan.name] != second[scan.name]
    assert first[header.name] != second[header.name]


def test_a_copy_or_a_second_link_to_a_scan_is_one_line_that_names_the_other(tmp_path):
    touch(tmp_path / "a.nii", b"0" * 100 + b"same")
    touch(tmp_path / "b.nii", b"0" * 100 + b"same")
    touch(tmp_path / "c.nii", b"0" * 100 + b"else")
    (tmp_path / "d.nii").symlink_to("c.nii")

    entries = find_entries(tmp_path)

    assert cases(entries) == ["a.nii", "c.nii"]
    assert "copy of a.nii" in problems(entries)["b.nii"]
    assert "copy of c.nii" in problems(entries)["d.nii"]


def test_loops_of_links_broken_links_empty_and_foreign_files_are_a_line_each(tmp_path):
    touch(tmp_path / "in" / "a.nii")
    (tmp_path / "in" / "loop").symlink_to("..")
    (tmp_path / "in" / "self.nii").symlink_to("self.nii")
    (tmp_path / "broken.nii").symlink_to("gone.nii")
    touch(tmp_path / "none", b"")
    touch(tmp_path / "notes.txt", b"hello")

    entries = find_entries(tmp_path)

    assert cases(entries) == ["in/a.nii"]
    assert set(problems(entries)) == {"in/loop", "in/self.nii", "broken.nii", "none", "notes.txt"}
    assert "searched already" in problems(entries)["in/loop"]
    assert "0 bytes" in problems(entries)["none"]


def test_scans_behind_a_link_to_another_disk_are_found_once(tmp_path):
    touch(tmp_path / "disk" / "a.nii")
    root = tmp_path / "root"
    root.mkdir()
    for name in ("first", "second"):
        (root / name).symlink_to(tmp_path / "disk")

    entries = find_entries(root)

    assert cases(entries) == ["first/a.nii"]
    assert list(problems(entries)) == ["second"]


def test_a_folder_that_cannot_be_read_is_a_line_and_the_others_are_searched(tmp_path, monkeypatch):
    touch(tmp_path / "closed" / "a.nii")
    touch(tmp_path / "open" / "b.nii")
    scandir = os.scandir

    def refusing(path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    entries = find_entries(tmp_path)

    assert cases(entries) == ["open/b.nii"]
    assert "Permission denied" in problems(entries)["closed"]


def test_every_axial_ct_series_is_a_case_and_scouts_beside_it_are_none(tmp_path):
    arterial = write_series(tmp_path / "p" / "mixed", STORED, SeriesNumber=2, SeriesDescription="Arterial")
    portal = write_series(tmp_path / "p" / "mixed", STORED, SeriesNumber=3)
    write_series(tmp_path / "p" / "mixed", STORED[:3], SeriesNumber=1, SeriesDescription="Bolus")

    entries = find_entries(tmp_path)

    assert {entry.series for entry in entries} == {arterial, portal}
    assert cases(entries) == ["p/mixed, series 2 'Arterial'", "p/mixed, series 3 'Portal'"]


def test_short_series_of_a_scans_study_and_reformats_are_a_line_each_wherever_they_lie(tmp_path):
    write_series(tmp_path / "2", STORED)
    write_series(tmp_path / "3", STORED[:8], SeriesNumber=3, SeriesDescription="Bolus")
    write_series(tmp_path / "4", STORED[:8], SeriesNumber=4, StudyInstanceUID="1.2.4")
    coronal = [(-100.0, 2.0 * n, 50.0) for n in range(len(STORED))]
    axes = [1, 0, 0, 0, 0, -1]
    write_series(tmp_path / "5", STORED, positions=coronal, ImageOrientationPatient=axes, SeriesDescription="MPR")

    entries = find_entries(tmp_path)

    assert cases(entries) == ["2, series 1 'Portal'", "4, series 4 'Portal'"]
    assert set(problems(entries)) == {"3", "5"}
    assert "'Bolus' has 8 axial slices" in problems(entries)["3"]
    assert "'MPR' is not axial" in problems(entries)["5"]


@pytest.mark.parametrize("folders", [("1", "2"), ("both", "both")])
def test_a_phase_of_which_files_are_damaged_is_a_case_however_few_slices_are_left(folders, tmp_path):
    for number, folder in enumerate(folders, start=1):
        write_series(
            tmp_path / folder, STORED, SeriesNumber=number, names=[f"{number}{n:02}.dcm" for n in range(len(STORED))]
        )
    for path in sorted((tmp_path / folders[1]).glob("2*"))[5:15]:
        path.write_bytes(path.read_bytes()[:300])

    assert len(cases(find_entries(tmp_path))) == 2


@pytest.mark.parametrize("cut", [700, 120])
def test_a_damaged_slice_costs_its_own_series_alone(tmp_path, cut):
    damaged = write_series(tmp_path, STORED, names=[f"a{n:02}" for n in range(len(STORED))], compress=cut == 120)
    whole = write_series(tmp_path, STORED, SeriesNumber=2)
    middle = tmp_path / f"a{len(STORED) // 2}"
    middle.write_bytes(middle.read_bytes()[:-cut])

    entries = find_entries(tmp_path)

    assert {entry.series: entry.problem for entry in entries} == {damaged: None, whole: None}
    for entry in entries:
        if entry.series == whole:
            assert case_run._read(entry).hu.shape == STORED.shape
        else:
            with pytest.raises(InputError, match=middle.name):
                case_run._read(entry)


def test_a_note_beside_a_series_that_cannot_be_opened_is_said_and_costs_nothing(tmp_path, monkeypatch):
    write_series(tmp_path / "ct", STORED)
    touch(tmp_path / "ct" / "notes.txt")
    closed_to(monkeypatch, "notes.txt")
    touch(tmp_path / "list.csv", b"path\nct\n")

    for archive in tmp_path, tmp_path / "list.csv":
        (entry,) = (each for each in find_entries(archive) if each.problem is None)
        ct = case_run._read(entry)
        assert ct.hu.shape == STORED.shape
        assert any("notes.txt cannot be read" in note.message for note in ct.notes)


def closed_to(monkeypatch, name: str) -> None:
    """Refuses to open files of a name, whoever runs the tests."""
    opened = open

    def refusing(path, *arguments, **others):
        if Path(path).name == name:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments, **others)

    monkeypatch.setattr("builtins.open", refusing)


def test_a_listed_file_is_read_whatever_the_list_says_of_its_series(tmp_path):
    image = SimpleITK.GetImageFromArray(STORED.astype(np.int16) - 1024)
    SimpleITK.WriteImage(image, str(tmp_path / "a.nii"))
    write_series(tmp_path / "ct", STORED, "1.2.9", names=[f"{n}.dcm" for n in range(len(STORED))])
    touch(tmp_path / "list.csv", b"path,series\na.nii,1.2.3\nct/0.dcm,1.2.9\n")

    scan, one_slice = find_entries(tmp_path / "list.csv")

    assert case_run._read(scan).hu.shape == STORED.shape
    with pytest.raises(CascadeError, match="slice"):
        case_run._read(one_slice)


def test_a_series_whose_files_lie_in_several_folders_is_one_case(tmp_path):
    positions = [(0.0, 0.0, 2.0 * n) for n in range(24)]
    uid = write_series(tmp_path / "a", STORED[:12], "1.2.9", positions[:12])
    write_series(tmp_path / "b", STORED[12:], "1.2.9", positions[12:])

    (entry,) = find_entries(tmp_path)

    assert entry.series == uid
    assert [Path(path).name for path in entry.paths] == ["a", "b"]


def test_series_without_a_uid_are_a_case_for_each_folder_that_can_be_read(tmp_path):
    write_series(tmp_path / "a", STORED, SeriesInstanceUID=None)
    write_series(tmp_path / "b", STORED + np.uint16(5), SeriesInstanceUID=None)
    shutil.copytree(tmp_path / "b", tmp_path / "copy")
    uid = write_series(tmp_path / "d", STORED + np.uint16(9))

    entries = find_entries(tmp_path)

    assert list(problems(entries)) == ["copy"]
    assert cases(entries) == ["a, series 1 'Portal'", "b, series 1 'Portal'", "d, series 1 'Portal'"]
    first, second, other = (entry for entry in entries if entry.problem is None)
    assert len({entry.name.rpartition("-")[2] for entry in (first, second, other)}) == 3
    assert other.name == entry_name("d_1 'Portal'", uid)
    assert case_run._read(second).hu.mean() - case_run._read(first).hu.mean() == pytest.approx(5)


def test_a_copied_series_a_damaged_one_and_a_folder_without_ct_are_a_line_each(tmp_path):
    write_series(tmp_path / "a", STORED)
    shutil.copytree(tmp_path / "a", tmp_path / "copy")
    write_series(tmp_path / "mr", STORED, Modality="MR", SOPClassUID="1.2.840.10008.5.1.4.1.1.4")
    touch(tmp_path / "damaged" / "1.dcm", b"\0" * 128 + b"DICM\x02\x00")

    entries = find_entries(tmp_path)

    assert cases(entries) == ["a, series 1 'Portal'"]
    found = problems(entries)
    assert set(found) == {"copy", "mr", "damaged/1.dcm"}
    assert "copy of that in a" in found["copy"]
    assert "MR, not CT" in found["mr"]
    assert "damaged" in found["damaged/1.dcm"]


def test_a_csv_names_files_and_series_relative_to_itself_and_its_bad_lines_are_kept(tmp_path):
    touch(tmp_path / "scans" / "a.nii")
    uid = write_series(tmp_path / "scans" / "dicom", STORED)
    table = tmp_path / "list.csv"
    table.write_text(
        f"patient,path,series\n1,scans/a.nii,\n2,scans/dicom,{uid}\n3,gone.nii,\n4,scans/../scans/a.nii,\n5,,\n"
    )

    entries = find_entries(table)

    assert cases(entries) == ["scans/a.nii", "scans/dicom"]
    found = list(problems(entries).values())
    assert len(found) == 3
    assert any("gone.nii cannot be read" in why for why in found)
    assert any("same scan as in line 2" in why for why in found)


@pytest.mark.parametrize("name", ["empty", "gone", "a.nii", "bad.csv"])
def test_what_is_no_archive_is_refused(tmp_path, name):
    (tmp_path / "empty").mkdir()
    touch(tmp_path / "a.nii")
    touch(tmp_path / "bad.csv", b"file\nx.nii\n")
    with pytest.raises(InputError, match="give|name the column"):
        find_entries(tmp_path / name)


def test_the_results_folder_inside_of_the_archive_is_not_searched(tmp_path):
    touch(tmp_path / "a.nii", b"a")
    touch(tmp_path / "out" / "cases" / "a" / "b.nii", b"b")
    assert cases(find_entries(tmp_path, leave_out=tmp_path / "out")) == ["a.nii"]


def test_a_name_says_where_a_scan_lies():
    assert entry_name("study 1/ct", "x").startswith("study_1_ct-")


def test_a_moved_archive_keeps_its_fingerprints(tmp_path):
    touch(tmp_path / "before" / "s" / "a.nii")
    (before,) = find_entries(tmp_path / "before")
    (tmp_path / "before").rename(tmp_path / "after")
    (after,) = find_entries(tmp_path / "after")
    assert (after.name, after.fingerprint) == (before.name, before.fingerprint)


def test_a_listed_folder_of_folders_has_a_fingerprint_of_all_its_files(tmp_path):
    write_series(tmp_path / "study" / "1", STORED)
    table = tmp_path / "list.csv"
    table.write_text("path\nstudy\n")
    (before,) = find_entries(table)
    os.utime(next((tmp_path / "study" / "1").iterdir()), ns=(5, 5))
    (after,) = find_entries(table)
    assert before.fingerprint != after.fingerprint


def test_a_listed_path_with_a_zero_byte_is_a_line(tmp_path):
    touch(tmp_path / "a.nii")
    table = tmp_path / "list.csv"
    table.write_text("path\na.nii\nb\0.nii\n")
    try:
        entries = find_entries(table)
    except InputError as error:  # Python 3.10 reads no such table
        assert "NUL" in str(error)
    else:
        assert cases(entries) == ["a.nii"]
        assert "zero byte" in next(iter(problems(entries).values()))


@pytest.mark.parametrize("head", ["path;series", "Path;Series", '"path";"series"', "path\tseries", " path , series "])
def test_a_csv_as_spreadsheets_of_other_countries_write_it(head, tmp_path):
    write_series(tmp_path / "ct", STORED, "1.2.9")
    mark = next(each for each in ";\t," if each in head)
    table = tmp_path / "list.csv"
    table.write_bytes(b"\xef\xbb\xbf" + f"{head}\r\nct{mark}1.2.9\r\n".encode())
    (entry,) = find_entries(table)
    assert (entry.problem, entry.series) == (None, "1.2.9")


def test_series_of_the_same_uids_are_no_copies_of_one_another(tmp_path):
    uids = [{"SOPInstanceUID": f"1.2.3.{n}"} for n in range(len(STORED))]
    write_series(tmp_path / "a", STORED, "1.2.1", per_slice=uids)
    write_series(tmp_path / "a", STORED + 25, "1.2.2", per_slice=uids, SeriesDescription="Late")
    write_series(tmp_path / "b", STORED + 50, "1.2.1", per_slice=uids)
    entries = find_entries(tmp_path)
    assert not [entry for entry in entries if entry.problem]
    by_series = {entry.series: entry.paths for entry in entries}
    assert len(by_series["1.2.1"]) == 2 and len(by_series["1.2.2"]) == 1
