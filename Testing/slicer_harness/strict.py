"""What all stand-ins share: they offer only what the class of the same name has in Slicer."""

from PySide6 import QtWidgets
from PySide6.QtCore import Property, Signal

from . import catalogue
from .ui_loader import REGISTRY

_QT_OVERRIDES = {
    "event",
    "hitButton",
    "minimumSizeHint",
    "paintEvent",
    "resizeEvent",
    "showEvent",
    "sizeHint",
    "staticMetaObject",
}
_PROPERTY_TYPES = {"bool": bool, "int": int, "double": float, "QString": str, "QStringList": "QStringList"}


def stored_property(type_, name, default=None, on_set=None):
    """A Q_PROPERTY kept on the instance; its C++ setter exists too."""
    key = "_stored_" + name

    def get(self):
        return self.__dict__.get(key, default)

    def set_(self, value):
        self.__dict__[key] = value
        if on_set:
            on_set(self, value)

    return Property(type_, get, set_)


class Strict:
    """Mixin: a member that exists in Slicer but not here raises NotImplementedError, any other AttributeError."""

    CPP_SIGNALS = CPP_SLOTS = ()

    def __getattr__(self, name):
        class_name = type(self).__name__
        if name.startswith("_"):
            raise AttributeError(name)
        if name.startswith("set") and len(name) > 3:
            property_name = name[3].lower() + name[4:]
            if isinstance(getattr(type(self), property_name, None), Property):
                return lambda value: setattr(self, property_name, value)
        if catalogue.known(class_name) and catalogue.has_member(class_name, name):
            raise NotImplementedError(f"{class_name}.{name} exists in Slicer, but its stand-in lacks it")
        raise AttributeError(f"{class_name} has no attribute named '{name}'")


def register(cls):
    """Make a stand-in known by its name; it must not have public members that the class in Slicer lacks."""
    name = cls.__name__
    ancestors = [catalogue.entry(ancestor) for ancestor in catalogue.ancestry(name)]
    cls.CPP_SIGNALS = tuple(_normalized(s) for ancestor in ancestors for s in ancestor["signals"])
    cls.CPP_SLOTS = tuple(_normalized(s) for ancestor in ancestors for s in ancestor["slots"])
    for member in list(vars(cls)):
        if member.startswith("_") or member in _QT_OVERRIDES or member in ("CPP_SIGNALS", "CPP_SLOTS"):
            continue
        as_setter = member[3:4].lower() + member[4:]
        if not catalogue.has_member(name, member) and not catalogue.has_member(name, as_setter):
            raise TypeError(f"stand-in {name}.{member} does not exist in the real class")
    REGISTRY[name] = cls
    return cls


def placeholder(name):
    """A stand-in for a class that has none: its properties and signals, nothing else."""
    if name in REGISTRY:
        return REGISTRY[name]
    if not catalogue.known(name):
        raise NotImplementedError(f"no class {name} in the list of Slicer's names")
    body = {"__init__": lambda self, parent=None: QtWidgets.QWidget.__init__(self, parent)}
    for ancestor in catalogue.ancestry(name):
        declared = catalogue.entry(ancestor)
        for property_name, description in declared["properties"].items():
            if description["type"] in _PROPERTY_TYPES:
                type_ = _PROPERTY_TYPES[description["type"]]
                body.setdefault(property_name, stored_property(type_, property_name))
        for signature in declared["signals"]:
            signal, _, arguments = signature[:-1].partition("(")
            count = arguments.count(",") + 1 if arguments else 0
            body.setdefault(signal, Signal(*[object] * count))
    if "setMRMLScene" in catalogue.members(name):
        body["setMRMLScene"] = lambda self, scene: self.__dict__.__setitem__("_scene", scene)
    if "mrmlScene" in catalogue.members(name):
        body["mrmlScene"] = lambda self: self.__dict__.get("_scene")
    return register(type(name, (Strict, QtWidgets.QWidget), body))


def _normalized(declaration):
    """Without parameter names: "setX(vtkMRMLScene* scene)" becomes "setX(vtkMRMLScene*)"."""
    name, _, arguments = declaration[:-1].partition("(")
    types = []
    for argument in arguments.split(",") if arguments else ():
        parts = argument.replace("&", "").replace("const ", "").replace("*", "* ").split()
        if len(parts) > 1 and not parts[-1].endswith("*"):
            parts = parts[:-1]
        types.append("".join(parts))
    return f"{name}({','.join(types)})"
