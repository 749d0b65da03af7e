"""Corrections are carried on, stand exactly, and change nothing else."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.corrections import refine
from LiverLesionCascadeLib.engine.corrections.refine import Corrections, refine_lesions
from LiverLesionCascadeLib.engine.progress import Progress
from scipy import ndimage

SPACING = (2.0, 1.0, 1.0)
SHAPE = (17, 48, 48)


def ball(centre, radius):
    grid = np.ogrid[tuple(slice(0, n) for n in SHAPE)]
    return sum(((axis - c) * s) ** 2 for axis, c, s in zip(grid, centre, SPACING, strict=True)) <= radius**2


LIVER = ball((8, 24, 24), 22)
LESION = ball((8, 20, 20), 6)
NOTHING = np.zeros(SHAPE, bool)
UNSEEN = np.full(SHAPE, np.nan, np.float32)


def scan(*lesions, noise=5.0):
    hu = np.where(LIVER, 110.0, 30.0)
    for lesion in lesions:
        hu[lesion] = 60.0
    return hu + np.random.default_rng(1).normal(0, noise, SHAPE)


def corrections(lesions, painted=NOTHING, erased=NOTHING, touched=None):
    now = (lesions | painted) & ~erased
    touched = painted | erased if touched is None else touched
    return Corrections((0, 0, 0), LIVER, now, painted, erased, NOTHING, NOTHING, touched)


def refined(hu, edits, probability=UNSEEN):
    return refine_lesions(hu, SPACING, edits, probability, Progress())


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / max(1, np.count_nonzero(a) + np.count_nonzero(b))


def inSlice(mask, number):
    only = np.zeros(SHAPE, bool)
    only[number] = mask[number]
    return only


def test_a_marked_lesion_is_found_in_all_its_slices():
    mark = inSlice(ball((8, 20, 20), 3), 8)
    found = refined(scan(LESION), corrections(NOTHING, painted=mark))
    assert dice(found, LESION) > 0.8 > dice(mark, LESION)


def test_a_mark_where_the_scan_shows_nothing_stays_small():
    mark = inSlice(ball((8, 20, 20), 3), 8)
    found = refined(scan(), corrections(NOTHING, painted=mark))
    assert found[mark].all()
    assert np.count_nonzero(found) < np.count_nonzero(LESION)


def test_a_stroke_grows_no_further_than_a_mark_of_its_width():
    """The lesion that it crosses ends a little beyond it; where the scan shows nothing, next to nothing is added."""
    stroke = NOTHING.copy()
    stroke[8, 19:22, 10:38] = True
    added = refined(scan(), corrections(NOTHING, painted=stroke)) & ~stroke
    assert np.count_nonzero(added) < 2 * np.count_nonzero(stroke)


def test_strokes_at_the_edge_of_the_liver_do_not_follow_it():
    """Partial volume makes the liver's rim a little darker than the liver, which is no lesion."""
    inside = ndimage.gaussian_filter(LIVER.astype(float), (0, 1.2, 1.2))
    hu = np.where(LIVER, 40 + 70 * inside, 30.0) + np.random.default_rng(2).normal(0, 8.0, SHAPE)
    rim = inSlice(LIVER & ~ball((8, 24, 24), 19), 8)
    strokes = rim & (np.indices(SHAPE)[1] < 16)
    added = refined(hu, corrections(NOTHING, painted=strokes)) & ~strokes
    assert np.count_nonzero(added) < 3 * np.count_nonzero(strokes)


def test_a_lesion_is_found_from_a_stroke_along_it():
    long = ball((8, 20, 16), 5) | ball((8, 20, 24), 5) | ball((8, 20, 32), 5)
    stroke = NOTHING.copy()
    stroke[8, 19:22, 14:35] = True
    found = refined(scan(long), corrections(NOTHING, painted=stroke & long))
    assert dice(found, long) > 0.8


def test_an_object_that_was_erased_in_its_main_slice_goes_altogether():
    false = ball((8, 28, 28), 5)
    other = ball((8, 14, 14), 4)
    found = refined(scan(other), corrections(false | other, erased=inSlice(false, 8)))
    np.testing.assert_array_equal(found, other)


def test_an_object_whose_end_was_trimmed_stays():
    top = 11
    trimmed = inSlice(LESION, top)
    assert trimmed.any()
    found = refined(scan(LESION), corrections(LESION, erased=trimmed))
    assert dice(found, LESION & ~trimmed) > 0.9


def test_a_leak_that_was_cut_off_in_one_slice_goes_in_its_neighbours():
    leak = ball((8, 20, 30), 5) & ~LESION
    found = refined(scan(LESION), corrections(LESION | leak, erased=inSlice(leak, 8)))
    alone = (LESION | leak) & ~inSlice(leak, 8)
    assert dice(found, LESION) > dice(alone, LESION) + 0.05


def test_nothing_changes_without_a_correction():
    found = refined(scan(LESION), corrections(LESION))
    np.testing.assert_array_equal(found, LESION)


def test_of_many_marks_one_at_a_time_is_in_memory(monkeypatch):
    monkeypatch.setattr(refine, "_grown_mark", lambda mark, *others: mark)
    marks = NOTHING.copy()
    marks[::2, ::3, ::3] = True
    edits = corrections(NOTHING, painted=marks)
    tracemalloc.start()
    try:
        found = refined(scan(), edits)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(found, marks)
    assert peak < 100 * marks.nbytes < 0.1 * ndimage.label(marks)[1] * marks.nbytes


def test_masks_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match="not on one grid"):
        Corrections((0, 0, 0), LIVER, LESION, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING[1:])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_touched_voxels_stand_whatever_was_done(seed, withMap):
    random = np.random.default_rng(seed)

    def blob(radius):
        return ball(random.uniform(0, SHAPE), random.uniform(1, radius))

    lesions = (blob(8) | blob(8)) & LIVER
    painted = blob(6) & ~lesions
    erased = blob(6) & lesions
    touched = painted | erased | blob(6)
    probability = random.uniform(0, 1, SHAPE).astype(np.float32) if withMap else UNSEEN
    c = corrections(lesions, painted, erased, touched)
    found = refined(scan(LESION), c, probability)
    np.testing.assert_array_equal(found[touched], c.lesions[touched])
