"""Renders the pictures that the README and the module show, from the sample CT as the shipped bundle segments it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from LiverLesionCascadeLib.engine.bundle import ModelBundle
from LiverLesionCascadeLib.engine.image_io import read_image
from LiverLesionCascadeLib.engine.key_images import encode_png, key_images
from LiverLesionCascadeLib.engine.segmenter import Segmenter
from LiverLesionCascadeLib.sample import fetch_sample
from scipy import ndimage

REPOSITORY = Path(__file__).resolve().parents[1]
SCREENSHOTS = REPOSITORY / "Resources" / "Screenshots"
THUMBNAIL = REPOSITORY / "LiverLesionCascade" / "Resources" / "Icons" / "LiverLesionCascadeSample.png"
PICTURES = 3
WINDOW_HU = (-90, 210)


def render_result(folder: Path) -> None:
    """Three slices with their outlines, and the picture on the sample's button in Slicer."""
    ct = read_image(fetch_sample(folder).image)
    result = Segmenter(ModelBundle.shipped(), "cpu").segment(ct)
    images = key_images(ct.hu, result.liver, result.lesions, result.table, ct.spacing, limit=PICTURES, size=480)
    write(SCREENSHOTS / "sample-result.png", np.concatenate([image.pixels for image in images], axis=1))
    low, high = WINDOW_HU
    grey = np.clip((ct.hu[result.table[0].long_axis_slice] - low) / (high - low), 0, 1) * 255
    write(THUMBNAIL, np.repeat(ndimage.zoom(grey, 2, order=1).astype(np.uint8)[..., None], 3, axis=2))


def write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(pixels))
    print(path)


def main() -> int:
    render_result(Path("sample"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
