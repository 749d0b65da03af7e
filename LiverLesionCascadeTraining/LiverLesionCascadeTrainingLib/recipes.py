"""Training recipes: ``paper`` as Bi et al. 2017 describe it, ``compact`` for networks shipped with the extension, and
``demo`` in miniature."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from LiverLesionCascadeLib.engine.model.model_settings import LesionPassSettings, LiverPassSettings, ModelSettings


@dataclass(frozen=True)
class Phase:
    """Part of a training: so many steps at one image size.

    Attributes:
        steps: Optimiser steps.
        size: Side of the square images that the network sees, in pixels.
    """

    steps: int
    size: int


@dataclass(frozen=True)
class StageRecipe:
    """How one network is trained.

    Attributes:
        phases: Consecutive phases; the learning rate schedule spans all of them.
        schedule: ``cosine`` (to 0) or ``fixed-then-linear`` (Bi et al. 2017: 60 % of the steps at the fixed rate, then
            linear from half of it to 0).
        learning_rate: Peak learning rate.
        warmup: Steps of linear warm-up.
        mixture: Share of each kind of slice in a batch: ``lesion``, ``liver`` (liver, no lesion), ``near`` (no liver,
            but near one along the scan) and ``neither`` (no liver).
        by_patient: Part of the draws that choose a patient first and then a slice, so that no patient dominates.
        shift: Largest random shift, as part of the image side.
        crop_view: Probability that a random part of the image is blanked, as if the field of view ended there.
        dark: Probability that an image, or the liver in it, is darkened: livers darker than any in the training set.
        paste: Probability that a lesion of another slice is copied into the liver of an image.
        drawn: Probability that a lesion that was never scanned is drawn into the liver of an image.
        faded_vessels: Probability that the liver's vessels are made as dark as it or darker.
        noise: Standard deviation of the strongest noise that is added to an image in [0, 1].
        prior_absent: Part of the samples without priors; 1 trains from the image alone.
        corrections: Part of the samples with priors in which a person's correction is simulated.
        image_thrice: Feed (I, I, I), as the paper does in stage 1, instead of (I, 0, 0).
        hard: Part of the draws that follow what the network is wrong about (``hard_slices``).
        average: Decay of the moving average of the weights, a step; the average is what is validated and exported.
        epochs: Show every slice once an epoch, in random order, instead of drawing slices by ``mixture``, which then
            only says which kinds there are.
    """

    phases: tuple[Phase, ...]
    schedule: str
    learning_rate: float
    warmup: int
    mixture: dict[str, float]
    by_patient: float = 0.5
    shift: float = 0.03
    crop_view: float = 0.0
    dark: float = 0.0
    paste: float = 0.0
    drawn: float = 0.0
    faded_vessels: float = 0.0
    noise: float = 0.0
    prior_absent: float = 1.0
    corrections: float = 0.0
    image_thrice: bool = False
    hard: float = 0.0
    average: float = 0.999
    epochs: bool = False

    @property
    def steps(self) -> int:
        return sum(phase.steps for phase in self.phases)

    @property
    def size(self) -> int:
        """Side of the last phase's images."""
        return self.phases[-1].size

    def work(self, done: int) -> int:
        """Pixels a sample, summed over the steps that are left after ``done``: what the rest costs."""
        pixels = 0
        for phase in self.phases:
            pixels += max(0, phase.steps - done) * phase.size**2
            done = max(0, done - phase.steps)
        return pixels

    def scaled(self, factor: float) -> StageRecipe:
        """The stage with its schedule lengthened or shortened by a factor."""
        phases = tuple(replace(phase, steps=max(1, round(phase.steps * factor))) for phase in self.phases)
        return replace(self, phases=phases)

    def phase_at(self, step: int) -> Phase:
        """Phase of a step (counted from 0)."""
        for phase in self.phases:
            if step < phase.steps:
                return phase
            step -= phase.steps
        return self.phases[-1]


