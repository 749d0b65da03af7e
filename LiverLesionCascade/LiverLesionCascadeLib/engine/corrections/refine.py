"""Refining a result from a person's corrections: what they marked or erased in one slice is carried to its neighbours.

The lesion pass is given the edited masks in place of an estimate (Bi et al. 2017, section 2.3: each iteration takes the
previous one's maps), with painted pixels as 1 and erased ones as -1, and goes from each edited slice to its neighbours,
each slice's answer being the next one's estimate. The network alone answers weakly to marks of lesions that it had
missed, so its answer is joined with what the scan says: whether a voxel's density is that of what was marked (or of
the lesion that was left) or that of the liver around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from ..grid.bounding_box import Box, bounding_box, box_at, grown, start_of
from ..grid.boxed import Boxed, joint_box
from ..measures.lesions import NEIGHBOURS_26
from ..measures.liver_density import median_liver_hu
from ..model.bundle import ModelBundle
from ..model.inference import predict
from ..model.network import CascadeResNet
from ..model.view import View, liver_box_view
from ..passes.lesion_pass import LesionPassInputs
from ..passes.presets import Preset
from ..passes.priors import ERASED, ESTIMATE_SCALE, PAINTED
from ..progress import Progress
from ..scan.ct_volume import CTVolume

#: A mark's lesion ends, as a rule, so many of the mark's radii from it, and at most REACH of them.
EXPECTED_RADII = 1.3
REACH = 5.0
#: Marks of a voxel or two stand for something of this radius.
MIN_RADIUS_MM = 1.5
#: A stroke of a brush stands for something wider than itself, but not for a disk of the same area.
STROKE_WIDENING = 1.3
#: A mark that differs from the liver around it by so many times the noise is a lesion that the scan shows ...
CLEAR_CONTRAST = 2.0
#: ... and one that does not differ is believed in this part of the distance.
UNSEEN_SHARE = 0.3
#: So near the liver's edge, in the slice, voxels are darker by what lies beside it: that is no sign of a lesion.
EDGE_MM = 2.0
#: Density of the liver is looked at within this distance beyond where the lesion may be.
SURROUNDINGS_MM = 12.0
#: Noise of a slightly smoothed scan in HU is not taken for less.
MIN_NOISE_HU = 6.0
#: Log odds of density are cut here: noise must not overrule everything.
MAX_LOG_ODDS = 4.0
#: How much density and the network count for marks, and for cuts: lesions that were marked are such as it had missed.
MARK_DENSITY_WEIGHT, MARK_NETWORK_WEIGHT = 0.6, 0.15
CUT_DENSITY_WEIGHT, CUT_NETWORK_WEIGHT = 0.3, 0.5
PLACE_LOG_ODDS = 1.5
#: An object of which a person erased so much of a slice was no lesion ...
REJECTED_SHARE = 0.8
#: ... if the object is not much larger in its other slices: there they may have trimmed its end.
MAIN_SLICE_SHARE = 0.5
#: What was cut off in a slice is followed so far into others.
CUT_REACH_MM = 25.0
#: The network is shown slices as far from an edited one.
REACH_MM = 12.0
#: The liver changes so far beside a correction of it, seen along the slices.
LIVER_BESIDE_MM = 3.0
# A correction of the liver may be carried so far beyond the masks, along (slice, row, column).
_REACHED_MM = (REACH_MM, LIVER_BESIDE_MM, LIVER_BESIDE_MM)


def reached(box: Box, ct: CTVolume) -> Box:
    """A box of masks on the grid of ``ct.hu``, and whatever corrections of them may reach."""
    margins = [int(np.ceil(mm / step)) for mm, step in zip(_REACHED_MM, ct.spacing, strict=True)]
    return grown(box, ct.hu.shape, margins)


@dataclass(frozen=True)
class Corrections:
    """A result as a person left it, in a box of the scan's grid; all arrays bool (slice, row, column), of one shape.

    Attributes:
        start: Index of the box's first voxel on the scan's grid.
        liver, lesions: The masks as they are now.
        lesions_painted, lesions_erased: Voxels that the person put into the lesions, or took out of them.
        liver_painted, liver_erased: The same for the liver.
        touched: Voxels that they decided about, whether they changed the mask or not; never changed.
    """

    start: tuple[int, int, int]
    liver: np.ndarray
    lesions: np.ndarray
    lesions_painted: np.ndarray
    lesions_erased: np.ndarray
    liver_painted: np.ndarray
    liver_erased: np.ndarray
    touched: np.ndarray

    def __post_init__(self) -> None:
        shapes = {array.shape for name, array in vars(self).items() if name != "start"}
        if len(shapes) != 1:
            raise ValueError(f"the masks of a correction are not on one grid: {sorted(shapes)}")

    @classmethod
    def between(cls, before: tuple[Boxed, Boxed], now: tuple[Boxed, Boxed], ct: CTVolume) -> Corrections | None:
        """What a person changed from one result to another: (liver, lesions), both bool on the grid of ``ct.hu``.

        None where both are empty. The box is that of the results and of whatever corrections of them may reach.
        """
        found = joint_box((*before, *now))
        if found is None:
            return None
        box = reached(found, ct)
        liver_before, lesions_before, liver, lesions = (each.within(box) for each in (*before, *now))
        return cls(
            start_of(box),
            liver=liver,
            lesions=lesions,
            lesions_painted=lesions & ~lesions_before,
            lesions_erased=lesions_before & ~lesions,
            liver_painted=liver & ~liver_before,
            liver_erased=liver_before & ~liver,
            touched=lesions_before ^ lesions,
        )

    @property
    def box(self) -> Box:
        return box_at(self.start, self.liver.shape)


@dataclass(frozen=True)
class Refined:
    """What became of a result by its corrections; masks bool (slice, row, column) in the corrections' box.

    Attributes:
        start: Index of the box's first voxel on the scan's grid.
    """

    start: tuple[int, int, int]
    liver: np.ndarray
    lesions: np.ndarray


def carried_probabilities(
    ct: CTVolume,
    bundle: ModelBundle,
    network: CascadeResNet,
    preset: Preset,
    corrections: Corrections,
    slices: np.ndarray,
    device: torch.device,
    progress: Progress,
) -> tuple[np.ndarray, np.ndarray]:
    """Liver and lesion probabilities around edited slices: the lesion pass slice by slice, from those outward.

    Args:
        network: Stage 2.
        preset: Its scales are those of the lesion pass.
        slices: Indices of edited slices in the corrections' box.

    Returns:
        Two float32 arrays (slice, row, column) of the corrections' box, NaN where no slice was looked at.
    """
    c = corrections
    start, top, left = c.start
    rows, columns = (np.zeros(n, bool) for n in ct.hu.shape[1:])
    rows[c.box[1]], columns[c.box[2]] = c.liver.any(axis=(0, 2)), c.liver.any(axis=(0, 1))
    settings = bundle.settings.lesion_pass
    view = liver_box_view(rows, columns, ct.spacing[1:], settings.size, settings.margin)
    shift_hu = settings.shift_hu(median_liver_hu(ct.hu[c.box], c.liver, bundle.settings.window_hu))
    # The view of an array that is the corrections' box, not the whole slice.
    inner = replace(view, top=view.top - top, left=view.left - left)
    found = np.full((2, *c.liver.shape), np.nan, np.float32)
    carried: dict[int, Tensor] = {}
    reach = int(np.ceil(REACH_MM / ct.spacing[0]))
    distance = np.abs(np.subtract.outer(np.arange(len(c.liver)), slices)).min(axis=1)
    for ring in range(min(reach, int(distance.max())) + 1):
        now = np.flatnonzero(distance == ring).tolist()
        priors = torch.stack([_priors(c, z, inner, carried) for z in now])
        images = LesionPassInputs(ct, view, [start + z for z in now], bundle, shift_hu)
        inputs = images(slice(None), priors)
        answer = predict(
            network,
            inputs.__getitem__,
            len(inputs),
            view.size,
            preset.lesion_scales,
            device,
            progress.silent(),
        )
        for z, maps in zip(now, answer, strict=True):
            carried[z] = maps.float()
            target = torch.zeros((2, *c.liver.shape[1:]))
            inner.paste(maps.float(), target)
            found[:, z] = target.numpy()
        progress.advance((ring + 1) / (reach + 1))
    return found[0], found[1]


def _priors(c: Corrections, z: int, view: View, carried: dict[int, Tensor]) -> Tensor:
    """(2, *size): Y^t and Y^v of a slice: its masks as estimates, the neighbour's answer, and the corrections."""

    def seen(mask: np.ndarray) -> Tensor:
        return view.extract(torch.from_numpy(mask[z][None].astype(np.float32)))[0]

    lesion, liver = seen(c.lesions) * ESTIMATE_SCALE, seen(c.liver) * ESTIMATE_SCALE
    for neighbour in (z - 1, z + 1):
        if neighbour in carried:
            lesion = torch.maximum(lesion, carried[neighbour][1] * ESTIMATE_SCALE)
    for planes, painted, erased in (
        (lesion, c.lesions_painted, c.lesions_erased),
        (liver, c.liver_painted, c.liver_erased),
    ):
        planes[seen(painted) > 0.25] = PAINTED
        planes[seen(erased) > 0.25] = ERASED
    return torch.stack([lesion, liver])


