"""Means of networks that were trained one from the other: often less noisy than each (`EXPERIMENTS.md`: not always).

Izmailov et al. 2018 (arXiv:1803.05407) average the ends of restarted schedules, Wortsman et al. 2022 (arXiv:2109.01903)
a network and what was fine-tuned from it.
"""

from __future__ import annotations

import math

import torch
from LiverLesionCascadeLib.engine.model.device import autocast
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from ..slices.batches import BatchMaker

#: Images that the statistics of batch normalisation are estimated from.
_IMAGES = 400


def mean_weights(first: nn.Module, second: nn.Module, share: float) -> dict[str, Tensor]:
    """The mean of two networks of one architecture, with a share of the second; what is counted, not learned, is that
    of the second."""
    other = first.state_dict()
    return {
        key: torch.lerp(other[key].to(value.device), value, share) if value.is_floating_point() else value
        for key, value in second.state_dict().items()
    }


@torch.no_grad()
def estimate_norms(network: nn.Module, batches: BatchMaker, device: torch.device) -> None:
    """Estimates the statistics of batch normalisation anew, in place, from training batches.

    Those of a mean of networks are not the mean of theirs (Izmailov et al. 2018, section 3.2).
    """
    first = batches.stage.steps
    steps = range(first, first + math.ceil(_IMAGES / batches.recipe.batch))
    inputs = (batches.make(step).inputs.contiguous(memory_format=torch.channels_last) for step in steps)
    # Dropout draws from torch's own generator: the same networks give the same mean.
    torch.manual_seed(batches.recipe.seed)
    with autocast(device):
        update_bn(inputs, network, device)
    network.eval()
