"""The sample CT: a real, hard case that is no training patient, fetched once from the Python package index.

It is scan 117 of the LiTS challenge (Bilic et al. 2023; again in Medical Segmentation Decathlon Task03, Antonelli et
al. 2022; CC-BY-SA 4.0), cropped around the liver and resampled to 128 x 128 x 128 voxels, as packaged in
``liver-ct-segmentation-package``. Only two data files are read out of the wheel; nothing of it is installed or run.

The standard library, numpy and SimpleITK only: Slicer's Sample Data module uses this too.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .engine.errors import InputError, OutputError, reason, system_errors_as

PACKAGE = "liver-ct-segmentation-package"
VERSION = "1.6.0"
WHEEL_SHA256 = "67ffa526d8500ce5e3d9f2c96c1690543d811d352d93d531301d35791b9d6bba"
WHEEL_NAME = f"{PACKAGE.replace('-', '_')}-{VERSION}-py2.py3-none-any.whl"
IMAGE_MEMBER = "liver_ct_segmentation_package/data/img_117.mrc"
LABEL_MEMBER = "liver_ct_segmentation_package/data/lab_117.mrc"
#: (i, j, k) in mm. The MRC header holds no geometry: this was found by registration to the original scan.
SPACING_MM = (1.36, 1.36, 1.60)
IMAGE_FILE = "volume-117.nii.gz"
LABEL_FILE = "segmentation-117.nii.gz"
DOWNLOAD_TIMEOUT_S = 300

_MRC_HEADER_BYTES = 1024
_MRC_TYPES = {1: "<i2", 2: "<f4", 6: "<u2"}


@dataclass(frozen=True)
class Sample:
    """The sample's files: the CT in HU, and the reference labels (0 background, 1 liver, 2 lesion)."""

    image: Path
    labels: Path


def fetch_sample(folder: Path, python: str = sys.executable) -> Sample:
    """Put the sample into ``folder``; what is there already is kept and nothing is downloaded.

    Args:
        folder: Where ``volume-117.nii.gz`` and ``segmentation-117.nii.gz`` go; created if need be.
        python: Whose pip downloads the package, where it is not in :func:`cache_folder` already.

    Raises:
        InputError: The package cannot be downloaded or is not the expected one; nothing is left behind then.
        OutputError: The folder cannot be written.
    """
    folder = Path(folder)
    sample = Sample(folder / IMAGE_FILE, folder / LABEL_FILE)
    if os.path.isfile(sample.image) and os.path.isfile(sample.labels):
        return sample
    image, labels = read_wheel(fetch_wheel(python))
    created = False
    try:
        created = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".sample-", dir=folder) as staging:
            written = Sample(Path(staging) / IMAGE_FILE, Path(staging) / LABEL_FILE)
            # HU are whole numbers; the packaged ones have fractions from resampling.
            _write(written.image, np.rint(image).astype(np.int16))
            _write(written.labels, labels.astype(np.uint8))
            os.replace(written.labels, sample.labels)
            os.replace(written.image, sample.image)
    except (OSError, RuntimeError) as error:
        if created:
            shutil.rmtree(folder, ignore_errors=True)
        raise OutputError(
            f"The sample cannot be written to {folder} ({reason(error)}): choose another folder"
        ) from error
    return sample


def cache_folder() -> Path:
    """Where downloads are kept: ``LLC_CACHE``, else the user's cache folder of this system."""
    if configured := os.environ.get("LLC_CACHE"):
        return Path(configured)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "liver-lesion-cascade"


def fetch_wheel(python: str) -> Path:
    """The package's file, from the cache or downloaded with a Python's pip from whatever index pip is set up for.

    Its SHA-256 is checked every time; a file that fails is removed. Raises InputError.
    """
    cache = cache_folder()
    wheel = cache / WHEEL_NAME
    if os.path.isfile(wheel) and _is_package(wheel):
        return wheel
    remedy = "set LLC_CACHE to a folder that can be written"
    with system_errors_as(InputError, f"The sample CT cannot be kept in {cache}", remedy):
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=cache) as staging:
            downloaded = _download(Path(staging), python)
            os.replace(downloaded, wheel)
    return wheel


def _download(folder: Path, python: str) -> Path:
    arguments = ["download", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--only-binary=:all:"]
    code, output = run_pip([*arguments, "--dest", str(folder), f"{PACKAGE}=={VERSION}"], python)
    if code != 0:
        if "No module named pip" in output:
            raise InputError("The sample CT is fetched with pip, which this Python lacks: python -m ensurepip")
        raise InputError(
            f"The sample CT could not be downloaded ({PACKAGE} {VERSION} from the Python package index): "
            "connect to the internet or set pip's proxy and index, or segment a CT of your own"
        )
    files = sorted(folder.glob("*.whl"))
    if len(files) != 1 or not _is_package(files[0]):
        raise InputError(
            f"The downloaded sample CT ({PACKAGE} {VERSION}) is damaged or not the expected file (SHA-256 differs): "
            "try again, or check the package index that pip is set up for"
        )
    return files[0]


def run_pip(arguments: list[str], python: str) -> tuple[int, str]:
    """Run the pip of a Python: (exit code, what it printed)."""
    try:
        done = subprocess.run(
            [python, "-m", "pip", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=DOWNLOAD_TIMEOUT_S,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # no console pops up in front of Slicer
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, str(error)
    return done.returncode, done.stdout.decode("utf-8", errors="replace")


def read_wheel(wheel: Path) -> tuple[np.ndarray, np.ndarray]:
    """HU (float32) and labels of the sample, both (k, j, i): i to the patient's left, j to the back, k to the head."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            image, labels = parse_mrc(archive.read(IMAGE_MEMBER)), parse_mrc(archive.read(LABEL_MEMBER))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InputError(f"{wheel} does not hold the sample CT ({error}): delete it and try again") from error
    # x (to the left) is the file's slowest axis and z (to the head) its fastest.
    return np.ascontiguousarray(image.transpose()), np.ascontiguousarray(labels.transpose())


def parse_mrc(data: bytes) -> np.ndarray:
    """The voxels of an MRC file, (section, row, column). Raises ValueError."""
    if len(data) < _MRC_HEADER_BYTES or data[208:212] != b"MAP ":
        raise ValueError("not an MRC file")
    header = np.frombuffer(data[:_MRC_HEADER_BYTES], "<i4")
    columns, rows, sections, mode = (int(n) for n in header[:4])
    if mode not in _MRC_TYPES:
        raise ValueError(f"MRC mode {mode} is not supported")
    start = _MRC_HEADER_BYTES + int(header[23])  # after the extended header
    voxels = np.frombuffer(data, _MRC_TYPES[mode], count=columns * rows * sections, offset=start)
    return voxels.reshape(sections, rows, columns)


def _write(path: Path, array_kji: np.ndarray) -> None:
    import SimpleITK  # after the checks: its import takes a moment

    image = SimpleITK.GetImageFromArray(array_kji)
    image.SetSpacing(SPACING_MM)
    SimpleITK.WriteImage(image, os.fspath(path), useCompression=True)


def _is_package(path: Path) -> bool:
    return hashlib.sha256(path.read_bytes()).hexdigest() == WHEEL_SHA256
