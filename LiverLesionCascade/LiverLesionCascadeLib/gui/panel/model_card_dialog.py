"""Window with the model card of a bundle: on what it was trained, how good it is, and where it fails."""

from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

MODEL_CARD = "MODEL_CARD.md"
WIDTH, HEIGHT = 760, 800


def showModelCard(bundleFolder):
    """Open the card of a model bundle beside the running work; returns the dialog.

    :param bundleFolder: the bundle's folder; one without a card is said to have none.
    """
    folder = Path(bundleFolder)
    dialog = qt.QDialog(slicer.util.mainWindow())
    dialog.setAttribute(qt.Qt.WA_DeleteOnClose)
    dialog.setWindowTitle(_("Model card of {bundle}").format(bundle=folder.name))
    browser = qt.QTextBrowser()
    browser.setObjectName("modelCard")
    browser.setOpenExternalLinks(True)
    # Where the card's pictures lie.
    browser.searchPaths = [str(folder)]
    browser.setMarkdown(_modelCard(folder))
    buttons = qt.QDialogButtonBox(qt.QDialogButtonBox.Close)
    buttons.connect("rejected()", dialog.close)
    layout = qt.QVBoxLayout(dialog)
    layout.addWidget(browser)
    layout.addWidget(buttons)
    dialog.resize(WIDTH, HEIGHT)
    dialog.show()
    return dialog


def _modelCard(folder):
    """The card's Markdown text, or a sentence that says why there is none."""
    path = folder / MODEL_CARD
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return _("The bundle in {folder} has no model card.").format(folder=folder)
    except (OSError, UnicodeDecodeError) as error:
        return _("{path} cannot be read: {reason}").format(path=path, reason=error)
