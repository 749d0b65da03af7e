"""A CT scan as the engine sees it: HU in axial order, with the way back to the source's own grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InvalidVolumeError
from ..findings import Finding
from ..grid.boxed import Boxed
from ..grid.geometry import (
    AxialOrder,
    ImageGeometry,
    aligned_axial_geometry,
    axial_order,
    covering_axial_geometry,
    is_axis_aligned,
    shown_sizes,
    tilt_degrees,
)
from ..grid.resampling import resample, resample_boxed
from ..progress import Steps, finish
from .intensities import IntensityProfile, ct_like_finding

if TYPE_CHECKING:
    from .dicom.dicom_slice import Slice

AIR_HU = -1024
MAX_VOXELS = 1_000_000_000
# The extended scale of some scanners ends at 30710 HU.
HIGHEST_HU = 31_000
# Where HU from -6000 to 3071 are found after 2^16 was added to them.
_WRAPPED_FROM, _WRAPPED_TO = (1 << 16) - 6000, (1 << 16) + 3071
THICK_SLICE_MM = 5.0
FEW_SLICES = 20
SMALL_FIELD_MM = 250.0
SHORT_SCAN_MM = 100.0
IN_PLANE_MM = (0.4, 1.7)


@dataclass(eq=False, repr=False)
class CTVolume:
    """HU in axial LPS order, plus the geometry of that grid and of the source.

    ``hu`` is (slice, row, column): slices from the feet to the head, rows from front to back, columns from the
    patient's right to left; int16 where the source holds whole numbers within int16, else float32. It is read-only
    and shares the source's memory where that is in axial order and int16 already. Make volumes with
    :meth:`from_array` or the readers of ``image_io`` and ``dicom_io``.
    """

    hu: np.ndarray
    geometry: ImageGeometry
    source: ImageGeometry
    _order: AxialOrder | None
    intensities: IntensityProfile  # of the source: padding of a resampled one would look like air
    name: str
    notes: list[Finding]
    #: The DICOM images that it was made of, ascending along the source's slices, and where each lies along them in
    #: voxels; empty for other files.
    slices: tuple[Slice, ...] = ()
    places: np.ndarray = field(default_factory=lambda: np.empty(0))

    @classmethod
    def from_array(
        cls, array_kji: np.ndarray, ijk_to_lps: np.ndarray, name: str = "", single_slices: bool = False
    ) -> CTVolume:
        """A volume from HU indexed (k, j, i) and the (4, 4) matrix from (i, j, k, 1) to LPS mm.

        Any axis order and flip is undone voxel for voxel; a tilted, oblique or sheared grid is resampled (linear) to
        an axial one that covers it, padded with -1024 HU, and a note says so. Raises InvalidVolumeError, also for
        one slice alone unless ``single_slices``.
        """
        label = name or "The volume"
        array, source, dtype, notes = finish(_checked(array_kji, ijk_to_lps, label, single_slices))
        intensities = IntensityProfile.of(array)
        order = axial_order(source) if is_axis_aligned(source) else None
        if order is not None:
            geometry = aligned_axial_geometry(source)
            hu = np.ascontiguousarray(order.apply(array), dtype).view()  # a copy only where it is needed
        else:
            geometry = _covering_geometry(source, label)
            hu = resample(array, source, geometry, order=1, fill=AIR_HU, dtype=dtype)
            notes.append(_resampled_note(source))
        hu.flags.writeable = False
        return cls(hu, geometry, source, order, intensities, name, notes)

    @property
    def resampled(self) -> bool:
        """The source is tilted or oblique: ``hu`` was interpolated, results return by interpolation too."""
        return self._order is None

    @property
    def spacing(self) -> tuple[float, float, float]:
        """(slice, row, column) mm."""
        return self.geometry.spacing[::-1]

    def to_source(self, array: np.ndarray, order: int = 0) -> np.ndarray:
        """An array on ``hu``'s grid, (slice, row, column), as a new array (k, j, i) on the source's grid.

        Flips and transposition only, the values untouched, unless :attr:`resampled`; then nearest neighbour
        (``order=0``, labels and masks) or linear (``order=1``, probabilities).
        """
        array = np.asarray(array)
        if array.shape != self.geometry.shape:
            raise ValueError(f"expected an array on the grid of hu, {self.geometry.shape}, not {array.shape}")
        if self._order is not None:
            return np.array(self._order.undo(array), order="C")
        return resample(array, self.geometry, self.source, order)

    def boxed_to_source(self, boxed: Boxed, order: int = 0) -> Boxed:
        """What :meth:`to_source` makes of the whole grid that ``boxed`` is of, at the cost of the box."""
        if self._order is not None:
            return self._order.undo_boxed(boxed, self.geometry.shape)
        return resample_boxed(boxed, self.geometry, self.source, order)

    def boxed_from_source(self, boxed: Boxed) -> Boxed:
        """The inverse of :meth:`boxed_to_source`, of labels."""
        if self._order is not None:
            return self._order.apply_boxed(boxed, self.geometry.shape)
        return resample_boxed(boxed, self.source, self.geometry, order=0)

    def from_source(self, array: np.ndarray) -> np.ndarray:
        """Labels (k, j, i) on the source's grid as a new array on ``hu``'s grid: the inverse of :meth:`to_source`."""
        array = np.asarray(array)
        if array.shape != self.source.shape:
            raise ValueError(f"expected an array on the source's grid, {self.source.shape}, not {array.shape}")
        if self._order is not None:
            return np.array(self._order.apply(array), order="C")
        return resample(array, self.source, self.geometry, order=0)

    def beyond(self) -> np.ndarray | None:
        """Where ``hu``'s grid has no voxel of the source, bool: its corners of air; None unless :attr:`resampled`."""
        if self._order is not None:
            return None
        return resample(np.ones(self.source.shape, np.uint8), self.source, self.geometry, order=0) == 0

    def require_ct_like(self) -> None:
        """Raise InvalidVolumeError where the values cannot be HU of a CT (MR, ultrasound, normalised values...)."""
        finding = ct_like_finding(self.intensities)
        if finding is not None and finding.severity == "error":
            message = finding.message[:1].lower() + finding.message[1:]
            raise InvalidVolumeError(f"{self.name or 'The volume'} is no CT: {message}")

    def check(self) -> list[Finding]:
        """What should be known before a run; an "error" means that it would be refused. ``notes`` are not repeated."""
        return list(_scan_findings(self.geometry, self.intensities))


