"""Names that exist in Slicer, CTK and PythonQt, of the classes that this project and the harness use.

``api/slicer_names.json`` is made by ``Testing/tools/trim_api.py`` from two full catalogues (the C++ headers, and
``dir()`` of every wrapped Qt class in a running Slicer).
"""

import functools
import json
from pathlib import Path

from PySide6 import QtCore, QtWidgets

KINDS = ("properties", "signals", "slots", "invokables", "enums")
PATH = Path(__file__).parent / "api" / "slicer_names.json"
_CONTENT = json.loads(PATH.read_text(encoding="utf-8"))
_CLASSES = _CONTENT["classes"]
_PYTHONQT = _CONTENT["pythonqt"]


def known(class_name):
    """Whether the qMRML, qSlicer or ctk class exists, as far as the trimmed list goes."""
    return class_name in _CLASSES


def entry(class_name):
    """{"bases", "properties": {name: {"type", ...}}, "signals", "slots", "invokables", "enums"} of one class."""
    return _CLASSES[class_name]


def ancestry(class_name):
    """The class and its bases within the catalogue, nearest first."""
    while class_name in _CLASSES:
        yield class_name
        bases = [base for base in _CLASSES[class_name]["bases"] if base in _CLASSES]
        if not bases:
            return
        class_name = bases[0]


@functools.cache
def qt_base(class_name):
    """The Qt class that a qMRML, qSlicer or ctk class derives from."""
    name = class_name
    while name in _CLASSES:
        bases = [base for base in _CLASSES[name]["bases"] if base in _CLASSES or _qt_class(base)]
        if not bases:
            return QtWidgets.QWidget
        name = bases[0]
    return _qt_class(name)


def _qt_class(name):
    return getattr(QtWidgets, name, None) or getattr(QtCore, name, None)


def has_property(class_name, name):
    own = any(name in _CLASSES[ancestor]["properties"] for ancestor in ancestry(class_name))
    return own or name in _QT_PROPERTIES[qt_base(class_name)]


def _qt_properties(qt_class):
    meta = qt_class.staticMetaObject
    return frozenset(meta.property(number).name() for number in range(meta.propertyCount()))


#: Taken at once: PySide may delete a meta object that it hands out.
_QT_PROPERTIES = {
    each: _qt_properties(each)
    for library in (QtCore, QtWidgets)
    for each in [getattr(library, name) for name in dir(library)]
    if isinstance(each, type) and hasattr(each, "staticMetaObject")
}


@functools.cache
def members(class_name):
    """Names of everything that the class and its bases within the catalogue declare."""
    found = set()
    for ancestor in ancestry(class_name):
        for kind in KINDS:
            found.update(declared.split("(")[0] for declared in _CLASSES[ancestor][kind])
    return frozenset(found)


def has_member(class_name, name):
    return name in members(class_name) or hasattr(qt_base(class_name), name)


@functools.cache
def pythonqt_members(class_name):
    """What Python sees of a Qt class in Slicer ("QPushButton"), or None where the list does not have it."""
    if class_name not in _PYTHONQT:
        return None
    own = _PYTHONQT[class_name]
    inherited = pythonqt_members(own["base"]) if own["base"] else frozenset()
    return (inherited - frozenset(own["without"])) | frozenset(own["members"]) | {"name"}
