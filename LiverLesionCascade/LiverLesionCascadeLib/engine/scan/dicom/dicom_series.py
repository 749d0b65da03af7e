"""The slices of one DICOM CT series put together as a volume, or a clear word on why that cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import InputError, InvalidVolumeError
from ...findings import Finding
from ...grid.geometry import affine, shown_sizes
from .dicom_passes import ALL, one_pass
from .dicom_pixels import read_pixels
from .dicom_slice import Slice
from .slice_steps import WORTH_SAYING, Gap, are_even, even_places, find_gaps, interpolate, unevenness

_COSINE_TOLERANCE = 1e-3
# Table positions are written with 0.001 to 0.1 mm; nearer slices are the same position.
_SAME_POSITION_MM = 0.01
# Noise alone makes all slices differ alike; what is anatomy makes farther ones differ more.
_MUCH_MORE_ALIKE, _FEWEST_COMPARED = 0.75, 8


@dataclass
class Assembled:
    """A series as a volume.

    Attributes:
        array: HU (k, j, i).
        ijk_to_lps: (4, 4), sheared for a gantry tilt.
        slices: The images, ascending along k.
        places: Where each of them lies along k, (n,) in voxels; whole numbers from 0 but for uneven slices.
        what: Which pass of several it is, in words; "" where there is one.
        notes: What should be known.
    """

    array: np.ndarray
    ijk_to_lps: np.ndarray
    slices: list[Slice]
    places: np.ndarray
    what: str
    notes: list[Finding]


def assemble(slices: Sequence[Slice], name: str, acquisition: str | None = None, fill_gaps: int = 0) -> Assembled:
    """The volume that the slices make up.

    Slices are ordered by their place along the normal; number and name of a file mean nothing.

    Args:
        name: What messages call the series.
        acquisition: Which of several passes to take.
        fill_gaps: Up to how many slices that are missing in a row are interpolated.

    Raises InputError for what is missing or doubled, InvalidVolumeError for what no scan can be.
    """
    slices, notes = _uniform(slices, name)
    slices, what = one_pass(slices, name, acquisition)
    first = slices[0]
    notes += _of_one_patient(slices, name)
    slices = sorted(slices, key=lambda s: s.along(first.normal))
    slices, copies = _without_copies(slices, name)
    if copies:
        notes.append(
            Finding("copies", "info", f"{copies} images are there more than once, pixel for pixel: each was read once.")
        )
    if len(slices) < 2:
        raise InvalidVolumeError(f"{name} has only one slice ({first.path.name}). Give the folder of the whole series.")
    places = np.array([s.along(first.normal) for s in slices])
    gaps = _gaps(slices, places, name, fill_gaps)
    positions = np.array([s.position for s in slices])
    per_mm = (positions[-1] - positions[0]) / (places[-1] - places[0])
    even = not gaps and are_even(places)
    wanted = np.linspace(places[0], places[-1], len(places)) if even else even_places(places, gaps)
    step = (wanted[-1] - wanted[0]) / (len(wanted) - 1)
    straight = positions[0] + (places - places[0])[:, None] * per_mm
    drift = float(np.linalg.norm(positions - straight, axis=1).max())
    if drift > max(0.5 * step, 0.1):
        raise InputError(
            f"{name}: the slices do not lie in one straight stack (up to {drift:.1f} mm off), as when the table or the "
            "field of view moved. Export one acquisition as a series of its own."
        )
    notes += _step_notes(slices, places, gaps, step, even)
    array, padded = read_pixels(slices)
    if acquisition != ALL:
        _require_one_pass(array, name)
    if padded:
        notes.append(
            Finding("padding", "info", f"What {padded} slices declare to lie outside of the image was taken for air.")
        )
    if not even:
        array = interpolate(array, places, wanted)
    matrix = affine(np.column_stack([first.steps, step * per_mm]), positions[0])
    own = np.arange(len(slices), dtype=float) if even else (places - places[0]) / step
    return Assembled(array, matrix, slices, own, what, notes)


def _require_one_pass(array: np.ndarray, name: str) -> None:
    """Raise InputError where every second slice is more like the next but one than like its neighbours.

    So are passes that lie within each other where no attribute tells them apart: another breath, another phase.
    """
    sample = array[:, ::4, ::4].astype(np.float32)
    if len(sample) < _FEWEST_COMPARED:
        return
    near = np.abs(np.diff(sample, axis=0)).mean(axis=(1, 2))
    far = np.abs(sample[2:] - sample[:-2]).mean(axis=(1, 2))
    if np.median(far) < _MUCH_MORE_ALIKE * np.median(near):
        raise InputError(
            f"{name}: every second slice shows something else than those between, as of two passes (phases, breaths) "
            "within each other. Export one of them as a series of its own, or say --acquisition all."
        )


def _uniform(slices: Sequence[Slice], name: str) -> tuple[list[Slice], list[Finding]]:
    """The slices without a stray one that is another kind of image and takes no slice's place."""
    groups: list[list[Slice]] = []
    for one in slices:
        alike = next((group for group in groups if _difference(group[0], one) is None), None)
        if alike is None:
            groups.append([one])
        else:
            alike.append(one)
    main = max(groups, key=len)
    strays = [one for group in groups if group is not main for one in group]
    first = main[0]
    if min(first.pixel_spacing) <= 0:
        shown = shown_sizes(first.pixel_spacing, "g")
        raise InvalidVolumeError(f"{name}: a pixel of {shown} mm is not possible. Export the series again.")
    if not strays:
        return main, []
    ordered = sorted(main, key=lambda s: s.along(first.normal))
    places = np.array([s.along(first.normal) for s in ordered])
    replaces = len(main) < 10 * len(strays) or len(main) < 3 or np.diff(places).max() > 1.5 * np.median(np.diff(places))
    other = strays[0]
    if replaces:
        raise InputError(
            f"{name} mixes images of different {_difference(first, other)} ({first.path.name}, {other.path.name}) and "
            "is not one volume. Give a folder with the axial images of one reconstruction only."
        )
    names = ", ".join(one.path.name for one in strays[:5])
    return main, [
        Finding("stray_images", "warning", f"Left out of the series, as of another kind than its slices: {names}.")
    ]


