"""numpy arrays and matrices as VTK objects and back. Arrays are indexed (k, j, i), matrices are 4x4."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import get_vtk_array_type, numpy_to_vtk, vtk_to_numpy

RAS_FROM_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""Turns points in LPS into RAS, and RAS into LPS."""


def matrixOf(getter: Callable[[vtk.vtkMatrix4x4], object]) -> np.ndarray:
    """What a method of VTK or MRML puts into the matrix that it is given."""
    matrix = vtk.vtkMatrix4x4()
    getter(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def boxMatrix(matrix: np.ndarray, start: tuple[int, int, int]) -> np.ndarray:
    """The matrix of a box of a grid from the grid's own, which takes (i, j, k, 1) to mm.

    :param start: index (k, j, i) of the box's first voxel on the grid.
    """
    shift = np.eye(4)
    shift[:3, 3] = start[::-1]
    return matrix @ shift


def arrayFromImage(image: vtk.vtkImageData) -> np.ndarray:
    """(k, j, i), or (k, j, i, component) for more than one; shares the image's memory."""
    columns, rows, slices = image.GetDimensions()
    scalars = image.GetPointData().GetScalars()
    components = scalars.GetNumberOfComponents()
    shape = (slices, rows, columns) if components == 1 else (slices, rows, columns, components)
    return vtk_to_numpy(scalars).reshape(shape)


def fillImage(image: vtk.vtkImageData, array: np.ndarray, start: tuple[int, int, int] = (0, 0, 0)) -> None:
    """Give an image a copy of ``array``, whose first voxel lies at index ``start`` (k, j, i) of the grid.

    Types that VTK lacks become the next that holds the values: bool uint8, float16 float32.
    """
    if array.dtype == bool:
        array = array.view(np.uint8)
    elif array.dtype == np.float16:
        array = _float32FromHalf(array)
    (k, j, i), (slices, rows, columns) = start, array.shape
    image.SetExtent(i, i + columns - 1, j, j + rows - 1, k, k + slices - 1)
    flat = np.ascontiguousarray(array).ravel()
    image.GetPointData().SetScalars(numpy_to_vtk(flat, deep=True, array_type=get_vtk_array_type(array.dtype)))


def _float32FromHalf(array: np.ndarray) -> np.ndarray:
    """The same as ``astype``, by table: that takes ten times longer for subnormal numbers, of which maps are full."""
    table = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
    return table[np.ascontiguousarray(array).view(np.uint16)]


def orientedImage(
    array: np.ndarray, ijkToRas: np.ndarray, start: tuple[int, int, int] = (0, 0, 0)
) -> slicer.vtkOrientedImageData:
    """An image on the grid of ``ijkToRas`` that covers only the array's extent, which begins at ``start`` (k, j, i)."""
    image = slicer.vtkOrientedImageData()
    image.SetImageToWorldMatrix(slicer.util.vtkMatrixFromArray(ijkToRas))
    fillImage(image, array, start)
    return image
