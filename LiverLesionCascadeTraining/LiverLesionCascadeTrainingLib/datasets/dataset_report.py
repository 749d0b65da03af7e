"""What a prepared data set holds, before anything is trained on it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..cases.splits import TRAIN
from .prepared import CaseRecord, PreparedCase, PreparedDataset, open_dataset
from .slice_kinds import KINDS

#: Lesions by equivalent diameter: name, from mm, below mm.
SIZES = (("below 10 mm", 0.0, 10.0), ("10 to 20 mm", 10.0, 20.0), ("20 mm and more", 20.0, float("inf")))
_SHOWN_CASES = 8


@dataclass(frozen=True)
class SplitReport:
    """What one split holds.

    Attributes:
        slices: Number by kind: ``lesion``, ``liver`` (no lesion), ``near`` (no liver, at most ``NEAR_MM``
            away from it) and ``neither``.
        lesions: Number of 3D lesions by size.
        lesion_free: Cases without a lesion.
        lesions_unknown: Cases in which nobody has looked for lesions.
        sparse: Cases of single slices.
    """

    cases: int
    patients: int
    slices: dict[str, int]
    lesions: dict[str, int]
    lesion_free: int
    lesions_unknown: int
    sparse: int


@dataclass(frozen=True)
class DataReport:
    """What a prepared data set holds.

    Attributes:
        splits: By name of the split.
        pixel_mm, slice_mm: Lowest, median and highest spacing; slices of single slices do not count.
        hu_range: Lowest and highest HU of all cases.
        warnings: What should be known, with the cases it is true of.
        left_out: What was not used, and why.
        gigabytes: Size of the arrays.
    """

    folder: str
    seed: int
    splits: dict[str, SplitReport]
    pixel_mm: tuple[float, float, float]
    slice_mm: tuple[float, float, float]
    hu_range: tuple[float, float]
    warnings: list[str]
    left_out: list[str]
    gigabytes: float

    def to_text(self) -> str:
        """A few lines to read."""
        lines = [self.folder]
        for name, split in self.splits.items():
            lines += [
                f"{name}: {_counted(split.cases, 'case')} of {_counted(split.patients, 'patient')}"
                + (f", {_counted(split.sparse, 'case')} of single slices" if split.sparse else "")
                + (f", {split.lesion_free} without a lesion" if split.lesion_free else "")
                + (f", {split.lesions_unknown} with the liver alone" if split.lesions_unknown else ""),
                "  slices: " + ", ".join(f"{split.slices[kind]} {_KIND_TEXT[kind]}" for kind in KINDS),
                "  lesions: " + ", ".join(f"{count} of {size}" for size, count in split.lesions.items()),
            ]
        lines += [
            "pixels {0:.2f} to {2:.2f} mm (median {1:.2f}), ".format(*self.pixel_mm)
            + "slices {0:.2f} to {2:.2f} mm (median {1:.2f})".format(*self.slice_mm),
            f"HU {self.hu_range[0]:g} to {self.hu_range[1]:g}, {self.gigabytes:.2f} GB, seed {self.seed}",
        ]
        lines += [f"warning: {warning}" for warning in self.warnings]
        lines += [f"left out: {text}" for text in self.left_out]
        return "\n".join(lines)


_KIND_TEXT = {
    "lesion": "with liver and lesion",
    "liver": "with liver only",
    "near": "near the liver",
    "neither": "with neither",
}


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def data_report(folder: Path) -> DataReport:
    """The report of a prepared data set. Raises InputError where it is missing or damaged."""
    dataset = open_dataset(folder)
    records = {case.name: case.record() for case in dataset.cases}
    warnings: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, record in records.items():
        for code, message in record.warnings:
            warnings[code].append((name, message))
    dense = [record for record in records.values() if not record.sparse] or list(records.values())
    voxels = sum(int(np.prod(record.shape, dtype=np.int64)) for record in records.values())
    return DataReport(
        folder=str(folder),
        seed=dataset.seed,
        splits={name: _split_report(cases, records) for name, cases in dataset.splits.items() if cases},
        pixel_mm=_spread([record.spacing_mm[2] for record in records.values()]),
        slice_mm=_spread([record.slice_mm for record in dense]),
        hu_range=(min(r.hu_range[0] for r in records.values()), max(r.hu_range[1] for r in records.values())),
        warnings=[_warning(told) for told in warnings.values()] + _split_warnings(dataset, records),
        left_out=dataset.left_out,
        gigabytes=round(voxels * 3 / 1e9, 3),
    )


def _split_report(cases: list[PreparedCase], records: dict[str, CaseRecord]) -> SplitReport:
    of_split = [records[case.name] for case in cases]
    kinds = [kind for record in of_split for kind in record.kinds.tolist()]
    sizes = [mm for record in of_split for mm in record.lesions_mm]
    return SplitReport(
        cases=len(cases),
        patients=len({case.patient for case in cases}),
        slices={kind: kinds.count(kind) for kind in KINDS},
        lesions={name: sum(low <= mm < high for mm in sizes) for name, low, high in SIZES},
        lesion_free=sum(not (record.lesion_slices or record.lesions_unknown) for record in of_split),
        lesions_unknown=sum(record.lesions_unknown for record in of_split),
        sparse=sum(record.sparse for record in of_split),
    )


def _split_warnings(dataset: PreparedDataset, records: dict[str, CaseRecord]) -> list[str]:
    warnings = []
    for name, cases in dataset.splits.items():
        purpose = "training" if name == TRAIN else name
        if not cases:
            warnings.append(f"There are no cases for {purpose}.")
        elif not any(records[case.name].lesion_slices for case in cases):
            warnings.append(f"No case for {purpose} shows a lesion.")
    return warnings


def _warning(told: list[tuple[str, str]]) -> str:
    names = [name for name, _ in told]
    message = f"{names[0]}: {told[0][1]}"
    if len(told) == 1:
        return f"case {message}"
    more = f" and {len(names) - _SHOWN_CASES} more" if len(names) > _SHOWN_CASES else ""
    return f"cases {', '.join(names[:_SHOWN_CASES])}{more}; of case {message}"


def _spread(values: list[float]) -> tuple[float, float, float]:
    return round(min(values), 4), round(float(np.median(values)), 4), round(max(values), 4)
