"""Where and in which precision networks run: chosen openly, never a silent fallback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch

from ..errors import DeviceError, is_out_of_memory


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
        why = _first_line(error)
        raise DeviceError(f"Device {name} cannot be used ({why}): choose device cpu or repair its driver") from error
    return device


def device_problem(name: str) -> str:
    """Why a device cannot be used, or not any more: some errors of a GPU stay with the process. Empty where it can."""
    try:
        select_device(name)
    except DeviceError as error:
        return _first_line(error.__cause__ or error)
    return ""


def _first_line(error: BaseException) -> str:
    """Of what torch says at length, or nothing."""
    return (str(error) or type(error).__name__).splitlines()[0]


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


@contextmanager
def memory_errors(device: torch.device, stage: str = "", remedy: str = "") -> Iterator[None]:
    """Raises a DeviceError with what to do where torch runs out of memory meanwhile, on the device or the computer.

    Args:
        stage: In words, such as " in the 3D-CRF".
        remedy: What helps beside memory that is freed.
    """
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        # A run on a GPU needs the computer's memory too.
        if device.type == "cpu" or "CPUAllocator" in str(error):
            what, first, last = "The computer", "free memory (close other programs)", "use a computer that has more"
        else:
            what, first, last = str(device), "free memory there (close other programs)", "choose device cpu"
        others = f", {remedy}" if remedy else ""
        raise DeviceError(f"{what} ran out of memory{stage}: {first}{others}, or {last}") from error
