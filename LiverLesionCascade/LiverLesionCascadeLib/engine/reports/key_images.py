"""Key images: the axial slices on which the lesions are measured, with outlines, numbers and diameters drawn in.

Arrays are (slice, row, column) in axial LPS order; images are (row, column, RGB) uint8, the patient's right on the
left as radiologists read them, with square pixels whatever the scan's spacing.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from ..grid.bounding_box import Box, box_at
from ..grid.boxed import joint_box
from ..measures.lesions import Lesion
from ..progress import Steps
from ..results.result import SegmentationResult
from ..scan.ct_volume import CTVolume
from .outlines import outlines

#: HU shown as black and white: an abdominal soft tissue window.
WINDOW = (-60.0, 200.0)
LIVER_COLOUR = (74, 222, 158)
LESION_COLOUR = (255, 82, 70)
AXIS_COLOUR = (255, 219, 88)
TEXT_COLOUR = (255, 255, 255)
_LETTER_COLOUR = (200, 200, 200)

_MARGIN_MM = 12.0
_MIN_EXTENT_MM = 120.0
_SCALE_BAR_MM = 50.0
_SUPERSAMPLING = 3
_JPEG_QUALITY = 88
_NUMBER_SIZE, _LETTER_SIZE = 21.0, 18.0

Colour = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True)
class KeyImage:
    """One picture.

    Attributes:
        measured: Numbers of the lesions whose diameters are drawn in, because this is the slice of their long axis.
        visible: Numbers of all lesions outlined.
        centre: The crop's centre, LPS mm.
        pixels: (row, column, RGB) uint8.
    """

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

    def pixel(self, row: float, column: float) -> Point:
        """Where a voxel position lies in the picture, (x, y) from its upper left corner; voxels' middles are whole."""
        return (column + 0.5 - self.left) * self.column_mm / self.mm, (row + 0.5 - self.top) * self.row_mm / self.mm

    def resample(self, image: np.ndarray) -> np.ndarray:
        """A slice (row, column) on the picture's pixels; linear, float32."""
        bottom = self.top + self.height * self.mm / self.row_mm
        right = self.left + self.width * self.mm / self.column_mm
        rows, columns = image.shape
        box = (self.left, self.top, min(right, columns), min(bottom, rows))
        whole = Image.fromarray(image.astype(np.float32))
        return np.asarray(whole.resize((self.width, self.height), Image.Resampling.BILINEAR, box))


