"""The filter of false lesions: what it looks at, and what the segmenter makes of what it says."""

import json
from dataclasses import replace

import numpy as np
import pytest
from fixtures.small_bundle import IntensityNetwork, write_tiny_bundle
from hypothesis import given
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.errors import BundleError
from LiverLesionCascadeLib.engine.grid.boxed import Boxed
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
from LiverLesionCascadeLib.engine.model.lesion_filter import LesionFilter, mean_probabilities, section_diameters_mm
from LiverLesionCascadeLib.engine.passes.presets import PRESETS
from LiverLesionCascadeLib.engine.results.lesion_threshold import LesionThreshold, stored_probability
from LiverLesionCascadeLib.engine.results.postprocessing import PostProcessing
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from LiverLesionCascadeLib.engine.segmenter import Segmenter

SPACING = (5.0, 2.0, 2.0)

#: Rejects whatever it may reject.
STRICT = LesionFilter(-3.0, 0.0, 0.4)


def test_the_likelihood_of_a_lesion_follows_from_its_mean_probability():
    instances = np.zeros((4, 20, 20), np.uint16)
    instances[1, 2:6, 2:6] = 1  # 16 pixels of 4 square mm
    instances[2, 2:4, 2:4] = 1
    instances[3, 10:12, 10:12] = 2
    probability = np.where(instances == 1, 0.7, np.where(instances == 2, 1.0, 0.0))
    probability[2, 2:4, 2:4] = 0.8
    means = mean_probabilities(instances, probability)
    assert means == pytest.approx([(16 * 0.7 + 4 * 0.8) / 20, 1.0])
    known = LesionFilter(0.3, 0.7, 0.4)
    first, second = known.likelihood(means)
    assert np.log(first / (1 - first)) == pytest.approx(0.3 + 0.7 * np.log(0.72 / 0.28))
    assert first < second < 1
    assert section_diameters_mm(instances, SPACING) == pytest.approx([2 * np.sqrt(64 / np.pi), 2 * np.sqrt(16 / np.pi)])


def test_no_lesion_has_no_mean_probability():
    nothing = np.zeros((2, 4, 4), np.uint16)
    assert mean_probabilities(nothing, nothing).shape == (0,)


@given(st.floats(-100, 100), st.floats(-1e6, 1e6), st.floats(0, 1))
def test_a_likelihood_is_in_0_to_1_whatever_the_filter(intercept, log_odds, mean_probability):
    assert 0 <= LesionFilter(intercept, log_odds, 0.4).likelihood(mean_probability) <= 1


def ball(z0, y0, x0, radius):
    z, y, x = np.ogrid[:40, :96, :112]
    return (4.0 * (z - z0)) ** 2 + (2.5 * (y - y0)) ** 2 + (2.0 * (x - x0)) ** 2 <= radius**2


def scan() -> CTVolume:
    """A liver of 120 HU with a large and a small lesion of 60 HU; brighter around it, so that its edge is no lesion."""
    hu = np.full((40, 96, 112), 200, np.int16)
    hu[:, :4] = -1000
    hu[ball(20, 44, 40, 55)] = 120
    hu[ball(22, 40, 46, 17)] = 60
    hu[ball(16, 54, 30, 6)] = 60
    return CTVolume.from_array(hu, np.diag([2.0, 2.5, 4.0, 1.0]), "phantom")


@pytest.fixture
def segmenter(tmp_path):
    made = Segmenter(ModelBundle.load(write_tiny_bundle(tmp_path / "tiny")), "cpu")
    made._networks = {"liver": IntensityNetwork(), "lesion": IntensityNetwork()}
    return made


def test_without_a_filter_every_lesion_stays(segmenter):
    assert len(segmenter.segment(scan()).table) == 2


def test_what_the_filter_rejects_is_liver_and_no_lesion_and_the_other_stays_as_it_is(segmenter):
    before = segmenter.segment(scan())
    segmenter.bundle = replace(segmenter.bundle, lesion_filter=STRICT)
    after = segmenter.segment(scan())
    assert len(after.table) == 1
    first = Boxed.mask(before.lesions.values == 1, before.lesions.start)
    assert Boxed.mask(after.lesions.values, after.lesions.start) == first
    assert after.liver == before.liver
    assert after.table[0] == replace(before.table[0], confidence=after.table[0].confidence)


