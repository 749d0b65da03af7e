"""Slices prepared for training: streamed to disk, the same from files and from a prepared data set."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from fixtures.lits_phantoms import phantom_case, write_case, write_lits_folders
from fixtures.tiny_recipe import tiny_recipe
from hypothesis import given
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.model.model_settings import PASSES
from LiverLesionCascadeLib.engine.passes.lesion_pass import NEIGHBOUR_REACH
from LiverLesionCascadeTrainingLib.cases.problems import DataProblems
from LiverLesionCascadeTrainingLib.datasets.cases import find_cases
from LiverLesionCascadeTrainingLib.datasets.prepare import prepare
from LiverLesionCascadeTrainingLib.slices.sampling import SliceSampler
from LiverLesionCascadeTrainingLib.slices.slice_store import build_store, canvas_view, open_store, slices_beside

RECIPE = tiny_recipe()


@pytest.fixture(scope="module")
def lits(tmp_path_factory):
    return write_lits_folders(tmp_path_factory.mktemp("data"))[0]


@pytest.mark.parametrize("pass_name", PASSES)
def test_store_of_a_prepared_data_set_is_that_of_its_files(lits, tmp_path, pass_name):
    prepare([lits], tmp_path / "data", share=0)
    stores = []
    for number, folder in enumerate((lits, tmp_path / "data")):
        build_store(find_cases([folder]), pass_name, RECIPE, tmp_path / str(number))
        stores.append(open_store(tmp_path / str(number)))
    first, second = stores
    for name in ("images", "targets", "case", "slice", "patient", "kinds", "chosen"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert (first.names, first.views, first.inner) == (second.names, second.views, second.inner)


@pytest.mark.parametrize("without", ["lesions", "slices beyond the liver"])
def test_cases_without_one_sort_of_slices_are_refused_where_as_many_of_both_are_trained_on(tmp_path, without):
    hu, labels = phantom_case(1, lesion=without != "lesions", slices=6, side=24)
    kept = np.ones(len(labels), bool) if without == "lesions" else labels.any(axis=(1, 2))
    write_case(tmp_path / "in", "1", hu[kept], labels[kept])
    with pytest.raises(InputError, match="none of one sort: give cases that do, or choose the recipe compact"):
        build_store(find_cases([tmp_path / "in"]), "liver", RECIPE, tmp_path / "store", slices=100)
    assert not (tmp_path / "store").exists()


def test_slices_in_parts_are_those_at_once(lits, tmp_path, monkeypatch):
    cases = find_cases([lits])
    for chunk in (5, 1000):
        monkeypatch.setattr("LiverLesionCascadeTrainingLib.slices.slice_store._CHUNK", chunk)
        build_store(cases, "lesion", RECIPE, tmp_path / str(chunk))
    few, all_at_once = open_store(tmp_path / "5"), open_store(tmp_path / "1000")
    np.testing.assert_array_equal(few.images, all_at_once.images)
    np.testing.assert_array_equal(few.targets, all_at_once.targets)
    # Each slice is in its place: what is liver there is liver in the case.
    labels = {case.name: case.load()[1] for case in cases}
    shown = [bool(labels[few.names[c]][s].any()) for c, s in zip(few.case, few.slice, strict=True)]
    assert (few.targets[:, 0].any(axis=(1, 2)) == shown).all()


def test_memory_needed_does_not_grow_with_the_number_of_cases(tmp_path):
    """Counted is what Python allocates, arrays included; memory-mapped files are not."""
    for number in range(12):
        write_case(tmp_path / "in", str(number), *phantom_case(number, slices=24))
    prepare([tmp_path / "in"], tmp_path / "data", share=0)
    cases = find_cases([tmp_path / "data"])
    peaks = []
    for count in (2, 12):
        tracemalloc.start()
        build_store(cases[:count], "liver", RECIPE, tmp_path / f"store-{count}")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    images = open_store(tmp_path / "store-12").images
    assert peaks[1] - peaks[0] < 0.3 * images.nbytes


def test_paper_s_choice_is_trained_on_and_the_rest_kept_for_priors(lits, tmp_path):
    cases = find_cases([lits])
    build_store(cases, "liver", RECIPE, tmp_path / "liver", slices=20)
    build_store(cases, "lesion", RECIPE, tmp_path / "lesion")
    store, lesion = open_store(tmp_path / "liver"), open_store(tmp_path / "lesion")
    chosen = store.kinds[store.chosen]
    assert (chosen == "lesion").sum() == np.isin(chosen, ("near", "neither")).sum() == 10
    kept = set(zip(store.case.tolist(), store.slice.tolist(), strict=True))
    assert set(zip(lesion.case.tolist(), lesion.slice.tolist(), strict=True)) <= kept
    assert lesion.chosen.all()
    drawn = SliceSampler(store, {"lesion": 0.5, "neither": 0.5}, 0.5).draw(500, np.random.default_rng(0))
    assert set(drawn.tolist()) == set(np.flatnonzero(store.chosen).tolist())


def test_choice_follows_the_recipe_s_seed(lits, tmp_path):
    cases = find_cases([lits])
    choices = []
    for number, seed in enumerate((1, 1, 2)):
        build_store(cases, "liver", replace(RECIPE, seed=seed), tmp_path / str(number), slices=20)
        store = open_store(tmp_path / str(number))
        pairs = zip(store.case, store.slice, store.chosen, strict=True)
        choices.append({(int(c), int(s)) for c, s, one in pairs if one})
    assert choices[0] == choices[1] != choices[2]


@pytest.mark.parametrize("slices", [None, 20])
def test_all_cases_that_cannot_be_trained_on_are_named_and_nothing_is_left(tmp_path, slices):
    hu, labels = phantom_case(1)
    write_case(tmp_path / "in", "17", hu, labels * 3)
    write_case(tmp_path / "in", "18", hu, labels)
    write_case(tmp_path / "in", "19", hu[:-1], labels)
    with pytest.raises(DataProblems, match="(?s)case 17: .*unknown labels.*case 19: .*not on the scan's grid"):
        build_store(find_cases([tmp_path / "in"]), "liver", RECIPE, tmp_path / "store", slices=slices)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_lesion_pass_is_shown_every_liver_at_the_recipe_s_density_and_the_liver_pass_as_it_is(tmp_path):
    hu, labels = phantom_case(1)
    write_case(tmp_path / "in", "17", hu, labels)
    write_case(tmp_path / "in", "18", hu - 30, labels)
    seen = replace(RECIPE.model.lesion_pass, liver_hu=90.0)
    cases, recipe = find_cases([tmp_path / "in"]), replace(RECIPE, model=replace(RECIPE.model, lesion_pass=seen))
    low, high = recipe.model.window_hu
    for pass_name in PASSES:
        build_store(cases, pass_name, recipe, tmp_path / pass_name)
        store = open_store(tmp_path / pass_name)
        liver = store.targets[:, 0] == 255
        medians = [
            low + np.median(store.images[store.case == c][liver[store.case == c]]) / 255 * (high - low) for c in (0, 1)
        ]
        if pass_name == "lesion":
            assert medians == pytest.approx([90, 90], abs=4)
        else:
            assert medians[0] - medians[1] == pytest.approx(30, abs=4)


def test_case_without_liver_is_named(tmp_path):
    hu, labels = phantom_case(1)
    write_case(tmp_path / "in", "17", hu, np.zeros_like(labels))
    with pytest.raises(DataProblems, match="case 17: the liver is empty"):
        build_store(find_cases([tmp_path / "in"]), "lesion", RECIPE, tmp_path / "store")


@given(st.lists(st.floats(0.1, 30.0), min_size=1, max_size=30), st.floats(0.5, 10.0))
def test_a_neighbour_is_the_slice_nearest_to_its_distance_on_its_side_or_none(steps, distance):
    positions = np.cumsum(steps)
    found = slices_beside(positions, distance)
    for i, (below, above) in enumerate(found):
        for j, sign in ((below, -1), (above, 1)):
            away = sign * (positions - positions[i])
            near = (away > 0) & (away <= NEIGHBOUR_REACH * distance)
            assert near[j] or (j == i and not near.any())
            if j != i:
                assert abs(away[j] - distance) == np.abs(away[near] - distance).min()


def test_single_slices_have_no_neighbours():
    assert slices_beside(np.full(3, np.nan), 3.0).tolist() == [[0, 0], [1, 1], [2, 2]]


def test_the_livers_canvas_lies_in_the_middle_of_slices_of_any_shape():
    view = canvas_view("liver", RECIPE, np.zeros((2, 40, 96), np.uint8), (3.0, 2.0, 1.0))
    assert view.top + view.height / 2 == pytest.approx(20, abs=0.5)
    assert view.left + view.width / 2 == pytest.approx(48, abs=0.5)
    assert view.height * 2.0 == pytest.approx(view.width * 1.0, abs=2.0), "as many mm in both directions"
