"""Table 2 of Bi et al. 2017: the methods that it compares, trained and measured on one's own data.

Each method is a row that segments a CT. The cascade is in the table twice: as the paper runs it, on whole slices and
with the first network's maps from its first training step on, and as the product does, in the liver's box and trained
from the image first. Measures are kept by row and case in ``RUN/results``: an interrupted run goes on.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from LiverLesionCascadeLib.archive.records import model_identity
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
from LiverLesionCascadeLib.engine.model.network import SliceNetwork
from LiverLesionCascadeLib.engine.passes.presets import DEFAULT_PRESET, PAPER_SCALES, PRESETS, Preset
from LiverLesionCascadeLib.engine.results.postprocessing import PostProcessing
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from LiverLesionCascadeLib.engine.segmenter import Segmenter

from ..cases.case_source import read_json, write_json
from ..cases.training_case import TrainingCase
from ..datasets.prepared import is_prepared
from ..evaluation.evaluation import evaluate_case
from ..evaluation.evaluation_records import MEASURES
from ..training.cascade_training import CascadeTraining
from ..training.checkpoint import LAST
from .baseline_training import BASELINE_JOBS, CASCADE_JOB, VGG_JOB, load_baseline, train_baseline
from .whole_slices import WholeSlices

#: Percent, on 13 validation scans: liver Dice, lesion Dice, liver Jaccard, lesion Jaccard.
PAPER: dict[str, tuple[float, float, float, float]] = {
    "VGG-FCN": (91.96, 29.88, 85.47, 19.65),
    "ResNet": (95.27, 48.50, 91.17, 37.24),
    "Cascaded ResNet": (95.51, 49.83, 91.45, 38.59),
    "Cascaded ResNet (w 3D-CRF)": (95.24, 31.65, 91.01, 23.86),
    "Cascaded ResNet (w Multi-scale Fusion)": (95.90, 50.01, 92.19, 38.79),
}
WHOLE, BOX = "whole slices", "liver's box"


@dataclass(frozen=True)
class Row:
    """A method.

    Attributes:
        key: Name of its folder.
        method: The paper's name for it, a key of ``PAPER``; another name for what the paper has no figures of.
        sees: What the last network sees: ``WHOLE`` or ``BOX``.
        weights: Files that its networks come from: others give other measures.
        segment: Liver and lesions (slice, row, column) of a CT.
        model: What else of a bundle its results depend on, such as its filter of false lesions.
    """

    key: str
    method: str
    sees: str
    weights: tuple[Path, ...]
    segment: Callable[[CTVolume], tuple[np.ndarray, np.ndarray]]
    model: str = ""


def data_folders(folder: Path) -> tuple[list[Path], list[Path]]:
    """Training and validation folders in D: ``lits/train``, ``lits/sparse/train`` and ``lits/val`` (or without
    ``lits``), or a prepared data set with a split of its own.

    Raises:
        InputError: If it holds neither.
    """
    if is_prepared(folder):
        return [folder], []
    lits = folder / "lits" if os.path.isdir(folder / "lits") else folder
    train = [path for path in (lits / "train", lits / "sparse" / "train") if os.path.isdir(path)]
    if not train or not os.path.isdir(lits / "val"):
        raise InputError(
            f"{folder} is no prepared data set and holds no lits/train and lits/val: prepare one with "
            "liver-lesion-cascade prepare"
        )
    return train, [lits / "val"]


def train_networks(training: CascadeTraining, box: bool) -> None:
    """Trains what has not been trained: the baselines and, where ``box`` is set, the product's cascade."""
    jobs = training.recipe.jobs if box else ("liver",)
    training.prepare(jobs)
    for job in jobs:
        training.run(job)
    for job in BASELINE_JOBS:
        train_baseline(training, job)


