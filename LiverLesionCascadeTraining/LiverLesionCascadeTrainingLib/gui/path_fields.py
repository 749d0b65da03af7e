"""Folder fields of a panel, bound to texts of the parameter node."""

import ctk


class PathFields:
    """Keeps path fields and parameters at the same values.

    The parameters are texts, empty for no folder: as paths they would be "." then, which is a folder.

    :param widgets: {parameter name: ctkPathLineEdit}.
    """

    def __init__(self, widgets):
        self._widgets = widgets
        self._parameters = None
        self._slots = {name: self._slot(name) for name in widgets}
        for name, widget in widgets.items():
            widget.filters = ctk.ctkPathLineEdit.Dirs
            widget.connect("currentPathChanged(QString)", self._slots[name])

    def show(self, parameters):
        """Show the values of a parameter node, and write changes to it from now on; None for none."""
        self._parameters = None
        for name, widget in self._widgets.items():
            value = getattr(parameters, name) if parameters else ""
            if widget.currentPath != value:
                widget.currentPath = value
        self._parameters = parameters

    def _slot(self, name):
        def changed(path):
            if self._parameters is not None and getattr(self._parameters, name) != path:
                setattr(self._parameters, name, path)

        return changed
