"""How a result was made, and what the run said about it; findings on a scan, in the same words."""

import json

from slicer.i18n import tr as _

from ...scene.workspace.provenance import PREFIX, getTag, liverSegmentId, tagValue

RUN = PREFIX + "Run"
"""Tag of the liver segment: JSON of how the result was made. It comes and goes with the segment, undo included."""

_ORDER = ("error", "warning", "info")


def rememberRun(segmentationNode, result, seconds):
    """Note in the node how the result was made, so that it can be told when the scene is opened again.

    :param result: the engine's SegmentationResult.
    :param seconds: how long the run took.
    """
    facts = {
        "device": result.device,
        "seconds": round(seconds, 1),
        "findings": [(finding.severity, finding.message) for finding in result.findings],
    }
    liver = _liver(segmentationNode)
    if liver is not None:
        liver.SetTag(RUN, tagValue(json.dumps(facts)))


def runFacts(segmentationNode) -> dict:
    """What `rememberRun` noted; empty where there is nothing."""
    try:
        return json.loads(getTag(_liver(segmentationNode), RUN))
    except ValueError:  # not noted, written by another version, or changed by hand
        return {}


def _liver(segmentationNode):
    return segmentationNode.GetSegmentation().GetSegment(liverSegmentId(segmentationNode) or "")


def resultFindings(segmentationNode) -> list[tuple[str, str]]:
    """(severity, message) of what the run said about its result."""
    return [(severity, message) for severity, message in runFacts(segmentationNode).get("findings", [])]


def runText(segmentationNode) -> str:
    """How the result was made; empty where nothing was noted."""
    facts = runFacts(segmentationNode)
    if not facts:
        return ""
    return _("Made in {seconds:.0f} s on {device}").format(seconds=facts["seconds"], device=deviceText(facts["device"]))


def deviceText(device: str) -> str:
    """ "cuda:1 bf16" as "GPU 1"."""
    kind, _separator, number = device.split()[0].split(",")[0].partition(":")
    names = {"cpu": _("the processor (CPU)"), "cuda": _("the graphics card (GPU)"), "mps": _("the graphics processor")}
    name = names.get(kind, device)
    return f"{name} {number}" if number and number != "0" else name


def findingsText(findings) -> str:
    """Plain text, the worst first, of (severity, message) pairs; empty without any."""
    prefixes = {"error": _("Cannot be segmented:"), "warning": _("Please note:"), "info": _("For information:")}
    ordered = sorted(findings, key=lambda pair: _ORDER.index(pair[0]))
    return "\n".join(f"{prefixes[severity]} {message}" for severity, message in ordered)
