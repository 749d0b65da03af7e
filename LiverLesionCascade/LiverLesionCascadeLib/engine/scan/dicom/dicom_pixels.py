"""Pixels of DICOM CT images in HU: as many as the header says, with the sign and the padding that they were meant with.

Uncompressed pixels are read as they are. Compressed ones are decoded by GDCM, from a copy without the attributes by
which it would change the values: it inverts MONOCHROME1, which says how a picture is shown and nothing about HU.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from ...errors import InputError, InvalidVolumeError
from ..ct_volume import AIR_HU, MAX_VOXELS
from .dicom_header import in_groups, items, number, numbers, read_dataset, unreadable, value
from .dicom_slice import Slice

# A blank image compresses well, but not so well.
_MOST_COMPRESSED = 2000
# Declared padding above this is seen by the networks, and would count as tissue.
_SEEN_HU = -900
# Code streams of the JPEG family end with this mark.
_END_OF_IMAGE = b"\xff\xd9"
_JPEG_FAMILY = "1.2.840.10008.1.2.4."


def read_pixels(slices: Sequence[Slice]) -> tuple[np.ndarray, int]:
    """HU (k, j, i), each slice by its own rescale, int16 as long as that holds all values; and the number of slices
    whose declared padding was made air.

    Raises InputError, with the file's name, where pixels are missing or cannot be read.
    """
    _require_possible(slices)
    limits = np.iinfo(np.int16)
    volume: np.ndarray = np.empty((len(slices), *slices[0].size), np.int16)
    padded = 0
    for index, (hu, repaired) in enumerate(hu_images(slices)):
        padded += repaired
        if volume.dtype == np.int16 and not (
            hu.min() >= limits.min and hu.max() <= limits.max and (hu == np.rint(hu)).all()
        ):
            volume = volume.astype(np.float32)
        volume[index] = hu
    return volume, padded


def _require_possible(slices: Sequence[Slice]) -> None:
    """What headers claim against the files' sizes, before memory is taken for it."""
    rows, columns = slices[0].size
    smallest = min({one.path for one in slices}, key=lambda path: path.stat().st_size)
    frames = sum(one.path == smallest for one in slices)
    if rows * columns * frames > _MOST_COMPRESSED * smallest.stat().st_size:
        raise InputError(
            f"{smallest.name} claims {columns} x {rows} pixels, which a file of {smallest.stat().st_size} bytes cannot "
            "hold: it is truncated or damaged. Copy or export it again."
        )
    if rows * columns * len(slices) > MAX_VOXELS:
        raise InvalidVolumeError(
            f"The series claims {columns} x {rows} x {len(slices)} voxels, more than a CT has. Export it again."
        )


def hu_images(slices: Sequence[Slice]) -> Iterator[tuple[np.ndarray, bool]]:
    """(row, column) HU of each slice, and whether padding was made air; a file's frames are decoded together."""
    for path, own in groupby(slices, key=lambda one: one.path):
        try:
            dataset = read_dataset(path)
            frames = _stored(dataset, path)
        except unreadable() as error:
            raise _unreadable(path) from error
        for one in own:
            yield _hu(dataset, frames[one.frame or 0], one)


def _hu(dataset: Any, stored: np.ndarray, one: Slice) -> tuple[np.ndarray, bool]:
    if stored.shape != one.size:
        raise InputError(f"{one.path.name}: it holds not one grey image but {stored.shape}. Export it again.")
    slope, intercept = _rescale(dataset, one)
    if slope.is_integer() and intercept.is_integer() and max(abs(slope), abs(intercept)) < 1 << 15:
        hu: np.ndarray = stored.astype(np.int64) * int(slope) + int(intercept)
    else:
        hu = stored * slope + intercept
    padding = _padding(dataset, stored)
    if padding is None or not (hu[padding] > _SEEN_HU).any():
        return hu, False
    hu[_outside(padding)] = AIR_HU
    return hu, True


def _stored(dataset: Any, path: Path) -> np.ndarray:
    """(frame, row, column): the values as stored. Raises InputError where there are fewer or more than the header
    says."""
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    frames = int(number(dataset, "NumberOfFrames") or 1)
    bits = int(dataset.BitsAllocated)
    shape = frames, rows, columns
    if "PixelData" not in dataset or bits not in (8, 16, 32):
        raise ValueError("PixelData")
    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    if syntax is not None and syntax.is_compressed:
        return _signed(_decoded(dataset, path, shape), dataset)
    data = dataset.PixelData
    expected = frames * rows * columns * bits // 8
    if len(data) not in (expected, expected + expected % 2):
        raise InputError(
            f"{path.name} is truncated or damaged: its header says {columns} x {rows} pixels"
            f"{f' in {frames} frames' if frames > 1 else ''}, {expected} bytes, but it holds {len(data)}. "
            "Copy or export it again."
        )
    known = hasattr(dataset, "original_encoding")  # pydicom before 3 calls it otherwise
    little = (dataset.original_encoding[1] if known else dataset.is_little_endian) is not False
    kind = np.dtype(f"{'<' if little else '>'}u{bits // 8}")
    return _signed(np.frombuffer(data, kind, frames * rows * columns).reshape(shape), dataset)


