"""Free-response ROC: recall against false lesions a scan."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from LiverLesionCascadeTrainingLib.evaluation.froc import FrocPoint, at_false_rates, froc, listed_from

#: Confidence, and which of five lesions of the reference it touches.
LESIONS = st.lists(st.tuples(st.sampled_from([0.1, 0.25, 0.5, 0.75, 1.0]), st.sets(st.integers(0, 4), max_size=2)))


def curve(lesions, references=range(5), scans=2):
    return froc([c for c, _ in lesions], [t for _, t in lesions], references, scans)


def test_a_curve_by_hand():
    lesions = [(0.9, {0}), (0.8, ()), (0.7, {0, 1}), (0.7, ()), (0.2, {3})]
    assert curve(lesions, references=range(4)) == [
        FrocPoint(0.9, 0.25, 0.0),
        FrocPoint(0.8, 0.25, 0.5),
        FrocPoint(0.7, 0.5, 1.0),
        FrocPoint(0.2, 0.75, 1.0),
    ]


def test_what_touches_a_lesion_that_is_not_asked_for_is_neither_found_nor_false():
    assert curve([(0.9, {4}), (0.8, {0})], references=[0]) == [FrocPoint(0.9, 0.0, 0.0), FrocPoint(0.8, 1.0, 0.0)]


def test_there_is_no_curve_where_there_is_nothing_to_find():
    assert curve([(0.9, ())], references=[]) == []


@given(LESIONS)
def test_every_point_is_what_counting_says(lesions):
    points = curve(lesions)
    assert [p.confidence for p in points] == sorted({c for c, _ in lesions}, reverse=True)
    for point in points:
        listed = [touched for c, touched in lesions if c >= point.confidence]
        assert point.recall == len(set().union(*listed)) / 5
        assert point.false_per_scan == sum(not touched for touched in listed) / 2


@given(LESIONS, st.sampled_from([0.0, 0.5, 1.0, 3.0]))
def test_listing_from_the_chosen_confidence_costs_no_more_and_finds_no_less_than_any_other(lesions, rate):
    points = curve(lesions)
    chosen = listed_from(points, rate, at_most=2.0)
    listed = [touched for c, touched in lesions if c >= chosen]
    assert sum(not touched for touched in listed) / 2 <= rate
    best = max((p.recall for p in points if p.false_per_scan <= rate), default=0.0)
    assert len(set().union(*listed)) / 5 == best


def test_what_is_more_confident_than_allowed_is_listed_whatever_it_costs():
    assert listed_from(curve([(0.9, ())] * 9), 1.0, at_most=0.5) == 0.5
    assert listed_from(curve([(0.9, ()), (0.8, ()), (0.7, ())]), 1.0, at_most=0.5) == 0.5


def test_a_rate_that_no_point_keeps_is_left_out():
    points = curve([(0.9, ()), (0.8, {1})])
    assert at_false_rates(points, (0.1, 0.5, 4.0)) == [points[1], points[1]]
    assert at_false_rates([], (1.0,)) == pytest.approx([])
