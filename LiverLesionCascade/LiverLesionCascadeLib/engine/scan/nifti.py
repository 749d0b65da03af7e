"""NIfTI files where ITK must not be relied on.

ITK fills the rest of a truncated file with zeros without a word, takes a zero voxel size for 1 mm, and refuses or
straightens sheared grids (gantry tilt). So the header is checked here and the voxels are read here; what the header
means for an ordinary grid is still ITK's decision, the same as in Slicer.

Header layout: nifti1.h of the NIfTI Data Format Working Group (348 bytes).
"""

from __future__ import annotations

import gzip
import struct
import zlib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..errors import InputError, InvalidVolumeError

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
# byte offset and struct format of the fields in use
_FIELDS = {
    "dim": (40, "8h"),
    "datatype": (70, "h"),
    "pixdim": (76, "8f"),
    "vox_offset": (108, "f"),
    "slope": (112, "f"),
    "intercept": (116, "f"),
    "qform_code": (252, "h"),
    "sform_code": (254, "h"),
    "srow": (280, "12f"),
}
_HEADER_BYTES = 348
_MAX_BYTES = 16 << 30
_CHUNK = 16 << 20
# Shear of the axes in a header below this is rounding.
_SHEAR_TOLERANCE = 2e-3


@dataclass(frozen=True)
class NiftiHeader:
    shape: tuple[int, ...]  # numpy order: last dimension of the file first
    dtype: np.dtype | None  # None for colour and complex types, which ITK reads
    spacing: tuple[float, ...]  # (i, j, k) mm
    offset: int
    slope: float
    intercept: float
    sform: np.ndarray | None  # (4, 4) to LPS mm; None where there is none, or only one to an atlas

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
    """The header of a single-file NIfTI-1. Raises InputError where it is none, InvalidVolumeError for spacing <= 0."""
    with _opened(path) as file:
        return _parse(_read_at_most(file, _HEADER_BYTES, path), path)


def read_voxels(path: Path, header: NiftiHeader) -> np.ndarray:
    """The scaled voxels, numpy order; float32 where there is a scale. Raises InputError where some are missing."""
    assert header.dtype is not None
    count = int(np.prod(header.shape, dtype=np.int64))
    size = count * header.dtype.itemsize
    if size > _MAX_BYTES:
        raise InvalidVolumeError(f"{path.name} claims {count} voxels: its header is damaged. Export the scan again.")
    raw = np.empty(size, np.uint8)
    view = raw.data
    with _opened(path) as file:
        _read_at_most(file, header.offset, path)
        done = 0
        while done < size:
            part = _read_at_most(file, min(_CHUNK, size - done), path)
            if not part:
                raise _truncated(path)
            view[done : done + len(part)] = part
            done += len(part)
    voxels = raw.view(header.dtype).reshape(header.shape)
    if header.slope in (0.0, 1.0) and (header.intercept == 0.0 or header.slope == 0.0):
        return voxels  # a slope of 0 means "no scaling"
    scaled = np.empty(header.shape, np.float32)
    for target, stored in zip(scaled, voxels, strict=True):  # slab by slab: no float64 copy of the whole
        target[...] = stored * header.slope + header.intercept
    return scaled


def _opened(path: Path) -> closing[BinaryIO]:
    with open(path, "rb") as probe:
        compressed = probe.read(2) == b"\x1f\x8b"
    file = gzip.open(path, "rb") if compressed else open(path, "rb")
    return closing(file)  # type: ignore[arg-type]


def _read_at_most(file: BinaryIO, size: int, path: Path) -> bytes:
    try:
        return file.read(size)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _truncated(path) from error


def _truncated(path: Path) -> InputError:
    return InputError(f"{path.name} is truncated or damaged: voxels are missing at its end. Copy or export it again.")


def _parse(raw: bytes, path: Path) -> NiftiHeader:
    order = next((o for o in "<>" if struct.unpack_from(o + "i", raw.ljust(4))[0] == _HEADER_BYTES), None)
    if order is None:
        if any(struct.unpack_from(o + "i", raw.ljust(4))[0] == 540 for o in "<>"):
            raise InputError(f"{path.name} is NIfTI-2, which cannot be read. Save the scan as NIfTI-1 or NRRD.")
        raise InputError(f"{path.name} is not a NIfTI file, whatever its name says. Export the scan again.")
    if len(raw) < _HEADER_BYTES:
        raise _truncated(path)

    def field(name: str) -> tuple:
        offset, form = _FIELDS[name]
        return struct.unpack_from(order + form, raw, offset)

    dim = field("dim")
    if not 1 <= dim[0] <= 7 or min(dim[1 : dim[0] + 1]) < 1:
        raise InputError(f"{path.name} has a damaged header (dimensions {dim}). Export the scan again.")
    spacing = field("pixdim")[1 : min(dim[0], 3) + 1]
    if not all(np.isfinite(s) and s > 0 for s in spacing):
        shown = " x ".join(f"{s:g}" for s in spacing)
        raise InvalidVolumeError(
            f"{path.name}: a voxel of {shown} mm is not possible. Correct the spacing in the header or export it again."
        )
    sform = None
    # 1 and 2: the scanner's space; higher codes are atlases, whose affine may shear for other reasons
    if field("sform_code")[0] in (1, 2) or (field("sform_code")[0] > 0 and field("qform_code")[0] <= 0):
        # RAS in the file
        sform = np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.vstack([np.reshape(field("srow"), (3, 4)), (0, 0, 0, 1)])
    kind = _DTYPES.get(field("datatype")[0])
    shape = [int(n) for n in dim[dim[0] : 0 : -1]]
    while len(shape) > 3 and shape[0] == 1:
        shape.pop(0)
    return NiftiHeader(
        shape=tuple(shape),
        dtype=np.dtype(order + kind) if kind else None,
        spacing=spacing,
        offset=int(field("vox_offset")[0]),
        slope=_finite(field("slope")[0]),
        intercept=_finite(field("intercept")[0]),
        sform=sform,
    )


def _finite(value: float) -> float:
    return float(value) if np.isfinite(value) else 0.0
