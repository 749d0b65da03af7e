"""What was asked of a run, and its result in the scene: the same whether this process computes it or a worker."""

from __future__ import annotations

import dataclasses

import slicer
from slicer.i18n import tr as _

from ...engine.corrections.edit_flags import CORRECTED
from ...engine.errors import InputError, OutputError
from ...engine.findings import Finding
from ...engine.grid.bounding_box import box_at
from ...engine.grid.boxed import Boxed
from ...engine.results.result import SegmentationResult
from ...engine.run_options import RunOptions
from ...scene.tools.refinement import Refinement, editFlags, requireCorrections
from ...scene.tools.scan_input import scanFromNode
from ...scene.workspace.replace_history import ReplaceHistory
from ...scene.workspace.segmentation import requireSameGrid, requireUsable, segmentationNodeFromResult
from ...scene.workspace.stored_probability import addProbabilityVolumes
from ...scene.workspace.workspace import workspaceOf


class SegmentationRequest:
    """A volume to segment. The result goes to the volume and the node given here, whatever is selected by then.

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
        outputNode: slicer.vtkMRMLSegmentationNode | None,
        replace: bool,
        roiNode: slicer.vtkMRMLMarkupsROINode | None,
    ):
        if volumeNode is None or volumeNode.GetScene() is None:
            raise InputError(_("Select the CT to segment."))
        self.scan = scanFromNode(volumeNode, roiNode)
        if outputNode is not None:
            requireUsable(outputNode, volumeNode, replace)
        self.volumeNode, self.outputNode = volumeNode, outputNode
        self.replace, self._history = replace, history
        self.keepProbabilities = options.keep_probabilities
        self.options = dataclasses.replace(options, keep_probabilities=True)

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
        node = segmentationNodeFromResult(result, self.volumeNode, outputNode, self.replace, history=self._history)
        if reason:
            message = _("The result is in the new node {name}. {reason}").format(name=node.GetName(), reason=reason)
            result.findings = [*result.findings, Finding("new_output", "info", message)]
        if self.keepProbabilities:
            addProbabilityVolumes(result, self.volumeNode)
        workspaceOf(node)  # from now on, every edit is known
        return node, result


class RefinementRequest:
    """A result to refine from its edits; nothing in the scene changes until the refinement is accepted.

    :param roiNode: only what lies in this region is refined.

    Raises a CascadeError where there is nothing to refine or the region is unfit.
    """

    def __init__(
        self,
        segmentationNode: slicer.vtkMRMLSegmentationNode | None,
        options: RunOptions,
        roiNode: slicer.vtkMRMLMarkupsROINode | None,
    ):
        self.workspace = requireCorrections(segmentationNode)
        self.volumeNode = self.workspace.volumeNode
        self.scan = scanFromNode(self.volumeNode, roiNode)
        self._region = box_at(self.scan.start, self.scan.array.shape)
        if not (self.edits().values & CORRECTED).any():
            raise InputError(
                _("No edit lies in {region}: choose Whole volume in Advanced, or move the region.").format(
                    region=self.scan.roiName
                )
            )
        self.options = options

    def edits(self) -> Boxed:
        """The result and what was changed in it, on the scan's grid."""
        flags = editFlags(self.workspace)
        return Boxed(flags.within(self._region), (0, 0, 0)) if self.scan.roiName else flags

    def intoScene(self, result: SegmentationResult) -> tuple[slicer.vtkMRMLSegmentationNode, Refinement]:
        """The node, and what would change.

        Raises OutputError where another result has taken the place of this one, or the volume's grid is another by now.
        """
        node = self.workspace.node
        if workspaceOf(node) is not self.workspace:
            message = _("{name} was removed or is another result by now. Refine again.")
            raise OutputError(message.format(name=node.GetName()))
        result = self.scan.onWholeVolume(result)
        requireSameGrid(result, self.volumeNode)
        return node, Refinement(self.workspace, result, self._region)
