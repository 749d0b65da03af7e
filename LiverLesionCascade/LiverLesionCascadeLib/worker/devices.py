"""What a run can be computed on, as seen by the torch that would compute it."""

from __future__ import annotations

from dataclasses import dataclass


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
