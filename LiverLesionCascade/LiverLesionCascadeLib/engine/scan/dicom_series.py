"""The slices of one DICOM CT series put together as a volume, or a clear word on why that cannot be."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError, InvalidVolumeError
from ..findings import Finding

_COSINE_TOLERANCE = 1e-3
# Slice distances that differ from their mean by no more than this part are taken as even.
_UNEVEN = 0.10
_WORTH_SAYING = 0.01
# Table positions are written with 0.001 to 0.1 mm; nearer slices are the same position.
_SAME_POSITION_MM = 0.01


@dataclass(frozen=True, eq=False)
class Slice:
    """One image of a series: its place (LPS mm), not its pixels."""

    path: Path
    position: np.ndarray  # centre of the first pixel
    row: np.ndarray  # unit vector along which columns count up
    column: np.ndarray  # unit vector along which rows count up
    pixel_spacing: tuple[float, float]  # (between rows, between columns) mm
    size: tuple[int, int]  # rows, columns
    thickness: float | None
    acquisition: str
    phase: str

    @classmethod
    def of(cls, path: Path, header: Any) -> Slice:
        """From a pydicom header. Raises ValueError with the name of what is missing or impossible."""
        position = _numbers(header, "ImagePositionPatient", 3)
        axes = _numbers(header, "ImageOrientationPatient", 6)
        spacing = _numbers(header, "PixelSpacing", 2)
        row, column = axes[:3], axes[3:]
        lengths = np.linalg.norm(row), np.linalg.norm(column)
        if abs(lengths[0] - 1) > 0.01 or abs(lengths[1] - 1) > 0.01 or abs(row @ column) > 0.01:
            raise ValueError("ImageOrientationPatient")
        rows, columns = header.get("Rows"), header.get("Columns")
        if not rows or not columns:
            raise ValueError("image size (Rows, Columns)")
        thickness = header.get("SliceThickness")
        thickness = float(thickness) if thickness else 0.0
        return cls(
            path,
            position,
            row / lengths[0],
            column / lengths[1],
            (float(spacing[0]), float(spacing[1])),
            (int(rows), int(columns)),
            thickness if 0 < thickness < 100 else None,
            str(header.get("AcquisitionNumber") or ""),
            str(header.get("TemporalPositionIdentifier") or ""),
        )

    @property
    def normal(self) -> np.ndarray:
        return np.cross(self.row, self.column)


def _numbers(header: Any, name: str, count: int) -> np.ndarray:
    value = header.get(name)
    if value is None or isinstance(value, (str, float)) or len(value) != count:
        raise ValueError(name)
    numbers = np.array([float(v) for v in value])
    if not np.isfinite(numbers).all():
        raise ValueError(name)
    return numbers


def assemble(slices: list[Slice], title: str) -> tuple[np.ndarray, np.ndarray, list[Finding]]:
    """Array (k, j, i) in HU, (4, 4) matrix to LPS (sheared for a gantry tilt), and what should be known.

    Slices are ordered by their place along the normal; number and name of a file mean nothing.
    Raises InputError for what is missing or doubled, InvalidVolumeError for what no scan can be.
    """
    name = title[:1].upper() + title[1:]
    _require_uniform(slices, name)
    first = slices[0]
    slices = sorted(slices, key=lambda s: float(s.position @ first.normal))
    if len(slices) < 2:
        raise InvalidVolumeError(f"{name} has only one slice ({first.path.name}). Give the folder of the whole series.")
    places = np.array([s.position @ first.normal for s in slices])
    _refuse_doubled(slices, places, name)
    notes = _check_steps(slices, places, name)

    positions = np.array([s.position for s in slices])
    step = (positions[-1] - positions[0]) / (len(slices) - 1)
    even = positions[0] + np.arange(len(slices))[:, None] * step
    drift = np.linalg.norm(positions - even, axis=1).max()
    allowed = max(0.5 * abs(step @ first.normal), 0.1)
    if drift > allowed:
        raise InputError(
            f"{name}: the slices do not lie in one straight stack (up to {drift:.1f} mm off), as when the table or the "
            "field of view moved. Export one acquisition as a series of its own."
        )
    matrix = np.eye(4)
    matrix[:3, 0] = first.row * first.pixel_spacing[1]
    matrix[:3, 1] = first.column * first.pixel_spacing[0]
    matrix[:3, 2] = step
    matrix[:3, 3] = positions[0]
    return _read_pixels(slices), matrix, notes


def _require_uniform(slices: list[Slice], name: str) -> None:
    first = slices[0]
    if min(first.pixel_spacing) <= 0:
        shown = " x ".join(f"{s:g}" for s in first.pixel_spacing)
        raise InvalidVolumeError(f"{name}: a pixel of {shown} mm is not possible. Export the series again.")
    checks: list[tuple[str, Callable[[Slice], bool]]] = [
        ("image sizes", lambda s: s.size == first.size),
        ("pixel spacings", lambda s: np.allclose(s.pixel_spacing, first.pixel_spacing, rtol=1e-3)),
        (
            "orientations",
            lambda s: (
                np.allclose(s.row, first.row, atol=_COSINE_TOLERANCE)
                and np.allclose(s.column, first.column, atol=_COSINE_TOLERANCE)
            ),
        ),
    ]
    for what, same in checks:
        other = next((s for s in slices if not same(s)), None)
        if other is not None:
            raise InputError(
                f"{name} mixes images of different {what} ({first.path.name}, {other.path.name}) and is not one "
                "volume. Give a folder with the axial images of one reconstruction only."
            )


def _refuse_doubled(slices: list[Slice], places: np.ndarray, name: str) -> None:
    doubled = np.flatnonzero(np.diff(places) < _SAME_POSITION_MM)
    if not doubled.size:
        return
    parts = [
        f"{len(values)} {what} ({', '.join(sorted(values)[:5])})"
        for what, values in (
            ("acquisitions", {s.acquisition for s in slices} - {""}),
            ("phases", {s.phase for s in slices} - {""}),
        )
        if len(values) > 1
    ]
    a, b = slices[doubled[0]], slices[doubled[0] + 1]
    why = f"it holds {' and '.join(parts)}" if parts else f"as {a.path.name} and {b.path.name}"
    raise InputError(
        f"{name} has {doubled.size} slice positions more than once: {why}. "
        "Export one phase or acquisition as a series of its own and give that."
    )


def _check_steps(slices: list[Slice], places: np.ndarray, name: str) -> list[Finding]:
    steps = np.diff(places)
    usual = float(np.median(steps))
    gaps = np.flatnonzero(steps > 1.5 * usual)
    if gaps.size:
        where = ", ".join(
            f"{max(int(round(steps[g] / usual)) - 1, 1)} between z = {slices[g].position[2]:.1f} and "
            f"{slices[g + 1].position[2]:.1f} mm"
            for g in gaps[:5]
        )
        raise InputError(
            f"{name}: slices are missing ({where}{', ...' if gaps.size > 5 else ''}). Copy or export the whole series."
        )
    mean = float(steps.mean())
    uneven = float(np.abs(steps - mean).max()) / mean
    if uneven > _UNEVEN:
        raise InputError(
            f"{name}: slices are unevenly spaced ({steps.min():.2f} to {steps.max():.2f} mm). "
            "Give a series with even slices; this one may hold several acquisitions."
        )
    notes = []
    if uneven > _WORTH_SAYING:
        notes.append(
            Finding(
                "uneven_slices",
                "warning",
                f"Slice distances vary from {steps.min():.2f} to {steps.max():.2f} mm; their mean, {mean:.2f} mm, was "
                "used. Lengths and volumes may be off by as much.",
            )
        )
    thickness = slices[0].thickness
    if thickness and mean > 1.1 * thickness:
        notes.append(
            Finding(
                "slice_gap",
                "warning",
                f"There is a gap between slices ({thickness:.1f} mm thick, {mean:.1f} mm apart): lesions in the gaps "
                "are not seen. Use a series without gaps where it exists.",
            )
        )
    return notes


def _read_pixels(slices: list[Slice]) -> np.ndarray:
    """HU (k, j, i), each slice by its own rescale; int16 as long as that holds all values."""
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    limits = np.iinfo(np.int16)
    volume: np.ndarray = np.empty((len(slices), *slices[0].size), np.int16)
    for index, one in enumerate(slices):
        reader.SetFileName(os.fspath(one.path))
        try:
            pixels = sitk.GetArrayFromImage(reader.Execute())
        except RuntimeError as error:
            raise InputError(
                f"{one.path.name}: its pixels cannot be read (truncated, damaged, or an unknown compression). "
                "Copy or export it again."
            ) from error
        if pixels.size != volume[index].size:
            raise InputError(f"{one.path.name}: it holds not one grey image but {pixels.shape}. Export it again.")
        pixels = pixels.reshape(volume.shape[1:])
        if volume.dtype == np.int16 and not (
            pixels.min() >= limits.min and pixels.max() <= limits.max and (pixels == np.rint(pixels)).all()
        ):
            volume = volume.astype(np.float32)
        volume[index] = pixels
    return volume
