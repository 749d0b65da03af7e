"""How fast a step of the threshold's slider is: lesions found anew, and put into the preview's node.

python Testing/benchmarks/benchmark_threshold.py          a made liver in a scan of 512 x 512 x 390
python Testing/benchmarks/benchmark_threshold.py CT ...   scans too, with the shipped networks' probabilities
"""

import sys
import time
from pathlib import Path
from statistics import median

import numpy as np
from scipy import ndimage

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / name) for name in ("Testing", "LiverLesionCascade")]

from fixtures import scene_cases as cases  # noqa: E402
from LiverLesionCascadeLib.engine.grid.boxed import Boxed  # noqa: E402
from LiverLesionCascadeLib.engine.grid.geometry import ImageGeometry  # noqa: E402
from LiverLesionCascadeLib.engine.measures.lesions import label_lesions  # noqa: E402
from LiverLesionCascadeLib.engine.results.result import SegmentationResult  # noqa: E402
from LiverLesionCascadeLib.engine.scan.image_io import read_image  # noqa: E402
from LiverLesionCascadeLib.scene.headless import headlessScene  # noqa: E402
from LiverLesionCascadeLib.scene.nodes.arrays import RAS_FROM_LPS  # noqa: E402
from LiverLesionCascadeLib.scene.nodes.volume import worldFromIjk  # noqa: E402
from LiverLesionCascadeLib.scene.tools.threshold import Threshold  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.segmentation import segmentationNodeFromResult  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.stored_probability import storeProbability  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.workspace import closeWorkspaces, workspaceOf  # noqa: E402

SCAN = (390, 512, 512)
SPACING = (0.75, 0.75, 1.0)
START, BOX = (100, 120, 60), (230, 300, 340)
LESIONS = 60
REPEATS = 3


def main(scans: list[str]) -> None:
    print("| scan | box, voxels | lesions | prepared, ms | first step, ms | median step, ms | worst, ms | apply, s |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    with headlessScene() as scene:
        volumeNode = cases.addVolumeNode(scene, np.zeros(SCAN, np.int16), spacing=SPACING)
        liver, probability = madeLiver()
        measure("made, 512 x 512 x 390", volumeNode, madeResult(volumeNode, liver, probability))
    for scan in scans:
        from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
        from LiverLesionCascadeLib.engine.segmenter import Segmenter

        ct = read_image(scan)
        result = Segmenter(ModelBundle.shipped(), "cpu").segment(ct).on_source(ct, keep_probabilities=True)
        with headlessScene() as scene:
            measure(Path(scan).name, cases.volumeNodeFromArray(scene, ct.to_source(ct.hu), ct.source, ct.name), result)


def measure(name: str, volumeNode, result: SegmentationResult) -> None:
    """Print a line of the table for one result."""
    node = segmentationNodeFromResult(result, volumeNode)
    storeProbability(node, volumeNode, result.lesion_probability)
    threshold = workspaceOf(node).tool(Threshold)
    prepared, _ = seconds(threshold.prepare)
    first, summary = seconds(lambda: threshold.preview(0.5, 3.0))
    steps = [
        median(seconds(lambda value=value: threshold.preview(value, 3.0))[0] for _ in range(REPEATS))
        for value in np.arange(0.1, 0.96, 0.05)
    ]
    apply, _ = seconds(lambda: threshold.apply(0.3, 3.0))
    box = " x ".join(map(str, result.lesion_probability.values.shape))
    print(
        f"| {name} | {box} | {summary.lesions} | {1000 * prepared:.0f} | {1000 * first:.0f} "
        f"| {1000 * median(steps):.0f} | {1000 * max(steps):.0f} | {apply:.1f} |",
        flush=True,
    )
    closeWorkspaces()


def seconds(function):
    started = time.perf_counter()
    result = function()
    return time.perf_counter() - started, result


def madeLiver() -> tuple[np.ndarray, np.ndarray]:
    """A liver of four litres in its box, and probabilities of lesions of 5 to 35 mm with soft edges in faint noise."""
    rng = np.random.default_rng(0)
    k, j, i = np.ogrid[: BOX[0], : BOX[1], : BOX[2]]
    liver = ((k - 115) / 110) ** 2 + ((j - 150) / 120) ** 2 + ((i - 170) / 140) ** 2 <= 1
    noise = ndimage.gaussian_filter(rng.standard_normal(BOX, np.float32), 2)
    probability = np.clip(0.03 * noise / noise.std(), 0, 1)
    for centre, radius in zip(rng.uniform(0.25, 0.75, (LESIONS, 3)) * BOX, rng.uniform(3, 20, LESIONS), strict=True):
        inner = tuple(slice(max(0, int(c - 2 * radius)), int(c + 2 * radius) + 1) for c in centre)
        axes = np.ogrid[tuple(slice(s.start, min(s.stop, n)) for s, n in zip(inner, BOX, strict=True))]
        distance = np.sqrt(sum((axis - c) ** 2 for axis, c in zip(axes, centre, strict=True)))
        probability[inner] = np.maximum(probability[inner], 1 / (1 + np.exp((distance - radius) / 1.5)))
    return liver, probability * liver


def madeResult(volumeNode, liver: np.ndarray, probability: np.ndarray) -> SegmentationResult:
    return SegmentationResult(
        grid=ImageGeometry(SCAN, RAS_FROM_LPS @ worldFromIjk(volumeNode)),
        name="made",
        liver=Boxed.mask(liver, START),
        lesions=Boxed.labels(label_lesions((probability > 0.5) & liver), START),
        table=[],
        liver_volume_ml=0.0,
        bundle_name="none",
        bundle_version="",
        preset="fast",
        device="cpu",
        lesion_probability=Boxed(probability.astype(np.float16), START),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
