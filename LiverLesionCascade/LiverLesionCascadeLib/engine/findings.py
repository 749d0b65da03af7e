"""What a radiologist should know about a scan or a result: short plain sentences, each with its remedy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Severity = Literal["info", "warning", "error"]

# Contrast: liver in the portal venous phase measures about 100 to 120 HU, unenhanced 45 to 65 HU.
NON_CONTRAST_LIVER_HU = 65.0
SMALL_LIVER_ML = 500.0
LARGE_LIVER_ML = 4000.0


@dataclass(frozen=True)
class Finding:
    """One remark on a scan or a result.

    ``code`` is stable and meant for programs, ``message`` is for the person. "error": the scan cannot be
    segmented; "warning": the result needs a closer look; "info": something was done that should be known.
    """

    code: str
    severity: Severity
    message: str


# Edges of an array in axial LPS order (slice, row, column), first and last of each axis, as a radiologist says them.
_EDGES = (("bottom", "top"), ("front", "back"), ("right", "left"))


def edges_touched(mask: np.ndarray) -> tuple[str, ...]:
    """Edges of the scan where a mask (slice, row, column) has ten voxels or more; right is the patient's."""
    return tuple(
        name
        for axis, names in enumerate(_EDGES)
        for index, name in zip((0, -1), names, strict=True)
        if np.count_nonzero(mask.take(index, axis=axis)) >= 10
    )


def liver_findings(
    volume_ml: float, mean_hu: float | None, cut_by: Sequence[str] = (), clipped_hu: bool = False
) -> Iterator[Finding]:
    """What the segmented liver says about the scan.

    :param volume_ml: volume of the liver with its lesions, mL; 0 where none was found.
    :param mean_hu: mean HU of the liver *without* its lesions; None where it could not be measured.
    :param cut_by: edges of the scan that the liver touches, in words ("top", "left" ...): see :func:`edges_touched`.
    :param clipped_hu: the scan's HU were clipped before it got here: the mean is then not quite the liver's.
    """
    if volume_ml <= 0:
        yield Finding(
            "no_liver",
            "warning",
            "No liver was found in this scan. Check that the scan shows the upper abdomen and that it is a CT "
            "in the right orientation.",
        )
        return
    if cut_by:
        yield Finding(
            "liver_cut",
            "warning",
            f"The liver is cut by the edge of the scan ({', '.join(cut_by)}): its volume is that of the part "
            "shown. Use a scan that covers the whole liver where one exists.",
        )
    if mean_hu is not None and mean_hu < NON_CONTRAST_LIVER_HU:
        about = "about " if clipped_hu else ""
        yield Finding(
            "non_contrast",
            "warning",
            f"The liver measures {about}{mean_hu:.0f} HU on average: probably a scan without contrast medium, in "
            "an early phase, or a fatty liver. Lesions may be missed; use the portal venous phase if there is one.",
        )
    # A liver that is cut is small for that reason; saying it twice helps nobody.
    if volume_ml < SMALL_LIVER_ML and not cut_by:
        yield Finding(
            "small_liver",
            "warning",
            f"The liver found is unusually small ({volume_ml:.0f} mL). Check its outline and correct it if needed.",
        )
    if volume_ml > LARGE_LIVER_ML:
        yield Finding(
            "large_liver",
            "warning",
            f"The liver found is unusually large ({volume_ml:.0f} mL). Check that no neighbouring organ is "
            "included and that the scan's voxel size is right.",
        )
