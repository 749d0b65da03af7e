"""What the parts under fire judge notices the faults that it is there for."""

import logging
import os
import shutil
import subprocess
import sys

import pytest

pytest.importorskip("resource", reason="processes are limited and forked")

from .__main__ import main
from .files.failing import failing_library
from .files.kills import Killing
from .files.panel_report import NAMES, Report
from .files.scenarios import OBJECTS, OLD, OLD_RESULT, Segment, require_whole
from .readers import product_readers, scan_readers, training_readers
from .use import load


@pytest.fixture(autouse=True)
def _log_goes_on():
    """What is under fire says nothing, in processes of its own as a rule; here other tests come after it."""
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def segmented(tmp_path_factory):
    """A result with DICOM objects, which no test changes."""
    place, scenario = tmp_path_factory.mktemp("segmented"), Segment("segment with DICOM objects", dicom=True)
    scenario.prepare(place)
    assert scenario.act(place) is None and scenario.wrong(place, True) is None
    return place / "out"


class Killed(Killing):
    """The process has left what ``leave`` lays out."""

    def __init__(self, scenario, leave):
        super().__init__(scenario, operations=1)
        self._leave = leave

    def _run(self, place, at=0, after=None):
        (place / "work" / "out").mkdir(parents=True, exist_ok=True)
        self._leave(place / "work" / "out")
        return False


class Tidying(Segment):
    """Replaces whatever it finds by nothing that is wrong."""

    def act(self, place):
        for path in (place / "out").iterdir():
            path.unlink()

    def wrong(self, place, done):
        return self.broken(place)


@pytest.mark.parametrize("left", [{"report.html": b"<html>"}, {"lesions.csv": OLD, "report.html": b"</html>"}])
def test_half_a_file_and_a_mix_are_found_though_the_second_run_replaces_them(tmp_path, left):
    def leave(out):
        for name, content in left.items():
            (out / name).write_bytes(content)

    assert Killed(Tidying("segment"), leave)(0, tmp_path)


def test_an_old_result_that_a_kill_loses_is_found_unless_it_is_kept_aside(tmp_path):
    def leave(out, names):
        for name in names:
            (out / name).write_bytes(OLD)

    whole = sorted(OLD_RESULT)
    replacing = Tidying("segment over an earlier result", replaces=True)
    assert Killed(replacing, lambda out: leave(out, whole[1:]))(0, tmp_path / "lost")

    out = tmp_path / "moving" / "out"
    (out / ".unfinished-1").mkdir(parents=True)
    leave(out, whole[1:])
    leave(out / ".unfinished-1", whole[:1])
    assert replacing.broken(out.parent) is None


@pytest.mark.parametrize("name", sorted(OBJECTS | {"lesions.csv", "report.html", "segmentation.seg.nrrd"}))
def test_a_file_that_is_cut_anywhere_is_not_whole(segmented, tmp_path, name):
    whole = (segmented / name).read_bytes()
    for number in range(12):
        (tmp_path / name).write_bytes(whole[: len(whole) * number // 12])
        with pytest.raises(Exception):  # noqa: B017 - of whatever kind: it is not taken for whole
            require_whole(tmp_path / name)


def test_a_damaged_report_of_the_panel_is_found_behind_an_old_one(tmp_path):
    (tmp_path / "out").mkdir()
    for name in NAMES:
        (tmp_path / "out" / name).write_bytes(OLD)
    assert Report().broken(tmp_path) is None
    (tmp_path / "out" / "report.csv").write_bytes(b"a,b\n1,")
    with pytest.raises(AssertionError, match=r"report\.csv is not whole"):
        Report().broken(tmp_path)


class Run:
    """An archive's run whose records are there one after the other, and which ends so."""

    pid = os.getpid()

    def __init__(self, code=0, line=""):
        self._end = code, line

    def end(self):
        return self._end

    def kill(self):
        pass


@pytest.mark.parametrize("cases", [20, 2000])
def test_workers_are_killed_in_archives_of_any_size(monkeypatch, cases):
    monkeypatch.setattr(load, "tiny_archive", lambda folder, cases: folder)
    monkeypatch.setattr(load.Archive, "start", lambda self: Run())
    monkeypatch.setattr(load.Archive, "wait", lambda self, run, cases, meanwhile: [meanwhile(n) for n in range(cases)])
    monkeypatch.setattr(load.Archive, "kill_a_worker", lambda self, rng: True)
    monkeypatch.setattr(load.Archive, "wrong", lambda self, cases: [])
    killed, _, _, found = load.killed_workers(cases)
    assert killed == max(2, cases // load.CASES_A_KILL) and not found


def test_an_archive_that_ends_early_says_why_and_that_no_worker_was_killed(monkeypatch):
    monkeypatch.setattr(load.Archive, "start", lambda self: Run(1, "error: the disk is full"))
    monkeypatch.setattr(load.Archive, "wait", lambda *arguments: None)
    found = [each.what for each in load.killed_workers(2)[-1]]
    assert "it ended with 1: error: the disk is full" in found and "no worker was killed" in found


@pytest.mark.parametrize(("name", "only"), [("full", "segment"), ("load", "no such row")])
def test_where_nothing_is_run_there_is_no_table_that_could_replace_one(monkeypatch, capsys, name, only):
    monkeypatch.setenv("LIVER_LESION_CASCADE_ALONE", "0")  # nothing can be mounted
    monkeypatch.setattr(sys, "argv", ["fire", name, "--only", only])
    assert main() == 2
    said = capsys.readouterr()
    assert said.out == "" and f"nothing of {name} was run" in said.err


@pytest.mark.parametrize(
    "make",
    [
        *(scan_readers.nifti, scan_readers.nrrd, scan_readers.mha, scan_readers.dicom),
        *(training_readers.label_maps, training_readers.segmentations, training_readers.dicom_segmentations),
        *(training_readers.prepared_data, product_readers.exchanged_volumes, product_readers.exchanged_results),
    ],
)
def test_of_files_that_are_whole_a_reader_says_nothing_that_would_excuse_other_voxels(tmp_path, make):
    reader = make()
    for number, files in enumerate(reader.seeds):
        for name, content in files.items():
            path = tmp_path / str(number) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        assert reader.read(tmp_path / str(number))[1] is False


def test_of_a_bundle_whose_weights_are_read_only_they_are_changed(tmp_path):
    reader = product_readers.bundle_weights()
    assert [list(files) for files in reader.seeds] == [["weights.pt"]]
    (tmp_path / "weights.pt").write_bytes(reader.seeds[0]["weights.pt"])
    reader.read(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["weights.pt"]


FAILING = """
import errno, sys
from pathlib import Path
from fire.files.failing import Operations
operations, folder = Operations(), Path(sys.argv[1])

def failed(at, code):
    with operations.watched(folder, at, code):
        try:
            (folder / "a").write_bytes(b"12345678")
        except OSError as error:
            assert error.errno == code
    return operations.failed

print([failed(at, errno.ENOSPC) for at in (1, 2, 3, 4)], [failed(at, 0) for at in (1, 2, 3)])
failed(3, errno.EIO)
print((folder / "a").read_text())
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="a library is made that lets files fail")
def test_a_close_fails_and_loses_what_was_written_and_a_write_alone_is_short(tmp_path):
    with failing_library() as library:
        done = subprocess.run(
            [sys.executable, "-c", FAILING, tmp_path],
            env=os.environ
            | {"LD_PRELOAD": str(library), "LIVER_LESION_CASCADE_FAILING": str(library)}
            | {"PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
        )
    assert done.stdout == "['create', 'write', 'close', ''] ['', 'write', '']\n1234\n", done.stderr