def _of_one_patient(slices: list[Slice], name: str) -> list[Finding]:
    """A remark where positions are of several frames of reference. Raises InputError for images of several patients."""
    patients = {one.patient: one.path.name for one in slices if one.patient}
    if len(patients) > 1:
        files = ", ".join(list(patients.values())[:2])
        raise InputError(
            f"{name} mixes images of {len(patients)} patients, by their PatientID ({files}). Export it again from "
            "where the images are kept."
        )
    if len({one.frame_of_reference for one in slices if one.frame_of_reference}) < 2:
        return []
    text = "Its slices name different frames of reference: it may be two scans. Check that they fit together."
    return [Finding("frames_of_reference", "warning", text)]


def _difference(first: Slice, other: Slice) -> str | None:
    if other.size != first.size:
        return "image sizes"
    if not np.allclose(other.pixel_spacing, first.pixel_spacing, rtol=1e-3):
        return "pixel spacings"
    same = np.allclose((other.row, other.column), (first.row, first.column), atol=_COSINE_TOLERANCE)
    return None if same else "orientations"


def _without_copies(slices: list[Slice], name: str) -> tuple[list[Slice], int]:
    """Each position once, and how many copies there were. Raises InputError where images of one position differ."""
    kept: list[Slice] = []
    doubled: list[tuple[Slice, Slice]] = []
    for one in slices:
        if kept and one.along(kept[0].normal) - kept[-1].along(kept[0].normal) < _SAME_POSITION_MM:
            doubled.append((kept[-1], one))
        else:
            kept.append(one)
    for a, b in doubled:
        here, _ = read_pixels([a])
        there, _ = read_pixels([b])
        if not np.allclose(a.position, b.position, atol=_SAME_POSITION_MM) or not np.array_equal(here, there):
            raise InputError(
                f"{name} has {len(doubled)} slice positions more than once, such as {a.path.name} and {b.path.name}, "
                "which differ. Export one phase or acquisition as a series of its own and give that."
            )
    return kept, len(doubled)


def _gaps(slices: list[Slice], places: np.ndarray, name: str, fill_gaps: int) -> list[Gap]:
    """Gaps that may be filled. Raises InputError for others."""
    gaps = find_gaps(places, [one.number for one in slices])
    if any(gap.count > fill_gaps for gap in gaps):
        largest = max(gap.count for gap in gaps)
        raise InputError(
            f"{name}: slices are missing ({_where(slices, gaps)}). Copy or export the whole series"
            + (f", or have them interpolated with --fill-gaps {largest}." if largest <= 3 else ".")
        )
    return gaps


def _where(slices: list[Slice], gaps: list[Gap]) -> str:
    listed = ", ".join(
        f"{gap.count} between z = {slices[gap.after].position[2]:.1f} and {slices[gap.after + 1].position[2]:.1f} mm"
        for gap in gaps[:5]
    )
    return f"{listed}{', ...' if len(gaps) > 5 else ''}"


def _step_notes(slices: list[Slice], places: np.ndarray, gaps: list[Gap], step: float, even: bool) -> Iterator[Finding]:
    steps = np.diff(places)
    if gaps:
        count = sum(gap.count for gap in gaps)
        yield Finding(
            "filled_gaps",
            "warning",
            f"{count} slices are missing and were interpolated ({_where(slices, gaps)}): a lesion there is not "
            "seen, and outlines and volumes are guessed. Use the whole series where it exists.",
        )
    elif not even:
        yield Finding(
            "uneven_slices",
            "warning",
            f"Slice distances vary from {steps.min():.2f} to {steps.max():.2f} mm: the scan was resampled to even "
            f"slices of {step:.2f} mm at their true places. Slice numbers are those of the scan's own slices.",
        )
    elif unevenness(places) > WORTH_SAYING:
        yield Finding(
            "uneven_slices",
            "warning",
            f"Slice distances vary from {steps.min():.2f} to {steps.max():.2f} mm; their mean, {step:.2f} mm, was "
            "used. Lengths and volumes may be off by as much.",
        )
    thickness = slices[0].thickness
    usual = float(np.median(steps))
    if thickness and usual > 1.1 * thickness:
        yield Finding(
            "slice_gap",
            "warning",
            f"There is a gap between slices ({thickness:.1f} mm thick, {usual:.1f} mm apart): lesions in the gaps "
            "are not seen. Use a series without gaps where it exists.",
        )
