"""Presets: how thoroughly a scan is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..results.postprocessing import PostProcessing

#: Bi et al. 2017, section 2.4: a 512 image at 512 to 640 in steps of 32, relative to the native size.
PAPER_SCALES = (1.0, 1.0625, 1.125, 1.1875, 1.25)


@dataclass(frozen=True)
class Preset:
    """How a scan is segmented.

    Attributes:
        liver_step_mm: Distance between the slices that the liver pass sees, at least; 0 for every slice.
        lesion_step_mm: The same for the lesion pass; maps between are interpolated.
        liver_scales, lesion_scales: Image sizes of each pass relative to its native one, whose probabilities are
            averaged.
        lesion_mirror: Whether the lesion pass also looks at every slice mirrored left to right, and averages.
        iterations: Runs of the lesion pass, each on the result of the one before; None for the bundle's own number, 0
            to stop after the liver pass (stage 1 alone, for comparison).
        priors: Whether the first run of the lesion pass is given the liver pass's maps.
        crf: Whether the maps go through the 3D-CRF before they become masks.
        postprocessing: The rules applied to the masks.
    """

    name: str
    liver_step_mm: float = 0.0
    lesion_step_mm: float = 0.0
    liver_scales: tuple[float, ...] = (1.0,)
    lesion_scales: tuple[float, ...] = (1.0,)
    lesion_mirror: bool = False
    iterations: int | None = None
    priors: bool = True
    crf: bool = False
    postprocessing: PostProcessing = field(default_factory=PostProcessing)


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        # Chosen on the validation cases; LiverLesionCascadeTraining/EXPERIMENTS.md has what was compared.
        Preset("fast", liver_step_mm=5.0, lesion_step_mm=2.5, lesion_mirror=True),
        Preset("paper", liver_scales=PAPER_SCALES, lesion_scales=PAPER_SCALES, postprocessing=PostProcessing.paper()),
    )
}
DEFAULT_PRESET = "fast"