def refine_lesions(
    hu: np.ndarray,
    spacing: tuple[float, float, float],
    corrections: Corrections,
    probability: np.ndarray,
    progress: Progress,
) -> np.ndarray:
    """The lesions with each correction carried on.

    Args:
        hu: HU (slice, row, column) of the corrections' box.
        spacing: (slice, row, column) in mm.
        probability: The network's answer to the corrections on the same grid, NaN where there is none.

    Raises:
        CancelledError: If the run was cancelled.

    Returns:
        Bool, on the same grid. Voxels that were touched are as they are in ``corrections.lesions``.
    """
    c = corrections
    smooth = _smoothed(hu, spacing)
    lesions = c.lesions.copy()
    for mark in _components(c.lesions_painted):
        progress.check()
        lesions |= _grown_mark(mark, smooth, spacing, c, probability)
    for erased in _components(c.lesions_erased):
        progress.check()
        lesions &= ~_carried_erasure(erased, smooth, spacing, c, probability)
    return np.where(c.touched, c.lesions, lesions)


def refine_liver(spacing: tuple[float, float, float], corrections: Corrections, probability: np.ndarray) -> np.ndarray:
    """The liver with each correction carried on where the network, which was shown it, agrees.

    Args:
        spacing: (slice, row, column) in mm.
        probability: The network's answer to the corrections on the same grid, NaN where there is none.

    Returns:
        Bool, on the same grid. Nothing changes but what lies over or under a correction and hangs together with it, and
        no voxel that was touched, painted or erased.
    """
    c = corrections
    added = _over(c.liver_painted, (probability > 0.5) & ~c.liver, spacing)
    removed = _over(c.liver_erased, (probability < 0.5) & c.liver & ~c.lesions, spacing)
    fixed = c.touched | c.liver_painted | c.liver_erased
    return np.where(fixed, c.liver, (c.liver | added) & ~removed)