def key_slices(ct: CTVolume, result: SegmentationResult, limit: int) -> list[int]:
    """The slices of ``ct.hu`` to show, from feet to head: those on which the largest lesions are measured.

    Lesions measured on one slice share a picture. Without lesions it is the slice with most liver, or the middle one.
    """
    largest_first = sorted(result.table, key=lambda lesion: -lesion.volume_ml)
    slices = list(dict.fromkeys(lesion.slice_in(ct.geometry) for lesion in largest_first))[:limit]
    if not slices:
        area = result.liver.values.sum(axis=(1, 2))
        slices = [result.liver.start[0] + int(np.argmax(area)) if area.any() else len(ct.hu) // 2]
    return sorted(slices)


def key_image_steps(ct: CTVolume, result: SegmentationResult, limit: int, size: int = 640) -> Steps[list[KeyImage]]:
    """Pictures of the key slices, all of the same crop around the liver; one a step.

    Args:
        ct: The scan.
        result: On the grid of ``ct.hu``; only lesions of its table get a number and diameters.
        limit: Number of pictures at most, 1 or more.
        size: Pixels along the longer side.
    """
    frame = _frame(joint_box((result.liver, result.lesions)), ct, size)
    measured: dict[int, list[Lesion]] = defaultdict(list)
    for lesion in result.table:
        measured[lesion.slice_in(ct.geometry)].append(lesion)
    images = []
    for index in key_slices(ct, result, limit):
        pixels, visible = _draw(ct, result, index, measured[index], frame)
        row = frame.top + frame.height * frame.mm / frame.row_mm / 2 - 0.5
        column = frame.left + frame.width * frame.mm / frame.column_mm / 2 - 0.5
        numbers = tuple(lesion.number for lesion in measured[index])
        centre = tuple(ct.geometry.to_lps(np.array((index, row, column))).tolist())
        images.append(KeyImage(numbers, visible, centre, pixels))
        yield
    return images


def encode_jpeg(pixels: np.ndarray) -> bytes:
    """A picture, (row, column, RGB) uint8, as a JPEG file; colours are not thinned out, as outlines are fine lines."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=_JPEG_QUALITY, subsampling=0, optimize=True)
    return file.getvalue()


def _frame(box: Box | None, ct: CTVolume, size: int) -> _Frame:
    """The crop around a box of the grid; the whole slice where it is None."""
    spacing = ct.spacing
    box = box or box_at((0, 0, 0), ct.hu.shape)
    edges = []
    for axis in (1, 2):
        length, mm = ct.hu.shape[axis], spacing[axis]
        first, last = box[axis].start, box[axis].stop
        grow = max(_MARGIN_MM, (_MIN_EXTENT_MM - (last - first) * mm) / 2) / mm
        edges.append((max(first - grow, 0.0), min(last + grow, float(length))))
    (top, bottom), (left, right) = edges
    height_mm, width_mm = (bottom - top) * spacing[1], (right - left) * spacing[2]
    pixel_mm = max(height_mm, width_mm) / size
    height, width = max(round(height_mm / pixel_mm), 1), max(round(width_mm / pixel_mm), 1)
    return _Frame(top, left, spacing[1], spacing[2], pixel_mm, height, width)


def _draw(
    ct: CTVolume, result: SegmentationResult, index: int, measured: Sequence[Lesion], frame: _Frame
) -> tuple[np.ndarray, tuple[int, ...]]:
    """The picture of a slice, (row, column, RGB) uint8, and the numbers of the lesions in it."""
    _, rows, columns = ct.hu.shape
    plane = box_at((index, 0, 0), (1, rows, columns))
    liver, lesions = result.liver.within(plane)[0], result.lesions.within(plane)[0]
    low, high = WINDOW
    grey = np.rint(np.clip((frame.resample(ct.hu[index]) - low) / (high - low), 0.0, 1.0) * 255.0).astype(np.uint8)
    canvas = _Canvas(Image.fromarray(grey).convert("RGB"), frame)
    canvas.outline(liver, 1.6, LIVER_COLOUR)
    canvas.outline(lesions > 0, 2.2, LESION_COLOUR)
    for lesion in measured:
        for (start, end), width in ((lesion.long_axis_points, 1.8), (lesion.short_axis_points, 1.2)):
            ends = ct.geometry.from_lps(np.array((start, end)))[:, 1:].tolist()
            canvas.lines([[frame.pixel(row, column) for row, column in ends]], width, AXIS_COLOUR)
    numbers = [lesion.number for lesion in result.table if (lesions == lesion.number).any()]
    _draw_numbers(canvas, lesions, numbers)
    _draw_orientation(canvas)
    return np.asarray(canvas.image), tuple(numbers)


class _Canvas:
    """A picture to draw on; widths and sizes are those of a picture of 640 pixels."""

    def __init__(self, image: Image.Image, frame: _Frame) -> None:
        self.image, self.frame = image, frame
        self.pen = max(image.size) / 640.0
        self.halo = max(round(1.5 * self.pen), 1)

    def outline(self, mask: np.ndarray, width: float, colour: Colour) -> None:
        """The outline of a mask of the slice, (row, column)."""
        loops = outlines(mask[None])[0]
        corners = ([self.frame.pixel(y / 2 - 0.5, x / 2 - 0.5) for x, y in loop.tolist()] for loop in loops)
        self.lines([[*points, *points[:2]] for points in corners], width, colour)

    def lines(self, lines: Sequence[Sequence[Point]], width: float, colour: Colour) -> None:
        """Lines through points (x, y), with smooth edges."""
        fine = Image.new("L", (self.image.width * _SUPERSAMPLING, self.image.height * _SUPERSAMPLING))
        draw = ImageDraw.Draw(fine)
        for points in lines:
            scaled = [(x * _SUPERSAMPLING - 0.5, y * _SUPERSAMPLING - 0.5) for x, y in points]
            draw.line(scaled, 255, max(round(width * self.pen * _SUPERSAMPLING), 1), joint="curve")
        self.image.paste(colour, mask=fine.reduce(_SUPERSAMPLING))

    def text_size(self, text: str, height: float) -> tuple[int, int]:
        """(width, height) in pixels of a text with its halo."""
        left, top, right, bottom = self._font(height).getbbox(text, anchor="lt", stroke_width=self.halo)
        return round(right - left), round(bottom - top)

    def text(self, text: str, x: float, y: float, height: float, colour: Colour) -> None:
        """A text with its upper left corner at (x, y), moved into the picture, with a halo to be read on any tissue."""
        width, high = self.text_size(text, height)
        x = min(max(x, 0), max(self.image.width - width, 0)) + self.halo
        y = min(max(y, 0), max(self.image.height - high, 0)) + self.halo
        draw = ImageDraw.Draw(self.image)
        draw.text(
            (x, y), text, colour, self._font(height), anchor="lt", stroke_width=self.halo, stroke_fill=(0, 0, 0)
        )  # fmt: skip

    def _font(self, height: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
        return ImageFont.load_default(max(height * self.pen, 9.0))


def _draw_numbers(canvas: _Canvas, lesions: np.ndarray, numbers: Sequence[int]) -> None:
    """Each lesion's number beside every part of it, where it hides least of the lesions and of the other numbers."""
    frame = canvas.frame
    taken = frame.resample(lesions > 0) >= 0.5
    parts = [
        (number, box)
        for number in numbers
        for box in ndimage.find_objects(ndimage.label(lesions == number, np.ones((3, 3)))[0])
    ]
    for number, (rows, columns) in parts:
        left, top = frame.pixel(rows.start - 0.5, columns.start - 0.5)
        right, bottom = frame.pixel(rows.stop - 0.5, columns.stop - 0.5)
        width, height = canvas.text_size(str(number), _NUMBER_SIZE)
        middle_x, middle_y = (left + right - width) / 2, (top + bottom - height) / 2
        best_first = (
            (right, top - height),
            (right + 1, middle_y),
            (left - width, top - height),
            (middle_x, top - height - 1),
            (left - width - 1, middle_y),
            (right, bottom),
            (middle_x, bottom + 1),
            (left - width, bottom),
            (middle_x, middle_y),
        )
        places = []
        for x, y in best_first:
            x0 = int(min(max(x, 0), max(frame.width - width, 0)))
            y0 = int(min(max(y, 0), max(frame.height - height, 0)))
            places.append((slice(y0, y0 + height), slice(x0, x0 + width)))
        hidden = [taken[place].mean() + 0.01 * rank for rank, place in enumerate(places)]
        place = places[int(np.argmin(hidden))]
        taken[place] = True
        canvas.text(str(number), place[1].start, place[0].start, _NUMBER_SIZE, TEXT_COLOUR)


def _draw_orientation(canvas: _Canvas) -> None:
    """R, L, A, P at the edges, and a bar of 5 cm."""
    height, width, pen = canvas.frame.height, canvas.frame.width, canvas.pen
    wide, high = canvas.text_size("R", _LETTER_SIZE)
    gap = 4 * pen
    for letter, x, y in (
        ("R", gap, (height - high) / 2),
        ("L", width - wide - gap, (height - high) / 2),
        ("A", (width - wide) / 2, gap),
        ("P", (width - wide) / 2, height - high - gap),
    ):
        canvas.text(letter, x, y, _LETTER_SIZE, _LETTER_COLOUR)
    length = _SCALE_BAR_MM / canvas.frame.mm
    if length < width / 2:
        y, right = height - 12 * pen, width - 14 * pen
        for thickness, colour in ((4, (0, 0, 0)), (2, TEXT_COLOUR)):
            canvas.lines([[(right - length, y), (right, y)]], thickness, colour)
        label_width, label_height = canvas.text_size("5 cm", _LETTER_SIZE)
        canvas.text("5 cm", right - (length + label_width) / 2, y - label_height - 3 * pen, _LETTER_SIZE, TEXT_COLOUR)
