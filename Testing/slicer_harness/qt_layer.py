"""PySide6 presented as Slicer's PythonQt module ``qt``.

* A Q_PROPERTY is a plain attribute (``w.text``, ``w.enabled = True``) and hides the C++ getter of the same name, so
  ``w.text()`` raises TypeError as in Slicer.
* ``obj.connect("clicked(bool)", function)`` and ``obj.disconnect(...)`` take C++ signatures.
* ``obj.name`` is ``objectName``; attributes cannot be invented on C++ objects.
"""

import functools
import inspect
import re
import sys
import types

from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

from . import catalogue

QT_MODULES = (QtCore, QtGui, QtWidgets, QtUiTools)
PYSIDE_ONLY = {
    "ClassInfo",
    "Property",
    "QEnum",
    "QFlag",
    "QtCore",
    "QtGui",
    "QtWidgets",
    "SIGNAL",
    "SLOT",
    "Signal",
    "SignalInstance",
    "Slot",
}
SIGNAL, SLOT = 1, 2
LOADING = []
"""Not empty while a .ui file is being loaded."""

_VIRTUAL_GETTERS = {"sizeHint", "minimumSizeHint"}  # properties too, but overridden as methods
_CPP_TYPES = {"bool": bool, "int": int, "double": float, "float": float, "QString": str}
_original_getattribute = QtCore.QObject.__getattribute__
_patched = set()


def install():
    """The module ``qt``; changes the classes of PySide6 for the whole process."""
    qt = types.ModuleType("qt", __doc__)
    for module in QT_MODULES:
        for name in dir(module):
            if not name.startswith("_") and name not in PYSIDE_ONLY:
                setattr(qt, name, getattr(module, name))
    classes = {
        value
        for module in QT_MODULES
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, QtCore.QObject)
    }
    for qt_class in sorted(classes, key=lambda c: len(c.__mro__)):
        _patch(qt_class)
    QtCore.QObject.__getattribute__ = _getattribute
    QtCore.QProcess.__getattribute__ = _getattribute  # it has one of its own; with all classes patched Python crashes
    QtCore.QObject.name = property(lambda self: self.objectName, lambda self, value: self.setObjectName(value))
    QtCore.QObject.className = lambda self: type(self).__name__
    QtCore.QObject.delete = lambda self: self.deleteLater()
    for qt_class in (QtWidgets.QDialog, QtWidgets.QMenu, QtWidgets.QApplication):
        if not hasattr(qt_class, "exec_"):
            qt_class.exec_ = qt_class.exec
    from . import ui_loader

    qt.QUiLoader = ui_loader.UiLoader
    return qt


def signal_name(signature):
    match = re.fullmatch(r"\s*(\w+)\s*(?:\((.*)\))?\s*", signature)
    if not match:
        raise ValueError(f"bad signal signature {signature!r}")
    return match.group(1)


def has_signature(obj, signature, kind):
    """Whether the object has that SIGNAL or SLOT; stand-ins list their C++ signatures in CPP_SIGNALS and CPP_SLOTS."""
    wanted = re.sub(r"\s+", "", signature)
    for cls in type(obj).__mro__:
        declared = cls.__dict__.get("CPP_SIGNALS", ()) + cls.__dict__.get("CPP_SLOTS", ())
        if wanted in (re.sub(r"\s+", "", each) for each in declared):
            return True
    meta = obj.metaObject()
    index = meta.indexOfMethod(QtCore.QMetaObject.normalizedSignature(signature).data().decode())
    if index < 0:
        return False
    return kind == SLOT or meta.method(index).methodType() == QtCore.QMetaMethod.MethodType.Signal


class QtProperty:
    """A Q_PROPERTY as data descriptor.

    :param static: what the class itself has by that name.
    """

    def __init__(self, name, writable, static=None):
        self.name, self.writable, self.static = name, writable, static

    def __get__(self, obj, cls=None):
        if obj is None:
            return self.static or self
        return QtCore.QObject.property(obj, self.name)

    def __set__(self, obj, value):
        if not self.writable:
            raise AttributeError(f"Property '{self.name}' of type '{type(obj).__name__}' is not writable")
        if not QtCore.QObject.setProperty(obj, self.name, value):
            raise ValueError(f"Property '{self.name}' of {type(obj).__name__} cannot be set to {value!r}")


_timers = []


def _single_shot(msec, function):
    """``qt.QTimer.singleShot`` as Slicer replaces it: nobody deletes the timer, and the function lives with it."""
    timer = QtCore.QTimer()
    _timers.append((timer, function))
    timer.setSingleShot(True)
    timer.timeout.connect(function)
    timer.start(msec)


