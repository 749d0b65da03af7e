"""``make train-demo`` as a newcomer meets it: a few minutes that end in figures that look like learning."""

import json
from pathlib import Path

from LiverLesionCascadeLib.cli import main
from LiverLesionCascadeLib.sample import fetch_sample
from tools.make_demo_cases import main as make_demo_cases

MAKEFILE = Path(__file__).resolve().parents[1] / "Makefile"


def test_the_demo_learns_liver_and_lesions_of_the_sample(tmp_path, capsys):
    # What the Makefile runs, in a folder of its own.
    recipe = MAKEFILE.read_text(encoding="utf-8").split("\ntrain-demo:")[1].split("\n\n")[0]
    assert "train demo/cases/train --validation demo/cases/val -o demo/run --recipe demo\n" in recipe
    fetch_sample(tmp_path / "sample")
    make_demo_cases(tmp_path / "sample", tmp_path / "cases")
    train, validation, run = (str(tmp_path / part) for part in ("cases/train", "cases/val", "run"))
    assert main(["train", train, "--validation", validation, "-o", run, "--recipe", "demo", "--device", "cpu"]) == 0
    assert (tmp_path / "run" / "curves.svg").stat().st_size > 0
    capsys.readouterr()
    assert main(["evaluate", validation, "--bundle", f"{run}/bundle", "--json", "--device", "cpu"]) == 0
    mean = json.loads(capsys.readouterr().out)["Preset fast"]["mean"]
    assert mean["liver"]["dice"] > 0.8
    assert mean["lesion"]["dice"] > 0.4
