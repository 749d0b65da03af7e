"""Runs over archives: nothing is lost or done twice, whoever dies; what was asked for is what the tables hold."""

import contextlib
import errno
import json
import os
import re
import subprocess
import sys
import time
import zlib
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

import psutil
import pyarrow.parquet as parquet
import pytest
import SimpleITK as sitk
from fakes import archive_tasks
from fakes.archive_tasks import HOLD, MEMORY_LIMIT, Here, run_archive, run_phantom_case, settings_for
from fixtures.bad_files import BAD_FILES
from fixtures.dicom_files import body_phantom, write_series
from fixtures.phantom import phantom_image
from fixtures.small_bundle import write_tiny_bundle
from LiverLesionCascadeLib.archive import case_run
from LiverLesionCascadeLib.archive import cluster as cluster_module
from LiverLesionCascadeLib.archive.archive_folder import run_folder
from LiverLesionCascadeLib.archive.case_run import MAX_ATTEMPTS
from LiverLesionCascadeLib.archive.cluster import workers
from LiverLesionCascadeLib.archive.records import DONE, FAILED, LEFT_OUT, model_identity
from LiverLesionCascadeLib.archive.summary import render_summary
from LiverLesionCascadeLib.cli import main
from LiverLesionCascadeLib.engine.errors import OutputError
from LiverLesionCascadeLib.engine.model import device
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}


