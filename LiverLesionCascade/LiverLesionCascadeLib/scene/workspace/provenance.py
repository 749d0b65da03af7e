"""Segment tags that say which segments are a result of ours, of which volume, and what made them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import slicer
import vtk

from ...engine.model.lesion_filter import LesionFilter

if TYPE_CHECKING:
    from ...engine.measures.lesions import Lesion
    from ...engine.results.result import SegmentationResult

PREFIX = "LiverLesionCascade."
ROLE = PREFIX + "Role"
SEGMENT_ID = PREFIX + "SegmentID"
VOLUME = PREFIX + "Volume"
SERIES_UID = PREFIX + "SeriesInstanceUID"
BUNDLE = PREFIX + "Bundle"
PRESET = PREFIX + "Preset"
LESION_NUMBER = PREFIX + "LesionNumber"
CONFIDENCE = PREFIX + "Confidence"
THRESHOLD = PREFIX + "LesionThreshold"
MINIMUM_SIZE = PREFIX + "MinimumLesionMm"
SPLIT_LESIONS = PREFIX + "SplitLesions"
"""With the threshold, on the liver's segment: what the result's lesions were made with."""

LESION_FILTER = PREFIX + "LesionFilter"
"""On the liver's segment: how a lesion's confidence follows from its voxels, as JSON; absent without a filter."""

EDITS_ROLE = PREFIX + "Edits"
"""Reference from a segmentation node to the label map that holds the record of its result's edits."""

LIVER_ROLE = "liver"
LESION_ROLE = "lesion"


def tagValue(text: str) -> str:
    """``text`` as Slicer can store it: its files separate tags by "|" and lines by line breaks."""
    return " ".join(text.replace("|", "/").split())


def resultTags(
    result: SegmentationResult, volumeName: str, volumeNode: slicer.vtkMRMLScalarVolumeNode | None = None
) -> dict[str, str]:
    """What every segment of a result says about its origin."""
    tags = {
        VOLUME: tagValue(volumeName),
        BUNDLE: tagValue(f"{result.bundle_name} {result.bundle_version}"),
        PRESET: tagValue(result.preset),
    }
    seriesUid = _seriesUid(volumeNode) if volumeNode is not None else ""
    if seriesUid:
        tags[SERIES_UID] = tagValue(seriesUid)
    return tags


def _seriesUid(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> str:
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(volumeNode.GetScene())
    item = hierarchy.GetItemByDataNode(volumeNode)
    return hierarchy.GetItemUID(item, "DICOM") if item else ""


def rulesTags(threshold: float, minimumMm: float, splitLesions: bool) -> dict[str, str]:
    """What a result's lesions were made with: probability, diameter in mm of the smallest, and whether those were told
    apart that have grown together."""
    return {
        THRESHOLD: f"{threshold:.4g}",
        MINIMUM_SIZE: f"{minimumMm:.4g}",
        SPLIT_LESIONS: "1" if splitLesions else "0",
    }


def lesionFilterTags(known: LesionFilter | None) -> dict[str, str]:
    return {} if known is None else {LESION_FILTER: json.dumps(known.to_dict())}


def lesionFilter(liver: slicer.vtkSegment | None) -> LesionFilter | None:
    """The filter that gave lesions their confidence, by the liver's segment; None where there is none to be read."""
    try:
        return LesionFilter.from_dict(json.loads(getTag(liver, LESION_FILTER)))
    except (ValueError, KeyError, TypeError):
        return None


def lesionTags(number: int, lesion: Lesion | None) -> dict[str, str]:
    tags = {LESION_NUMBER: str(number)}
    if lesion is not None and lesion.confidence is not None:
        tags[CONFIDENCE] = f"{lesion.confidence:.3f}"
    return tags


def taggedConfidence(segment: slicer.vtkSegment) -> float | None:
    """The confidence that `lesionTags` wrote down; None where there is none."""
    try:
        return float(getTag(segment, CONFIDENCE))
    except ValueError:
        return None


def getTag(segment: slicer.vtkSegment | None, key: str) -> str:
    """The value of a segment's tag; empty where it has none, or there is no segment."""
    value = vtk.reference("")
    return str(value) if segment is not None and segment.GetTag(key, value) else ""


def isMarked(segment: slicer.vtkSegment | None, key: str) -> bool:
    """Whether a tag that is "1", or else "0" or absent, says so of a segment."""
    return getTag(segment, key) == "1"


def isOwnSegment(segmentation: slicer.vtkSegmentation, segmentId: str) -> bool:
    """Whether the segment is a result of ours. A copy that a person made of one carries its tags, but is theirs."""
    return getTag(segmentation.GetSegment(segmentId), SEGMENT_ID) == segmentId


def resultSegmentIds(node: slicer.vtkMRMLSegmentationNode) -> list[str]:
    """IDs of the segments that a result of ours made, in the node's order.

    A lesion of a result that a person copied into a segmentation of theirs makes that no result: it has neither the
    liver nor, as a result whose liver was deleted has, a record of edits.
    """
    if liverSegmentId(node) is None and node.GetNodeReference(EDITS_ROLE) is None:
        return []
    segmentation = node.GetSegmentation()
    return [segmentId for segmentId in segmentation.GetSegmentIDs() if isOwnSegment(segmentation, segmentId)]


def liverSegmentId(node: slicer.vtkMRMLSegmentationNode) -> str | None:
    """The ID of the liver's segment of a result of ours; None where it was deleted, or there is no result."""
    segmentation = node.GetSegmentation()
    for segmentId in segmentation.GetSegmentIDs():
        if getTag(segmentation.GetSegment(segmentId), ROLE) == LIVER_ROLE and isOwnSegment(segmentation, segmentId):
            return segmentId
    return None
