"""The folder through which volumes and results go: complete, private, and gone afterwards."""

import os
import stat
import subprocess
import sys
import tempfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from LiverLesionCascadeLib.engine.results.postprocessing import PostProcessing
from LiverLesionCascadeLib.engine.run_options import RunOptions
from LiverLesionCascadeLib.worker import exchange_folder
from LiverLesionCascadeLib.worker.exchange_folder import (
    ExchangeFolder,
    read_volume,
    remove_abandoned,
    slabs,
    write_volume,
)
from LiverLesionCascadeLib.worker.submitted_run import VolumeData


@given(arrays.arrays(np.int16, arrays.array_shapes(min_dims=3, max_dims=3, max_side=7)), st.integers(1, 300))
def test_slabs_make_up_the_array_and_none_is_larger_than_allowed(array, limit):
    for view in (array, array.transpose(2, 0, 1)[::-1]):
        parts = list(slabs(view, limit))
        assert b"".join(part.tobytes() for part in parts) == view.tobytes()
        assert all(part.nbytes <= limit or part.size == 1 for part in parts)


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.int32, np.float32, np.float64, ">i2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_volume_read_is_the_one_written_whatever_its_memory_looks_like(tmp_path, dtype, order):
    array = np.asarray(np.arange(4 * 5 * 6).reshape(4, 5, 6) - 60, order=order).astype(dtype)
    matrix = np.diag([0.7, -0.9, 2.5, 1.0])
    options = RunOptions("paper", "cuda:1", "/Modelle/größer", True, True, PostProcessing.paper(), True)
    for _ in write_volume(tmp_path / "run", VolumeData(array, matrix, "Bauch \u809d"), options):
        pass
    volume, read = read_volume(tmp_path / "run")
    np.testing.assert_array_equal(volume.array, array)
    assert volume.array.dtype == array.dtype
    np.testing.assert_array_equal(volume.ijk_to_lps, matrix)
    assert (volume.name, read) == ("Bauch \u809d", options)


def test_a_large_volume_is_written_in_steps_of_at_most_16_megabytes(tmp_path):
    array = np.zeros((90, 512, 512), np.int16)
    steps = 0
    written = 0
    for _ in write_volume(tmp_path / "run", VolumeData(array, np.eye(4), ""), RunOptions()):
        size = (tmp_path / "run" / "volume.npy").stat().st_size
        assert size - written <= 16_100_000
        written = size
        steps += 1
    assert steps == 3


def test_nobody_else_can_read_the_folder(tmp_path):
    folder = ExchangeFolder(tmp_path / "made on the way")
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    folder.remove()
    assert list((tmp_path / "made on the way").iterdir()) == []


def test_only_folders_whose_owner_is_gone_are_removed(tmp_path):
    owner = (
        f"import sys; sys.path.insert(0, {os.fspath(package_root())!r})\n"
        "from pathlib import Path\n"
        "from LiverLesionCascadeLib.worker.exchange_folder import ExchangeFolder\n"
        f"folder = ExchangeFolder(Path({os.fspath(tmp_path)!r}))\n"
        "folder.run_folder(1).mkdir()\n"
        "(folder.run_folder(1) / 'volume.npy').write_bytes(b'a patient')\n"
        "print(folder.path, flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", owner], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    others = process.stdout.readline().strip()
    own = ExchangeFolder(tmp_path)
    (tmp_path / "LiverLesionCascade-of-somebody").mkdir()
    (tmp_path / "LiverLesionCascade-of-somebody" / "notes.txt").touch()
    (tmp_path / "LiverLesionCascade-killed-before-the-lock").mkdir()
    (tmp_path / "unrelated").mkdir()
    kept = {own.path.name, "LiverLesionCascade-of-somebody", "unrelated"}
    remove_abandoned(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept | {os.path.basename(others)}
    process.kill()
    process.communicate()
    remove_abandoned(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept
    own.remove()


@pytest.mark.parametrize("with_lock", [False, True])
def test_a_folder_that_is_taken_for_abandoned_while_it_is_made_is_made_again(tmp_path, monkeypatch, with_lock):
    made = []
    lock = exchange_folder._try_lock

    def tidied_up(*_):
        if len(made) == 1:
            remove_abandoned(tmp_path)
            assert not made[0].exists()

    def mkdtemp(**options):
        made.append(tmp_path / f"{options['prefix']}{len(made)}")
        made[-1].mkdir()
        if not with_lock:
            tidied_up()
        return made[-1]

    def try_lock(file):
        if with_lock and len(made) == 1:
            monkeypatch.setattr(exchange_folder, "_try_lock", lock)
            tidied_up()
        return lock(file)

    monkeypatch.setattr(tempfile, "mkdtemp", mkdtemp)
    monkeypatch.setattr(exchange_folder, "_try_lock", try_lock)
    folder = ExchangeFolder(tmp_path)
    assert len(made) == 2 and list(tmp_path.iterdir()) == [folder.path]
    remove_abandoned(tmp_path)
    assert list(tmp_path.iterdir()) == [folder.path]
    folder.remove()


def package_root():
    from LiverLesionCascadeLib import __file__ as package

    return os.path.dirname(os.path.dirname(package))
