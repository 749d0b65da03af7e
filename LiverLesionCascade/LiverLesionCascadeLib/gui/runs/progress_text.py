"""Stages and times of a run in a radiologist's words."""

from slicer.i18n import tr as _


def stageText(stage: str) -> str:
    """What the worker's stage means; a stage that is not known here is shown as it is."""
    texts = {
        "Starting": _("Starting (the first run after Slicer's start takes longer)"),
        "Sending": _("Handing the scan over"),
        "Reading": _("Reading the scan"),
        "Loading the model": _("Loading the trained networks"),
        "Liver": _("Finding the liver"),
        "Lesions": _("Finding lesions"),
        "Lesions, again on the result": _("Finding lesions again, from the first result"),
        "3D-CRF": _("Fitting the outlines to the image (3D-CRF)"),
        "Measuring": _("Measuring liver and lesions"),
        "Looking again": _("Looking again at the corrected slices"),
        "Carrying corrections on": _("Carrying the corrections on to the next slices"),
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
