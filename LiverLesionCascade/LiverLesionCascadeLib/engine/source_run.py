"""A run as scene and worker need it: choices in, a result on the scan's own grid out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .corrections.edit_flags import corrections_of, refined_on_source
from .progress import CancelCallback, ProgressCallback
from .results.result import SegmentationResult
from .run_options import RunOptions
from .scan.ct_volume import CTVolume

if TYPE_CHECKING:
    from .grid.boxed import Boxed
    from .segmenter import Segmenter


def run_on_source(
    segmenter: Segmenter,
    ct: CTVolume,
    options: RunOptions,
    edits: Boxed | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> SegmentationResult:
    """Segments a scan, or refines a result of it from what a person changed.

    Args:
        edits: The result and what was changed in it, see `corrections.edit_flags`; None to segment.

    Raises:
        ValueError: If there is nothing to refine.
        InvalidVolumeError, CancelledError, DeviceError: As the segmenter does.
    """
    preset = options.resolved_preset()
    if edits is None:
        return segmenter.segment(ct, preset, progress, cancel).on_source(ct, options.keep_probabilities)
    corrections = corrections_of(edits, ct)
    refined = segmenter.refine(ct, corrections, preset, progress, cancel)
    return refined_on_source(refined, corrections, edits, ct, segmenter.bundle, segmenter.device)
