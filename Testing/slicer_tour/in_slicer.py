"""Both self-tests and the tour in the Slicer that runs this file; ends Slicer, with 1 where anything went wrong.

    Slicer --testing --no-splash --additional-module-paths LiverLesionCascade LiverLesionCascadeTraining
           --python-script Testing/slicer_tour/in_slicer.py FOLDER [CT]

CT: a file for the tour, instead of the sample. What counts as wrong: a test or step that fails, and every error in
Slicer's log since this began, but for one of Slicer's own (see CLOSING).
"""

import sys
import time
import traceback
from pathlib import Path

import ctk
import slicer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from slicer_tour.answers import answered
from slicer_tour.tour import SEGMENTATION, TRAINING, Tour

ERRORS = ("[ERROR]", "[CRITICAL]", "[FATAL]")
#: Said when a scene with two segmentations is closed, also by a Slicer without extensions: the first is removed, the
#: list of segments above the slice views goes over to the second, and that has no item in the hierarchy any more.
CLOSING = "qSlicerSubjectHierarchySegmentationsPlugin::updateAllSegmentsFromMRML"


class SlicerViews:
    """The views of the layout: each rendering of a view's window counts."""

    def __init__(self):
        self._counts, self._windows = {}, []
        layout = slicer.app.layoutManager()
        for name in layout.sliceViewNames():
            self._count(name, layout.sliceWidget(name).sliceView().renderWindow())
        for index in range(layout.threeDViewCount):
            self._count(f"3D {index + 1}", layout.threeDWidget(index).threeDView().renderWindow())

    def _count(self, name, window):
        self._counts[name] = 0
        self._windows.append(window)

        def rendered(_caller, _event):
            self._counts[name] += 1

        window.AddObserver("EndEvent", rendered)

    def renderings(self):
        return dict(self._counts)

    def picture(self, path):
        ctk.ctkWidgetsUtils.grabWidget(slicer.util.mainWindow()).save(str(path))


class Closings:
    """When scenes were closed, in the seconds of Slicer's log."""

    def __init__(self):
        self._seconds = set()
        for event in (slicer.vtkMRMLScene.StartCloseEvent, slicer.vtkMRMLScene.EndCloseEvent):
            slicer.mrmlScene.AddObserver(event, self._note)

    def _note(self, _scene, _event):
        self._seconds.add(time.strftime("%d.%m.%Y %H:%M:%S"))

    def explain(self, line):
        return CLOSING in line and any(second in line for second in self._seconds)


def open_module(name):
    slicer.util.selectModule(name)
    widget = getattr(slicer.modules, f"{name}Widget")
    if name == SEGMENTATION:
        widget.panel.doubleClickSeconds = 0  # clicks of a tour follow each other fast
    return widget


def scans(ct):
    """Adds a volume to the scene: a CT, or the sample."""
    from LiverLesionCascadeLib.gui.registered.sample_data import loadSample

    def add(name):
        node = loadSample() if ct is None else slicer.util.loadVolume(str(ct))
        node.SetName(name)
        return node

    return add


def demo_cases(folder):
    """Folders of training and validation cases, cut out of the sample."""
    from LiverLesionCascadeLib.sample import fetch_sample
    from tools.make_demo_cases import main

    fetch_sample(folder / "sample")
    main(folder / "sample", folder / "cases")
    return folder / "cases" / "train", folder / "cases" / "val"


def main(folder, ct=None):
    folder.mkdir(parents=True, exist_ok=True)
    log = Path(slicer.app.errorLogModel().filePath)
    begin, closings = log.stat().st_size, Closings()
    window = slicer.util.mainWindow()
    size = window.size
    window.resize(1600, 1000)  # of the pictures
    wrong = []
    with answered("yes"):
        for what, act in (
            (f"self-test of {SEGMENTATION}", lambda: slicer.selfTests[SEGMENTATION](msec=100)),
            (f"self-test of {TRAINING}", lambda: slicer.selfTests[TRAINING](msec=100)),
            ("tour", lambda: Tour(folder, SlicerViews(), open_module, scans(ct), demo_cases(folder)).run()),
        ):
            slicer.mrmlScene.Clear()
            slicer.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
            print(f"{what} ...", flush=True)
            try:
                act()
            except Exception:  # noqa: BLE001 - whatever it is: it is written down, and the others run
                wrong.append(f"{what} failed:\n{traceback.format_exc()}")
    window.resize(size)
    slicer.app.processEvents()  # what other threads report waits in the event queue before it is logged
    with log.open(encoding="utf-8", errors="replace") as file:
        file.seek(begin)
        wrong += [line.rstrip() for line in file if line.startswith(ERRORS) and not closings.explain(line)]
    (folder / "errors.txt").write_text("\n".join(wrong), encoding="utf-8")
    print("\n".join(wrong) or f"All is well. Pictures and figures are in {folder}", flush=True)
    slicer.util.exit(1 if wrong else 0)


if __name__ == "__main__":
    main(*(Path(each).resolve() for each in sys.argv[1:]))
