"""Slices prepared for training: resampled once to the view of a pass, kept in memory-mapped files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from LiverLesionCascadeLib.engine.errors import CascadeError, InputError
from LiverLesionCascadeLib.engine.files import mapped_array
from LiverLesionCascadeLib.engine.measures.liver_density import median_liver_hu
from LiverLesionCascadeLib.engine.model.view import View, liver_box_view, normalise, whole_slice_view
from LiverLesionCascadeLib.engine.passes.lesion_pass import NEIGHBOUR_REACH
from torch import Tensor

from ..cases.labels import LESION, LESIONS_UNKNOWN, require_liver, slices_shown
from ..cases.problems import DataProblems, Problem
from ..datasets.cases import TrainingCase
from ..datasets.npy_file import NpyWriter, replaced_folder
from ..datasets.slice_kinds import choose_slices, slice_kinds
from ..recipes import Recipe, StageRecipe

#: The stored canvas is larger than what the network sees, so that shifts, rotations and scales find image, not padding.
CANVAS_MARGIN = 1.25
#: Slices that are resampled at once: bounds the memory, whatever the size of a scan.
_CHUNK = 16

T = TypeVar("T")


def canvas_side(stage: StageRecipe) -> int:
    """Side of the stored canvas in pixels."""
    return 8 * round(stage.size * CANVAS_MARGIN / 8)


def stored(maps: Tensor) -> np.ndarray:
    """Numbers in 0..1 as a store holds them: uint8, 255 is 1."""
    return (maps * 255).round().to(torch.uint8).numpy()


def canvas_view(pass_name: str, recipe: Recipe, labels: np.ndarray, spacing: tuple[float, float, float]) -> View:
    """The view in which a case is stored for a pass.

    Args:
        pass_name: ``liver`` or ``lesion``.
        labels: (slice, row, column) of :mod:`.datasets.labels`.
        spacing: (slice, row, column) in mm.
    """
    if pass_name == "liver":
        size = canvas_side(recipe.liver)
        if recipe.model.liver_pass.pixel_mm is None:
            return whole_slice_view(labels.shape[1], labels.shape[2], spacing[1:], size, None)
        # One canvas for all cases: a larger field of view is cut (nothing but air and table there).
        rows, columns = (max(8, round(size * recipe.model.liver_pass.pixel_mm / step)) for step in spacing[1:])
        return View((labels.shape[1] - rows) // 2, (labels.shape[2] - columns) // 2, rows, columns, (size, size))
    margin = (1 + recipe.model.lesion_pass.margin) * CANVAS_MARGIN - 1
    in_row, in_column = np.any(labels, axis=(0, 2)), np.any(labels, axis=(0, 1))
    return liver_box_view(in_row, in_column, spacing[1:], canvas_side(recipe.lesion), margin)


@dataclass
class SliceStore:
    """Training slices of one pass.

    Attributes:
        images: (n, canvas, canvas) uint8: HU scaled from the recipe's window to 0..255.
        targets: (n, 2, canvas, canvas) uint8: liver (lesions included) and lesion, coverage 0..255 of each pixel.
        priors: (n, 2, canvas / 2, canvas / 2) uint8 cross-fitted estimates of the same maps, or None.
        case: (n,) index into ``names``; slice: (n,) slice index in the case; patient: (n,) number of the patient.
        kinds: (n,) one of ``lesion``, ``liver``, ``near``, ``neither``.
        names: Case names; patients: patient names; views: view of each case.
        inner: Part of the canvas side that the network's native view covers.
        chosen: (n,) bool: which slices the pass trains on; others are there for the priors of the lesion pass.
        lesions_known: (n,) bool: whether somebody has looked for lesions in the slice.
        beside: (n, 2) index of the slice below (towards the feet) and of that above, at about the recipe's distance,
            its own where there is none; None where the pass sees no neighbours.
    """

    images: np.ndarray
    targets: np.ndarray
    priors: np.ndarray | None
    case: np.ndarray
    slice: np.ndarray
    patient: np.ndarray
    kinds: np.ndarray
    names: list[str]
    patients: list[str]
    views: list[View]
    inner: float
    chosen: np.ndarray
    lesions_known: np.ndarray
    beside: np.ndarray | None = None

    @property
    def canvas(self) -> int:
        return int(self.images.shape[-1])

    def seen(self, index: np.ndarray) -> np.ndarray:
        """What the network sees of slices (n,): their indices, and those of their neighbours: (n, 1 or 3)."""
        own = np.asarray(index)[:, None]
        return own if self.beside is None else np.concatenate([own, self.beside[index]], axis=1)


def build_store(
    cases: Sequence[TrainingCase],
    pass_name: str,
    recipe: Recipe,
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
    slices: int | None = None,
) -> None:
    """Resamples the slices of the cases for a pass and writes them into a folder, replacing it in one step.

    Slices go to disk as they are made: the memory that is needed does not grow with the number of cases.

    Args:
        slices: Number of slices that the liver pass trains on, drawn by the recipe's seed as the paper drew its 8,802
            (:func:`choose_slices`); None for all.

    Raises:
        DataProblems: If cases cannot be read, their label maps are wrong or hold no liver: all of them.
        InputError: If there is no slice to draw.
    """
    shown: list[np.ndarray] | None = None
    if pass_name == "liver" and slices is not None:
        shown = [_kinds(case, *loaded) for _, case, loaded in _each(cases, TrainingCase.load)]
        chosen = choose_slices(shown, slices, recipe.seed)
        if not any(each.any() for each in chosen):
            raise InputError(
                f"The recipe {recipe.name} trains on as many slices with lesions as without liver, and the cases have "
                "none of one sort: give cases that do, or choose the recipe compact"
            )
    model, lesion_pass = recipe.model, pass_name == "lesion"
    stage = recipe.lesion if lesion_pass else recipe.liver
    neighbour_mm = model.lesion_pass.neighbour_mm if lesion_pass else None
    canvas = canvas_side(stage)
    with replaced_folder(folder) as partial:
        rows: dict[str, list[Any]] = {
            key: [] for key in ("case", "slice", "kinds", "chosen", "known", "beside", "views")
        }
        with (
            NpyWriter(partial / "images.npy", np.uint8, (canvas, canvas)) as images,
            NpyWriter(partial / "targets.npy", np.uint8, (2, canvas, canvas)) as targets,
        ):
            for number, case, (hu, labels, spacing) in _each(cases, _load):
                kinds = _kinds(case, hu, labels, spacing) if shown is None else shown[number]
                # The lesion pass sees no slices far from the liver; for those that it sees the liver pass makes priors.
                near = kinds != "neither"
                trained = near if lesion_pass else np.ones(len(kinds), bool) if shown is None else chosen[number]
                keep = np.flatnonzero(trained if shown is None else trained | near)
                view = canvas_view(pass_name, recipe, labels, spacing)
                shift = model.lesion_pass.shift_hu(median_liver_hu(hu, labels, model.window_hu)) if lesion_pass else 0.0
                for start in range(0, len(keep), _CHUNK):
                    part = keep[start : start + _CHUNK]
                    image = view.extract(normalise(torch.from_numpy(hu[part]), model.window_hu, shift))
                    masks = (labels[part] > 0, labels[part] == LESION)
                    covered = [view.extract(torch.from_numpy(mask.astype(np.float32))) for mask in masks]
                    images.append(stored(image))
                    targets.append(stored(torch.stack(covered, 1)))
                if neighbour_mm is not None:
                    # Single slices have none.
                    positions = case.positions_mm(len(hu), spacing[0])
                    where = np.full(len(keep), np.nan) if case.sparse else positions[keep]
                    rows["beside"] += (len(rows["case"]) + slices_beside(where, neighbour_mm)).tolist()
                rows["known"] += [not (labels[i] == LESIONS_UNKNOWN).any() for i in keep]
                rows["case"] += [number] * len(keep)
                rows["slice"] += keep.tolist()
                rows["kinds"] += kinds[keep].tolist()
                rows["chosen"] += trained[keep].tolist()
                rows["views"].append([view.top, view.left, view.height, view.width, *view.size])
                if progress is not None:
                    progress(number + 1, len(cases))
        description = {
            "cases": [case.name for case in cases],
            "patients": [case.patient for case in cases],
            "inner": stage.size / canvas,
            **rows,
        }
        (partial / "slices.json").write_text(json.dumps(description), encoding="utf-8")


def _each(cases: Sequence[TrainingCase], read: Callable[[TrainingCase], T]) -> Iterator[tuple[int, TrainingCase, T]]:
    """Number, case and what is read of it, case by case; what could not be read is said at the end, all at once."""
    problems = []
    for number, case in enumerate(cases):
        try:
            value = read(case)
        except CascadeError as error:
            problems.append(Problem(case.name, str(error)))
            continue
        yield number, case, value
    if problems:
        raise DataProblems(problems)


def _kinds(case: TrainingCase, _hu: np.ndarray, labels: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    return slice_kinds(*slices_shown(labels), case.sparse, case.positions_mm(len(labels), spacing[0]))


def slices_beside(positions_mm: np.ndarray, distance_mm: float) -> np.ndarray:
    """For each of some slices, which of them lies nearest to a distance below it, and which above.

    Args:
        positions_mm: (n,); NaN where nobody knows.

    Returns:
        (n, 2) indices; a slice's own where none is at most ``NEIGHBOUR_REACH`` times the distance away.
    """
    away = positions_mm[None] - positions_mm[:, None]
    steps = np.stack([-away, away])
    near = (steps > 0) & (steps <= NEIGHBOUR_REACH * distance_mm)
    error = np.where(near, np.abs(steps - distance_mm), np.inf)
    return np.where(near.any(axis=2), error.argmin(axis=2), np.arange(len(positions_mm))).T


def _load(case: TrainingCase) -> tuple[np.ndarray, np.ndarray, tuple[float, float, float]]:
    hu, labels, spacing = case.load()
    require_liver(labels)
    return hu, labels, spacing


def open_store(folder: Path) -> SliceStore:
    """Opens a store that ``build_store`` wrote; the pixels stay on disk until they are used.

    Raises InputError where it is damaged.
    """
    try:
        return _open(folder)
    except (OSError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise InputError(
            f"The prepared slices in {folder} are damaged ({error}): delete that folder, and the same command makes "
            "them again"
        ) from error


def _open(folder: Path) -> SliceStore:
    description = json.loads((folder / "slices.json").read_text(encoding="utf-8"))
    patients = sorted(set(description["patients"]))
    case = np.asarray(description["case"])
    patient_of_case = np.asarray([patients.index(name) for name in description["patients"]])
    priors = folder / "priors.npy"
    store = SliceStore(
        images=mapped_array(folder / "images.npy"),
        targets=mapped_array(folder / "targets.npy"),
        priors=mapped_array(priors) if priors.is_file() else None,
        case=case,
        slice=np.asarray(description["slice"]),
        patient=patient_of_case[case],
        kinds=np.asarray(description["kinds"]),
        names=description["cases"],
        patients=patients,
        views=[
            View(top, left, height, width, (rows, columns))
            for top, left, height, width, rows, columns in description["views"]
        ],
        inner=description["inner"],
        chosen=np.asarray(description["chosen"]),
        lesions_known=np.asarray(description["known"]),
        beside=np.asarray(description["beside"]) if description["beside"] else None,
    )
    parts = (store.targets, store.case, store.slice, store.kinds, store.chosen, store.lesions_known)
    if any(len(part) != len(store.images) for part in parts) or store.images.shape[1:] != store.targets.shape[2:]:
        raise ValueError("its parts are of different lengths")
    return store
