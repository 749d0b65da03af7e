"""Peak host memory of preparing and of reading training data at the size of LiTS.

    python Testing/benchmarks/benchmark_data.py

Two synthetic volumes of 512 x 512 x 450 are prepared and cut into slices for the full-width ``paper`` recipe; then
batches are drawn from a store of the size that 131 such volumes give (files with holes: no disk space is needed).
Each step runs in a process of its own. "Private" is what the process itself needs; "mapped" are pages of the data
files, which the system keeps while there is room and drops when there is none.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
for folder in ("LiverLesionCascade", "LiverLesionCascadeTraining"):
    sys.path.insert(0, str(REPOSITORY / folder))

VOLUMES, SHAPE, SPACING = 131, (450, 512, 512), (0.75, 0.75, 1.0)
#: Of LiTS: slices with liver a volume, and with lesions (19,163 and 7,190 of 58,638 slices).
LIVER_SLICES, LESION_SLICES, NEAR = 146, 55, 8


def write_volumes(folder: Path, count: int) -> None:
    """CTs with noise (so that they compress as badly as real ones), each with a liver and lesions in it."""
    import numpy as np
    import SimpleITK as sitk

    folder.mkdir(parents=True)
    rows, columns = np.ogrid[:512, :512]
    body = ((rows - 256) / 180) ** 2 + ((columns - 256) / 235) ** 2 <= 1
    first = (SHAPE[0] - LIVER_SLICES) // 2
    for number in range(count):
        random = np.random.default_rng(number)
        hu = np.empty(SHAPE, np.int16)
        labels = np.zeros(SHAPE, np.uint8)
        for k in range(SHAPE[0]):
            hu[k] = np.where(body, 50, -1000) + random.normal(0, 15, SHAPE[1:])
            if first <= k < first + LIVER_SLICES:
                radius = 110 * np.sin(np.pi * (k - first + 1) / (LIVER_SLICES + 2))
                labels[k][(rows - 240) ** 2 + (columns - 170) ** 2 <= radius**2] = 1
                if abs(k - SHAPE[0] // 2) <= LESION_SLICES // 2:
                    labels[k][(rows - 240) ** 2 + (columns - 150) ** 2 <= 20**2] = 2
        for kind, array in (("volume", hu), ("segmentation", labels)):
            image = sitk.GetImageFromArray(array)
            image.SetSpacing(SPACING)
            sitk.WriteImage(image, str(folder / f"{kind}-{number}.nii.gz"), True, 1)


def prepare_data(folder: Path) -> None:
    from LiverLesionCascadeTrainingLib.datasets.prepare import prepare

    prepare([folder / "in"], folder / "data", share=0)


def cut_slices(folder: Path, pass_name: str) -> None:
    from LiverLesionCascadeTrainingLib.datasets.cases import find_cases
    from LiverLesionCascadeTrainingLib.recipes import PAPER
    from LiverLesionCascadeTrainingLib.slices.slice_store import build_store

    build_store(find_cases([folder / "data"]), pass_name, PAPER, folder / pass_name, slices=PAPER.slices)


def write_large_store(folder: Path) -> None:
    """A store as 131 volumes give it to the lesion pass, priors included: all holes."""
    import numpy as np
    from LiverLesionCascadeTrainingLib.datasets.npy_file import NpyWriter
    from LiverLesionCascadeTrainingLib.recipes import PAPER
    from LiverLesionCascadeTrainingLib.slices.slice_store import canvas_side

    folder.mkdir()
    canvas = canvas_side(PAPER.lesion)
    kinds = ["lesion"] * LESION_SLICES + ["liver"] * (LIVER_SLICES - LESION_SLICES) + ["near"] * NEAR
    for name, shape in (
        ("images", (canvas, canvas)),
        ("targets", (2, canvas, canvas)),
        ("priors", (2, canvas // 2, canvas // 2)),
    ):
        with NpyWriter(folder / f"{name}.npy", np.uint8, shape) as file:
            for _ in range(VOLUMES):
                file.append(np.zeros((len(kinds), *shape), np.uint8))
    description = {
        "cases": [str(i) for i in range(VOLUMES)],
        "patients": [str(i) for i in range(VOLUMES)],
        "case": [i for i in range(VOLUMES) for _ in kinds],
        "slice": [k for _ in range(VOLUMES) for k in range(len(kinds))],
        "kinds": kinds * VOLUMES,
        "chosen": [True] * len(kinds) * VOLUMES,
        "known": [True] * len(kinds) * VOLUMES,
        "beside": [],
        "views": [[0, 0, 512, 512, canvas, canvas]] * VOLUMES,
        "inner": PAPER.lesion.size / canvas,
    }
    (folder / "slices.json").write_text(json.dumps(description), encoding="utf-8")


def draw_batches(folder: Path, steps: int) -> None:
    from LiverLesionCascadeTrainingLib.recipes import PAPER
    from LiverLesionCascadeTrainingLib.slices.batches import BatchMaker
    from LiverLesionCascadeTrainingLib.slices.slice_store import open_store

    maker = BatchMaker(open_store(folder), PAPER, PAPER.lesion, "lesion")
    for step in range(steps):
        maker.make(step)


def _measured(answer: Any, step: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Runs a step and sends the highest private and mapped memory in bytes, and the seconds."""
    peaks, done = {"RssAnon": 0, "RssFile": 0}, threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            for line in Path("/proc/self/status").read_text().splitlines():
                name, _, value = line.partition(":")
                if name in peaks:
                    peaks[name] = max(peaks[name], int(value.split()[0]) * 1024)

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    step(*arguments)
    done.set()
    watcher.join()
    answer.put((peaks["RssAnon"], peaks["RssFile"], time.perf_counter() - start))


def measure(name: str, step: Callable[..., None], *arguments: Any) -> None:
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=_measured, args=(answer, step, arguments))
    process.start()
    private, mapped, seconds = answer.get()
    process.join()
    print(f"{name:48} {private / 1e9:8.2f} {mapped / 1e9:8.2f} {seconds:8.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--volumes", type=int, default=2, help="synthetic volumes that are really prepared (default 2)")
    parser.add_argument("--steps", type=int, default=20, help="batches that are drawn (default 20)")
    arguments = parser.parse_args()
    if not Path("/proc/self/status").exists():
        sys.exit("error: this benchmark reads /proc and needs Linux")
    print(f"{'peak memory, GB':48} {'private':>8} {'mapped':>8} {'seconds':>8}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_volumes(folder / "in", arguments.volumes)
        measure(f"prepare, {arguments.volumes} volumes", prepare_data, folder)
        for pass_name in ("liver", "lesion"):
            measure(f"slices of the {pass_name} pass, recipe paper", cut_slices, folder, pass_name)
        write_large_store(folder / "large")
        size = sum(path.stat().st_size for path in (folder / "large").glob("*.npy"))
        measure(
            f"batches from {VOLUMES} volumes ({size / 1e9:.0f} GB of slices)",
            draw_batches,
            folder / "large",
            arguments.steps,
        )


if __name__ == "__main__":
    main()
