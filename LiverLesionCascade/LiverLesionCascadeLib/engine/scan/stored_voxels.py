"""What NRRD and MHA headers claim, compared with the bytes that are there, before ITK reads them.

ITK stops to decompress at the wanted number of bytes and never looks at the checksum behind them, takes memory for
whatever a header claims, and takes 1 mm for a spacing that is not there.

Formats: http://teem.sourceforge.net/nrrd/format.html, https://itk.org/Wiki/MetaIO/Documentation.
"""

from __future__ import annotations

import io
import math
import os
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, InvalidVolumeError

_HEADER_BYTES = 1 << 20
# Segmentations have most of a kilobyte a segment, and no more segments than numbers.
_MOST_HEADER_BYTES = 64 << 20
_NRRD_END = re.compile(rb"\r?\n\r?\n")
MAX_BYTES = 16 << 30
CHUNK = 16 << 20
# Deflate makes at most about a thousand bytes of one.
MOST_COMPRESSED = 1100
_NRRD_BYTES = {
    **dict.fromkeys(("signed char", "int8", "int8_t", "uchar", "unsigned char", "uint8", "uint8_t"), 1),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), 2),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), 2),
    **dict.fromkeys(
        ("int", "signed int", "int32", "int32_t", "uint", "unsigned int", "uint32", "uint32_t", "float"), 4
    ),
    **dict.fromkeys(("longlong", "long long", "long long int", "signed long long", "int64", "int64_t", "double"), 8),
    **dict.fromkeys(("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"), 8),
}
_MHA_BYTES = {"CHAR": 1, "SHORT": 2, "INT": 4, "FLOAT": 4, "DOUBLE": 8, "LONG_LONG": 8, "LONG": 0}
_MOST_DIMENSIONS = 7
UNKNOWN_PLACE = (
    "its header does not say how the patient lies: left and right, front and back, top and bottom were guessed. "
    "Check the orientation, or convert the scan from DICOM again."
)
_MILLIMETRES = ("", "mm", "millimeter", "millimeters", "millimetre", "millimetres", "?")


@dataclass(frozen=True)
class _Claim:
    """What a header says of its voxels.

    Attributes:
        data: The file that holds them; None for several.
        offset: Where they begin in it; None where they are the file's last bytes.
        size: Bytes that they take; 0 where that cannot be told.
        compressed: By zlib or gzip; None for text and others.
        placed: Whether the header says how the patient lies.
        stored: Bytes that they take compressed, where the header says that.
    """

    data: Path | None
    offset: int | None
    size: int
    compressed: bool | None
    placed: bool
    stored: int | None = None


def check_stored_voxels(path: Path) -> list[str]:
    """What a person should know of an NRRD or MHA/MHD header.

    Raises InputError where voxels are missing, altered or more than the file can hold, InvalidVolumeError where the
    header gives no spacing, or other lengths than mm. OSError.
    """
    with path.open("rb") as file:
        start = file.read(_HEADER_BYTES)
        if start.startswith(b"NRRD") and not _NRRD_END.search(start):
            start += file.read(_MOST_HEADER_BYTES - len(start))
    is_nrrd = path.name.lower().endswith((".nrrd", ".nhdr"))
    try:
        claim = _nrrd(path, start) if is_nrrd else _meta(path, start)
    except (ValueError, OverflowError, KeyError, IndexError) as error:
        raise InputError(
            f"{path.name} has a damaged header: sizes, spacing or where its voxels begin are no numbers that can "
            "be. Copy or export it again."
        ) from error
    if claim is None:
        return []  # for ITK to say what it is
    _require_there(path, claim)
    return [] if claim.placed else [UNKNOWN_PLACE]


def unusable_image(path: Path) -> InputError:
    return InputError(f"{path.name} is truncated, damaged or not what its name says. Copy or export it again.")


