"""Ways to run the cascade that an evaluation compares: what each step of it is worth."""

from __future__ import annotations

from dataclasses import replace

from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
from LiverLesionCascadeLib.engine.passes.presets import Preset


def cascade_variants(preset: Preset, bundle: ModelBundle) -> dict[str, Preset]:
    """The preset, stopped or changed at each step of the cascade.

    Returns:
        By description: stage 1 alone; stage 2 without priors; on stage 1's maps; and again on its own result.
    """
    again = max(2, bundle.settings.lesion_pass.iterations)
    return {
        "Stage 1 alone (liver pass)": replace(preset, iterations=0),
        "Stage 2 without priors": replace(preset, iterations=1, priors=False),
        "Stage 2 on stage 1's maps": replace(preset, iterations=1),
        f"Stage 2, {again} times": replace(preset, iterations=again),
    }