def _over(edited: np.ndarray, wanted: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """What is wanted over and under an edit, and hangs together with it."""
    if not edited.any():
        return edited
    beside = ndimage.distance_transform_edt(~edited.any(axis=0), sampling=spacing[1:]) < LIVER_BESIDE_MM
    return _connected_to((wanted & beside) | edited, edited)


def _smoothed(hu: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """The scan with less noise: over 1.2 mm in the slice, over neighbours where slices are thin."""
    along = 0.5 / spacing[0] if spacing[0] < 1.5 else 0.0
    clipped = np.clip(hu, -60, 240).astype(np.float32)
    return ndimage.gaussian_filter(clipped, (along, 1.2 / spacing[1], 1.2 / spacing[2]))


def _components(mask: np.ndarray) -> Iterator[np.ndarray]:
    """One at a time: each is as large as the whole mask."""
    labels, count = ndimage.label(mask, NEIGHBOURS_26)
    return (labels == number for number in range(1, count + 1))


def _grown_mark(
    mark: np.ndarray,
    smooth: np.ndarray,
    spacing: tuple[float, float, float],
    c: Corrections,
    probability: np.ndarray,
) -> np.ndarray:
    """The lesion that a mark stands for: connected to it, in the liver, as dense as it.

    The less the scan shows at the mark, the nearer to it that ends: without any contrast it would follow whatever is a
    little darker, such as the edge of a lobe.
    """
    radius = _mark_radius(mark, spacing)
    margin = [int(np.ceil(REACH * radius / step)) + 2 for step in spacing]
    smallest = bounding_box(mark)
    assert smallest is not None
    box = grown(smallest, mark.shape, margin)
    here, liver, scan = mark[box], c.liver[box] | mark[box], smooth[box]
    distance = ndimage.distance_transform_edt(~here, sampling=spacing)
    around = liver & ~c.lesions[box] & (distance > 2 * radius) & (distance < 2 * radius + SURROUNDINGS_MM)
    if np.count_nonzero(around) < 20:
        around = liver & ~c.lesions[box]
    believed, density = 1.0, np.zeros(scan.shape)
    if around.any():
        believed = UNSEEN_SHARE + (1 - UNSEEN_SHARE) * min(1.0, _contrast(scan[here], scan[around]) / CLEAR_CONTRAST)
        density = _density_log_odds(scan, scan[here], scan[around])
        density = np.where(_depth(liver, spacing) < EDGE_MM, np.minimum(density, 0), density)
    score = np.clip(PLACE_LOG_ODDS * (1 - distance / (believed * EXPECTED_RADII * radius)), -5.0, PLACE_LOG_ODDS)
    score += MARK_DENSITY_WEIGHT * density
    score += MARK_NETWORK_WEIGHT * _network_log_odds(probability[box])
    score = ndimage.gaussian_filter(score, (0.3, 0.8 / spacing[1], 0.8 / spacing[2]))
    other = c.lesions[box] & ~here
    candidates = (((score > 0) & (distance < REACH * radius)) | here) & liver & ~other & ~c.lesions_erased[box]
    found = np.zeros(mark.shape, bool)
    found[box] = _filled(_connected_to(candidates, here)) & ~other & ~c.lesions_erased[box] & ~c.liver_erased[box]
    return found


def _mark_radius(mark: np.ndarray, spacing: tuple[float, float, float]) -> float:
    """mm: of a disk as large as the mark in its largest slice, and not much wider than the mark is there."""
    plane = mark[int(mark.sum(axis=(1, 2)).argmax())]
    plane = np.pad(plane[bounding_box(plane)], 1)
    width = float(ndimage.distance_transform_edt(plane, sampling=spacing[1:]).max())
    area = float(np.count_nonzero(plane)) * spacing[1] * spacing[2]
    return max(min(float(np.sqrt(area / np.pi)), STROKE_WIDENING * width), MIN_RADIUS_MM)


def _depth(liver: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """mm to the liver's edge in the slice; where the array ends, the liver goes on."""
    padded = np.pad(liver, ((0, 0), (1, 1), (1, 1)), mode="edge")
    return np.stack([ndimage.distance_transform_edt(plane, sampling=spacing[1:]) for plane in padded])[:, 1:-1, 1:-1]


def _carried_erasure(
    erased: np.ndarray,
    smooth: np.ndarray,
    spacing: tuple[float, float, float],
    c: Corrections,
    probability: np.ndarray,
) -> np.ndarray:
    """What goes with an erasure: the whole object where it was rejected, else what is like the erased part."""
    whole = _connected_to(c.lesions | c.lesions_erased, erased)
    rest = whole & c.lesions
    if not rest.any():
        return np.zeros(erased.shape, bool)
    area, gone = whole.sum(axis=(1, 2)), (whole & c.lesions_erased).sum(axis=(1, 2))
    emptied = (gone >= REJECTED_SHARE * area) & (area >= MAIN_SLICE_SHARE * area.max()) & erased.any(axis=(1, 2))
    if emptied.any() and not c.lesions_painted[rest].any():
        return rest
    distance = ndimage.distance_transform_edt(~erased, sampling=spacing)
    flat = ndimage.distance_transform_edt(
        ~np.broadcast_to(erased.any(axis=0), erased.shape), sampling=(1e6, *spacing[1:])
    )
    score = PLACE_LOG_ODDS * (1 - flat / 2.0) - PLACE_LOG_ODDS * distance / CUT_REACH_MM
    kept = rest & (distance > 3.0)
    if kept.any():
        score = score + CUT_DENSITY_WEIGHT * _density_log_odds(smooth, smooth[erased], smooth[kept])
    score = score - CUT_NETWORK_WEIGHT * _network_log_odds(probability)
    candidates = (rest & (score > 0) & (distance < CUT_REACH_MM)) | erased
    return _connected_to(candidates, erased) & rest


def _contrast(inside: np.ndarray, outside: np.ndarray) -> float:
    """By how many times the noise two kinds of tissue differ."""
    return abs(float(np.median(inside) - np.median(outside))) / _noise_hu(outside)


def _noise_hu(tissue: np.ndarray) -> float:
    return max(1.4826 * float(np.median(np.abs(tissue - np.median(tissue)))), MIN_NOISE_HU)


def _density_log_odds(scan: np.ndarray, inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Log odds that a voxel is of the first kind of tissue, both taken for normally distributed with one noise."""
    own, other = np.median(inside), np.median(outside)
    odds = ((scan - other) ** 2 - (scan - own) ** 2) / (2 * _noise_hu(outside) ** 2)
    return np.clip(odds, -MAX_LOG_ODDS, MAX_LOG_ODDS)


def _network_log_odds(probability: np.ndarray) -> np.ndarray:
    clipped = np.clip(np.nan_to_num(probability, nan=0.5), 0.02, 0.98)
    odds: np.ndarray = np.log(clipped / (1 - clipped))
    return odds


def _connected_to(mask: np.ndarray, seed: np.ndarray) -> np.ndarray:
    labels, _ = ndimage.label(mask, NEIGHBOURS_26)
    numbers = np.unique(labels[seed])
    return np.isin(labels, numbers[numbers > 0])


def _filled(mask: np.ndarray) -> np.ndarray:
    return np.stack([ndimage.binary_fill_holes(plane) for plane in mask])