def _require_there(path: Path, claim: _Claim) -> None:
    if claim.data is None or claim.compressed is None:
        return
    if not os.path.isfile(claim.data):
        raise InputError(f"{path.name} needs {claim.data.name} beside it, which is not there. Copy it there.")
    there = claim.data.stat().st_size
    begin = claim.offset if claim.offset is not None else max(there - claim.size, 0)
    held = max(there - begin, 0)
    if claim.size > min(MAX_BYTES, held * (MOST_COMPRESSED if claim.compressed else 1)):
        raise InputError(
            f"{path.name} is truncated or damaged: its header claims {claim.size} bytes of voxels, which the {held} "
            "bytes there cannot hold. Copy or export it again."
        )
    if claim.compressed:
        found, stored = _decompressed(claim.data, begin, path)
        if claim.stored not in (None, stored):
            # MetaIO would take what it makes of a part for the whole.
            raise InputError(
                f"{path.name} has a damaged header: it says that its voxels take {claim.stored} bytes, but they take "
                f"{stored}. Copy or export it again."
            )
        if found < claim.size:
            raise InputError(
                f"{path.name} is truncated or damaged: {claim.size - found} bytes of voxels are missing. Copy or "
                "export it again."
            )


def _decompressed(data: Path, begin: int, path: Path) -> tuple[int, int]:
    """Number of bytes after decompressing, to the checksum and past it, and before. InputError where that is wrong."""
    count = stored = 0
    stream = zlib.decompressobj(zlib.MAX_WBITS | 32)  # zlib or gzip, by their first bytes
    with data.open("rb") as file:
        file.seek(begin)
        try:
            while part := file.read(CHUNK):
                stored += len(part)
                while part and not stream.eof:
                    count += len(stream.decompress(part, CHUNK))
                    part = stream.unconsumed_tail
                if stream.eof:
                    break
            count += len(stream.flush())
        except zlib.error as error:
            raise InputError(
                f"{path.name} is damaged: its voxels were altered since it was written. Copy or export it again."
            ) from error
    if not stream.eof:
        raise InputError(f"{path.name} is truncated: the end of its voxels is missing. Copy or export it again.")
    return count, stored - len(stream.unused_data)


def _nrrd(path: Path, start: bytes) -> _Claim | None:
    if not start.startswith(b"NRRD"):
        return None
    match = _NRRD_END.search(start)
    header = start[: match.end()] if match else start
    fields: dict[str, str] = {}
    for line in header.decode("utf-8", errors="replace").splitlines()[1:]:
        name, colon, text = line.partition(":")
        if colon and not text.startswith("=") and not line.startswith("#"):
            fields[name.strip().casefold()] = text.strip()
    sizes = [int(n) for n in fields["sizes"].split()]
    if min(sizes, default=0) < 1:
        raise ValueError(f"sizes {fields['sizes']}")
    _require_nrrd_spacing(path, fields, len(sizes))
    named = fields.get("data file", fields.get("datafile"))
    several = named is not None and (named.upper().startswith("LIST") or "%" in named)
    listed = re.search(rb"data ?file:\s*LIST[^\n]*\n(.*)", start, re.IGNORECASE | re.DOTALL)
    names = listed[1].decode("utf-8", errors="replace").splitlines() if listed else []
    _require_beside(path, [named or "", *names])
    data = path if named is None else path.parent / named
    skip = int(fields.get("byte skip", fields.get("byteskip", "0")))
    lines = int(fields.get("line skip", fields.get("lineskip", "0")))
    if skip < -1 or lines < 0:
        raise ValueError(f"byte skip {skip}, line skip {lines}")
    encoding = fields.get("encoding", "raw").casefold()
    compressed = {"raw": False, "gz": True, "gzip": True}.get(encoding)
    if encoding in ("bz2", "bzip2"):
        raise InputError(f"{path.name} is compressed with bzip2, which cannot be read. Save it with gzip.")
    if lines:
        compressed = None
    offset = None if skip == -1 else skip if compressed is False or named is not None else 0
    if offset is not None and named is None:
        offset += len(header)
    space = fields.get("space", "").casefold()
    placed = bool(space) and not space.startswith(("scanner", "3d-"))  # else its axes are not the patient's
    size = math.prod(sizes) * _NRRD_BYTES.get(fields.get("type", "").casefold(), 0)
    return _Claim(None if several else data, offset, size, compressed, placed)


