"""The choice of the model: the shipped bundle, or one of the user's own."""

import os
from pathlib import Path

from slicer.i18n import tr as _

from ...engine.files import json_object
from ...engine.model.bundle import BUNDLES_FOLDER, METADATA_FILE
from ..widgets import fillComboBox

CHOOSE_FOLDER, CHOOSE_FILE = "?folder", "?file"


class BundleChoice:
    """A combo box with the shipped bundle, the one chosen, and two entries that open a file dialog.

    The choice is a folder as text, empty for the shipped bundle. ``problem`` says in one sentence why the chosen one
    cannot be used; the weights are verified when a run loads them.

    :param comboBox: QComboBox.
    :param questions: asks for a folder or file.
    :param onChosen: called with the choice when the user makes another.
    """

    def __init__(self, comboBox, questions, onChosen):
        self._comboBox, self._questions, self._onChosen = comboBox, questions, onChosen
        self._chosen = None
        self.problem = ""
        comboBox.connect("activated(int)", self._onActivated)
        self.show("")

    def show(self, bundle):
        """Choose a bundle, as a scene or a script says."""
        if bundle == self._chosen:
            return
        self._chosen = bundle
        self.problem = bundleProblem(bundle) if bundle else ""
        items = [(bundleTitle(shippedFolder()), "")]
        if bundle:
            items.append((bundleTitle(bundle), bundle))
        items += [(_("Choose a folder..."), CHOOSE_FOLDER), (_("Choose a file..."), CHOOSE_FILE)]
        fillComboBox(self._comboBox, items, bundle)

    def folder(self) -> Path:
        """Where the chosen bundle is."""
        return Path(self._chosen) if self._chosen else shippedFolder()

    def _onActivated(self, index):
        data = self._comboBox.itemData(index)
        if data in (CHOOSE_FOLDER, CHOOSE_FILE):
            ask = self._questions.bundleFolder if data == CHOOSE_FOLDER else self._questions.bundleFile
            path = ask()
            if not path:
                self._comboBox.setCurrentIndex(self._comboBox.findData(self._chosen))
                return
            data = str(Path(path).parent if os.path.isfile(path) else Path(path))
        self._chosen = None  # the same one again: the box shows what was clicked, and it may be there by now
        self.show(data)
        self._onChosen(data)


def shippedFolder() -> Path:
    """Of the bundle that comes with the extension."""
    return min((path.parent for path in BUNDLES_FOLDER.glob(f"*/{METADATA_FILE}")), default=BUNDLES_FOLDER)


def bundleTitle(folder) -> str:
    """Name and version, or the folder's name where they cannot be read."""
    metadata = json_object(Path(folder) / METADATA_FILE)
    if "name" in metadata:
        return f"{metadata['name']} {metadata.get('version', '')}".strip()
    return Path(folder).name


def bundleProblem(folder) -> str:
    """Why the folder is no bundle; empty if it looks like one."""
    if not os.path.isfile(Path(folder) / METADATA_FILE):
        return _("The model {folder} is not there: choose another one in Advanced.").format(folder=folder)
    if not json_object(Path(folder) / METADATA_FILE):
        return _("The model {folder} cannot be read: choose another one in Advanced.").format(folder=folder)
    return ""
