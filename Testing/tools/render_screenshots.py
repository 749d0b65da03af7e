"""Renders the pictures of the README and of the module from the sample CT, the shipped bundle and the panel's .ui.

    Slicer --no-splash --additional-module-paths LiverLesionCascade --python-script Testing/tools/render_screenshots.py
    python Testing/tools/render_screenshots.py

With the real worker, in Slicer or, where there is none, in the harness, which draws the same widgets in another style.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
from LiverLesionCascadeLib.engine.progress import finish
from LiverLesionCascadeLib.engine.reports.key_images import key_image_steps
from LiverLesionCascadeLib.engine.scan.image_io import read_image
from LiverLesionCascadeLib.engine.segmenter import Segmenter
from LiverLesionCascadeLib.sample import fetch_sample
from PIL import Image
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

IN_SLICER = importlib.util.find_spec("qt") is not None
REPOSITORY = Path(__file__).resolve().parents[2]
MODULE = REPOSITORY / "LiverLesionCascade" / "LiverLesionCascade.py"
SCREENSHOTS = REPOSITORY / "Resources" / "Screenshots"
THUMBNAIL = REPOSITORY / "LiverLesionCascade" / "Resources" / "Icons" / "LiverLesionCascadeSample.png"
PICTURES = 3
WINDOW_HU = (-90, 210)
PANEL_WIDTH = 350


def render_result(folder: Path) -> None:
    """Three slices with their outlines, and the picture on the sample's button in Slicer."""
    ct = read_image(fetch_sample(folder).image)
    result = Segmenter(ModelBundle.shipped(), "cpu").segment(ct)
    images = finish(key_image_steps(ct, result, limit=PICTURES, size=480))
    write(SCREENSHOTS / "sample-result.png", np.concatenate([image.pixels for image in images], axis=1))
    low, high = WINDOW_HU
    grey = np.clip((ct.hu[result.table[0].slice_in(ct.geometry)] - low) / (high - low), 0, 1) * 255
    write(THUMBNAIL, np.repeat(ndimage.zoom(grey, 2, order=1).astype(np.uint8)[..., None], 3, axis=2))


def write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, optimize=True)
    print(path)


def panel_module():
    """The module's file, in Slicer or in the harness."""
    if IN_SLICER:
        return importlib.import_module("LiverLesionCascade")
    import slicer_harness

    slicer_harness.install()
    return slicer_harness.load(MODULE).module


def render_panel(folder: Path) -> None:
    """The panel before, during and after a run, and after one whose process was killed as by a lack of memory."""
    module = panel_module()
    from slicer_tour.answers import answered

    with answered("no"):
        render_panel_of(module, folder)


def render_panel_of(module, folder: Path) -> None:
    from LiverLesionCascadeLib.gui.registered.sample_data import loadSample
    from LiverLesionCascadeLib.gui.registered.self_test import waitUntil
    from LiverLesionCascadeLib.gui.runs import event_loop
    from LiverLesionCascadeLib.gui.runs.qt_process import QtProcess
    from LiverLesionCascadeLib.gui.runs.segmentation_runs import SegmentationRuns
    from LiverLesionCascadeLib.worker.client import WorkerClient

    processes = []

    def make_process(events):
        processes.append(QtProcess(events))
        return processes[-1]

    loadSample()
    runs = SegmentationRuns(lambda: WorkerClient(make_process, event_loop.shared.callLater, folder))
    widget = module.LiverLesionCascadeWidget(runs=runs)
    ui = widget.ui
    waitUntil(lambda: ui.segmentButton.enabled and runs.client.devices, "the sample can be segmented")
    grab(widget, "panel-idle")
    ui.segmentButton.click()
    waitUntil(lambda: ui.progressBar.value >= 50, "half of the run is done")
    grab(widget, "panel-running")
    os.kill(processes[-1].pid, signal.SIGKILL)
    waitUntil(lambda: ui.errorLabel.text, "the end of the process is noticed")
    grab(widget, "panel-error")
    ui.segmentButton.click()
    waitUntil(lambda: ui.segmentButton.text == "Segment", "the run ends")
    review_some(widget, waitUntil)
    grab(widget, "panel-finished")
    open_tools(widget, loadSample(), waitUntil)
    grab(widget, "panel-workbench")
    widget.cleanup()
    runs.close()


def review_some(widget, wait_until) -> None:
    """A person has gone through the first lesions."""
    lesions = widget.panel.results.workbench.lesions
    table = lesions.ui.lesionTable
    for verdict in ("accepted", "accepted", "rejected", "flagged"):
        lesions.step(1)
        lesions.review.toggle(verdict)
    lesions.step(-1)
    measured, status = 2, 1
    wait_until(lambda: table.item(3, status).text() == "\u2691", "the verdicts are shown")
    wait_until(lambda: all(table.item(row, measured).text() for row in range(table.rowCount)), "all is measured")


def open_tools(widget, second_scan, wait_until) -> None:
    """The tools of the result of a second scan, which is followed up on the first, the same."""
    results, ui = widget.panel.results, widget.ui
    earlier = results.node
    widget._parameterNode.inputVolume = second_scan
    wait_until(lambda: ui.segmentButton.enabled, "the second scan can be segmented")
    ui.segmentButton.click()
    wait_until(lambda: ui.segmentButton.text == "Segment" and results.node is not earlier, "the second run ends")
    for section in results.workbench.sections[1:]:
        for name, part in vars(section.ui).items():
            if name.endswith("CollapsibleButton"):
                part.collapsed = False
    follow_up = next(s for s in results.workbench.sections if hasattr(s.ui, "followUpTable"))
    follow_up.ui.baselineSelector.setCurrentNode(earlier)
    wait_until(lambda: follow_up.ui.followUpTable.rowCount, "the scans are compared")


def grab(widget, name: str) -> None:
    """Write a picture of the panel as high as its content."""
    import slicer

    parent = widget.parent
    widget.ui.summaryLabel.visible = False  # how long it took says something about this computer only
    parent.show()
    for _ in range(3):  # word-wrapped labels get their height from the width
        parent.resize(PANEL_WIDTH, parent.layout().heightForWidth(PANEL_WIDTH))
        slicer.app.processEvents()
    path = SCREENSHOTS / f"{name}.png"
    if not parent.grab().save(str(path)):
        raise OSError(f"{path} cannot be written.")
    print(path)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        render_result(Path(folder))
        render_panel(Path(folder))
    return 0


if __name__ == "__main__":
    if IN_SLICER:
        import slicer

        slicer.util.exit(main())
    else:
        sys.exit(main())
