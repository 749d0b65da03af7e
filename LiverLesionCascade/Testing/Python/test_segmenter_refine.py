"""The run that refines: what the network is shown, what may change, liver edits, progress and cancel."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.small_bundle import IntensityNetwork, write_tiny_bundle
from hypothesis import given, settings
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.corrections import edit_flags
from LiverLesionCascadeLib.engine.corrections.refine import Corrections
from LiverLesionCascadeLib.engine.errors import CancelledError
from LiverLesionCascadeLib.engine.grid.boxed import EMPTY, Boxed
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from LiverLesionCascadeLib.engine.segmenter import Segmenter

SHAPE, SPACING = (20, 60, 64), (3.0, 2.0, 2.0)
START, STOP = (2, 6, 4), (19, 56, 60)
BOX = tuple(slice(a, b) for a, b in zip(START, STOP, strict=True))


def ball(centre, radius):
    grid = np.ogrid[tuple(slice(0, n) for n in SHAPE)]
    return sum(((axis - c) * s) ** 2 for axis, c, s in zip(grid, centre, SPACING, strict=True)) <= radius**2


LIVER, LESION = ball((10, 30, 30), 40), ball((10, 26, 26), 12)
NOTHING = np.zeros(SHAPE, bool)


def in_slice(mask, number):
    only = np.zeros(SHAPE, bool)
    only[number] = mask[number]
    return only


def scan():
    hu = np.full(SHAPE, 200.0)
    hu[LIVER], hu[LESION] = 110, 60
    hu += np.random.default_rng(0).normal(0, 3, SHAPE)
    return CTVolume.from_array(hu.astype(np.int16), np.diag([*SPACING[::-1], 1.0]), "phantom")


def corrections(
    liver, lesions, painted=NOTHING, erased=NOTHING, liver_painted=NOTHING, liver_erased=NOTHING, kept=NOTHING
):
    """What is left of masks after edits, in the box."""
    lesions_now = (lesions | painted) & ~erased
    liver_now = (liver | painted | liver_painted) & ~liver_erased
    touched = painted | erased | liver_painted | liver_erased | kept
    whole = liver_now, lesions_now, painted, erased, liver_painted, liver_erased, touched
    return Corrections(START, *(mask[BOX] for mask in whole))


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory):
    made = Segmenter(ModelBundle.load(write_tiny_bundle(tmp_path_factory.mktemp("model") / "bundle")), "cpu")
    made._networks = {"liver": IntensityNetwork(), "lesion": IntensityNetwork()}
    return made


MARK = in_slice(ball((10, 26, 26), 5), 10)


def test_a_marked_lesion_is_found_and_becomes_liver_too(segmenter):
    liver = LIVER & ~ball((10, 26, 26), 4)
    refined = segmenter.refine(scan(), corrections(liver, NOTHING, painted=MARK))
    found, truth = refined.lesions, LESION[BOX]
    assert 2 * np.count_nonzero(found & truth) / (found.sum() + truth.sum()) > 0.8
    assert not np.any(found & ~refined.liver)


def test_without_corrections_nothing_changes_and_no_network_runs(segmenter):
    segmenter._networks["lesion"].seen.clear()
    c = corrections(LIVER, LESION, kept=MARK)
    refined = segmenter.refine(scan(), c)
    np.testing.assert_array_equal(refined.lesions, c.lesions)
    np.testing.assert_array_equal(refined.liver, c.liver)
    assert segmenter._networks["lesion"].seen == []


def test_the_network_is_shown_marks_and_erasures_at_full_strength(segmenter):
    network = segmenter._networks["lesion"]
    network.seen.clear()
    other = in_slice(ball((10, 40, 40), 5), 10)
    segmenter.refine(scan(), corrections(LIVER, other, painted=MARK, erased=other))
    edited = network.seen[0][0, 1]
    assert edited.max() == 1 and edited.min() == -1
    assert network.seen[0][0, 2].max() == pytest.approx(0.5, abs=1e-6)


def test_a_part_added_to_the_liver_is_followed_into_the_neighbouring_slices(segmenter):
    part = ball((10, 30, 46), 10) & LIVER
    refined = segmenter.refine(scan(), corrections(LIVER & ~part, NOTHING, liver_painted=in_slice(part, 10)))
    assert np.count_nonzero(refined.liver & part[BOX]) > 0.9 * np.count_nonzero(part)


def test_a_part_taken_out_of_the_liver_is_followed_into_the_neighbouring_slices(segmenter):
    leak = ball((10, 30, 52), 10) & ~LIVER
    refined = segmenter.refine(scan(), corrections(LIVER | leak, NOTHING, liver_erased=in_slice(leak, 10)))
    left = np.count_nonzero(refined.liver & leak[BOX])
    assert left < 0.1 * np.count_nonzero(leak)
    assert np.count_nonzero(refined.liver & LIVER[BOX]) > 0.98 * np.count_nonzero(LIVER[BOX])


def test_liver_that_a_person_decided_about_in_the_next_slice_stays(segmenter):
    part = ball((10, 30, 46), 10) & LIVER
    kept = in_slice(part, 11)
    c = corrections(LIVER & ~part, NOTHING, liver_painted=in_slice(part, 10), kept=kept)
    refined = segmenter.refine(scan(), c)
    assert not np.any(refined.liver & kept[BOX])
    assert np.any(refined.liver & in_slice(part, 9)[BOX])


def test_what_a_person_did_to_the_liver_stands_though_it_is_not_named_as_touched(segmenter):
    """A part that is no liver by the scan, painted, over one that is, erased: each is wanted back by the other."""
    beside, inside = ball((10, 30, 52), 8) & ~LIVER, ball((10, 30, 46), 8) & LIVER
    painted = in_slice(beside, 10) | in_slice(inside, 11)
    erased = in_slice(beside, 11) | in_slice(inside, 10)
    c = corrections((LIVER | beside) & ~in_slice(inside, 11), NOTHING, liver_painted=painted, liver_erased=erased)
    refined = segmenter.refine(scan(), replace(c, touched=NOTHING[BOX]))
    assert refined.liver[painted[BOX]].all()
    assert not refined.liver[erased[BOX]].any()


def of_two_results(before, now):
    return Corrections.between((Boxed.mask(before), EMPTY), (Boxed.mask(now), EMPTY), scan())


def of_the_panels_flags(before, now):
    flags = now * edit_flags.LIVER + (now & ~before) * edit_flags.LIVER_PAINTED
    return edit_flags.corrections_of(Boxed.of(flags.astype(np.uint8)), scan())


@pytest.mark.parametrize("made", [of_two_results, of_the_panels_flags])
def test_in_the_box_of_the_masks_a_correction_is_carried_as_far_as_in_the_whole_scan(segmenter, made):
    """Beyond the masks too: here the liver's upper half was missed, and is painted in one slice more."""
    missed = LIVER & (np.arange(SHAPE[0]) >= 10)[:, None, None]
    before, now = LIVER & ~missed, LIVER & ~missed | in_slice(LIVER, 10)
    refined = segmenter.refine(scan(), made(before, now))
    whole = Corrections((0, 0, 0), now, NOTHING, NOTHING, NOTHING, now & ~before, NOTHING, NOTHING)
    expected = segmenter.refine(scan(), whole)
    assert np.count_nonzero(refined.liver) > np.count_nonzero(now)
    np.testing.assert_array_equal(Boxed(refined.liver, refined.start).full(SHAPE), expected.liver)


