"""Key images: the axial slices on which the lesions are measured, with outlines, numbers and diameters drawn in.

Arrays are (slice, row, column) in axial LPS order; images are (row, column, RGB) uint8, the patient's right on the
left as radiologists read them, with square pixels whatever the scan's spacing. Numpy and scipy only: Slicer ships no
plotting library.
"""

from __future__ import annotations

import struct
import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..measures.lesions import Lesion

#: HU shown as black and white: an abdominal soft tissue window.
DEFAULT_WINDOW = (-60.0, 200.0)
LIVER_COLOUR = (74, 222, 158)
LESION_COLOUR = (255, 82, 70)
AXIS_COLOUR = (255, 219, 88)
TEXT_COLOUR = (255, 255, 255)

_MARGIN_MM = 12.0
_MIN_EXTENT_MM = 120.0
_SCALE_BAR_MM = 50.0
_SUPERSAMPLING = 2

# 5 x 7 pixels a glyph, one row of bits a number; the file must not depend on fonts of the system.
_GLYPHS = {
    "0": (14, 17, 19, 21, 25, 17, 14),
    "1": (4, 12, 4, 4, 4, 4, 14),
    "2": (14, 17, 1, 2, 4, 8, 31),
    "3": (31, 2, 4, 2, 1, 17, 14),
    "4": (2, 6, 10, 18, 31, 2, 2),
    "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14),
    "7": (31, 1, 2, 4, 8, 8, 8),
    "8": (14, 17, 17, 14, 17, 17, 14),
    "9": (14, 17, 17, 15, 1, 2, 12),
    "A": (14, 17, 17, 17, 31, 17, 17),
    "L": (16, 16, 16, 16, 16, 16, 31),
    "P": (30, 17, 17, 30, 16, 16, 16),
    "R": (30, 17, 17, 30, 20, 18, 17),
    "c": (0, 0, 14, 16, 16, 17, 14),
    "m": (0, 0, 26, 21, 21, 21, 21),
    " ": (0, 0, 0, 0, 0, 0, 0),
}


@dataclass(frozen=True)
class KeyImage:
    """One picture.

    Attributes:
        slice: Index of the slice in the axial grid.
        measured: Numbers of the lesions whose diameters are drawn in, because this is the slice of their long axis.
        visible: Numbers of all lesions outlined.
        centre: The crop's centre, (slice, row, column).
        pixels: (row, column, RGB) uint8.
    """

    slice: int
    measured: tuple[int, ...]
    visible: tuple[int, ...]
    centre: tuple[float, float, float]
    pixels: np.ndarray


@dataclass(frozen=True)
class _Frame:
    """The crop: first row and column (edges of voxels, fractions allowed), mm a pixel, and the picture's size."""

    top: float
    left: float
    row_mm: float
    column_mm: float
    mm: float
    height: int
    width: int

    def pixel(self, row: float, column: float) -> tuple[float, float]:
        """Where a voxel position lies in the picture, (y, x); whole numbers are pixel centres."""
        y = (row + 0.5 - self.top) * self.row_mm / self.mm - 0.5
        x = (column + 0.5 - self.left) * self.column_mm / self.mm - 0.5
        return y, x

    def resample(self, image: np.ndarray, factor: int = 1) -> np.ndarray:
        """A slice (row, column) on the picture's pixels, ``factor`` times finer; linear, float32."""
        mm = self.mm / factor
        rows = _linear_weights(self.top, mm / self.row_mm, self.height * factor, image.shape[0])
        columns = _linear_weights(self.left, mm / self.column_mm, self.width * factor, image.shape[1])
        return rows @ image.astype(np.float32) @ columns.T


def _linear_weights(start: float, step: float, count: int, length: int) -> np.ndarray:
    """(count, length): what each of ``length`` voxels adds to each of ``count`` pixels; the edges are continued."""
    position = np.clip(start - 0.5 + (np.arange(count) + 0.5) * step, 0, length - 1)
    first = np.minimum(position.astype(int), max(length - 2, 0))
    weights = np.zeros((count, length), np.float32)
    index = np.arange(count)
    weights[index, first] = 1.0 - (position - first)
    weights[index, np.minimum(first + 1, length - 1)] += position - first
    return weights


