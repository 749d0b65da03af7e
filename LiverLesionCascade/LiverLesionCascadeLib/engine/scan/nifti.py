"""NIfTI files where ITK must not be relied on.

ITK fills the rest of a truncated file with zeros without a word, takes a zero voxel size for 1 mm, and refuses or
straightens sheared grids (gantry tilt). So the header is checked here and the voxels are read here; what the header
means for an ordinary grid is still ITK's decision, the same as in Slicer.

Header layouts: nifti1.h and nifti2.h of the NIfTI Data Format Working Group (348 and 540 bytes). ITK knows the first
alone, and is given a NIfTI-2 header in its words.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from ..errors import InputError, InvalidVolumeError
from ..grid.geometry import shown_sizes
from .stored_voxels import CHUNK, MAX_BYTES, MOST_COMPRESSED, UNKNOWN_PLACE

_DTYPES = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    64: "f8",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
}
_HEADER_BYTES = (348, 540)
# byte offset and struct format of the fields in use: NIfTI-1, NIfTI-2
_FIELDS = {
    "dim": ((40, "8h"), (16, "8q")),
    "datatype": ((70, "h"), (12, "h")),
    "bitpix": ((72, "h"), (14, "h")),
    "pixdim": ((76, "8f"), (104, "8d")),
    "vox_offset": ((108, "f"), (168, "q")),
    "slope": ((112, "f"), (176, "d")),
    "intercept": ((116, "f"), (184, "d")),
    "units": ((123, "B"), (500, "i")),
    "qform_code": ((252, "h"), (344, "i")),
    "sform_code": ((254, "h"), (348, "i")),
    "quaternion": ((256, "3f"), (352, "3d")),
    "qoffset": ((268, "3f"), (376, "3d")),
    "srow": ((280, "12f"), (400, "12d")),
}
# Spacings of the two places of a header where it is written that differ by no more are rounding.
_SAME_SPACING = 0.01
_SAME_AXES = 0.05
# Shear of the axes in a header below this is rounding.
_SHEAR_TOLERANCE = 2e-3


@dataclass(frozen=True)
class NiftiHeader:
    shape: tuple[int, ...]  # numpy order: last dimension of the file first
    dtype: np.dtype | None  # None for colour and complex types, which ITK reads
    offset: int
    slope: float
    intercept: float
    sform: np.ndarray | None  # (4, 4) to LPS mm; None where there is none, or only one to an atlas
    qform: np.ndarray | None  # (3, 3) axes in LPS; None where there is none
    version: int
    fields: dict[str, tuple]

    @property
    def remarks(self) -> list[str]:
        """What of the header a person should know: no place at all, or two that differ."""
        if self.sform is None and self.qform is None:
            return [UNKNOWN_PLACE]
        if self.sform is None or self.qform is None:
            return []
        axes = self.sform[:3, :3] / np.linalg.norm(self.sform[:3, :3], axis=0)
        apart = float(np.degrees(np.arccos(np.clip((axes * self.qform).sum(axis=0), -1, 1))).max())
        if apart < np.degrees(_SAME_AXES):
            return []
        return [
            f"its header says in two ways how the patient lies (sform, qform), which differ by {apart:.0f} degrees. "
            "Check the orientation, or convert the scan from DICOM again."
        ]

    def as_nifti1(self, path: Path) -> bytes:
        """The header in the layout of NIfTI-1, as far as it says where the voxels lie.

        Raises InputError for numbers that are none of a scan's, which that layout has no room for.
        """
        raw = bytearray(352)
        struct.pack_into("<i", raw, 0, 348)
        raw[344:348] = b"n+1\0"
        for name, values in {**self.fields, "vox_offset": (352.0,)}.items():
            offset, form = _FIELDS[name][0]
            try:
                struct.pack_into("<" + form, raw, offset, *values)
            except (struct.error, OverflowError) as error:
                raise _damaged_header(path, f"{name} {values}") from error
        return bytes(raw)

    @property
    def sheared_ijk_to_lps(self) -> np.ndarray | None:
        """The sform where its axes are not orthogonal, (4, 4) to LPS mm; None for what ITK understands."""
        if self.sform is None:
            return None
        lengths = np.linalg.norm(self.sform[:3, :3], axis=0)
        if not np.isfinite(self.sform).all() or lengths.min() <= 0:
            return None
        axes = self.sform[:3, :3] / lengths
        skew = np.abs(axes.T @ axes - np.eye(3)).max()
        return self.sform if skew > _SHEAR_TOLERANCE else None


def is_nifti(path: Path) -> bool:
    return path.name.lower().endswith((".nii", ".nii.gz"))


def read_header(path: Path) -> NiftiHeader:
    """The header of a single-file NIfTI-1 or NIfTI-2.

    Raises InputError where it is none, InvalidVolumeError for a spacing that is none or that it contradicts itself.
    """
    with _opened(path) as file:
        return _parse(_read_at_most(file, max(_HEADER_BYTES), path), path)


def read_voxels(path: Path, header: NiftiHeader) -> np.ndarray:
    """The scaled voxels, numpy order; float32 where there is a scale. Raises InputError where some are missing."""
    assert header.dtype is not None
    count = int(np.prod(header.shape, dtype=np.int64))
    size = count * header.dtype.itemsize
    if size > min(MAX_BYTES, MOST_COMPRESSED * path.stat().st_size):
        raise InvalidVolumeError(
            f"{path.name} claims {count} voxels, which a file of {path.stat().st_size} bytes cannot hold: its header "
            "is damaged. Export the scan again."
        )
    raw = np.empty(size, np.uint8)
    view = raw.data
    with _opened(path) as file:
        _read_at_most(file, header.offset, path)
        done = 0
        while done < size:
            part = _read_at_most(file, min(CHUNK, size - done), path)
            if not part:
                raise _truncated(path)
            view[done : done + len(part)] = part
            done += len(part)
        # Only at its end is what was decompressed compared with the checksum there.
        while _read_at_most(file, CHUNK, path):
            pass
    voxels = raw.view(header.dtype).reshape(header.shape)
    if header.slope in (0.0, 1.0) and (header.intercept == 0.0 or header.slope == 0.0):
        return voxels  # a slope of 0 means "no scaling"
    scaled = np.empty(header.shape, np.float32)
    for target, stored in zip(scaled, voxels, strict=True):  # slab by slab: no float64 copy of the whole
        target[...] = stored * header.slope + header.intercept
    return scaled


def _opened(path: Path) -> BufferedIOBase:
    with open(path, "rb") as probe:
        compressed = probe.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if compressed else open(path, "rb")


def _read_at_most(file: BufferedIOBase, size: int, path: Path) -> bytes:
    try:
        return file.read(size)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _truncated(path) from error


def _truncated(path: Path) -> InputError:
    return InputError(f"{path.name} is truncated or damaged: voxels are missing or altered. Copy or export it again.")


def _damaged_header(path: Path, why: str) -> InputError:
    return InputError(f"{path.name} has a damaged header ({why}). Export the scan again.")


def _parse(raw: bytes, path: Path) -> NiftiHeader:
    known = [(o, n) for o in "<>" for n in _HEADER_BYTES if struct.unpack_from(o + "i", raw.ljust(4))[0] == n]
    if not known:
        raise InputError(f"{path.name} is not a NIfTI file, whatever its name says. Export the scan again.")
    order, size = known[0]
    layout = _HEADER_BYTES.index(size)
    if len(raw) < size:
        raise _truncated(path)
    places = {name: each[layout] for name, each in _FIELDS.items()}
    fields = {name: struct.unpack_from(order + form, raw, at) for name, (at, form) in places.items()}
    dim = fields["dim"]
    if not 1 <= dim[0] <= 7 or min(dim[1 : dim[0] + 1]) < 1 or max(dim) > np.iinfo(np.int16).max:
        raise _damaged_header(path, f"dimensions {dim}")
    offset = fields["vox_offset"][0]
    if not (np.isfinite(offset) and size <= offset <= MAX_BYTES):
        raise _damaged_header(path, f"its voxels begin at byte {offset}")
    slope, intercept = fields["slope"][0], fields["intercept"][0]
    if np.isfinite(slope) and slope != 0 and not np.isfinite(intercept):
        raise _damaged_header(path, f"values are shifted by {intercept}")
    slope, intercept = (float(number) if np.isfinite(number) else 0.0 for number in (slope, intercept))
    spacing = fields["pixdim"][1 : min(dim[0], 3) + 1]
    if not all(np.isfinite(s) and s > 0 for s in spacing):
        raise InvalidVolumeError(
            f"{path.name}: a voxel of {shown_sizes(spacing, 'g')} mm is not possible. Correct the spacing in the "
            "header or export it again."
        )
    sform = qform = None
    by_qform, by_sform = fields["qform_code"][0] > 0, fields["sform_code"][0] > 0
    # 1 and 2: the scanner's space; higher codes are atlases, whose affine may shear for other reasons
    if fields["sform_code"][0] in (1, 2) or (by_sform and not by_qform):
        # RAS in the file
        sform = np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.vstack([np.reshape(fields["srow"], (3, 4)), (0, 0, 0, 1)])
        _require_same_spacing(sform, spacing, path)
    if by_qform:
        if not np.isfinite([*fields["quaternion"], *fields["qoffset"]]).all():
            raise InvalidVolumeError(f"{path.name}: its qform is not finite. Export the scan again.")
        qform = np.diag([-1.0, -1.0, 1.0]) @ _rotation(fields["quaternion"], fields["pixdim"][0])
    kind = _DTYPES.get(fields["datatype"][0])
    shape = [int(n) for n in dim[dim[0] : 0 : -1]]
    while len(shape) > 3 and shape[0] == 1:
        shape.pop(0)
    return NiftiHeader(
        shape=tuple(shape),
        dtype=np.dtype(order + kind) if kind else None,
        offset=int(offset),
        slope=slope,
        intercept=intercept,
        sform=sform,
        qform=qform,
        version=layout + 1,
        fields=fields,
    )


def _rotation(quaternion: tuple, handedness: float) -> np.ndarray:
    """(3, 3) axes in RAS of a qform (nifti1.h, method 2)."""
    b, c, d = quaternion
    a = np.sqrt(max(0.0, 1.0 - (b * b + c * c + d * d)))
    return Rotation.from_quat([b, c, d, a]).as_matrix() * (1, 1, -1 if handedness < 0 else 1)


def _require_same_spacing(sform: np.ndarray, spacing: tuple, path: Path) -> None:
    """Raise InvalidVolumeError where the header says two different sizes of a voxel."""
    if not np.isfinite(sform).all():
        raise InvalidVolumeError(f"{path.name}: its sform is not finite. Export the scan again.")
    steps = np.linalg.norm(sform[:3, :3], axis=0)
    if steps.min() <= 0:
        return  # no axes at all, which is refused elsewhere
    # Of a sheared grid, the distance of slices may be meant as well as the step from one to the next.
    upright = abs(np.linalg.det(sform[:3, :3])) / (steps[0] * steps[1])
    off = [abs(mm / step - 1) for mm, step in zip(spacing, steps, strict=False)]
    if len(off) == 3:
        off[2] = min(off[2], abs(spacing[2] / upright - 1) if upright > 0 else off[2])
    if max(off) > _SAME_SPACING:
        raise InvalidVolumeError(
            f"{path.name}: its header says two sizes of a voxel, {shown_sizes(spacing, 'g')} mm (pixdim) and "
            f"{shown_sizes(steps[: len(spacing)], 'g')} mm (sform). Correct the one that is wrong or export the scan "
            "again."
        )
