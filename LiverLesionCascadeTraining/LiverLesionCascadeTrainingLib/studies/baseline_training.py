"""Trains the two networks that only Table 2 needs, in the run folder of a cascade; each resumes where it stopped.

``vgg-fcn`` learns from the liver pass's slices, as the ResNet does. ``whole-cascade`` is the paper's second network: it
sees the same whole slices together with the maps that the finished liver pass gives for them, from its first step on.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from LiverLesionCascadeLib.engine.model.network import CascadeResNet, SliceNetwork
from torch import nn

from ..recipes import Recipe, StageRecipe
from ..slices.batches import BatchMaker
from ..slices.cross_fitting import BATCH, liver_maps, priors_writer
from ..slices.slice_store import SliceStore, stored
from ..slices.validation import slice_dice
from ..training.cascade_training import CascadeTraining
from ..training.checkpoint import load_finished
from ..training.trainer import Trainer
from .vgg_fcn import VggFcn

VGG_JOB = "vgg-fcn"
CASCADE_JOB = "whole-cascade"
BASELINE_JOBS = (VGG_JOB, CASCADE_JOB)


def baseline_stage(recipe: Recipe, job: str) -> StageRecipe:
    """How a baseline is trained: as the liver pass, as many steps too, but for what makes it another method."""
    if job == VGG_JOB:
        return recipe.liver
    # The maps were made from whole images: blanking parts of these would set the two at odds.
    return replace(recipe.liver, image_thrice=False, prior_absent=0.0, corrections=0.0, crop_view=0.0, dark=0.0)


def baseline_network(recipe: Recipe, job: str) -> SliceNetwork:
    """A new network of the recipe's width, initialised from its seed."""
    torch.manual_seed(recipe.seed + len(recipe.jobs) + BASELINE_JOBS.index(job))
    return VggFcn(recipe.model.width) if job == VGG_JOB else CascadeResNet(recipe.model.width)


def write_stage1_maps(store: SliceStore, network: nn.Module, folder: Path, device: torch.device) -> None:
    """Stores the liver pass's maps of its own training slices as their priors, as the paper's second network sees them.

    Args:
        store: Slices of the liver pass, in ``folder``; ``priors.npy`` is written there.
    """
    if (folder / "priors.npy").is_file():
        return
    with priors_writer(folder, store.canvas) as writer:
        for start in range(0, len(store.case), BATCH):
            writer.append(stored(liver_maps(network, store.images[start : start + BATCH], device)))


def train_baseline(training: CascadeTraining, job: str) -> None:
    """Trains a baseline, from its checkpoint if there is one.

    Raises:
        TrainingError: If the liver pass, whose maps ``whole-cascade`` learns from, has not been trained.
    """
    recipe, device, stage = training.recipe, training.device, baseline_stage(training.recipe, job)
    if job == CASCADE_JOB:
        folder = training.store_folder("train", "liver")
        write_stage1_maps(training.store("train", "liver"), training.load("liver"), folder, device)
    validation = training.store("validation", "liver")
    Trainer(
        baseline_network(recipe, job),
        BatchMaker(training.store("train", "liver"), recipe, stage, job),
        training.folder / job,
        device,
        # The quick validation gives no priors, without which this network was never trained.
        None if job == CASCADE_JOB else lambda net, size: slice_dice(net, validation, size, stage.image_thrice, device),
        training.report,
    ).run()


def load_baseline(training: CascadeTraining, job: str) -> SliceNetwork:
    """The network of a finished baseline.

    Raises:
        TrainingError: If it has not been trained to the end, or cannot be used.
    """
    network = baseline_network(training.recipe, job)
    load_finished(network, training.folder / job, baseline_stage(training.recipe, job).steps, "train it first")
    return network.placed(training.device).eval()
