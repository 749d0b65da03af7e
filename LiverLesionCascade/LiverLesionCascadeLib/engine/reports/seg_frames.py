"""Frames of binary segmentation objects (DICOM SEG): what they say of themselves, and their pixels, packed as bits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError


@dataclass(frozen=True)
class Frame:
    """What a frame of a SEG says of itself: number of its segment, UID and place of the image that it lies on."""

    number: int
    image_uid: str
    position: np.ndarray


def frames_of(dataset: Any) -> Iterator[Frame]:
    """In the order of their pixels."""
    shared = dataset.SharedFunctionalGroupsSequence[0]
    for own in dataset.PerFrameFunctionalGroupsSequence:
        segment, derivation, place = (
            (own if name in own else shared)[name][0]
            for name in ("SegmentIdentificationSequence", "DerivationImageSequence", "PlanePositionSequence")
        )
        uid = str(derivation.SourceImageSequence[0].ReferencedSOPInstanceUID)
        yield Frame(int(segment.ReferencedSegmentNumber), uid, np.asarray(place.ImagePositionPatient, float))


def packed(planes: Iterable[np.ndarray], size: int) -> bytes:
    """``size`` pixels as bits, one frame behind the other without a gap, and an even number of bytes."""
    stored = np.zeros((size + 15) // 16 * 2, np.uint8)
    first = 0
    for plane in planes:
        bits = np.packbits(np.concatenate([np.zeros(first % 8, bool), plane.ravel()]), bitorder="little")
        stored[first // 8 : first // 8 + len(bits)] |= bits
        first += plane.size
    return stored.tobytes()


def unpacked(packed: np.ndarray, index: int, shape: tuple[int, int]) -> np.ndarray:
    """The pixels of a frame, bool (row, column); one at a time, as all may be gigabytes. Raises InputError."""
    size = shape[0] * shape[1]
    first = index * size
    bits = np.unpackbits(packed[first // 8 : (first + size + 7) // 8], bitorder="little")[first % 8 :][:size]
    if len(bits) < size:
        raise InputError("pixels are missing at its end: copy or export it again")
    return bits.reshape(shape).astype(bool)
