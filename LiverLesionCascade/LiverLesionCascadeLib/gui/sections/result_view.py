"""The results section: what was found in the chosen volume, and the workbench for it."""

import slicer
import vtk
from slicer.util import VTKObservationMixin

from ...engine.errors import CascadeError
from ...scene.nodes.later import Later
from ...scene.nodes.one_change import oneRendering
from ...scene.nodes.volume import volumeOf
from ...scene.tools.navigation import showAlone
from ...scene.workspace.provenance import EDITS_ROLE, resultSegmentIds
from ...scene.workspace.workspace import requireWorkspace, workspaceOf
from ..widgets import showText
from .result_summary import findingsText, resultFindings, runText
from .workbench import Workbench

UPDATE_SECONDS = 0.3
"""What changes in the node is shown at this pace."""


class ResultView(VTKObservationMixin):
    """Shows one segmentation node; hidden without one.

    :param ui: the panel's widgets.
    :param history: replaced results: canUndo, undo, canRedo, redo of a node.
    :param callLater: (seconds, function): the event loop calls the function once, later.
    :param refine: starts to refine a segmentation node; see RefineSection.
    """

    def __init__(self, ui, history, callLater, refine):
        VTKObservationMixin.__init__(self)
        self._ui, self._history = ui, history
        self._updating = Later(callLater, self._update)
        self.node, self._volumeNode, self._workspace = None, None, None
        self.workbench = Workbench(ui.workbenchBody.layout(), ui.sectionsBody.layout(), callLater, refine)
        ui.show3DButton.connect("toggled(bool)", self._onShow3D)
        ui.undoReplaceButton.connect("clicked(bool)", lambda: self._step(history.undo))
        ui.redoReplaceButton.connect("clicked(bool)", lambda: self._step(history.redo))
        self._update()

    @oneRendering()
    def show(self, node):
        """:param node: the segmentation node; None for none."""
        if node is not self.node:
            self.removeObservers()
            self.node, self._volumeNode = node, None
            self._ui.segmentsTable.setSegmentationNode(node)
            self._ui.show3DButton.setSegmentationNode(node)
            if node is not None:
                showAlone(node)
                for event in (slicer.vtkSegmentation.SegmentAdded, slicer.vtkSegmentation.SegmentRemoved):
                    self.addObserver(node, event, self._onNodeChanged)
                self.addObserver(node, vtk.vtkCommand.ModifiedEvent, self._onNodeChanged)
                self.addObserver(node, slicer.vtkMRMLTransformableNode.TransformModifiedEvent, self._onMoved)
        self._update()

    def segmentToEdit(self) -> str:
        """ID of the selected lesion's segment, else of the one in the table of all segments, else of the first."""
        selected = [self.workbench.lesions.selectedId(), *self._ui.segmentsTable.selectedSegmentIDs()]
        workspace = workspaceOf(self.node)
        lesions = workspace.lesionIds() if workspace is not None else []
        present = self.node.GetSegmentation().GetSegmentIDs()
        return next((each for each in (*selected, *lesions, *present) if each in present), "")

    def cleanup(self):
        """Nothing may call this object any more."""
        self.removeObservers()
        self.workbench.cleanup()

    @oneRendering()
    def _onShow3D(self, on):
        """Surfaces that have just been made come into the middle of the 3D views."""
        if on and slicer.app.layoutManager() is not None:
            slicer.util.resetThreeDViews()

    @oneRendering()
    def _step(self, step):
        if self.node is not None:
            step(self.node)
            self._update()

    def _onNodeChanged(self, caller=None, event=None):
        self._updating.ask(UPDATE_SECONDS)

    def _onMoved(self, caller=None, event=None):
        # What shows a result measures it anew by itself; here counts whether it still can, or can again.
        if self._workspace is None or not self._workspace.watch.isInPlace:
            self._onNodeChanged()

    def _followVolume(self):
        """Where the volume lies, and what voxels it has, decides whether anything can be done with a result."""
        volumeNode = volumeOf(self.node)
        if volumeNode is self._volumeNode:
            return
        events = (
            slicer.vtkMRMLTransformableNode.TransformModifiedEvent,
            slicer.vtkMRMLVolumeNode.ImageDataModifiedEvent,
            vtk.vtkCommand.ModifiedEvent,
        )
        for event in events:
            if self._volumeNode is not None:
                self.removeObserver(self._volumeNode, event, self._onMoved)
            if volumeNode is not None:
                self.addObserver(volumeNode, event, self._onMoved)
        self._volumeNode = volumeNode

    def _update(self):
        node = self.node if self.node is not None and self.node.GetScene() is not None else None
        ui = self._ui
        ui.resultsCollapsibleButton.visible = node is not None
        self._workspace, problem = None, ""
        if node is not None:
            self._followVolume()
            try:
                self._workspace = requireWorkspace(node, "")
            except CascadeError as error:
                problem = str(error)
        self.workbench.show(self._workspace)
        if node is None:
            return
        ui.resultNameLabel.text = node.GetName()
        showText(ui.summaryLabel, runText(node))
        showText(ui.resultFindingsLabel, problem or findingsText(resultFindings(node)))
        ui.undoReplaceButton.visible = self._history.canUndo(node)
        ui.redoReplaceButton.visible = self._history.canRedo(node)


def latestResult(volumeNode):
    """The segmentation node that was added last of those with a result of the volume; None if there is none.

    One whose edits are recorded goes before one that may only hold copies of its segments.
    """
    nodes = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    found = [node for node in nodes if volumeOf(node) is volumeNode and resultSegmentIds(node)]
    found.sort(key=lambda node: node.GetNodeReference(EDITS_ROLE) is not None)
    return found[-1] if found else None