def _signed(values: np.ndarray, dataset: Any) -> np.ndarray:
    """Whole numbers of what is stored in BitsStored bits, whatever else the allocated bits hold.

    Bits above those are overlays of old senders, or the sign of padding that was written into an unsigned image.
    """
    allocated = values.dtype.itemsize * 8
    bits = int(number(dataset, "BitsStored") or allocated)
    bits = bits if 0 < bits <= allocated else allocated
    values = values.astype(np.int64)
    if values.min(initial=0) < 0:  # decoded with its sign
        return values
    values >>= max(int(number(dataset, "HighBit") or bits - 1) + 1 - bits, 0)
    inside = values & ((1 << bits) - 1)
    if number(dataset, "PixelRepresentation") == 1:
        return inside - ((inside >> (bits - 1)) << bits)
    beyond = values >> bits
    sign = (1 << (allocated - bits)) - 1
    if bits < allocated and set(np.unique(beyond).tolist()) == {0, sign}:
        return inside - np.where(beyond == sign, 1 << bits, 0)
    return inside


def _decoded(dataset: Any, path: Path, shape: tuple[int, int, int]) -> np.ndarray:
    """(frame, row, column) by GDCM. Raises InputError, as the others."""
    import pydicom
    import SimpleITK as sitk

    if str(dataset.file_meta.TransferSyntaxUID).startswith(_JPEG_FAMILY):
        _require_ends(dataset, path, shape[0])
    bare = pydicom.Dataset()
    bare.file_meta = pydicom.dataset.FileMetaDataset()
    bare.file_meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    # A picture of any kind: GDCM knows places and rescales of a CT, which are not its business here.
    kind = pydicom.uid.UID("1.2.840.10008.5.1.4.1.1.7.3" if shape[0] > 1 else "1.2.840.10008.5.1.4.1.1.7")
    bare.SOPClassUID = bare.file_meta.MediaStorageSOPClassUID = kind
    bare.SOPInstanceUID = bare.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid(prefix=None)
    for name in ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "NumberOfFrames"):
        if name in dataset:
            setattr(bare, name, dataset[name].value)
    bare.SamplesPerPixel, bare.PhotometricInterpretation = 1, "MONOCHROME2"
    bare.PixelData = dataset.PixelData
    bare["PixelData"].VR = "OB"
    bare["PixelData"].is_undefined_length = True
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    with tempfile.TemporaryDirectory() as folder:
        name = os.path.join(folder, "image.dcm")
        bare.save_as(name)
        reader.SetFileName(name)
        try:
            pixels = sitk.GetArrayFromImage(reader.Execute())
        except RuntimeError as error:
            raise _unreadable(path) from error
    if pixels.size != np.prod(shape):
        raise InputError(f"{path.name}: it holds not one grey image but {pixels.shape}. Export it again.")
    return pixels.reshape(shape)


def _require_ends(dataset: Any, path: Path, frames: int) -> None:
    """Raise InputError where a code stream has no end: decoders fill what is missing with grey, without a word."""
    from pydicom import encaps

    read = getattr(encaps, "generate_frames", None)
    streams = (
        read(dataset.PixelData, number_of_frames=frames)
        if read is not None
        else encaps.generate_pixel_data_frame(dataset.PixelData, frames)
    )
    whole = [stream.rstrip(b"\0").endswith(_END_OF_IMAGE) for stream in streams]
    if len(whole) != frames or not all(whole):
        raise _unreadable(path)


def _rescale(dataset: Any, one: Slice) -> tuple[float, float]:
    source = dataset
    if one.frame is not None:
        shared = items(dataset, "SharedFunctionalGroupsSequence")[:1]
        own = items(dataset, "PerFrameFunctionalGroupsSequence")[one.frame]
        source = in_groups("PixelValueTransformationSequence", own, *shared) or dataset
    found = []
    for name, otherwise in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0)):
        missing = value(source, name) is None
        known = otherwise if missing else number(source, name)
        if known is None or (name == "RescaleSlope" and known == 0):
            raise InputError(f"{one.path.name} has no usable {name}: its values cannot be made HU. Export it again.")
        found.append(known)
    if value(source, "RescaleSlope") is None and value(source, "ModalityLUTSequence") is not None:
        raise InputError(f"{one.path.name} has a table instead of a rescale to HU. Export the original CT.")
    return found[0], found[1]


def _padding(dataset: Any, stored: np.ndarray) -> np.ndarray | None:
    """bool (row, column): what the header declares to be no part of the image; None where it declares nothing."""
    first = numbers(dataset, "PixelPaddingValue")
    if first is None:
        return None
    last = number(dataset, "PixelPaddingRangeLimit")
    low, high = sorted((first[0], first[0] if last is None else last))
    found = np.zeros(stored.shape, bool)
    # The attribute may have been written with the other sign than the pixels.
    for shift in (0, 1 << 16, -(1 << 16)):
        found |= (stored >= low + shift) & (stored <= high + shift)
    return found if found.any() else None


def _outside(padding: np.ndarray) -> np.ndarray:
    """What of it reaches the border: tissue may have the same value."""
    labels, _ = ndimage.label(padding)
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return np.isin(labels, np.unique(border[border > 0]))


def _unreadable(path: Path) -> InputError:
    return InputError(
        f"{path.name}: its pixels cannot be read (truncated, damaged, or an unknown compression). "
        "Copy or export it again."
    )
