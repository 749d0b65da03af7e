"""DICOM out: segments as one segmentation object (SEG), their measures as a measurement report (SR, TID 1500).

Both are made by highdicom, an optional package, from the images that the volume was loaded from: they belong to the
same patient, study and frame of reference. What was written is read back and compared before it takes its place.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ... import __version__
from .. import codes
from ..codes import NO_CODE, Code
from ..errors import OutputError
from ..files import write_atomically
from ..grid.boxed import Boxed
from ..grid.geometry import ImageGeometry
from ..measures.diameters import Point
from ..measures.lesions import Lesion
from ..scan.dicom.dicom_source import SourceImage
from .seg_frames import frames_of, packed, unpacked

MANUFACTURER = "Liver Lesion Cascade contributors"
PRODUCT = "Liver Lesion Cascade"
_RESEARCH_USE = "For research use only"
_MAX_TEXT = 64  # characters of a DICOM long string (LO)


@dataclass(frozen=True)
class ExportedSegment:
    """A segment on the grid of the volume that the images show.

    Attributes:
        label: Its name, also in reports.
        mask: Its voxels, bool (k, j, i).
        category, type: What it is.
        type_modifier, region, region_modifier: More of that, NO_CODE where not said.
        color: (red, green, blue), 0 to 1.
        origin: AUTOMATIC, SEMIAUTOMATIC or MANUAL.
        algorithm: Name and version of what made it; None for what a person drew.
        tracking_uid: The same in all reports.
        volume_ml: Its volume.
        measures: Of a lesion; None for the liver.
    """

    label: str
    mask: Boxed
    category: Code
    type: Code
    color: tuple[float, float, float]
    origin: str
    tracking_uid: str
    volume_ml: float
    type_modifier: Code = NO_CODE
    region: Code = NO_CODE
    region_modifier: Code = NO_CODE
    algorithm: tuple[str, str] | None = None
    measures: Lesion | None = None

    def plane(self, image: SourceImage) -> np.ndarray:
        """Its pixels in an image, bool (row, column)."""
        return image.pixels(self.mask.values, self.mask.start)


#: What highdicom and pydicom raise for values that they do not take.
_REFUSED = (ValueError, TypeError, AttributeError, LookupError, RuntimeError, NotImplementedError, OverflowError)


@contextmanager
def _made_by_highdicom() -> Iterator[None]:
    """Raises OutputError, with what the library says, where it refuses what the headers hold."""
    try:
        yield
    except _REFUSED as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise OutputError(
            f"The DICOM objects could not be made of these images ({reason}). Export the series again, or use the "
            "other results."
        ) from error
    except MemoryError as error:
        raise OutputError(
            "There is too little memory for the DICOM objects. Close other programs, or use the other results."
        ) from error


def new_uid() -> str:
    """A DICOM UID that nobody else has."""
    from pydicom.uid import generate_uid

    return str(generate_uid(prefix=None))


@_made_by_highdicom()
def segmentation_object(images: Sequence[SourceImage], segments: Sequence[ExportedSegment], description: str) -> Any:
    """All segments as one binary SEG, a pydicom Dataset. They may overlap; those without a voxel are left out.

    Raises OutputError where no segment has a voxel.
    """
    import highdicom

    segments = [segment for segment in segments if segment.mask.values.any()]
    overlap = False
    used: list[SourceImage] = []
    present: list[np.ndarray] = []
    for image in images:
        covered = np.zeros(image.size, bool)
        numbers = np.zeros(covered.size, np.uint16)
        for number, segment in enumerate(segments, 1):
            plane = segment.plane(image)
            if plane.any():
                overlap = overlap or bool((covered & plane).any())
                covered |= plane
                numbers[number - 1] = number
        if numbers.any():
            used.append(image)
            present.append(numbers.reshape(image.size))
    if not used:
        raise OutputError("There is nothing to export: no segment has a voxel within the images.")
    # highdicom wants a byte a pixel and segment of segments that overlap, gigabytes for some tens of lesions. Here it
    # only learns which segments are in which image: the numbers in `present` are no pixels, which come afterwards.
    dataset = highdicom.seg.Segmentation(
        source_images=[image.dataset for image in used],
        pixel_array=np.stack(present),
        segmentation_type="BINARY",
        segment_descriptions=[_description(number, segment) for number, segment in enumerate(segments, 1)],
        device_serial_number="1",
        content_description=_RESEARCH_USE,
        content_label="LIVER_LESIONS",
        **_own_series(used[0].dataset, 1, description),
    )
    dataset.SegmentsOverlap = "YES" if overlap else "NO"
    image_of = {str(image.dataset.SOPInstanceUID): image for image in used}
    planes = (segments[frame.number - 1].plane(image_of[frame.image_uid]) for frame in frames_of(dataset))
    dataset.PixelData = packed(planes, int(dataset.NumberOfFrames) * present[0].size)
    return dataset


@_made_by_highdicom()
def measurement_report(
    images: Sequence[SourceImage],
    segmentation: Any,
    segments: Sequence[ExportedSegment],
    description: str,
    grid: ImageGeometry,
) -> Any:
    """The measures as a Comprehensive 3D SR of template 1500, a pydicom Dataset.

    Each segment is one group: it refers to its segment of the SEG, and its axes to the image they were measured in.

    Args:
        segmentation: What ``segmentation_object`` made of these images and segments.
        grid: Of the volume, in the space in which the measures' points are.
    """
    from highdicom import sr

    numbers = {str(item.TrackingUID): int(item.SegmentNumber) for item in segmentation.SegmentSequence}
    groups = [
        _group(images, segmentation, segment, numbers[segment.tracking_uid], grid)
        for segment in segments
        if segment.tracking_uid in numbers
    ]
    observer = sr.ObserverContext(
        observer_type=_concept(Code("DCM", "121007", "Device")),
        observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
            uid=new_uid(), name=PRODUCT, manufacturer_name=MANUFACTURER, model_name=PRODUCT
        ),
    )
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=observer),
        procedure_reported=_concept(Code("LN", "25045-6", "CT unspecified body region")),
        imaging_measurements=groups,
        title=_concept(Code("DCM", "126000", "Imaging Measurement Report")),
    )
    return sr.Comprehensive3DSR(
        evidence=[*(image.dataset for image in images), segmentation],
        content=content[0],
        is_complete=True,
        is_final=False,
        **_own_series(images[0].dataset, 2, description),
    )


@_made_by_highdicom()
def write_segmentation(
    path: Path, segmentation: Any, images: Sequence[SourceImage], segments: Sequence[ExportedSegment]
) -> None:
    """Write a SEG once it has been read back and found to hold each segment, voxel for voxel, where it belongs.

    Raises OutputError where it does not, OSError where it cannot be written.
    """
    data = _encoded(segmentation)
    _require_same(data, images, segments)
    write_atomically(path, data)


@_made_by_highdicom()
def write_report(path: Path, report: Any, segmentation: Any) -> None:
    """Write an SR once it has been read back and found to measure each segment of its SEG.

    Raises OutputError where it does not, OSError where it cannot be written.
    """
    from highdicom.sr import srread

    data = _encoded(report)
    try:
        content: Any = srread(io.BytesIO(data)).content
        groups = content.get_volumetric_roi_measurement_groups()
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise OutputError(f"The measurement report could not be read back ({error}), so it was not written.") from error
    measured = sorted(str(group.tracking_uid) for group in groups)
    if measured != sorted(str(item.TrackingUID) for item in segmentation.SegmentSequence):
        raise OutputError("The measurement report does not hold each segment once, so it was not written.")
    write_atomically(path, data)


def _label(number: int, segment: ExportedSegment) -> str:
    return _text(segment.label) or f"Segment {number}"


def _description(number: int, segment: ExportedSegment) -> Any:
    import highdicom

    algorithm = None
    if segment.origin != "MANUAL":
        name, version = segment.algorithm or (PRODUCT, __version__)
        algorithm = highdicom.AlgorithmIdentificationSequence(
            name=_text(name) or PRODUCT,
            family=_concept(Code("DCM", "123110", "Artificial Intelligence")),
            version=_text(version) or "unknown",
            source=MANUFACTURER,
        )
    item = highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=_label(number, segment),
        segmented_property_category=_concept(segment.category),
        segmented_property_type=_concept(segment.type),
        algorithm_type=segment.origin,
        algorithm_identification=algorithm,
        tracking_uid=segment.tracking_uid,
        tracking_id=_label(number, segment),
        anatomic_regions=[_concept(segment.region)] if segment.region != NO_CODE else None,
        display_color=highdicom.color.CIELabColor.from_rgb(*(round(255 * part) for part in segment.color)),
    )
    if segment.type_modifier != NO_CODE:
        kind = item.SegmentedPropertyTypeCodeSequence[0]
        kind.SegmentedPropertyTypeModifierCodeSequence = [_concept(segment.type_modifier)]
    if segment.region != NO_CODE and segment.region_modifier != NO_CODE:
        item.AnatomicRegionSequence[0].AnatomicRegionModifierSequence = [_concept(segment.region_modifier)]
    return item


def _group(
    images: Sequence[SourceImage], segmentation: Any, segment: ExportedSegment, number: int, grid: ImageGeometry
) -> Any:
    from highdicom import sr

    def measurement(name: Code, value: float, unit: Code, **more: Any) -> Any:
        return sr.Measurement(name=_concept(name), value=_rounded(value), unit=_concept(unit), **more)

    method = _concept(codes.SUM_OF_VOXELS)
    measurements = [measurement(codes.VOLUME, segment.volume_ml, codes.MILLILITER, method=method)]
    lesion = segment.measures
    if lesion is not None:
        for name, length, points in (
            (codes.LONG_AXIS, lesion.long_axis_mm, lesion.long_axis_points),
            (codes.SHORT_AXIS, lesion.short_axis_mm, lesion.short_axis_points),
        ):
            image = _image(images, grid, points)
            measurements.append(measurement(name, length, codes.MILLIMETER, referenced_images=image))
        for kind, value in ((codes.MEAN, lesion.mean_hu), (codes.STANDARD_DEVIATION, lesion.sd_hu)):
            derivation = _concept(kind)
            measurements.append(measurement(codes.ATTENUATION, value, codes.HOUNSFIELD_UNIT, derivation=derivation))
    site = segment.region if segment.region != NO_CODE else codes.LIVER
    return sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=segment.tracking_uid, identifier=_label(number, segment)),
        referenced_segment=sr.ReferencedSegment(
            sop_class_uid=segmentation.SOPClassUID,
            sop_instance_uid=segmentation.SOPInstanceUID,
            segment_number=number,
            source_series=sr.SourceSeriesForSegmentation(images[0].dataset.SeriesInstanceUID),
        ),
        finding_category=_concept(segment.category),
        finding_type=_concept(segment.type),
        finding_sites=[sr.FindingSite(_concept(site))],
        measurements=measurements,
    )


def _image(images: Sequence[SourceImage], grid: ImageGeometry, line: tuple[Point, Point]) -> list[Any] | None:
    """The image in which a line (LPS mm) was measured; None where it lies in none (a tilted scan).

    The line itself has no place here: a group that refers to a segment holds no coordinates (TID 1411).
    """
    from highdicom import sr

    along = grid.from_lps(np.array(line))[:, 0]
    for image in images:
        if all(image.holds(k) for k in along):
            return [sr.SourceImageForMeasurement(image.dataset.SOPClassUID, image.dataset.SOPInstanceUID)]
    return None


def _require_same(data: bytes, images: Sequence[SourceImage], segments: Sequence[ExportedSegment]) -> None:
    """Raise OutputError unless an encoded SEG holds the segments as they are."""
    import pydicom

    dataset = pydicom.dcmread(io.BytesIO(data))
    segment_of = {segment.tracking_uid: segment for segment in segments}
    numbered = {int(item.SegmentNumber): segment_of[str(item.TrackingUID)] for item in dataset.SegmentSequence}
    image_of = {str(image.dataset.SOPInstanceUID): image for image in images}
    bits = np.frombuffer(dataset.PixelData, np.uint8)
    found = dict.fromkeys(numbered, 0)
    for index, frame in enumerate(frames_of(dataset)):
        pixels = unpacked(bits, index, (dataset.Rows, dataset.Columns))
        image, segment = image_of[frame.image_uid], numbered[frame.number]
        lies = np.allclose(frame.position, np.asarray(image.dataset.ImagePositionPatient, float), atol=1e-3)
        if not lies or not np.array_equal(pixels, segment.plane(image)):
            raise OutputError(f"The segment {segment.label} was not written as it is, so the file was left out.")
        found[frame.number] += int(np.count_nonzero(pixels))
    shown = {int(np.rint(image.voxel_from_pixel[2, 2])) for image in images}
    between = set(range(min(shown), max(shown) + 1)) - shown  # of a grid that was made from uneven slices
    for number, segment in numbered.items():
        planes = segment.mask.start[0] + np.arange(segment.mask.values.shape[0])
        expected = np.count_nonzero(segment.mask.values[[k not in between for k in planes.tolist()]])
        if found[number] != expected:
            raise OutputError(
                f"The segment {segment.label} reaches beyond the DICOM images: {found[number]} of its "
                f"{expected} voxels lie in them. Cut it to the images, or export it as NRRD."
            )


def _encoded(dataset: Any) -> bytes:
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _concept(code: Code) -> Any:
    from highdicom.sr import CodedConcept

    return CodedConcept(code.value, code.scheme, _text(code.meaning) or code.value)


def _own_series(source: Any, number: int, description: str) -> dict[str, Any]:
    """What an object says of itself and its series; the series' number is behind the source's, 1001 for series 10."""
    return {
        "series_instance_uid": new_uid(),
        "series_number": 100 * max(int(source.get("SeriesNumber") or 0), 0) % 1_000_000 + number,
        "series_description": _text(description),
        "sop_instance_uid": new_uid(),
        "instance_number": 1,
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": PRODUCT,
        "software_versions": __version__,
    }


def _rounded(value: float) -> float:
    """With as many digits as DICOM's decimal strings (16 characters) hold."""
    return float(f"{value:.6g}") if math.isfinite(value) else 0.0


def _text(text: str) -> str:
    """As DICOM's long strings can hold it: one line without the backslash, escapes and what steers a terminal."""
    line = " ".join(text.replace("\\", "/").split())
    return "".join(filter(str.isprintable, line))[:_MAX_TEXT].strip()