def key_slices(table: Sequence[Lesion], liver: np.ndarray, limit: int) -> list[int]:
    """The slices to show, from feet to head: those on which the largest lesions are measured.

    Lesions measured on one slice share a picture. Without lesions it is the slice with most liver, or the middle one.
    """
    slices: list[int] = []
    for lesion in sorted(table, key=lambda lesion: -lesion.volume_ml):
        if lesion.long_axis_slice not in slices:
            slices.append(lesion.long_axis_slice)
        if len(slices) == limit:
            break
    if not slices and limit > 0:
        area = liver.reshape(len(liver), -1).sum(axis=1)
        slices = [int(np.argmax(area)) if area.any() else len(liver) // 2]
    return sorted(slices)


def key_images(
    hu: np.ndarray,
    liver: np.ndarray,
    lesions: np.ndarray,
    table: Sequence[Lesion],
    spacing: tuple[float, float, float],
    *,
    limit: int = 8,
    size: int = 640,
    window: tuple[float, float] = DEFAULT_WINDOW,
) -> list[KeyImage]:
    """Pictures of the key slices, all of the same crop around the liver.

    Args:
        hu: HU.
        liver: Bool, the whole organ.
        lesions: Instance numbers, 0 where there is no lesion.
        table: Measures of these instances; only lesions in it get a number and diameters.
        spacing: (slice, row, column) in mm.
        limit: Number of pictures at most.
        size: Pixels along the longer side.
        window: HU shown as black and as white.
    """
    if limit <= 0:
        return []
    frame = _frame(liver | (lesions > 0), spacing, size)
    measured: dict[int, list[Lesion]] = defaultdict(list)
    for lesion in table:
        measured[lesion.long_axis_slice].append(lesion)
    images = []
    for index in key_slices(table, liver, limit):
        pixels, visible = _draw(hu[index], liver[index], lesions[index], measured[index], table, frame, window)
        row = frame.top + frame.height * frame.mm / frame.row_mm / 2 - 0.5
        column = frame.left + frame.width * frame.mm / frame.column_mm / 2 - 0.5
        numbers = tuple(lesion.number for lesion in measured[index])
        images.append(KeyImage(index, numbers, visible, (float(index), row, column), pixels))
    return images


def encode_png(pixels: np.ndarray) -> bytes:
    """A (row, column, RGB) uint8 picture as a PNG file."""
    height, width, _ = pixels.shape
    # Each byte as its difference to the one above (filter 2) compresses a CT far better than the bytes themselves.
    above = np.concatenate([np.zeros_like(pixels[:1]), pixels[:-1]])
    lines = np.full((height, 1 + width * 3), 2, np.uint8)
    lines[:, 1:] = (pixels - above).reshape(height, -1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(lines.tobytes(), 6)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _frame(mask: np.ndarray, spacing: tuple[float, float, float], size: int) -> _Frame:
    """The crop around a mask (slice, row, column), the whole slice where the mask is empty."""
    plane = np.asarray(mask.any(axis=0))
    edges = []
    for line, mm in ((plane.max(axis=1), spacing[1]), (plane.max(axis=0), spacing[2])):
        occupied = np.flatnonzero(line)
        length = len(line)
        if len(occupied) == 0:
            edges.append((0.0, float(length)))
            continue
        first, last = float(occupied[0]), float(occupied[-1] + 1)
        grow = max(_MARGIN_MM, (_MIN_EXTENT_MM - (last - first) * mm) / 2) / mm
        edges.append((max(first - grow, 0.0), min(last + grow, float(length))))
    (top, bottom), (left, right) = edges
    height_mm, width_mm = (bottom - top) * spacing[1], (right - left) * spacing[2]
    pixel_mm = max(height_mm, width_mm) / size
    height, width = max(round(height_mm / pixel_mm), 1), max(round(width_mm / pixel_mm), 1)
    return _Frame(top, left, spacing[1], spacing[2], pixel_mm, height, width)


def _draw(
    hu: np.ndarray,
    liver: np.ndarray,
    lesions: np.ndarray,
    measured: Sequence[Lesion],
    table: Sequence[Lesion],
    frame: _Frame,
    window: tuple[float, float],
) -> tuple[np.ndarray, tuple[int, ...]]:
    """One picture, (row, column, RGB) uint8, and the numbers of the lesions in it."""
    low, high = window
    grey = np.clip((frame.resample(hu) - low) / (high - low), 0.0, 1.0) * 255.0
    canvas = np.repeat(grey[..., None], 3, axis=2)
    pen = max(frame.height, frame.width) / 640.0  # line widths below are for a picture of 640 pixels
    _paint(canvas, _outline(liver, frame, 1.6 * pen), LIVER_COLOUR)
    _paint(canvas, _outline(lesions > 0, frame, 2.2 * pen), LESION_COLOUR)
    for lesion in measured:
        for (start, end), width in ((lesion.long_axis_points, 1.8), (lesion.short_axis_points, 1.2)):
            _paint_line(canvas, frame.pixel(*start[1:]), frame.pixel(*end[1:]), width * pen, AXIS_COLOUR)
    numbers = [lesion.number for lesion in table if (lesions == lesion.number).any()]
    _draw_numbers(canvas, lesions, numbers, frame, pen)
    _draw_orientation(canvas, frame, pen)
    return np.rint(np.clip(canvas, 0, 255)).astype(np.uint8), tuple(numbers)


def _paint(canvas: np.ndarray, alpha: np.ndarray, colour: tuple[int, int, int]) -> None:
    """Blend a colour into the canvas where ``alpha`` (row, column), 0..1, says."""
    canvas += alpha[..., None].astype(np.float32, copy=False) * (np.asarray(colour, np.float32) - canvas)


def _outline(mask: np.ndarray, frame: _Frame, width: float) -> np.ndarray:
    """Opacity of a mask's outline, ``width`` pixels wide."""
    if not mask.any():
        return np.zeros((frame.height, frame.width), np.float32)
    fine = np.pad(frame.resample(mask, _SUPERSAMPLING) >= 0.5, 1, mode="edge")
    inner = fine[:-2, 1:-1] & fine[2:, 1:-1] & fine[1:-1, :-2] & fine[1:-1, 2:]
    edge = fine[1:-1, 1:-1] & ~inner
    # The edge, one fine pixel wide, drawn with a round pen: the union of the edge moved by every offset of a disk.
    radius = width * _SUPERSAMPLING / 2
    reach = int(radius)
    height, columns = edge.shape
    padded = np.pad(edge, reach)
    drawn = np.zeros_like(edge)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if dy * dy + dx * dx <= radius * radius:
                drawn |= padded[reach + dy : reach + dy + height, reach + dx : reach + dx + columns]
    step = _SUPERSAMPLING
    corners = [drawn[y::step, x::step].astype(np.float32) for y in range(step) for x in range(step)]
    return sum(corners[1:], corners[0]) / len(corners)


def _paint_line(
    canvas: np.ndarray,
    start: tuple[float, float],
    end: tuple[float, float],
    width: float,
    colour: tuple[int, int, int],
) -> None:
    """Draw a line between two points (y, x) of the canvas."""
    reach = width / 2 + 1
    top, left = (max(int(min(a, b) - reach), 0) for a, b in zip(start, end, strict=True))
    bottom, right = (max(int(max(a, b) + reach) + 1, 0) for a, b in zip(start, end, strict=True))
    target = canvas[top:bottom, left:right]
    y, x = np.mgrid[top : top + target.shape[0], left : left + target.shape[1]].astype(np.float32)
    dy, dx = end[0] - start[0], end[1] - start[1]
    length = dy * dy + dx * dx
    along = np.zeros_like(y) if length == 0 else np.clip(((y - start[0]) * dy + (x - start[1]) * dx) / length, 0, 1)
    distance = np.hypot(y - start[0] - along * dy, x - start[1] - along * dx)
    _paint(target, np.clip(width / 2 - distance + 0.5, 0.0, 1.0), colour)


def _text(text: str, scale: float) -> np.ndarray:
    """Opacity of a line of text, (row, column), 0..1; ``scale`` pixels a dot."""
    dots = np.zeros((9, 6 * len(text) + 1), np.float32)
    for position, character in enumerate(text):
        for row, bits in enumerate(_GLYPHS[character]):
            for column in range(5):
                dots[1 + row, 1 + 6 * position + column] = (bits >> (4 - column)) & 1
    fine = ndimage.zoom(dots, max(scale, 1.0), order=1, mode="grid-constant", grid_mode=True)
    return np.clip(fine * 1.4, 0.0, 1.0)


def _stamp(canvas: np.ndarray, glyphs: np.ndarray, top: int, left: int, colour: tuple[int, int, int]) -> None:
    """Text with a dark halo, so that it is readable on any tissue."""
    top = min(max(top, 0), max(canvas.shape[0] - glyphs.shape[0], 0))
    left = min(max(left, 0), max(canvas.shape[1] - glyphs.shape[1], 0))
    target = canvas[top : top + glyphs.shape[0], left : left + glyphs.shape[1]]
    glyphs = glyphs[: target.shape[0], : target.shape[1]]
    _paint(target, 0.85 * ndimage.grey_dilation(glyphs, size=(3, 3)), (0, 0, 0))
    _paint(target, glyphs, colour)


def _draw_numbers(canvas: np.ndarray, lesions: np.ndarray, numbers: Sequence[int], frame: _Frame, pen: float) -> None:
    """Each lesion's number beside every part of it, where it hides least of the lesions and of the other numbers."""
    taken = frame.resample(lesions > 0) >= 0.5
    parts = [
        (number, box)
        for number in numbers
        for box in ndimage.find_objects(ndimage.label(lesions == number, np.ones((3, 3)))[0])
    ]
    for number, (rows, columns) in parts:
        top, left = frame.pixel(rows.start - 0.5, columns.start - 0.5)
        bottom, right = frame.pixel(rows.stop - 0.5, columns.stop - 0.5)
        glyphs = _text(str(number), 2.3 * pen)
        height, width = glyphs.shape
        middle_y, middle_x = (top + bottom - height) / 2, (left + right - width) / 2
        best: tuple[float, int, int] | None = None
        for rank, (y, x) in enumerate(
            (
                (top - height, right),
                (middle_y, right + 1),
                (top - height, left - width),
                (top - height - 1, middle_x),
                (middle_y, left - width - 1),
                (bottom, right),
                (bottom + 1, middle_x),
                (bottom, left - width),
                (middle_y, middle_x),
            )
        ):
            y0 = int(min(max(y, 0), max(frame.height - height, 0)))
            x0 = int(min(max(x, 0), max(frame.width - width, 0)))
            hidden = float(taken[y0 : y0 + height, x0 : x0 + width].mean()) + 0.01 * rank
            if best is None or hidden < best[0]:
                best = hidden, y0, x0
        if best is not None:
            _, y0, x0 = best
            taken[y0 : y0 + height, x0 : x0 + width] = True
            _stamp(canvas, glyphs, y0, x0, TEXT_COLOUR)


def _draw_orientation(canvas: np.ndarray, frame: _Frame, pen: float) -> None:
    """R, L, A, P at the edges, and a bar of 5 cm."""
    scale = 2.0 * pen
    height, width = frame.height, frame.width
    sample = _text("R", scale)
    gap = int(4 * pen)
    middle_y, middle_x = (height - sample.shape[0]) // 2, (width - sample.shape[1]) // 2
    for letter, y, x in (
        ("R", middle_y, gap),
        ("L", middle_y, width - sample.shape[1] - gap),
        ("A", gap, middle_x),
        ("P", height - sample.shape[0] - gap, middle_x),
    ):
        _stamp(canvas, _text(letter, scale), y, x, (200, 200, 200))
    length = _SCALE_BAR_MM / frame.mm
    if length < width / 2:
        y, right = height - 12 * pen, width - 14 * pen
        _paint_line(canvas, (y, right - length), (y, right), 4 * pen, (0, 0, 0))
        _paint_line(canvas, (y, right - length), (y, right), 2 * pen, TEXT_COLOUR)
        label = _text("5 cm", 2.0 * pen)
        left = right - (length + label.shape[1]) / 2
        _stamp(canvas, label, int(y - label.shape[0] - 3 * pen), int(left), TEXT_COLOUR)