def inspect(array_kji: np.ndarray, ijk_to_lps: np.ndarray, name: str = "") -> Steps[list[Finding]]:
    """What ``from_array`` and ``check`` would say of a volume, in short steps that leave an event loop alive.

    Yields after every slice and returns the notes and findings; nothing is copied or resampled. Raises
    InvalidVolumeError, where ``from_array`` would.
    """
    label = name or "The volume"
    array, source, _, notes = yield from _checked(array_kji, ijk_to_lps, label)
    aligned = is_axis_aligned(source)
    geometry = aligned_axial_geometry(source) if aligned else _covering_geometry(source, label)
    findings = [*notes, *_scan_findings(geometry, IntensityProfile.of(array))]
    return findings if aligned else [_resampled_note(source), *findings]


def _scan_findings(geometry: ImageGeometry, intensities: IntensityProfile) -> Iterator[Finding]:
    """What should be known of a scan on that axial grid, before it is segmented."""
    if (finding := ct_like_finding(intensities)) is not None:
        yield finding
    column_mm, row_mm, slice_mm = geometry.spacing
    slices = geometry.shape[0]
    width, depth, height = geometry.extent_mm
    if slice_mm > THICK_SLICE_MM + 0.01:
        yield Finding(
            "thick_slices",
            "warning",
            f"Slices are {slice_mm:.1f} mm apart: small lesions may be missed and volumes are coarse. "
            "Use a thinner reconstruction (5 mm or less) where one exists.",
        )
    if slices < FEW_SLICES:
        yield Finding(
            "few_slices",
            "warning",
            f"The scan has only {slices} slices: the liver is probably not complete. "
            "Load the whole series where it exists.",
        )
    elif height < SHORT_SCAN_MM:
        yield Finding(
            "short_scan",
            "warning",
            f"The scan covers only {height:.0f} mm from the feet to the head: the liver is probably not "
            "complete. Use a scan that covers it.",
        )
    if min(width, depth) < SMALL_FIELD_MM:
        yield Finding(
            "small_field_of_view",
            "warning",
            f"The field of view is small ({width:.0f} x {depth:.0f} mm), as of a cropped scan: a liver that is "
            "cut is found less well. Use the uncropped scan where it exists.",
        )
    low, high = IN_PLANE_MM
    smallest, largest = sorted((row_mm, column_mm))
    if smallest < low or largest > high or largest / smallest > 1.2:
        yield Finding(
            "unusual_pixel_size",
            "warning",
            f"The pixels are unusual for an axial abdominal CT ({row_mm:.2f} x {column_mm:.2f} mm), as after "
            "resampling or in a sagittal or coronal series. Use the original axial series where it exists.",
        )