def test_progress_never_falls_and_ends_at_one(segmenter):
    told = []
    segmenter.refine(
        scan(), corrections(LIVER, NOTHING, painted=MARK), progress=lambda f, stage: told.append((f, stage))
    )
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions) and fractions[-1] == 1
    assert {stage for _, stage in told} == {"Looking again", "Carrying corrections on"}


@pytest.mark.parametrize("asked", [1, 3, 8])
def test_a_cancelled_run_ends_and_leaves_the_corrections_as_they_were(segmenter, asked):
    count = 0

    def cancel():
        nonlocal count
        count += 1
        return count >= asked

    c = corrections(LIVER, NOTHING, painted=MARK)
    before = c.lesions.copy()
    with pytest.raises(CancelledError):
        segmenter.refine(scan(), c, cancel=cancel)
    assert count == asked
    np.testing.assert_array_equal(c.lesions, before)


def test_a_box_outside_the_scan_is_refused(segmenter):
    beyond = Corrections((10, 6, 4), *[LIVER[BOX]] * 7)
    with pytest.raises(ValueError, match="does not lie in the scan"):
        segmenter.refine(scan(), beyond)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), named=st.booleans())
def test_touched_voxels_stand_whatever_was_done(segmenter, seed, named):
    """Those that were painted or erased in the liver too where they are not named as touched."""
    random = np.random.default_rng(seed)

    def blob(radius):
        return ball(random.uniform(START, STOP), random.uniform(2, radius))

    lesions = (blob(16) | blob(16)) & LIVER
    painted, erased = blob(12) & ~lesions, blob(12) & lesions
    added, removed = blob(12) & ~LIVER & ~painted, blob(12) & LIVER & ~lesions & ~painted
    c = corrections(LIVER, lesions, painted, erased, added, removed, blob(12))
    fixed_liver = c.touched
    if not named:
        c = replace(c, touched=c.lesions_painted | c.lesions_erased)
        fixed_liver = c.liver_painted | c.liver_erased
    refined = segmenter.refine(scan(), c)
    np.testing.assert_array_equal(refined.lesions[c.touched], c.lesions[c.touched])
    np.testing.assert_array_equal(refined.liver[fixed_liver], c.liver[fixed_liver])


def test_a_hole_that_a_person_cut_into_the_liver_is_not_filled_by_a_lesion_around_it(segmenter):
    hole = in_slice(ball((10, 26, 26), 3), 10)
    ring = in_slice(ball((10, 26, 26), 7), 10) & ~hole
    c = corrections(LIVER, NOTHING, painted=ring, liver_erased=hole)
    refined = segmenter.refine(scan(), replace(c, touched=ring[BOX]))
    assert not np.any((refined.liver | refined.lesions) & hole[BOX])
