"""The page with Slicer's Segment Editor, for one result."""

import slicer

from ...scene.workspace.edit_record import keepSteps
from ...scene.workspace.liver_cover import LiverCover
from ...scene.workspace.workspace import workspaceOf

EDITOR_TAG = "LiverLesionCascade"
UNDO_STATES = 10


class EditPage:
    """Shows the full Segment Editor on a segmentation, with its own volume, and goes back to the panel.

    The editor has a parameter node of its own: what the Segment Editor module shows is left alone. It is made when it
    is used first, by when all effects are registered.

    :param pages: QStackedWidget.
    :param page: the page of it that gets the editor.
    :param panelPage: the page to go back to.
    """

    def __init__(self, pages, page, panelPage):
        self._pages, self._page, self._panelPage = pages, page, panelPage
        self._scrolled = {}
        self.editor = None

    @property
    def isShown(self) -> bool:
        return self._pages.currentWidget() == self._page

    def open(self, segmentationNode, volumeNode, segmentId):
        """:param segmentId: the segment to select."""
        if self.editor is None:
            self._makeEditor()
        self._useEditorNode()
        # Liver and lesions overlap: what is painted as lesion stays liver.
        self.editor.mrmlSegmentEditorNode().SetOverwriteMode(slicer.vtkMRMLSegmentEditorNode.OverwriteNone)
        # In this order: Slicer crashes where the source volume is set before the segmentation.
        self.editor.setSegmentationNode(segmentationNode)
        self.editor.setSourceVolumeNode(volumeNode)
        self.editor.setCurrentSegmentID(segmentId)
        self._show(self._page)
        self.forgetSteps()
        self.enter()

    def forgetSteps(self):
        """The editor's steps bring whole segments back as they were: what the panel did since, verdicts, thresholds and
        refinements, would be taken back with a stroke, and that would count as a correction."""
        if self.isShown:
            self.editor.undoEnabled = True  # Slicer's editor forgets its steps whenever this is set
            keepSteps(self.editor.segmentationNode(), True)

    def close(self):
        """Back to the panel."""
        self.leave()
        if self.isShown and self.editor.segmentationNode() is not None:
            keepSteps(self.editor.segmentationNode(), False)
        self._show(self._panelPage)

    def _show(self, page):
        """The scroll area around the panel keeps its place when pages change; here each page has its own."""
        if self._pages.currentWidget() == page:
            return
        bar = _scrollBarAround(self._pages)
        if bar is not None:
            self._scrolled[self._pages.currentIndex] = bar.value
        self._pages.setCurrentWidget(page)
        if bar is not None:
            bar.value = 0 if page == self._page else self._scrolled.get(self._pages.currentIndex, 0)

    def onSceneClosing(self):
        """Let go of the scene's nodes."""
        self.close()
        if self.editor is not None:
            self.editor.setSegmentationNode(None)

    def enter(self):
        """The module is shown: while the editor is, its shortcuts work."""
        if self.isShown:
            self.editor.installKeyboardShortcuts(slicer.util.mainWindow() or self._page)

    def leave(self):
        """The module is left: no effect and no shortcut stays active."""
        if self.editor is not None:
            self.editor.setActiveEffect(None)
            self.editor.uninstallKeyboardShortcuts()
            self.editor.removeViewObservations()

    def _makeEditor(self):
        self.editor = slicer.qMRMLSegmentEditorWidget()
        self.editor.setMaximumNumberOfUndoStates(UNDO_STATES)
        self.editor.switchToSegmentationsButtonVisible = False
        self._useEditorNode()
        self.editor.setMRMLScene(slicer.mrmlScene)
        self._page.layout().addWidget(self.editor)

    def _useEditorNode(self):
        """The editor's parameter node, made anew where the scene was closed; a saved scene brings the same one."""
        node = slicer.mrmlScene.GetSingletonNode(EDITOR_TAG, "vtkMRMLSegmentEditorNode")
        if node is None:
            node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
            node.UnRegister(None)
            node.SetSingletonTag(EDITOR_TAG)
            node = slicer.mrmlScene.AddNode(node)
        self.editor.setMRMLSegmentEditorNode(node)


def coverLesions(segmentationNode, ask):
    """Lesions that were painted beside the liver are added to it, if the person says so.

    :param ask: (mL) -> whether to.

    Raises OutputError where the segments do not overlay the volume.
    """
    workspace = workspaceOf(segmentationNode)
    cover = workspace.tool(LiverCover) if workspace is not None else None
    volume = cover.outsideMl() if cover is not None else 0
    if volume and ask(volume):
        cover.add()
    elif volume:
        cover.decline()


def _scrollBarAround(widget):
    """The vertical scroll bar of the area that a widget lies in; None where there is none."""
    parent = widget.parentWidget()
    while parent is not None and not parent.inherits("QAbstractScrollArea"):
        parent = parent.parentWidget()
    return None if parent is None else parent.verticalScrollBar()