@dataclass(frozen=True)
class Recipe:
    """A complete training of the cascade.

    Attributes:
        model: What is trained, as the bundle will have it; its sizes are those of the stages.
        folds: Networks of the liver pass that are trained without one part of the patients, for cross-fitted priors.
        liver, liver_fold, lesion_image, lesion: The stages in the order in which they are trained: the liver pass; its
            folds; the lesion pass from the image alone; the lesion pass with priors, which starts from the former.
        dice_loss: Weight of the soft Dice loss that is added to the per-pixel loss.
        dice_by_image: How much of it is that of each image by itself, where a small lesion counts as much as a large
            one; the rest is that of the whole batch.
        slices: Slices that the liver pass trains on, half with lesions, half without liver; None for all.
        neighbours_absent: Part of the samples in which the slice itself stands for its neighbours, as where scans end.
        fine_tuned: Share of the network ``lesion`` in the lesion pass; the rest is ``lesion-image``, from which it was
            fine-tuned, weight by weight: so it forgets less (``weight_averaging``).
    """

    name: str
    model: ModelSettings
    folds: int
    batch: int
    momentum: float
    nesterov: bool
    weight_decay: float
    gradient_clip: float | None
    dice_loss: float
    rotation_degrees: float
    scale: tuple[float, float]
    intensity: float
    liver: StageRecipe
    liver_fold: StageRecipe
    lesion_image: StageRecipe
    lesion: StageRecipe
    dice_by_image: float = 0.0
    seed: int = 2017
    slices: int | None = None
    neighbours_absent: float = 0.0
    fine_tuned: float = 1.0

    def __post_init__(self) -> None:
        """Raises ValueError where the model is of other sizes than the images that it is trained on."""
        sizes = (self.model.liver_pass.size, self.model.lesion_pass.size)
        if (self.liver.size, self.lesion.size) != sizes:
            raise ValueError(f"stages of {self.liver.size} and {self.lesion.size} pixels train no model of {sizes}")

    def stage(self, job: str) -> StageRecipe:
        """The stage recipe of a job: ``liver``, ``liver-fold-0``, ``lesion-image`` or ``lesion``.

        Raises:
            KeyError: If there is no such job.
        """
        if job in self.fold_jobs:
            return self.liver_fold
        return {"liver": self.liver, "lesion-image": self.lesion_image, "lesion": self.lesion}[job]

    @property
    def fold_jobs(self) -> tuple[str, ...]:
        return tuple(f"liver-fold-{i}" for i in range(self.folds))

    @property
    def jobs(self) -> tuple[str, ...]:
        """All jobs in an order in which they can be run."""
        return (*self.fold_jobs, "liver", "lesion-image", "lesion")

    def to_dict(self) -> dict[str, Any]:
        """How it trains, for a bundle, which says itself what the model is."""
        return {name: value for name, value in asdict(self).items() if name != "model"}


# Mixture and augmentation as in the first trainings that worked (`EXPERIMENTS.md`); the liver pass works on pixels of
# fixed physical size so that a crop or a wide field of view shows the organ at the size that the network knows.
_LIVER_MIXTURE = {"lesion": 0.5, "liver": 0.25, "neither": 0.25}
_LESION_MIXTURE = {"lesion": 0.45, "liver": 0.3, "near": 0.25}

