"""Stand-ins for the widgets of the Segmentations module."""

import slicer
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Signal

from .mrml_widgets import SceneWidget
from .strict import Strict, register, stored_property

CLOSED_SURFACE = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
EFFECTS = ["Threshold", "Paint", "Draw", "Erase", "Smoothing", "Scissors", "Islands", "Logical operators"]


class _NodeEvents:
    """Calls a function at segmentation events of the node that is followed."""

    EVENTS = ("SegmentAdded", "SegmentRemoved", "SegmentModified", "ContainedRepresentationNamesModified")

    def __init__(self, function):
        self._function, self._tags, self.node = function, [], None

    def follow(self, node):
        if self.node:
            for tag in self._tags:
                self.node.RemoveObserver(tag)
        self.node, self._tags = node, []
        if node:
            for event in self.EVENTS:
                self._tags.append(node.AddObserver(getattr(slicer.vtkSegmentation, event), self._function))


@register
class qMRMLSegmentsTableView(Strict, QtWidgets.QWidget):
    selectionChanged = Signal(object, object)

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._table = QtWidgets.QTableWidget(0, 3, self)
        self._table.setHorizontalHeaderLabels(["", "Name", "Status"])
        self._table.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectRows)
        self._table.verticalHeader().hide()
        self._table.horizontalHeader().setStretchLastSection(True)
        self._table.setColumnWidth(0, 30)
        layout.addWidget(self._table)
        self._scene, self._events = None, _NodeEvents(self._fill)
        self._table.itemSelectionChanged.connect(lambda: self.selectionChanged.emit(None, None))

    readOnly = stored_property(bool, "readOnly", False)
    headerVisible = stored_property(bool, "headerVisible", True)
    visibilityColumnVisible = stored_property(bool, "visibilityColumnVisible", True)
    colorColumnVisible = stored_property(bool, "colorColumnVisible", True)
    opacityColumnVisible = stored_property(bool, "opacityColumnVisible", True)
    statusColumnVisible = stored_property(bool, "statusColumnVisible", True)
    layerColumnVisible = stored_property(bool, "layerColumnVisible", False)
    filterBarVisible = stored_property(bool, "filterBarVisible", False)
    jumpToSelectedSegmentEnabled = stored_property(bool, "jumpToSelectedSegmentEnabled", False)
    selectionMode = stored_property(int, "selectionMode", 3)

    def _fill(self, *_):
        segmentation = self._events.node.GetSegmentation() if self._events.node else None
        ids = list(segmentation.GetSegmentIDs()) if segmentation else []
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        self._table.setRowCount(len(ids))
        for row, segment_id in enumerate(ids):
            segment = segmentation.GetSegment(segment_id)
            color = QtWidgets.QTableWidgetItem("")
            color.setBackground(QtGui.QColor.fromRgbF(*segment.GetColor()))
            name = QtWidgets.QTableWidgetItem(segment.GetName())
            name.setData(QtCore.Qt.UserRole, segment_id)
            status = logic.GetSegmentStatusAsHumanReadableString(logic.GetSegmentStatus(segment))
            for column, item in enumerate((color, name, QtWidgets.QTableWidgetItem(status))):
                self._table.setItem(row, column, item)

    def _id(self, row):
        return self._table.item(row, 1).data(QtCore.Qt.UserRole)

    def setMRMLScene(self, scene):
        self._scene = scene

    def mrmlScene(self):
        return self._scene

    def setSegmentationNode(self, node):
        self._events.follow(node)
        self._fill()

    def segmentationNode(self):
        return self._events.node

    def _let_go(self):
        self._events.follow(None)

    def selectedSegmentIDs(self):
        return [self._id(row) for row in sorted({index.row() for index in self._table.selectedIndexes()})]

    def setSelectedSegmentIDs(self, ids):
        self._table.clearSelection()
        for row in range(self._table.rowCount):
            if self._id(row) in ids:
                self._table.selectRow(row)

    def clearSelection(self):
        self._table.clearSelection()


@register
class qMRMLSegmentationShow3DButton(Strict, QtWidgets.QPushButton):
    def __init__(self, parent=None):
        super().__init__(parent)
        self.setText("Show 3D")
        self.setCheckable(True)
        self._events = _NodeEvents(self._update)
        self.toggled.connect(self._toggled)
        self._update()

    locked = stored_property(bool, "locked", False)

    def click(self):
        """Slicer's is a menu button: Qt opens the menu of one that no mouse clicks, and waits for a choice."""
        raise RuntimeError("click() opens the menu of this button and waits in it: toggle() instead")

    def setSegmentationNode(self, node):
        self._events.follow(node)
        self._update()

    def segmentationNode(self):
        return self._events.node

    def _update(self, *_):
        segmentation = self._events.node.GetSegmentation() if self._events.node else None
        self.setEnabled(bool(segmentation and segmentation.GetNumberOfSegments()))
        self.blockSignals(True)
        self.setChecked(bool(segmentation and segmentation.ContainsRepresentation(CLOSED_SURFACE)))
        self.blockSignals(False)

    def _let_go(self):
        self._events.follow(None)

    def _toggled(self, on):
        node = self._events.node
        wasModifying = node.StartModify()  # as Slicer's button does
        if on:
            node.CreateClosedSurfaceRepresentation()
        else:
            node.RemoveClosedSurfaceRepresentation()
        node.EndModify(wasModifying)


