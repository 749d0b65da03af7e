"""The results section: what was found in the chosen volume, its segments, and what can be done with them."""

import slicer
import vtk
from slicer.util import VTKObservationMixin

from ..scene.provenance import LESION_ROLE, ROLE, getTag, resultSegmentIds
from .findings_text import findingsText
from .result_summary import resultFindings, summaryText

UPDATE_SECONDS = 0.3
"""While a person paints, the summary follows at this pace."""


class ResultView(VTKObservationMixin):
    """Shows one segmentation node; hidden without one.

    :param ui: the panel's widgets.
    :param history: replaced results: canUndo, undo, canRedo, redo of a node.
    :param callLater: (seconds, function): the event loop calls the function once, later.
    """

    def __init__(self, ui, history, callLater):
        VTKObservationMixin.__init__(self)
        self._ui, self._history, self._callLater = ui, history, callLater
        self._updating = False
        self.node = None
        ui.undoReplaceButton.connect("clicked(bool)", lambda: self._step(history.undo))
        ui.redoReplaceButton.connect("clicked(bool)", lambda: self._step(history.redo))
        self._update()

    def show(self, node):
        """:param node: the segmentation node; None for none."""
        if node is not self.node:
            self.removeObservers()
            self.node = node
            self._ui.segmentsTable.setSegmentationNode(node)
            self._ui.show3DButton.setSegmentationNode(node)
            if node is not None:
                for event in ("SegmentAdded", "SegmentRemoved", "SourceRepresentationModified"):
                    self.addObserver(node, getattr(slicer.vtkSegmentation, event), self._onSegmentsChanged)
                self.addObserver(node, vtk.vtkCommand.ModifiedEvent, self._onSegmentsChanged)
        self._update()

    def segmentToEdit(self) -> str:
        """ID of the segment selected in the table, else of the first lesion, else of the first segment."""
        selected = self._ui.segmentsTable.selectedSegmentIDs()
        if selected:
            return selected[0]
        segmentation = self.node.GetSegmentation()
        for segmentId in resultSegmentIds(self.node):
            if getTag(segmentation.GetSegment(segmentId), ROLE) == LESION_ROLE:
                return segmentId
        return segmentation.GetNthSegmentID(0) if segmentation.GetNumberOfSegments() else ""

    def _step(self, step):
        if self.node is not None:
            step(self.node)
            self._update()

    def _onSegmentsChanged(self, caller=None, event=None):
        if not self._updating:
            self._updating = True
            self._callLater(UPDATE_SECONDS, self._updateAgain)

    def _updateAgain(self):
        self._updating = False
        self._update()

    def _update(self):
        node = self.node if self.node is not None and self.node.GetScene() is not None else None
        ui = self._ui
        ui.resultsCollapsibleButton.visible = node is not None
        if node is None:
            return
        ui.resultNameLabel.text = node.GetName()
        ui.summaryLabel.text = summaryText(node)
        findings = findingsText(resultFindings(node))
        ui.resultFindingsLabel.text = findings
        ui.resultFindingsLabel.visible = bool(findings)
        ui.undoReplaceButton.visible = self._history.canUndo(node)
        ui.redoReplaceButton.visible = self._history.canRedo(node)


def latestResult(volumeNode):
    """The segmentation node that was added last of those with a result of the volume; None if there is none."""
    role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    nodes = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    found = [node for node in nodes if node.GetNodeReference(role) is volumeNode and resultSegmentIds(node)]
    return found[-1] if found else None
