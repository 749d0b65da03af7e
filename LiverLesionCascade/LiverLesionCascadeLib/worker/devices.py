"""What a run can be computed on, as seen by the torch that would compute it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class DeviceInfo:
    """A device.

    Attributes:
        id: ``cpu``, ``cuda:N`` or ``mps``, as ``RunOptions.device`` takes it.
        name: For people.
        usable: Whether a small computation on it worked.
    """

    id: str
    name: str
    usable: bool


def torch_problem() -> str:
    """Why torch cannot be used, with the remedy; empty where it can."""
    try:
        import torch

        torch.from_numpy(np.zeros(1)).numpy()
    # A library that cannot be loaded, or a torch that was built for another NumPy.
    except (ImportError, OSError, RuntimeError) as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "torch":
            return "PyTorch is not installed: install it with the extension PyTorch, in its module PyTorch Utils."
        reason = " ".join(str(error).split()) or type(error).__name__
        return f"PyTorch is installed but does not work ({reason}): install it anew in the module PyTorch Utils."
    return ""


def list_devices() -> list[DeviceInfo]:
    """The CPU, and every accelerator that torch knows, each tried by a small computation."""
    import torch

    from ..engine.model.device import device_problem

    devices = [DeviceInfo("cpu", "CPU", True)]
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        device_id = f"cuda:{index}"
        devices.append(DeviceInfo(device_id, torch.cuda.get_device_name(index), not device_problem(device_id)))
    if torch.backends.mps.is_available():
        devices.append(DeviceInfo("mps", "Apple GPU", not device_problem("mps")))
    return devices


def device_note(devices: list[DeviceInfo]) -> str:
    """What is wrong with a GPU that is there but cannot be used, with the remedy; empty where all is well."""
    import torch

    from ..engine.model.device import device_problem

    for device in devices:
        if not device.usable:
            return (
                f"The GPU {device.name} cannot be used by PyTorch {torch.__version__} ({device_problem(device.id)}): "
                "update its driver, install another PyTorch in the module PyTorch Utils, or choose the CPU."
            )
    if not torch.cuda.is_available() and (names := nvidia_gpus()):
        why = "was built without CUDA" if torch.version.cuda is None else "finds no driver that fits it"
        return (
            f"There is a GPU ({', '.join(names)}), but PyTorch {torch.__version__} {why}: update the driver or install "
            "PyTorch for CUDA in the module PyTorch Utils. Until then the CPU is used."
        )
    return ""


def nvidia_gpus() -> list[str]:
    """Names of the NVIDIA GPUs that the driver's own tool lists; empty without driver."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    command = [tool, "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=10,
            check=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.SubprocessError):  # a driver that does not answer is none
        return []
    return [line.strip() for line in done.stdout.decode(errors="replace").splitlines() if line.strip()]