@register
class qMRMLSegmentEditorWidget(SceneWidget):
    """Holds a real vtkMRMLSegmentEditorNode; effects are names only."""

    segmentationNodeChanged = Signal(object)
    sourceVolumeNodeChanged = Signal(object)
    currentSegmentIDChanged = Signal(str)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._node = None
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._table = qMRMLSegmentsTableView(self)
        layout.addWidget(self._table)
        grid = QtWidgets.QGridLayout()
        for index, name in enumerate(EFFECTS):
            button = QtWidgets.QPushButton(name, self)
            button.setCheckable(True)
            grid.addWidget(button, index // 3, index % 3)
        layout.addLayout(grid)
        self._shortcutsIn = None  # for tests: the widget whose window has the shortcuts
        self._history = slicer.vtkSegmentationHistory()

    def _set_undo_enabled(self, enabled):
        if enabled:  # as Slicer's editor does
            self._history.RemoveAllStates()

    undoEnabled = stored_property(bool, "undoEnabled", True, _set_undo_enabled)
    maximumNumberOfUndoStates = stored_property(
        int, "maximumNumberOfUndoStates", 5, lambda self, states: self._history.SetMaximumNumberOfStates(states)
    )
    segmentationNodeSelectorVisible = stored_property(bool, "segmentationNodeSelectorVisible", True)
    sourceVolumeNodeSelectorVisible = stored_property(bool, "sourceVolumeNodeSelectorVisible", True)
    switchToSegmentationsButtonVisible = stored_property(bool, "switchToSegmentationsButtonVisible", True)
    jumpToSelectedSegmentEnabled = stored_property(bool, "jumpToSelectedSegmentEnabled", False)

    def setMRMLSegmentEditorNode(self, node):
        self._node = node
        self.updateWidgetFromMRML()

    def mrmlSegmentEditorNode(self):
        return self._node

    def updateWidgetFromMRML(self):
        self._table.setSegmentationNode(self._node.GetSegmentationNode() if self._node else None)

    def setSegmentationNode(self, node):
        if self._node is None:
            raise RuntimeError("set the segment editor node first")
        self._node.SetAndObserveSegmentationNode(node)
        if node and not node.GetDisplayNode():
            node.CreateDefaultDisplayNodes()
        self._table.setSegmentationNode(node)
        self._history.SetSegmentation(node.GetSegmentation() if node else None)
        self.segmentationNodeChanged.emit(node)

    def segmentationNode(self):
        return self._node.GetSegmentationNode() if self._node else None

    def setSourceVolumeNode(self, node):
        segmentation = self.segmentationNode()
        if node is not None and segmentation is None:
            raise RuntimeError("Slicer crashes where the source volume is set before the segmentation")
        self._node.SetAndObserveSourceVolumeNode(node)
        parameter = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
        if segmentation and node and not segmentation.GetSegmentation().GetConversionParameter(parameter):
            segmentation.SetReferenceImageGeometryParameterFromVolumeNode(node)
        self.sourceVolumeNodeChanged.emit(node)

    def sourceVolumeNode(self):
        return self._node.GetSourceVolumeNode()

    def setCurrentSegmentID(self, segment_id):
        self._node.SetSelectedSegmentID(segment_id)
        self._table.setSelectedSegmentIDs([segment_id])
        self.currentSegmentIDChanged.emit(segment_id)

    def currentSegmentID(self):
        return self._node.GetSelectedSegmentID()

    def setActiveEffectByName(self, name):
        self._node.SetActiveEffectName(name)

    def setActiveEffect(self, effect):
        if effect is not None:
            raise NotImplementedError("the harness has no effects")
        if self._node:
            self._node.SetActiveEffectName("")

    def saveStateForUndo(self):
        """What every effect does before it changes anything."""
        self._history.SaveState()

    def undo(self):
        self._history.RestorePreviousState()

    def redo(self):
        self._history.RestoreNextState()

    def _let_go(self):
        self._history.SetSegmentation(None)

    def availableEffectNames(self):
        return list(EFFECTS)

    def installKeyboardShortcuts(self, parent=None):
        if parent is None:
            raise RuntimeError("there is no main window to install shortcuts in")
        self._shortcutsIn = parent

    def uninstallKeyboardShortcuts(self):
        self._shortcutsIn = None

    def setupViewObservations(self):
        pass

    def removeViewObservations(self):
        pass
