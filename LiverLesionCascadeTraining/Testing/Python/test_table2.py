"""The command ``table2``: from folders to the table, what is kept between runs, and what the figures mean."""

import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from fixtures.lits_phantoms import phantom_case, write_case, write_lits_folders
from fixtures.tiny_recipe import tiny_recipe
from LiverLesionCascadeLib.cli import main
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeTrainingLib import recipes
from LiverLesionCascadeTrainingLib.layouts.lits import find_lits
from LiverLesionCascadeTrainingLib.studies.table2 import PAPER, WHOLE, Row, data_folders, measure
from LiverLesionCascadeTrainingLib.studies.table2_figure import telling_slices
from LiverLesionCascadeTrainingLib.studies.table2_report import case_table, main_table, mean_of, table_csv

ROWS = 9


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder D with five training cases and two of other patients, one of them without lesions."""
    folder = tmp_path_factory.mktemp("D")
    _, validation = write_lits_folders(folder / "lits")
    write_case(validation, "10", *phantom_case(10, lesion=False))
    return folder


def table2(data, run, *more) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(recipes.RECIPES, "compact", tiny_recipe(2))
        return main(["table2", "--data", str(data), "-o", str(run), "--device", "cpu", *map(str, more)])


@pytest.fixture(scope="module")
def run(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("run") / "run"
    assert table2(data, folder) == 0
    return folder


def test_one_command_trains_and_measures_all_rows_with_the_paper_s_figures_beside_them(run) -> None:
    with (run / "results" / "table2.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == ROWS * 3
    means = [line for line in lines if line["case"] == "mean"]
    assert [line["method"] for line in means[:5]] == list(PAPER) and means[2]["sees"] == WHOLE
    assert [line["method"] for line in means[5:8]] == list(PAPER)[2:] and means[5]["sees"] == "liver's box"
    assert means[3]["paper_lesion_dice"] == "0.3165"
    assert all(0 <= float(line["liver_dice"]) <= 1 for line in lines)
    text = (run / "results" / "table2.md").read_text(encoding="utf-8")
    assert "91.96" in text and "38.79" in text and "2 whole scans" in text and "1 have lesions" in text
    assert (run / "results" / "table2.png").read_bytes().startswith(b"\x89PNG")


def test_a_second_run_trains_and_measures_nothing_again(run, data, capsys) -> None:
    kept = {path: path.stat().st_mtime_ns for path in run.glob("*/last.pt")}
    assert len(kept) == 7
    capsys.readouterr()
    assert table2(data, run) == 0
    assert "case" not in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in run.glob("*/last.pt")} == kept


def test_denormal_numbers_are_back_when_distances_are_measured(run, data) -> None:
    # Training flushes them to zero; scipy's trees then recurse until the process dies.
    torch.set_flush_denormal(True)
    assert table2(data, run) == 0
    assert torch.tensor([1e-40]).mul(1).item() > 0


def test_with_a_bundle_the_product_s_networks_are_not_trained(run, data, tmp_path) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(run / "bundle", bundle)
    again = tmp_path / "run"
    assert table2(data, again, "--bundle", bundle) == 0
    assert sorted(path.parent.name for path in again.glob("*/last.pt")) == ["liver", "vgg-fcn", "whole-cascade"]


def test_a_picture_of_another_scan_can_be_asked_for_and_its_figure_goes_where_it_is_told(run, data, tmp_path) -> None:
    val = data / "lits" / "val"
    results = tmp_path / "results"
    picture = val / "volume-10.nii.gz", val / "segmentation-10.nii.gz"
    assert table2(data, run, "--results", results, "--picture", *picture) == 0
    assert sorted(path.name for path in results.iterdir()) == ["table2.csv", "table2.md", "table2.png"]
    assert (results / "table2.png").read_bytes() != (run / "results" / "table2.png").read_bytes()


def constant_row(key: str, weights, calls: list[str]) -> Row:
    def segment(ct):
        calls.append(key)
        return np.ones(ct.hu.shape, bool), np.zeros(ct.hu.shape, bool)

    return Row(key, "VGG-FCN", WHOLE, (weights,), segment)


def test_what_was_measured_is_kept_until_the_networks_the_case_or_the_measures_change(
    data, tmp_path, monkeypatch
) -> None:
    weights = tmp_path / "last.pt"
    weights.write_bytes(b"1")
    cases, calls = find_lits(data / "lits" / "val").cases, []
    rows = [constant_row("a", weights, calls)]
    first = measure(rows, cases, tmp_path / "results", print)
    assert len(calls) == 2
    assert measure(rows, cases, tmp_path / "results", print) == first and len(calls) == 2
    (tmp_path / "results" / "a" / "9.json").unlink()
    assert len(measure(rows, cases, tmp_path / "results", print)["a"]) == 2 and len(calls) == 3
    weights.write_bytes(b"22")
    measure(rows, cases, tmp_path / "results", print)
    assert len(calls) == 5
    measure([replace(rows[0], model="with another filter")], cases, tmp_path / "results", print)
    assert len(calls) == 7
    write_case(tmp_path / "val", "9", *phantom_case(11))
    measure(
        [replace(rows[0], model="with another filter")], find_lits(tmp_path / "val").cases, tmp_path / "results", print
    )
    assert len(calls) == 8, "the reference was corrected"
    calls.clear()
    measure(rows, cases, tmp_path / "results", print)
    assert calls == ["a"] * 2
    calls[:] = ["a"] * 5
    monkeypatch.setattr("LiverLesionCascadeTrainingLib.studies.table2.MEASURES", 1_000_000)
    measure(rows, cases, tmp_path / "results", print)
    assert len(calls) == 7


def case(name: str, liver: float, lesion: float | None, false: int = 0, known: bool = True) -> dict:
    return {
        "name": name,
        "liver": {"dice": liver, "jaccard": liver / (2 - liver)},
        "lesion": {"dice": lesion or 0.0, "jaccard": 0.0},
        "has_lesions": lesion is not None,
        "lesions_known": known,
        "lesions": {"touched": {"all": {"predicted": false + 2, "correct": 2}}},
        "seconds": 2.0,
    }


def test_lesion_means_leave_out_scans_without_lesions_and_say_what_was_found_there() -> None:
    measured = {"a": [case("1", 0.9, 0.5), case("2", 0.8, None, false=3), case("3", 0.7, 0.0, false=1)]}
    assert mean_of(measured["a"], "lesion", "dice") == pytest.approx(0.25)
    assert mean_of(measured["a"], "liver", "dice") == pytest.approx(0.8)
    assert mean_of([case("2", 0.8, None)], "lesion", "dice") is None
    rows = [Row("a", "ResNet", WHOLE, (), lambda ct: (ct.hu, ct.hu))]
    cells = [cell.strip() for cell in main_table(rows, measured).splitlines()[2].strip("|").split("|")]
    assert cells[:6] == ["ResNet", WHOLE, "80.00", "95.27", "25.00", "48.50"]
    cells = [cell.strip() for cell in case_table(rows, measured).splitlines()[2].strip("|").split("|")]
    assert cells == ["ResNet", WHOLE, "50.00", "3 false", "0.00", "1.3", "2"]
    lines = list(csv.DictReader(table_csv(rows, measured).splitlines()))
    assert [line["lesion_dice"] for line in lines] == ["0.5000", "", "0.0000", "0.2500"]


def test_scans_whose_lesions_nobody_labelled_count_for_no_false_lesion() -> None:
    rows = [Row("a", "ResNet", WHOLE, (), lambda ct: (ct.hu, ct.hu))]
    measured = {"a": [case("1", 0.9, 0.5, false=3), case("2", 0.8, None, known=False)]}
    cells = [cell.strip() for cell in case_table(rows, measured).splitlines()[2].strip("|").split("|")]
    assert cells == ["ResNet", WHOLE, "50.00", "-", "3.0", "2"]
    lines = list(csv.DictReader(table_csv(rows, measured).splitlines()))
    assert [line["false_lesions"] for line in lines] == ["3", "", "3.00"]
    assert "-" in case_table(rows, {"a": measured["a"][1:]})


def test_the_figure_shows_the_slices_with_most_lesion_of_each_part() -> None:
    lesions = np.zeros((12, 8, 8), bool)
    for index, size in ((2, 1), (3, 3), (5, 2), (8, 5), (9, 1)):
        lesions[index, :size] = True
    assert telling_slices(lesions, 2) == [3, 8]
    assert telling_slices(lesions, 20) == [2, 3, 5, 8, 9]
    assert telling_slices(np.zeros((3, 4, 4), bool), 2) == []


def test_data_may_lie_in_lits_or_in_the_folder_itself(data, tmp_path) -> None:
    lits = data / "lits"
    assert data_folders(data) == data_folders(lits) == ([lits / "train"], [lits / "val"])
    (tmp_path / "train").mkdir()
    with pytest.raises(InputError, match="prepare"):
        data_folders(tmp_path)


def test_data_of_single_slices_only_are_refused(data, tmp_path, capsys) -> None:
    shutil.copytree(data, tmp_path / "D")
    described = tmp_path / "D" / "lits" / "dataset.json"
    sparse = {name: {"slice_index": [0]} for name in ("9", "10")}
    described.write_text(json.dumps(json.loads(described.read_text()) | sparse))
    assert table2(tmp_path / "D", tmp_path / "run") == 3
    assert "single slices" in capsys.readouterr().err
