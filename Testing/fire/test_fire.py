"""The cut of ``make fire`` that every change must pass: in a process of its own, which forks its children."""

import os
import shutil
import subprocess
import sys

import pytest

pytest.importorskip("resource", reason="processes are limited and forked")

from .files.full_disk import NO_DISKS

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="a library is made that lets files fail")


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("fuzz", ["--share", "0.005"]),
        pytest.param("faults", ["--share", "0.01", "--only", "reports of the panel"], marks=needs_compiler),
        pytest.param("kills", ["--share", "0.01", "--only", "segment"], marks=needs_compiler),
        ("full", ["--share", "0.3", "--only", "segment over an earlier result"]),
        ("soak", ["--share", "0.004", "--only", "cycles"]),
        ("load", ["--share", "0.01", "--only", "workers killed"]),
    ],
)
def test_nothing_is_found_under_fire(name, more):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "fire", name, *more]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1800)
    if NO_DISKS in done.stderr and name == "full":
        pytest.skip(NO_DISKS)
    assert done.returncode == 0, done.stdout + done.stderr[-5000:]
