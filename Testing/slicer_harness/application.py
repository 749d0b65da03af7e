"""``slicer.app``, ``slicer.modules``, ``slicer.mrmlScene`` and the module logics, on slicer-core's real MRML."""

import importlib.util
import os
import sys
import tempfile
import types
from pathlib import Path

import slicer
import vtk
from PySide6 import QtCore

from . import catalogue, errors, views

MODULE_LOGICS = {
    "Colors": "vtkMRMLColorLogic",
    "Terminologies": "vtkSlicerTerminologiesModuleLogic",
    "Volumes": "vtkSlicerVolumesLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Models": "vtkSlicerModelsLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "VolumeRendering": "vtkSlicerVolumeRenderingLogic",
    "CropVolume": "vtkSlicerCropVolumeLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "Units": "vtkSlicerUnitsLogic",
    "Plots": "vtkSlicerPlotsLogic",
}
SLICE_ORIENTATIONS = {"Red": "Axial", "Yellow": "Sagittal", "Green": "Coronal"}


class NotInHarness:
    """A name that the class has in Slicer raises NotImplementedError, any other AttributeError."""

    CPP = ""

    def __getattr__(self, name):
        if not name.startswith("_") and catalogue.known(self.CPP) and catalogue.has_member(self.CPP, name):
            raise NotImplementedError(f"{self.CPP}.{name} exists in Slicer, but not in the harness")
        raise AttributeError(f"{self.CPP} has no attribute {name!r}")


class ModuleProxy(NotInHarness):
    """``slicer.modules.<name>``."""

    CPP = "qSlicerAbstractModule"

    def __init__(self, name, logic=None, path=""):
        self.name, self.path = name, path
        self._logic, self._representation = logic, None
        self.title, self.categories, self.dependencies, self.contributors = name, [], [], []
        self.helpText = self.acknowledgementText = self.defaultDocumentationLink = ""
        self.icon, self.hidden, self.widgetRepresentationCreationEnabled, self.index = None, False, True, -1

    def logic(self):
        return self._logic

    def widgetRepresentation(self):
        return self._representation


class ScriptedModuleProxy(ModuleProxy):
    """``slicer.modules.<name>`` of a module written in Python."""

    CPP = "qSlicerScriptedLoadableModule"


class ScriptedModuleWidget(NotInHarness):
    """What such a module's ``widgetRepresentation()`` returns; ``self()`` is the Python widget."""

    CPP = "qSlicerScriptedLoadableModuleWidget"

    def __init__(self, widget):
        self._widget = widget

    def self(self):
        return self._widget


class IOManager(NotInHarness):
    CPP = "qSlicerIOManager"

    def __init__(self, app):
        self._app = app

    def loadNodes(self, fileType, parameters, loadedNodes=None, userMessages=None):
        path = parameters["fileName"]
        if not os.path.exists(path):
            return False
        name = parameters.get("name") or Path(path).name.split(".")[0]
        if fileType == "SceneFile":
            slicer.mrmlScene.SetURL(path)
            reader = slicer.mrmlScene.ReadFromMRB if path.endswith(".mrb") else lambda _: slicer.mrmlScene.Connect()
            return bool(reader(path))
        if fileType == "VolumeFile":
            files = None
            if parameters.get("fileNames"):
                files = vtk.vtkStringArray()
                for each in parameters["fileNames"]:
                    files.InsertNextValue(each)
            options = 1 if parameters.get("labelmap") else 0
            node = self._app.logics["Volumes"].AddArchetypeVolume(path, name, options, files)
        elif fileType == "SegmentationFile":
            node = self._app.logics["Segmentations"].LoadSegmentationFromFile(path, True, name)
        else:
            raise NotImplementedError(f"the harness cannot load a {fileType}")
        if node is not None and loadedNodes is not None:
            loadedNodes.AddItem(node)
        return node is not None

    def saveNodes(self, fileType, parameters, userMessages=None):
        if fileType == "SceneFile":
            if not parameters["fileName"].endswith(".mrb"):
                raise NotImplementedError("the harness saves scenes only as .mrb")
            return bool(slicer.mrmlScene.WriteToMRB(parameters["fileName"]))
        node = slicer.mrmlScene.GetNodeByID(parameters["nodeID"])
        storage = node.GetStorageNode()
        if storage is None or not storage.SupportedFileType(parameters["fileName"]):
            node.AddDefaultStorageNode(parameters["fileName"])
            storage = node.GetStorageNode()
        storage.SetFileName(parameters["fileName"])
        if "useCompression" in parameters:
            storage.SetUseCompression(bool(parameters["useCompression"]))
        return bool(storage.WriteData(node))

    def fileWriterFileType(self, node, format_=""):
        if node.IsA("vtkMRMLSegmentationNode"):
            return "SegmentationFile"
        return "VolumeFile" if node.IsA("vtkMRMLVolumeNode") else "NoFile"

    def completeSlicerWritableFileNameSuffix(self, node):
        return ".nrrd"


