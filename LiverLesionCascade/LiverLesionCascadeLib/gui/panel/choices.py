"""The choices of the parameter node as a run takes them."""

from __future__ import annotations

import slicer

from ...engine.passes.presets import PRESETS
from ...engine.results.postprocessing import PostProcessing
from ...engine.run_options import RunOptions

#: Rules by their names in the parameter node, and in the engine.
RULES = {
    "fillHoles": "fill_holes",
    "largestLiverComponent": "largest_liver_component",
    "lesionsInsideLiver": "lesions_inside_liver",
    "rejectUnlikelyLesions": "reject_unlikely_lesions",
    "splitLesions": "split_lesions",
    "minimumLesionMm": "min_lesion_mm",
}


def runOptions(parameters) -> RunOptions:
    """:param parameters: the module's parameter node."""
    rules = {name: getattr(parameters.postProcessing, own) for own, name in RULES.items()}
    return RunOptions(
        preset=parameters.preset.name,
        device=parameters.device,
        bundle=parameters.bundle or None,
        multi_scale=parameters.multiScale,
        crf=parameters.crf,
        postprocessing=PostProcessing(**rules),
        keep_probabilities=parameters.keepProbabilities,
    )


def takePresetRules(parameters) -> None:
    """A preset has rules of its own: they are chosen with it, and can be changed after."""
    preset = PRESETS[parameters.preset.name]
    with slicer.util.NodeModify(parameters):
        for own, name in RULES.items():
            setattr(parameters.postProcessing, own, getattr(preset.postprocessing, name))