_COMPACT_LIVER = StageRecipe(
    (Phase(25_000, 160),),
    "cosine",
    0.05,
    100,
    _LIVER_MIXTURE,
    shift=0.12,
    crop_view=0.2,
    dark=0.25,
    noise=0.06,
    image_thrice=True,
)
_COMPACT_LESION = StageRecipe(
    # 400,000 images: most of them small, which is where a processor's time goes farthest.
    (Phase(25_000, 160), Phase(17_500, 224), Phase(7_500, 320)),
    "cosine",
    0.05,
    100,
    _LESION_MIXTURE,
    by_patient=0.7,
    paste=0.25,
    drawn=0.25,
    faded_vessels=0.3,
    # As the noisiest scans have, of which there are few.
    noise=0.12,
    hard=0.25,
)
COMPACT = Recipe(
    name="compact",
    model=ModelSettings(
        width=0.125,
        # The widest window that dense volumes ([-40, 160] outside the liver) and 8-bit slices ([0, 255]) both support.
        window_hu=(0.0, 160.0),
        liver_pass=LiverPassSettings(160, pixel_mm=2.6),
        lesion_pass=LesionPassSettings(
            320,
            margin=0.16,
            # A second run on its own result was measured to lower the lesions' Dice of the shipped networks.
            iterations=1,
            # In the middle of the livers of the training scans.
            liver_hu=100.0,
            # As far apart as the slices of most scans that it learns from.
            neighbour_mm=3.0,
        ),
        # One cell of Table 1's score map is as large as a small lesion.
        decoders=frozenset({"lesion"}),
    ),
    folds=2,
    batch=8,
    momentum=0.9,
    nesterov=True,
    weight_decay=5e-4,
    gradient_clip=5.0,
    dice_loss=1.0,
    rotation_degrees=15.0,
    scale=(0.8, 1.25),
    intensity=0.15,
    liver=_COMPACT_LIVER,
    liver_fold=replace(_COMPACT_LIVER, phases=(Phase(2_000, 160),)),
    lesion_image=_COMPACT_LESION,
    lesion=replace(
        _COMPACT_LESION,
        phases=(Phase(1_500, 320),),
        learning_rate=0.02,
        warmup=50,
        prior_absent=0.4,
        corrections=0.5,
    ),
    dice_by_image=0.5,
    neighbours_absent=0.25,
    fine_tuned=0.25,
)

# Small networks, small images, few steps: minutes on a processor, for a first look at what a training does.
DEMO = replace(
    COMPACT,
    name="demo",
    model=replace(
        COMPACT.model,
        width=0.0625,
        liver_pass=LiverPassSettings(96, pixel_mm=4.0),
        lesion_pass=replace(COMPACT.model.lesion_pass, size=128),
    ),
    liver=replace(_COMPACT_LIVER, phases=(Phase(300, 96),)),
    liver_fold=replace(_COMPACT_LIVER, phases=(Phase(80, 96),)),
    lesion_image=replace(_COMPACT_LESION, phases=(Phase(400, 128),)),
    lesion=replace(COMPACT.lesion, phases=(Phase(60, 128),)),
    # After so few steps a mean with the network that knows no priors is led astray by them, more or less by processor.
    fine_tuned=1.0,
)

# Bi et al. 2017, section 2.5: 8,802 slices, batch 10, 60 epochs at 0.0016, then 40 epochs linear from 0.0008; equal
# numbers of slices with liver and lesion, and with neither. Cropped to 504 as in Table 1.
_PAPER_SLICES = 8802
_PAPER_STEPS = 100 * _PAPER_SLICES // 10
_PAPER_STAGE = StageRecipe(
    (Phase(_PAPER_STEPS, 504),),
    "fixed-then-linear",
    0.0016,
    0,
    {"lesion": 0.5, "neither": 0.5},
    by_patient=0.0,
    shift=0.1,
    image_thrice=True,
    epochs=True,
)
_PAPER_LESION = StageRecipe(
    (Phase(_PAPER_STEPS, 504),),
    "fixed-then-linear",
    0.0016,
    0,
    {"lesion": 0.5, "liver": 0.4, "near": 0.1},
    by_patient=0.0,
)
PAPER = Recipe(
    name="paper",
    model=ModelSettings(
        width=1.0,
        window_hu=(-160.0, 240.0),
        liver_pass=LiverPassSettings(504, pixel_mm=None),
        lesion_pass=LesionPassSettings(504, margin=0.16, iterations=1),
    ),
    folds=2,
    batch=10,
    momentum=0.9,
    nesterov=False,
    weight_decay=5e-4,
    gradient_clip=None,
    dice_loss=0.0,
    rotation_degrees=0.0,
    scale=(0.7, 1.3),
    intensity=0.0,
    liver=_PAPER_STAGE,
    liver_fold=_PAPER_STAGE,
    lesion_image=_PAPER_LESION,
    lesion=replace(
        _PAPER_LESION,
        phases=(Phase(_PAPER_STEPS // 4, 504),),
        learning_rate=0.0008,
        prior_absent=0.4,
        corrections=0.5,
    ),
    slices=_PAPER_SLICES,
)

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (COMPACT, PAPER, DEMO)}
