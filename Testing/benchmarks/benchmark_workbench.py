"""How fast the workbench is on the sample: the lesion table complete, after an edit, the way to a lesion, and refining.

python Testing/benchmarks/benchmark_workbench.py [CT ...]     the sample, then other scans
"""

import sys
import time
from pathlib import Path
from statistics import median

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / name) for name in ("Testing", "LiverLesionCascade")]

import slicer_harness  # noqa: E402

REPEATS = 5


def main(scans: list[str]) -> None:
    slicer_harness.install()
    import slicer

    slicer_harness.load(REPOSITORY / "LiverLesionCascade" / "LiverLesionCascade.py")
    slicer.util.selectModule("LiverLesionCascade")
    widget = slicer.modules.LiverLesionCascadeWidget
    from LiverLesionCascadeLib.gui.registered.sample_data import loadSample

    print(
        "| scan | lesions | table complete, s | row after an edit, s | jump, ms | refine 1 mark, s | 3 marks, s |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
    try:
        measure(widget, "sample", loadSample())
        for scan in scans:
            measure(widget, Path(scan).name, slicer.util.loadVolume(scan))
    finally:
        widget.logic.close()


def measure(widget, name, volumeNode) -> None:
    """Print a line of the table for one scan."""
    from LiverLesionCascadeLib.gui.registered.self_test import waitUntil

    section = widget.panel.results.workbench.lesions
    widget._parameterNode.inputVolume = volumeNode
    ended = []
    widget.logic.segmentAsync(volumeNode, None, lambda *found: ended.append(time.perf_counter()))
    waitUntil(lambda: ended, "the run ends")
    widget.panel.update()
    table = section.ui.lesionTable
    waitUntil(lambda: table.rowCount and not section._rows.pending(), "the table is complete")
    complete = time.perf_counter() - ended[0]
    node = widget.panel.results.node
    rows = section._rows.rows()
    edits = [secondsOfEdit(section, node, rows[n % len(rows)].segmentId, volumeNode) for n in range(REPEATS)]
    jumps = []
    for _ in range(max(REPEATS, len(rows))):
        started = time.perf_counter()
        section.step(1)
        jumps.append(1000 * (time.perf_counter() - started))
    one, three = (secondsOfRefining(widget, node, volumeNode, n) for n in (1, 3))
    print(
        f"| {name} | {len(rows)} | {complete:.2f} | {median(edits):.2f} | {max(jumps):.0f} | {one:.1f} | {three:.1f} |",
        flush=True,
    )


def secondsOfRefining(widget, node, volumeNode, marks: int) -> float:
    """From the click to the preview, with the thickest lesions missed and each marked by a disk in one slice."""
    from LiverLesionCascadeLib.gui.registered.self_test import miss, paintNew, waitUntil

    section = widget.panel.results.workbench.refine
    for number in range(1, marks + 1):
        _mask, mark = miss(node)
        paintNew(node, volumeNode, f"Missed {number}", mark)
    widget.panel.update()
    waitUntil(lambda: section.ui.refineButton.enabled, "the marks can be refined")
    started = time.perf_counter()
    section.ui.refineButton.click()
    waitUntil(lambda: section.ui.acceptRefinementButton.enabled, "the preview is shown")
    seconds = time.perf_counter() - started
    section.ui.acceptRefinementButton.click()
    return seconds


def secondsOfEdit(section, node, segmentId, volumeNode) -> float:
    """From a change of a segment, as a brush makes it, to its row: the slice of its long axis is taken out."""
    import slicer
    from LiverLesionCascadeLib.gui.registered.self_test import waitUntil

    row = next(row for row in section._rows.rows() if row.segmentId == segmentId)
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(node, segmentId, volumeNode).copy()
    mask[np.flatnonzero(mask.any(axis=(1, 2)))[0]] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segmentId, volumeNode)
    started = time.perf_counter()

    def measured():
        now = next((each for each in section._present if each.segmentId == segmentId), None)
        return now is not None and not section._rows.pending() and now.measures != row.measures

    waitUntil(measured, "the row follows")
    return time.perf_counter() - started


if __name__ == "__main__":
    main(sys.argv[1:])
