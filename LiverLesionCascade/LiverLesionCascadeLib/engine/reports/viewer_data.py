"""What the report's viewer shows: the liver's box of the scan as pictures, the outlines in three planes as paths."""

from __future__ import annotations

import base64
import io
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from scipy import ndimage

from ..grid.bounding_box import grown
from ..grid.boxed import joint_box
from ..progress import Steps
from .key_images import key_slices
from .outlines import outline_paths
from .source_slices import source_slice

if TYPE_CHECKING:
    from ..results.result import SegmentationResult
    from ..scan.ct_volume import CTVolume

#: HU of the darkest and the brightest grey value: what the windows for liver and soft tissue need.
LOWEST_HU, HIGHEST_HU = -200.0, 300.0

_MARGIN_MM = 12.0
#: Quality of WebP, and size of a picture against the scan's; the first that is small enough is taken.
_ENCODINGS = ((80, 1.0), (65, 1.0), *((65, 0.8**n) for n in range(1, 10)))
_TRIED_SLICES = 12
_OUTLINES_A_STEP = 32
#: Bytes of what says how the pictures are to be read.
_PICTURE_FIELDS = 200


def viewer_data_steps(ct: CTVolume, result: SegmentationResult, most_bytes: int) -> Steps[dict[str, Any] | None]:
    """Scan and outlines for the script, at most ``most_bytes`` as JSON; None without liver, or if they are too few.

    The result is on the grid of ``ct.hu``. Points are voxels of the box, (slice, row, column) in axial LPS order. A
    plane of outlines or a picture a step.
    """
    found = joint_box((result.liver, result.lesions))
    if found is None:
        return None
    margins = [math.ceil(_MARGIN_MM / mm) for mm in ct.spacing]
    box = grown(found, ct.hu.shape, margins)
    crop = ct.geometry.cropped(box)
    liver, labels = result.liver.within(box), result.lesions.within(box)
    slices, rows, columns = crop.shape
    places = crop.to_lps(np.array([(n, (rows - 1) / 2, (columns - 1) / 2) for n in range(slices)]))
    left, posterior, superior = crop.origin

    def voxel(point: tuple[float, float, float]) -> list[float]:
        return [round(x, 2) for x in crop.from_lps(np.array(point)).tolist()]

    data: dict[str, Any] = {
        "size": list(liver.shape),
        "spacing": list(ct.spacing),
        "origin": [round(mm, 3) for mm in (-left, -posterior, superior)],  # RAS
        "numbers": None if ct.resampled else [source_slice(ct, place) for place in places],
        "first": key_slices(ct, result, 1)[0] - box[0].start,
        "lesions": [
            {
                "number": lesion.number,
                "long": [voxel(point) for point in lesion.long_axis_points],
                "short": [voxel(point) for point in lesion.short_axis_points],
                "middle": voxel(lesion.centroid),
            }
            for lesion in result.table
        ],
        "outlines": {},
    }
    # From above to below on the screen is from head to feet.
    for plane, axes, upwards in (("axial", (0, 1, 2), 1), ("coronal", (1, 0, 2), -1), ("sagittal", (2, 0, 1), -1)):
        seen = (array[::upwards].transpose(axes) for array in (liver, labels))
        data["outlines"][plane] = yield from _outline_steps(*seen)
    pictures = yield from _picture_steps(
        ct.hu[box], most_bytes - len(json.dumps(data, separators=(",", ":"))) - _PICTURE_FIELDS
    )
    return None if pictures is None else {**data, "pictures": pictures}


def _outline_steps(liver: np.ndarray, lesions: np.ndarray) -> Steps[list[dict[str, str]]]:
    """For each picture the paths in it: "0" the liver's, else by the lesions' numbers. Arrays are (picture, y, x)."""
    pictures: list[dict[str, str]] = []
    for first in range(0, len(liver), _OUTLINES_A_STEP):
        paths = outline_paths(liver[first : first + _OUTLINES_A_STEP])
        pictures += [{"0": path} if path else {} for path in paths]
        yield
    for number, box in enumerate(ndimage.find_objects(lesions), start=1):
        if box is None:
            continue
        first, top, left = (each.start for each in box)
        for index, path in enumerate(outline_paths(lesions[box] == number, (2 * left, 2 * top)), start=first):
            if path:
                pictures[index][str(number)] = path
        yield
    return pictures


def _picture_steps(hu: np.ndarray, most_bytes: int) -> Steps[dict[str, Any] | None]:
    """All slices (slice, row, column) as WebP in base64, as good as they fit; None if not even the smallest do."""
    tried = hu[:: max(len(hu) // _TRIED_SLICES, 1)]
    for quality, scale in _ENCODINGS:
        size = max(round(hu.shape[2] * scale), 1), max(round(hu.shape[1] * scale), 1)
        bytes_tried = 0
        for each in tried:
            bytes_tried += len(_encoded(each, size, quality))
            yield
        if bytes_tried / len(tried) * len(hu) <= most_bytes:
            encoded = []
            for each in hu:
                encoded.append(_encoded(each, size, quality))
                yield
            if len(json.dumps(encoded)) <= most_bytes:
                return {"rows": size[1], "columns": size[0], "low": LOWEST_HU, "high": HIGHEST_HU, "slices": encoded}
    return None


def _encoded(hu: np.ndarray, size: tuple[int, int], quality: int) -> str:
    """A slice (row, column) of HU: each by itself, so that no second scan is held in memory."""
    grey = np.clip((hu.astype(np.float32) - LOWEST_HU) * (255.0 / (HIGHEST_HU - LOWEST_HU)), 0.0, 255.0)
    picture = Image.fromarray(np.rint(grey).astype(np.uint8))
    file = io.BytesIO()
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.BOX)
    picture.save(file, "WEBP", quality=quality, method=2)
    return base64.b64encode(file.getvalue()).decode("ascii")
