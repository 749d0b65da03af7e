"""A small synthetic abdomen for tests, and something that segments it at once by its values."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from LiverLesionCascadeLib.engine.ct_volume import CTVolume
from LiverLesionCascadeLib.engine.errors import CancelledError
from LiverLesionCascadeLib.engine.lesions import label_lesions, measure_lesions
from LiverLesionCascadeLib.engine.postprocessing import PostProcessing, postprocess
from LiverLesionCascadeLib.engine.result import ProbabilityBox, SegmentationResult

SPACING_KJI = (3.0, 2.0, 2.0)
LIVER_HU, LESION_HU = 110, 30


def phantom_hu() -> np.ndarray:
    """(slice, row, column) int16, axial LPS order: fat and muscle, a liver on their right, two lesions in it."""
    shape = (24, 100, 130)
    slices, rows, columns = np.indices(shape)

    def ball(centre: tuple[float, float, float], radii: tuple[float, float, float]) -> np.ndarray:
        position = zip((slices, rows, columns), centre, radii, strict=True)
        return sum(((axis - middle) / radius) ** 2 for axis, middle, radius in position) <= 1

    hu = np.full(shape, -1000, np.int16)
    hu[ball((12, 50, 65), (200, 45, 60))] = -90
    hu[ball((12, 50, 65), (200, 40, 54))] = 50
    hu[ball((12, 45, 40), (10, 24, 24))] = LIVER_HU
    hu[ball((9, 38, 34), (4, 7, 5))] = LESION_HU
    hu[ball((15, 54, 48), (2, 3, 4))] = LESION_HU
    rng = np.random.default_rng(0)
    return (hu + rng.integers(-3, 4, shape)).astype(np.int16)


def phantom_image() -> sitk.Image:
    image = sitk.GetImageFromArray(phantom_hu())
    image.SetSpacing(SPACING_KJI[::-1])
    image.SetOrigin((-130.0, -100.0, 500.0))
    return image


def write_phantom(path: Path) -> Path:
    sitk.WriteImage(phantom_image(), str(path))
    return path


class PhantomSegmenter:
    """Stands in for the ``Segmenter``: thresholds, no network.

    Args:
        slow_s: Seconds that it pretends to need, asking now and then whether it was cancelled.
        fail: Raised in the middle of a run.
    """

    def __init__(self, slow_s: float = 0.0, fail: BaseException | None = None) -> None:
        self.slow_s, self.fail = slow_s, fail
        self.bundle: Path | None = None
        self.device = self.preset = ""
        self.rules: PostProcessing | None = None

    def __call__(self, bundle: Path | None, device: str) -> PhantomSegmenter:
        """As a factory of segmenters: itself."""
        self.bundle, self.device = bundle, device
        return self

    def segment(
        self,
        ct: CTVolume,
        preset: str = "fast",
        progress: Callable[[float, str], None] | None = None,
        cancel: Callable[[], bool] | None = None,
        postprocessing: PostProcessing | None = None,
    ) -> SegmentationResult:
        self.preset, self.rules = preset, postprocessing
        if progress is not None:
            progress(0.1, "Liver")
            progress(0.5, "Lesions")
        if self.fail is not None:
            raise self.fail
        end = time.monotonic() + self.slow_s
        while time.monotonic() < end:
            if cancel is not None and cancel():
                raise CancelledError("The segmentation was cancelled; nothing was written")
            time.sleep(0.02)
        lesion = (ct.hu > LESION_HU - 10) & (ct.hu < LESION_HU + 10)
        liver = (ct.hu > LIVER_HU - 20) & (ct.hu < LIVER_HU + 20) | lesion
        liver, lesion = postprocess(liver, lesion, ct.spacing, postprocessing or PostProcessing())
        instances = label_lesions(lesion)
        maps = [ProbabilityBox((mask * 0.9).astype(np.float16), (0, 0, 0)) for mask in (liver, lesion)]
        table = measure_lesions(instances, ct.hu, ct.geometry, maps[1], liver)
        return SegmentationResult(
            ct, liver, instances, maps[0], maps[1], table, "phantom", "1.2.3", preset, "cpu (fp32)",
            [*ct.notes, *ct.check()], {"liver pass": 0.1, "lesion pass": 0.2},
        )  # fmt: skip
