"""PyTorch at first use: nothing without consent, and every failure ends in a message that says what to do."""

import importlib.machinery
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import types

import pytest
import slicer_harness

app = slicer_harness.install()

from LiverLesionCascadeLib.gui.install import torch_installation  # noqa: E402
from LiverLesionCascadeLib.gui.install.torch_installation import TorchInstaller, installedVersion  # noqa: E402


class Extension:
    """Stands in for the logic of the PyTorch extension."""

    def __init__(self, answer="module torch"):
        self.answer = answer
        self.calls = []

    def installTorch(self, **arguments):
        self.calls.append(arguments)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def installer(version, extension):
    def makeLogic():
        if extension is None:
            raise ModuleNotFoundError("No module named 'PyTorchUtils'", name="PyTorchUtils")
        return extension

    return TorchInstaller(findVersion=lambda: version, makeExtensionLogic=makeLogic)


@pytest.fixture(autouse=True)
def messages():
    app.messages.clear()
    yield app.messages
    assert app.cursors == []


def only(messages):
    ((kind, text),) = messages
    assert kind == "errorDisplay"
    return text


@pytest.mark.parametrize("version", ["2.4.0", "2.13.0+cu126", "3.0"])
def test_an_installed_torch_is_used_without_a_question(version, messages):
    extension = Extension()
    assert installer(version, extension).ensure() is True
    assert extension.calls == [] and messages == []


def test_a_missing_torch_is_installed_by_the_extension_which_asks_for_consent(messages):
    extension = Extension()
    assert installer(None, extension).ensure() is True
    assert extension.calls == [{"askConfirmation": True, "torchVersionRequirement": ">=2.4"}]
    assert messages == []


def test_declining_is_no_error(messages):
    assert installer(None, Extension(answer=None)).ensure() is False
    assert messages == []


def test_a_missing_extension_is_said_with_both_ways_out(messages):
    assert installer(None, None).ensure() is False
    text = only(messages)
    assert "Extensions Manager" in text and "install the extension PyTorch" in text
    assert "Without internet connection" in text and "PythonSlicer -m pip install --no-index" in text


@pytest.mark.parametrize(
    "error",
    [
        subprocess.CalledProcessError(1, "pip"),
        subprocess.TimeoutExpired("pip", 60),
        ImportError("DLL load failed"),
        OSError(28, "No space left on device"),
        RuntimeError("PythonSlicer executable not found"),
        ValueError("no computation backend"),
        AttributeError("module 'slicer.util' has no attribute '_executePythonModule'"),
    ],
)
def test_a_failed_installation_shows_the_reason_and_the_way_without_internet(error, messages):
    assert installer(None, Extension(answer=error)).ensure() is False
    text = only(messages)
    assert str(error) in text
    assert 'pip download "torch>=2.4"' in text and f"--python-version 3.{sys.version_info.minor}" in text


def test_a_torch_that_is_too_old_is_neither_used_nor_replaced_behind_the_user_s_back(messages):
    extension = Extension()
    subject = installer("1.13.1", extension)
    assert subject.isInstalled() is False
    assert subject.ensure() is False
    assert extension.calls == []
    assert "PyTorch 1.13.1 is installed, but 2.4 or newer is needed" in only(messages)


def test_the_installed_version_is_found_without_importing_torch():
    code = (
        "import slicer_harness; slicer_harness.install(); import sys;"
        "from LiverLesionCascadeLib.gui.install.torch_installation import TorchInstaller, installedVersion;"
        "print(TorchInstaller().isInstalled(), installedVersion(), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    installed, version, imported = done.stdout.split()
    assert (installed, imported) == ("True", "False")
    assert version == importlib.metadata.version("torch")


def environment():
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


def test_the_remains_of_an_uninstalled_torch_do_not_count(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: importlib.machinery.ModuleSpec(name, None))
    assert installedVersion() is None
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert installedVersion() is None


def test_without_the_extension_its_logic_cannot_be_made():
    with pytest.raises(ImportError):
        torch_installation.extensionLogic()


def test_the_extension_s_logic_is_the_one_it_documents(monkeypatch):
    extension = Extension()
    module = types.SimpleNamespace(PyTorchUtilsLogic=lambda: extension)
    monkeypatch.setitem(sys.modules, "PyTorchUtils", module)
    assert TorchInstaller(findVersion=lambda: None).ensure() is True
    assert len(extension.calls) == 1