def _require_nrrd_spacing(path: Path, fields: dict[str, str], dimension: int) -> None:
    if dimension < 3:
        return
    given = fields.get("space directions", fields.get("spacings"))
    known = [] if given is None else re.findall(r"\([^)]*\)|\S+", given)
    components = sum(each.casefold() == "none" for each in known)
    if dimension - components == 2:
        return  # a picture in colour
    unknown = sum(each.casefold() in ("nan", "???") for each in known)
    if len(known) < dimension or dimension - components < 3 or unknown > dimension - components - 3:
        raise InvalidVolumeError(
            f"{path.name}: its header gives no voxel spacing. Correct the header or export the scan again."
        )
    units = [unit.casefold() for unit in re.findall(r'"([^"]*)"', fields.get("space units", fields.get("units", "")))]
    _require_millimetres(path, [unit for unit in units[:dimension] if unit not in ("s", "sec", "ms")])


def _meta(path: Path, start: bytes) -> _Claim | None:
    fields: dict[str, str] = {}
    header = io.BytesIO(start)
    for raw in header:
        line = raw.decode("latin-1")
        if not line.strip():
            continue
        name, *text = (part.strip() for part in re.split("[=:]", line, maxsplit=1))
        if not text:
            raise unusable_image(path)
        fields[name] = text[0]
        if name == "ElementDataFile":
            break
    # MetaIO writes over its own memory for more.
    dimensions = int(fields.get("NDims", "3"))
    if not 1 <= dimensions <= _MOST_DIMENSIONS:
        raise ValueError(f"NDims {dimensions}")
    if "DimSize" not in fields or "ElementDataFile" not in fields:
        return None
    sizes = [int(n) for n in fields["DimSize"].split()]
    if len(sizes) != dimensions or min(sizes) < 1:
        raise ValueError(f"DimSize {fields['DimSize']}")
    if len(sizes) >= 3 and not {"ElementSpacing", "ElementSize"} & fields.keys():
        raise InvalidVolumeError(
            f"{path.name}: its header gives no voxel spacing. Correct the header or export the scan again."
        )
    for name in ("ElementSpacing", "ElementSize", "Offset", "Position", "Origin", "TransformMatrix", "Orientation"):
        if not all(math.isfinite(float(text)) for text in fields.get(name, "").split()):
            raise InvalidVolumeError(
                f"{path.name}: its {name} is not finite ({fields[name]}). Correct the header or export the scan again."
            )
    _require_millimetres(path, [fields.get("DistanceUnits", "mm").casefold()])
    named = fields["ElementDataFile"].split()[0]
    compressed: bool | None = fields.get("CompressedData", "False")[:1].upper() == "T"
    if fields.get("BinaryData", "True")[:1].upper() != "T":
        compressed = None
    skip = int(fields.get("HeaderSize", "0"))
    if skip < -1:
        raise ValueError(f"HeaderSize {skip}")
    local = named.upper() == "LOCAL"
    several = named.upper() == "LIST" or "%" in named
    listed = start[header.tell() :] if named.upper() == "LIST" else b""
    _require_beside(path, [fields["ElementDataFile"], *listed.decode("latin-1").splitlines()])
    kind = fields.get("ElementType", "").removeprefix("MET_").removesuffix("_ARRAY")
    each = _MHA_BYTES.get(kind.removeprefix("U"), 0) * int(fields.get("ElementNumberOfChannels", "1"))
    data = path if local else path.parent / fields["ElementDataFile"]
    offset = None if skip == -1 else header.tell() if local else skip
    stored = int(fields["CompressedDataSize"]) if compressed and "CompressedDataSize" in fields else None
    placed = bool({"TransformMatrix", "Rotation", "Orientation"} & fields.keys())
    return _Claim(None if several else data, offset, math.prod(sizes) * each, compressed, placed, stored)


def _require_beside(path: Path, named: list[str]) -> None:
    """Raise InputError where a header would have a file read that lies elsewhere: it may come from anybody."""
    for each in named:
        parts = re.split(r"[/\\]", each.strip())
        if ".." in parts or (len(parts) > 1 and not parts[0]) or re.match("[A-Za-z]:", each):
            raise InputError(
                f"{path.name} names voxels outside of its folder ({each.strip()[:80]}), which are not read. Put that "
                "file beside it and correct its header."
            )


def _require_millimetres(path: Path, units: list[str]) -> None:
    other = next((unit for unit in units if unit not in _MILLIMETRES), None)
    if other is not None:
        raise InvalidVolumeError(
            f"{path.name}: its header gives lengths in {other}, not in mm. Convert the scan to mm or export it again."
        )
