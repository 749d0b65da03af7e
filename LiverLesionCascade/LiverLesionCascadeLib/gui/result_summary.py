"""What is in a result's segments now, edits included, and how it was made."""

import json

import numpy as np
from slicer.i18n import tr as _

from ..scene.arrays import arrayFromImage
from ..scene.provenance import LESION_ROLE, LIVER_ROLE, PREFIX, ROLE, getTag, resultSegmentIds, tagValue
from ..scene.representations import BINARY_LABELMAP
from ..scene.terminology import MASS

RUN = PREFIX + "Run"
"""Tag of the liver segment: JSON of how the result was made. It comes and goes with the segment, undo included."""


def rememberRun(segmentationNode, result, seconds):
    """Note in the node how the result was made, so that it can be told when the scene is opened again.

    :param result: the engine's SourceResult.
    :param seconds: how long the run took.
    """
    facts = {
        "device": result.device,
        "seconds": round(seconds, 1),
        "findings": [(finding.severity, finding.message) for finding in result.findings],
    }
    for segmentId in resultSegmentIds(segmentationNode):
        segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
        if getTag(segment, ROLE) == LIVER_ROLE:
            segment.SetTag(RUN, tagValue(json.dumps(facts)))


def runFacts(segmentationNode) -> dict:
    """What `rememberRun` noted; empty where there is nothing."""
    for segmentId in resultSegmentIds(segmentationNode):
        text = getTag(segmentationNode.GetSegmentation().GetSegment(segmentId), RUN)
        if text:
            try:
                return json.loads(text)
            except ValueError:  # written by another version, or changed by hand
                return {}
    return {}


def resultFindings(segmentationNode) -> list[tuple[str, str]]:
    """(severity, message) of what the run said about its result."""
    return [(severity, message) for severity, message in runFacts(segmentationNode).get("findings", [])]


def summaryText(segmentationNode) -> str:
    """Volumes and number of lesions as the segments are now, and how the result was made: two lines."""
    segmentation = segmentationNode.GetSegmentation()
    liver, lesions = 0.0, []
    volumes = segmentVolumes(segmentationNode)
    for segmentId, volume in volumes.items():
        segment = segmentation.GetSegment(segmentId)
        if getTag(segment, ROLE) == LIVER_ROLE:
            liver += volume
        elif volume > 0 and (getTag(segment, ROLE) == LESION_ROLE or str(MASS) in segment.GetTerminology()):
            lesions.append(volume)
    parts = [_("Liver {volume} mL").format(volume=round(liver))]
    if not lesions:
        parts.append(_("no lesion"))
    elif len(lesions) == 1:
        parts.append(_("1 lesion of {volume:.1f} mL").format(volume=lesions[0]))
    else:
        parts.append(_("{count} lesions, {volume:.1f} mL together").format(count=len(lesions), volume=sum(lesions)))
    lines = [", ".join(parts)]
    facts = runFacts(segmentationNode)
    if facts:
        lines.append(
            _("Made in {seconds:.0f} s on {device}").format(
                seconds=facts["seconds"], device=deviceText(facts["device"])
            )
        )
    return "\n".join(lines)


def deviceText(device: str) -> str:
    """ "cuda:1 bf16" as "GPU 1"."""
    kind, _separator, number = device.split()[0].split(",")[0].partition(":")
    names = {"cpu": _("the processor (CPU)"), "cuda": _("the graphics card (GPU)"), "mps": _("the graphics processor")}
    name = names.get(kind, device)
    return f"{name} {number}" if number and number != "0" else name


def segmentVolumes(segmentationNode) -> dict[str, float]:
    """mL of each segment by its ID, counted in its label map."""
    segmentation = segmentationNode.GetSegmentation()
    volumes = {}
    for layer in range(segmentation.GetNumberOfLayers(BINARY_LABELMAP)):
        image = segmentation.GetLayerDataObject(layer, BINARY_LABELMAP)
        inLayer = segmentation.GetSegmentIDsForLayer(layer, BINARY_LABELMAP)
        values = [segmentation.GetSegment(segmentId).GetLabelValue() for segmentId in inLayer]
        voxel = abs(np.prod(image.GetSpacing())) / 1000.0
        for segmentId, count in zip(inLayer, _counts(image, values), strict=True):
            volumes[segmentId] = float(count) * voxel
    return {segmentId: volumes.get(segmentId, 0.0) for segmentId in segmentation.GetSegmentIDs()}


def _counts(image, values) -> list[int]:
    """Number of voxels of each of the label values; as fast as it goes, for a person is painting meanwhile."""
    if min(image.GetDimensions()) < 1 or image.GetPointData().GetScalars() is None:
        return [0] * len(values)
    array = arrayFromImage(image)
    if len(values) == 1:
        return [np.count_nonzero(array == values[0])]
    counts = np.zeros(int(array.max()) + 1, np.int64)
    for slab in array:
        found = np.bincount(slab.ravel())
        counts[: len(found)] += found
    return [counts[value] if value < len(counts) else 0 for value in values]
