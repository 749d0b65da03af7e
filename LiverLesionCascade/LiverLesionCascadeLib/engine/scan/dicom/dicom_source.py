"""The DICOM images that a volume was made of, each with its place on the volume's grid."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError
from .dicom_clean import clean_header
from .dicom_header import HeaderError
from .dicom_slice import Slice

# Of a voxel: what a header's rounding and slices that are not quite even may differ by.
_TOLERANCE = 0.05
_TOLERANCE_ALONG = 0.5

_SAME_FOR_ALL = ("SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID")


@dataclass(frozen=True, eq=False)
class SourceImage:
    """One image of the series and where its pixels lie.

    Attributes:
        dataset: Its header, as far as other objects may repeat it.
        voxel_from_pixel: (3, 3): (column, row, 1) of the image to (i, j, k) of the volume's grid.
    """

    dataset: Any
    voxel_from_pixel: np.ndarray

    @property
    def size(self) -> tuple[int, int]:
        return int(self.dataset.Rows), int(self.dataset.Columns)

    def pixels(self, values: np.ndarray, start: tuple[int, int, int]) -> np.ndarray:
        """A mask's pixels in this image, bool (row, column).

        Args:
            values: bool (k, j, i): a box of the volume's grid, nothing outside of it.
            start: Index (k, j, i) of the box's first voxel.
        """
        rows, columns = self.size
        matrix = np.rint(self.voxel_from_pixel).astype(int)
        plane = np.zeros((rows, columns), bool)
        i = matrix[0, 0] * np.arange(columns) + matrix[0, 2] - start[2]
        j = matrix[1, 1] * np.arange(rows) + matrix[1, 2] - start[1]
        k = matrix[2, 2] - start[0]
        if not 0 <= k < values.shape[0]:
            return plane
        known_i, known_j = (i >= 0) & (i < values.shape[2]), (j >= 0) & (j < values.shape[1])
        plane[np.ix_(known_j, known_i)] = values[k][np.ix_(j[known_j], i[known_i])]
        return plane

    def holds(self, k: float) -> bool:
        """Whether a voxel position along the grid's slices lies in this image."""
        return abs(k - float(self.voxel_from_pixel[2, 2])) < 0.5


def source_images(
    paths: Iterable[str | os.PathLike[str]],
    shape: tuple[int, int, int],
    ijk_to_lps: np.ndarray,
    every_slice: bool = True,
) -> list[SourceImage]:
    """The images of a volume in the order of its slices.

    Args:
        paths: Files of the series; images that lie outside of the grid (a cropped volume) are passed over.
        shape: (k, j, i) of the volume's grid.
        ijk_to_lps: (4, 4) of that grid, before any transform of the scene.
        every_slice: Each slice of the grid must have its image; not so where the grid was made from uneven slices.

    Raises InputError, with the remedy, where they are not the images of that grid.
    """
    lps_to_ijk = np.linalg.inv(ijk_to_lps)
    images: dict[int, SourceImage] = {}
    uids: dict[str, set[str]] = {name: set() for name in _SAME_FOR_ALL}
    instances: set[str] = set()
    for path in map(Path, paths):
        dataset = clean_header(path)
        if "SliceThickness" not in dataset:
            dataset.SliceThickness = f"{np.linalg.norm(ijk_to_lps[:3, 2]):.6g}"
        for name, found in uids.items():
            found.add(str(dataset.get(name)))
            if len(found) > 1:
                raise InputError(f"The files are of several series ({name}). Give those of one series.")
        matrix = lps_to_ijk[:3, :] @ _lps_from_pixel(path, dataset)
        _require_on_grid(path, matrix)
        k = int(np.rint(matrix[2, 2]))
        if 0 <= k < shape[0]:
            if k in images:
                raise InputError(
                    f"{path.name} and another file show the same slice. Give the files of one acquisition only."
                )
            if dataset.SOPInstanceUID in instances:
                raise InputError(
                    f"{path.name} has the SOPInstanceUID of another slice: nothing can refer to one of them. Export "
                    "the series again."
                )
            instances.add(dataset.SOPInstanceUID)
            images[k] = SourceImage(dataset, matrix)
    missing = shape[0] - len(images)
    if missing and every_slice or not images:
        raise InputError(
            f"{missing} of the volume's {shape[0]} slices are not in the DICOM files. Load the whole series again."
        )
    return [images[k] for k in sorted(images)]


def _lps_from_pixel(path: Path, dataset: Any) -> np.ndarray:
    """(4, 3): (column, row, 1) to (x, y, z, 1) LPS mm."""
    try:
        image = Slice.of(path, dataset)
    except HeaderError as error:
        raise InputError(f"{path.name} lacks a usable {error}: it cannot be placed. Export it again.") from error
    return np.vstack([np.column_stack([image.steps, image.position]), (0, 0, 1)])


def _require_on_grid(path: Path, matrix: np.ndarray) -> None:
    """Raise InputError unless the image's pixels are voxels of the grid."""
    steps, first = matrix[:, :2], matrix[:, 2]
    expected = np.zeros((3, 2))
    expected[0, 0], expected[1, 1] = np.sign(steps[0, 0]), np.sign(steps[1, 1])
    # Over a whole image a small difference of the steps adds up, but headers round to 1e-4 or better.
    off = abs(steps - expected).max() > 1e-3 or abs(first[:2] - np.rint(first[:2])).max() > _TOLERANCE
    if off or not expected.any(axis=0).all() or abs(first[2] - np.rint(first[2])) > _TOLERANCE_ALONG:
        raise InputError(
            f"{path.name} does not lie on the volume's grid: the volume was resampled or moved since it was loaded. "
            "Segment the volume as it was loaded from DICOM."
        )
