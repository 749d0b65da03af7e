"""Resampling between two grids in the same space, also oblique and sheared ones."""

from __future__ import annotations

import numpy as np

from .bounding_box import grown, start_of
from .boxed import Boxed
from .geometry import ImageGeometry, grid_corners

_SLAB_VOXELS = 8_000_000


def resample(
    array: np.ndarray,
    source: ImageGeometry,
    target: ImageGeometry,
    order: int,
    fill: float = 0,
    dtype: np.dtype | None = None,
) -> np.ndarray:
    """``array`` (k, j, i) on the source grid, interpolated at the voxels of the target grid.

    :param order: 0 nearest neighbour, 1 linear.
    :param fill: value of target voxels that lie outside the source's voxels.
    :param dtype: of the result; integers are rounded. The array's own by default, but float32 for ``order=1``
        where the array is a mask (bool).
    """
    import SimpleITK as sitk

    if array.shape != source.shape:
        raise ValueError(f"expected an array of shape {source.shape}, not {array.shape}")
    if dtype is None:
        dtype = np.dtype(np.float32) if order and array.dtype == bool else array.dtype
    # ITK refuses sheared directions, so that both images live in index space and the affine map does it all.
    ijk = np.linalg.inv(source.ijk_to_lps) @ target.ijk_to_lps
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(ijk[:3, :3].ravel().tolist())
    transform.SetTranslation(ijk[:3, 3].tolist())
    image = sitk.GetImageFromArray(itk_array(array))
    interpolator = sitk.sitkLinear if order else sitk.sitkNearestNeighbor
    # ITK truncates where it writes integers: interpolate in float32 and round here, slab by slab to save memory.
    pixel_type = sitk.sitkFloat32 if order else image.GetPixelID()

    result = np.empty(target.shape, dtype)
    slices, rows, columns = target.shape
    step = max(1, _SLAB_VOXELS // (rows * columns))
    for start in range(0, slices, step):
        stop = min(start + step, slices)
        slab = sitk.Resample(
            image,
            (columns, rows, stop - start),
            transform,
            interpolator,
            (0.0, 0.0, float(start)),
            (1.0, 1.0, 1.0),
            np.eye(3).ravel().tolist(),
            fill,
            pixel_type,
        )
        values = sitk.GetArrayViewFromImage(slab)
        if order and np.issubdtype(dtype, np.integer):
            values = np.rint(values)
        np.copyto(result[start:stop], values, casting="unsafe")
    return result


def resample_boxed(boxed: Boxed, source: ImageGeometry, target: ImageGeometry, order: int) -> Boxed:
    """What `resample` makes of the whole grid that ``boxed`` is of, at the cost of the box."""
    if not boxed:
        return boxed
    # A rim of zeros, as far as the grid reaches: beyond it, all is zero on either grid.
    padded = grown(boxed.box, source.shape)
    part = source.cropped(padded)
    corners = start_of(padded) + grid_corners(part.shape, margin=0.5)
    positions = target.from_lps(source.to_lps(corners))
    low, high = np.floor(positions.min(axis=0)).astype(int), np.ceil(positions.max(axis=0)).astype(int)
    reached = tuple(slice(max(0, a), min(n, b + 1)) for a, b, n in zip(low, high, target.shape, strict=True))
    if any(axis.start >= axis.stop for axis in reached):
        return Boxed.nothing(boxed.values.dtype)
    values = resample(boxed.within(padded), part, target.cropped(reached), order)
    return Boxed.of(values, start_of(reached))


def itk_array(array: np.ndarray) -> np.ndarray:
    """The array, contiguous, in a type that ITK knows: uint8 for bool, float32 for float16."""
    if array.dtype == bool:
        return np.ascontiguousarray(array).view(np.uint8)
    return np.ascontiguousarray(array, np.float32 if array.dtype == np.float16 else array.dtype.newbyteorder("="))
