"""Every kind of bad input through the command as a user runs it: one clear line, an exit code, nothing left behind."""

import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures.bad_files import BAD_FILES
from fixtures.dicom_files import body_phantom, write_series
from fixtures.phantom import PhantomSegmenter, write_phantom
from LiverLesionCascadeLib.cli import main

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def fails(words: list[object], folder: Path, code: int, capsys: pytest.CaptureFixture[str]) -> str:
    """Run ``segment``, check the exit code, the one line and that nothing appeared in ``folder``; the line."""
    before = tree(folder)
    assert main(["segment", *map(str, words), "-o", str(folder / "new" / "out")], PhantomSegmenter()) == code
    output, error = capsys.readouterr()
    lines = [line for line in error.splitlines() if not line.endswith(" ...")]
    assert output == ""
    assert len(lines) == 1 and lines[0].startswith("error: "), error
    assert tree(folder) == before
    return lines[0]


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_refused_with_its_name_and_the_remedy(kind, tmp_path, capsys):
    name, write, words = BAD_FILES[kind]
    folder = tmp_path / "Mit Leerzeichen & Ümläuten"
    folder.mkdir()
    write(folder / name)

    line = fails([folder / name], tmp_path, 3, capsys)

    assert name.split(".")[0] in line.split(" ")[1]
    assert any(word in line for word in words.split("|")), line
    assert line.rstrip(".").count(". ") >= 1 or ":" in line.removeprefix("error:"), f"no remedy: {line}"


def test_an_absent_input_is_refused(tmp_path, capsys):
    assert "does not exist" in fails([tmp_path / "nö such.nii"], tmp_path, 3, capsys)


TOO_LONG = "a" * 300  # as EACCES, the system raises it for every look at the path


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["segment", TOO_LONG + ".nii.gz", "-o", "out"], 3),
        (["segment", "scan.nii.gz", "-o", TOO_LONG], 5),
        (["segment", "scan.nii.gz", "-o", "out", "--bundle", TOO_LONG], 4),
        (["archive", TOO_LONG, "out"], 3),
        (["view", TOO_LONG], 3),
        (["sample", "-o", TOO_LONG], 5),
        (["train", TOO_LONG, "-o", "out"], 3),
        (["evaluate", TOO_LONG], 3),
        (["prepare", TOO_LONG, "-o", "out"], 3),
    ],
)
def test_a_path_that_the_system_refuses_is_named_with_the_exit_code_of_what_it_is(
    words, code, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("LiverLesionCascadeLib.sample.fetch_wheel", lambda python: tmp_path)
    monkeypatch.setattr("LiverLesionCascadeLib.sample.read_wheel", lambda wheel: (None, None))
    write_phantom(tmp_path / "scan.nii.gz")
    assert main(words) == code
    error = capsys.readouterr().err
    assert TOO_LONG in error and "Unexpected" not in error


@pytest.mark.skipif(os.name == "nt", reason="has no pipes with a name")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path, capsys):
    os.mkfifo(tmp_path / "scan.nii.gz")
    assert "pipe" in fails([tmp_path / "scan.nii.gz"], tmp_path, 3, capsys)


def test_an_empty_dicom_folder_is_refused(tmp_path, capsys):
    (tmp_path / "leer").mkdir()
    assert "leer" in fails([tmp_path / "leer"], tmp_path, 3, capsys)


def test_a_folder_with_several_ct_series_is_refused_with_the_list_of_them(tmp_path, capsys):
    uids = [
        write_series(tmp_path / "dicom", body_phantom(), SeriesNumber=n, SeriesDescription=name)
        for n, name in ((2, "Arterial"), (3, "Portal venous"))
    ]
    line = fails([tmp_path / "dicom"], tmp_path, 3, capsys)
    assert "Arterial" in line and "Portal venous" in line
    assert all(uid in line for uid in uids), "the UIDs are what --series needs"


def test_one_of_several_series_can_be_chosen_and_the_report_says_which(tmp_path, capsys):
    write_series(tmp_path / "dicom", body_phantom(), SeriesNumber=2, SeriesDescription="Arterial")
    uid = write_series(tmp_path / "dicom", body_phantom(), SeriesNumber=3, SeriesDescription="Portal venous")
    code = main(
        ["segment", str(tmp_path / "dicom"), "--series", uid, "-o", str(tmp_path / "out"), "--json"], PhantomSegmenter()
    )
    assert code == 0
    assert "Portal venous" in json.loads(capsys.readouterr().out)["findings"][0]["message"]
    assert "Portal venous" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_a_dicom_series_with_a_missing_slice_is_refused(tmp_path, capsys):
    write_series(tmp_path / "dicom", body_phantom())
    sorted((tmp_path / "dicom").iterdir())[10].unlink()
    assert "missing" in fails([tmp_path / "dicom"], tmp_path, 3, capsys)


