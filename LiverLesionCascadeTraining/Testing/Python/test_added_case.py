"""A case of the current scene, added to a training folder."""

import json

import numpy as np
import pytest
from fixtures.lits_phantoms import phantom_case, write_case
from LiverLesionCascadeLib.engine.errors import InputError, InvalidVolumeError, OutputError
from LiverLesionCascadeTrainingLib.datasets.added_case import add_case
from LiverLesionCascadeTrainingLib.datasets.cases import find_cases
from LiverLesionCascadeTrainingLib.datasets.prepare import prepare

#: A sheared (tilted) grid whose slices run from head to feet.
IJK_TO_LPS = np.array([[5.0, 0, 0, -100], [0, 5.0, 1.0, 20], [0, 0, -4.0, 300], [0, 0, 0, 1]])
UPRIGHT = IJK_TO_LPS * [[1, 1, 1, 1], [1, 1, 0, 1], [1, 1, 1, 1], [1, 1, 1, 1]]


def case(seed=1):
    hu, labels = phantom_case(seed)
    return hu.astype(np.int16), labels


def test_added_cases_are_found_and_prepared_beside_others(tmp_path):
    folder = tmp_path / "Fälle von mir"
    add_case(folder, "first", *case(1), UPRIGHT, patient="Ä")
    add_case(folder, "second: no/slash", *case(2), UPRIGHT, patient="Ä")
    added = add_case(folder, "third", *case(3), UPRIGHT)
    cases = find_cases([folder])
    assert {one.name: one.patient for one in cases} == {"first": "Ä", "second_ no_slash": "Ä", "third": "pthird"}
    assert added == next(one for one in cases if one.name == "third")
    hu, labels, spacing = cases[0].load()
    np.testing.assert_array_equal(hu, case(1)[0][::-1])
    np.testing.assert_array_equal(labels, case(1)[1][::-1])
    assert spacing == pytest.approx((4, 5, 5))
    assert prepare([folder], tmp_path / "data", share=0).splits["train"].patients == 2


def test_tilted_scan_keeps_its_grid_and_can_be_trained_on(tmp_path):
    source = add_case(tmp_path, "tilted", *case(), IJK_TO_LPS)
    ct, labels = source.read()
    assert ct.resampled and ct.source.matches(type(ct.source)(ct.source.shape, IJK_TO_LPS))
    assert (
        0.8 < (labels > 0).sum() / (case()[1] > 0).sum() * ct.geometry.voxel_volume_ml / ct.source.voxel_volume_ml < 1.2
    )


def test_what_the_folder_above_says_of_other_cases_still_holds_beside_an_added_one(tmp_path):
    for seed in (1, 2):
        write_case(tmp_path / "train", str(seed), *phantom_case(seed))
    described = {"1": {"patient": "a"}, "2": {"patient": "a", "slice_index": list(range(12))}}
    (tmp_path / "dataset.json").write_text(json.dumps(described))
    add_case(tmp_path / "train", "new", *case(3), UPRIGHT, patient="b")
    found = {one.name: (one.patient, one.sparse) for one in find_cases([tmp_path / "train"])}
    assert found == {"1": ("a", False), "2": ("a", True), "new": ("b", False)}


def test_case_is_never_replaced(tmp_path):
    add_case(tmp_path, "a", *case(1), UPRIGHT)
    with pytest.raises(OutputError, match="has a case a already"):
        add_case(tmp_path, "a", *case(2), UPRIGHT)
    np.testing.assert_array_equal(find_cases([tmp_path])[0].load()[1], case(1)[1][::-1])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda hu, labels: (hu, labels * 0), InputError, "the liver is empty"),
        (lambda hu, labels: (hu, labels + 1), InputError, "unknown labels"),
        (lambda hu, labels: (hu[1:], labels), InputError, "differ in size"),
        (lambda hu, labels: (hu * 0 + 7, labels), InvalidVolumeError, "every voxel is 7"),
    ],
)
def test_what_cannot_be_trained_on_is_not_written(tmp_path, change, error, message):
    with pytest.raises(error, match=message):
        add_case(tmp_path / "new", "a", *change(*case()), UPRIGHT)
    assert not (tmp_path / "new").exists()


def test_prepared_data_set_is_no_training_folder(tmp_path):
    add_case(tmp_path / "in", "a", *case(), UPRIGHT)
    prepare([tmp_path / "in"], tmp_path / "data", share=0)
    with pytest.raises(OutputError, match="is a prepared data set"):
        add_case(tmp_path / "data", "b", *case(2), UPRIGHT)
