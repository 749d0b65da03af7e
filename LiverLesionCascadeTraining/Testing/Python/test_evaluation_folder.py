"""``evaluate -o``: tables that hold what was measured, and a folder in which the same command goes on."""

import json
import os
import shutil
import sys
from pathlib import Path
from statistics import mean

import pyarrow.parquet as parquet
import pytest
from distributed import LocalCluster
from fixtures.lits_phantoms import phantom_case, write_case, write_lits_folders
from fixtures.small_bundle import write_tiny_bundle
from LiverLesionCascadeLib.archive.archive_folder import run_folder
from LiverLesionCascadeLib.cli import main
from LiverLesionCascadeTrainingLib.evaluation import evaluation_task


@pytest.fixture(scope="module")
def scheduler():
    with LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def cases(tmp_path):
    """Cases 1 to 5; 3 has no lesion."""
    return write_lits_folders(tmp_path / "data")[0]


@pytest.fixture
def bundle(tmp_path):
    return write_tiny_bundle(tmp_path / "bundle")


@pytest.fixture
def measured(monkeypatch):
    """Names of the cases that are measured; found are the reference's liver, half its lesion, and one in a corner."""
    names = []

    def measure(case, preset, segmenter):
        names.append(case.name)
        ct, labels = case.read()
        lesions = labels == 2
        lesions[: len(lesions) // 2] = False
        lesions[0, :4, :4] = True
        return evaluation_task.measure(case, ct, labels > 0, lesions, labels)

    monkeypatch.setattr(evaluation_task, "measure_case", measure)
    return names


def evaluate(cases: Path, bundle: Path, *more: str) -> int:
    return main(["evaluate", str(cases), "--bundle", str(bundle), "--device", "cpu", "--json", *more])


def rows(out: Path, table: str = "cases") -> list[dict]:
    return parquet.read_table(out / f"{table}.parquet").to_pylist()


def test_the_tables_hold_every_case_and_every_lesion_as_they_were_measured(cases, bundle, measured, tmp_path, capsys):
    out = tmp_path / "out"

    assert evaluate(cases, bundle, "-o", str(out)) == 0

    summary = json.loads(capsys.readouterr().out)["Preset fast"]
    found = {row["case"]: row for row in rows(out)}
    assert list(found) == ["1", "2", "3", "4", "5"]
    assert {row["run"] for row in found.values()} == {"Preset fast"}
    printed = summary["cases"][0]
    for region in ("liver", "lesion"):
        for name, value in printed[region].items():
            assert found["1"][f"{region}_{name}"] == value
    counts = printed["lesions"]["touched"]["all"]
    assert [found["1"][name] for name in ("reference_lesions", "found_lesions", "predicted_lesions")] == [
        counts["reference"], counts["found"], counts["predicted"],
    ]  # fmt: skip
    assert [row["false_lesions"] for row in found.values()] == [1] * 5
    assert (found["1"]["bundle"], found["1"]["bundle_version"], found["1"]["preset"]) == ("tiny", "0.1", "fast")
    assert found["1"]["state"] == "done" and found["1"]["error"] is None and found["1"]["seconds"] > 0
    assert [row["patient"] for row in found.values()] == ["p1", "p2", "p3", "g4", "g4"]

    lesions = [row for row in rows(out, "lesions") if row["case"] == "1"]
    assert [(row["role"], row["lesion"]) for row in lesions] == [
        *(("reference", n + 1) for n in range(counts["reference"])),
        *(("predicted", n + 1) for n in range(counts["predicted"])),
    ]
    assert [row["long_axis_mm"] for row in lesions] == [
        *printed["lesions"]["reference_mm"], *printed["lesions"]["predicted_mm"],
    ]  # fmt: skip
    assert [row["found"] for row in lesions if row["role"] == "predicted"].count(False) == 1
    assert all(row["found"] == (row["iou"] > 0) for row in lesions)


def test_means_of_the_columns_are_those_that_are_printed(cases, bundle, measured, tmp_path, capsys):
    assert evaluate(cases, bundle, "-o", str(tmp_path / "out")) == 0
    printed = json.loads(capsys.readouterr().out)["Preset fast"]["mean"]
    table = rows(tmp_path / "out")
    assert mean(row["liver_dice"] for row in table) == pytest.approx(printed["liver"]["dice"])
    dice = [row["lesion_dice"] for row in table if row["lesion_dice"] is not None]
    assert len(dice) == 4 and mean(dice) == pytest.approx(printed["lesion"]["dice"])
    assert [row["lesion_free_score"] for row in table] == [None, None, 0.0, None, None]


def test_the_row_of_a_case_whose_lesions_nobody_labelled_has_no_counts_of_lesions(bundle, measured, tmp_path):
    hu, labels = phantom_case(7, lesion=False)
    write_case(tmp_path / "data", "7", hu, 3 * labels)
    assert evaluate(tmp_path / "data", bundle, "-o", str(tmp_path / "out")) == 0
    (row,) = rows(tmp_path / "out")
    assert row["liver_dice"] > 0.9
    assert {name: row[name] for name in row if name.endswith("_lesions")} == {
        f"{kind}_lesions": None for kind in ("reference", "found", "predicted", "false")
    }


def test_single_slices_are_rows_with_what_can_be_measured_of_them(bundle, measured, tmp_path):
    write_case(tmp_path / "data", "7", *phantom_case(7))
    (tmp_path / "data" / "dataset.json").write_text(json.dumps({"7": {"slice_index": [1]}}))
    for _ in range(2):  # read back from its record too
        assert evaluate(tmp_path / "data", bundle, "-o", str(tmp_path / "out")) == 0
    (row,) = rows(tmp_path / "out")
    assert row["sparse"] and row["slices"] == 12 and 0 < row["lesion_dice"] < 1 and row["liver_dice"] > 0.9
    assert row["liver_assd_mm"] is None and row["reference_lesions"] is None
    assert measured == ["7"] and rows(tmp_path / "out", "lesions") == []


def test_the_same_command_again_measures_nothing_and_says_the_same(cases, bundle, measured, tmp_path, capsys):
    out = tmp_path / "out"
    evaluate(cases, bundle, "-o", str(out))
    first, table = capsys.readouterr().out, rows(out)
    measured.clear()
    assert evaluate(cases, bundle, "-o", str(out), "--device", "auto") == 0
    assert measured == [] and capsys.readouterr().out == first
    assert rows(out) == table


def test_changed_failed_new_and_lost_cases_are_measured_and_no_others(cases, bundle, measured, tmp_path):
    out = tmp_path / "out"
    segmentation = (cases / "segmentation-5.nii.gz").read_bytes()
    (cases / "segmentation-5.nii.gz").write_bytes(b"")
    assert evaluate(cases, bundle, "-o", str(out)) == 3
    measured.clear()
    os.utime(cases / "segmentation-2.nii.gz", ns=(5, 5))
    (cases / "segmentation-5.nii.gz").write_bytes(segmentation)
    write_case(cases, "6", *phantom_case(6))
    (record,) = (out / "records").glob("3-*.json")
    record.write_text("{")

    assert evaluate(cases, bundle, "-o", str(out)) == 0

    assert measured == ["2", "3", "5", "6"]
    assert [(row["case"], row["state"]) for row in rows(out)] == [(str(n), "done") for n in range(1, 7)]


def test_another_bundle_measures_all_again_and_another_preset_once(cases, bundle, measured, tmp_path):
    out = ["-o", str(tmp_path / "out")]
    evaluate(cases, bundle, *out)
    evaluate(cases, bundle, *out, "--preset", "paper")
    evaluate(cases, bundle, *out)
    assert len(measured) == 10
    evaluate(cases, write_tiny_bundle(tmp_path / "next", version="0.2"), *out)
    assert len(measured) == 15
    assert {row["bundle_version"] for row in rows(tmp_path / "out")} == {"0.2"}


def test_prepared_cases_are_measured_again_when_they_were_prepared_again(cases, bundle, measured, tmp_path):
    data, out = tmp_path / "prepared", tmp_path / "out"
    prepare = ["prepare", str(cases), "-o", str(data), "--share", "0.4"]
    assert main(prepare) == 0
    evaluate(data, bundle, "-o", str(out))
    first = list(measured)
    assert first
    evaluate(data, bundle, "-o", str(out))
    assert measured == first
    write_case(cases, first[0], *phantom_case(77))
    assert main(prepare) == 0
    evaluate(data, bundle, "-o", str(out))
    assert measured == [*first, first[0]]


def test_a_failing_case_is_a_row_with_its_reason_and_the_others_are_measured(cases, bundle, measured, tmp_path, capsys):
    (cases / "volume-2.nii.gz").write_bytes(b"")
    os.remove(cases / "volume-4.nii.gz")
    os.symlink(cases / "gone.nii.gz", cases / "volume-4.nii.gz")

    assert evaluate(cases, bundle, "-o", str(tmp_path / "out")) == 3

    table = {row["case"]: row for row in rows(tmp_path / "out")}
    assert [row["state"] for row in table.values()] == ["done", "failed", "done", "failed", "done"]
    assert "0 bytes" in table["2"]["error"] and table["4"]["error"]
    assert table["2"]["liver_dice"] is None and table["2"]["reference_lesions"] is None
    printed = capsys.readouterr()
    assert set(json.loads(printed.out)["failures"]) == {"2", "4"}
    assert "2 of 5 cases failed and are left out, such as case 2:" in printed.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ZeroDivisionError("by an odd scan"), "Unexpected ZeroDivisionError: by an odd scan"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "The computer has too little free memory for"),
    ],
)
def test_an_error_that_no_one_thought_of_is_a_row_too(cases, bundle, monkeypatch, tmp_path, error, said):
    def measure(case, preset, segmenter):
        raise error

    monkeypatch.setattr(evaluation_task, "measure_case", measure)
    assert evaluate(cases, bundle, "-o", str(tmp_path / "out")) == 3
    assert all(row["error"].startswith(said) for row in rows(tmp_path / "out"))


