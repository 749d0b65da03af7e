"""The repository can be listed in Slicer's Extensions Index, and each check notices what it is there for."""

import json

import pytest
from tools import release_check as check

CMAKE = (check.REPOSITORY / "CMakeLists.txt").read_text(encoding="utf-8")
ENTRY_TEXT = check.ENTRY.read_text(encoding="utf-8")
ENTRY = json.loads(ENTRY_TEXT)


def test_the_repository_is_ready_to_be_listed():
    assert check.entryProblems(ENTRY_TEXT) == []
    assert check.nameProblems(ENTRY, CMAKE) == []
    assert check.descriptionProblems(ENTRY, CMAKE) == []
    assert check.pictureProblems(ENTRY, CMAKE) == []
    assert check.packagingProblems() == []
    assert check.documentProblems() == []


@pytest.mark.parametrize(
    "change",
    [
        {"tier": 0},
        {"tier": "1"},
        {"category": "Segmentations"},
        {"scm_url": "github.com/a/b"},
        {"depends": "PyTorch"},
        {"build_dependencies": "PyTorch"},
        {"$schema": "https://example.org/schema.json"},
    ],
)
def test_an_entry_that_the_index_would_refuse_is_a_problem(change):
    assert check.entryProblems(json.dumps(ENTRY | change))


@pytest.mark.parametrize("field", ["$schema", "category", "scm_url", "scm_revision"])
def test_a_missing_field_of_the_entry_is_a_problem(field):
    assert check.entryProblems(json.dumps({name: value for name, value in ENTRY.items() if name != field}))


def test_an_entry_with_other_line_ends_or_no_json_is_a_problem():
    assert check.entryProblems(ENTRY_TEXT.replace("\n", "\r\n"))
    assert check.entryProblems(ENTRY_TEXT[:-3])


@pytest.mark.parametrize("text", ['{"category": "Segmentation",', '{"$schema": "x", "category": "Segmentation"}', "[]"])
def test_an_entry_that_the_other_checks_cannot_read_is_reported_alone(monkeypatch, tmp_path, capsys, text):
    monkeypatch.setattr(check, "ENTRY", tmp_path / "entry.json")
    check.ENTRY.write_text(text)
    assert check.main() == 1
    assert capsys.readouterr().out.startswith("failed  index entry\n")


def test_names_that_break_the_rules_are_problems():
    assert check.nameProblems(ENTRY | {"scm_url": "https://github.com/a/LiverLesionCascade.git"}, CMAKE)
    assert check.nameProblems(ENTRY, CMAKE.replace("project(LiverLesionCascade)", "project(SlicerLiver)"))


@pytest.mark.parametrize("field", ["HOMEPAGE", "CATEGORY", "CONTRIBUTORS", "DESCRIPTION", "ICONURL", "SCREENSHOTURLS"])
def test_a_missing_part_of_the_description_is_a_problem(field):
    assert check.descriptionProblems(ENTRY, CMAKE.replace(f"set(EXTENSION_{field} ", f"set(OTHER_{field} "))


def test_dependencies_that_the_entry_and_cmake_do_not_share_are_a_problem():
    assert check.descriptionProblems(ENTRY | {"build_dependencies": []}, CMAKE)


def test_addresses_of_pictures_that_are_not_in_the_repository_are_problems(tmp_path):
    assert check.pictureProblems(ENTRY, CMAKE, tmp_path)
    assert check.pictureProblems(ENTRY, CMAKE.replace("https://raw", "${_raw}"))


def test_a_picture_that_is_none_or_too_small_is_a_problem(tmp_path):
    text = tmp_path / "icon.png"
    text.write_bytes(b"no picture")
    assert check.pngSize(text) is None
    assert check.pngSize(check.REPOSITORY / "Resources" / "Icons" / "LiverLesionCascade.png") == (128, 128)


def test_a_library_file_that_cmake_does_not_list_is_a_problem(monkeypatch):
    listed = check.lists.files_of("LiverLesionCascade")
    without = {kind: files[1:] for kind, files in listed.items()}
    monkeypatch.setattr(check.lists, "listed_in", lambda module: without)
    assert any("LiverLesionCascade.py is not listed" in problem for problem in check.packagingProblems())


def test_a_repository_without_its_first_files_is_a_problem(tmp_path):
    problems = check.documentProblems(tmp_path)
    assert "LICENSE is missing" in problems and "README.md lacks a tutorial" in problems


def test_a_repository_above_the_limit_is_a_problem():
    assert check.sizeProblems(maximumMb=1)


def test_a_clone_without_the_whole_history_has_no_size(tmp_path):
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    check.git(tmp_path, "init", "-q", origin)
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    for message in ("one", "two"):
        check.git(origin, *who, "commit", "-q", "--allow-empty", "-m", message)
    assert check.sizeProblems(origin) == []
    check.git(tmp_path, "clone", "-q", "--depth", "1", origin.as_uri(), clone)
    assert "whole history" in check.sizeProblems(clone)[0]
