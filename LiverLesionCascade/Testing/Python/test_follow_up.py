"""Follow-up: lesions are matched by position alone, whichever way the world is turned and time runs."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.measures.lesion_matching import (
    GONE,
    MATCHED,
    MERGED,
    NEW,
    SPLIT,
    TOLERANCE_MM,
    Change,
    LesionAtTime,
    follow,
    follow_up_csv,
    lesion_points,
)
from LiverLesionCascadeLib.engine.measures.liver_alignment import LiverShape, align_livers
from scipy.spatial.transform import Rotation

BALL = np.argwhere(np.linalg.norm(np.indices((9, 9, 9)) - 4, axis=0) <= 4) - 4.0


def lesion(key, centre, radius=6.0, name=None):
    points = BALL / 4 * radius + np.asarray(centre, float)
    volume = 4 / 3 * np.pi * radius**3 / 1000
    return LesionAtTime(key, name or key, 2 * radius, volume, points, points.mean(axis=0))


def states(table):
    """{(name before, name after): state}"""
    return {(row.before and row.before.key, row.after and row.after.key): row.state for row in table.rows}


def motion(turn, shift):
    rotation = Rotation.from_rotvec(turn).as_matrix()
    return lambda points: np.asarray(points) @ rotation.T + np.asarray(shift)


lesions = st.lists(
    st.tuples(st.tuples(*[st.integers(-40, 40)] * 3), st.integers(2, 15)),
    min_size=0,
    max_size=6,
    unique_by=lambda x: x[0],
)
turns = st.tuples(*[st.floats(-3, 3)] * 3)
shifts = st.tuples(*[st.floats(-200, 200)] * 3)


def lesionsOf(drawn, prefix):
    # Off the lattice, so that no two pairs lie exactly as far apart.
    jitter = np.random.default_rng(len(drawn) + (prefix == "b")).uniform(-0.4, 0.4, (len(drawn), 3))
    return [
        lesion(f"{prefix}{n}", centre + off, radius)
        for n, ((centre, radius), off) in enumerate(zip(((np.array(c), r) for c, r in drawn), jitter, strict=True))
    ]


@settings(deadline=None, max_examples=60)
@given(lesions, lesions, turns, shifts)
def test_a_motion_of_both_time_points_changes_no_match(drawnBefore, drawnAfter, turn, shift):
    before, after = lesionsOf(drawnBefore, "a"), lesionsOf(drawnAfter, "b")
    move = motion(turn, shift)
    moved = follow([each.moved(move) for each in before], [each.moved(move) for each in after])
    pairs = {key for key, state in states(follow(before, after)).items() if state == MATCHED}
    assert {key for key, state in states(moved).items() if state == MATCHED} == pairs


@settings(deadline=None, max_examples=60)
@given(lesions, lesions)
def test_exchanging_the_time_points_turns_new_into_gone_and_split_into_merged(drawnBefore, drawnAfter):
    before, after = lesionsOf(drawnBefore, "a"), lesionsOf(drawnAfter, "b")
    turned = {MATCHED: MATCHED, NEW: GONE, GONE: NEW, SPLIT: MERGED, MERGED: SPLIT}
    there = states(follow(before, after))
    back = states(follow(after, before))
    assert back == {(b, a): turned[state] for (a, b), state in there.items()}


@settings(deadline=None, max_examples=60)
@given(lesions, lesions, st.data())
def test_every_lesion_stands_in_one_row_and_no_pair_is_beyond_the_tolerance(drawnBefore, drawnAfter, data):
    before, after = lesionsOf(drawnBefore, "a"), lesionsOf(drawnAfter, "b")
    free = [each.key for each in before]
    choices = {}
    for each in after:
        if data.draw(st.booleans()):
            choices[each.key] = data.draw(st.sampled_from([None, *free]))
            if choices[each.key] is not None:
                free.remove(choices[each.key])
    table = follow(before, after, choices)
    assert sorted(row.before.key for row in table.rows if row.before) == sorted(each.key for each in before)
    assert [row.after.key for row in table.rows if row.after] == [each.key for each in after]
    for row in table.rows:
        if row.after is not None and row.after.key in choices:
            assert row.chosen and (row.before.key if row.before else None) == choices[row.after.key]
        elif row.state == MATCHED:
            assert not row.chosen
            reach = min(
                np.linalg.norm(row.before.points - row.after.centre, axis=1).min(),
                np.linalg.norm(row.after.points - row.before.centre, axis=1).min(),
            )
            assert reach < TOLERANCE_MM


def test_a_lesion_that_is_where_it_was_is_not_given_away_to_save_a_neighbour():
    before = [lesion(f"a{n}", (10 * n, 0, 0), 2) for n in range(3)]
    after = [lesion(f"b{n}", (10 * (n + 1), 0, 0), 2) for n in range(3)]
    assert states(follow(before, after)) == {
        ("a1", "b0"): MATCHED,
        ("a2", "b1"): MATCHED,
        (None, "b2"): NEW,
        ("a0", None): GONE,
    }


def test_a_lesion_that_grew_to_one_side_is_the_same():
    assert states(follow([lesion("a", (0, 0, 0), 5)], [lesion("b", (30, 0, 0), 32)])) == {("a", "b"): MATCHED}


def test_parts_of_a_lesion_that_split_or_merged_are_said():
    whole = [lesion("whole", (0, 0, 0), 20)]
    parts = [lesion("large", (-8, 0, 0), 9), lesion("small", (10, 0, 0), 6), lesion("far", (60, 0, 0), 6)]
    split = follow(whole, parts)
    assert states(split) == {("whole", "large"): MATCHED, (None, "small"): SPLIT, (None, "far"): NEW}
    assert split.rows[1].partner.key == "whole" and split.rows[1].long_axis_mm == Change(None, 12.0)
    merged = follow(parts, whole)
    assert states(merged) == {("large", "whole"): MATCHED, ("small", None): MERGED, ("far", None): GONE}
    assert next(row for row in merged.rows if row.state == MERGED).partner.key == "whole"


def test_of_many_lesions_only_near_ones_are_asked_what_is_part_of_them(monkeypatch):
    """Else hundreds of them keep Slicer waiting for seconds."""
    asked = []
    tree = LesionAtTime.tree.func
    monkeypatch.setattr(LesionAtTime, "tree", property(lambda self: asked.append(self) or tree(self)))
    there = [lesion(f"a{n}", (100 * n, 0, 0)) for n in range(100)]
    parts = [lesion(f"b{n}", (100 * n + 15, 0, 0), 4.0) for n in range(100)]
    table = follow(there, [replace(each, key=f"c{each.key}") for each in there] + parts)
    assert (table.count(MATCHED), table.count(NEW)) == (100, 100)
    assert len(asked) < 6 * len(parts)


def test_a_choice_stands_and_the_others_are_matched_around_it():
    before = [lesion("a0", (0, 0, 0)), lesion("a1", (50, 0, 0))]
    after = [lesion("b0", (1, 0, 0)), lesion("b1", (51, 0, 0))]
    table = follow(before, after, {"b0": "a1"})
    assert states(table) == {("a1", "b0"): MATCHED, (None, "b1"): SPLIT, ("a0", None): MERGED}
    assert [row.chosen for row in table.rows] == [True, False, False]
    assert states(follow(before, after, {"b0": None, "gone": "a1", "b1": "gone"})) == {
        (None, "b0"): NEW,
        ("a1", "b1"): MATCHED,
        ("a0", None): GONE,
    }
    with pytest.raises(ValueError, match="chosen for two"):
        follow(before, after, {"b0": "a1", "b1": "a1"})


def test_changes_and_sums_are_in_millimetres_millilitres_and_percent():
    before = [lesion("a0", (0, 0, 0), 10), lesion("a1", (80, 0, 0), 5)]
    after = [lesion("b0", (0, 0, 0), 8), lesion("b1", (-80, 0, 0), 2)]
    table = follow(before, after)
    change = table.rows[0].long_axis_mm
    assert (change.before, change.after, change.difference, change.percent) == (20, 16, -4, -20)
    assert table.rows[0].volume_ml.percent == pytest.approx(100 * (0.8**3 - 1))
    total = table.sum_of_long_axes_mm
    assert (total.before, total.after, total.difference) == (30, 20, -10)
    assert total.percent == pytest.approx(-100 / 3)
    assert table.volume_ml.before == pytest.approx(4 / 3 * np.pi * (1000 + 125) / 1000)
    assert follow([], after).sum_of_long_axes_mm.percent is None


def test_the_csv_holds_what_the_table_says():
    before = [lesion("a0", (0, 0, 0), 10, "Lesion 1"), lesion("a1", (80, 0, 0), 5, "Lesion 2")]
    after = [lesion("b0", (0, 3, 0), 8, 'Left, "big"'), lesion("b1", (-80, 0, 0), 2)]
    rows = list(csv.DictReader(io.StringIO(follow_up_csv(follow(before, after, {"b1": None})))))
    assert [row["state"] for row in rows] == [MATCHED, NEW, GONE, "sum"]
    assert (rows[0]["baseline"], rows[0]["follow_up"]) == ("Lesion 1", 'Left, "big"')
    assert (rows[0]["distance_mm"], rows[0]["match"], rows[1]["match"]) == ("3.0", "proposed", "chosen")
    assert (rows[0]["long_axis_change_mm"], rows[0]["long_axis_change_percent"]) == ("-4.0", "-20.0")
    assert (rows[2]["long_axis_before_mm"], rows[2]["long_axis_after_mm"]) == ("10.0", "")
    assert (rows[3]["long_axis_before_mm"], rows[3]["long_axis_after_mm"]) == ("30.0", "20.0")
    volumes = ("volume_before_ml", "volume_after_ml", "volume_change_ml", "volume_change_percent")
    assert [rows[0][name] for name in volumes] == ["4.189", "2.145", "-2.044", "-48.8"]


def test_points_of_a_lesion_lie_on_its_voxels_and_its_centre_is_that_of_all():
    mask = np.zeros((40, 60, 50), bool)
    mask[3:38, 5:52, 4:47] = True
    toWorld = np.eye(4)
    toWorld[:3, :3] = Rotation.from_rotvec((0.3, 0.2, -0.4)).as_matrix() * (0.7, -0.8, 2.0)
    toWorld[:3, 3] = (5, 6, 7)
    points, centre = lesion_points(mask, toWorld)
    ijk = (points - toWorld[:3, 3]) @ np.linalg.inv(toWorld[:3, :3]).T
    np.testing.assert_allclose(ijk, np.round(ijk), atol=1e-9)
    assert mask[tuple(np.round(ijk).astype(int).T[::-1])].all()
    assert len(points) < 0.2 * mask.sum()
    np.testing.assert_allclose(centre, toWorld[:3, :3] @ (25, 28, 20) + toWorld[:3, 3])


# -- alignment


def liver(shape, spacing, move=None, cutSlices=0):
    """A liver of three ellipsoids where a motion takes it: bool (k, j, i) and its ijk to world."""
    toWorld = np.diag([*spacing, 1.0])
    toWorld[:3, 3] = -np.array(spacing) * shape[::-1] / 2
    k, j, i = np.indices(shape)
    points = np.stack((i, j, k), -1) * spacing + toWorld[:3, 3]
    if move is not None:
        rotation, shift = move
        points = (points - shift) @ rotation

    def ellipsoid(centre, radii):
        return (((points - centre) / radii) ** 2).sum(-1) <= 1

    mask = (ellipsoid((-30, 0, 0), (60, 70, 75)) | ellipsoid((40, -20, 20), (70, 45, 35))) & ~ellipsoid(
        (10, 60, -60), (40, 40, 60)
    )
    toWorld[:3, 3] += toWorld[:3, 2] * cutSlices
    return mask[cutSlices:], toWorld


CORNERS = np.array([[x, y, z] for x in (-70, 70) for y in (-50, 50) for z in (-50, 50)], float)
BEFORE = LiverShape(*liver((44, 74, 92), (3.5, 3.5, 5.0)))


def move(seed):
    rng = np.random.default_rng(seed)
    return Rotation.from_rotvec(rng.uniform(-0.2, 0.2, 3)).as_matrix(), rng.uniform(-25, 25, 3)


@settings(deadline=None, max_examples=3, derandomize=True)
@given(st.integers(0, 1000))
def test_a_known_rigid_motion_of_a_liver_is_found_on_another_grid(seed):
    rotation, shift = move(seed)
    after = LiverShape(*liver((60, 90, 92), (3.0, 3.5, 4.0), (rotation, shift)))
    alignment = align_livers(BEFORE, after)
    assert np.abs(alignment(CORNERS) - (CORNERS @ rotation.T + shift)).max() < 3.0
    assert alignment.surface_distance_mm < 2.0
    back = align_livers(after, BEFORE)
    assert np.abs(back(alignment(CORNERS)) - CORNERS).max() < 0.5
    linear = alignment.matrix[:3, :3]
    np.testing.assert_allclose(linear @ linear.T, np.eye(3), atol=1e-12)


def test_a_liver_that_a_scan_shows_in_part_is_laid_on_the_whole():
    rotation, shift = move(4)
    part = LiverShape(*liver((60, 90, 92), (3.0, 3.5, 4.0), (rotation, shift), cutSlices=20))
    assert np.abs(align_livers(BEFORE, part)(CORNERS) - (CORNERS @ rotation.T + shift)).max() < 5.0


def test_axes_of_any_order_and_direction_hold_the_same_liver():
    mask, toWorld = liver((44, 74, 92), (3.5, 3.5, 5.0))
    flipped = toWorld @ np.array([[0, -1, 0, 91], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])
    other = LiverShape(mask.transpose(1, 2, 0)[:, ::-1], flipped)
    found = align_livers(BEFORE, other)
    assert np.abs(found(CORNERS) - CORNERS).max() < 1.0


def test_distances_to_a_surface_are_in_mm_to_both_sides_and_far_from_it_and_nothing_is_known_beyond_the_scan():
    toWorld = np.diag([4.0, 4.0, 4.0, 1.0])
    k, j, i = np.indices((41, 41, 41))
    ball = (k - 20) ** 2 + (j - 20) ** 2 + (i - 20) ** 2 <= 15**2
    shape = LiverShape(ball, toWorld)
    directions = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, 0, -1], [0.6, 0, 0.8], [0, -0.6, -0.8]])
    for radius in (20.0, 48.0, 60.0, 76.0, 110.0, 150.0):
        distance = shape.distance_mm(80 + radius * directions)
        # Beyond the grid, the distance to where the grid ends is added: too much where that is oblique.
        assert np.abs(distance - (radius - 60)).max() < (3.0 if radius < 120 else 10.0), radius
    half = LiverShape(ball[20:], toWorld)  # the scan begins in the liver's middle, at z = 0
    below = np.array([[80.0, 80.0, z] for z in (4.0, -2.0, -4.0, -8.0, -60.0)])
    inner, *beyond = half.distance_mm(below)
    assert inner < -40 and beyond[0] < beyond[1] < -20
    assert beyond[2:] == pytest.approx([0, 0], abs=1e-9)


def test_without_a_liver_the_remedy_is_named():
    with pytest.raises(InputError, match="as the scans lie"):
        LiverShape(np.zeros((3, 3, 3), bool), np.eye(4))
