"""What a radiologist does on a day, step by step; each step is timed, counted and pictured.

Nothing here calls what lies behind a button. Only file dialogs are answered in place of a person, and strokes of a
brush are put into the segment.
"""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import slicer

from .meter import Meter

SEGMENTATION, TRAINING = "LiverLesionCascade", "LiverLesionCascadeTraining"
PATIENCE_S = 1800
SETTLE_S = 0.1
LOOK_S = 1.0
"""How long a person looks at a preview at least."""


@dataclass
class Step:
    """What a step cost.

    :param stall: the longest time in s that the event loop let events wait.
    :param during: the action in which that was.
    :param renderings: by view.
    """

    name: str
    seconds: float
    stall: float
    during: str
    renderings: dict


class Tour:
    """:param folder: gets a picture of each step, ``tour.json`` and ``tour.md``.
    :param views: ``renderings()`` counts them so far, by view; ``picture(path)`` writes what is to be seen.
    :param open: (name of a module) shows its panel and gives its widget.
    :param addScan: (name) gives a volume node.
    :param cases: folders of training and of validation cases.
    :param turn: called while something is waited for.
    """

    def __init__(self, folder, views, open, addScan, cases, turn=lambda: None):
        self.folder, self.views = Path(folder), views
        self.steps = []
        self._open, self._addScan, self._cases, self._turn = open, addScan, cases, turn
        self._meter = Meter()

    STEPS = (
        "load",
        "segment",
        "review",
        "threshold",
        "edit",
        "refine",
        "surfaces",
        "followUp",
        "report",
        "saveAndReload",
        "training",
    )

    def run(self):
        """All steps, each from where the last one ended. Raises AssertionError where one does not come to its end."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            for number, name in enumerate(self.STEPS, start=1):
                self._step(number, name)
        finally:
            self._meter.stop()
            self._write()

    def _step(self, number, name):
        before, started = self.views.renderings(), time.perf_counter()
        self._meter.doing = name
        self._meter.restart()
        getattr(self, name)()
        self.settle()
        after = self.views.renderings()
        drawn = {view: count - before.get(view, 0) for view, count in after.items()}
        self.steps.append(Step(name, time.perf_counter() - started, self._meter.longest, self._meter.worst, drawn))
        self._picture(f"{number:02d}-{name}")

    def _picture(self, name):
        self.views.picture(self.folder / f"{name}.png")
        self._meter.skip()

    def _write(self):
        (self.folder / "tour.json").write_text(json.dumps([asdict(step) for step in self.steps], indent=1))
        lines = ["| step | s | longest stall, s | in | renderings a view, at most |", "|---|---|---|---|---|"]
        for step in self.steps:
            most = max(step.renderings.values(), default=0)
            lines.append(f"| {step.name} | {step.seconds:.1f} | {step.stall:.2f} | {step.during} | {most} |")
        (self.folder / "tour.md").write_text("\n".join(lines) + "\n")

    # -- waiting

    def wait(self, condition, what):
        """Let the event loop turn until something has come about."""
        end = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"Waited in vain: {what}")
            self._turn()
            slicer.app.processEvents()
            time.sleep(0.005)

    def settle(self, seconds=SETTLE_S):
        """Let what was put off until later be done."""
        end = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() > end, "a moment")

    # -- the panel

    @property
    def ui(self):
        return self.widget.ui

    @property
    def results(self):
        return self.widget.panel.results

    def section(self, name):
        """The section that has a widget of a name, opened."""
        found = next(each for each in self.results.workbench.sections if hasattr(each.ui, name))
        button = next(part for key, part in vars(found.ui).items() if key.endswith("CollapsibleButton"))
        self._meter.doing = button.objectName
        button.collapsed = False
        self.settle()
        return found

    def click(self, button):
        assert button.enabled, f"{button.objectName} is disabled: {button.toolTip}"
        self._meter.doing = button.objectName
        button.click()
        self.settle()

    # -- the steps

    def load(self):
        self.volume = self._addScan("CT")
        self.widget = self._open(SEGMENTATION)
        self.ui.inputSelector.setCurrentNode(self.volume)
        self.wait(lambda: self.ui.segmentButton.enabled, "the scan can be segmented")

    def segment(self):
        button, before = self.ui.segmentButton, self.results.node
        idle = button.text
        button.click()
        assert button.text != idle, self.ui.errorLabel.text
        self.wait(lambda: button.text == idle, "the run ends")
        assert not self.ui.errorLabel.text, self.ui.errorLabel.text
        assert self.results.node is not None and self.results.node is not before
        self.node = self.results.node
        table = self.results.workbench.lesions.ui.lesionTable
        self.wait(lambda: all(table.item(row, 2).text() for row in range(table.rowCount)), "all lesions are measured")

    def review(self):
        lesions = self.results.workbench.lesions
        buttons = {button.objectName: button for button in lesions.review.widget.children() if _isButton(button)}
        for name in ("acceptButton", "rejectButton", "flagButton"):
            self.click(lesions.ui.nextLesionButton)
            self.click(buttons[name])
        self.click(buttons["undoReviewButton"])
        self.click(buttons["nextUnreviewedButton"])
        for box in (lesions.ui.diametersCheckBox, lesions.ui.isolateCheckBox):
            self.click(box)
            self.click(box)

    def threshold(self):
        ui = self.section("thresholdSlider").ui
        self._meter.doing = "thresholdSlider"
        ui.thresholdSlider.value = min(ui.thresholdSlider.maximum, ui.thresholdSlider.value + 20)
        self.wait(lambda: ui.applyThresholdButton.enabled, "the preview is shown")
        self.settle(LOOK_S)
        self.click(ui.applyThresholdButton)
        self.click(ui.undoThresholdButton)
        ui.thresholdCollapsibleButton.collapsed = True

    def edit(self):
        from LiverLesionCascadeLib.gui.registered.self_test import miss, paintNew

        _lesion, mark = miss(self.node)
        self._meter.skip()
        self.settle()
        self.click(self.ui.editButton)
        self._picture("05-editor")
        self._meter.doing = "stroke"
        paintNew(self.node, self.volume, "Missed", mark)
        self.settle()
        self.click(self.ui.backButton)

    def refine(self):
        ui = self.section("refineButton").ui
        self.wait(lambda: ui.refineButton.enabled, "the mark can be refined")
        idle = ui.refineButton.text
        ui.refineButton.click()
        self.wait(lambda: ui.refineButton.text == idle, "the refinement ends")
        self.click(ui.acceptRefinementButton)
        ui.refineCollapsibleButton.collapsed = True

    def surfaces(self):
        self.ui.show3DButton.toggle()  # where a mouse clicks it; click() would open its menu
        self.settle()
        assert self.ui.show3DButton.checked

    def followUp(self):
        first = self.node
        self.volume = self._addScan("Later CT")
        self.ui.inputSelector.setCurrentNode(self.volume)
        self.wait(lambda: self.ui.segmentButton.enabled, "the second scan can be segmented")
        self.segment()
        ui = self.section("followUpTable").ui
        ui.baselineSelector.setCurrentNode(first)
        self.wait(lambda: ui.followUpTable.rowCount > 0, "the scans are compared")
        assert not first.GetDisplayNode().GetVisibility()
        ui.followUpCollapsibleButton.collapsed = True

    def report(self):
        section = self.section("writeHtmlButton")
        path = self.folder / "report.html"
        section._askPath = lambda *_: str(path)
        self.click(section.ui.writeHtmlButton)
        self.wait(path.is_file, "the report is written")
        section.ui.reportCollapsibleButton.collapsed = True

    def saveAndReload(self):
        name, lesions = self.node.GetName(), self.results.workbench.lesions.ui.lesionTable.rowCount
        path = str(self.folder / "scene.mrb")
        assert slicer.util.saveScene(path)
        slicer.mrmlScene.Clear()
        assert self.results.node is None
        slicer.util.loadScene(path)
        self.wait(lambda: self.results.node is not None, "the result is there again")
        self.node = self.results.node
        assert self.node.GetName() == name, f"{self.node.GetName()} is shown, not {name}"
        assert self.results.workbench.lesions.ui.lesionTable.rowCount == lesions

    def training(self):
        training, validation = self._cases
        widget = self._open(TRAINING)
        ui = widget.ui
        ui.trainPathLineEdit.currentPath, ui.validationPathLineEdit.currentPath = str(training), str(validation)
        ui.runPathLineEdit.currentPath = str(self.folder / "training")
        self.click(ui.startButton)
        self.wait(lambda: ui.pauseButton.enabled or ui.errorLabel.text, "the training begins")
        assert not ui.errorLabel.text, ui.errorLabel.text
        self.wait(lambda: ui.detailsLabel.text, "the training says how it goes on")
        self._picture("11-training-runs")
        self.click(ui.stopButton)
        self.wait(lambda: not ui.stopButton.enabled and ui.startButton.enabled, "the training stops")


def _isButton(child):
    return hasattr(child, "toolTip") and child.inherits("QAbstractButton")