class ModuleManager(QtCore.QObject):
    moduleAboutToBeUnloaded = QtCore.Signal(str)

    def modulesNames(self):
        return [module.name for module in vars(slicer.modules).values() if isinstance(module, ModuleProxy)]

    def module(self, name):
        return getattr(slicer.modules, name.lower(), None)


class LayoutManager(NotInHarness):
    CPP = "qSlicerLayoutManager"
    threeDViewCount = 0

    def __init__(self):
        self.layout = 3

    def setLayout(self, layout):
        self.layout = layout

    def sliceViewNames(self):
        return [node.GetLayoutName() for node in slicer.util.getNodesByClass("vtkMRMLSliceNode")]

    def resetSliceViews(self):
        pass

    def resetThreeDViews(self):
        pass

    def viewport(self):
        return None


class Application(QtCore.QObject):
    """``slicer.app``."""

    startupCompleted = QtCore.Signal()
    aboutToQuit = QtCore.Signal()
    majorVersion, minorVersion, platform, applicationName = 5, 13, "linux-amd64", "Slicer"

    def __init__(self, qt_application):
        super().__init__()
        self._qt_application = qt_application
        self._module_manager, self._io_manager, self._layout_manager = ModuleManager(), IOManager(self), LayoutManager()
        self._application_logic = None
        self.logics = {}
        self._folder = tempfile.TemporaryDirectory(prefix="slicer-harness-")
        self.temporaryPath = self._folder.name
        self._settings = QtCore.QSettings(
            os.path.join(self.temporaryPath, "Slicer.ini"), QtCore.QSettings.Format.IniFormat
        )
        self.documentationBaseUrl = "https://slicer.readthedocs.io/en/latest/"
        self.cursors, self.messages = [], []

    def mrmlScene(self):
        return slicer.mrmlScene

    def applicationLogic(self):
        return self._application_logic

    def moduleManager(self):
        return self._module_manager

    def ioManager(self):
        return self._io_manager

    def coreIOManager(self):
        return self._io_manager

    def layoutManager(self):
        return self._layout_manager

    def userSettings(self):
        return self._settings

    def revisionUserSettings(self):
        return self._settings

    def settings(self):
        return self._settings

    def processEvents(self, *_):
        # PySide's static processEvents drops a reference to None at each call, which in the end kills Python 3.11.
        QtCore.QEventLoop().processEvents()

    def setOverrideCursor(self, cursor):
        self.cursors.append(cursor)

    def restoreOverrideCursor(self):
        self.cursors.pop()

    def pauseRender(self):
        views.pause()

    def resumeRender(self):
        views.resume()

    def setRenderPaused(self, pause):
        (views.pause if pause else views.resume)()

    def testingEnabled(self):
        return False

    def translate(self, context, text, *_):
        return QtCore.QCoreApplication.translate(context, text)

    def moduleDocumentationUrl(self, name):
        return self.documentationBaseUrl + name

    def commandOptions(self):
        return types.SimpleNamespace(noMainWindow=True, testingEnabled=True, noSplash=True)

    def restart(self, *_):
        raise RuntimeError("restart requested")

    def quit(self):
        pass

    def __getattr__(self, name):
        if not name.startswith("_") and catalogue.has_member("qSlicerApplication", name):
            raise NotImplementedError(f"qSlicerApplication.{name} exists in Slicer, but not in the harness")
        raise AttributeError(f"qSlicerApplication has no attribute {name!r}")


def build(qt_application):
    """Make ``slicer`` look as in the application: scene, logics, module list, slice nodes."""
    app = slicer.app = Application(qt_application)
    slicer.qSlicerScriptedLoadableModule = ScriptedModuleProxy
    slicer.qSlicerScriptedLoadableModuleWidget = ScriptedModuleWidget
    slicer.userMessages = app.messages
    for name in ("modules", "moduleNames"):
        module = sys.modules[f"slicer.{name}"] = types.ModuleType(f"slicer.{name}")
        setattr(slicer, name, module)
    scene = slicer.mrmlScene = slicer.vtkMRMLScene()
    _set_data_io(scene, app.temporaryPath)
    crosshair = slicer.vtkMRMLCrosshairNode()
    crosshair.SetCrosshairName("default")
    scene.AddNode(crosshair)
    logic = app._application_logic = slicer.vtkSlicerApplicationLogic()
    logic.SetMRMLScene(scene)
    logic.GetColorLogic().SetMRMLScene(scene)
    logic.GetColorLogic().AddDefaultColorNodes()
    logic.SetSliceLogics(vtk.vtkCollection())
    logic.SetViewLogics(vtk.vtkCollection())
    for name, class_name in MODULE_LOGICS.items():
        add_module(ModuleProxy(name, _module_logic(app, name, class_name)))
    add_module(_segment_editor())
    _keep_subject_hierarchy(scene)
    _add_slice_nodes(scene)
    return app


def _set_data_io(scene, folder):
    """Scene bundles are unpacked into the cache folder."""
    cache, data = slicer.vtkCacheManager(), slicer.vtkDataIOManager()
    cache.SetRemoteCacheDirectory(os.path.join(folder, "cache"))
    data.SetCacheManager(cache)
    scene.SetCacheManager(cache)
    scene.SetDataIOManager(data)


