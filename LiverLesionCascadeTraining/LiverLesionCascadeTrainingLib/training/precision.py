"""In which precision a network trains: fp32, or mixed with bf16, or with fp16 and a scaled loss; without denormal
numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from LiverLesionCascadeLib.engine.model.device import precision


class Precision:
    """How forward and backward compute; the weights themselves stay fp32.

    Args:
        name: ``fp32``, ``bf16``, ``fp16``, or ``auto``: bf16 where the device computes in it natively, else fp32.

    Attributes:
        scaler: Scales the loss so that small gradients survive fp16; does nothing in the other precisions, whose
            exponents reach as far as fp32's.
    """

    def __init__(self, name: str, device: torch.device) -> None:
        self.name, self._device = precision(device) if name == "auto" else name, device
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.name == "fp16")

    def autocast(self) -> AbstractContextManager[Any]:
        if self.name == "fp32":
            return nullcontext()
        return torch.autocast(self._device.type, dtype=torch.bfloat16 if self.name == "bf16" else torch.float16)


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Takes denormal numbers for zero: weights that decay towards zero would slow a processor down many times.

    Only while networks are trained: scipy's trees, by which distances are measured, recurse until they crash then.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
