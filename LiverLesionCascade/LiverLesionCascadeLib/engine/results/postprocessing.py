"""From thresholded maps to the masks that are shown: hole filling (the paper's), and the product's plausibility rules.

All arrays are (slice, row, column); spacing is (slice, row, column) in mm.

The rules, in the order in which they are applied, and why:

1. *Holes* are filled slice by slice in the axial plane, in the liver and in the lesions (Bi et al. 2017). A hole is
   background that no path over pixel edges leads out of, within its slice.
2. *Minimum lesion size*: lesion components (26 neighbours, in 3D) whose volume is that of a sphere with a diameter
   below `min_lesion_mm` are removed.
3. *Lesions inside the liver.* The liver mask means the whole organ, lesions included, and the two maps disagree most at
   the capsule. So a lesion component is judged as a whole: with at least half of its voxels in the liver it is a lesion
   of the liver, is kept whole and *is added to the liver*; otherwise it belongs to a neighbour (gall bladder, kidney,
   stomach) and is removed whole, which leaves no slivers along the capsule. Holes between an added lesion and the liver
   are then filled as in 1.
4. *Largest liver component* (26 neighbours, in 3D). As lesions are liver by now, one that the liver map missed does not
   cut off the part of the liver behind it. With rule 3, lesions of the components that are removed go with them.

Two more rules need more than masks and are applied by the segmenter: unlikely lesions are rejected (`lesion_filter`),
and lesions that have grown together are told apart (`lesion_parts`), which changes no voxel of the masks. The segmenter
also takes the probability of what rule 3 removed below the threshold where it lies in the liver, so that only a lower
threshold brings it back.

A second pass over the result changes nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from ..grid.bounding_box import bounding_box, joint_bounding_box
from ..measures.diameters import reaches_diameter
from ..measures.lesions import NEIGHBOURS_26, label_lesions

#: A lesion component belongs to the liver when at least this share of its voxels lies in the liver mask.
MIN_SHARE_INSIDE = 0.5

_IN_PLANE_EDGES = np.zeros((3, 3, 3), dtype=bool)
_IN_PLANE_EDGES[1] = ndimage.generate_binary_structure(2, 1)


@dataclass(frozen=True)
class PostProcessing:
    """Which rules of `postprocess` are applied; each can be switched off.

    Attributes:
        fill_holes: Fill holes per axial slice, in liver and lesions.
        largest_liver_component: Keep only the largest 3D component of the liver.
        lesions_inside_liver: Keep a lesion, whole, only when at least half of it is in the liver; add it to the liver.
        reject_unlikely_lesions: Remove lesions that the bundle's filter finds unlikely (`lesion_filter`); it is applied
            by the segmenter, as it needs more than masks.
        split_lesions: Tell lesions apart that have grown together (`lesion_parts`); by the segmenter, too.
        min_lesion_mm: Remove lesions of a smaller equivalent diameter (sphere of the same volume); 0 keeps all.
    """

    fill_holes: bool = True
    largest_liver_component: bool = True
    lesions_inside_liver: bool = True
    reject_unlikely_lesions: bool = True
    split_lesions: bool = True
    min_lesion_mm: float = 3.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.min_lesion_mm) and self.min_lesion_mm >= 0):
            raise ValueError(f"min_lesion_mm is {self.min_lesion_mm}: give a diameter in mm, 0 to keep every lesion.")

    @classmethod
    def paper(cls) -> PostProcessing:
        """Hole filling only, as in Bi et al. 2017."""
        return replace(cls.none(), fill_holes=True)

    @classmethod
    def none(cls) -> PostProcessing:
        """The masks as they are."""
        return cls(False, False, False, False, False, min_lesion_mm=0.0)


def largest_component(mask: np.ndarray) -> np.ndarray:
    """A copy of the bool mask (slice, row, column) with only its largest 3D component (26 neighbours)."""
    return label_lesions(mask) == 1  # its components by falling volume


def postprocess(
    liver_mask: np.ndarray,
    lesion_mask: np.ndarray,
    spacing: tuple[float, float, float],
    options: PostProcessing | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Apply the rules that are described at the top of this file.

    Args:
        liver_mask: Bool (slice, row, column), the whole organ, lesions included.
        lesion_mask: Bool, of the same shape.
        spacing: (slice, row, column) in mm.
        options: Which rules; by default all of them.

    Returns:
        Liver and lesions, new bool arrays of the same shape.
    """
    if liver_mask.shape != lesion_mask.shape:
        raise ValueError(f"liver {liver_mask.shape} and lesions {lesion_mask.shape} are not on one grid")
    options = options or PostProcessing()
    liver_out = np.zeros(liver_mask.shape, dtype=bool)
    lesions_out = np.zeros(lesion_mask.shape, dtype=bool)
    box = joint_bounding_box(liver_mask, lesion_mask)
    if box is None:
        return liver_out, lesions_out

    liver = np.array(liver_mask[box], dtype=bool)
    lesions = np.array(lesion_mask[box], dtype=bool)
    if options.fill_holes:
        _fill_holes(liver)
        _fill_holes(lesions)
    if options.lesions_inside_liver or options.min_lesion_mm > 0:
        _choose_lesions(liver, lesions, float(np.prod(spacing)), options)
    if options.lesions_inside_liver:
        added = lesions & ~liver
        changed = bounding_box(added)
        if changed is not None:
            liver |= added
            if options.fill_holes:
                _fill_holes(liver[changed[0]])
    if options.largest_liver_component:
        liver = largest_component(liver)
        if options.lesions_inside_liver:
            lesions &= liver
    liver_out[box] = liver
    lesions_out[box] = lesions
    return liver_out, lesions_out


def _choose_lesions(liver: np.ndarray, lesions: np.ndarray, voxel_mm3: float, options: PostProcessing) -> None:
    """Remove lesions that are too small or not of the liver (rules 2 and 3), in place."""
    box = bounding_box(lesions)
    if box is None:
        return
    labels, count = ndimage.label(lesions[box], structure=NEIGHBOURS_26)
    voxels = np.bincount(labels.ravel(), minlength=count + 1)
    keep = reaches_diameter(voxels * voxel_mm3, options.min_lesion_mm)
    if options.lesions_inside_liver:
        keep &= np.bincount(labels[liver[box]], minlength=count + 1) >= MIN_SHARE_INSIDE * voxels
    keep[0] = False
    lesions[box] = keep[labels]


def _fill_holes(mask: np.ndarray) -> None:
    """Fill the holes of every axial slice of the contiguous or viewed bool `mask`, in place.

    `mask` is cut to (at least) its bounding box: background at the edge of the array is connected with the outside.
    """
    labels, count = ndimage.label(~mask, structure=_IN_PLANE_EDGES)
    hole = np.ones(count + 1, dtype=bool)
    hole[0] = False
    for edge in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        hole[edge.ravel()] = False
    if hole.any():
        mask |= hole[labels]
