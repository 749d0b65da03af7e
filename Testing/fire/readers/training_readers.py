"""Readers of the training: label maps, segmentations, data sets, checkpoints, run folders."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
from collections.abc import Hashable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
import torch
from fixtures.dicom_files import write_series
from fixtures.dicom_seg_files import Segment, write_segmentation
from fixtures.lits_phantoms import phantom_case, write_case, write_lits_folders
from fixtures.tiny_recipe import tiny_recipe
from LiverLesionCascadeTrainingLib.cases.case_source import read_json
from LiverLesionCascadeTrainingLib.cases.training_case import TrainingCase
from LiverLesionCascadeTrainingLib.datasets.cases import find_splits
from LiverLesionCascadeTrainingLib.datasets.prepare import prepare
from LiverLesionCascadeTrainingLib.datasets.prepared import open_dataset
from LiverLesionCascadeTrainingLib.layouts.dicom_seg import find_dicom
from LiverLesionCascadeTrainingLib.layouts.lits import find_lits
from LiverLesionCascadeTrainingLib.layouts.slicer_folder import find_slicer
from LiverLesionCascadeTrainingLib.runs.run_control import RunControl
from LiverLesionCascadeTrainingLib.runs.run_folder import RunFolder, RunStatus
from LiverLesionCascadeTrainingLib.slices.slice_store import open_store
from LiverLesionCascadeTrainingLib.training.cascade_training import CascadeTraining
from LiverLesionCascadeTrainingLib.training.checkpoint import LAST, load_finished, save_atomically
from torch import nn

from .fuzzing import Files, Reader
from .scan_readers import checked_by_format, files_of, warns

HU, LABELS = phantom_case(1, slices=3, side=14)
HU = np.rint(HU).astype(np.int16)


def digest_of(case: TrainingCase) -> tuple[Hashable, bool]:
    ct, labels = case.read()
    pixels = np.ascontiguousarray(ct.hu).tobytes() + np.ascontiguousarray(labels).tobytes()
    return hashlib.blake2b(pixels).digest(), warns(ct)


def read_cases(find: Any, folder: Path) -> tuple[Hashable, bool]:
    """All cases of a folder; what is left out is said by problems and notes."""
    found = find(folder)
    read = [digest_of(case) for case in found.cases]
    return tuple(digest for digest, _ in read), bool(found.problems or found.notes or any(w for _, w in read))


def image(array: np.ndarray, vector: bool = False) -> sitk.Image:
    made = sitk.GetImageFromArray(array, isVector=vector)
    made.SetSpacing((5.0, 5.0, 4.0))
    return made


def label_maps() -> Reader:
    seeds: list[Files] = []
    for suffix in ("nii.gz", "nrrd", "mha", "nii"):
        with tempfile.TemporaryDirectory() as folder:
            for name, array in (("volume-1", HU), ("segmentation-1", LABELS)):
                sitk.WriteImage(image(array), str(Path(folder) / f"{name}.{suffix}"), True)
            seeds.append(files_of(Path(folder)))
    return Reader("label maps", seeds, partial(read_cases, find_lits), checked_by_format)


def segmentations() -> Reader:
    seeds: list[Files] = []
    for layers in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            sitk.WriteImage(image(HU), str(Path(folder) / "a.nrrd"), True)
            values = LABELS if layers == 1 else np.stack([LABELS > 0, LABELS == 2], -1).astype(np.uint8)
            made = image(values, vector=layers == 2)
            for number, name in enumerate(("Liver", "Lesion 1")):
                fields = {
                    "ID": f"s{number}", "Name": name, "LabelValue": str(number + 1 if layers == 1 else 1),
                    "Layer": "0" if layers == 1 else str(number), "Extent": "0 13 0 13 0 2",
                    "Tags": "TerminologyEntry:Segmentation category~SCT^85756007^Tissue~SCT^10200004^Liver~^^~A~^^~^^|"
                    if number == 0 else "|",
                }  # fmt: skip
                for key, value in fields.items():
                    made.SetMetaData(f"Segment{number}_{key}", value)
            sitk.WriteImage(made, str(Path(folder) / "a.seg.nrrd"), True)
            seeds.append(files_of(Path(folder)))
    return Reader("seg.nrrd", seeds, partial(read_cases, find_slicer), checked_by_format)


def dicom_segmentations() -> Reader:
    seeds: list[Files] = []
    for kind in ("BINARY", "FRACTIONAL", "LABELMAP"):
        with tempfile.TemporaryDirectory() as folder:
            uid = write_series(Path(folder) / "ct", (HU + 1024).clip(0).astype(np.uint16), "1.2.3.4")
            positions = [(-100.0, -50.0, 2.0 * n - 30.0) for n in range(len(HU))]
            liver = LABELS == 1 if kind == "LABELMAP" else LABELS > 0
            segments = [Segment("Liver", liver), Segment("Tumor", LABELS == 2)]
            write_segmentation(Path(folder) / "seg.dcm", segments, uid, positions, kind=kind)
            seeds.append(files_of(Path(folder)))
    return Reader("DICOM SEG", seeds, partial(read_cases, find_dicom))


def prepared_data() -> Reader:
    """What ``prepare`` wrote, and the description of cases in other layouts."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("1", "2"):
            write_case(root / "cases", name, HU + int(name), LABELS)  # no copies of one another
        prepare([root / "cases"], root / "out", share=0.5)
        prepared = files_of(root / "out")

    def read(place: Path) -> tuple[Hashable, bool]:
        dataset = open_dataset(place)
        read = [digest_of(case) for case in dataset.cases]
        for case in dataset.cases:
            _ = case.record().kinds, case.identity, case.fingerprint()
        return tuple(digest for digest, _ in read), any(warned for _, warned in read)

    return Reader("prepared data sets", [prepared], read)


