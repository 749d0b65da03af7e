"""What a training needs in memory, found before it starts and without taking that memory.

The network runs once on torch's ``meta`` device, which has shapes but no data: what its forward pass keeps for the
backward pass is counted there exactly. Weights, gradients and momentum are known; of the rest (the workspace of a
convolution's backward, the libraries) there is an allowance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from LiverLesionCascadeLib.engine.model.network import CascadeResNet
from torch import Tensor

from ..recipes import Recipe
from ..slices.slice_store import CANVAS_MARGIN, canvas_side
from .distributed import Ranks
from .losses import cascade_loss
from .precision import Precision
from .prefetch import spare_cores

#: Python with torch, numpy and SimpleITK loaded, in bytes; with CUDA's libraries and context.
_PROCESS, _CUDA_PROCESS = 0.5e9, 3.5e9


@dataclass(frozen=True)
class MemoryEstimate:
    """Peak memory of one process in bytes.

    Attributes:
        batch: Images in memory at once.
        host: Memory of the computer, without the prepared slices, which are memory-mapped: the system keeps of them
            what fits.
        gpu: Memory of the CUDA device; 0 without one.
        disk: Prepared slices of 1,000 slices, both passes.
    """

    recipe: str
    job: str
    batch: int
    precision: str
    host: float
    gpu: float
    disk: float

    def lines(self) -> list[str]:
        what = f"{self.recipe}, {self.batch} images at once in {self.precision} (largest job: {self.job})"
        lines = [f"peak host memory: {self.host / 1e9:.1f} GB a process: {what}"]
        if self.gpu:
            lines.append(f"peak GPU memory: {self.gpu / 1e9:.1f} GB a process")
        lines.append(f"disk for prepared slices: {self.disk / 1e9:.2f} GB for every 1,000 slices of the cases")
        return lines


def estimate_memory(recipe: Recipe, precision: str, accumulate: int, device: torch.device) -> MemoryEstimate:
    """The memory of a training's largest job on a device.

    Args:
        precision: As for :class:`Precision`.
        accumulate: In how many parts a process takes its images of a step.
    """
    mode = Precision(precision, device).name
    batch = math.ceil(recipe.batch / accumulate)
    size, job = max((phase.size, job) for job in recipe.jobs for phase in recipe.stage(job).phases)
    with torch.device("meta"):
        network = recipe.model.network("lesion").train()
    kept, largest = _activations(network, recipe.dice_loss, batch, size, mode)
    parameters = sum(p.numel() for p in network.parameters())
    # fp32 weights, gradients and momentum, and the copy of the weights in half precision.
    weights = parameters * (12 + (2 if mode != "fp32" else 0))
    # The gradient of the largest layer's output, and what its convolution works in.
    learning = weights + kept + 2 * largest
    sample = 5 * size**2 * 4
    waiting = 2 * spare_cores(device, Ranks()) * recipe.batch * sample
    # While a sample is made: its canvas as numbers, warped, jittered.
    making = waiting + recipe.batch * sample + 6 * 3 * (size * CANVAS_MARGIN) ** 2 * 4
    canvas = [canvas_side(stage) ** 2 for stage in (recipe.liver, recipe.lesion)]
    disk = 1000 * (3 * sum(canvas) + 2 * canvas[1] / 4)
    if device.type == "cuda":
        # A checkpoint is written from the host's memory, tensor by tensor.
        return MemoryEstimate(recipe.name, job, batch, mode, _CUDA_PROCESS + making, learning + 1e9, disk)
    return MemoryEstimate(recipe.name, job, batch, mode, _PROCESS + making + learning, 0.0, disk)


def _activations(network: CascadeResNet, dice_loss: float, batch: int, size: int, precision: str) -> tuple[int, int]:
    """Bytes that forward keeps for backward, weights excluded, and those of the largest tensor among them."""
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        if id(tensor) not in own:
            kept[tensor.untyped_storage()._cdata] = tensor
        return tensor

    # The meta device knows no autocast: the whole network in half precision keeps what autocast would.
    network.to({"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision, torch.float32))
    own = {id(p) for p in network.parameters()} | {id(b) for b in network.buffers()}
    inputs = torch.empty(batch, network.stem.in_channels, size, size, device="meta", dtype=network.stem.weight.dtype)
    targets = torch.empty(batch, 2, size, size, device="meta")
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        cascade_loss(network(inputs), targets, dice_loss)
    sizes = [tensor.untyped_storage().nbytes() for tensor in kept.values()]
    return sum(sizes), max(sizes)
