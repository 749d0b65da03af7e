"""What networks are and how they look at a scan: the same in a bundle, which holds it as metadata, and in a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .network import CascadeResNet

PASSES = ("liver", "lesion")


@dataclass(frozen=True)
class LiverPassSettings:
    """How the liver pass looks at a scan.

    Attributes:
        size: Side of the square images that its network was trained on, in pixels.
        pixel_mm: Size of their pixels in mm; None: slices are scaled whatever their pixels measure (the paper).
        threshold: Probability above which a voxel is liver.
    """

    size: int
    pixel_mm: float | None
    threshold: float = 0.5


@dataclass(frozen=True)
class LesionPassSettings:
    """How the lesion pass looks at the liver's box.

    Attributes:
        size: Side of the square images that its network was trained on, in pixels.
        margin: Part of the liver's extent that is added around it.
        iterations: How often it runs, each time on the result of the one before.
        liver_threshold, lesion_threshold: Probability above which a voxel is liver, is lesion.
        liver_hu: HU that the liver's median is shifted to; None: not shifted (the paper).
        neighbour_mm: How far away the slices below and above lie that it sees as well; None: it sees none.
    """

    size: int
    margin: float
    iterations: int
    liver_threshold: float = 0.5
    lesion_threshold: float = 0.5
    liver_hu: float | None = None
    neighbour_mm: float | None = None

    def shift_hu(self, median_liver_hu: float | None) -> float:
        """HU that are added before the lesion pass looks at a scan; ``median_liver_hu``: None where it is not known."""
        return 0.0 if self.liver_hu is None or median_liver_hu is None else self.liver_hu - median_liver_hu


@dataclass(frozen=True)
class ModelSettings:
    """All that has to be known of a model besides its weights.

    Attributes:
        width: Width of the networks relative to Table 1.
        window_hu: HU window that is scaled to [0, 1].
        decoders: Passes whose network has a decoder.
    """

    width: float
    window_hu: tuple[float, float]
    liver_pass: LiverPassSettings
    lesion_pass: LesionPassSettings
    decoders: frozenset[str] = frozenset()

    @classmethod
    def of_metadata(cls, metadata: Mapping[str, Any]) -> ModelSettings:
        """From the metadata of a bundle (`bundle`). Raises KeyError, TypeError or ValueError."""
        low, high = (float(value) for value in metadata["window_hu"])
        network = metadata["network"]
        return cls(
            float(network["width"]),
            (low, high),
            LiverPassSettings(**metadata["liver_pass"]),
            LesionPassSettings(**metadata["lesion_pass"]),
            frozenset(network.get("decoders") or ()),
        )

    def metadata(self) -> dict[str, Any]:
        """What a bundle's metadata says of it, besides what `bundle.save_bundle` says of the networks."""
        return {
            "window_hu": list(self.window_hu),
            "liver_pass": asdict(self.liver_pass),
            "lesion_pass": asdict(self.lesion_pass),
        }

    @property
    def input_channels(self) -> dict[str, int]:
        """Planes that the network of each pass sees: the image and priors; two neighbours where the pass sees them."""
        return {"liver": 3, "lesion": 3 if self.lesion_pass.neighbour_mm is None else 5}

    def network(self, name: str) -> CascadeResNet:
        """A new network for a pass."""
        from .network import CascadeResNet

        return CascadeResNet(self.width, self.input_channels[name], decoder=name in self.decoders)