def _covering_geometry(source: ImageGeometry, label: str) -> ImageGeometry:
    """The axial grid for a tilted or oblique source. Raises InvalidVolumeError if it would be too large."""
    geometry = covering_axial_geometry(source)
    if np.prod(geometry.shape, dtype=np.int64) > MAX_VOXELS:
        raise InvalidVolumeError(
            f"{label} is so oblique that an axial grid would need {shown_sizes(geometry.shape[::-1])} voxels. "
            "Resample it to an axial grid first, or use the original axial series."
        )
    return geometry


def _resampled_note(source: ImageGeometry) -> Finding:
    return Finding(
        "resampled",
        "info",
        f"The scan is tilted or oblique (up to about {tilt_degrees(source):.1f} degrees): it was resampled to "
        "axial slices for the segmentation. Results return to the scan's own grid, right within a voxel.",
    )


def _checked(
    array_kji: np.ndarray, ijk_to_lps: np.ndarray, label: str, single_slices: bool = False
) -> Steps[tuple[np.ndarray, ImageGeometry, np.dtype, list[Finding]]]:
    """The array with (k, j, i) axes, its geometry, the type for its values, and what was found amiss; slab by slab.

    Raises InvalidVolumeError for what is no 3D volume or no scan.
    """
    array = _require_scalar_3d(np.asarray(array_kji), label)
    source = ImageGeometry(array.shape, ijk_to_lps)
    source.validate(label)
    if min(array.shape) < 2 and not single_slices:
        raise InvalidVolumeError(
            f"{label} has only one slice ({shown_sizes(array.shape[::-1])} voxels). Load the whole series, not a "
            "single image."
        )
    ranges = yield from _ValueRanges.of(array, label)
    array, notes = ranges.with_signs(array)
    if notes:
        ranges = yield from _ValueRanges.of(array, label)
    return array, source, ranges.require_plausible(), notes


def several_volumes(label: str, shape: Sequence[int]) -> InvalidVolumeError:
    """The error for an image with that shape (numpy order) of more than three axes."""
    return InvalidVolumeError(
        f"{label} is a series of several volumes ({len(shape)}D, {shown_sizes(shape[::-1])}). "
        "Extract one phase as a 3D volume and load that."
    )


