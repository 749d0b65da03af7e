"""``evaluate --scheduler``: the figures of a plain evaluation, and cases that fail are named and left out."""

import json
from contextlib import contextmanager

import pytest
from distributed import LocalCluster
from distributed.scheduler import KilledWorker
from fixtures.lits_phantoms import write_lits_folders
from fixtures.small_bundle import write_tiny_bundle
from LiverLesionCascadeLib.archive import cluster
from LiverLesionCascadeLib.cli import main
from LiverLesionCascadeTrainingLib.evaluation.evaluation_task import Measured


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

    assert by_workers == plain and plain["failures"] == {}
    assert len(plain["Preset fast"]["cases"]) == 5
    assert [case["name"] for case in failing["Preset fast"]["cases"]] == ["1", "3", "4", "5"]
    assert list(failing["failures"]) == ["2"] and "0 bytes" in failing["failures"]["2"]


def test_a_case_that_ends_its_worker_fails_with_a_reason_that_people_understand(monkeypatch, tmp_path, capsys):
    class Cluster:
        def run(self, task, cases, *arguments):
            yield cases[1], KilledWorker("task", None, 3)
            yield from ((case, Measured(error="Another reason.")) for case in (cases[0], *cases[2:]))

    @contextmanager
    def workers(scheduler):
        yield Cluster()

    monkeypatch.setattr(cluster, "workers", workers)
    train, _ = write_lits_folders(tmp_path / "data")
    bundle = write_tiny_bundle(tmp_path / "bundle")
    assert main(["evaluate", str(train), "--bundle", str(bundle), "--json", "--scheduler", "tcp://host:8786"]) == 3
    failures = json.loads(capsys.readouterr().out)["failures"]
    assert failures.pop("2") == "Its worker was killed or crashed, as when a computer runs out of memory."
    assert set(failures.values()) == {"Another reason."}
