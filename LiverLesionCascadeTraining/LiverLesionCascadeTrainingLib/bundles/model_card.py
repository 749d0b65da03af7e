"""The model card of a bundle: its metadata as a page for people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.files import write_atomically
from LiverLesionCascadeLib.engine.model.bundle import METADATA_FILE, ModelBundle, trained_on

from ..evaluation.evaluation_text import number

CARD_FILE = "MODEL_CARD.md"
RELIABILITY_FILE, FROC_FILE = "reliability.png", "froc.png"


def write_model_card(folder: Path) -> None:
    """Writes ``MODEL_CARD.md`` of the bundle in a folder, from its metadata alone."""
    metadata = json.loads((folder / METADATA_FILE).read_text(encoding="utf-8"))
    card = model_card(metadata, (folder / metadata["weights"]["file"]).stat().st_size)
    write_atomically(folder / CARD_FILE, card.encode())


def require_card(bundle: ModelBundle) -> None:
    """Raises InputError where figures cannot be recorded, as the bundle does not say what its card needs."""
    try:
        model_card(bundle.metadata, 0)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"Nothing can be recorded in {bundle.folder}: its metadata lack what the model card says, or say it in "
            f"another form ({error}). Export the bundle again (train --job export), or leave --record out"
        ) from error


def model_card(metadata: dict[str, Any], weights_bytes: int) -> str:
    """The card as Markdown."""
    training, liver, lesion = metadata["training"], metadata["liver_pass"], metadata["lesion_pass"]
    low, high = metadata["window_hu"]
    decoders = metadata["network"].get("decoders")
    pixels = f"pixels of {liver['pixel_mm']} mm" if liver["pixel_mm"] else "scaled to the native size"
    density = f", the liver's median shifted to {lesion['liver_hu']:g} HU" if lesion.get("liver_hu") is not None else ""
    again = f", then on its own result, {lesion['iterations']} times in all" if lesion["iterations"] > 1 else ""
    runs = f"run on the liver pass's maps{again}"
    beside = f", with the slices {lesion['neighbour_mm']:g} mm below and above" if lesion.get("neighbour_mm") else ""
    jobs = [[name, job["steps"], job["images"], number(job["hours"], 2)] for name, job in training["jobs"].items()]
    share = training["recipe"].get("fine_tuned", 1.0) if "lesion" in training["jobs"] else 1.0
    start = training.get("started_from")
    hours = [job["hours"] for job in training["jobs"].values()]
    took = "" if None in hours else f", {sum(hours):.1f} hours of training"
    unknown = training.get("lesions_unknown")
    sections = [
        f"# {metadata['name']} {metadata['version']}",
        metadata["intended_use"],
        "## Model",
        f"Two residual networks of Table 1 of Bi et al. 2017 at width {metadata['network']['width']:g} "
        f"({weights_bytes / 1e6:.1f} MB in half precision). HU window [{low:g}, {high:g}]. Liver pass: whole slices, "
        f"{liver['size']} x {liver['size']}, {pixels}. Lesion pass: the liver's box, {lesion['size']} x "
        f"{lesion['size']}{beside}{density}, {runs}."
        + (f" Networks with a decoder: {', '.join(metadata['network']['decoders'])}." if decoders else ""),
        "## Training",
        f"{training['patients']} patients: {len(training['scans'])} scans ({', '.join(training['scans'])}) and single "
        f"slices of {len(training['single_slice_scans'])} more ({', '.join(training['single_slice_scans'])}). "
        + (f"Of {len(unknown)} only the liver is labelled ({', '.join(unknown)}). " if unknown else "")
        + f"Recipe `{training['recipe']['name']}`, seed {training['recipe']['seed']}{took}:",
        *([_started(start)] if start else []),
        _table(["job", "steps", "images", "hours"], jobs),
        "The `liver-fold` networks only make the cross-fitted priors from which `lesion` learns; they are not shipped."
        + (
            f" The lesion pass is {1 - share:.0%} `lesion-image`, {share:.0%} `lesion`, by weight." if share < 1 else ""
        ),
    ]
    if "validation" in metadata:
        sections += ["## Validation", *_validation(metadata["validation"], trained_on(metadata))]
    if "cross_validation" in metadata:
        sections += ["## Cross-validation", *_cross_validation(metadata["cross_validation"])]
    sections += [
        "## Limitations",
        "\n".join(f"* {line}" for line in metadata["limitations"]),
        "## Licence and attribution",
        f"{metadata['license']}. {metadata['attribution']}",
        "\n".join(f"* {line}" for line in metadata["citations"]),
    ]
    return "\n\n".join(sections) + "\n"


def _started(start: str | dict[str, Any]) -> str:
    """Which networks started from which others: by job, or of both passes' in bundles of earlier versions."""
    jobs: dict[str, list[str]] = {start: ["liver", "lesion-image"]} if isinstance(start, str) else {}
    for job, began in start.items() if isinstance(start, dict) else ():
        jobs.setdefault(began["name"], []).append(job)
    text = "; ".join(
        f"{', '.join(of[:-1])} and {of[-1]} networks started from those of {name}"
        if len(of) > 1
        else f"{of[0]} network started from that of {name}"
        for name, of in jobs.items()
    )
    return f"The {text}."


