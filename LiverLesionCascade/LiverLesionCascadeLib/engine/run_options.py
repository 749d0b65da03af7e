"""What a person may choose for a run, in a form that a file, a message or a scene can hold."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from .passes.presets import DEFAULT_PRESET, PAPER_SCALES, PRESETS, Preset
from .results.postprocessing import PostProcessing


@dataclass(frozen=True)
class RunOptions:
    """Choices of a run.

    Attributes:
        preset: ``fast`` or ``paper``.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        bundle: Folder of a model bundle; None for the shipped one.
        multi_scale: The lesion pass at the paper's five scales, whatever the preset says.
        crf: Refine the maps by the fully connected CRF.
        postprocessing: Rules instead of the preset's; None for the preset's.
        keep_probabilities: Whether the result has the probability maps.

    Raises:
        ValueError: For an unknown preset.
    """

    preset: str = DEFAULT_PRESET
    device: str = "auto"
    bundle: str | None = None
    multi_scale: bool = False
    crf: bool = False
    postprocessing: PostProcessing | None = None
    keep_probabilities: bool = False

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ValueError(f"Unknown preset {self.preset!r}: use {' or '.join(PRESETS)}.")

    def resolved_preset(self) -> Preset:
        """The preset with these choices in it; its name says what differs."""
        preset = PRESETS[self.preset]
        if self.multi_scale and preset.lesion_scales != PAPER_SCALES:
            preset = replace(preset, name=f"{preset.name}, multi-scale", lesion_scales=PAPER_SCALES)
        if self.crf:
            preset = replace(preset, name=f"{preset.name}, 3D-CRF", crf=True)
        if self.postprocessing is not None:
            preset = replace(preset, postprocessing=self.postprocessing)
        return preset

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON has them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunOptions:
        """The inverse of ``to_dict``. Raises TypeError for unknown names, ValueError for impossible values."""
        rules = values.get("postprocessing")
        return cls(**{**values, "postprocessing": None if rules is None else PostProcessing(**rules)})
