"""What surrounds a run - streams, names of files, leftovers of killed runs - costs no result and shows no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from fixtures.dicom_files import body_phantom, write_series
from fixtures.phantom import PhantomSegmenter, write_phantom
from LiverLesionCascadeLib.cli import main
from LiverLesionCascadeLib.engine.errors import InputError, OutputError
from LiverLesionCascadeLib.engine.scan.image_io import read_image, read_input, read_labels
from LiverLesionCascadeLib.outputs.output_folder import OutputFolder

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
PROGRAM = (
    "import sys; from fixtures.phantom import PhantomSegmenter; from LiverLesionCascadeLib.cli import main; "
    "sys.exit(main(sys.argv[1:], PhantomSegmenter()))"
)
FILES = ["lesions.csv", "report.html", "segmentation.seg.nrrd"]

unix = pytest.mark.skipif(os.name == "nt", reason="descriptors and bytes in names as Unix has them")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def shell(redirection: str, *words: object) -> subprocess.CompletedProcess[str]:
    """The command with its streams as a shell sets them."""
    line = f'"$@" {redirection}'
    command = [sys.executable, "-c", PROGRAM, *map(str, words)]
    return subprocess.run(["bash", "-c", line, "-", *command], capture_output=True, env=ENVIRONMENT, encoding="utf-8")


@unix
@pytest.mark.parametrize("words", [["-q"], ["--json"]])
@pytest.mark.parametrize(
    "redirection", [">&-", "2>&-", "<&- >&- 2>&-", "> /dev/full", "2> /dev/full", "| true; exit ${PIPESTATUS[0]}"]
)
def test_streams_that_are_closed_full_or_cut_off_cost_nothing(redirection, words, tmp_path):
    scan = write_phantom(tmp_path / "scan.nii.gz")
    done = shell(redirection, "segment", scan, "-o", tmp_path / "out", *words)
    assert done.returncode == 0, done.stderr
    assert names(tmp_path / "out") == FILES
    assert "Traceback" not in done.stderr and "Error" not in done.stderr


@unix
@pytest.mark.parametrize("redirection", ["2>&-", "> /dev/full", "<&- >&- 2>&-"])
def test_an_error_keeps_its_exit_code_without_streams(redirection, tmp_path):
    done = shell(redirection, "segment", tmp_path / "none.nii", "-o", tmp_path / "out", "--json")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


# Names


@pytest.fixture
def latin(tmp_path: Path) -> Path:
    """A folder whose name is no UTF-8: an umlaut of Latin-1, as on an old disk."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/M\xfcller"))
    path.mkdir()
    return path


@unix
def test_names_that_are_no_text_are_refused_before_any_library_ends_the_process_for_them(latin, tmp_path, capsys):
    scan = write_phantom(tmp_path / "scan.nii.gz")
    scan = scan.rename(latin / "scan.nii.gz")
    for words, code in (
        ([scan, "-o", tmp_path / "out"], 3),
        ([latin, "-o", tmp_path / "out"], 3),
        ([write_phantom(tmp_path / "b.nii.gz"), "-o", latin / "out"], 5),
        ([tmp_path / "b.nii.gz", "-o", tmp_path / "out", "--bundle", latin], 4),
    ):
        assert main(["segment", *map(str, words)], PhantomSegmenter()) == code
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and "no text (UTF-8)" in error
    assert names(tmp_path / "out") == []
    for read in (read_image, lambda path: read_labels(path, None), lambda path: read_input([path])):
        with pytest.raises(InputError, match="no text"):
            read(scan)


@unix
def test_slices_whose_names_are_no_text_are_read(tmp_path):
    write_series(tmp_path / "ct", body_phantom())
    for path in (tmp_path / "ct").iterdir():
        os.rename(path, os.fsencode(path) + b"\xfc.dcm")
    assert main(["segment", str(tmp_path / "ct"), "-o", str(tmp_path / "out")], PhantomSegmenter()) == 0
    assert names(tmp_path / "out") == FILES
    broken = sorted(os.listdir(os.fsencode(tmp_path / "ct")))[-1]
    Path(os.fsdecode(os.path.join(os.fsencode(tmp_path / "ct"), broken))).write_bytes(b"\0" * 128 + b"DICM")
    assert (
        main(["segment", str(tmp_path / "ct"), "-o", str(tmp_path / "out"), "--force", "--json"], PhantomSegmenter())
        == 0
    )


@unix
def test_an_archive_says_of_such_a_file_what_is_wrong_with_it(latin, tmp_path):
    from fakes.archive_tasks import run_archive

    class Here:
        def run(self, task, items, *arguments, again):
            yield from ((item, task(item, *arguments)) for item in items)

        def ended_for_memory(self):
            return set()

    write_phantom(tmp_path / "scan.nii.gz").rename(latin / "scan.nii.gz")
    (record,) = run_archive(latin.parent, tmp_path / "out", Here()).records
    assert record["state"] == "failed" and "no text (UTF-8)" in record["error"]


# Leftovers


def test_what_a_killed_run_left_is_cleared_by_the_next_one_and_a_running_one_is_left_alone(tmp_path):
    out = tmp_path / "out"
    (out / ".unfinished-abc").mkdir(parents=True)
    (out / ".unfinished-abc" / "big.nrrd").write_bytes(b"1")
    (out / ".lock").write_bytes(b"")
    with OutputFolder(out, ["a"]) as output:
        assert [path.name for path in out.glob(".unfinished-*")] == [output.staging.name]
        with pytest.raises(OutputError, match="Another run"), OutputFolder(out, ["b"]):
            raise AssertionError("two runs in one folder")
        assert output.staging.is_dir()
        (output.staging / "a").write_text("1")
        output.commit()
    assert names(out) == ["a"]


def test_results_that_a_killed_run_was_about_to_replace_come_back(tmp_path):
    out = tmp_path / "out"
    kept = out / ".unfinished-abc" / ".replaced-xyz"
    kept.mkdir(parents=True)
    (kept / "lesions.csv").write_text("earlier")
    with OutputFolder(out, ["a"]):
        pass
    assert (out / "lesions.csv").read_text() == "earlier"


def test_a_disk_without_locks_is_written_to_all_the_same(tmp_path, monkeypatch):
    def none(self, *_, **__):
        raise NotImplementedError

    monkeypatch.setattr(FileLock, "acquire", none)
    with OutputFolder(tmp_path / "out", ["a"]) as output:
        (output.staging / "a").write_text("1")
        output.commit()
    assert names(tmp_path / "out") == ["a"]
