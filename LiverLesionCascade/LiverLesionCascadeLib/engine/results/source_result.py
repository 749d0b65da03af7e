"""A result on the voxel grid of the image that was given: what the scene shows and what one process hands another.

Only the boxes that hold something are kept, so that a result is small whatever the scan's size.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..files import write_atomically
from ..findings import Finding
from ..grid.boxed import Boxed
from ..grid.geometry import ImageGeometry, axial_order
from ..measures.lesions import Lesion
from ..model.lesion_filter import LesionFilter
from ..scan.ct_volume import CTVolume
from .result import ResultFacts, SegmentationResult

_DESCRIPTION_FILE = "result.json"
_ARRAYS = ("liver", "lesions", "liver_probability", "lesion_probability")


@dataclass
class SourceResult(ResultFacts):
    """Liver and lesions on the grid of the image that was segmented, axis order and flips as they are there.

    Attributes:
        shape: (k, j, i) of the grid.
        ijk_to_lps: (4, 4), (i, j, k, 1) to LPS mm.
        name: Of the image.
        liver: uint8, 1 in the whole organ, lesions included.
        lesions: uint8 or uint16, lesions 1..n by falling volume.
        table: Unlike in ``SegmentationResult``, points and centroids are voxels (k, j, i) of this grid, fractions
            allowed, and ``long_axis_slice`` is the slice along the grid's axis that runs between feet and head.
        liver_probability, lesion_probability: float16, where they were asked for.
        liver_volume_ml: Of the whole organ.
    """

    shape: tuple[int, int, int]
    ijk_to_lps: np.ndarray
    name: str
    liver: Boxed
    lesions: Boxed
    liver_volume_ml: float
    liver_probability: Boxed | None = None
    lesion_probability: Boxed | None = None

    @classmethod
    def from_result(cls, result: SegmentationResult, keep_probabilities: bool = False) -> SourceResult:
        """A run's result, brought back to its source's grid.

        Args:
            keep_probabilities: Whether the probability maps come along.
        """
        ct = result.ct
        liver = lesion_probability = None
        if keep_probabilities:
            boxes = (result.liver_probability, result.lesion_probability)
            liver, lesion_probability = (
                ct.boxed_to_source(Boxed.of(each.values, each.start), order=1) for each in boxes
            )
        facts = result.facts() | {"table": [_lesion_on_source(lesion, ct) for lesion in result.table]}
        return cls(
            shape=ct.source.shape,
            ijk_to_lps=ct.source.ijk_to_lps,
            name=ct.name,
            liver=ct.boxed_to_source(Boxed.labels(result.liver)),
            lesions=ct.boxed_to_source(Boxed.labels(result.lesions)),
            liver_volume_ml=result.liver_volume_ml,
            liver_probability=liver,
            lesion_probability=lesion_probability,
            **facts,
        )

    def moved(self, start: tuple[int, int, int], shape: tuple[int, int, int], ijk_to_lps: np.ndarray) -> SourceResult:
        """The result of a crop, on the grid that it was cut from; the arrays are shared.

        Args:
            start: Index (k, j, i) of the crop's first voxel on that grid.
            shape: (k, j, i) of that grid.
            ijk_to_lps: (4, 4) of that grid.

        Raises:
            ValueError: If the crop does not lie within that grid.
        """
        if any(first < 0 or first + n > whole for first, n, whole in zip(start, self.shape, shape, strict=True)):
            raise ValueError(f"A crop of {self.shape} from {start} on does not lie within a grid of {shape}.")
        along = axial_order(ImageGeometry(self.shape, self.ijk_to_lps)).axes[0]
        boxes = {name: getattr(self, name) for name in _ARRAYS}
        return replace(
            self,
            shape=shape,
            ijk_to_lps=np.array(ijk_to_lps, np.float64),
            table=[_shifted(lesion, start, along) for lesion in self.table],
            **{name: box.moved(start) for name, box in boxes.items() if box is not None},
        )

    def write(self, folder: Path) -> None:
        """Writes the result as uncompressed arrays and a JSON file, which comes last. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        starts = {}
        for name in _ARRAYS:
            box = getattr(self, name)
            if box is not None:
                np.save(folder / f"{name}.npy", box.values, allow_pickle=False)
                starts[name] = box.start
        own = {*_ARRAYS, "ijk_to_lps", "table", "findings", "lesion_filter"}
        others = [each.name for each in fields(self) if each.name not in own]
        known = self.lesion_filter
        description = {
            **{name: getattr(self, name) for name in others},
            "ijk_to_lps": self.ijk_to_lps.tolist(),
            "table": [asdict(lesion) for lesion in self.table],
            "findings": [asdict(finding) for finding in self.findings],
            "lesion_filter": None if known is None else known.to_dict(),
            "starts": starts,
        }
        write_atomically(folder / _DESCRIPTION_FILE, json.dumps(description).encode())

    @classmethod
    def read(cls, folder: Path) -> SourceResult:
        """Reads what ``write`` wrote. Raises OSError or ValueError where it is incomplete."""
        description = json.loads((folder / _DESCRIPTION_FILE).read_bytes())
        try:
            boxes: dict[str, Any] = {}
            for name, start in description.pop("starts").items():
                boxes[name] = Boxed(np.load(folder / f"{name}.npy", allow_pickle=False), tuple(start))
            description["shape"] = tuple(description["shape"])
            description["ijk_to_lps"] = np.array(description["ijk_to_lps"], np.float64)
            description["table"] = [_lesion_from_json(lesion) for lesion in description["table"]]
            description["findings"] = [Finding(**finding) for finding in description["findings"]]
            if description["lesion_filter"] is not None:
                description["lesion_filter"] = LesionFilter.from_dict(description["lesion_filter"])
            return cls(**description, **boxes)
        except (KeyError, TypeError, EOFError) as error:
            raise ValueError(f"{folder} holds no complete result ({error}): segment the volume again") from error


