"""What a segmentation run returns: on the engine's grid, on the scan's own, and as files for another process.

Only the boxes that hold something are kept, so that a result is small whatever the scan's size.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..files import write_atomically
from ..findings import Finding
from ..grid.bounding_box import Start, box_at, lies_within
from ..grid.boxed import Boxed
from ..grid.geometry import ImageGeometry
from ..measures.lesions import Lesion
from ..model.lesion_filter import LesionFilter
from ..scan.ct_volume import MAX_VOXELS, CTVolume

_DESCRIPTION_FILE = "result.json"
# What JSON may have for a measure of a lesion that is not just a number.
_LESION_KINDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("number", "voxels"), (int,)),
    **dict.fromkeys(("confidence", "distance_to_liver_surface_mm"), (int, float, type(None))),
    **dict.fromkeys(("long_axis_points", "short_axis_points", "centroid"), (list,)),
}
_MAPS = ("liver", "lesions", "liver_probability", "lesion_probability")


def _unknown() -> Boxed:
    return Boxed.nothing(np.float16)


@dataclass(kw_only=True)
class SegmentationResult:
    """Liver and lesions of one scan, on any grid.

    Attributes:
        grid: Which the maps are of, in their axis order: ``ct.geometry`` as the segmenter returns it.
        name: Of the scan.
        liver: bool, the whole organ, lesions included.
        lesions: uint8 or uint16, lesions 1..n by falling volume.
        liver_volume_ml: Of the whole organ.
        table: Measures of the lesions, in the order of their numbers; the same on every grid.
        findings: What a person should know about the scan and this result.
        timings: Seconds per stage.
        lesion_threshold: Probability above which a voxel was a lesion.
        min_lesion_mm: Equivalent diameter of the smallest lesion that was kept.
        split_lesions: Whether lesions that have grown together were told apart.
        lesion_filter: What gave the lesions their confidence; None for a bundle without a filter.
        lesions_ml: Of all lesions together, where they may have voxels in common; None: the sum of the table.
        liver_probability, lesion_probability: float16, in the liver's box; nothing where they are not known.
    """

    grid: ImageGeometry
    name: str
    liver: Boxed
    lesions: Boxed
    liver_volume_ml: float
    table: list[Lesion]
    bundle_name: str
    bundle_version: str
    preset: str
    device: str
    findings: list[Finding] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    lesion_threshold: float = 0.5
    min_lesion_mm: float = 0.0
    split_lesions: bool = False
    lesion_filter: LesionFilter | None = None
    lesions_ml: float | None = None
    liver_probability: Boxed = field(default_factory=_unknown)
    lesion_probability: Boxed = field(default_factory=_unknown)

    @classmethod
    def of(
        cls, ct: CTVolume, liver: np.ndarray, lesions: np.ndarray, start: Start = (0, 0, 0), **others: Any
    ) -> SegmentationResult:
        """From arrays (slice, row, column) of a box of the grid of ``ct.hu``: bool, and the lesions' numbers.

        Args:
            start: Index of the box's first voxel.
            others: Whatever else a result has, by name.
        """
        return cls(
            grid=ct.geometry,
            name=ct.name,
            liver=Boxed.mask(liver, start),
            lesions=Boxed.labels(lesions, start),
            liver_volume_ml=float(np.count_nonzero(liver)) * ct.geometry.voxel_volume_ml,
            **others,
        )

    @property
    def lesion_volume_ml(self) -> float:
        return sum(lesion.volume_ml for lesion in self.table) if self.lesions_ml is None else self.lesions_ml

    def on_source(self, ct: CTVolume, keep_probabilities: bool = False) -> SegmentationResult:
        """The result on the grid of the image that was segmented, axis order and flips as they are there.

        Args:
            ct: The scan, on whose axial grid the result is.
            keep_probabilities: Whether the probability maps come along.
        """

        def probability(boxed: Boxed) -> Boxed:
            return ct.boxed_to_source(Boxed.of(boxed.values, boxed.start), 1) if keep_probabilities else _unknown()

        return replace(
            self,
            grid=ct.source,
            liver=ct.boxed_to_source(self.liver),
            lesions=ct.boxed_to_source(self.lesions),
            liver_probability=probability(self.liver_probability),
            lesion_probability=probability(self.lesion_probability),
        )

    def moved(self, start: tuple[int, int, int], grid: ImageGeometry) -> SegmentationResult:
        """The result of a crop, on the grid that it was cut from; the arrays are shared.

        Args:
            start: Index (k, j, i) of the crop's first voxel on that grid.

        Raises:
            ValueError: If the crop does not lie within that grid.
        """
        shape = self.grid.shape
        if not lies_within(box_at(start, shape), grid.shape):
            raise ValueError(f"A crop of {shape} from {start} on does not lie within a grid of {grid.shape}.")
        return replace(self, grid=grid, **{name: getattr(self, name).moved(start) for name in _MAPS})

    def write(self, folder: Path) -> None:
        """Writes the result as uncompressed arrays and a JSON file, which comes last. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        starts = {}
        for name in _MAPS:
            boxed = getattr(self, name)
            np.save(folder / f"{name}.npy", boxed.values, allow_pickle=False)
            starts[name] = boxed.start
        description = {
            **{each.name: getattr(self, each.name) for each in fields(self) if each.name not in _MAPS},
            "grid": {"shape": self.grid.shape, "ijk_to_lps": self.grid.ijk_to_lps.tolist()},
            "starts": starts,
        }
        write_atomically(folder / _DESCRIPTION_FILE, json.dumps(description, default=asdict).encode())

    @classmethod
    def read(cls, folder: Path) -> SegmentationResult:
        """Reads what ``write`` wrote. Raises OSError or ValueError where it is incomplete."""
        content = (folder / _DESCRIPTION_FILE).read_bytes()
        try:
            description = json.loads(content)
            grid, starts = description["grid"], description.pop("starts")
            k, j, i = (int(n) for n in grid["shape"])
            shape = k, j, i
            if min(shape) < 1 or math.prod(shape) > MAX_VOXELS:
                raise ValueError(f"{folder} holds a result of impossible size: segment the volume again")
            description["grid"] = ImageGeometry(shape, np.array(grid["ijk_to_lps"], np.float64).reshape(4, 4))
            maps: dict[str, Any] = {name: Boxed.read(folder / f"{name}.npy", starts[name], shape) for name in _MAPS}
            description["table"] = [_lesion_from_json(lesion) for lesion in description["table"]]
            description["findings"] = [Finding(**finding) for finding in description["findings"]]
            if description["lesion_filter"] is not None:
                description["lesion_filter"] = LesionFilter.from_dict(description["lesion_filter"])
            return cls(**description, **maps)
        except (LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ValueError(f"{folder} holds no complete result ({error}): segment the volume again") from error


def _lesion_from_json(values: dict[str, Any]) -> Lesion:
    """JSON has lists only; a lesion's points are tuples. Raises TypeError for a measure that is no number."""
    for name, value in values.items():
        kinds = _LESION_KINDS.get(name, (int, float))
        if not isinstance(value, kinds):
            raise TypeError(f"{name} {value!r}")
    axes = {name: tuple(map(tuple, values[name])) for name in ("long_axis_points", "short_axis_points")}
    return Lesion(**{**values, **axes, "centroid": tuple(values["centroid"])})
