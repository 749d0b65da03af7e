"""Seconds from the click on Segment to segments in the scene, by the real worker process, as the module runs it.

The longest that an event waited meanwhile is beside it; what drawing the views costs in Slicer is not in that.
python Testing/benchmarks/benchmark_panel.py [CT ...]     the sample, cold and warm, then other scans, warm
"""

import sys
import time
from pathlib import Path
from statistics import median

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / name) for name in ("Testing", "LiverLesionCascade")]

import slicer_harness  # noqa: E402

WARM_RUNS = 3
_COLUMNS = ("until the liver pass, s", "until segments are in the scene, s", "longest wait of the panel, s")
HEAD = f"| from the click | {' | '.join(_COLUMNS)} |\n| --- | ---: | ---: | ---: |"


def main(scans: list[str]) -> None:
    slicer_harness.install()
    import slicer

    slicer_harness.load(REPOSITORY / "LiverLesionCascade" / "LiverLesionCascade.py")
    slicer.util.selectModule("LiverLesionCascade")
    logic = slicer.modules.LiverLesionCascadeWidget.logic
    from fakes.heartbeat import Heartbeat
    from LiverLesionCascadeLib.gui.registered.sample_data import loadSample
    from LiverLesionCascadeLib.gui.registered.self_test import waitUntil

    def seconds(volumeNode) -> tuple[float, float, float]:
        """Until the networks look at the scan, until its segments are in the scene, and the longest wait."""
        ended, seen = [], []
        heartbeat = Heartbeat()
        started = time.perf_counter()

        def progressed(fraction, stage, secondsLeft):
            if stage == "Liver":
                seen.append(time.perf_counter() - started)

        logic.segmentAsync(volumeNode, progressed, lambda *found: ended.append(found), lambda *why: ended.append(why))
        waitUntil(lambda: ended, "the run ends")
        if isinstance(ended[0][0], str):
            raise RuntimeError(ended[0][0])
        heartbeat.stop()
        return seen[0], time.perf_counter() - started, heartbeat.longest

    print(HEAD)
    try:
        sample = loadSample()
        print("| sample, cold | {:.1f} | {:.1f} | {:.2f} |".format(*seconds(sample)))
        warm = [seconds(sample) for _ in range(WARM_RUNS)]
        print(
            "| sample, warm (median of {}) | {:.2f} | {:.1f} | {:.2f} |".format(
                WARM_RUNS, *map(median, zip(*warm, strict=True))
            )
        )
        for scan in scans:
            print("| {} | {:.1f} | {:.1f} | {:.2f} |".format(Path(scan).name, *seconds(slicer.util.loadVolume(scan))))
    finally:
        logic.close()


if __name__ == "__main__":
    main(sys.argv[1:])