def table_rows(training: CascadeTraining, bundle: ModelBundle) -> list[Row]:
    """The rows, in the paper's order.

    Args:
        training: Whose networks have been trained.
        bundle: The cascade as the product runs it.
    """
    resnet, cascade = training.load("liver"), load_baseline(training, CASCADE_JOB)
    files = {job: training.folder / job / LAST for job in ("liver", *BASELINE_JOBS)}

    def whole(*networks: SliceNetwork) -> WholeSlices:
        return WholeSlices(networks, training.recipe.model, training.device)

    vgg, one, two = whole(load_baseline(training, VGG_JOB)), whole(resnet), whole(resnet, cascade)
    both = files["liver"], files[CASCADE_JOB]
    segmenter = Segmenter(bundle, str(training.device))
    shipped, model = (bundle.folder / bundle.metadata["weights"]["file"],), model_identity(bundle)

    def in_box(preset: Preset) -> Callable[[CTVolume], tuple[np.ndarray, np.ndarray]]:
        def segment(ct: CTVolume) -> tuple[np.ndarray, np.ndarray]:
            result = segmenter.segment(ct, preset)
            return result.liver.full(ct.hu.shape), result.lesions.full(ct.hu.shape) > 0

        return segment

    # The paper's rules for all: holes are filled and nothing else is done.
    in_the_box = Preset("table 2", postprocessing=PostProcessing.paper())
    all_scales = replace(in_the_box, liver_scales=PAPER_SCALES, lesion_scales=PAPER_SCALES)
    _, _, plain, crf, fused = PAPER
    return [
        Row("vgg-fcn", "VGG-FCN", WHOLE, (files[VGG_JOB],), vgg.segment),
        Row("resnet", "ResNet", WHOLE, (files["liver"],), one.segment),
        Row("whole", plain, WHOLE, both, two.segment),
        Row("whole-crf", crf, WHOLE, both, lambda ct: two.segment(ct, crf=True)),
        Row("whole-scales", fused, WHOLE, both, lambda ct: two.segment(ct, PAPER_SCALES)),
        Row("box", plain, BOX, shipped, in_box(in_the_box), model),
        Row("box-crf", crf, BOX, shipped, in_box(replace(in_the_box, crf=True)), model),
        Row("box-scales", fused, BOX, shipped, in_box(all_scales), model),
        Row("box-default", f"Preset {DEFAULT_PRESET}, all rules", BOX, shipped, in_box(PRESETS[DEFAULT_PRESET]), model),
    ]


def measure(
    rows: Sequence[Row], cases: Sequence[TrainingCase], folder: Path, report: Callable[[str], None]
) -> dict[str, Any]:
    """Measures every row on every case, or takes what was measured before on the same files, with the same networks.

    Returns:
        By row key a list, one a case, of ``CaseMetrics.to_dict()`` with ``seconds``.
    """
    found: dict[str, list[Any]] = {row.key: [] for row in rows}
    weights = {row.key: _fingerprint(row.weights) for row in rows}
    for case in cases:
        scan, fingerprint = None, case.fingerprint()
        for row in rows:
            path = folder / row.key / f"{case.name}.json"
            kept = read_json(path) if path.is_file() else {}
            made_with = {"weights": weights[row.key], "model": row.model, "case": fingerprint, "version": MEASURES}
            if {key: kept.get(key) for key in made_with} != made_with:
                scan = scan or case.read_as_scanned()
                ct, reference = scan
                started = time.perf_counter()
                liver, lesions = row.segment(ct)
                seconds = time.perf_counter() - started
                metrics = evaluate_case(liver, lesions, reference, ct.spacing, case.name)
                path.parent.mkdir(parents=True, exist_ok=True)
                measures = metrics.to_dict() | {"seconds": seconds}
                write_json(path, made_with | {"measures": measures})
                kept = read_json(path)
                dice = f"liver {metrics.liver.dice:.3f}, lesion {metrics.lesion.dice:.3f}"
                report(f"case {case.name}, {row.method} ({row.sees}): {dice}, {seconds:.0f} s")
            found[row.key].append(kept["measures"])
    return found


def _fingerprint(paths: Sequence[Path]) -> str:
    """Tells the contents of files from any others."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while part := file.read(2**20):
                digest.update(part)
    return digest.hexdigest()