def _lesion_on_source(lesion: Lesion, ct: CTVolume) -> Lesion:
    def moved(points: Iterable[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
        return [_triple(ct.source.from_lps(ct.geometry.to_lps(np.asarray(point)))) for point in points]

    (long_a, long_b), (short_a, short_b) = moved(lesion.long_axis_points), moved(lesion.short_axis_points)
    along = axial_order(ct.source).axes[0]
    middle = round((long_a[along] + long_b[along]) / 2)
    return replace(
        lesion,
        long_axis_points=(long_a, long_b),
        short_axis_points=(short_a, short_b),
        centroid=moved([lesion.centroid])[0],
        long_axis_slice=min(max(middle, 0), ct.source.shape[along] - 1),
    )


def _shifted(lesion: Lesion, start: tuple[int, int, int], along: int) -> Lesion:
    """The lesion with its voxels counted from a corner ``start`` further away; ``along``: the axis of slices."""
    (long_a, long_b), (short_a, short_b) = lesion.long_axis_points, lesion.short_axis_points
    return replace(
        lesion,
        long_axis_points=(_sum(long_a, start), _sum(long_b, start)),
        short_axis_points=(_sum(short_a, start), _sum(short_b, start)),
        centroid=_sum(lesion.centroid, start),
        long_axis_slice=lesion.long_axis_slice + start[along],
    )


def _lesion_from_json(values: dict[str, Any]) -> Lesion:
    """JSON has lists only; a lesion's points are tuples."""
    points = {name: tuple(map(tuple, values[name])) for name in ("long_axis_points", "short_axis_points")}
    places = {name: tuple(values[name]) for name in ("centroid", "centroid_lps")}
    return Lesion(**{**values, **points, **places})


def _sum(a: Iterable[Any], b: Iterable[Any]) -> Any:
    return tuple(x + y for x, y in zip(a, b, strict=True))


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    k, j, i = (float(value) for value in values)
    return k, j, i
