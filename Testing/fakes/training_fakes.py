"""The training module with a trainer that only writes what the real one would."""

import shutil
import sys
from pathlib import Path

FAKE_TRAINER = [shutil.which("PythonSlicer") or sys.executable, str(Path(__file__).with_name("fake_trainer.py"))]
"""Command: see there."""


class FakeInstaller:
    def __init__(self, answer=True):
        self.answer = answer

    def ensure(self):
        return self.answer


def useFakeTrainer(widget, **options):
    """Give a module's widget a training panel whose runs are the fake trainer's.

    :param options: of TrainingPanel, instead of that.
    """
    import slicer
    from LiverLesionCascadeTrainingLib.gui.training_panel import TrainingPanel
    from LiverLesionCascadeTrainingLib.runs.training_process import TrainingRun

    widget.training.close()
    own = {"installer": FakeInstaller(), "makeRun": lambda folder: TrainingRun(folder, FAKE_TRAINER)}
    settings, setRun = slicer.app.userSettings(), widget.results.setRun
    widget.training = TrainingPanel(widget.ui, settings, setRun, **(own | options))
