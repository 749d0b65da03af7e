"""What was asked of a run, and its result in the scene: the same whether this process computes it or a worker."""

from __future__ import annotations

from dataclasses import dataclass, replace

import slicer
from slicer.i18n import tr as _

from ...engine.errors import InputError, OutputError
from ...engine.findings import Finding
from ...engine.grid.boxed import Boxed
from ...engine.results.result import SegmentationResult
from ...engine.run_options import RunOptions
from ...scene.nodes.probabilities import addProbabilityVolumes
from ...scene.tools.refinement import Refinement, editsIn, requireCorrections
from ...scene.tools.scan_input import Scan, scanFromNode
from ...scene.workspace.replace_history import ReplaceHistory
from ...scene.workspace.segmentation import requireUsable, segmentationNodeFromResult
from ...scene.workspace.workspace import Workspace, workspaceOf


@dataclass(frozen=True)
class SegmentationRequest:
    """A volume to segment.

    :param scan: what of the volume is looked at.
    :param outputNode: gets the segments; a new node beside the volume if None.
    :param replace: replace an earlier result in ``outputNode``, which ``history`` can undo.
    """

    volumeNode: slicer.vtkMRMLScalarVolumeNode
    scan: Scan
    choices: RunOptions
    outputNode: slicer.vtkMRMLSegmentationNode | None
    replace: bool
    history: ReplaceHistory

    @classmethod
    def of(
        cls,
        volumeNode: slicer.vtkMRMLScalarVolumeNode | None,
        options: RunOptions,
        history: ReplaceHistory,
        outputNode: slicer.vtkMRMLSegmentationNode | None = None,
        replace: bool = False,
        roiNode: slicer.vtkMRMLMarkupsROINode | None = None,
    ) -> SegmentationRequest:
        """Raises a CascadeError, one clear sentence, where volume, region or output are unfit."""
        if volumeNode is None or volumeNode.GetScene() is None:
            raise InputError(_("Select the CT to segment."))
        scan = scanFromNode(volumeNode, roiNode)
        if outputNode is not None:
            requireUsable(outputNode, volumeNode, replace)
        return cls(volumeNode, scan, options, outputNode, replace, history)

    @property
    def options(self) -> RunOptions:
        """How it is computed: with the maps, as thresholds are tried on them later."""
        return replace(self.choices, keep_probabilities=True)

    def edits(self) -> Boxed | None:
        """None: nothing is refined."""
        return None

    def intoScene(self, result: SegmentationResult) -> tuple[slicer.vtkMRMLSegmentationNode, SegmentationResult]:
        """The node, and the result on the whole volume; where the output had to be another node, a finding says so."""
        result = self.scan.onWholeVolume(result)
        outputNode, reason = self.outputNode, ""
        if outputNode is not None and outputNode.GetScene() is None:
            outputNode, reason = None, _("{name} was removed.").format(name=outputNode.GetName())
        elif outputNode is not None:
            try:
                requireUsable(outputNode, self.volumeNode, self.replace)
            except OutputError as error:
                outputNode, reason = None, str(error)
        node = segmentationNodeFromResult(result, self.volumeNode, outputNode, self.replace, history=self.history)
        if reason:
            message = _("The result is in the new node {name}. {reason}").format(name=node.GetName(), reason=reason)
            result.findings = [*result.findings, Finding("new_output", "info", message)]
        if self.choices.keep_probabilities:
            addProbabilityVolumes(result, self.volumeNode)
        workspaceOf(node)  # from now on, every edit is known
        return node, result


@dataclass(frozen=True)
class RefinementRequest:
    """A result to refine from its edits; nothing in the scene changes until the refinement is accepted."""

    workspace: Workspace
    scan: Scan
    options: RunOptions

    @classmethod
    def of(
        cls,
        segmentationNode: slicer.vtkMRMLSegmentationNode | None,
        options: RunOptions,
        roiNode: slicer.vtkMRMLMarkupsROINode | None = None,
    ) -> RefinementRequest:
        """Raises a CascadeError where there is nothing to refine or the region is unfit."""
        workspace = requireCorrections(segmentationNode)
        return cls(workspace, scanFromNode(workspace.volumeNode, roiNode), options)

    @property
    def volumeNode(self) -> slicer.vtkMRMLScalarVolumeNode:
        return self.workspace.volumeNode

    def edits(self) -> Boxed:
        """The result and what was changed in it, on the scan's grid."""
        return editsIn(self.workspace, self.scan)

    def intoScene(self, result: SegmentationResult) -> tuple[slicer.vtkMRMLSegmentationNode, Refinement]:
        """The node, and what would change. Raises OutputError where another result has taken the place of this one."""
        node = self.workspace.node
        if workspaceOf(node) is not self.workspace:
            message = _("{name} was removed or is another result by now. Refine again.")
            raise OutputError(message.format(name=node.GetName()))
        return node, Refinement.ofScan(self.workspace, self.scan, result)
