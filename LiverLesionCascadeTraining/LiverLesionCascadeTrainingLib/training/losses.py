"""Losses over the two sigmoid maps."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from .distributed import everywhere


def cascade_loss(logits: Tensor, targets: Tensor, dice_weight: float, by_image: float = 0.0) -> Tensor:
    """Per-pixel binary cross entropy, plus soft Dice over the batch where asked (Bi et al. 2017 use the former alone).

    Both are those of the samples of all processes that train together; DistributedDataParallel, which averages the
    gradients of the processes, then gives the gradient of just that loss.

    Args:
        logits, targets: (n, 2, rows, columns); targets in 0..1, NaN where nobody knows: such pixels do not count.
        dice_weight: Weight of the soft Dice loss (mean over liver and lesion).
        by_image: How much of it is the mean over the images that show liver, or lesions, 0..1.

    Returns:
        Scalar, the same in all processes.
    """
    known = (~targets.isnan()).float()
    targets = targets.nan_to_num(0.0)
    pixels = everywhere(known.sum())
    loss = everywhere(F.binary_cross_entropy_with_logits(logits, targets, known, reduction="sum")) / pixels
    if dice_weight:
        probability = torch.sigmoid(logits) * known
        overlap = (probability * targets).sum(dim=(2, 3))
        total = probability.sum(dim=(2, 3)) + targets.sum(dim=(2, 3))
        dice_loss = _dice_loss(everywhere(overlap.sum(dim=0)), everywhere(total.sum(dim=0))).mean()
        if by_image:
            shows = (targets.amax(dim=(2, 3)) > 0.5).float()
            count = everywhere(shows.sum(dim=0)).clamp(min=1)
            each = everywhere((shows * _dice_loss(overlap, total)).sum(dim=0)) / count
            dice_loss = (1 - by_image) * dice_loss + by_image * each.mean()
        loss = loss + dice_weight * dice_loss
    return loss


def _dice_loss(overlap: Tensor, total: Tensor) -> Tensor:
    # 1 px: a batch without lesions and without predictions is perfect, not undefined.
    return 1 - (2 * overlap + 1) / (total + 1)


def learning_rate(step: int, steps: int, peak: float, warmup: int, schedule: str) -> float:
    """Learning rate of a step counted from 0.

    Args:
        schedule: ``cosine`` to 0, or ``fixed-then-linear``: 60 % of the steps at ``peak``, then linear from half of it
            to 0 (Bi et al. 2017, section 2.5: 60 epochs at 0.0016, 40 epochs linear from 0.0008).

    Raises:
        ValueError: For an unknown schedule.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    if schedule == "cosine":
        return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, steps - warmup))))
    if schedule == "fixed-then-linear":
        fixed = round(0.6 * steps)
        if step < fixed:
            return peak
        return 0.5 * peak * (1 - (step - fixed) / max(1, steps - fixed))
    raise ValueError(f"Unknown learning rate schedule {schedule!r}")
