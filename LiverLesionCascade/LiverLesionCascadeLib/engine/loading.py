"""A segmenter from the choices of a run. Importing this brings no torch; loading a segmenter does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .model.bundle import ModelBundle

if TYPE_CHECKING:
    from .segmenter import Segmenter


def load_segmenter(bundle: Path | str | None = None, device: str = "auto") -> Segmenter:
    """The networks of a bundle on a device.

    Args:
        bundle: Its folder; the shipped one for None.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Raises:
        BundleError: If the bundle cannot be used.
        DeviceError: If the device cannot be used.
    """
    # The hash is checked before torch is imported, which takes seconds.
    loaded = ModelBundle.of(bundle)
    from .segmenter import Segmenter

    return Segmenter(loaded, device)
