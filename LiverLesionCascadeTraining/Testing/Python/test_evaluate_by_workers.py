"""``evaluate --scheduler``: the figures of a plain evaluation, and cases that fail are named and left out."""

import json

import pytest
from distributed import LocalCluster
from lits_phantoms import write_lits_folders
from LiverLesionCascadeLib.cli import main
from small_bundle import write_tiny_bundle


@pytest.fixture(scope="module")
def scheduler():
    with LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster:
        yield cluster.scheduler_address


def test_workers_give_the_figures_of_a_plain_evaluation_and_name_what_fails(scheduler, tmp_path, capsys):
    train, _ = write_lits_folders(tmp_path / "data")
    bundle = write_tiny_bundle(tmp_path / "bundle")
    command = ["evaluate", str(train), "--bundle", str(bundle), "--device", "cpu", "--json"]

    assert main(command) == 0
    plain = json.loads(capsys.readouterr().out)
    assert main([*command, "--scheduler", scheduler]) == 0
    by_workers = json.loads(capsys.readouterr().out)
    (train / "volume-2.nii.gz").write_bytes(b"")
    assert main([*command, "--scheduler", scheduler]) == 3
    failing = json.loads(capsys.readouterr().out)

    assert by_workers == {**plain, "failures": {}}
    assert len(plain["Preset fast"]["cases"]) == 5
    assert [case["name"] for case in failing["Preset fast"]["cases"]] == ["1", "3", "4", "5"]
    assert list(failing["failures"]) == ["2"] and "0 bytes" in failing["failures"]["2"]
