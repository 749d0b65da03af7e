"""Stand-ins for the qMRML and qSlicer widgets that panels use, on a real MRML scene."""

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Property, Signal
from vtk.util.numpy_support import vtk_to_numpy

from .strict import Strict, register, stored_property


class SceneWidget(Strict, QtWidgets.QWidget):
    mrmlSceneChanged = Signal(object)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._scene = None

    def mrmlScene(self):
        return self._scene

    def setMRMLScene(self, scene):
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)


@register
class qMRMLWidget(SceneWidget):
    pass


@register
class qSlicerWidget(SceneWidget):
    pass


@register
class qMRMLNodeComboBox(Strict, QtWidgets.QWidget):
    currentNodeChanged = Signal(object)
    currentNodeIDChanged = Signal(str)
    nodeActivated = Signal(object)
    nodeAdded = Signal(object)
    nodeAddedByUser = Signal(object)
    nodeAboutToBeRemoved = Signal(object)
    currentNodeRenamed = Signal(str)

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._box = QtWidgets.QComboBox(self)
        layout.addWidget(self._box)
        self._scene, self._tags, self._current, self._building = None, [], None, False
        self._entries = []  # per item: node ID, None for "None", or (node type,) for "Create new"
        self._attributes = []
        self._box.currentIndexChanged.connect(self._picked)
        self._rebuild()

    def _rebuild(self, _=None):
        if "_entries" not in self.__dict__:
            return  # a property was set before __init__ came this far
        self._building = True
        nodes = [node for node in self._nodes() if self._accepts(node)]
        was_empty = self.nodeCount() == 0
        self._box.clear()
        self._entries = []
        if self.noneEnabled:
            self._entries.append(None)
            self._box.addItem(self.noneDisplay)
        for node in nodes:
            self._entries.append(node.GetID())
            self._box.addItem(node.GetName())
        if self._scene and self.addEnabled:
            for node_type in self.nodeTypes:
                self._entries.append((node_type,))
                self._box.addItem(f"Create new {_short(node_type)}")
        current = self._current
        keep = current if current is not None and current.GetID() in self._entries else None
        # Like Slicer: where None is not allowed the first node of a list becomes the current one, or another one than
        # the current one that goes; where none was chosen meanwhile, none stays.
        if keep is None and not self.noneEnabled and nodes and (was_empty or current is not None):
            keep = nodes[0]
        self._building = False
        self._make_current(keep)

    nodeTypes = stored_property("QStringList", "nodeTypes", [], _rebuild)
    showHidden = stored_property(bool, "showHidden", False, _rebuild)
    showChildNodeTypes = stored_property(bool, "showChildNodeTypes", True, _rebuild)
    hideChildNodeTypes = stored_property("QStringList", "hideChildNodeTypes", [], _rebuild)
    baseName = stored_property(str, "baseName", "")
    noneEnabled = stored_property(bool, "noneEnabled", False, _rebuild)
    addEnabled = stored_property(bool, "addEnabled", True, _rebuild)
    removeEnabled = stored_property(bool, "removeEnabled", True, _rebuild)
    editEnabled = stored_property(bool, "editEnabled", False, _rebuild)
    renameEnabled = stored_property(bool, "renameEnabled", False, _rebuild)
    interactionNodeSingletonTag = stored_property(str, "interactionNodeSingletonTag", "")
    selectNodeUponCreation = stored_property(bool, "selectNodeUponCreation", True)
    noneDisplay = stored_property(str, "noneDisplay", "None", _rebuild)
    currentNodeID = Property(
        str,
        lambda self: self._current.GetID() if self._current else "",
        lambda self, value: self.setCurrentNodeID(value),
    )

    def mrmlScene(self):
        return self._scene

    def setMRMLScene(self, scene):
        if self._scene is scene:
            return
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._scene, self._tags = scene, []
        if scene:
            events = ("NodeAddedEvent", "NodeRemovedEvent", "EndCloseEvent", "EndImportEvent", "EndBatchProcessEvent")
            self._tags = [scene.AddObserver(getattr(scene, event), self._scene_changed) for event in events]
        self._rebuild()

    def _let_go(self):
        """What the destructor does in C++."""
        self.setMRMLScene(None)

    def _scene_changed(self, *_):
        if not self._scene.IsBatchProcessing():
            self._rebuild()

    def _nodes(self):
        if not self._scene:
            return []
        return [self._scene.GetNthNode(index) for index in range(self._scene.GetNumberOfNodes())]

    def _accepts(self, node):
        if node.GetHideFromEditors() and not self.showHidden:
            return False
        class_name = node.GetClassName()
        if not any(class_name == t or (self.showChildNodeTypes and node.IsA(t)) for t in self.nodeTypes):
            return False
        if any(node.IsA(t) for t in self.hideChildNodeTypes) and class_name not in self.nodeTypes:
            return False
        for node_type, name, value in self._attributes:
            if node.IsA(node_type):
                found = node.GetAttribute(name)
                if found is None or (value is not None and found != str(value)):
                    return False
        return True

    def _picked(self, index):
        if self._building or not 0 <= index < len(self._entries):
            return
        picked = self._entries[index]
        if isinstance(picked, tuple):
            self.addNode(picked[0])
        else:
            self._make_current(self._scene.GetNodeByID(picked) if picked else None)

    def _make_current(self, node):
        changed = node is not self._current
        self._current = node
        self._building = True
        key = node.GetID() if node else None
        self._box.setCurrentIndex(self._entries.index(key) if key in self._entries else -1)
        self._building = False
        if changed:
            self.currentNodeChanged.emit(node)
            self.currentNodeIDChanged.emit(node.GetID() if node else "")

    def currentNode(self):
        return self._current

    def setCurrentNode(self, node):
        if isinstance(node, str):
            self.setCurrentNodeID(node)
            return
        # Like Slicer: a node that the selector cannot show selects none.
        self._make_current(node if node is not None and self._accepts(node) else None)

    def setCurrentNodeID(self, node_id):
        self.setCurrentNode(self._scene.GetNodeByID(node_id) if self._scene and node_id else None)

    def setCurrentNodeIndex(self, index):
        self.setCurrentNode(self.nodeFromIndex(index))

    def nodeFromIndex(self, index):
        ids = [entry for entry in self._entries if isinstance(entry, str)]
        return self._scene.GetNodeByID(ids[index]) if self._scene and 0 <= index < len(ids) else None

    def nodeCount(self):
        return sum(isinstance(entry, str) for entry in self._entries)

    def addNode(self, node_type=None):
        node_type = node_type or self.nodeTypes[0]
        name = self._scene.GenerateUniqueName(self.baseName or _short(node_type))
        node = self._scene.AddNewNodeByClass(node_type, name)
        self.nodeAdded.emit(node)
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        self.nodeAddedByUser.emit(node)
        return node

    def removeCurrentNode(self):
        self._scene.RemoveNode(self._current)

    def addAttribute(self, node_type, name, value=None):
        self._attributes.append((node_type, name, value))
        self._rebuild()

    def setNodeTypeLabel(self, label, node_type):
        pass


def _short(node_type):
    return node_type.replace("vtkMRML", "").replace("Node", "")


@register
class qMRMLUtils(Strict, QtCore.QObject):
    def vtkImageDataToQImage(self, image, result):
        """Fills ``result``; VTK's first row is the lowest."""
        columns, rows, _slices = image.GetDimensions()
        scalars = image.GetPointData().GetScalars()
        if scalars.GetNumberOfComponents() != 3:
            return False
        pixels = vtk_to_numpy(scalars).reshape(rows, columns, 3)[::-1].tobytes()
        made = QtGui.QImage(pixels, columns, rows, 3 * columns, QtGui.QImage.Format_RGB888)
        made.copy().swap(result)
        return True
