"""highdicom at its first use: installed with the user's consent. Only the DICOM export needs it."""

import importlib
import importlib.util
import subprocess

import slicer
from slicer.i18n import tr as _

REQUIREMENT = "highdicom>=0.25,<0.29"


class HighdicomInstaller:
    """Sees to it that highdicom is there when an export needs it."""

    def isInstalled(self) -> bool:
        importlib.invalidate_caches()
        return importlib.util.find_spec("highdicom") is not None

    def ensure(self) -> bool:
        """Whether highdicom can be used now. If it is missing the user is asked, and it is installed.

        False if the user declined, or if it is not possible; the reason and the remedy have been shown then.
        """
        if self.isInstalled():
            return True
        question = _(
            "The DICOM export needs the Python package highdicom, which is not installed.\n\n"
            "Download it from the Python package index and install it into Slicer's Python?"
        )
        if not slicer.util.confirmOkCancelDisplay(question, windowTitle=_("Install highdicom")):
            return False
        try:
            with slicer.util.tryWithErrorDisplay(show=False, waitCursor=True):
                slicer.util.pip_install([REQUIREMENT])
        except (subprocess.SubprocessError, OSError, RuntimeError, ValueError) as error:
            slicer.util.errorDisplay(
                _(
                    "highdicom could not be installed: {reason}\n\nCheck the internet connection and the free disk "
                    "space, or run with the PythonSlicer of this Slicer:\n    PythonSlicer -m pip install "
                    '"{requirement}"'
                ).format(reason=error, requirement=REQUIREMENT)
            )
            return False
        return self.isInstalled()
