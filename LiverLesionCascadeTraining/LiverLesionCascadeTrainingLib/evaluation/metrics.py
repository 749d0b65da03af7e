"""Measures of a segmentation against a reference: overlap, volume, surface distance, and lesions found.

Masks are bool arrays of one shape, (slice, row, column) in 3D; spacing in the same order in mm. The definitions are
those of the Liver Tumor Segmentation Benchmark (LiTS; Bilic et al. 2023, Medical Image Analysis 84, 102680, and its
public scoring program), with A the prediction and B the reference:

* Dice = 2 |A and B| / (|A| + |B|), Jaccard = |A and B| / |A or B|, VOE (volumetric overlap error) = 1 - Jaccard,
  RVD (relative volume difference) = (|A| - |B|) / |B|, positive where too much was segmented.
* Surface: the voxels of a mask that have a face neighbour outside of it, or lie at the edge of the array. ASSD is the
  mean, MSD the maximum of the distances from every surface voxel of A to the nearest of B and the other way round.
* Both masks empty: Dice and Jaccard 1, RVD and distances 0. Only one empty: Dice and Jaccard 0, distances not defined
  (None). RVD is not defined where only the reference is empty. What is not defined is left out of means.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from LiverLesionCascadeLib.engine.grid.bounding_box import joint_bounding_box
from LiverLesionCascadeLib.engine.measures.diameters import axial_diameters
from LiverLesionCascadeLib.engine.measures.lesions import border, by_falling_volume, label_lesions
from scipy import ndimage
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

#: Lesion size classes by axial long diameter in mm: name, from (included), below.
SIZE_CLASSES: tuple[tuple[str, float, float], ...] = (
    ("<10 mm", 0.0, 10.0),
    ("10-20 mm", 10.0, 20.0),
    (">=20 mm", 20.0, float("inf")),
)
ALL_AND_CLASSES = (("all", 0.0, float("inf")), *SIZE_CLASSES)


@dataclass(frozen=True)
class RegionMetrics:
    """Overlap, volume and surface distance of one region (liver or all lesions) in one case; None where not defined."""

    dice: float
    jaccard: float
    voe: float
    rvd: float | None
    assd_mm: float | None
    msd_mm: float | None
    volume_ml: float
    reference_ml: float


@dataclass(frozen=True)
class LesionCounts:
    """Lesions counted over one or more cases.

    Attributes:
        reference: Lesions of the reference.
        found: Those of them that were found.
        predicted: Lesions of the prediction.
        correct: Those of them that are lesions of the reference.
    """

    reference: int = 0
    found: int = 0
    predicted: int = 0
    correct: int = 0

    @property
    def recall(self) -> float | None:
        """Share of the reference lesions that were found; None where there are none."""
        return self.found / self.reference if self.reference else None

    @property
    def precision(self) -> float | None:
        """Share of the predicted lesions that are correct; None where there are none."""
        return self.correct / self.predicted if self.predicted else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of recall and precision: 0 where one is 0 or not defined, None where there are no lesions."""
        if not (self.reference or self.predicted):
            return None
        recall, precision = self.recall or 0.0, self.precision or 0.0
        return 2.0 * recall * precision / (recall + precision) if recall + precision else 0.0

    @property
    def false_positives(self) -> int:
        """Predicted lesions that are none."""
        return self.predicted - self.correct

    def __add__(self, other: LesionCounts) -> LesionCounts:
        return LesionCounts(*map(operator.add, astuple(self), astuple(other)))


@dataclass(frozen=True)
class Criterion:
    """When a lesion counts as found: by the overlap (IoU) that it must exceed, of its group as LiTS has it, or of the
    one lesion that it is assigned to."""

    min_overlap: float = 0.0
    one_to_one: bool = False


TOUCHED = Criterion()


