"""Seconds and memory of a result's way back from the engine's grid to that of the scene, a map.

    python Testing/benchmarks/benchmark_grids.py

A scan of 390 x 512 x 512 voxels with a made liver and lesions, once in axial order, once turned and flipped.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from LiverLesionCascadeLib.engine.grid.boxed import Boxed
from LiverLesionCascadeLib.engine.measures.lesions import label_lesions
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume

SHAPE = (390, 512, 512)
#: About where a liver lies, and how large it is.
LIVER = (slice(150, 290), slice(120, 360), slice(60, 330))
REPEATS = 5
MOST_SECONDS, MOST_MB = 0.3, 60.0


def made_scan(matrix: np.ndarray) -> CTVolume:
    shape = np.abs(np.linalg.inv(matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)) @ np.array(SHAPE[::-1]))
    i, j, k = (round(float(n)) for n in shape)
    hu = np.zeros((k, j, i), np.int16)
    hu[::2] = 60
    return CTVolume.from_array(hu, matrix, "benchmark")


def made_maps() -> tuple[np.ndarray, np.ndarray, Boxed]:
    """Liver (bool) and lesions (uint16) of the whole grid, and the lesions' probability (float16) in the box."""
    liver = np.zeros(SHAPE, bool)
    liver[LIVER] = True
    random = np.random.default_rng(0)
    found = np.zeros(SHAPE, bool)
    for _ in range(20):
        k, j, i = (int(random.integers(axis.start, axis.stop - 20)) for axis in LIVER)
        found[k : k + 12, j : j + 16, i : i + 18] = True
    probability = Boxed(found[LIVER].astype(np.float16), (LIVER[0].start, LIVER[1].start, LIVER[2].start))
    return liver, label_lesions(found), probability


def measured(name: str, work: Callable[[], object]) -> bool:
    """Prints the median time and the peak of memory; whether both are within what is promised."""
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    tracemalloc.start()
    work()
    megabytes = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    median = float(np.median(seconds))
    print(f"| {name} | {median:.3f} | {megabytes:.1f} |")
    return median < MOST_SECONDS and megabytes < MOST_MB


def main() -> int:
    liver, lesions, probability = made_maps()
    turned = np.eye(4)
    turned[:3, :3] = np.array([[0, 0, -1], [0, -1, 0], [1, 0, 0]])[:, [1, 0, 2]] * (0.8, 0.8, 2.5)
    print("| back to the scene | seconds | MB |\n| --- | ---: | ---: |")
    good = []
    for name, matrix in (("axial", np.diag([0.8, 0.8, 2.5, 1.0])), ("turned", turned)):
        ct = made_scan(matrix)
        good += [
            measured(f"liver, {name}", lambda ct=ct: ct.boxed_to_source(Boxed.labels(liver))),
            measured(f"lesions, {name}", lambda ct=ct: ct.boxed_to_source(Boxed.labels(lesions))),
            measured(
                f"probability, {name}",
                lambda ct=ct: ct.boxed_to_source(Boxed.of(probability.values, probability.start), order=1),
            ),
        ]
    return 0 if all(good) else 1


if __name__ == "__main__":
    raise SystemExit(main())