def test_an_interrupted_evaluation_keeps_what_was_measured(cases, bundle, measured, monkeypatch, tmp_path, capsys):
    out, measure = tmp_path / "out", evaluation_task.measure_case

    def interrupted(case, *arguments):
        if case.name == "3":
            raise KeyboardInterrupt
        return measure(case, *arguments)

    monkeypatch.setattr(evaluation_task, "measure_case", interrupted)
    assert evaluate(cases, bundle, "-o", str(out)) == 130
    assert "start the same command again to go on" in capsys.readouterr().err
    assert measured == ["1", "2"] and not (out / "cases.parquet").exists()
    monkeypatch.setattr(evaluation_task, "measure_case", measure)
    assert evaluate(cases, bundle, "-o", str(out)) == 0
    assert measured == ["1", "2", "3", "4", "5"] and len(rows(out)) == 5


def test_compared_runs_are_told_apart_by_a_column_and_one_that_is_the_same_is_measured_once(
    cases, bundle, measured, tmp_path
):
    assert evaluate(cases, bundle, "-o", str(tmp_path / "out"), "--stages") == 0
    table = rows(tmp_path / "out")
    runs = list(dict.fromkeys(row["run"] for row in table))
    assert runs[:2] == ["Preset fast", "Stage 1 alone (liver pass)"] and len(runs) == 5 and len(table) == 25
    assert len(measured) == 20  # the bundle runs the lesion pass twice, as the last stage does


