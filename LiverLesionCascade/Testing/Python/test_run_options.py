"""Choices of a run: the preset that they make, and their form as plain values."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.passes.presets import PAPER_SCALES, PRESETS
from LiverLesionCascadeLib.engine.results.postprocessing import PostProcessing
from LiverLesionCascadeLib.engine.run_options import RunOptions

RULES = st.builds(PostProcessing, *[st.booleans()] * 4, st.floats(0, 50))
OPTIONS = st.builds(
    RunOptions,
    preset=st.sampled_from(sorted(PRESETS)),
    device=st.sampled_from(["auto", "cpu", "cuda:1"]),
    bundle=st.none() | st.text(),
    multi_scale=st.booleans(),
    crf=st.booleans(),
    postprocessing=st.none() | RULES,
    keep_probabilities=st.booleans(),
)


@given(OPTIONS)
def test_options_survive_as_json(options):
    assert RunOptions.from_dict(json.loads(json.dumps(options.to_dict()))) == options


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_without_choices_the_preset_is_as_it_is(name):
    assert RunOptions(preset=name).resolved_preset() == PRESETS[name]


def test_choices_change_the_preset_and_its_name():
    rules = PostProcessing.none()
    preset = RunOptions(multi_scale=True, crf=True, postprocessing=rules).resolved_preset()
    assert (preset.lesion_scales, preset.crf, preset.postprocessing) == (PAPER_SCALES, True, rules)
    assert preset.name == "fast, multi-scale, 3D-CRF"
    assert preset.lesion_step_mm == PRESETS["fast"].lesion_step_mm


def test_multi_scale_adds_nothing_to_a_preset_that_has_it():
    assert RunOptions(preset="paper", multi_scale=True).resolved_preset() == PRESETS["paper"]


def test_an_unknown_preset_is_refused():
    with pytest.raises(ValueError, match="Unknown preset 'slow': use fast or paper"):
        RunOptions(preset="slow")
