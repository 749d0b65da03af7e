"""Stand-in for Slicer's module Segment Statistics: how plugins are made, registered, asked and listed."""

import logging
import sys
import types
from importlib.machinery import ModuleSpec


class SegmentStatisticsPluginBase:
    """What a plugin may rely on; without the widgets with its options."""

    @staticmethod
    def createCodedEntry(codeValue, codingScheme, codeMeaning, returnAsString=False):
        import slicer

        entry = slicer.vtkCodedEntry()
        entry.SetValueSchemeMeaning(codeValue, codingScheme, codeMeaning)
        return entry.GetAsString() if returnAsString else entry

    @staticmethod
    def createMeasurementInfo(
        name,
        title,
        description,
        units,
        quantityDicomCode=None,
        unitsDicomCode=None,
        measurementMethodDicomCode=None,
        derivationDicomCode=None,
        componentNames=None,
    ):
        info = {"name": name, "title": title, "description": description, "units": units}
        coded = {
            "componentNames": componentNames,
            "DICOM.QuantityCode": quantityDicomCode,
            "DICOM.UnitsCode": unitsDicomCode,
            "DICOM.MeasurementMethodCode": measurementMethodDicomCode,
            "DICOM.DerivationCode": derivationDicomCode,
        }
        return info | {key: value for key, value in coded.items() if value}

    def __init__(self):
        self.name = self.title = ""
        self.keys, self.defaultKeys = [], []
        self.parameterNode = None

    def toLongKey(self, key):
        return f"{type(self).__name__}.{key}"

    def getParameterNode(self):
        return self.parameterNode

    def setParameterNode(self, parameterNode):
        self.parameterNode = parameterNode
        self.setDefaultParameters(parameterNode)
        for key in self.keys:
            self.getMeasurementInfo(key)  # Slicer labels the options with it

    def setDefaultParameters(self, parameterNode, overwriteExisting=False):
        if not parameterNode.GetParameter(f"{type(self).__name__}.enabled"):
            parameterNode.SetParameter(f"{type(self).__name__}.enabled", "True")
        for key in self.keys:
            name = self.toLongKey(key) + ".enabled"
            if overwriteExisting or not parameterNode.GetParameter(name):
                parameterNode.SetParameter(name, str(key in self.defaultKeys))

    def getRequestedKeys(self):
        if not self.parameterNode:
            return ()
        return [key for key in self.keys if self.parameterNode.GetParameter(self.toLongKey(key) + ".enabled") == "True"]


class SegmentStatisticsLogic:
    """Runs the registered plugins; the stock ones are not imitated."""

    registeredPlugins = []

    @staticmethod
    def registerPlugin(plugin):
        if not isinstance(plugin, SegmentStatisticsPluginBase):
            return
        if type(plugin) in SegmentStatisticsLogic.registeredPlugins:
            logging.warning("another plugin with the same name has already been registered")
        else:
            SegmentStatisticsLogic.registeredPlugins.append(type(plugin))

    def __init__(self, parent=None):
        import slicer

        self.plugins = [plugin() for plugin in self.registeredPlugins]
        self._parameterNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
        self._parameterNode.SetParameter("visibleSegmentsOnly", "True")
        self._statistics = {}
        for plugin in self.plugins:
            plugin.setParameterNode(self._parameterNode)

    def getParameterNode(self):
        return self._parameterNode

    def getStatistics(self):
        return self._statistics

    def computeStatistics(self):
        """Under a transform the plugins see a copy with the transform hardened, which is gone afterwards."""
        import slicer

        node = slicer.mrmlScene.GetNodeByID(self._parameterNode.GetParameter("Segmentation"))
        ids = list(node.GetSegmentation().GetSegmentIDs())
        if self._parameterNode.GetParameter("visibleSegmentsOnly") == "True":
            ids = [each for each in ids if node.GetDisplayNode().GetSegmentVisibility(each)]
        copy = None
        try:
            if node.GetParentTransformNode() is not None:
                copy = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
                copy.CopyContent(node)
                copy.SetAndObserveTransformNodeID(node.GetParentTransformNode().GetID())
                copy.HardenTransform()
                self._parameterNode.SetParameter("Segmentation", copy.GetID())
            self._statistics = {"SegmentIDs": ids, "MeasurementInfo": {}}
            for segmentId in ids:
                self._measure(segmentId)
        finally:
            if copy is not None:
                self._parameterNode.SetParameter("Segmentation", node.GetID())
                slicer.mrmlScene.RemoveNode(copy)

    def _measure(self, segmentId):
        for plugin in self.plugins:
            if self._parameterNode.GetParameter(f"{type(plugin).__name__}.enabled") == "True":
                for key, value in plugin.computeStatistics(segmentId).items():
                    self._statistics[segmentId, plugin.toLongKey(key)] = value
                    self._statistics["MeasurementInfo"][plugin.toLongKey(key)] = plugin.getMeasurementInfo(key)


def install():
    """Make both modules importable as in Slicer."""
    for name, content in (
        ("SegmentStatistics", SegmentStatisticsLogic),
        ("SegmentStatisticsPlugins", SegmentStatisticsPluginBase),
    ):
        module = types.ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        setattr(module, content.__name__, content)
        sys.modules.setdefault(name, module)
