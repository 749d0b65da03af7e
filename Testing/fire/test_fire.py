"""The cut of ``make fire`` that every change must pass: in a process of its own, which forks its children."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("resource", reason="processes are limited and forked")


@pytest.mark.parametrize(("name", "part"), [("fuzz", 0.005)])
def test_nothing_is_found_under_fire(name, part):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "fire", name, "--part", str(part)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr[-5000:]
