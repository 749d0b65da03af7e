"""Renders the README's picture: three slices of the sample CT as the shipped bundle segments it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from LiverLesionCascadeLib.engine.bundle import ModelBundle
from LiverLesionCascadeLib.engine.image_io import read_image
from LiverLesionCascadeLib.engine.key_images import encode_png, key_images
from LiverLesionCascadeLib.engine.segmenter import Segmenter
from LiverLesionCascadeLib.sample import fetch_sample

TARGET = Path(__file__).resolve().parents[1] / "Resources" / "Screenshots" / "sample-result.png"
PICTURES = 3


def main() -> int:
    ct = read_image(fetch_sample(Path("sample")).image)
    result = Segmenter(ModelBundle.shipped(), "cpu").segment(ct)
    images = key_images(ct.hu, result.liver, result.lesions, result.table, ct.spacing, limit=PICTURES, size=480)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_bytes(encode_png(np.concatenate([image.pixels for image in images], axis=1)))
    print(TARGET)
    return 0


if __name__ == "__main__":
    sys.exit(main())
