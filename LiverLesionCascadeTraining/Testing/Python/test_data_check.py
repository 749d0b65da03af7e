"""The check of a training's cases that runs in a process of its own."""

import json

import pytest
from fixtures.lits_phantoms import write_lits_folders
from LiverLesionCascadeTrainingLib.datasets import data_check
from LiverLesionCascadeTrainingLib.datasets.data_check import DataCheck, check, main


@pytest.fixture(scope="module")
def lits(tmp_path_factory):
    return [str(folder) for folder in write_lits_folders(tmp_path_factory.mktemp("lits"))]


def test_the_answer_is_one_line_of_json_and_each_case_is_said_beside_it(lits, tmp_path, capsys):
    assert main([*lits, str(tmp_path)]) == 0
    said = capsys.readouterr()
    (line,) = said.out.splitlines()
    answer = DataCheck(**json.loads(line))
    assert not answer.problems and answer.prepared == str(tmp_path / "data")
    assert "train: " in answer.text and "validation: " in answer.text
    cases = [each.split() for each in said.err.splitlines()]
    assert [number for number, _ in cases] == [f"{n + 1}/{len(cases)}" for n in range(len(cases))]
    assert len({name for _, name in cases}) == len(cases) > 1


def test_its_words_are_those_of_the_command_line_unless_given(lits, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(data_check.sys, "argv", ["data_check", *lits, str(tmp_path)])
    assert main() == 0
    assert DataCheck(**json.loads(capsys.readouterr().out)).text


def test_without_validation_cases_patients_are_drawn_for_it(lits, tmp_path):
    both = check(*lits, str(tmp_path / "both")).text
    drawn = check(lits[0], "", str(tmp_path / "drawn")).text
    count = [next(line for line in text.splitlines() if line.startswith("train: ")) for text in (both, drawn)]
    assert "validation: " in drawn and count[0] != count[1], "the training cases became fewer"


def test_a_folder_that_is_not_there_is_a_problem_and_no_error(tmp_path):
    assert "does not exist" in check(str(tmp_path / "missing"), "", str(tmp_path / "run")).problems[0]