def test_the_confidence_of_a_lesion_is_its_likelihood(segmenter):
    assert segmenter.segment(scan()).table[0].confidence > 0.9
    segmenter.bundle = replace(segmenter.bundle, lesion_filter=LesionFilter(0.5, 0.0, 0.4))
    confidences = [lesion.confidence for lesion in segmenter.segment(scan()).table]
    assert confidences == pytest.approx([1 / (1 + np.exp(-0.5))] * 2)


def test_a_large_lesion_is_never_rejected_however_unlikely(segmenter):
    segmenter.bundle = replace(segmenter.bundle, lesion_filter=LesionFilter(-20.0, 0.0, 0.9))
    result = segmenter.segment(scan())
    assert len(result.table) == 1
    assert result.table[0].long_axis_mm > 25


def test_what_a_strict_filter_rejects_is_below_the_threshold(segmenter):
    segmenter.bundle = replace(segmenter.bundle, lesion_filter=LesionFilter(1.0, 0.0, 0.9))
    assert len(segmenter.segment(scan()).table) == 1, "0.73 is more than the threshold of 0.5"


def test_a_lower_threshold_brings_back_what_was_rejected(segmenter):
    segmenter.bundle = replace(segmenter.bundle, lesion_filter=LesionFilter(-0.4, 0.0, 0.45))
    result = segmenter.segment(scan())
    assert len(result.table) == 1
    box = result.lesion_probability.box
    at = LesionThreshold(stored_probability(result.lesion_probability.values), result.liver.within(box), 20.0).at
    assert at(0.5).count == 1
    assert at(0.39).count == 2, "the likelihood is 1 / (1 + exp(0.4)) = 0.40"


@pytest.mark.parametrize("threshold", [0.3, 0.45])
def test_at_the_bundles_own_threshold_nothing_that_was_rejected_comes_back(segmenter, threshold):
    """Neither where the threshold is no probability that is stored."""
    settings = segmenter.bundle.settings
    lesion_pass = replace(settings.lesion_pass, lesion_threshold=threshold)
    known = LesionFilter(0.0, 0.0, 0.6)
    segmenter.bundle = replace(
        segmenter.bundle, lesion_filter=known, settings=replace(settings, lesion_pass=lesion_pass)
    )
    result = segmenter.segment(scan())
    box = result.lesion_probability.box
    found = LesionThreshold(stored_probability(result.lesion_probability.values), result.liver.within(box), 20.0)
    assert len(result.table) == found.at(threshold, 3.0).count == 1


def test_the_rule_can_be_switched_off_and_the_paper_has_none(segmenter):
    segmenter.bundle = replace(segmenter.bundle, lesion_filter=STRICT)
    assert (
        len(
            segmenter.segment(
                scan(), replace(PRESETS["fast"], postprocessing=PostProcessing(reject_unlikely_lesions=False))
            ).table
        )
        == 2
    )
    assert not PostProcessing.paper().reject_unlikely_lesions
    assert not PostProcessing.none().reject_unlikely_lesions


def test_a_bundle_keeps_its_filter_and_a_broken_one_is_refused(tmp_path):
    folder = write_tiny_bundle(tmp_path / "tiny", lesion_filter=STRICT.to_dict())
    assert ModelBundle.load(folder).lesion_filter == STRICT
    path = folder / "metadata.json"
    metadata = json.loads(path.read_text())
    saved = dict(metadata["lesion_filter"])
    del metadata["lesion_filter"]["log_odds"]
    path.write_text(json.dumps(metadata))
    with pytest.raises(BundleError, match="log_odds"):
        ModelBundle.load(folder)
    metadata["lesion_filter"] = {**saved, "darker": 0.5}
    path.write_text(json.dumps(metadata))
    with pytest.raises(BundleError, match="darker is not known.*fit it anew"):
        ModelBundle.load(folder)


def test_lesions_that_touch_are_told_apart_by_default_and_no_voxel_changes(segmenter):
    hu = scan().hu.copy()
    hu[ball(22, 48, 54, 12)] = 60  # touches the large one
    ct = CTVolume.from_array(hu, scan().geometry.ijk_to_lps, "phantom")
    result = segmenter.segment(ct)
    joined = replace(PRESETS["fast"], postprocessing=PostProcessing(split_lesions=False))
    before = segmenter.segment(ct, joined)
    assert (len(before.table), len(result.table)) == (2, 3)
    masks = [Boxed.mask(each.lesions.values, each.lesions.start) for each in (before, result)]
    assert masks[0] == masks[1]
    assert result.split_lesions and not before.split_lesions
    assert max(lesion.long_axis_mm for lesion in result.table) < max(lesion.long_axis_mm for lesion in before.table)
    assert not PostProcessing.paper().split_lesions
