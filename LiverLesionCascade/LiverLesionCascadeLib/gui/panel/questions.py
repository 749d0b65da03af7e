"""What the panel asks in a dialog; tests hand in their own answers."""

from enum import Enum

import qt
import slicer
from slicer.i18n import tr as _

from ...engine.model.bundle import METADATA_FILE

SHOW_CHOSEN_SCAN = "LiverLesionCascade/showChosenScan"
READING_LAYOUT = "LiverLesionCascade/readingLayout"


class Rerun(Enum):
    """Where the result of a volume that has one already goes."""

    NEW = "new"
    REPLACE = "replace"
    CANCEL = "cancel"


class Questions:
    """Asks the person in front of the screen; blocks until there is an answer."""

    def newOrReplace(self, nodeName) -> Rerun:
        """Whether a second result goes into a new node or replaces the first."""
        box = qt.QMessageBox(slicer.util.mainWindow())
        box.setIcon(qt.QMessageBox.Question)
        box.setWindowTitle(_("Segment again"))
        box.setText(_("{name} holds a result already.").format(name=nodeName))
        box.setInformativeText(
            _(
                "Keep it and put the new result into a new segmentation, or replace it? Segments that you added stay "
                "either way, and a replaced result can be brought back, with your edits, by Undo replace."
            )
        )
        new = box.addButton(_("New segmentation"), qt.QMessageBox.AcceptRole)
        replace = box.addButton(_("Replace"), qt.QMessageBox.DestructiveRole)
        box.addButton(qt.QMessageBox.Cancel)
        box.setDefaultButton(new)
        box.exec()
        clicked = box.clickedButton()
        return Rerun.NEW if clicked == new else Rerun.REPLACE if clicked == replace else Rerun.CANCEL

    def showChosenScan(self, volumeName) -> bool:
        """Whether a scan that is chosen comes into the slice views; asked once, the answer holds from then on."""
        text = _("Show {name} in the slice views? Scans that you choose here later are treated alike.")
        return _remembered(SHOW_CHOSEN_SCAN, text.format(name=volumeName))

    def readingLayout(self) -> bool:
        """Whether the views are laid out for reading at a first result; asked once, the answer holds from then on."""
        return _remembered(
            READING_LAYOUT,
            _("Lay the views out for reading, with a large axial one? First results are treated alike from then on."),
        )

    def addToLiver(self, ml) -> bool:
        """Whether what was painted as lesion beside the liver is added to the liver."""
        text = _(
            "{volume:.1f} mL of what you painted as lesion lie outside of the liver. Add them to the liver? Lesions "
            "outside of it count in the tumour burden, but the threshold and Refine look for lesions in the liver only."
        )
        return slicer.util.confirmYesNoDisplay(text.format(volume=ml), windowTitle=_("Liver Lesion Cascade"))

    def bundleFolder(self) -> str:
        """A folder; empty if the person changed their mind."""
        return qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Folder of a model bundle"))

    def bundleFile(self) -> str:
        """The file that describes a bundle; empty if the person changed their mind."""
        return qt.QFileDialog.getOpenFileName(
            slicer.util.mainWindow(), _("File of a model bundle"), "", f"{METADATA_FILE} ({METADATA_FILE})"
        )

    def showDetails(self, message, details):
        """Show an error with what a person who helps will want to know."""
        slicer.util.messageBox(message, detailedText=details, windowTitle=_("Liver Lesion Cascade"))


def _remembered(setting, text) -> bool:
    """The answer to a question that is asked once."""
    settings = slicer.app.userSettings()
    answer = settings.value(setting)
    if answer is None:
        yes = slicer.util.confirmYesNoDisplay(text, windowTitle=_("Liver Lesion Cascade"))
        answer = "yes" if yes else "no"
        settings.setValue(setting, answer)
    return answer == "yes"
