"""A result as a person left it, on the source's grid: what one process hands another to have it refined."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from ..grid.bounding_box import grown, lies_within, start_of
from ..grid.boxed import EMPTY, Boxed, joint_box, union
from ..measures.lesions import NEIGHBOURS_26
from ..results.result import SegmentationResult
from ..scan.ct_volume import CTVolume

if TYPE_CHECKING:
    import torch

    from ..model.bundle import ModelBundle
    from .refine import Corrections, Refined

LIVER, LESION, LIVER_PAINTED, LIVER_ERASED, LESION_PAINTED, LESION_ERASED, TOUCHED = (1 << bit for bit in range(7))
CORRECTED = LIVER_PAINTED | LIVER_ERASED | LESION_PAINTED | LESION_ERASED


def corrections_of(flags: Boxed, ct: CTVolume) -> Corrections:
    """As the engine takes them: on the scan's axial grid, in the box of whatever they may reach.

    Args:
        flags: uint8 on the source's grid, sums of the bits above: the masks as they are now, what was changed in them.

    Raises:
        ValueError: If they do not lie on the source's grid, or hold no mask at all.
    """
    if not lies_within(flags.box, ct.source.shape):
        raise ValueError(f"the edited masks {flags.box} do not lie on the scan's grid {ct.source.shape}")
    from .refine import Corrections, reached  # brings torch, which only a run needs

    found = ct.boxed_from_source(Boxed.of(flags.values, flags.start))
    if not found:
        raise ValueError("there is nothing to refine: the result is empty")
    box = reached(found.box, ct)
    values = found.within(box)

    def has(bit: int) -> np.ndarray:
        mask: np.ndarray = values & bit != 0
        return mask

    return Corrections(
        start=start_of(box),
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

    def carried(before: np.ndarray, after: np.ndarray) -> tuple[Boxed, Boxed]:
        gone = _with_edge(to_source(before & ~after), to_source(after), ct.source.shape)
        return to_source(after & ~before), gone

    new_lesions, gone = carried(corrections.lesions, refined.lesions)
    lesions = _changed(flags, LESION, TOUCHED, new_lesions, gone)
    added, gone = carried(corrections.liver, refined.liver)
    # A new part of a lesion is liver as well, beside an edge that the axial grid has elsewhere too.
    liver = _changed(flags, LIVER, TOUCHED | LIVER_PAINTED | LIVER_ERASED, union((added, new_lesions)), gone)
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


def _with_edge(removed: Boxed, left: Boxed, shape: tuple[int, int, int]) -> Boxed:
    """What was removed from a mask of which ``left`` is there still, on a grid of ``shape``.

    With its edge, which on a tilted grid lies up to a voxel farther out.
    """
    if not removed:
        return EMPTY
    box = grown(removed.box, shape)
    return Boxed.mask(ndimage.binary_dilation(removed.within(box), NEIGHBOURS_26) & ~left.within(box), start_of(box))


def _changed(flags: Boxed, bit: int, fixed: int, added: Boxed, removed: Boxed) -> Boxed:
    """The mask of a bit with what was added and removed, but for voxels that have one of the ``fixed`` bits."""
    box = joint_box((flags, added))
    if box is None:
        return EMPTY
    before = flags.within(box)
    now = before & bit != 0
    after = (now | added.within(box)) & ~removed.within(box)
    return Boxed.mask(np.where(before & fixed, now, after), start_of(box))