def test_an_output_that_is_a_file_or_lies_under_one_is_found_before_the_run(tmp_path, capsys):
    scan = write_phantom(tmp_path / "scan.nii.gz")
    (tmp_path / "file").write_text("mine")
    for output in (tmp_path / "file", tmp_path / "file" / "below"):
        segmenter = PhantomSegmenter()
        assert main(["segment", str(scan), "-o", str(output), "-q"], segmenter) == 5
        assert segmenter.preset is None
        error = capsys.readouterr().err
        assert error.startswith("error: ") and error.count("\n") == 1 and "choose another folder" in error
    assert tree(tmp_path) == ["file", "scan.nii.gz"]
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_without_write_permission_is_found_before_the_run(tmp_path, capsys, monkeypatch):
    scan = write_phantom(tmp_path / "scan.nii.gz")

    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")  # a real one would not stop an administrator's test run

    monkeypatch.setattr("tempfile.mkdtemp", refused)
    segmenter = PhantomSegmenter()
    assert main(["segment", str(scan), "-o", str(tmp_path / "a" / "out"), "-q"], segmenter) == 5
    assert "Permission denied" in capsys.readouterr().err and segmenter.preset is None
    assert tree(tmp_path) == ["scan.nii.gz"]


# Bundles: through the real loader, in a process of its own.


def metadata(weights: bytes, **changes: object) -> dict[str, object]:
    return {
        "format": 1,
        "name": "test",
        "version": "1",
        "network": {"architecture": "table1", "width": 0.125, "input_channels": 3},
        "window_hu": [0, 160],
        "liver_pass": {"size": 128, "pixel_mm": None, "threshold": 0.5},
        "lesion_pass": {
            "size": 128,
            "margin": 0.16,
            "iterations": 1,
            "liver_threshold": 0.5,
            "lesion_threshold": 0.5,
        },
        "weights": {"file": "weights.pt", "sha256": hashlib.sha256(weights).hexdigest()},
    } | changes


class _Payload:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return open, (str(self.target), "w")


def pickled_payload(target: Path) -> bytes:
    """Weights as torch writes them, in which a pickle makes a file when it is loaded without care."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(_Payload(target), protocol=2))
        archive.writestr("archive/byteorder", "little")
        archive.writestr("archive/version", "3\n")
    return buffer.getvalue()


def write_bundle(folder: Path, weights: bytes, written: bytes | None = None, **changes: object) -> Path:
    folder.mkdir()
    (folder / "weights.pt").write_bytes(weights if written is None else written)
    (folder / "metadata.json").write_text(json.dumps(metadata(weights, **changes)))
    return folder


def segment_with_bundle(folder: Path, bundle: Path, *words: str) -> subprocess.CompletedProcess[str]:
    scan = write_phantom(folder / "scan.nii.gz")
    before = tree(folder)
    command = [sys.executable, "-m", "LiverLesionCascadeLib.cli", "segment", str(scan), "-q", "-o", str(folder / "out")]
    done = subprocess.run(
        [*command, "--bundle", str(bundle), *words], capture_output=True, env=ENVIRONMENT, encoding="utf-8"
    )
    assert tree(folder) == before
    assert done.stdout == ""
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1, done.stderr
    return done


def test_a_bundle_whose_hash_is_wrong_is_refused(tmp_path):
    bundle = write_bundle(tmp_path / "bundle", b"good weights", written=b"bad weights!")
    done = segment_with_bundle(tmp_path, bundle)
    assert done.returncode == 4
    assert "SHA-256" in done.stderr and "bundle again" in done.stderr


def test_a_bundle_with_a_pickled_payload_is_refused_and_the_payload_not_run(tmp_path):
    target = tmp_path / "owned"
    bundle = write_bundle(tmp_path / "bundle", pickled_payload(target))
    done = segment_with_bundle(tmp_path, bundle)
    assert done.returncode == 4
    assert "do not use this bundle" in done.stderr
    assert not target.exists()


def test_a_folder_that_is_no_bundle_is_refused(tmp_path):
    done = segment_with_bundle(tmp_path, tmp_path)
    assert done.returncode == 4 and "metadata.json" in done.stderr


def test_an_unknown_device_is_refused(tmp_path):
    from LiverLesionCascadeLib.engine.model.bundle import save_bundle
    from LiverLesionCascadeLib.engine.model.network import CascadeResNet

    networks = {"liver": CascadeResNet(0.125), "lesion": CascadeResNet(0.125)}
    save_bundle(tmp_path / "bundle", networks, metadata(b""))
    done = segment_with_bundle(tmp_path, tmp_path / "bundle", "--device", "abacus")
    assert done.returncode == 6
    assert "abacus" in done.stderr and "cpu" in done.stderr
