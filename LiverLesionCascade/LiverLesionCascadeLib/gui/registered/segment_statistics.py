"""Axial diameters in Slicer's module Segment Statistics, for any segment."""

import slicer
from SegmentStatistics import SegmentStatisticsLogic
from SegmentStatisticsPlugins import SegmentStatisticsPluginBase
from slicer.i18n import tr as _

from ...engine.codes import LONG_AXIS, MILLIMETER, SHORT_AXIS
from ...scene.tools.segment_diameters import segmentDiameters


def register() -> None:
    """Let Slicer compute the plugin's measures; in place of an earlier version, after the module was reloaded."""
    registered = SegmentStatisticsLogic.registeredPlugins
    registered[:] = [known for known in registered if known.__name__ != AxialDiameterSegmentStatisticsPlugin.__name__]
    SegmentStatisticsLogic.registerPlugin(AxialDiameterSegmentStatisticsPlugin())


class AxialDiameterSegmentStatisticsPlugin(SegmentStatisticsPluginBase):
    """Long and short axial diameter of a segment, and where they were measured."""

    def __init__(self):
        super().__init__()
        self.name = "Axial Diameter"
        self.title = _("Axial Diameter")
        self.keys = ["long_axis_mm", "short_axis_mm", "slice_s_mm"]
        self.defaultKeys = ["long_axis_mm", "short_axis_mm"]

    def computeStatistics(self, segmentID):
        requested = self.getRequestedKeys()
        node = slicer.mrmlScene.GetNodeByID(self.getParameterNode().GetParameter("Segmentation"))
        found = segmentDiameters(node, segmentID) if requested and node is not None else None
        if found is None:
            return {}
        position = found.long_axis_middle[2]
        values = {"long_axis_mm": found.long_axis_mm, "short_axis_mm": found.short_axis_mm, "slice_s_mm": position}
        return {key: values[key] for key in requested}

    def getMeasurementInfo(self, key):
        infos = {
            "long_axis_mm": {
                "name": "Axial long axis",
                "title": _("Axial long axis"),
                "description": _("Longest diameter in an axial slice, over all axial slices."),
                "quantityDicomCode": self._coded(LONG_AXIS),
            },
            "short_axis_mm": {
                "name": "Axial short axis",
                "title": _("Axial short axis"),
                "description": _("Longest diameter perpendicular to the long axis, in the same slice."),
                "quantityDicomCode": self._coded(SHORT_AXIS),
            },
            "slice_s_mm": {
                "name": "Axial diameter slice S",
                "title": _("Slice of the axial diameters"),
                "description": _("Superior coordinate of the slice in which the axial diameters were measured."),
            },
        }
        if key not in infos:
            return None
        return self.createMeasurementInfo(units=_("mm"), unitsDicomCode=self._coded(MILLIMETER), **infos[key])

    def _coded(self, code):
        return self.createCodedEntry(code.value, code.scheme, code.meaning, True)
