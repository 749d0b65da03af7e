"""What the buttons of a training say and whether they are enabled, and why not: rules without widgets."""

import os
from dataclasses import dataclass
from pathlib import Path

from slicer.i18n import tr as _

from ..runs.run_folder import ACTIVE_STATES


@dataclass(frozen=True)
class Controls:
    """:param reason: why a training cannot be started; empty if it can, or one is at work."""

    startText: str
    startEnabled: bool
    startToolTip: str
    checkEnabled: bool
    pauseText: str
    pauseEnabled: bool
    stopEnabled: bool
    choicesEnabled: bool
    reason: str


def controls(state, problem="", checking=False, asked="") -> Controls:
    """The buttons' state.

    :param state: of the run folder's training.
    :param problem: why the choices are no training; empty if they are one.
    :param checking: whether the data are being checked.
    :param asked: ``pause``, ``resume`` or ``stop`` while the trainer has not obeyed it yet.
    """
    active = state in ACTIVE_STATES
    again = state in ("stopped", "failed", "lost")
    text = _("Continue training") if again else _("Start training")
    toolTip = _("Check the data, then train; it goes on when this module is closed")
    if again:
        toolTip = _("Go on from the last checkpoint in the run folder")
    if checking:
        problem, toolTip = "", _("The data are being checked")
    elif active:
        problem, toolTip = "", _("A training is at work in this run folder")
    elif problem:
        toolTip = problem
    elif state == "finished":
        toolTip = _("The training in this run folder has finished: choose another run folder for the next one")
    pausing = state == "paused" or asked == "pause"
    return Controls(
        startText=text,
        startEnabled=not (active or checking or problem or state == "finished"),
        startToolTip=toolTip,
        checkEnabled=not (active or checking or problem),
        pauseText=_("Resume") if pausing else _("Pause"),
        pauseEnabled=active and state != "preparing" and asked == "",
        stopEnabled=checking or (active and asked != "stop"),
        choicesEnabled=not (active or checking),
        reason=problem,
    )


def choicesProblem(parameters) -> str:
    """Why the folders that were chosen are no training; empty if they may be one. The data are checked later."""
    if not parameters.trainFolder:
        return _("Choose the folder of training cases.")
    if not os.path.isdir(parameters.trainFolder):
        return _("The folder of training cases {folder} does not exist.").format(folder=parameters.trainFolder)
    if parameters.validationFolder and not os.path.isdir(parameters.validationFolder):
        return _("The folder of validation cases {folder} does not exist.").format(folder=parameters.validationFolder)
    if parameters.startBundle and not os.path.isfile(Path(parameters.startBundle) / "metadata.json"):
        return _("{folder} holds no model to start from: choose the folder of a bundle, or none.").format(
            folder=parameters.startBundle
        )
    if not parameters.runFolder:
        return _("Choose a folder for the training's files.")
    return ""