def _patch(qt_class):
    if qt_class in _patched:
        return
    _patched.add(qt_class)
    meta = qt_class.staticMetaObject
    for index in range(meta.propertyOffset(), meta.propertyCount()):
        declared = meta.property(index)
        name = declared.name()
        name = name if isinstance(name, str) else bytes(name).decode()
        if name not in _VIRTUAL_GETTERS and not isinstance(qt_class.__dict__.get(name), property):
            static = _single_shot if (qt_class, name) == (QtCore.QTimer, "singleShot") else None
            setattr(qt_class, name, QtProperty(name, declared.isWritable(), static))
    qt_class.__setattr__ = _setattr


def _getattribute(self, name):
    # PySide answers these two before it looks at any Python override.
    if name == "connect":
        return functools.partial(_connect, self)
    if name == "disconnect":
        return functools.partial(_disconnect, self)
    cls = type(self)
    if cls.__module__.startswith("PySide6") and not name.startswith("_"):
        in_slicer = catalogue.pythonqt_members(cls.__name__)
        if in_slicer is not None and name not in in_slicer and _asked_for(name):
            raise AttributeError(f"{cls.__name__} has no attribute named '{name}' (in Slicer's PythonQt)")
    return _original_getattribute(self, name)


def _asked_for(name):
    """Whether a module's code names the attribute. PySide looks for overridden virtual methods in its name as well."""
    frame = sys._getframe(2)
    if frame.f_globals["__name__"].startswith(__package__):
        return False
    return name in frame.f_code.co_names or name in frame.f_code.co_consts


def _setattr(self, name, value):
    """PythonQt refuses to invent attributes on a C++ object: a mistyped property must not pass."""
    cls = type(self)
    if isinstance(value, QtCore.SignalInstance):  # PySide's own cache
        self.__dict__[name] = value
        return
    if LOADING and isinstance(value, QtCore.QObject) and value.objectName == name:
        return  # QUiLoader's child attributes, which only PySide makes
    found = getattr(cls, name, None)
    from_cpp = cls.__module__.startswith("PySide6")
    if found is None and not name.startswith("_") and (from_cpp or hasattr(cls, "CPP_SLOTS")):
        raise AttributeError(f"Attribute '{name}' does not exist in {cls.__name__} and creation of it is not allowed")
    if from_cpp and callable(found) and not hasattr(found, "__set__") and not isinstance(found, QtCore.Property):
        raise AttributeError(f"Attribute '{name}' of {cls.__name__} is a method and cannot be overwritten")
    for ancestor in cls.__mro__:
        declared = ancestor.__dict__.get(name)
        if isinstance(declared, QtCore.Property):
            if not QtCore.QObject.setProperty(self, name, list(value) if isinstance(value, tuple) else value):
                raise ValueError(f"Property '{name}' of {cls.__name__} cannot be set to {value!r}")
            return
        if hasattr(type(declared), "__set__"):
            type(declared).__set__(declared, self, value)
            return
    self.__dict__[name] = value


def _connect(self, *args):
    if len(args) >= 3:  # obj.connect(sender, "signal()", function)
        return _connect(*args[:3])
    if len(args) != 2 or not isinstance(args[0], str):
        raise TypeError("connect(signature, callable)")
    signature, function = args
    if not callable(function):
        raise ValueError("connect() needs a callable")
    if not has_signature(self, signature, SIGNAL):
        # PythonQt prints this and returns False, which nobody looks at.
        raise ValueError(f"{type(self).__name__} has no signal {signature}")
    _overload(self, signature).connect(function)
    return True


def _disconnect(self, *args):
    if not args:
        return
    if len(args) != 2 or not isinstance(args[0], str):
        raise TypeError("disconnect(signature, callable)")
    _overload(self, args[0]).disconnect(args[1])


def _overload(obj, signature):
    """The signal with the argument types of the signature, where PySide tells overloads apart."""
    signal = getattr(obj, signal_name(signature))
    inner = signature.partition("(")[2].rpartition(")")[0].strip()
    names = [name.strip() for name in inner.split(",")] if inner else []
    if not names or not all(name in _CPP_TYPES for name in names):
        return signal
    cpp_types = tuple(_CPP_TYPES[name] for name in names)
    try:
        return signal[cpp_types[0] if len(cpp_types) == 1 else cpp_types]
    except (KeyError, IndexError, TypeError):
        return signal
