"""Turns a finished training run into a model bundle that says what it is."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.files import write_atomically, writing_to
from LiverLesionCascadeLib.engine.model.bundle import METADATA_FILE, save_bundle

from ..cases.case_source import read_json
from ..evaluation.evaluation import EvaluationSummary
from ..runs.run_folder import LOG_FILE
from ..training.cascade_training import CascadeTraining
from ..training.checkpoint import DamagedError, steps_done
from ..training.training_log import read_rows
from .model_card import write_model_card

#: What a person must write about a bundle; the rest is recorded by the training itself.
CARD_KEYS = ("name", "version", "intended_use", "limitations", "license", "attribution", "citations")
#: What is known of a bundle's weights only after it was written.
_RECORDED = ("validation", "cross_validation", "lesion_filter")
PAPER_CITATION = (
    "Bi L, Kim J, Kumar A, Feng D. Automatic liver lesion detection using cascaded deep residual networks. "
    "arXiv:1704.02703, 2017."
)


def read_card(path: Path) -> dict[str, Any]:
    """Reads the JSON file with what a person says about the bundle (``CARD_KEYS``).

    Raises:
        InputError: If it cannot be read or misses a key.
    """
    card = read_json(path)
    missing = [key for key in CARD_KEYS if key not in card]
    if missing:
        raise InputError(
            f"The card {path} lacks {', '.join(missing)}: add them, they are shown to whoever uses the model"
        )
    return {key: card[key] for key in CARD_KEYS}


def default_card(recipe: str) -> dict[str, Any]:
    """The card that comes with a recipe: honest about what a network trained on somebody's own cases is."""
    return {
        "name": f"{recipe}-own",
        "version": "1.0.0",
        "intended_use": "Research on liver and liver lesion segmentation in contrast-enhanced CT.",
        "limitations": ["Known only for scans like those that it was trained on."],
        "license": "Chosen by whoever trained it",
        "attribution": "Trained with Liver Lesion Cascade",
        "citations": [PAPER_CITATION],
    }


def logged_hours(log: Path, batch: int) -> float | None:
    """Hours that a job's logged steps took; None where its log was not kept."""
    if not log.is_file():
        return None
    hours, step_before = 0.0, 0
    for row in read_rows(log):
        step = int(row["step"])
        # From the throughput: pauses between a stop and the resume do not count.
        hours += (step - step_before) * batch / (float(row["images_per_second"]) * 3600)
        step_before = step
    return round(hours, 2)


def export_bundle(training: CascadeTraining, folder: Path, card: dict[str, Any], lesion_job: str = "lesion") -> None:
    """Writes the bundle of a finished run; what was recorded in the folder for the same weights and settings stays.

    Args:
        lesion_job: Whose network becomes the lesion pass: ``lesion``, or ``lesion-image`` which knows no priors.

    Raises:
        TrainingError: If a job has not finished.
        OutputError: If the bundle cannot be written; an earlier one in the folder is kept.
    """
    recipe = training.recipe
    networks = {"liver": training.averaged("liver"), "lesion": training.averaged(lesion_job)}
    # As they were trained, whatever length the recipe has now.
    done = {}
    for job in recipe.jobs:
        with suppress(DamagedError):  # of a job that the bundle does not need: the others' have been read
            done[job] = steps_done(training.folder / job)
    jobs = {
        job: {
            "steps": steps,
            "images": steps * recipe.batch,
            "hours": logged_hours(training.folder / job / LOG_FILE, recipe.batch),
        }
        for job, steps in done.items()
        if steps
    }
    cases, store = training.cases["train"], training.store("train", "liver")
    # Slices without liver show no lesions either, whoever looked.
    shows_liver = np.isin(store.kinds, ("lesion", "liver"))
    looked_at = {store.names[case] for case in store.case[store.lesions_known & shows_liver]}
    metadata = {
        **card,
        **recipe.model.metadata(),
        "training": {
            "recipe": recipe.to_dict(),
            "jobs": jobs,
            "started_from": training.starts() or None,
            "patients": len({case.patient for case in cases}),
            "scans": [case.name for case in cases if not case.sparse],
            "single_slice_scans": [case.name for case in cases if case.sparse],
            "lesions_unknown": [name for name in store.names if name not in looked_at],
        },
    }
    with writing_to(folder):
        lost = save_bundle(folder, networks, metadata, _RECORDED)
        write_model_card(folder)
    if lost:
        gone = f"what was recorded for those is gone ({', '.join(lost)})"
        training.report(f"{folder} held other weights or settings: {gone}")


def validation_figures(summary: EvaluationSummary, preset: str) -> dict[str, Any]:
    """What of an evaluation is kept in a bundle."""
    cases = []
    for case in summary.cases:
        counts = case.lesion_counts
        cases.append(
            {
                "name": case.name,
                "liver_dice": round(case.liver.dice, 4),
                "lesion_dice": round(case.lesion.dice, 4) if case.has_lesions else None,
                "lesions": counts and counts.reference,
                "found": counts and counts.found,
                "false_positives": counts and counts.false_positives,
            }
        )
    return {
        "preset": preset,
        "cases": cases,
        "liver_dice": summary.liver_mean["dice"],
        "lesion_dice": summary.lesion_mean["dice"],
    }


def record_figures(folder: Path, key: str, figures: dict[str, Any] | None) -> None:
    """Writes one entry of a bundle's metadata, or removes it, and the model card anew; the weights stay as they are."""
    path = folder / METADATA_FILE
    metadata = json.loads(path.read_text(encoding="utf-8"))
    metadata.pop(key, None)
    if figures is not None:
        metadata[key] = figures
    write_atomically(path, (json.dumps(metadata, indent=2, ensure_ascii=False) + "\n").encode())
    write_model_card(folder)
