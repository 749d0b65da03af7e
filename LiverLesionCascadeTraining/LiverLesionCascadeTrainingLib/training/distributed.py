"""Several processes that train one network together, started by PyTorch's own launcher ``torchrun``.

The result does not depend on how many they are. Each step's batch is divided among them; every sum in the loss is
taken over all of them; so are the means and variances of the batch normalisation: by ``nn.SyncBatchNorm`` on CUDA, and
on processors, for which that has no implementation, by ``SummedBatchNorm2d``, which computes the same in plain
operations. Dropout draws the noise of the whole batch on processors, so that two gloo processes follow the loss curve
of one; on CUDA, where the order of random numbers depends on the shape anyway, each process draws its own.

All processes must see the run folder (a shared file system where there are several nodes); only the first writes there.
After a failure, or with another number of nodes, ``torchrun`` starts all of them again and they go on from ``last.pt``.
For that it needs ``TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1``: torch 2.13 otherwise leads the new processes to addresses of
the old ones.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from LiverLesionCascadeLib.engine.errors import InputError
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

_FRESH_STORE = "TORCH_DISABLE_SHARE_RDZV_TCP_STORE"
#: The first process prepares slices and validates while the others wait.
_PATIENCE = timedelta(hours=6)


@dataclass(frozen=True)
class Shard:
    """What of a batch one process holds in memory at once.

    Attributes:
        samples: Which of the batch's samples.
        start, total: Where they begin among those that all processes hold at that moment, and how many these are.
    """

    samples: range
    start: int
    total: int


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together; by default it is alone."""

    rank: int = 0
    world: int = 1
    local_world: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes, validates and reports."""
        return self.rank == 0

    def shards(self, batch: int, parts: int) -> list[Shard]:
        """This process's share of a batch, in as many parts as its gradients are accumulated over.

        Raises:
            InputError: If there are more processes and parts than samples.
        """
        if self.world * parts > batch:
            raise InputError(
                f"A batch of {batch} cannot be divided among {self.world} processes times {parts} parts: "
                "start fewer processes or lower --accumulate"
            )
        bounds = [batch * i // (self.world * parts) for i in range(self.world * parts + 1)]
        shards = []
        for part in range(parts):
            begin, end = bounds[part * self.world], bounds[(part + 1) * self.world]
            own = range(bounds[part * self.world + self.rank], bounds[part * self.world + self.rank + 1])
            shards.append(Shard(own, own.start - begin, end - begin))
        return shards

    def wait(self) -> None:
        """Returns when all processes have come here."""
        if self.world > 1:
            dist.barrier()

    def total(self, values: list[float], device: torch.device) -> list[float]:
        """Sums numbers over all processes."""
        if self.world == 1:
            return values
        tensor = torch.tensor(values, dtype=torch.float64, device=device)
        dist.all_reduce(tensor)
        return tensor.tolist()


def local_device(name: str) -> str:
    """The name of this process's own device: on CUDA, one each."""
    if dist.is_torchelastic_launched() and (name == "cuda" or (name == "auto" and torch.cuda.is_available())):
        return f"cuda:{os.environ['LOCAL_RANK']}"
    return name


@contextmanager
def joined(device: torch.device) -> Iterator[Ranks]:
    """Joins the processes that ``torchrun`` started with this one; alone, there is nothing to join.

    Raises:
        InputError: If torchrun is to start them again after a failure, but could not.
    """
    if not dist.is_torchelastic_launched():
        yield Ranks()
        return
    if os.environ.get("TORCHELASTIC_MAX_RESTARTS", "0") != "0" and os.environ.get(_FRESH_STORE) != "1":
        raise InputError(f"torchrun --max-restarts needs the environment variable {_FRESH_STORE}=1: set it")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_PATIENCE)
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size(), int(os.environ["LOCAL_WORLD_SIZE"]))
    finally:
        dist.destroy_process_group()


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        # Each process's loss depends on this process's value.
        total = gradient.clone()
        dist.all_reduce(total)
        return total


def everywhere(value: Tensor) -> Tensor:
    """The sum over all processes of a tensor, differentiable; alone, the tensor itself."""
    if not (dist.is_initialized() and dist.get_world_size() > 1):
        return value
    total: Tensor = _Sum.apply(value)
    return total


class SummedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation over the samples of all processes, on any device."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        # In double precision: a mean of a hundred thousand pixels must not depend on how they are divided.
        count = everywhere(torch.tensor(float(x.numel() // x.shape[1]), dtype=torch.float64))
        mean = everywhere(wide.sum(dim=(0, 2, 3), dtype=torch.float64)) / count
        centred = wide - mean.to(wide.dtype)[:, None, None]
        variance = everywhere(centred.square().sum(dim=(0, 2, 3), dtype=torch.float64)) / count
        with torch.no_grad():
            assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
            self.running_mean.lerp_(mean.to(wide.dtype), self.momentum)
            self.running_var.lerp_((variance * count / (count - 1)).to(wide.dtype), self.momentum)
            assert self.num_batches_tracked is not None
            self.num_batches_tracked.add_(1)
        scale = self.weight * torch.rsqrt(variance.to(wide.dtype) + self.eps)
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)


class ShardedDropout(nn.Dropout):
    """Dropout that draws the noise of all processes' samples and uses its own: what one process alone would draw."""

    shard: Shard | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.shard is None:
            return super().forward(x)
        shape = (self.shard.total, *x.shape[1:])
        whole = torch.ones(shape, dtype=x.dtype).contiguous(memory_format=torch.channels_last)
        noise = F.dropout(whole, self.p, training=True)
        return x * noise[self.shard.start : self.shard.start + len(x)]


def across_ranks(network: nn.Module, ranks: Ranks, device: torch.device) -> nn.Module:
    """The network to train with: wrapped so that its gradients and statistics are those of all processes' samples.

    Its parameters are the given network's own; that network's normalisation and dropout are replaced in place.
    """
    if ranks.world == 1:
        return network
    if device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return DistributedDataParallel(network, device_ids=[device], forward_sync_buffers=False)
    for name, module in list(network.named_modules()):
        if type(module) is nn.BatchNorm2d:
            summed = SummedBatchNorm2d(module.num_features, module.eps, module.momentum)
            summed.weight, summed.bias = module.weight, module.bias
            summed.running_mean, summed.running_var = module.running_mean, module.running_var
            summed.num_batches_tracked = module.num_batches_tracked
            network.set_submodule(name, summed)
        elif type(module) is nn.Dropout:
            network.set_submodule(name, ShardedDropout(module.p))
    return DistributedDataParallel(network, forward_sync_buffers=False)


def hold_shard(network: nn.Module, shard: Shard) -> None:
    """Tells the network's dropout which samples come next."""
    for module in network.modules():
        if isinstance(module, ShardedDropout):
            module.shard = shard
