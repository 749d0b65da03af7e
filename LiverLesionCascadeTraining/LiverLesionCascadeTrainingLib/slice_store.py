"""Slices prepared for training: resampled once to the view of a pass, kept in memory-mapped files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from LiverLesionCascadeLib.engine.view import View, liver_box_view, normalise, whole_slice_view

from .cases import TrainingCase
from .recipes import Recipe

#: The stored canvas is larger than what the network sees, so that shifts, rotations and scales find image, not padding.
CANVAS_MARGIN = 1.25
#: Slices without liver that are at most this far from it count as its neighbours (DESIGN section 5).
NEAR_SLICES = 4

PASSES = ("liver", "lesion")


def canvas_view(pass_name: str, recipe: Recipe, labels: np.ndarray, spacing: tuple[float, float, float]) -> View:
    """The view in which a case is stored for a pass.

    Args:
        pass_name: ``liver`` or ``lesion``.
        labels: (slice, row, column), 0, 1 liver, 2 lesion.
        spacing: (slice, row, column) in mm.
    """
    if pass_name == "liver":
        size = 8 * round(recipe.liver.size * CANVAS_MARGIN / 8)
        if recipe.pixel_mm is None:
            return whole_slice_view(labels.shape[1], labels.shape[2], spacing[1:], size, None)
        # One canvas for all cases: a larger field of view is cut (nothing but air and table there).
        rows, columns = (max(8, round(size * recipe.pixel_mm / step)) for step in spacing[1:])
        return View((labels.shape[1] - rows) // 2, (labels.shape[2] - columns) // 2, rows, columns, (size, size))
    liver = labels > 0
    size = 8 * round(recipe.lesion.size * CANVAS_MARGIN / 8)
    margin = (1 + recipe.margin) * CANVAS_MARGIN - 1
    return liver_box_view(np.any(liver, axis=(0, 2)), np.any(liver, axis=(0, 1)), spacing[1:], size, margin)


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

    @property
    def canvas(self) -> int:
        return int(self.images.shape[-1])


def _kinds(labels: np.ndarray, sparse: bool) -> np.ndarray:
    liver, lesion = (labels > 0).any(axis=(1, 2)), (labels == 2).any(axis=(1, 2))
    kinds = np.where(lesion, "lesion", np.where(liver, "liver", "neither")).astype("<U7")
    if not sparse and liver.any():
        where = np.flatnonzero(liver)
        for i in np.flatnonzero(~liver):
            if np.abs(where - i).min() <= NEAR_SLICES:
                kinds[i] = "near"
    return kinds


def build_store(
    cases: list[TrainingCase],
    pass_name: str,
    recipe: Recipe,
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Resamples all slices of the cases for a pass and writes them into a folder, replacing it in one step.

    Raises:
        InputError: If a case cannot be read or its label map is wrong.
    """
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        images, targets, case_index, slice_index, kinds, views = [], [], [], [], [], []
        for number, case in enumerate(cases):
            hu, labels, spacing = case.load()
            kind = _kinds(labels, case.sparse)
            view = canvas_view(pass_name, recipe, labels, spacing)
            views.append(view)
            # The lesion pass never sees slices far from the liver.
            keep = np.flatnonzero(kind != "neither") if pass_name == "lesion" else np.arange(len(kind))
            image = view.extract(normalise(torch.from_numpy(hu[keep]), recipe.window_hu))
            liver = view.extract(torch.from_numpy((labels[keep] > 0).astype(np.float32)))
            lesion = view.extract(torch.from_numpy((labels[keep] == 2).astype(np.float32)))
            images.append((image * 255).round().to(torch.uint8).numpy())
            targets.append((torch.stack([liver, lesion], 1) * 255).round().to(torch.uint8).numpy())
            case_index += [number] * len(keep)
            slice_index += keep.tolist()
            kinds += kind[keep].tolist()
            if progress is not None:
                progress(number + 1, len(cases))
        np.save(partial / "images.npy", np.concatenate(images))
        np.save(partial / "targets.npy", np.concatenate(targets))
        native = (recipe.liver if pass_name == "liver" else recipe.lesion).size
        description = {
            "cases": [case.name for case in cases],
            "patients": [case.patient for case in cases],
            "case": case_index,
            "slice": slice_index,
            "kinds": kinds,
            "views": [[view.top, view.left, view.height, view.width, *view.size] for view in views],
            "inner": native / images[0].shape[-1],
        }
        (partial / "slices.json").write_text(json.dumps(description), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def open_store(folder: Path) -> SliceStore:
    """Opens a store that ``build_store`` wrote; the pixels stay on disk until they are used."""
    description = json.loads((folder / "slices.json").read_text(encoding="utf-8"))
    patients = sorted(set(description["patients"]))
    case = np.asarray(description["case"])
    patient_of_case = np.asarray([patients.index(name) for name in description["patients"]])
    priors = folder / "priors.npy"
    return SliceStore(
        images=np.load(folder / "images.npy", mmap_mode="r"),
        targets=np.load(folder / "targets.npy", mmap_mode="r"),
        priors=np.load(priors, mmap_mode="r") if priors.is_file() else None,
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
    )
