"""A result as a person left it, on the source's grid: what one process hands another to have it refined."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from ..grid.bounding_box import lies_within, start_of
from ..grid.boxed import EMPTY, Boxed, joint_box, union
from ..measures.lesions import NEIGHBOURS_26
from ..results.result import SegmentationResult
from ..scan.ct_volume import CTVolume

if TYPE_CHECKING:
    import torch

    from ..model.bundle import ModelBundle
    from .refine import Corrections, Refined

LIVER, LESION, LIVER_PAINTED, LIVER_ERASED, LESION_PAINTED, LESION_ERASED, TOUCHED = (1 << bit for bit in range(7))


def corrections_of(flags: Boxed, ct: CTVolume) -> Corrections:
    """As the engine takes them: on the scan's axial grid.

    Args:
        flags: uint8 on the source's grid, sums of the bits above: the masks as they are now, what was changed in them.

    Raises:
        ValueError: If they do not lie on the source's grid, or hold no mask at all.
    """
    if not lies_within(flags.box, ct.source.shape):
        raise ValueError(f"the edited masks {flags.box} do not lie on the scan's grid {ct.source.shape}")
    from .refine import Corrections  # brings torch, which only a run needs

    found = ct.boxed_from_source(Boxed.of(flags.values, flags.start))
    if not found:
        raise ValueError("there is nothing to refine: the result is empty")

    def has(bit: int) -> np.ndarray:
        mask: np.ndarray = found.values & bit != 0
        return mask

    return Corrections(
        start=found.start,
        liver=has(LIVER),
        lesions=has(LESION),
        lesions_painted=has(LESION_PAINTED),
        lesions_erased=has(LESION_ERASED),
        liver_painted=has(LIVER_PAINTED),
        liver_erased=has(LIVER_ERASED),
        touched=has(TOUCHED),
    )


def refined_on_source(
    refined: Refined, corrections: Corrections, flags: Boxed, ct: CTVolume, bundle: ModelBundle, device: torch.device
) -> SegmentationResult:
    """A refined result on the source's grid. All its lesions have the number 1; nothing in it is measured.

    Only what the refinement changed comes from the axial grid: masks that went there and back whole would differ from
    the person's own all along their edges where the scan is tilted or oblique.

    Args:
        corrections: What was refined.
        flags: Of which the corrections were made, see `corrections_of`.
    """

    def to_source(mask: np.ndarray) -> Boxed:
        return ct.boxed_to_source(Boxed.mask(mask, refined.start))

    new_lesions = to_source(refined.lesions & ~corrections.lesions)
    lesions = _changed(
        flags,
        LESION,
        TOUCHED,
        new_lesions,
        to_source(corrections.lesions & ~refined.lesions),
        to_source(refined.lesions),
    )
    liver = _changed(
        flags,
        LIVER,
        TOUCHED | LIVER_PAINTED | LIVER_ERASED,
        # A new part of a lesion is liver as well, beside an edge that the axial grid has elsewhere too.
        union((to_source(refined.liver & ~corrections.liver), new_lesions)),
        to_source(corrections.liver & ~refined.liver),
        to_source(refined.liver),
    )
    return SegmentationResult(
        grid=ct.source,
        name=ct.name,
        liver=liver,
        lesions=Boxed.labels(lesions.values, lesions.start),
        liver_volume_ml=liver.count * ct.source.voxel_volume_ml,
        table=[],
        bundle_name=bundle.name,
        bundle_version=bundle.version,
        preset="refined",
        device=str(device),
    )


def _changed(flags: Boxed, bit: int, fixed: int, added: Boxed, removed: Boxed, left: Boxed) -> Boxed:
    """The mask of a bit with what was added and removed, but for voxels that have one of the ``fixed`` bits.

    Args:
        left: The mask of the axial grid, as it is then.
    """
    box = joint_box((flags, added))
    if box is None:
        return EMPTY
    before = flags.within(box)
    now = before & bit != 0
    gone = removed.within(box)
    if gone.any():
        # On a tilted grid the edge of what is gone lies up to a voxel farther out.
        gone = ndimage.binary_dilation(gone, NEIGHBOURS_26) & ~left.within(box)
    after = (now | added.within(box)) & ~gone
    return Boxed.mask(np.where(before & fixed, now, after), start_of(box))
