"""A tiny untrained bundle, and networks that answer by intensity, for tests that need no accuracy."""

from pathlib import Path

import torch
from LiverLesionCascadeLib.engine.bundle import save_bundle
from LiverLesionCascadeLib.engine.network import CascadeResNet
from torch import Tensor, nn

METADATA = {
    "name": "tiny",
    "version": "0.1",
    "window_hu": [0.0, 160.0],
    "liver_pass": {"size": 64, "pixel_mm": 4.0, "threshold": 0.5},
    "lesion_pass": {"size": 64, "margin": 0.16, "iterations": 2, "liver_threshold": 0.5, "lesion_threshold": 0.5},
    "intended_use": "Tests.",
    "limitations": ["Knows nothing."],
    "license": "Apache-2.0",
    "attribution": "None",
    "citations": ["None"],
}


def write_tiny_bundle(folder: Path, **changes) -> Path:
    """A bundle with random weights at width 1/32; ``changes`` replace metadata."""
    torch.manual_seed(1)
    networks = {name: CascadeResNet(width=0.03125) for name in ("liver", "lesion")}
    save_bundle(folder, networks, METADATA | changes)
    return folder


class IntensityNetwork(nn.Module):
    """Answers by the windowed image: liver and lesion where it lies in their ranges; keeps what it was shown.

    Has ``blocks`` and ``width`` as the real network.
    """

    def __init__(self, liver: tuple[float, float] = (0.3, 0.9), lesion: tuple[float, float] = (0.3, 0.5)) -> None:
        super().__init__()
        self.width = 0.03125
        self.blocks = nn.Sequential(nn.Identity())
        self.liver, self.lesion = liver, lesion
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x.detach().clone())
        image = self.blocks(x)[:, 0]
        maps = [(image > low) & (image < high) for low, high in (self.liver, self.lesion)]
        return torch.stack(maps, dim=1).float() * 20 - 10
