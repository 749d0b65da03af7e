"""PyTorch at first use: installed by Slicer's PyTorch extension, with the user's consent."""

import importlib
import importlib.metadata
import importlib.util
import re
import subprocess
import sys

import slicer
from slicer.i18n import tr as _

#: The oldest PyTorch that works with numpy 2 and has every call the engine uses.
MINIMUM_VERSION = "2.4"

# What pip, the extension and a missing connection raise.
INSTALLATION_ERRORS = (
    subprocess.SubprocessError,
    ImportError,
    OSError,
    RuntimeError,
    ValueError,
    AttributeError,  # the extension calls functions that Slicer renamed
)


def installedVersion() -> str | None:
    """Version of the installed PyTorch, None if there is none or only its remains.

    It is found, not imported: what is imported can no longer be replaced on Windows.
    """
    importlib.invalidate_caches()
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    try:
        return importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return None


def extensionLogic():
    """The logic of the PyTorch extension. Raises ImportError where the extension is not installed."""
    import PyTorchUtils

    return PyTorchUtils.PyTorchUtilsLogic()


class TorchInstaller:
    """Sees to it that PyTorch is there when a run needs it.

    :param findVersion: returns the version of the installed PyTorch, or None.
    :param makeExtensionLogic: returns the PyTorch extension's logic, or raises ImportError.
    """

    def __init__(self, findVersion=installedVersion, makeExtensionLogic=extensionLogic):
        self._findVersion = findVersion
        self._makeExtensionLogic = makeExtensionLogic

    def isInstalled(self) -> bool:
        """Whether a PyTorch that is new enough is installed."""
        version = self._findVersion()
        return version is not None and _release(version) >= _release(MINIMUM_VERSION)

    def ensure(self) -> bool:
        """Whether PyTorch can be used now. If it is missing the user is asked, and it is installed.

        False if the user declined, or if it is not possible; the reason and the remedy have been shown then.
        """
        if self.isInstalled():
            return True
        if version := self._findVersion():
            slicer.util.errorDisplay(
                _(
                    "PyTorch {version} is installed, but {minimum} or newer is needed.\n\n"
                    "Open the module PyTorch Utils, click Uninstall PyTorch, restart Slicer, and click Segment again."
                ).format(version=version, minimum=MINIMUM_VERSION)
            )
            return False
        try:
            logic = self._makeExtensionLogic()
        except ImportError:
            slicer.util.errorDisplay(
                _(
                    "The networks need PyTorch, and the extension that installs it is missing.\n\n"
                    "Open View > Extensions Manager, install the extension PyTorch, restart Slicer, and click Segment "
                    "again.\n\n{byHand}"
                ).format(byHand=installationByHand())
            )
            return False
        try:
            # Asks for consent, shows what it will run, and takes the build that fits the computer's GPU.
            with slicer.util.tryWithErrorDisplay(show=False, waitCursor=True):
                torch = logic.installTorch(askConfirmation=True, torchVersionRequirement=f">={MINIMUM_VERSION}")
        except INSTALLATION_ERRORS as error:
            slicer.util.errorDisplay(
                _(
                    "PyTorch could not be installed: {reason}\n\n"
                    "Check the internet connection, the proxy settings and the free disk space, then click Segment "
                    "again. The Python console shows what the installation said.\n\n{byHand}"
                ).format(reason=str(error) or type(error).__name__, byHand=installationByHand())
            )
            return False
        return torch is not None


def installationByHand() -> str:
    """How PyTorch comes onto a computer without internet connection."""
    return _(
        "Without internet connection: on a connected computer with the same operating system, run\n"
        '    python -m pip download "torch>={minimum}" --python-version {python} --only-binary=:all: -d torch-files\n'
        "copy the folder torch-files to this computer, and run with the PythonSlicer of this Slicer\n"
        "    PythonSlicer -m pip install --no-index --find-links torch-files torch"
    ).format(minimum=MINIMUM_VERSION, python=f"{sys.version_info.major}.{sys.version_info.minor}")


def _release(version: str) -> tuple[int, ...]:
    """(2, 13) of "2.13.0+cu126"."""
    match = re.match(r"(\d+)\.(\d+)", version)
    return tuple(int(number) for number in match.groups()) if match else (0, 0)
