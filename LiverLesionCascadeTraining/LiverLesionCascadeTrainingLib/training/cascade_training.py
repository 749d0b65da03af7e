"""Trains the whole cascade in a run folder, job by job; every job resumes where it stopped.

The run folder holds ``recipe.json``, ``cases.json``, ``slices/<split>-<pass>/`` and one folder per job.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import torch
from LiverLesionCascadeLib.engine.errors import CancelledError, InputError
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle, trained_on
from LiverLesionCascadeLib.engine.model.model_settings import PASSES
from LiverLesionCascadeLib.engine.model.network import CascadeResNet
from torch import nn

from ..cases.case_source import read_json, write_json
from ..datasets.cases import TrainingCase, patient_folds, require_folds
from ..datasets.folder_lock import alone_in
from ..datasets.slice_kinds import KINDS
from ..pretrained.imagenet_weights import ImageNetWeights
from ..recipes import Recipe
from ..runs.run_control import RunControl
from ..runs.run_folder import PREVIEW_FILE
from ..slices.batches import BatchMaker
from ..slices.cross_fitting import write_priors
from ..slices.slice_store import SliceStore, build_store, open_store
from ..slices.validation import slice_dice, write_preview
from .checkpoint import LAST, load_finished, steps_done
from .trainer import Execution, Trainer
from .weight_averaging import estimate_norms, mean_weights

#: In a job's folder: what its network started from.
START_FILE = "start.json"
#: In a job's folder, once another job has built on it: the step at which that was.
LEARNED_FILE = "learned.json"

Report = Callable[[str], None]


def pass_of(job: str) -> str:
    """``liver`` or ``lesion``: whose slices the job trains on."""
    return "lesion" if job.startswith("lesion") else "liver"


class CascadeTraining:
    """A training run of the cascade.

    Args:
        folder: Run folder; created. A run that was started with other cases or another recipe is refused.
        recipe: What to train.
        cases: Those for ``train`` and for ``validation`` (:func:`.cases.find_splits`).
        device: Where to train.
        report: Called with lines of text.
        start: Bundle whose networks the liver and lesion-image jobs start from; its width must be the recipe's. The
            folds never start from it: it may have seen the patients that they must not know.

    Raises:
        InputError: If the bundle has another width, or the folder belongs to another run.
    """

    def __init__(
        self,
        folder: Path,
        recipe: Recipe,
        cases: dict[str, list[TrainingCase]],
        device: torch.device,
        report: Report = print,
        start: ModelBundle | ImageNetWeights | None = None,
        execution: Execution | None = None,
        control: RunControl | None = None,
    ) -> None:
        self._execution, self._control = execution or Execution(), control or RunControl(None)
        self._ranks = self._execution.ranks
        self.folder, self.recipe, self.device = folder, recipe, device
        self.report: Report = report if self._ranks.first else lambda line: None
        self._start = start
        self.cases = cases
        model, liver, lesion = recipe.model, recipe.model.liver_pass, recipe.model.lesion_pass
        if start is not None and start.width != model.width:
            raise InputError(
                f"{start.name} has networks of width {start.width}, the recipe {recipe.name} of width "
                f"{model.width}: start from another bundle"
            )
        known = trained_on(start.metadata) if isinstance(start, ModelBundle) else set()
        seen = [case.name for case in self.cases["validation"] if case.name in known]
        if start is not None and seen:
            self.report(
                f"warning: {start.name} was trained on scans named {', '.join(seen)}: if these are the validation "
                "cases, their Dice is too high"
            )
        self.fold_of_patient = patient_folds(self.cases["train"], recipe.folds, recipe.seed)
        folder.mkdir(parents=True, exist_ok=True)
        self._remember(
            "cases.json",
            {split: [case.identity for case in cases] for split, cases in self.cases.items()},
            "other cases",
        )
        # A schedule may be shortened or lengthened until another job builds on the network (`_require_unused`); what
        # the network is may not change.
        self._remember(
            "recipe.json",
            {
                "name": recipe.name,
                "width": model.width,
                "window_hu": list(model.window_hu),
                "pixel_mm": liver.pixel_mm,
                "margin": lesion.margin,
                "seed": recipe.seed,
                "liver_size": liver.size,
                "lesion_size": lesion.size,
                "folds": recipe.folds,
                "batch": recipe.batch,
                "decoder": "lesion" in model.decoders,
                "liver_hu": lesion.liver_hu,
                "neighbour_mm": lesion.neighbour_mm,
            },
            "another recipe",
        )

    def starts(self) -> dict[str, Any]:
        """By job, what its network started from: the name, and of a bundle its weights' SHA-256 and training scans.

        Jobs that have not begun, or started from nothing, are left out.
        """
        begun = [job for job in self.recipe.jobs if (self.folder / job / LAST).is_file()]
        return {job: start for job in begun if (start := self._started(job))}

    def _started(self, job: str) -> dict[str, Any]:
        """What a job that has begun started from; in runs of earlier versions, what the command says."""
        path = self.folder / job / START_FILE
        return read_json(path) if path.is_file() else self._given(job)

    def _given(self, job: str) -> dict[str, Any]:
        """What the command gives a job to start from; empty for nothing."""
        start = self._start
        if isinstance(start, ImageNetWeights):
            return {"name": f"ResNet-38 trained on ImageNet ({start.name})"} if job != "lesion" else {}
        if start is None or job not in ("liver", "lesion-image"):
            return {}
        scans = sorted(trained_on(start.metadata))
        name, digest = f"{start.name} {start.version}", start.metadata["weights"]["sha256"]
        return {"name": name, "sha256": digest, "scans": scans}

    def _remember_start(self, job: str) -> None:
        """Raises InputError where a job that has begun is given something else to start from."""
        given, path = self._given(job), self.folder / job / START_FILE
        begun = (self.folder / job / LAST).is_file()
        if begun and path.is_file():
            began = read_json(path)
            # Names may change, the weights may not. Without a start the job goes on: its checkpoint has all it needs.
            same = began.get("sha256") == given.get("sha256") and bool(began) == bool(given)
            if self._start is not None and not same:
                raise InputError(
                    f"Job {job} in {self.folder} has begun from {began.get('name', 'random weights')}, and cannot "
                    f"start from {self._start.name} any more: give what it began from, or choose another folder"
                )
        elif self._ranks.first and (given or not begun):
            write_json(path, given)

    def _remember(self, name: str, content: dict[str, Any], what: str) -> None:
        path = self.folder / name
        if path.is_file():
            if read_json(path) != content:
                raise InputError(f"{self.folder} holds a run with {what}: choose another folder or delete it")
        elif self._ranks.first:
            write_json(path, content)

    def store_folder(self, split: str, pass_name: str) -> Path:
        return self.folder / "slices" / f"{split}-{pass_name}"

    def store(self, split: str, pass_name: str) -> SliceStore:
        return open_store(self.store_folder(split, pass_name))

    @property
    def _priors(self) -> Path:
        return self.store_folder("train", "lesion") / "priors.npy"

    def prepare(self, jobs: Sequence[str] | None = None) -> None:
        """Resamples the slices of all cases once; a second call does nothing.

        Args:
            jobs: What is going to be trained; None for all.

        Raises:
            InputError: If there are too few patients or slices for these jobs.
        """
        if jobs is None or set(jobs) & {*self.recipe.fold_jobs, "lesion"}:
            require_folds(self.fold_of_patient, self.recipe.folds)
        if self._ranks.first:
            self._control.say("preparing")
            # Jobs may be started at once on several cores: the first makes the slices, the others wait for them.
            (self.folder / "slices").mkdir(exist_ok=True)
            with alone_in(self.folder / "slices", wait=True):
                for split, pass_name in product(self.cases, PASSES):
                    folder = self.store_folder(split, pass_name)
                    if not folder.is_dir():
                        slices = self.recipe.slices if split == "train" else None
                        build_store(self.cases[split], pass_name, self.recipe, folder, self._check, slices)
                        kinds = open_store(folder).kinds.tolist()
                        counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in KINDS)
                        self.report(f"prepared {split} slices of the {pass_name} pass: {counts}")
        self._ranks.wait()

    def network(self, job: str) -> CascadeResNet:
        """A new network, initialised from the recipe's seed and the job, or with the weights to start from."""
        torch.manual_seed(self.recipe.seed + self.recipe.jobs.index(job))
        network = self.recipe.model.network(pass_of(job))
        if isinstance(self._start, ImageNetWeights):
            if job != "lesion":
                self._start.fill(network)
        elif self._start is not None and job in ("liver", "lesion-image"):
            network.load_trained(self._start.networks(torch.device("cpu"))[pass_of(job)].state_dict())
        return network

    def load(self, job: str) -> CascadeResNet:
        """The network of a finished job.

        Raises:
            TrainingError: If the job has not finished, or cannot be used.
        """
        network = self.recipe.model.network(pass_of(job))
        remedy = f"train it first (train --job {job})"
        load_finished(network, self.folder / job, self.recipe.stage(job).steps, remedy)
        return network.placed(self.device).eval()

    def averaged(self, job: str) -> CascadeResNet:
        """The network of a finished job; ``lesion`` averaged, as the recipe wants it, with ``lesion-image``.

        Raises:
            TrainingError: If a job has not finished.
        """
        network = self.load(job)
        if job == "lesion" and self.recipe.fine_tuned < 1:
            network.load_state_dict(mean_weights(self.load("lesion-image"), network, self.recipe.fine_tuned))
            batches = BatchMaker(self.store("train", "lesion"), self.recipe, self.recipe.lesion, job)
            estimate_norms(network, batches, self.device)
        return network

    def _learned_from(self, job: str) -> CascadeResNet:
        """The network of a finished job for another to build on, which is remembered (:meth:`_require_unused`)."""
        network = self.load(job)
        if self._ranks.first:
            write_json(self.folder / job / LEARNED_FILE, {"step": steps_done(self.folder / job)})
        return network

    def write_priors(self) -> None:
        """Cross-fitted priors for the lesion pass, from the fold networks of the liver pass."""
        folder = self.store_folder("train", "lesion")
        if self._ranks.first and not self._priors.is_file():
            networks: list[nn.Module] = [self._learned_from(job) for job in self.recipe.fold_jobs]
            stores = self.store("train", "lesion"), self.store("train", "liver")
            write_priors(*stores, networks, self.fold_of_patient, folder, self.device, self._check)
            self.report("wrote cross-fitted priors")
        self._ranks.wait()

    def run(self, job: str) -> None:
        """Trains one job, from its checkpoint if there is one.

        Raises:
            InputError: If it was trained for another number of steps, and another job has built on it.
            TrainingError: If a job that this one builds on has not finished, or training cannot go on.
            CancelledError: If it was told to stop.
        """
        stage = self.recipe.stage(job)
        self._require_unused(job)
        network = self.network(job)
        if job == "lesion":
            self.write_priors()
            network.load_state_dict(self._learned_from("lesion-image").state_dict())
        store = self.store("train", pass_of(job))
        patients = None
        if job in self.recipe.fold_jobs:
            fold = self.recipe.fold_jobs.index(job)
            patients = {i for i, name in enumerate(store.patients) if self.fold_of_patient[name] != fold}
        validation = self.store("validation", pass_of(job))

        def validate(trained: nn.Module, size: int) -> tuple[float, float]:
            preview = self.folder / job / PREVIEW_FILE
            write_preview(trained, validation, size, stage.image_thrice, self.device, preview)
            return slice_dice(trained, validation, size, stage.image_thrice, self.device)

        trainer = Trainer(
            network,
            BatchMaker(store, self.recipe, stage, job, patients),
            self.folder / job,
            self.device,
            validate,
            self.report,
            self._execution,
            self._control,
            partial(self._remember_start, job),
        )
        # Short trainings have curves too.
        trainer.run(min(25, max(1, stage.steps // 20)), min(500, max(1, stage.steps // 5)))

    def _require_unused(self, job: str) -> None:
        """Raises InputError where a job would be trained on that another has built on as it is.

        ``lesion`` would learn from the priors of one training and be averaged with the network of another.
        """
        built = self.folder / "lesion" / LAST if job == "lesion-image" else self._priors
        if job in ("liver", "lesion") or not built.is_file():
            return
        done, steps = steps_done(self.folder / job), self.recipe.stage(job).steps
        path = self.folder / job / LEARNED_FILE
        # Runs of earlier versions do not say what was built on. What is trained again from its start may go on.
        learned = read_json(path).get("step") if path.is_file() else done
        if done and learned is not None and learned <= done < steps:
            raise InputError(
                f"Job {job} in {self.folder} was trained for {done} steps, and lesion learns from that: it cannot be "
                f"lengthened to {steps} any more. Give the --length of before, or choose another folder"
            )

    def _check(self, *progress: int) -> None:
        """Says that a long preparation goes on, and ends it if it was told to stop."""
        self._control.say("preparing")
        if self._control.command() == "stop":
            self._control.obeyed()
            raise CancelledError(f"Stopped; the same command goes on with {self.folder}")


def scaled(recipe: Recipe, factor: float) -> Recipe:
    """The recipe with all schedules lengthened or shortened by a factor."""
    return replace(
        recipe,
        liver=recipe.liver.scaled(factor),
        liver_fold=recipe.liver_fold.scaled(factor),
        lesion_image=recipe.lesion_image.scaled(factor),
        lesion=recipe.lesion.scaled(factor),
    )