def write_scans(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        image = phantom_image()
        image.SetOrigin((zlib.crc32(name.encode()) / 1e6, 0.0, 500.0))  # no copies of one another
        sitk.WriteImage(image, str(folder / f"{name}.nii.gz"))
    return folder


@pytest.fixture
def archive(tmp_path):
    return write_scans(tmp_path / "Archiv ä", "a", "b")


@pytest.fixture(scope="module")
def cluster():
    with workers(count=2, memory=MEMORY_LIMIT) as started:
        yield started


def rows(out: Path, table: str = "cases") -> list[dict]:
    return parquet.read_table(out / f"{table}.parquet").to_pylist()


def did(archive: Path, out: Path, **changes) -> list[str]:
    """The sources of the cases that a run did."""
    here = Here()
    run_archive(archive, out, here, **changes)
    return here.did


def results(out: Path) -> dict[str, dict[str, bytes]]:
    """What the cases' files hold that does not change with time, by the case."""
    names = ("segmentation.seg.nrrd", "lesions.csv", "key-image.jpg")
    return {case.name: {name: (case / name).read_bytes() for name in names} for case in (out / "cases").iterdir()}


def test_a_case_has_the_outputs_of_segment_and_a_row_for_itself_and_for_each_lesion(archive, tmp_path):
    outcome = run_archive(archive, tmp_path / "out", Here())

    assert [record["state"] for record in outcome.records] == [DONE, DONE]
    folder = tmp_path / "out" / "cases" / outcome.records[0]["name"]
    assert sorted(path.name for path in folder.iterdir()) == [
        "key-image.jpg", "lesions.csv", "report.html", "segmentation.seg.nrrd",
    ]  # fmt: skip
    first = rows(tmp_path / "out")[0]
    assert (first["source"], first["state"], first["lesions"]) == ("a.nii.gz", "done", 2)
    assert first["liver_volume_ml"] > first["lesion_volume_ml"] > 0
    lesions = [row for row in rows(tmp_path / "out", "lesions") if row["case"] == first["case"]]
    assert [row["lesion"] for row in lesions] == [1, 2]
    assert lesions[0]["long_axis_mm"] == pytest.approx(first["longest_diameter_mm"])


def test_a_case_for_which_the_memory_does_not_suffice_says_so(archive, tmp_path, monkeypatch):
    def full(entry, settings):
        raise RuntimeError(
            "DefaultCPUAllocator: can't allocate memory: you tried to allocate 8000000000 bytes. Error code 12"
        )

    monkeypatch.setattr(case_run, "_segment", full)
    outcome = run_archive(archive, tmp_path / "out", Here())
    assert {record["error"] for record in outcome.records} == {"The worker has too little memory for this scan."}


@pytest.mark.parametrize("problem", ["unspecified launch failure", ""])
def test_a_worker_ends_itself_after_an_error_where_its_gpu_cannot_be_used_any_more(
    archive, tmp_path, monkeypatch, problem
):
    ended = []

    def lose(entry, settings):
        raise RuntimeError("CUDA error: unspecified launch failure")

    loaded = lru_cache(lambda *asked: SimpleNamespace(device="cuda:0"))
    loaded()
    monkeypatch.setattr(case_run, "_segment", lose)
    monkeypatch.setattr(case_run, "segmenter_of_process", loaded)
    monkeypatch.setattr(archive_tasks, "run_phantom_case", case_run.run_case)
    monkeypatch.setattr(device, "device_problem", lambda name: problem if name == "cuda:0" else "")
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setitem(sys.modules, "distributed.worker", SimpleNamespace())
    outcome = run_archive(archive, tmp_path / "out", Here())
    assert ended == ([1] * len(outcome.records) if problem else [])


def test_the_command_ends_with_3_where_cases_failed(archive, tmp_path, capfd, monkeypatch):
    (archive / "broken.nii.gz").write_bytes(b"no scan")
    bundle = write_tiny_bundle(tmp_path / "bundle")
    command = ["archive", str(archive), str(tmp_path / "out"), "--bundle", str(bundle), "--device", "cpu"]
    assert main([*command, "--workers", "1", "--json"]) == 3
    output, error = capfd.readouterr()
    assert json.loads(output)["failed"] == 1
    assert "1 cases failed" in error


def test_continuing_does_nothing_twice_but_keeps_all_in_the_tables(archive, tmp_path):
    assert len(did(archive, tmp_path / "out")) == 2
    assert did(archive, tmp_path / "out") == []
    assert [row["state"] for row in rows(tmp_path / "out")] == [DONE, DONE]


def test_changed_failed_and_lost_cases_are_done_again_and_no_others(archive, tmp_path):
    write_scans(archive, "c", "odd", "d")
    out = tmp_path / "out"
    did(archive, out)
    os.utime(archive / "a.nii.gz", ns=(5, 5))
    (lost,) = (out / "cases").glob("c-*")
    (lost / "lesions.csv").unlink()
    (record,) = (out / "records").glob("d-*.json")
    record.write_text("{")

    assert did(archive, out) == ["a.nii.gz", "c.nii.gz", "d.nii.gz", "odd.nii.gz"]


@pytest.mark.parametrize(
    "change",
    [
        {"model": "another"},
        {"preset": "paper"},
        {"keep_probabilities": True},
        {"crf": True},
        {"multi_scale": True},
        {"report": "light"},
    ],
)
def test_another_bundle_or_other_choices_do_all_again(archive, tmp_path, change):
    did(archive, tmp_path / "out")
    assert len(did(archive, tmp_path / "out", **change)) == 2


def test_what_a_record_was_made_with_names_what_was_chosen_only():
    plain = settings_for("out").made_with
    assert set(plain) == {"model", "preset", "rules", "probabilities", "report"}
    assert settings_for("out", crf=True).made_with == plain | {"crf": True}


def test_another_device_repeats_nothing(archive, tmp_path):
    did(archive, tmp_path / "out")
    assert did(archive, tmp_path / "out", device="cuda") == []


def test_what_cannot_be_segmented_is_a_row_with_its_reason(archive, tmp_path):
    write_scans(archive, "odd")
    (archive / "empty.nrrd").write_bytes(b"")
    (archive / "text.nii").write_text("hello")
    (archive / "notes.txt").write_text("hello")

    run_archive(archive, tmp_path / "out", Here())

    found = {row["source"]: (row["state"], row["error"] or "") for row in rows(tmp_path / "out")}
    assert len(found) == 6
    assert found["odd.nii.gz"] == (FAILED, "Unexpected ZeroDivisionError: by an odd scan")
    assert found["empty.nrrd"][0] == FAILED and "0 bytes" in found["empty.nrrd"][1]
    assert found["text.nii"][0] == FAILED and "not a NIfTI" in found["text.nii"][1]
    assert found["notes.txt"][0] == LEFT_OUT


def test_a_second_run_into_the_same_folder_is_refused(tmp_path):
    with run_folder(tmp_path / "out"), pytest.raises(OutputError, match="Another run is writing to"):
        with run_folder(tmp_path / "out"):
            pass
    with run_folder(tmp_path / "out"):
        pass


def test_a_folder_with_other_files_is_not_taken_for_results(tmp_path):
    (tmp_path / "thesis.doc").write_text("x")
    with pytest.raises(OutputError, match="holds other files"), run_folder(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


def test_the_folder_of_an_evaluation_is_not_taken_for_an_archives(tmp_path):
    with run_folder(tmp_path / "out", "evaluation", ("records",)):
        (tmp_path / "out" / "records" / "a.json").touch()
    with pytest.raises(OutputError, match="that of an earlier archive run"), run_folder(tmp_path / "out"):
        pass
    assert not (tmp_path / "out" / "cases").exists()


def test_a_run_that_the_disk_stopped_before_it_began_can_be_started_again(tmp_path, monkeypatch):
    out, mkdir = tmp_path / "out", Path.mkdir

    def full(self, *arguments, **options):
        if self.name == "cases":
            raise OSError(errno.ENOSPC, "No space left on device")
        mkdir(self, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "mkdir", full)
        with pytest.raises(OutputError, match="No space left"), run_folder(out):
            pass
    assert [path.name for path in out.iterdir()] == ["records"]
    with run_folder(out):
        assert (out / "cases").is_dir()


def test_what_a_killed_run_left_half_written_is_removed(tmp_path):
    with run_folder(tmp_path):
        pass
    left = [tmp_path / ".writing-1", tmp_path / "records" / ".writing-2"]
    for path in left:
        path.write_text("x")
    with run_folder(tmp_path):
        assert not any(path.exists() for path in left)


def test_the_summary_shows_counts_reasons_and_the_most_doubtful_first(archive, tmp_path):
    write_scans(archive, "<odd>")
    out = tmp_path / "out"
    records = run_archive(archive, out, Here()).records
    records[1]["doubts"]["score"], records[1]["doubts"]["warnings"] = 0.1, []
    records[2]["doubts"] |= {"score": 9.0, "warnings": ["Very <doubtful>."]}

    page = render_summary(records, out)

    assert "&lt;odd&gt;.nii.gz" in page and "<odd>" not in page
    assert "by an odd scan" in page
    assert page.index("Very &lt;doubtful&gt;.") < page.index(f"cases/{records[1]['name']}/report.html")
    assert page.count("data:image/jpeg;base64,") == 2
    assert "Distributions" in page


def test_what_is_not_known_of_a_case_is_not_drawn(archive, tmp_path):
    out = tmp_path / "out"
    records = run_archive(archive, out, Here()).records
    done = [record for record in records if record["state"] == DONE]
    assert "Tumour burden of livers" in render_summary(records, out)
    for record in done:
        record["tumour_burden_percent"] = None
        for lesion in record["lesions"]:
            lesion["confidence"] = None
    page = render_summary(records, out)
    assert "Tumour burden of livers" not in page and "Confidence of lesions" not in page and "Time a case" in page


def test_a_distribution_of_equal_values_goes_from_that_value_to_that_value(archive, tmp_path):
    out = tmp_path / "out"
    records = run_archive(archive, out, Here()).records
    for record in records:
        if record["state"] == DONE:
            record["lesions"] = []
    chart = render_summary(records, out).partition('aria-label="Lesions a case')[2].partition("</svg>")[0]
    assert re.findall(r"<text[^>]*>([^<]*)</text>", chart) == ["0.00", "0.00 "]


def test_cases_that_kill_their_worker_or_need_too_much_memory_fail_alone(cluster, tmp_path):
    names = ["a", "b", "deadly", "huge", "odd", "z"]
    archive, out = write_scans(tmp_path / "in", *names), tmp_path / "out"

    run_archive(archive, out, cluster)

    found = {row["source"].split(".")[0]: row for row in rows(out)}
    assert list(found) == names
    assert {name for name in names if found[name]["state"] == DONE} == {"a", "b", "z"}
    assert f"ended {MAX_ATTEMPTS} times at this case" in found["deadly"]["error"]
    assert "more memory than the worker's limit" in found["huge"]["error"]
    assert not list((out / "records").glob("*.attempts"))
    assert not list((out / "cases").glob("*/.unfinished-*/*.nrrd"))


def test_killed_workers_and_a_killed_run_lose_nothing(tmp_path):
    names = ["a", "b", "c", "held0", "held1", "held2"]
    archive, out = write_scans(tmp_path / "in", *names), tmp_path / "out"
    command = [sys.executable, archive_tasks.__file__, str(archive), str(out)]
    environment = {**ENVIRONMENT, HOLD: "1"}
    run = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    children = []
    try:
        wait_for(lambda: len(list((out / "records").glob("*.json"))) == 3)
        wait_for(lambda: len(attempts(out)) == 2)
        (victim, *_), _other = attempts(out).values()
        psutil.Process(victim["pid"]).kill()
        wait_for(lambda: sorted(map(len, attempts(out).values())) == [1, 2])
        children = psutil.Process(run.pid).children(recursive=True)
    finally:
        run.kill()
        run.wait()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive

    outcome = run_archive(archive, out, Here(), report="light")
    run_archive(archive, tmp_path / "undisturbed", Here(), report="light")

    assert outcome.repeated == 3
    assert [row["source"] for row in rows(out)] == [f"{name}.nii.gz" for name in names]
    assert {row["state"] for row in rows(out)} == {DONE}
    assert results(out) == results(tmp_path / "undisturbed")
    assert not list((out / "cases").glob("*/.*"))


def test_workers_that_dask_gives_up_are_started_again(monkeypatch):
    """It gives up those that do not come back in time after they were lost, as on a busy computer."""
    monkeypatch.setitem(cluster_module._LOCAL, "distributed.deploy.lost-worker-timeout", "1 ms")
    with workers(count=2, memory=MEMORY_LIMIT) as started:
        local = started.client.cluster
        for nanny in list(local.workers.values()):
            psutil.Process(nanny.pid).kill()
        wait_for(lambda: not local.workers)

        assert sorted(started.run(pow, [2, 3], 2)) == [(2, 4), (3, 9)]
        wait_for(lambda: started.count == 2)


def wait_for(condition) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it did not happen within two minutes"
        time.sleep(0.02)


def attempts(out: Path) -> dict[str, list[dict]]:
    """By case, how often workers began it that have not done it."""
    found = {}
    for path in (out / "records").glob("*.attempts"):
        with contextlib.suppress(OSError, ValueError):  # done meanwhile
            found[path.name] = json.loads(path.read_text())
    return found


def test_a_case_that_ended_its_workers_is_tried_again_by_the_next_run(archive, tmp_path):
    out = tmp_path / "out"
    (name,) = {record["name"] for record in run_archive(archive, out, Here()).records if record["source"] == "a.nii.gz"}
    (out / "records" / f"{name}.json").unlink()
    (out / "records" / f"{name}.attempts").write_text(json.dumps([{"host": "h", "pid": 1}] * MAX_ATTEMPTS))

    assert did(archive, out) == ["a.nii.gz"]
    assert {row["state"] for row in rows(out)} == {DONE}


def test_a_case_is_not_begun_once_more_than_allowed(archive, tmp_path):
    from LiverLesionCascadeLib.archive.discovery import find_entries

    entry, settings = find_entries(archive)[0], settings_for(tmp_path)
    (tmp_path / "records").mkdir()
    settings.attempts_file(entry).write_text(json.dumps([{"host": "h", "pid": 1, "error": "CUDA broke"}] * 3))

    record = run_phantom_case(entry, settings)

    assert record["state"] == FAILED
    assert "CUDA broke" in record["error"]


def test_the_command_segments_an_archive_by_a_bundle_and_then_finds_nothing_to_do(archive, tmp_path, capfd):
    bundle = write_tiny_bundle(tmp_path / "bundle")
    command = ["archive", str(archive), str(tmp_path / "out"), "--bundle", str(bundle), "--device", "cpu"]
    command += ["--workers", "1", "--json"]

    assert main(command) == 0
    output, error = capfd.readouterr()
    first = json.loads(output)
    assert main(command) == 0
    second = json.loads(capfd.readouterr().out)

    assert (first["done"], first["kept"], first["failed"]) == (2, 0, 0)
    assert (second["done"], second["kept"]) == (2, 2)
    assert "dashboard: http://127.0.0.1:" in error
    assert Path(first["summary"]).is_file()
    assert {row["bundle"] for row in rows(tmp_path / "out")} == {"tiny"}


def test_a_scheduler_that_does_not_answer_is_named(archive, tmp_path, capsys):
    assert main(["archive", str(archive), str(tmp_path / "out"), "--scheduler", "nonsense"]) == 3
    assert "The scheduler nonsense does not answer" in capsys.readouterr().err


@pytest.mark.parametrize(("memory", "why"), [("8", "8 bytes"), ("150MB", "too little"), ("plenty", "no size")])
def test_too_little_memory_for_any_scan_is_refused_as_no_worker_could_start(memory, why, archive, tmp_path, capsys):
    assert main(["archive", str(archive), str(tmp_path / "out"), "--workers", "1", "--memory", memory]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert why in line and "give it as 8GB" in line


class WorkerThatNeverBegins(Here):
    """Loses every case before anything of it ran, as a worker does that dies at an import."""

    def run(self, task, items, *arguments, again):
        for item in items:
            while again(item):
                self.did.append(item.source)
                assert len(self.did) < 100
            yield item, RuntimeError("the worker died")


def test_a_worker_that_dies_as_it_starts_is_not_tried_for_ever(archive, tmp_path):
    here = WorkerThatNeverBegins()
    outcome = run_archive(archive, tmp_path / "out", here)
    assert len(here.did) == 2 * MAX_ATTEMPTS
    assert all("could not begin" in record["error"] for record in outcome.records)


def test_a_run_that_ends_between_files_and_record_leaves_no_record_of_others(archive, tmp_path, monkeypatch):
    out = tmp_path / "out"
    did(archive, out)
    with monkeypatch.context() as patch:  # as if another model's run were killed once the files are in place
        patch.setattr("LiverLesionCascadeLib.archive.run.write_record", lambda *_: None)
        did(archive, out, model="another")
    assert did(archive, out) == ["a.nii.gz", "b.nii.gz"]


def test_a_worker_without_the_output_folder_says_so(archive, tmp_path):
    from LiverLesionCascadeLib.archive.discovery import find_entries

    record = run_phantom_case(find_entries(archive)[0], settings_for(tmp_path / "elsewhere"))
    assert record["state"] == FAILED
    assert "under the same path" in record["error"]
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("kind", BAD_FILES)
def test_every_kind_of_bad_file_is_one_line_with_its_reason(kind, tmp_path):
    name, write, words = BAD_FILES[kind]
    archive = write_scans(tmp_path / "in", "good")
    (archive / "sub").mkdir()
    write(archive / "sub" / name)

    run_archive(archive, tmp_path / "out", Here())

    found = {row["source"]: row for row in rows(tmp_path / "out")}
    assert list(found) == ["good.nii.gz", f"sub/{name}"]
    assert found["good.nii.gz"]["state"] == DONE
    bad = found[f"sub/{name}"]
    assert bad["state"] == (LEFT_OUT if name == "a.txt" else FAILED)
    assert any(word in bad["error"] for word in [*words.split("|"), "neither an image"]), bad["error"]
    assert "\n" not in bad["error"] and "Unexpected" not in bad["error"]


def test_a_dicom_series_with_a_missing_slice_and_one_cut_off_are_one_line_each(tmp_path):
    archive = write_scans(tmp_path / "in", "good")
    write_series(archive / "missing", body_phantom())
    sorted((archive / "missing").iterdir())[10].unlink()
    write_series(archive / "cut", body_phantom() + 1, "1.2.7")
    cut = sorted((archive / "cut").iterdir())[7]
    cut.write_bytes(cut.read_bytes()[:300])

    run_archive(archive, tmp_path / "out", Here())

    states = {row["source"].split(",")[0]: row for row in rows(tmp_path / "out")}
    assert list(states) == ["cut", "good.nii.gz", "missing"]
    assert states["good.nii.gz"]["state"] == DONE
    assert cut.name in states["cut"]["error"]
    assert "missing" in states["missing"]["error"]


def test_a_worker_loads_the_bundle_once_and_its_files_are_those_of_segment(archive, tmp_path, monkeypatch):
    bundle = write_tiny_bundle(tmp_path / "bundle")
    loaded = []
    load = ModelBundle.load
    monkeypatch.setattr(ModelBundle, "load", lambda folder: loaded.append(folder) or load(folder))
    case_run.segmenter_of_process.cache_clear()
    monkeypatch.setattr(archive_tasks, "run_phantom_case", case_run.run_case)
    model = model_identity(load(bundle))

    run_archive(archive, tmp_path / "out", Here(), bundle=str(bundle), model=model)
    case_run.segmenter_of_process.cache_clear()

    assert len(loaded) == 1
    (case,) = (tmp_path / "out" / "cases").glob("a-*")
    scan = str(archive / "a.nii.gz")
    assert main(["segment", scan, "-o", str(tmp_path / "one"), "--bundle", str(bundle), "--device", "cpu", "-q"]) == 0
    alone = {path.name: path for path in (tmp_path / "one").iterdir()}
    assert sorted([*alone, "key-image.jpg"]) == sorted(path.name for path in case.iterdir())
    for name in ("segmentation.seg.nrrd", "lesions.csv"):
        assert (case / name).read_bytes() == alone[name].read_bytes()


def test_what_is_no_archive_leaves_no_folder_behind(tmp_path, capsys):
    assert main(["archive", str(tmp_path / "gone"), str(tmp_path / "out")]) == 3
    assert "is no archive" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
