"""A prepared data set on disk: read once, then memory-mapped.

::

    dataset.json                format, seed, share; per case its patient and split; what was left out
    cases/<name>/hu.npy         int16 (slice, row, column), axial LPS order
    cases/<name>/labels.npy     uint8 likewise: 0, 1 liver, 2 lesion
    cases/<name>/case.json      geometry, what it was read from, and what the report says of it
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from LiverLesionCascadeLib.archive.entries import files_fingerprint
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.files import mapped_array
from LiverLesionCascadeLib.engine.grid.bounding_box import bounding_box, grown
from LiverLesionCascadeLib.engine.measures.diameters import equivalent_diameter_mm
from LiverLesionCascadeLib.engine.measures.lesions import label_lesions
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume

from ..cases.case_source import CaseSource, read_json, write_json
from ..cases.labels import LESION, LESIONS_UNKNOWN, LIVER, slices_shown
from ..cases.splits import SPLITS
from ..cases.training_case import TrainingCase, median_distance_mm, slice_positions_mm
from .npy_file import NpyWriter, replaced_folder
from .slice_kinds import slice_kinds

FORMAT = "liver-lesion-cascade dataset 1"
CASES = "cases"


@dataclass(frozen=True)
class CaseRecord:
    """What ``case.json`` says.

    Attributes:
        source: What it was read from, for people.
        fingerprint: Of the source as it was when it was read.
        content: Digest of the HU; equal for two copies of one scan.
        labels_content: Digest of the labels.
        shape: (slice, row, column); spacing_mm likewise.
        ijk_to_lps: (4, 4) of the axial grid.
        hu_range: Lowest and highest HU.
        liver_slices, lesion_slices: Slices that show liver or lesion.
        lesions_mm: Equivalent diameter of each 3D lesion; empty for single slices.
        warnings: Code and text of what should be known.
        slice_numbers: Of a selection of slices (:class:`TrainingCase`).
        lesions_unknown: Whether there are slices in which nobody has looked for lesions.
    """

    name: str
    sparse: bool
    source: str
    fingerprint: str
    content: str
    labels_content: str
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    ijk_to_lps: list[list[float]]
    hu_range: tuple[float, float]
    liver_slices: list[int]
    lesion_slices: list[int]
    lesions_mm: list[float]
    warnings: list[tuple[str, str]]
    slice_numbers: list[int] = field(default_factory=list)
    lesions_unknown: bool = False

    @property
    def positions_mm(self) -> np.ndarray:
        """Where each slice lay along the scan."""
        return slice_positions_mm(self.slice_numbers, self.shape[0], self.spacing_mm[0])

    @property
    def slice_mm(self) -> float:
        """How far apart its slices lay."""
        return median_distance_mm(self.positions_mm, self.spacing_mm[0])

    @property
    def kinds(self) -> np.ndarray:
        """Kind of each slice."""
        slices = np.arange(self.shape[0])
        liver, lesion = np.isin(slices, self.liver_slices), np.isin(slices, self.lesion_slices)
        return slice_kinds(liver, lesion, self.sparse, self.positions_mm)


@dataclass(frozen=True)
class PreparedCase(TrainingCase):
    """A case of a prepared data set, in its folder."""

    folder: Path

    def fingerprint(self) -> str:
        return files_fingerprint(self.folder / name for name in ("hu.npy", "labels.npy", "case.json"))

    def read(self) -> tuple[CTVolume, np.ndarray]:
        hu, labels, _ = self.load()
        return CTVolume.from_array(hu, np.asarray(self.record().ijk_to_lps), self.name, self.sparse), labels

    def load(self) -> tuple[np.ndarray, np.ndarray, tuple[float, float, float]]:
        try:
            hu = mapped_array(self.folder / "hu.npy")
            labels = mapped_array(self.folder / "labels.npy")
        except (OSError, ValueError) as error:
            raise _damaged(self.folder) from error
        record = self.record()
        if not hu.shape == labels.shape == record.shape or labels.dtype != np.uint8 or hu.dtype != np.int16:
            raise _damaged(self.folder)
        return hu, labels, record.spacing_mm

    def positions_mm(self, count: int, slice_mm: float) -> np.ndarray:
        return slice_positions_mm(self.record().slice_numbers, count, slice_mm)

    @property
    def identity(self) -> list[str]:
        record = self.record()
        return [self.name, self.patient, record.content, record.labels_content]

    def record(self) -> CaseRecord:
        """What ``case.json`` says.

        Raises InputError where ``case.json`` is missing or damaged.
        """
        record = read_record(self.folder)
        if record is None:
            raise _damaged(self.folder)
        return record


@dataclass(frozen=True)
class PreparedDataset:
    """A prepared data set.

    Attributes:
        seed, share: What the split was made with.
        splits: Cases of ``train`` and ``validation``.
        left_out: Problems of cases that were left out, and notes of the search for cases.
    """

    folder: Path
    seed: int
    share: float
    splits: dict[str, list[PreparedCase]]
    left_out: list[str]

    @property
    def cases(self) -> list[PreparedCase]:
        return [case for cases in self.splits.values() for case in cases]


def is_prepared(folder: Path) -> bool:
    path = folder / "dataset.json"
    return os.path.isfile(path) and read_json(path).get("format") == FORMAT


def case_folder(dataset: Path, name: str) -> Path:
    return dataset / CASES / name


def open_dataset(folder: Path, complete: bool = True) -> PreparedDataset:
    """Opens what ``prepare`` wrote. Raises InputError where that is missing or damaged.

    Args:
        complete: Insist on the folders of all cases.
    """
    path = folder / "dataset.json"
    if not is_prepared(folder):
        raise InputError(f"{folder} is no prepared data set: make one with liver-lesion-cascade prepare")
    content = read_json(path)
    try:
        splits: dict[str, list[PreparedCase]] = {split: [] for split in SPLITS}
        for entry in content["cases"]:
            place = case_folder(folder, entry["name"])
            if not isinstance(entry["patient"], str) or Path(entry["name"]).name != entry["name"]:
                raise ValueError(entry["name"])
            splits[entry["split"]].append(PreparedCase(entry["name"], entry["patient"], bool(entry["sparse"]), place))
        dataset = PreparedDataset(folder, content["seed"], content["share"], splits, content["left_out"])
    except (LookupError, TypeError, ValueError) as error:
        raise InputError(f"{path} is damaged: prepare the data again") from error
    # Of a name that no file can have, `Path.is_file` raises.
    missing = [case.name for case in dataset.cases if not os.path.isfile(case.folder / "case.json")]
    if missing and complete:
        raise InputError(f"{folder} lacks cases that it lists ({', '.join(missing)}): prepare the data again")
    return dataset


def write_dataset(dataset: PreparedDataset) -> None:
    """Writes ``dataset.json`` in one step."""
    cases = [
        {"name": case.name, "patient": case.patient, "sparse": case.sparse, "split": split}
        for split, members in dataset.splits.items()
        for case in members
    ]
    content = {
        "format": FORMAT,
        "seed": dataset.seed,
        "share": dataset.share,
        "cases": cases,
        "left_out": dataset.left_out,
    }
    write_json(dataset.folder / "dataset.json", content)


def write_case(folder: Path, case: CaseSource, fingerprint: str, ct: CTVolume, labels: np.ndarray) -> CaseRecord:
    """Writes a case's folder, replacing it in one step.

    HU are rounded to whole numbers. Slices without labels take no space on file systems with sparse files.

    Args:
        fingerprint: The case's, as it was before its files were read.
        labels: uint8 on the grid of ``ct.hu``.

    Raises:
        OSError: If it cannot be written.
    """
    with replaced_folder(folder) as partial:
        hu_digest, label_digest = (hashlib.blake2b(digest_size=16) for _ in range(2))
        low, high = np.inf, -np.inf
        limits = np.iinfo(np.int16)
        with (
            NpyWriter(partial / "hu.npy", np.int16, ct.hu.shape[1:]) as hu_file,
            NpyWriter(partial / "labels.npy", np.uint8, labels.shape[1:]) as label_file,
        ):
            for hu, shown in zip(ct.hu, labels, strict=True):
                low, high = min(low, float(hu.min())), max(high, float(hu.max()))
                whole = np.clip(np.rint(hu), limits.min, limits.max).astype(np.int16) if hu.dtype != np.int16 else hu
                hu_digest.update(np.ascontiguousarray(whole).data)
                label_digest.update(np.ascontiguousarray(shown).data)
                hu_file.append(whole[None])
                label_file.append(shown[None])
        liver, lesion = slices_shown(labels)
        # Single slices are no scan, and have no 3D lesions. A selection is measured as it lay in the scan.
        scanned = case.as_scanned(ct)
        findings = [] if case.sparse else [*ct.notes, *scanned.check()]
        lesions_mm, apart = ([], []) if case.sparse else _lesions(labels, scanned.geometry.voxel_volume_ml)
        record = CaseRecord(
            name=case.name,
            sparse=case.sparse,
            source=str(case.files[0]),
            fingerprint=fingerprint,
            content=hu_digest.hexdigest(),
            labels_content=label_digest.hexdigest(),
            shape=ct.geometry.shape,
            spacing_mm=ct.spacing,
            ijk_to_lps=ct.geometry.ijk_to_lps.tolist(),
            hu_range=(low, high),
            liver_slices=np.flatnonzero(liver).tolist(),
            lesion_slices=np.flatnonzero(lesion).tolist(),
            lesions_mm=lesions_mm,
            warnings=[*((each.code, each.message) for each in findings if each.severity != "info"), *apart],
            slice_numbers=list(case.slice_numbers),
            lesions_unknown=any((part == LESIONS_UNKNOWN).any() for part in labels),
        )
        (partial / "case.json").write_text(json.dumps(asdict(record)), encoding="utf-8")
    return record


def read_record(folder: Path) -> CaseRecord | None:
    """What ``case.json`` says; None where there is none, or one of another version."""
    try:
        content: dict[str, Any] = json.loads((folder / "case.json").read_text(encoding="utf-8"))
        record = CaseRecord(**content)
        slices, rows, columns = (int(n) for n in record.shape)
        z, y, x = (float(mm) for mm in record.spacing_mm)
        numbers = (*record.lesions_mm, *record.hu_range, *record.slice_numbers, *np.ravel(record.ijk_to_lps))
        shown = {*record.liver_slices, *record.lesion_slices}
        sound = (
            min(z, y, x) > 0
            and np.isfinite([z, y, x, *numbers]).all()
            and np.shape(record.ijk_to_lps) == (4, 4)
            and all(type(each) is int and 0 <= each < slices for each in shown)
            and len(record.slice_numbers) in (0, slices)
            and all(len(warning) == 2 for warning in record.warnings)
        )
        return replace(record, shape=(slices, rows, columns), spacing_mm=(z, y, x)) if sound else None
    except (OSError, ValueError, TypeError, OverflowError, RecursionError):
        return None


def _lesions(labels: np.ndarray, voxel_ml: float) -> tuple[list[float], list[tuple[str, str]]]:
    """Diameters in mm of the 3D lesions, and a warning where one lies apart from the liver."""
    from scipy import ndimage

    lesion = labels == LESION
    inner = bounding_box(lesion)
    if inner is None:
        return [], []
    box = grown(inner, labels.shape)
    instances = label_lesions(lesion[box])
    counts = np.bincount(instances.ravel())[1:]
    diameters = [round(equivalent_diameter_mm(count * voxel_ml * 1000.0), 2) for count in counts.tolist()]
    liver = labels[box] == LIVER
    apart = sum(not liver[grown(part, liver.shape)].any() for part in ndimage.find_objects(instances))
    if not apart:
        return diameters, []
    verb = "lies" if apart == 1 else "lie"
    text = f"{apart} of {len(diameters)} lesions {verb} apart from the liver: check that they are lesions of the liver."
    return diameters, [("lesion_apart", text)]


def _damaged(folder: Path) -> InputError:
    return InputError(f"{folder} is incomplete or damaged: prepare the data again")
