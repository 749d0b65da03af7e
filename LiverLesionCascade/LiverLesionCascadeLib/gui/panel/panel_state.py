"""What the large button says and does, and why it is disabled: rules without widgets."""

from dataclasses import dataclass

from slicer.i18n import tr as _


@dataclass(frozen=True)
class ButtonState:
    """:param reason: why the button is disabled; empty if it is not."""

    text: str
    enabled: bool
    toolTip: str
    reason: str = ""


def buttonState(volumeName, anyVolume, refusal, bundleProblem, run, busy) -> ButtonState:
    """The state of the button that segments and cancels.

    :param volumeName: of the chosen volume; None if none is chosen.
    :param anyVolume: whether the scene has a volume to choose.
    :param refusal: why the chosen volume cannot be segmented; empty if it can.
    :param bundleProblem: why the chosen model cannot be used; empty if it can.
    :param run: the chosen volume's run, a RunEntry; None if it has none.
    :param busy: whether other volumes are being segmented.
    """
    if run is not None:
        if run.cancelling:
            return _disabled(_("Cancelling..."), _("The run is being cancelled."))
        return ButtonState(
            _("Cancel"), True, _("Stop segmenting {name}; the scene stays as it is").format(name=run.volumeName)
        )
    if volumeName is None:
        if anyVolume:
            return _disabled(_("Segment"), _("Select the CT volume to segment."))
        return _disabled(_("Segment"), _("Load a contrast-enhanced CT of the abdomen first."))
    if problem := refusal or bundleProblem:
        return _disabled(_("Segment"), problem)
    toolTip = _("Segment the liver and its lesions in {name}").format(name=volumeName)
    if busy:
        toolTip = _("Segment {name} as soon as the runs before it are done").format(name=volumeName)
    return ButtonState(_("Segment"), True, toolTip)


def _disabled(text, reason):
    return ButtonState(text, False, reason, reason)
