"""How segments look for as long as somebody works on them, or one is shown alone, and their own look afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import slicer

from .one_change import oneRendering

LOOKS = "LiverLesionCascade.Looks"
"""Attribute of a display node while it shows looks of ours: JSON of [own, given] look of each segment, by ID."""

ISOLATED = "LiverLesionCascade.ShownAlone"
"""Attribute of a segmentation node while a segment is shown alone: JSON of [its ID, whether each was visible]."""

DIGITS = 4


class Look(NamedTuple):
    """What a segment's display properties say.

    :param color: instead of the segment's own: red, green, blue, 0 to 1. None for its own.
    :param fill, outline: opacity in slices, 0 to 1.
    :param opacity3D: 0 to 1.
    """

    color: tuple[float, float, float] | None
    fill: float
    outline: float
    opacity3D: float

    @classmethod
    def of(cls, display: slicer.vtkMRMLSegmentationDisplayNode, segmentId: str) -> Look:
        color = display.GetSegmentOverrideColor(segmentId)
        return cls(
            tuple(color) if min(color) >= 0 else None,
            display.GetSegmentOpacity2DFill(segmentId),
            display.GetSegmentOpacity2DOutline(segmentId),
            display.GetSegmentOpacity3D(segmentId),
        ).rounded()

    @classmethod
    def fromJson(cls, values: list) -> Look:
        color, *opacities = values
        return cls(tuple(color) if color else None, *opacities)

    def rounded(self) -> Look:
        """As it compares equal after display properties, which are floats, held it."""
        color = None if self.color is None else tuple(round(part, DIGITS) for part in self.color)
        return Look(color, *(round(opacity, DIGITS) for opacity in self[1:]))

    def give(self, display: slicer.vtkMRMLSegmentationDisplayNode, segmentId: str) -> None:
        if self.color is None:
            display.UnsetSegmentOverrideColor(segmentId)
        else:
            display.SetSegmentOverrideColor(segmentId, *self.color)
        display.SetSegmentOpacity2DFill(segmentId, self.fill)
        display.SetSegmentOpacity2DOutline(segmentId, self.outline)
        display.SetSegmentOpacity3D(segmentId, self.opacity3D)


@oneRendering()
def showLooks(node: slicer.vtkMRMLSegmentationNode, looks: Mapping[str, Callable[[Look], Look]]) -> None:
    """Give segments other looks; those that are not named get their own back. One event of the display node.

    :param looks: by segment ID: what becomes of the segment's own look.
    """
    display = node.GetDisplayNode()
    if display is None:
        return
    segmentation = node.GetSegmentation()
    own = {each: ownLook(node, each) for each in {*looks, *_given(display)} if segmentation.GetSegment(each)}
    wanted = {each: look if each not in looks else looks[each](look).rounded() for each, look in own.items()}
    text = json.dumps({each: [own[each], look] for each, look in sorted(wanted.items()) if look != own[each]})
    changed = {each: look for each, look in wanted.items() if look != Look.of(display, each)}
    if not changed and text == (display.GetAttribute(LOOKS) or "{}"):
        return
    with slicer.util.NodeModify(display):
        for segmentId, look in changed.items():
            look.give(display, segmentId)
        display.SetAttribute(LOOKS, None if text == "{}" else text)


def giveBack(node: slicer.vtkMRMLSegmentationNode) -> None:
    """Give all segments their own looks again; what a person changed meanwhile stays."""
    showLooks(node, {})


def ownLook(node: slicer.vtkMRMLSegmentationNode, segmentId: str) -> Look:
    """A segment's look without ours. What a person changed since ours was given is its own."""
    display = node.GetDisplayNode()
    now = Look.of(display, segmentId)
    own, given = _given(display).get(segmentId, (now, now))
    return Look(*(mine if part == theirs else part for mine, part, theirs in zip(own, now, given, strict=True)))


def _given(display: slicer.vtkMRMLSegmentationDisplayNode) -> dict[str, tuple[Look, Look]]:
    """(own, given) by segment ID."""
    known = json.loads(display.GetAttribute(LOOKS) or "{}")
    return {each: (Look.fromJson(own), Look.fromJson(given)) for each, (own, given) in known.items()}


def isIsolating(node: slicer.vtkMRMLSegmentationNode) -> bool:
    return node.GetAttribute(ISOLATED) is not None


@oneRendering()
def isolate(node: slicer.vtkMRMLSegmentationNode, segmentIds: Iterable[str], segmentId: str) -> None:
    """Hide all of some segments but one, in slices and in 3D. `endIsolation` brings back what was visible."""
    if node.GetDisplayNode() is None:
        return
    ids, (_, before) = list(segmentIds), _isolation(node)
    visible = {each: bool(node.GetDisplayNode().GetSegmentVisibility(each)) for each in ids if each not in before}
    node.SetAttribute(ISOLATED, json.dumps([segmentId, before | visible]))
    _setVisibility(node, {each: each == segmentId for each in ids})


@oneRendering()
def endIsolation(node: slicer.vtkMRMLSegmentationNode) -> None:
    """Show the segments again that were visible before."""
    _, before = _isolation(node)
    node.RemoveAttribute(ISOLATED)
    _setVisibility(node, {each: shown for each, shown in before.items() if node.GetSegmentation().GetSegment(each)})


def ownVisibility(node: slicer.vtkMRMLSegmentationNode, segmentId: str) -> bool:
    """Whether a segment is shown where none is shown alone."""
    _, before = _isolation(node)
    return before.get(segmentId, bool(node.GetDisplayNode().GetSegmentVisibility(segmentId)))


def setOwnVisibility(node: slicer.vtkMRMLSegmentationNode, segmentId: str, visible: bool) -> None:
    """Show a segment or not, at the latest when none is shown alone any more."""
    alone, before = _isolation(node)
    if isIsolating(node):
        node.SetAttribute(ISOLATED, json.dumps([alone, before | {segmentId: visible}]))
    _setVisibility(node, {segmentId: segmentId == alone if isIsolating(node) else visible})


def _isolation(node: slicer.vtkMRMLSegmentationNode) -> tuple[str, dict[str, bool]]:
    """(ID of the segment that is shown alone or empty, whether each was visible before)."""
    alone, before = json.loads(node.GetAttribute(ISOLATED) or '["", {}]')
    return alone, before


def _setVisibility(node: slicer.vtkMRMLSegmentationNode, visible: dict[str, bool]) -> None:
    display = node.GetDisplayNode()
    if display is None:
        return
    with slicer.util.NodeModify(display):
        for segmentId, value in visible.items():
            if bool(display.GetSegmentVisibility(segmentId)) != value:
                display.SetSegmentVisibility(segmentId, value)
