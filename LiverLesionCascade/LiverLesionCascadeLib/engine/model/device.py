"""Where and in which precision networks run: chosen openly, never a silent fallback."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from ..errors import DeviceError


def select_device(name: str = "auto") -> torch.device:
    """Turns ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps`` into a device that works.

    ``auto`` takes the first CUDA device, then MPS, then the CPU.

    Raises:
        DeviceError: If the device does not exist or a small computation on it fails.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    unknown = f"Unknown device {name!r}: use auto, cpu, cuda, cuda:N or mps"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise DeviceError(unknown) from error
    if device.type not in ("cpu", "cuda", "mps"):
        raise DeviceError(unknown)
    try:
        # A device can be listed and yet have no kernels for its architecture; only a computation tells.
        (torch.ones(2, 2, device=device) @ torch.ones(2, 2, device=device)).sum().item()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise DeviceError(f"Device {name} cannot be used ({reason}): choose device cpu or repair its driver") from error
    return device


def native_bfloat16(device: torch.device) -> bool:
    """Whether the device computes in bfloat16 natively; emulated bfloat16 is slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
        return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return False


def autocast(device: torch.device) -> AbstractContextManager[Any]:
    """bfloat16 autocast where the device has it natively, else float32."""
    if native_bfloat16(device):
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()


def precision(device: torch.device) -> str:
    """``bf16`` or ``fp32``, as reported beside timings."""
    return "bf16" if native_bfloat16(device) else "fp32"