def add_module(proxy):
    setattr(slicer.modules, proxy.name.lower(), proxy)
    setattr(slicer.moduleNames, proxy.name, proxy.name)


def _module_logic(app, name, class_name):
    logic = getattr(slicer, class_name)()
    if name == "Terminologies":
        logic.SetModuleShareDirectory(str(_terminology_folder()))
    logic.SetMRMLScene(slicer.mrmlScene)
    if hasattr(logic, "SetMRMLApplicationLogic"):
        logic.SetMRMLApplicationLogic(app.applicationLogic())
    app.applicationLogic().SetModuleLogic(name, logic)
    app.logics[name] = logic
    return logic


def _terminology_folder():
    """Slicer's stock terminology files, which trame-slicer ships (found, not imported: that needs more packages)."""
    spec = importlib.util.find_spec("trame_slicer")
    if spec is None:
        raise RuntimeError("Slicer's terminology files are missing. Install them: pip install --no-deps trame-slicer")
    return Path(spec.submodule_search_locations[0]) / "resources" / "terminologies"


def _segment_editor():
    """The Segment Editor module; its Python widget, made on first use, has only ``editor``."""
    proxy = ModuleProxy("SegmentEditor")
    made = []

    def widget():
        if not made:
            editor = slicer.qMRMLSegmentEditorWidget()
            editor.setMRMLScene(slicer.mrmlScene)
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode", "SegmentEditor")
            editor.setMRMLSegmentEditorNode(node)
            made.append(types.SimpleNamespace(editor=editor))
        return made[0]

    proxy.widgetRepresentation = lambda: types.SimpleNamespace(self=widget)
    return proxy


def _keep_subject_hierarchy(scene):
    """Make and remove the items of data nodes, as the plugins of the application do."""

    resolve = slicer.vtkMRMLSubjectHierarchyNode.ResolveSubjectHierarchy

    def add_items(caller, event):
        if scene.IsImporting():
            return  # the loaded scene brings its own items; what lacks one gets it at the end
        hierarchy = resolve(scene)
        for index in range(scene.GetNumberOfNodes()):
            node = scene.GetNthNode(index)
            shown = node.IsA("vtkMRMLDisplayableNode") and not node.GetHideFromEditors()
            if (shown or node.IsA("vtkMRMLTableNode")) and not hierarchy.GetItemByDataNode(node):
                hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)

    def remove_items(caller, event):
        if scene.IsClosing():
            return  # closing removes the hierarchy itself
        hierarchy = resolve(scene)
        items = vtk.vtkIdList()
        hierarchy.GetItemChildren(hierarchy.GetSceneItemID(), items, True)
        for index in range(items.GetNumberOfIds()):
            node = hierarchy.GetItemDataNode(items.GetId(index))
            if node is not None and node.GetScene() is None:
                hierarchy.RemoveItem(items.GetId(index), False, False)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def follow_segments(caller, event, node):
        if node.IsA("vtkMRMLSegmentationNode"):
            for kind in ("SegmentAdded", "SegmentModified", "SegmentRemoved"):
                node.AddObserver(getattr(slicer.vtkSegmentation, kind), segments_changed)

    def segments_changed(node, event):
        if node.GetScene() is scene and not scene.IsImporting() and not resolve(scene).GetItemByDataNode(node):
            errors.report(f"Failed to access subject hierarchy item for segmentation node {node.GetName()}")

    scene.AddObserver(scene.NodeAddedEvent, add_items)
    scene.AddObserver(scene.NodeAddedEvent, follow_segments)
    scene.AddObserver(scene.NodeRemovedEvent, remove_items)
    scene.AddObserver(scene.EndImportEvent, add_items)
    scene.AddObserver(scene.EndCloseEvent, lambda caller, event: resolve(scene))


def _add_slice_nodes(scene):
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene)
    for name, orientation in SLICE_ORIENTATIONS.items():
        node = scene.CreateNodeByClass("vtkMRMLSliceNode")
        node.UnRegister(None)
        node.SetName(name)
        node.SetLayoutName(name)
        node.SetSingletonTag(name)
        scene.AddNode(node)
        node.SetDefaultOrientation(orientation)
        node.SetOrientation(orientation)
        composite = slicer.vtkMRMLSliceCompositeNode()
        composite.SetLayoutName(name)
        composite.SetSingletonTag(name)
        scene.AddNode(composite)
    layout = slicer.vtkMRMLLayoutNode()
    layout.SetSingletonTag("vtkMRMLLayoutNode")
    layout.AddLayoutDescription(layout.SlicerLayoutFourUpView, "<layout/>")  # the application registers them all
    scene.AddNode(layout)
    layout.SetViewArrangement(layout.SlicerLayoutFourUpView)
    view = slicer.vtkMRMLViewNode()
    view.SetName("View1")
    view.SetLayoutName("1")
    view.SetSingletonTag("1")
    scene.AddNode(view)
    if scene.GetNodeByID("vtkMRMLSelectionNodeSingleton") is None:
        scene.AddNewNodeByClass("vtkMRMLSelectionNode")
