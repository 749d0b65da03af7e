"""The sample CT: fetched once, checked, and nothing left behind where that fails."""

import hashlib
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from LiverLesionCascadeLib import sample
from LiverLesionCascadeLib.cli import main
from LiverLesionCascadeLib.engine.errors import InputError, OutputError
from LiverLesionCascadeLib.sample import fetch_sample, fetch_wheel, parse_mrc


def mrc(array: np.ndarray, mode: int) -> bytes:
    """An MRC file of an array (section, row, column)."""
    header = bytearray(1024)
    struct.pack_into("<4i", header, 0, *array.shape[::-1], mode)
    header[208:212] = b"MAP "
    return bytes(header) + array.tobytes()


def x_y_z() -> np.ndarray:
    """Values that tell their place: (x to the left, y to the back, z to the head), as in the package."""
    x, y, z = np.indices((4, 5, 6))
    return (100 * x + 10 * y + z + 0.25).astype("<f4")


def write_wheel(path: Path) -> bytes:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(sample.IMAGE_MEMBER, mrc(x_y_z(), 2))
        archive.writestr(sample.LABEL_MEMBER, mrc((x_y_z() % 3).astype("<u2"), 6))
        archive.writestr("liver_ct_segmentation_package/__init__.py", "raise SystemExit('imported')")
    return path.read_bytes()


class Pip:
    """Stands in for pip: puts a wheel into the folder it is told, or fails."""

    def __init__(self, wheel: bytes | None, output: str = "") -> None:
        self.wheel, self.output = wheel, output
        self.calls: list[list[str]] = []

    def __call__(self, arguments: list[str], python: str) -> tuple[int, str]:
        self.calls.append(arguments)
        if self.wheel is None:
            return 1, self.output
        (Path(arguments[arguments.index("--dest") + 1]) / sample.WHEEL_NAME).write_bytes(self.wheel)
        return 0, ""


@pytest.fixture
def use(monkeypatch):
    """Downloads are kept in that folder and that pip is used."""

    def chosen(cache: Path, pip: Pip) -> Pip:
        monkeypatch.setenv("LLC_CACHE", str(cache))
        monkeypatch.setattr(sample, "run_pip", pip)
        return pip

    return chosen


@pytest.fixture
def wheel(tmp_path_factory, monkeypatch) -> bytes:
    content = write_wheel(tmp_path_factory.mktemp("wheel") / "w.whl")
    monkeypatch.setattr(sample, "WHEEL_SHA256", hashlib.sha256(content).hexdigest())
    return content


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_the_sample_lies_in_lps_with_x_to_the_left_y_to_the_back_and_z_to_the_head(wheel, tmp_path, use):
    use(tmp_path / "cache", Pip(wheel))
    files = fetch_sample(tmp_path / "Größe 1")

    for path, kind in ((files.image, sitk.sitkInt16), (files.labels, sitk.sitkUInt8)):
        image = sitk.ReadImage(str(path))
        assert image.GetSize() == (4, 5, 6)
        assert image.GetSpacing() == pytest.approx((1.36, 1.36, 1.60))
        assert image.GetDirection() == pytest.approx((1, 0, 0, 0, 1, 0, 0, 0, 1))
        assert image.GetPixelID() == kind
    image, labels = sitk.ReadImage(str(files.image)), sitk.ReadImage(str(files.labels))
    for x, y, z in np.ndindex(4, 5, 6):
        assert image.GetPixel(x, y, z) == 100 * x + 10 * y + z
        assert labels.GetPixel(x, y, z) == int(100 * x + 10 * y + z) % 3


def test_pip_is_asked_for_exactly_the_pinned_wheel_without_dependencies(wheel, tmp_path, use):
    pip = use(tmp_path / "cache", Pip(wheel))
    fetch_wheel(sys.executable)
    (call,) = pip.calls
    assert call[0] == "download" and "--no-deps" in call and call[-1] == "liver-ct-segmentation-package==1.6.0"
    assert not any(word.startswith(("--index-url", "-i", "--extra-index-url", "--find-links")) for word in call)


def test_the_package_is_downloaded_once_and_the_sample_then_works_offline(wheel, tmp_path, use):
    use(tmp_path / "cache", Pip(wheel))
    fetch_sample(tmp_path / "a")

    offline = use(tmp_path / "empty", Pip(None))
    fetch_sample(tmp_path / "a")  # the files are there
    use(tmp_path / "cache", offline)
    fetch_sample(tmp_path / "b")  # the package is there

    assert offline.calls == []
    assert (tmp_path / "b" / "volume-117.nii.gz").is_file()


def test_offline_is_one_clear_line_and_leaves_nothing(tmp_path, use):
    use(tmp_path / "cache", Pip(None, "Could not find a version\nthat ..."))
    with pytest.raises(InputError, match="connect to the internet") as caught:
        fetch_sample(tmp_path / "a")
    assert "\n" not in str(caught.value)
    assert tree(tmp_path) == ["cache"]


def test_a_python_without_pip_is_told_how_to_get_it(tmp_path, use):
    use(tmp_path, Pip(None, "python: No module named pip"))
    with pytest.raises(InputError, match="ensurepip"):
        fetch_wheel(sys.executable)


@pytest.mark.parametrize("damage", [lambda good: good[:-1], lambda good: good + b"x", lambda good: b""])
def test_a_download_with_another_hash_is_refused_and_leaves_nothing(wheel, tmp_path, use, damage):
    use(tmp_path / "cache", Pip(damage(wheel)))
    with pytest.raises(InputError, match="SHA-256"):
        fetch_sample(tmp_path / "a")
    assert tree(tmp_path) == ["cache"]


def test_a_damaged_package_in_the_cache_is_replaced(wheel, tmp_path, use):
    (tmp_path / sample.WHEEL_NAME).write_bytes(b"damaged")
    pip = use(tmp_path, Pip(wheel))

    path = fetch_wheel(sys.executable)

    assert len(pip.calls) == 1 and path.read_bytes() == wheel
    assert tree(tmp_path) == [sample.WHEEL_NAME]


def test_a_folder_that_cannot_be_written_is_said(wheel, tmp_path, use):
    (tmp_path / "file").write_text("mine")
    use(tmp_path / "cache", Pip(wheel))
    with pytest.raises(OutputError, match="choose another folder"):
        fetch_sample(tmp_path / "file" / "below")


def test_the_pinned_hash_is_that_of_the_published_wheel():
    assert sample.WHEEL_SHA256 == "67ffa526d8500ce5e3d9f2c96c1690543d811d352d93d531301d35791b9d6bba"


@pytest.mark.parametrize("data", [b"", b"short", bytes(2000), mrc(np.zeros((2, 2, 2), "<f4"), 4)])
def test_what_is_no_mrc_file_is_refused(data):
    with pytest.raises(ValueError, match="MRC"):
        parse_mrc(data)


def test_the_real_pip_answers_offline_in_one_line(tmp_path, monkeypatch, capsys):
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.setenv(name, "file:///nowhere")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null" if sys.platform != "win32" else "nul")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("LLC_CACHE", str(tmp_path / "cache"))

    assert main(["sample", "-o", str(tmp_path / "sample")]) == 3

    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1
    assert tree(tmp_path) == ["cache"]


def test_a_pip_that_hangs_is_given_up(monkeypatch, tmp_path):
    def hang(*_, timeout, **__):
        raise subprocess.TimeoutExpired("pip", timeout)

    monkeypatch.setattr(subprocess, "run", hang)
    monkeypatch.setenv("LLC_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="could not be downloaded"):
        fetch_wheel(sys.executable)