def _require_scalar_3d(array: np.ndarray, label: str) -> np.ndarray:
    """The array with (k, j, i) axes; a fourth axis of length 1 (one time point, one component) is dropped."""
    if array.ndim == 4 and array.shape[0] == 1:
        array = array[0]
    elif array.ndim == 4 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim == 4 and array.shape[-1] in (3, 4):
        raise InvalidVolumeError(f"{label} is a colour picture, not a CT. Load the original scan (DICOM).")
    if array.ndim == 4:
        raise several_volumes(label, array.shape)
    if array.ndim != 3:
        raise InvalidVolumeError(
            f"{label} is a {array.ndim}D image; a volume (3D) is needed. Load the whole series, not a single image."
        )
    if array.size == 0:
        raise InvalidVolumeError(f"{label} has no voxels. Export the scan again.")
    kind = array.dtype.kind
    if kind == "b" or (kind in "iu" and array.dtype.itemsize == 1):
        raise InvalidVolumeError(
            f"{label} holds 8-bit values, as a picture or a mask does; a CT holds Hounsfield units (16 bit). "
            "Load the original scan, not a picture or a segmentation of it."
        )
    if kind not in "iuf":
        raise InvalidVolumeError(f"{label} holds values of type {array.dtype}, not HU. Load the original scan.")
    return array


class _ValueRanges:
    """What is known of the values of the slabs seen so far."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._low, self._high = np.inf, -np.inf
        self._whole = True
        self._voxels = self._tissue = self._bad = self._beyond = 0
        self._lowest_beyond = np.inf

    @classmethod
    def of(cls, array: np.ndarray, label: str) -> Steps[_ValueRanges]:
        """Slab by slab, to save memory."""
        ranges = cls(label)
        for slab in array:
            ranges.add(slab)
            yield
        return ranges

    def add(self, slab: np.ndarray) -> None:
        self._voxels += slab.size
        if slab.dtype.kind == "f":
            self._bad += int(slab.size - np.count_nonzero(np.isfinite(slab)))
            if self._bad:
                return
            self._whole = self._whole and bool((np.rint(slab) == slab).all())
        self._low, self._high = min(self._low, float(slab.min())), max(self._high, float(slab.max()))
        self._tissue += int(np.count_nonzero(slab > -300))
        beyond = slab[slab > HIGHEST_HU]
        if beyond.size:
            self._beyond += beyond.size
            self._lowest_beyond = min(self._lowest_beyond, float(beyond.min()))

    def with_signs(self, array: np.ndarray) -> tuple[np.ndarray, list[Finding]]:
        """The array with the sign of HU that were stored without it, and what is to be said of HU that no CT has."""
        if not self._beyond or self._bad:
            return array, []
        if self._lowest_beyond >= _WRAPPED_FROM and self._high <= _WRAPPED_TO:
            signed = array.astype(np.float32 if array.dtype.kind == "f" else np.int32)
            signed[signed > HIGHEST_HU] -= 1 << 16
            text = (
                f"{self._beyond} voxels had lost their sign ({self._lowest_beyond:g} and more, as of padding that is "
                "stored in an unsigned image): they were given it back."
            )
            return signed, [Finding("signs_restored", "warning", text)]
        text = (
            f"{self._beyond} voxels lie above {HIGHEST_HU} HU, up to {self._high:g}, which no CT has: padding, or a "
            "rescale that is wrong. Check the HU of the liver, or use the original scan."
        )
        return array, [Finding("impossible_hu", "warning", text)]

    def require_plausible(self) -> np.dtype:
        """int16 or float32: what holds the values. Raises InvalidVolumeError for values that no scan has."""
        if self._bad:
            raise InvalidVolumeError(
                f"{self._label} holds {self._bad} voxels that are not finite numbers (NaN or infinite). "
                "Replace them by air (-1024 HU) or export the scan again."
            )
        if self._low == self._high:
            raise InvalidVolumeError(f"{self._label} is empty: every voxel is {self._low:g}. Load the scan itself.")
        if self._tissue < 1e-4 * self._voxels:
            raise InvalidVolumeError(
                f"{self._label} shows only air (nothing above -300 HU). Check that it is the right series, and that "
                "the rescale to HU was not applied twice."
            )
        limits = np.iinfo(np.int16)
        fits = limits.min <= self._low and self._high <= limits.max
        return np.dtype(np.int16 if self._whole and fits else np.float32)
