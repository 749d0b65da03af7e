"""What was asked of a run, and its result in the scene: the same whether this process computes it or a worker."""

from __future__ import annotations

import dataclasses

import slicer
from slicer.i18n import tr as _

from ...engine.errors import InputError, OutputError
from ...engine.findings import Finding
from ...engine.grid.boxed import Boxed
from ...engine.results.result import SegmentationResult
from ...engine.run_options import RunOptions
from ...scene.nodes.probabilities import addProbabilityVolumes
from ...scene.tools.refinement import Refinement, editsIn, requireCorrections
from ...scene.tools.scan_input import scanFromNode
from ...scene.workspace.replace_history import ReplaceHistory
from ...scene.workspace.segmentation import requireUsable, segmentationNodeFromResult
from ...scene.workspace.workspace import workspaceOf


class SegmentationRequest:
    """A volume to segment.

    :param outputNode: gets the segments; a new node beside the volume if None.
    :param replace: replace an earlier result in ``outputNode``, which ``history`` can undo.
    :param roiNode: only what lies in this region is segmented.

    :ivar scan: what of the volume is looked at.
    :ivar options: how it is computed: with the maps, as thresholds are tried on them later.

    Raises a CascadeError, one clear sentence, where volume, region or output are unfit.
    """

    def __init__(
        self,
        volumeNode: slicer.vtkMRMLScalarVolumeNode | None,
        options: RunOptions,
        history: ReplaceHistory,
        outputNode: slicer.vtkMRMLSegmentationNode | None = None,
        replace: bool = False,
        roiNode: slicer.vtkMRMLMarkupsROINode | None = None,
    ):
        if volumeNode is None or volumeNode.GetScene() is None:
            raise InputError(_("Select the CT to segment."))
        self.scan = scanFromNode(volumeNode, roiNode)
        if outputNode is not None:
            requireUsable(outputNode, volumeNode, replace)
        self.volumeNode, self._outputNode = volumeNode, outputNode
        self._replace, self._history = replace, history
        self._keepProbabilities = options.keep_probabilities
        self.options = dataclasses.replace(options, keep_probabilities=True)

    def edits(self) -> Boxed | None:
        """None: nothing is refined."""
        return None

    def intoScene(self, result: SegmentationResult) -> tuple[slicer.vtkMRMLSegmentationNode, SegmentationResult]:
        """The node, and the result on the whole volume; where the output had to be another node, a finding says so."""
        result = self.scan.onWholeVolume(result)
        outputNode, reason = self._outputNode, ""
        if outputNode is not None and outputNode.GetScene() is None:
            outputNode, reason = None, _("{name} was removed.").format(name=outputNode.GetName())
        elif outputNode is not None:
            try:
                requireUsable(outputNode, self.volumeNode, self._replace)
            except OutputError as error:
                outputNode, reason = None, str(error)
        node = segmentationNodeFromResult(result, self.volumeNode, outputNode, self._replace, history=self._history)
        if reason:
            message = _("The result is in the new node {name}. {reason}").format(name=node.GetName(), reason=reason)
            result.findings = [*result.findings, Finding("new_output", "info", message)]
        if self._keepProbabilities:
            addProbabilityVolumes(result, self.volumeNode)
        workspaceOf(node)  # from now on, every edit is known
        return node, result


class RefinementRequest:
    """A result to refine from its edits; nothing in the scene changes until the refinement is accepted.

    Raises a CascadeError where there is nothing to refine or the region is unfit.
    """

    def __init__(
        self,
        segmentationNode: slicer.vtkMRMLSegmentationNode | None,
        options: RunOptions,
        roiNode: slicer.vtkMRMLMarkupsROINode | None = None,
    ):
        self._workspace = requireCorrections(segmentationNode)
        self.volumeNode = self._workspace.volumeNode
        self.scan = scanFromNode(self.volumeNode, roiNode)
        self.options = options

    def edits(self) -> Boxed:
        """The result and what was changed in it, on the scan's grid."""
        return editsIn(self._workspace, self.scan)

    def intoScene(self, result: SegmentationResult) -> tuple[slicer.vtkMRMLSegmentationNode, Refinement]:
        """The node, and what would change. Raises OutputError where another result has taken the place of this one."""
        node = self._workspace.node
        if workspaceOf(node) is not self._workspace:
            message = _("{name} was removed or is another result by now. Refine again.")
            raise OutputError(message.format(name=node.GetName()))
        return node, Refinement.ofScan(self._workspace, self.scan, result)
