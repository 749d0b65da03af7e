"""Renders the pictures of the training module, idle and while a training runs, in Slicer.

    Slicer --no-splash --additional-module-paths LiverLesionCascade LiverLesionCascadeTraining
           --python-script Testing/tools/render_training_screenshots.py

Everything in them is synthetic: phantoms as cases, and a trainer that only writes what the real one would.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import ctk
import slicer

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "Testing"))

from fakes.training_fakes import useFakeTrainer  # noqa: E402
from fixtures.lits_phantoms import write_lits_folders  # noqa: E402
from LiverLesionCascadeLib.gui.registered.self_test import waitUntil  # noqa: E402

SCREENSHOTS = REPOSITORY / "Resources" / "Screenshots"
SIZE = (1300, 1000)
SETTLE_S = 2


def main():
    slicer.util.mainWindow().resize(*SIZE)
    slicer.util.selectModule("LiverLesionCascadeTraining")
    widget = slicer.modules.LiverLesionCascadeTrainingWidget
    end = time.monotonic() + SETTLE_S
    waitUntil(lambda: time.monotonic() > end, "the panel has its width")
    grab("training-idle")

    os.environ["FAKE_TRAINER"] = "steps=400 pause=0.02"
    with tempfile.TemporaryDirectory() as folder:
        train, validation = write_lits_folders(Path(folder))
        useFakeTrainer(widget)
        parameters = widget.logic.getParameterNode()
        parameters.trainFolder, parameters.validationFolder = str(train), str(validation)
        parameters.device, parameters.runFolder = "cuda:0", str(Path(folder) / "run")
        widget.initializeParameterNode()
        widget.training.onStart()  # the buttons reach the panel before, too
        waitUntil(lambda: widget.training._status.job == "lesion", "the training has come to the last network")
        widget.training.onShowCurves()
        waitUntil(lambda: widget.training._status.step > 250, "there are curves to see")
        grab("training-running")
        widget.training.onStop()
        waitUntil(lambda: not widget.training.busy, "the training ends")


def grab(name):
    slicer.app.processEvents()
    path = SCREENSHOTS / f"{name}.png"
    if not ctk.ctkWidgetsUtils.grabWidget(slicer.util.mainWindow()).save(str(path)):
        raise OSError(f"{path} cannot be written.")
    print(path)


if __name__ == "__main__":
    main()
    slicer.util.exit(0)