def _cross_validation(figures: dict[str, Any]) -> list[str]:
    slices = f"single slices of {figures['single_slice_scans']} patients"
    dice = [
        [f"{figures['scans']} scans", number(figures["liver_dice"]), number(figures["lesion_dice"])],
        [slices, number(figures["single_slices_liver_dice"]), number(figures["single_slices_lesion_dice"])],
    ]
    sizes = {"below 10 mm": "below_10_mm", "10 mm and more": "from_10_mm"}
    counts = [
        [size, *(figures["lesions"][key][of] for of in ("reference", "found", "predicted", "false"))]
        for size, key in sizes.items()
    ]
    return [
        f"{figures['folds']} parts of the patients of training and validation, preset `{figures['preset']}`: "
        "networks of the same recipe, trained without one part, segment that part. The lesion pass is that of the "
        "job `lesion-image`, which knows no priors.",
        _table(["", "liver Dice", "lesion Dice"], dice),
        _table(["long diameter", "lesions", "found", "segmented", "false"], counts),
        f"The confidence of the {figures['found_lesions']} lesions that were segmented has an expected calibration "
        f"error of {number(figures['expected_calibration_error'])}:",
        f"![Share of true lesions by confidence]({RELIABILITY_FILE})",
        *(_froc(figures["froc"]) if "froc" in figures else []),
    ]


def _froc(points: list[dict[str, float]]) -> list[str]:
    rows = [[number(point[key], 2) for key in ("false_per_scan", "confidence", "recall")] for point in points]
    return [
        "How many of the lesions are found, and how many false ones are listed with them, if lesions are listed from a "
        "confidence on (those with a section of 20 mm always):",
        _table(["false a scan", "listed from", "found"], rows, left=0),
        f"![Share of lesions found by false ones a scan]({FROC_FILE})",
    ]


def _validation(validation: dict[str, Any], trained: set[str]) -> list[str]:
    counts = ("lesions", "found", "false_positives")
    rows = [
        [
            case["name"],
            number(case["liver_dice"]),
            number(case["lesion_dice"]),
            *(number(case[name], 0) for name in counts),
        ]
        for case in validation["cases"]
    ]
    rows.append(["mean", number(validation["liver_dice"]), number(validation["lesion_dice"]), "", "", ""])
    seen = [case["name"] for case in validation["cases"] if case["name"] in trained]
    whom = f". The networks were trained on scans named {', '.join(seen)}" if seen else ", patients not trained on"
    return [
        f"Preset `{validation['preset']}`{whom}. A case without lesions has no lesion Dice.",
        _table(["case", "liver Dice", "lesion Dice", "lesions", "found", "false"], rows),
    ]


def _table(head: list[str], rows: list[list[Any]], left: int = 1) -> str:
    """A Markdown table, not aligned in plain text, whose first `left` columns are aligned left, the others right."""
    rule = ["---"] * left + ["---:"] * (len(head) - left)
    return "\n".join("|" + "".join(f" {cell} |" if cell != "" else " |" for cell in row) for row in (head, rule, *rows))
