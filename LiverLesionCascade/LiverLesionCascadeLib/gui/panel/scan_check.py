"""Checks the chosen volume before it is segmented, in short steps: the panel stays alive."""

import slicer
import vtk
from slicer.util import VTKObservationMixin

from ...engine.errors import CascadeError
from ...engine.scan.ct_volume import inspect
from ...scene.nodes.later import Later
from ...scene.tools.scan_input import scanFromNode
from ..runs.stepwise import Stepwise

SETTLE_SECONDS = 0.1
"""A volume that is being loaded changes several times: it is checked when it has come to rest."""

EVENTS = (
    vtk.vtkCommand.ModifiedEvent,
    slicer.vtkMRMLVolumeNode.ImageDataModifiedEvent,
    slicer.vtkMRMLTransformableNode.TransformModifiedEvent,
)


class ScanCheck(VTKObservationMixin):
    """What should be known of a volume before a run.

    ``findings`` are those of the volume given last, empty until they are known; ``refusal`` says in one sentence why
    it cannot be segmented, empty if it can.

    :param callLater: (seconds, function): the event loop calls the function once, later.
    :param onChecked: called when findings and refusal are known.
    """

    def __init__(self, callLater, onChecked):
        VTKObservationMixin.__init__(self)
        self._onChecked = onChecked
        self._volumeNode = None
        self._work = Stepwise(callLater)
        self._settling = Later(callLater, self._settled)
        self.findings, self.refusal = [], ""

    def start(self, volumeNode):
        """Check a volume, and again whenever it changes; None for none."""
        if volumeNode is self._volumeNode:
            return
        self.removeObservers()
        self._work.stop()
        self._volumeNode = volumeNode
        self.findings, self.refusal = [], ""
        if volumeNode is not None:
            for event in EVENTS:
                self.addObserver(volumeNode, event, self._onVolumeChanged)
            self._onVolumeChanged()

    def _onVolumeChanged(self, caller=None, event=None):
        self._settling.ask(SETTLE_SECONDS)

    def _settled(self):
        if self._volumeNode is None:
            return
        try:
            scan = scanFromNode(self._volumeNode)
        except CascadeError as error:
            self._end([], str(error))
        else:
            steps = inspect(scan.array, scan.ijkToLps, scan.name)
            self._work.begin(steps, self._end, lambda problem: self._end([], problem))

    def _end(self, findings, problem=""):
        self.findings = findings
        self.refusal = next((finding.message for finding in findings if finding.severity == "error"), problem)
        self._onChecked()
