"""Files of tensors: weights and checkpoints, from anybody."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def read_tensors(source: Path | IO[bytes], device: torch.device | str = "cpu") -> Any:
    """What ``torch.save`` wrote, as long as it is tensors and plain values: nothing else is ever unpickled.

    Raises OSError, and ValueError for a file that is damaged or holds anything else.
    """
    import torch

    if isinstance(source, Path):
        with source.open("rb") as file:
            return read_tensors(file, device)
    try:
        return torch.load(source, map_location=device, weights_only=True)
    # The unpickler does what the file says: of a damaged one anything may come.
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
        raise ValueError(f"it is damaged, or holds something other than tensors: {reason}") from error
