"""The sample in Slicer's Sample Data module."""

import hashlib
import sys
import zipfile

import numpy as np
import pytest
import slicer_harness

app = slicer_harness.install()

import slicer  # noqa: E402
from LiverLesionCascadeLib import sample  # noqa: E402
from LiverLesionCascadeLib.engine.errors import InputError  # noqa: E402
from LiverLesionCascadeLib.gui.registered import sample_data  # noqa: E402
from LiverLesionCascadeLib.gui.registered.sample_data import CATEGORY, SAMPLE_NAME, fetchSample, loadSample  # noqa: E402


def mrc(array, mode):
    """An MRC file of an array (section, row, column)."""
    header = np.zeros(256, "<i4")
    header[:4] = *array.shape[::-1], mode
    header[52] = int.from_bytes(b"MAP ", "little")
    return header.tobytes() + array.tobytes()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Slicer's cache folder, empty; a small package lies where downloads are kept, so that nothing is downloaded."""
    package = tmp_path / "packages" / sample.WHEEL_NAME
    package.parent.mkdir()
    x, y, z = np.indices((4, 5, 6))
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(sample.IMAGE_MEMBER, mrc((100 * x + 10 * y + z).astype("<f4"), 2))
        archive.writestr(sample.LABEL_MEMBER, mrc((x % 3).astype("<u2"), 6))
    monkeypatch.setattr(sample, "WHEEL_SHA256", hashlib.sha256(package.read_bytes()).hexdigest())
    monkeypatch.setenv("LLC_CACHE", str(package.parent))
    manager = slicer.mrmlScene.GetCacheManager()
    before = manager.GetRemoteCacheDirectory()
    folder = tmp_path / "Slicer cache ü"
    manager.SetRemoteCacheDirectory(str(folder))
    slicer.mrmlScene.Clear()
    app.messages.clear()
    yield folder
    slicer.mrmlScene.Clear()
    manager.SetRemoteCacheDirectory(before)


def test_the_button_of_the_sample_loads_the_ct_in_place_with_a_soft_tissue_window(cache, tmp_path):
    sample_data.registerSource(tmp_path / "picture.png")
    sample_data.registerSource(tmp_path / "picture.png")
    (source,) = slicer.modules.sampleDataSources[CATEGORY]
    assert source.sampleName == SAMPLE_NAME and source.thumbnailFileName == str(tmp_path / "picture.png")

    source.customDownloader(source)

    volumeNode = slicer.util.getNode(SAMPLE_NAME)
    assert volumeNode.GetImageData().GetDimensions() == (4, 5, 6)
    assert slicer.util.arrayFromVolume(volumeNode)[5, 4, 3] == 345
    assert volumeNode.GetSpacing() == pytest.approx((1.36, 1.36, 1.60), abs=1e-5)
    display = volumeNode.GetDisplayNode()
    assert (display.GetWindow(), display.GetLevel(), display.GetAutoWindowLevel()) == (300, 60, 0)


def test_the_loaded_volume_s_file_stays_where_the_storage_node_says(cache):
    volumeNode = loadSample()
    assert volumeNode.GetStorageNode().GetFileName() == str(cache / "LiverLesionCascade" / sample.IMAGE_FILE)
    assert (cache / "LiverLesionCascade" / sample.IMAGE_FILE).is_file()


def test_the_sample_is_downloaded_once(cache, monkeypatch):
    first = fetchSample()
    monkeypatch.setenv("LLC_CACHE", str(cache / "empty"))
    monkeypatch.setattr(sample, "run_pip", lambda arguments, python: pytest.fail("downloaded again"))
    assert fetchSample() == first


def test_pip_runs_in_the_python_of_slicer_and_not_in_slicer_itself(cache, monkeypatch):
    used = []
    monkeypatch.setenv("LLC_CACHE", str(cache / "empty"))
    monkeypatch.setattr(sample, "run_pip", lambda arguments, python: used.append(python) or (1, "offline"))
    for which in ("/Slicer 5/bin/PythonSlicer", None):
        monkeypatch.setattr(sample_data.shutil, "which", lambda name, which=which: which)
        with pytest.raises(InputError):
            fetchSample()
    assert used == ["/Slicer 5/bin/PythonSlicer", sys.executable]


def test_offline_is_shown_in_plain_words_and_loads_nothing(cache, monkeypatch):
    monkeypatch.setenv("LLC_CACHE", str(cache / "empty"))
    monkeypatch.setattr(sample, "run_pip", lambda arguments, python: (1, "no route to host"))
    with pytest.raises(InputError):
        loadSample()
    ((kind, text),) = app.messages
    assert kind == "errorDisplay"
    assert text.startswith("The sample CT could not be loaded.") and "connect to the internet" in text
    assert slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode") is None
    assert app.cursors == []