def checkpoints() -> Reader:
    """``last.pt`` and the other files that a training goes on from."""
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    with tempfile.TemporaryDirectory() as folder:
        data = write_lits_folders(Path(folder) / "data")
        run, cases = Path(folder) / "run", find_splits([data[0]], [data[1]])
        CascadeTraining(run, tiny_recipe(1), cases, torch.device("cpu"), lambda line: None).prepare()
        kept = ("recipe.json", "cases.json", "train-liver")
        files = {name: content for name, content in files_of(run).items() if any(part in name for part in kept)}
        save_atomically({"step": 1, "average": network.state_dict(), "losses": [0.5]}, Path(folder) / LAST)
        files["liver/last.pt"] = (Path(folder) / LAST).read_bytes()

    def read(place: Path) -> tuple[Hashable, bool]:
        for name in ("recipe.json", "cases.json"):
            read_json(place / name)
        load_finished(network, place / "liver", 1, "train it first")
        open_store(place / "slices" / "train-liver")
        return 0, False

    return Reader("checkpoints", [files], read)


def run_folders() -> Reader:
    """What a run folder tells the panel, whoever wrote it."""
    status = RunStatus(7, 1.0, 2.0, "training", "liver", 3, 10, 60.0, 21.5, "cpu", None, "all well")
    log = "step,learning_rate,loss,images_per_second,validation_liver_dice,validation_lesion_dice\n1,0.1,2.5,20,,\n"
    preview = io.BytesIO()
    slices = np.zeros((2, 4, 4), np.uint8)
    np.savez_compressed(preview, images=slices, reference=slices, predicted=slices, names=np.array(["a", "b"]))
    files = {
        "status.json": json.dumps(status.__dict__).encode(),
        "control.json": b'{"command": "pause"}',
        "request.json": b'{"cases": ["a"], "recipe": "compact", "device": "cpu", "output": "run"}',
        "output.log": b"one\ntwo\n",
        "liver/log.csv": (log + "2,0.1,2.0,20,0.5,0.25\n").encode(),
        "liver/preview.npz": preview.getvalue(),
    }

    def read(place: Path) -> tuple[Hashable, bool]:
        run = RunFolder(place)
        found = run.status()
        assert found is None or all(
            isinstance(value, type(default)) or default is None or (isinstance(default, float) and type(value) is int)
            for value, default in zip(found.__dict__.values(), RunStatus().__dict__.values(), strict=True)
        ), f"a status of other types: {found}"
        for job in run.jobs():
            run.curves(job)
            run.preview(job)
        run.request()
        run.tail()
        RunControl(place).command()
        return 0, False

    return Reader("run folders", [files], read)
