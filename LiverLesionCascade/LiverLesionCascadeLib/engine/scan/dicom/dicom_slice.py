"""One image of a CT series, or one frame of a multi-frame object: its place and what tells it from others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .dicom_header import HeaderError, day, in_groups, items, needed, number, numbers, text

#: What :class:`Slice` is made of; attributes of frames are in functional groups.
TAGS = (
    "SOPInstanceUID",
    "PatientID",
    "FrameOfReferenceUID",
    "ImageType",
    "AcquisitionNumber",
    "AcquisitionDateTime",
    "AcquisitionDate",
    "AcquisitionTime",
    "ContentTime",
    "TemporalPositionIdentifier",
    "InstanceNumber",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "NumberOfFrames",
)
FRAME_TAGS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")


@dataclass(frozen=True, eq=False)
class Slice:
    """One image of a series: its place (LPS mm), not its pixels.

    Attributes:
        acquisition, phase: As the header names them; "" where it does not.
        time, shown: When it was acquired and when it was made, in seconds; None where that is not known.
        number: InstanceNumber, or the number of the frame.
        frame: Index in a multi-frame object; None for an image of its own.
        patient, frame_of_reference: PatientID and FrameOfReferenceUID, "" where the header has none.
    """

    path: Path
    position: np.ndarray  # centre of the first pixel
    row: np.ndarray  # unit vector along which columns count up
    column: np.ndarray  # unit vector along which rows count up
    pixel_spacing: tuple[float, float]  # (between rows, between columns) mm
    size: tuple[int, int]  # rows, columns
    thickness: float | None
    acquisition: str = ""
    phase: str = ""
    time: float | None = None
    shown: float | None = None
    number: float | None = None
    frame: int | None = None
    patient: str = ""
    frame_of_reference: str = ""

    @classmethod
    def of(cls, path: Path, header: Any) -> Slice:
        """From a pydicom header. Raises HeaderError with the name of what is missing or impossible."""
        return cls(
            path,
            **_place(header, header, header),
            size=_size(header),
            acquisition=text(header, "AcquisitionNumber"),
            phase=text(header, "TemporalPositionIdentifier"),
            time=_acquired(header),
            shown=_seconds(text(header, "ContentTime")),
            number=number(header, "InstanceNumber"),
            patient=text(header, "PatientID"),
            frame_of_reference=text(header, "FrameOfReferenceUID"),
        )

    @property
    def normal(self) -> np.ndarray:
        return np.cross(self.row, self.column)

    @property
    def steps(self) -> np.ndarray:
        """(3, 2) mm from a pixel to the next in its row, and from a pixel to the next in its column."""
        return np.column_stack([self.row, self.column]) * self.pixel_spacing[::-1]

    @property
    def is_axial(self) -> bool:
        """Its normal lies nearer to the body's axis than to any other."""
        return int(np.argmax(np.abs(self.normal))) == 2

    def along(self, direction: np.ndarray) -> float:
        """Its place along a unit vector, mm."""
        return float(self.position @ direction)


def frames(path: Path, header: Any) -> Iterator[tuple[Slice | None, str]]:
    """The frames of a multi-frame CT that are slices, each with its kind: ORIGINAL or DERIVED; None for a scout.

    Raises HeaderError with the name of what is missing or impossible.
    """
    own = items(header, "PerFrameFunctionalGroupsSequence")
    if not own:
        raise HeaderError("PerFrameFunctionalGroupsSequence")
    shared = items(header, "SharedFunctionalGroupsSequence")[:1]
    size = _size(header)
    for index, group in enumerate(own):
        kind = in_groups("CTImageFrameTypeSequence", group, *shared)
        kinds = (text(kind, "FrameType") if kind is not None else text(header, "ImageType")).upper().split("\\")
        if "LOCALIZER" in kinds:
            yield None, "LOCALIZER"
            continue
        content = in_groups("FrameContentSequence", group) or {}
        place = in_groups("PlanePositionSequence", group, *shared) or {}
        axes = in_groups("PlaneOrientationSequence", group, *shared) or {}
        measures = in_groups("PixelMeasuresSequence", group, *shared) or {}
        temporal = in_groups("TemporalPositionSequence", group) or {}
        yield (
            Slice(
                path,
                **_place(place, axes, measures),
                size=size,
                acquisition=text(content, "FrameAcquisitionNumber"),
                phase=text(content, "TemporalPositionIndex") or text(temporal, "TemporalPositionTimeOffset"),
                time=_stamp(text(content, "FrameAcquisitionDateTime")),
                number=float(index + 1),
                frame=index,
            ),
            "DERIVED" if kinds[0] == "DERIVED" else "ORIGINAL",
        )


def _place(position: Any, axes: Any, measures: Any) -> dict[str, Any]:
    place = needed(position, "ImagePositionPatient", 3)
    cosines = needed(axes, "ImageOrientationPatient", 6)
    between_rows, between_columns = needed(measures, "PixelSpacing", 2)
    row, column = cosines[:3], cosines[3:]
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if abs(lengths[0] - 1) > 0.01 or abs(lengths[1] - 1) > 0.01 or abs(row @ column) > 0.01:
        raise HeaderError("ImageOrientationPatient")
    thickness = number(measures, "SliceThickness")
    return {
        "position": place,
        "row": row / lengths[0],
        "column": column / lengths[1],
        "pixel_spacing": (float(between_rows), float(between_columns)),
        "thickness": thickness if thickness is not None and 0 < thickness < 100 else None,
    }


def _size(header: Any) -> tuple[int, int]:
    rows, columns = number(header, "Rows"), number(header, "Columns")
    if not rows or not columns or min(rows, columns) < 1:
        raise HeaderError("image size (Rows, Columns)")
    return int(rows), int(columns)


def position_of(header: Any) -> np.ndarray | None:
    """Where an image lies whose header lacks something else."""
    place = numbers(header, "ImagePositionPatient")
    return place if place is not None and len(place) == 3 else None


def _acquired(header: Any) -> float | None:
    stamp = _stamp(text(header, "AcquisitionDateTime"))
    return _stamp(text(header, "AcquisitionDate") + text(header, "AcquisitionTime")) if stamp is None else stamp


def _stamp(text_: str) -> float | None:
    """Seconds from a DICOM date and time, or a time alone; any beginning, for differences only."""
    digits, _, fraction = text_.split("+")[0].replace(":", "").replace("-", "").replace(" ", "").partition(".")
    days = 0
    if len(digits) > 8:
        known, digits = day(digits[:8]), digits[8:]
        days = known.toordinal() if known else 0
    seconds = _seconds(f"{digits}.{fraction}")
    return None if seconds is None else days * 86400 + seconds


def _seconds(text_: str) -> float | None:
    """Of a DICOM time HHMMSS.FFFFFF, which may end early or have colons."""
    digits, _, fraction = text_.replace(":", "").partition(".")
    if not digits.isdecimal() or len(digits) not in (2, 4, 6):
        return None
    padded = digits.ljust(6, "0")
    part = float(f"0.{fraction}") if fraction.isdecimal() else 0.0
    return int(padded[:2]) * 3600 + int(padded[2:4]) * 60 + int(padded[4:6]) + part
