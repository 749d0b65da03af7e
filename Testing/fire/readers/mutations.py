"""Changes of a file: blind ones of its bytes, and ones that know its structure and get past its checksums."""

from __future__ import annotations

import copy
import gzip
import io
import json
import random
import re
import struct
import zipfile
import zlib
from typing import Any

_BYTES = (0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x20, 0x2D)
_WHOLE = (0, 1, -1, 2, 3, 255, 256, 32767, -32768, 65535, 65536, 2**31 - 1, -(2**31), 2**32 - 1, 2**63 - 1, -(2**63))
_REAL = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-30, 1e30, 3e38, float("nan"), float("inf"), float("-inf"), 1e308, 1e-308)
_WORDS = (
    "", "0", "-1", "1", "2", "3", "4", "7", "1e30", "-1e30", "nan", "inf", "-inf", "1e-300", "99999", "2147483647",
    "4294967296", "9223372036854775808", "99999999999999999999", "none", "NaN", "(0,0,0)", "(nan,nan,nan)", "True",
    "../x", "/etc/passwd", "%d", "LIST", "\0", "x" * 300, "é", "{}", "[]", "0x10", "1,5", "1 2 3", ";", "\"",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 10**30, 1e308, -1e308, 0.5, "", "x", "nan", "../x", "/etc/passwd", [], {}, [None],
    {"": None}, [[1]], "\ud800", "0" * 500, [1e400], float("nan"), float("inf"), 2**31, 2**63, "liver",
)  # fmt: skip


def mutated(rng: random.Random, name: str, data: bytes) -> tuple[bytes, bool]:
    """Another content for a file of that name, and whether it is the first bytes of the old one alone."""
    ways = [_blindly]
    if data[:2] == b"\x1f\x8b":
        ways += [_in_gzip] * 3
    elif data[:4] == b"PK\x03\x04":
        ways += [_in_zip] * 3
    elif name.endswith(".json"):
        ways += [_in_json] * 4 + [_in_words]
    elif data[:4] in (b"NRRD", b"Obje") or name.endswith(".csv"):
        ways += [_in_words] * 4 + [_in_zlib]
    elif data[:6] == b"\x93NUMPY":
        ways += [_in_words]
    if rng.random() < 0.08:
        return data[: rng.randrange(len(data) + 1)][: max(len(data) - 1, 0)], True
    return rng.choice(ways)(rng, data), False


def _blindly(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        # Where things are said is at the beginning, mostly.
        reach = len(changed) if rng.random() < 0.5 else min(len(changed), 600)
        at = rng.randrange(reach) if reach else 0
        kind = rng.randrange(9)
        if kind < 2 and changed:
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == 2 and changed:
            changed[at] = rng.choice(_BYTES)
        elif kind == 3:
            whole = rng.choice(_WHOLE)
            size = rng.choice((1, 2, 4, 8))
            changed[at : at + size] = (whole & ((1 << 8 * size) - 1)).to_bytes(size, rng.choice(("little", "big")))
        elif kind == 4:
            form = rng.choice(("<f", "<d", ">f"))
            real = rng.choice(_REAL)
            changed[at & ~3 : (at & ~3) + struct.calcsize(form)] = _packed(form, real)
        elif kind == 5:
            del changed[at : at + rng.choice((1, 2, 4, 8, 64))]
        elif kind == 6:
            changed[at:at] = rng.randbytes(rng.choice((1, 2, 4, 64)))
        elif kind == 7:
            changed[at:at] = changed[at : at + rng.choice((1, 4, 16, 128))]
        else:
            changed[at : at + 8] = rng.randbytes(8)
    return bytes(changed)


def _packed(form: str, real: float) -> bytes:
    try:
        return struct.pack(form, real)
    except OverflowError:
        return struct.pack(form, float("inf"))


def _in_gzip(rng: random.Random, data: bytes) -> bytes:
    """With a checksum that is right again."""
    return gzip.compress(_blindly(rng, gzip.decompress(data)), 1, mtime=0)


def _in_zlib(rng: random.Random, data: bytes) -> bytes:
    """A stream at the file's end, as of NRRD and MHA, with a checksum that is right again."""
    for mark, bits in ((b"\x1f\x8b", 31), (b"x\x9c", 15), (b"x\x01", 15), (b"x\xda", 15)):
        at = data.find(mark)
        if at > 0:
            try:
                payload = _blindly(rng, zlib.decompress(data[at:], bits))
            except zlib.error:
                continue
            stream = zlib.compressobj(1, zlib.DEFLATED, bits)
            return data[:at] + stream.compress(payload) + stream.flush()
    return _in_words(rng, data)


def _in_words(rng: random.Random, data: bytes) -> bytes:
    """A word or number of the text that a file begins with, or a whole line of it."""
    end = data.find(b"\n\n")
    head, rest = (data, b"") if end < 0 else (data[:end], data[end:])
    head, rest = (head, rest) if len(head) < 5000 else (head[:5000], head[5000:] + rest)
    for _ in range(rng.choice((1, 1, 2, 3))):
        lines = head.split(b"\n")
        what = rng.randrange(8)
        if what == 0:
            del lines[rng.randrange(len(lines))]
            head = b"\n".join(lines)
        elif what == 1:
            lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
            head = b"\n".join(lines)
        else:
            words = list(re.finditer(rb"[^\s,:=()|~^]+", head))
            if words:
                found = rng.choice(words)
                word = rng.choice(words)[0] if rng.random() < 0.2 else rng.choice(_WORDS).encode()
                head = head[: found.start()] + word + head[found.end() :]
    return head + rest


def _in_json(rng: random.Random, data: bytes) -> bytes:
    """Another value at some place, or a key less or more."""
    tree = json.loads(data)

    def value() -> Any:
        return copy.deepcopy(rng.choice(_VALUES))  # which is changed itself, perhaps, and must be the same next time

    for _ in range(rng.choice((1, 1, 2, 3))):
        places: list[tuple[Any, Any]] = []
        waiting = [tree]
        while waiting:
            node = waiting.pop()
            for key in node if isinstance(node, dict) else range(len(node)):
                places.append((node, key))
                if isinstance(node[key], (dict, list)):
                    waiting.append(node[key])
        if not places:
            break
        node, key = rng.choice(places)
        what = rng.randrange(8)
        if what == 0:
            del node[key]
        elif what == 1 and isinstance(node, dict):
            node[rng.choice(("x", "name", "", key + "x"))] = value()
        elif what == 2 and isinstance(node, list):
            node.append(rng.choice([value(), node[key]]))
        elif what == 3:
            other, place = rng.choice(places)
            node[key] = json.loads(json.dumps(other[place]))
        else:
            node[key] = value()
    return json.dumps(tree).encode("utf-8", "surrogatepass")


def _in_zip(rng: random.Random, data: bytes) -> bytes:
    """A member of an archive (weights, checkpoints, NPZ), with a checksum that is right again."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    at = rng.randrange(len(members)) if rng.random() < 0.5 else 0  # the pickle, of torch's files
    name, content = members[at]
    what = rng.randrange(10)
    if what == 0:
        del members[at]
    elif what == 1:
        members[at] = (rng.choice(("../x", "/x", name + "x", "", members[-1][0])), content)
    else:
        members[at] = (name, _blindly(rng, content))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members:
            archive.writestr(name or "x", content)
    return buffer.getvalue()
