"""Stages and times of a run in a radiologist's words."""

from slicer.i18n import tr as _


def stageText(stage: str) -> str:
    """What the worker's stage means; a stage that is not known here is shown as it is."""
    texts = {
        "Starting": _("Starting (the first run after Slicer's start takes longer)"),
        "Reading": _("Reading the scan"),
        "Loading the model": _("Loading the trained networks"),
        "Liver": _("Finding the liver"),
        "Lesions": _("Finding lesions"),
        "Measuring": _("Measuring liver and lesions"),
        "Writing": _("Preparing the result"),
    }
    return texts.get(stage, stage)


def timeLeftText(seconds: float | None) -> str:
    """About how long it still takes; empty while that is not known."""
    if seconds is None:
        return ""
    if seconds < 5:
        return _("a few seconds left")
    if seconds < 55:
        return _("about {seconds} s left").format(seconds=5 * round(seconds / 5))
    minutes = round(seconds / 60)
    return _("about 1 minute left") if minutes <= 1 else _("about {minutes} minutes left").format(minutes=minutes)
