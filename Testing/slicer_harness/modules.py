"""Installs the harness, loads scripted modules and opens their panels."""

import ctypes
import importlib.util
import os
import pkgutil
import sys
import types
from pathlib import Path

_application = None
LOADED = {}
"""Module name -> LoadedModule."""
SELECTED = []
"""Names of the modules selected so far, in order."""
_entered = []


class LoadedModule:
    """A module file that was loaded: Python module, proxy, descriptor instance and, once opened, parent and widget."""

    def __init__(self, module, proxy, instance):
        self.module, self.proxy, self.instance = module, proxy, instance
        self.parent = self.widget = None


def install():
    """Make ``slicer``, ``qt``, ``ctk`` and what comes with them importable as in Slicer; returns ``slicer.app``."""
    global _application
    if _application is not None:
        return _application
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    keep_constants_alive()
    import slicer
    from PySide6 import QtWidgets

    qt_application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["Slicer"])
    from . import qt_layer

    sys.modules["qt"] = qt_layer.install()
    ctk = sys.modules["ctk"] = types.ModuleType("ctk")
    from . import application, ctk_widgets, errors, mrml_widgets, segment_statistics, segment_widgets  # noqa: F401 - the widgets register themselves

    errors.install()

    ctk.__getattr__ = _class_lookup(("ctk",))
    slicer.__getattr__ = _class_lookup(("qMRML", "qSlicer"))
    _application = application.build(qt_application)
    _replace_dialogs()
    _add_module_aliases()
    _add_sample_data()
    segment_statistics.install()
    slicer.__path__.append(str(Path(__file__).parent / "base"))
    return _application


def keep_constants_alive():
    """PySide loses references to these when Python emits signals; before 3.12 that ends in an abort in the end."""
    if sys.version_info < (3, 12):
        for value in (True, False, None):
            for _ in range(100_000):
                ctypes.pythonapi.Py_IncRef(ctypes.py_object(value))


def load(path):
    """Load a module file as Slicer's module factory does, without opening its panel; returns a LoadedModule."""
    import slicer

    from .application import ScriptedModuleProxy, add_module

    path = Path(path).resolve()
    name = path.stem
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    proxy = ScriptedModuleProxy(name, path=str(path))
    add_module(proxy)
    instance = getattr(module, name)(proxy)
    setattr(slicer.modules, name + "Instance", instance)
    LOADED[name] = LoadedModule(module, proxy, instance)
    return LOADED[name]


def open_widget(loaded):
    """What Slicer does when a module is first selected: parent, widget, setup(), enter()."""
    import qt
    import slicer

    from .application import ScriptedModuleWidget

    name = loaded.proxy.name
    parent = loaded.parent = slicer.qSlicerWidget()
    parent.setLayout(qt.QVBoxLayout())
    parent.setMRMLScene(slicer.mrmlScene)
    parent.__dict__["isEntered"] = False
    widget = loaded.widget = getattr(loaded.module, name + "Widget")(parent)
    loaded.proxy._representation = ScriptedModuleWidget(widget)
    setattr(slicer.modules, name + "Widget", widget)
    widget.setup()
    _enter(loaded)
    return loaded


def destroy_widget(widget):
    """What Slicer does when a module is unloaded or reloaded: ``cleanup()``, then all that the panel shows is gone.

    Whoever still speaks to it gets an error, as in Slicer.

    :param widget: the module's widget, with ``parent``.
    """
    import shiboken6
    from PySide6 import QtWidgets

    from .ui_loader import forget_destroyed

    widget.cleanup()
    for child in (widget.parent, *widget.parent.findChildren(QtWidgets.QWidget)):
        child.blockSignals(True)
        if hasattr(type(child), "_let_go"):
            child._let_go()
    shiboken6.delete(widget.parent)
    forget_destroyed()


def close_panels():
    """Unload the panels that :func:`select_module` opened: they follow the scene until then."""
    import slicer

    _entered.clear()
    for name, loaded in LOADED.items():
        if loaded.widget is not None:
            widget = loaded.widget
            loaded.widget = loaded.parent = loaded.proxy._representation = None
            delattr(slicer.modules, name + "Widget")
            destroy_widget(widget)


def select_module(module):
    """``slicer.util.selectModule``: exit the panel that is open, then create or enter the other."""
    import slicer

    name = module if isinstance(module, str) else module.name
    proxy = getattr(slicer.modules, name.lower())
    if _entered:
        left = _entered.pop()
        left.parent.__dict__["isEntered"] = False
        if hasattr(left.widget, "exit"):
            left.widget.exit()
    loaded = LOADED.get(name)
    if loaded is not None:
        if loaded.widget is None:
            open_widget(loaded)
        else:
            _enter(loaded)
        _entered.append(loaded)
    SELECTED.append(name)
    return proxy


def _enter(loaded):
    loaded.parent.__dict__["isEntered"] = True
    if hasattr(loaded.widget, "enter"):
        loaded.widget.enter()


def _class_lookup(prefixes):
    def __getattr__(name):
        if name.startswith(prefixes):
            from . import catalogue
            from .strict import placeholder
            from .ui_loader import REGISTRY

            if name in REGISTRY or catalogue.known(name):
                return placeholder(name)
        raise AttributeError(f"module has no attribute {name!r}")

    return __getattr__


def _replace_dialogs():
    """Message boxes would block: what they would say goes to ``slicer.userMessages``."""
    import slicer.util

    def recorder(kind, answer=None):
        def show(text="", *_, **__):
            _application.messages.append((kind, str(text)))
            return answer

        return show

    for kind in ("errorDisplay", "warningDisplay", "infoDisplay", "messageBox"):
        setattr(slicer.util, kind, recorder(kind))
    slicer.util.confirmOkCancelDisplay = slicer.util.confirmYesNoDisplay = recorder("confirm", True)
    slicer.util.delayDisplay = lambda message, *_, **__: _application.processEvents()
    slicer.util.mainWindow = lambda *_, **__: None
    slicer.util.selectModule = select_module


def _add_module_aliases():
    """The wrapped libraries that scripts import by name at the top level."""
    import slicer_core

    for found in pkgutil.iter_modules(slicer_core.__path__):
        if not found.name.startswith("lib"):
            module = importlib.import_module(f"slicer_core.{found.name}")
            for alias in (found.name, found.name + "Python"):
                sys.modules.setdefault(alias, module)


def _add_sample_data():
    """The Sample Data module; its sources go to ``slicer.modules.sampleDataSources`` as in Slicer."""
    import slicer

    module = types.ModuleType("SampleData")
    sources = slicer.modules.sampleDataSources = {}

    class SampleDataLogic:
        @staticmethod
        def registerCustomSampleDataSource(
            category="Custom",
            sampleName=None,
            uris=None,
            fileNames=None,
            nodeNames=None,
            customDownloader=None,
            thumbnailFileName=None,
            loadFileTypes=None,
            loadFiles=None,
            loadFileProperties=None,
            checksums=None,
        ):
            if not isinstance(uris, str):
                raise NotImplementedError("the harness registers one file a source")
            source = types.SimpleNamespace(  # equal where all of it is, as in Slicer
                sampleName=sampleName,
                uris=[uris],
                fileNames=[fileNames],
                nodeNames=[nodeNames],
                customDownloader=customDownloader,
                thumbnailFileName=thumbnailFileName,
            )
            known = sources.setdefault(category, [])
            if source not in known:
                known.append(source)

    module.SampleDataLogic = SampleDataLogic
    sys.modules.setdefault("SampleData", module)