def test_a_second_evaluation_into_the_same_folder_is_refused(cases, bundle, measured, tmp_path, capsys):
    out = tmp_path / "out"
    with run_folder(out, "evaluation", ("records",)):
        assert evaluate(cases, bundle, "-o", str(out)) == 5
    assert f"Another run is writing to {out}" in capsys.readouterr().err and measured == []
    assert evaluate(cases, bundle, "-o", str(out)) == 0


def test_the_folder_of_an_archive_or_with_other_files_is_refused(cases, bundle, measured, tmp_path, capsys):
    with run_folder(tmp_path / "archive"):
        pass
    for folder in (tmp_path / "archive", cases):
        assert evaluate(cases, bundle, "-o", str(folder)) == 5
        assert "or that of an earlier evaluation" in capsys.readouterr().err
    assert measured == []


def test_without_the_package_for_tables_nothing_is_measured(cases, bundle, measured, monkeypatch, tmp_path, capsys):
    for name in [name for name in sys.modules if name.split(".")[0] == "pyarrow" or name.endswith("_tables")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "LiverLesionCascadeLib.archive.tables", raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert evaluate(cases, bundle, "-o", str(tmp_path / "out")) == 1
    assert "pip install -e '.[archive]'" in capsys.readouterr().err
    assert measured == [] and evaluate(cases, bundle) == 0


def test_workers_give_the_tables_of_a_plain_evaluation_and_go_on(scheduler, cases, bundle, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    shutil.copy(cases / "volume-1.nii.gz", tmp_path)
    (cases / "volume-1.nii.gz").write_bytes(b"")
    for out, more in ((here, []), (there, ["--scheduler", scheduler])):
        assert evaluate(cases, bundle, "-o", str(out), *more) == 3

    def timeless(out, table):
        return [row | {"seconds": None, "finished": None} for row in rows(out, table)]

    assert timeless(there, "cases") == timeless(here, "cases") and timeless(there, "lesions") == timeless(
        here, "lesions"
    )
    records = {path.name: path.stat().st_mtime_ns for path in (there / "records").iterdir()}
    shutil.copy(tmp_path / "volume-1.nii.gz", cases)
    assert evaluate(cases, bundle, "-o", str(there), "--scheduler", scheduler) == 0
    assert [row["state"] for row in rows(there)] == ["done"] * 5
    changed = [path.name for path in (there / "records").iterdir() if path.stat().st_mtime_ns != records[path.name]]
    assert [name.split("-")[0] for name in changed] == ["1"]
