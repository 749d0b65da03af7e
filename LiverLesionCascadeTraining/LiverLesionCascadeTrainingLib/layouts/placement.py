"""Segments that lie on the scan's grid, perhaps cropped, turned or flipped, brought onto it voxel for voxel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.grid.geometry import ImageGeometry, grid_corners

from .segment_labels import SegmentIdentity

#: Voxels may be off by this part of a voxel: rounding of headers.
TOLERANCE_VOXELS = 0.1


@dataclass(frozen=True)
class Piece:
    """Part of a segment: a mask of any number of axes, in LPS mm.

    Attributes:
        mask: Boolean or 0 and other, axes in any order.
        origin: (3,) LPS mm of its first voxel.
        steps: (axes, 3) LPS mm from one voxel to the next along each axis of ``mask``.
    """

    mask: np.ndarray
    origin: np.ndarray
    steps: np.ndarray


def label_map(
    segments: Iterable[tuple[SegmentIdentity, Iterable[Piece]]], onto: ImageGeometry, ignore: tuple[str, ...] = ()
) -> np.ndarray:
    """Labels (0, 1 liver, 2 lesion) of a scan's grid, uint8 (k, j, i), from segments; where both lie it is a lesion.

    Args:
        segments: What each is, and its pieces.
        onto: The scan's grid.
        ignore: Patterns of the names of segments that are neither liver nor lesion and do not matter.

    Raises:
        InputError: If segments are neither liver nor lesion, or are not on the scan's grid; all of it in one message.
    """
    labels = np.zeros(onto.shape, np.uint8)
    unknown, messages = [], []
    for identity, pieces in segments:
        role = identity.role
        if identity.matches(ignore):
            continue
        if role is None:
            unknown.append(identity.name)
            continue
        try:
            for piece in pieces:
                _place(piece, labels, role, onto)
        except InputError as error:
            messages.append(f"segment '{identity.name}' {error}")
    if unknown:
        listed = ", ".join(f"'{name}'" for name in unknown)
        messages.append(
            f"unknown labels: segments {listed} are neither liver nor lesion by terminology or name; rename them, "
            "or prepare with --ignore NAME what does not matter"
        )
    if messages:
        raise InputError("; ".join(messages))
    return labels


def _place(piece: Piece, labels: np.ndarray, role: int, onto: ImageGeometry) -> None:
    inverse = np.linalg.inv(onto.ijk_to_lps)
    # Array order (k, j, i) from here on.
    start = onto.from_lps(piece.origin)
    steps = (piece.steps @ inverse[:3, :3].T)[:, ::-1]
    whole_start, whole_steps = np.rint(start).astype(np.int64), np.rint(steps).astype(np.int64)
    corners = grid_corners(piece.mask.shape)
    off = np.abs(corners @ (steps - whole_steps) + (start - whole_start)).max()
    on_axes = (np.abs(whole_steps).sum(axis=1) == 1).all() and (np.abs(whole_steps).sum(axis=0) <= 1).all()
    if not on_axes or off > TOLERANCE_VOXELS:
        raise InputError(
            "is not on the scan's grid (position, spacing or directions differ): segment on the scan itself, or "
            "resample the segmentation to it"
        )
    points = np.argwhere(piece.mask) @ whole_steps + whole_start
    if not ((points >= 0) & (points < labels.shape)).all():
        raise InputError("reaches beyond the scan: is it another scan's segmentation?")
    where = tuple(points.T)
    labels[where] = np.maximum(labels[where], np.uint8(role))