@dataclass(frozen=True)
class LesionMatching:
    """The lesions of one case.

    Attributes:
        reference_mm, predicted_mm: Axial long diameter of each.
        reference_overlap, predicted_overlap: IoU of the group that each is in (`match_lesions`), 0 for none.
        pairs: Those that share a voxel: index of the predicted one, of the reference one, and their IoU.
    """

    reference_mm: tuple[float, ...]
    reference_overlap: tuple[float, ...]
    predicted_mm: tuple[float, ...]
    predicted_overlap: tuple[float, ...]
    pairs: tuple[tuple[int, int, float], ...] = ()

    def counts(
        self, criterion: Criterion = TOUCHED, from_mm: float = 0.0, below_mm: float = float("inf")
    ) -> LesionCounts:
        """Lesions found by a criterion.

        Recall counts reference lesions, precision predicted ones: each by its own diameter.
        """
        least = criterion.min_overlap
        overlaps = self.one_to_one(least) if criterion.one_to_one else (self.reference_overlap, self.predicted_overlap)
        reference, predicted = (
            [iou for mm, iou in zip(sizes, found, strict=True) if from_mm <= mm < below_mm]
            for sizes, found in zip((self.reference_mm, self.predicted_mm), overlaps, strict=True)
        )
        return LesionCounts(
            reference=len(reference),
            found=sum(o > least for o in reference),
            predicted=len(predicted),
            correct=sum(o > least for o in predicted),
        )

    def one_to_one(self, min_overlap: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """IoU of every reference and of every predicted lesion with the one that it is assigned to, 0 for none.

        Of all assignments the one with the most pairs of an IoU above `min_overlap`, and of these the one whose IoUs
        have the largest sum. (Above 0.5 there is only one.)
        """
        overlap = np.zeros((len(self.predicted_mm), len(self.reference_mm)))
        for i, j, iou in self.pairs:
            overlap[i, j] = iou
        overlap[overlap <= min_overlap] = 0.0
        # No sum of IoUs outweighs a pair.
        gain = (overlap > 0.0) + overlap / (1.0 + len(self.pairs))
        assigned = np.zeros_like(overlap)
        pairs = linear_sum_assignment(gain, maximize=True)
        assigned[pairs] = overlap[pairs]
        return tuple(assigned.sum(axis=0).tolist()), tuple(assigned.sum(axis=1).tolist())


def dice(prediction: np.ndarray, reference: np.ndarray) -> float:
    """Dice index of two masks; 1 where both are empty."""
    total = _voxels(prediction) + _voxels(reference)
    return 2.0 * _voxels(prediction & reference) / total if total else 1.0


def surface_distances(
    prediction: np.ndarray, reference: np.ndarray, spacing: Sequence[float]
) -> tuple[float, float] | tuple[None, None]:
    """Average (ASSD) and maximum (MSD) symmetric surface distance in mm of two masks of any dimension.

    (0, 0) where both masks are empty, (None, None) where one is.
    """
    box = joint_bounding_box(prediction, reference)
    if box is None:
        return 0.0, 0.0
    # Padded, as what lies at the edge of the array is surface, too.
    surfaces = [border(np.pad(mask[box], 1)) for mask in (prediction, reference)]
    points = [(np.argwhere(surface) - 1) * np.asarray(spacing) for surface in surfaces]
    if not (len(points[0]) and len(points[1])):
        return None, None
    # Trees of the surface voxels: as exact as a distance transform, but several times as fast for surfaces that lie
    # close together, as those of two segmentations do, and without a map of the whole box in memory.
    trees = [cKDTree(p, balanced_tree=False, compact_nodes=False) for p in points]
    distances = np.concatenate([trees[1].query(points[0])[0], trees[0].query(points[1])[0]])
    return float(distances.mean()), float(distances.max())


def region_metrics(prediction: np.ndarray, reference: np.ndarray, spacing: tuple[float, float, float]) -> RegionMetrics:
    """All measures of one region; bool arrays (slice, row, column), spacing in mm."""
    predicted, expected, shared = map(_voxels, (prediction, reference, prediction & reference))
    union = predicted + expected - shared
    jaccard = shared / union if union else 1.0
    assd, msd = surface_distances(prediction, reference, spacing)
    voxel_ml = float(np.prod(spacing)) / 1000.0
    return RegionMetrics(
        dice=dice(prediction, reference),
        jaccard=jaccard,
        voe=1.0 - jaccard,
        rvd=(predicted - expected) / expected if expected else (None if predicted else 0.0),
        assd_mm=assd,
        msd_mm=msd,
        volume_ml=predicted * voxel_ml,
        reference_ml=expected * voxel_ml,
    )


def match_lesions(prediction: np.ndarray, reference: np.ndarray, spacing: tuple[float, float, float]) -> LesionMatching:
    """Match predicted and reference lesions.

    Args:
        prediction, reference: (slice, row, column): lesions by whole numbers from 1 on, or a bool mask, whose 3D
            components (26 neighbours) are the lesions then.
        spacing: In the same order, in mm.

    As in the scoring program of LiTS, lesions that were merged or split are compared together:

    1. Every reference lesion goes to the predicted lesion that covers most of it; those that go to the same one form a
       group with it.
    2. Every other predicted lesion joins the group of the reference lesion that it overlaps most.
    3. The overlap of all lesions of a group is the intersection over union of its predicted and its reference voxels.

    A lesion counts as found with an overlap above 0 (touched at all; "greater zero" in LiTS) or above 0.5, as chosen in
    `LesionMatching.counts`; or there by a one-to-one assignment, which sees whether lesions were told apart. Unlike in
    the scoring program, whose components are joined by faces only, lesions are those that the product shows; and
    precision counts predicted lesions, so that one blob over three lesions is one correct prediction, not three.
    """
    box = joint_bounding_box(prediction, reference)
    if box is None:
        return LesionMatching((), (), (), ())
    predicted, expected = (
        label_lesions(lesions[box]) if lesions.dtype == bool else by_falling_volume(lesions[box])
        for lesions in (prediction, reference)
    )
    predicted_overlap, reference_overlap, pairs = _overlaps(predicted, expected)
    return LesionMatching(
        reference_mm=_long_diameters(expected, spacing),
        reference_overlap=reference_overlap,
        predicted_mm=_long_diameters(predicted, spacing),
        predicted_overlap=predicted_overlap,
        pairs=pairs,
    )


def _overlaps(
    predicted: np.ndarray, expected: np.ndarray
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[tuple[int, int, float], ...]]:
    """IoU of the group of every predicted and of every reference lesion, from two instance maps (1..n), and the pairs
    of lesions that share voxels, with theirs."""
    predictions, references = int(predicted.max()), int(expected.max())
    either = np.logical_or(predicted, expected)
    pairs = predicted[either].astype(np.int64) * (references + 1) + expected[either]
    shared = np.bincount(pairs, minlength=(predictions + 1) * (references + 1))
    shared = shared.reshape(predictions + 1, references + 1)
    predicted_voxels, reference_voxels = shared.sum(axis=1)[1:], shared.sum(axis=0)[1:]
    shared = shared[1:, 1:]
    of_pair = shared / np.maximum(predicted_voxels[:, None] + reference_voxels[None, :] - shared, 1)
    predicted_group = np.full(predictions, -1)
    reference_group = np.full(references, -1)
    if shared.size:
        touched = shared.any(axis=0)
        reference_group[touched] = shared.argmax(axis=0)[touched]
        hosts = np.unique(reference_group[touched])
        predicted_group[hosts] = hosts
        joining = shared.any(axis=1) & (predicted_group < 0)
        predicted_group[joining] = reference_group[shared.argmax(axis=1)[joining]]

    overlap_of_group: dict[int, float] = {-1: 0.0}
    for group in set(reference_group.tolist()) - {-1}:
        mine, theirs = predicted_group == group, reference_group == group
        intersection = int(shared[np.ix_(mine, theirs)].sum())
        union = int(predicted_voxels[mine].sum() + reference_voxels[theirs].sum()) - intersection
        overlap_of_group[group] = intersection / union
    return (
        tuple(overlap_of_group[g] for g in predicted_group.tolist()),
        tuple(overlap_of_group[g] for g in reference_group.tolist()),
        tuple((i, j, float(of_pair[i, j])) for i, j in np.argwhere(shared).tolist()),
    )


def _long_diameters(instances: np.ndarray, spacing: tuple[float, float, float]) -> tuple[float, ...]:
    return tuple(
        axial_diameters(instances[box] == number, spacing[1:]).long_mm
        for number, box in enumerate(ndimage.find_objects(instances), start=1)
    )


def _voxels(mask: np.ndarray) -> int:
    return int(np.count_nonzero(mask))
