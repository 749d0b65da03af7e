"""Renders the ten largest components of the sample's lesion mask, as one lesion each and told apart.

python Testing/tools/render_lesions_apart.py
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
from LiverLesionCascadeLib.engine.measures.diameters import axial_diameters
from LiverLesionCascadeLib.engine.measures.lesion_parts import separate_lesions
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
from LiverLesionCascadeLib.engine.passes.presets import PRESETS
from LiverLesionCascadeLib.engine.scan.image_io import read_image
from LiverLesionCascadeLib.engine.segmenter import Segmenter
from LiverLesionCascadeLib.sample import fetch_sample
from scipy import ndimage

matplotlib.use("Agg")

from matplotlib import pyplot

PICTURE = Path(__file__).resolve().parents[2] / "Resources" / "Screenshots" / "sample-lesions-apart.png"
LARGEST, MARGIN = 10, 8
WINDOW_HU = (-20, 200)


def render(hu: np.ndarray, components: np.ndarray, spacing: tuple[float, float, float], picture: Path) -> None:
    """Arrays (slice, row, column): HU, and components 1..n by falling volume; spacing in mm."""
    lesions = separate_lesions(components, spacing)
    colors = pyplot.get_cmap("tab10")
    figure, axes = pyplot.subplots(4, LARGEST // 2, figsize=(15, 13))
    for number, inner in zip(range(1, LARGEST + 1), ndimage.find_objects(components), strict=False):
        box = tuple(slice(max(0, s.start - MARGIN), s.stop + MARGIN) for s in inner)
        whole = components[box] == number
        index = axial_diameters(whole, spacing[1:]).slice_index
        parts = np.where(whole, lesions[box], 0)
        numbers = [each for each in np.unique(parts).tolist() if each]
        row, column = divmod(number - 1, LARGEST // 2)
        for below, masks in ((0, [whole]), (1, [parts == each for each in numbers])):
            axis = axes[2 * row + below, column]
            axis.axis("off")
            axis.set_title(f"{number}" if not below else f"{len(numbers)} lesions" if len(numbers) > 1 else "1 lesion")
            axis.imshow(
                hu[box][index], cmap="gray", vmin=WINDOW_HU[0], vmax=WINDOW_HU[1], aspect=spacing[1] / spacing[2]
            )
            for count, mask in enumerate(masks):
                if not mask[index].any():
                    continue
                axis.contour(mask[index], [0.5], colors=[colors(count % 10)], linewidths=1.5)
                found = axial_diameters(mask, spacing[1:])
                for ends in (found.long_points, found.short_points) if found.slice_index == index else ():
                    axis.plot([p[2] for p in ends], [p[1] for p in ends], color=colors(count % 10), linewidth=1.2)
    figure.tight_layout()
    figure.savefig(picture, dpi=60)
    print(picture)


def main() -> None:
    preset = PRESETS["fast"]
    preset = replace(preset, postprocessing=replace(preset.postprocessing, split_lesions=False))
    with tempfile.TemporaryDirectory() as folder:
        ct = read_image(fetch_sample(Path(folder)).image)
    result = Segmenter(ModelBundle.shipped(), "cpu").segment(ct, preset)
    render(ct.hu, result.lesions.full(ct.hu.shape), ct.spacing, PICTURE)


if __name__ == "__main__":
    main()
