"""Rules of the training data: names of segments, the draw of patients and slices, files that grow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.grid.geometry import ImageGeometry
from LiverLesionCascadeTrainingLib.cases.case_source import safe_name
from LiverLesionCascadeTrainingLib.cases.labels import LESION, LIVER, with_labels
from LiverLesionCascadeTrainingLib.cases.splits import split_patients
from LiverLesionCascadeTrainingLib.datasets.npy_file import NpyWriter
from LiverLesionCascadeTrainingLib.datasets.slice_kinds import choose_slices, slice_kinds
from LiverLesionCascadeTrainingLib.layouts.placement import Piece, label_map
from LiverLesionCascadeTrainingLib.layouts.segment_labels import SegmentIdentity, role_of_name, terminology_codes


@pytest.mark.parametrize("name", ["Liver", "liver_segmentation", "Leber", "LIVER 1", "whole liver", "肝臓", "Hígado"])
def test_names_of_the_liver(name):
    assert role_of_name(name) == LIVER


@pytest.mark.parametrize(
    "name",
    ["Lesion 1", "lesion_12", "Tumor", "liver tumour", "Met 3", "HCC seg 4a", "cancer", "Metastase", "left lobe mass"],
)
def test_names_of_lesions(name):
    assert role_of_name(name) == LESION


@pytest.mark.parametrize(
    "name", ["", "Segment_1", "liver vessels", "kidney tumor", "spleen", "liver cyst", "liver left"]
)
def test_names_of_neither(name):
    assert role_of_name(name) is None


def test_unspecific_codes_leave_it_to_the_name_and_other_organs_codes_do_not():
    assert SegmentIdentity("Liver", "85756007").role == LIVER
    assert SegmentIdentity("Liver", "78961009").role is None  # coded as spleen
    assert SegmentIdentity("x", "108369006", "10200004").role == LESION
    assert SegmentIdentity("x", "108369006", "64033007").role is None


@given(st.text(max_size=60))
def test_any_terminology_entry_is_taken_apart_without_failing(text):
    assert all(isinstance(code, str) for code in terminology_codes(text))


@given(st.text(max_size=40))
def test_safe_names_can_be_folders_anywhere(text):
    name = safe_name(text)
    assert name and not set(name) & set('<>:"/\\|?*\0\n') and name == name.strip(" .")
    assert safe_name(name) == name


@given(arrays(np.uint8, (3, 4, 5), elements=st.integers(0, 5)))
def test_labels_are_translated_or_refused_by_number_and_name(values):
    roles = {0: 0, 4: LIVER, 2: LESION}
    unknown = sorted(set(values.ravel().tolist()) - roles.keys())
    if unknown:
        with pytest.raises(InputError, match=f"unknown labels {unknown[0]} \\(organ {unknown[0]}\\)"):
            with_labels(values, roles, {number: f"organ {number}" for number in range(6)})
    else:
        translated = with_labels(values, roles, {})
        assert ((translated == LIVER) == (values == 4)).all() and ((translated == LESION) == (values == 2)).all()


ORIENTATIONS = st.tuples(st.permutations(range(3)), st.tuples(*[st.sampled_from((-1, 1))] * 3))


@settings(max_examples=60)
@given(ORIENTATIONS, ORIENTATIONS, st.integers(0, 2**31))
def test_segment_in_any_axis_order_lands_on_the_same_voxels(scan, segment, seed):
    random = np.random.default_rng(seed)
    spacing = np.array([0.7, 0.9, 2.5])

    def matrix(orientation):
        order, signs = orientation
        axes = np.eye(3)[:, list(order)] * signs
        return axes * np.abs(axes.T @ spacing), axes

    to_lps = np.eye(4)
    to_lps[:3, :3], _ = matrix(scan)
    to_lps[:3, 3] = random.uniform(-200, 200, 3)
    onto = ImageGeometry((4, 5, 6), to_lps)
    expected = random.random(onto.shape) < 0.3
    # The same mask, as an array whose axes follow another orientation.
    steps, _ = matrix(segment)  # columns: mm along the segment's i, j, k
    to_voxels = np.rint(np.linalg.inv(to_lps[:3, :3]) @ steps).astype(int)  # (i, j, k of the scan, axis of the segment)
    axes = [int(np.flatnonzero(column)[0]) for column in to_voxels.T]  # scan axis of each segment axis
    array_axes = [2 - axes[2], 2 - axes[1], 2 - axes[0]]
    flipped = [a for a in range(3) if to_voxels[axes[2 - a], 2 - a] < 0]
    mask = np.flip(expected.transpose(array_axes), flipped)
    first = [(onto.shape[2 - axes[i]] - 1 if to_voxels[axes[i], i] < 0 else 0) for i in range(3)]
    corner = np.zeros(3)
    for i in range(3):
        corner[axes[i]] = first[i]
    origin = to_lps[:3, :3] @ corner + to_lps[:3, 3]
    piece = Piece(mask, origin, steps.T[::-1])
    np.testing.assert_array_equal(label_map([(SegmentIdentity("liver"), [piece])], onto), expected)


def test_lesion_wins_over_the_liver_in_whatever_order_they_come():
    onto = ImageGeometry((1, 2, 2), np.eye(4))
    pieces = {
        name: (SegmentIdentity(name), [Piece(np.array(mask), np.zeros(3), np.eye(3)[1::-1])])
        for name, mask in (("liver", [[1, 1], [1, 0]]), ("lesion", [[0, 1], [0, 0]]))
    }
    for order in (("liver", "lesion"), ("lesion", "liver")):
        assert label_map([pieces[name] for name in order], onto).tolist() == [[[1, 2], [1, 0]]]


PATIENTS = st.dictionaries(st.text(max_size=5), st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)


@given(PATIENTS, st.sampled_from((0.0, 0.1, 0.3, 0.5)), st.integers(0, 99))
def test_split_has_the_share_asked_for_and_depends_on_seed_and_patients_alone(patients, share, seed):
    splits = split_patients(patients, share, seed)
    assert splits.keys() == patients.keys()
    wanted = min(max(1, round(share * len(patients))), len(patients) - 1) if share else 0
    assert list(splits.values()).count("validation") == wanted
    assert split_patients(dict(reversed(patients.items())), share, seed) == splits


@given(st.integers(0, 50))
def test_split_takes_about_as_much_of_every_group(seed):
    patients = {str(i): (False, i < 118) for i in range(131)}
    splits = split_patients(patients, 0.1, seed)
    with_lesions = sum(splits[patient] == "validation" for patient, group in patients.items() if group[1])
    assert list(splits.values()).count("validation") == 13 and with_lesions in (11, 12)


@given(PATIENTS, st.integers(0, 99))
def test_patients_keep_an_earlier_split_whatever_the_draw_would_be(patients, seed):
    drawn = split_patients(patients, 0.5, seed)
    other = {patient: "train" if split == "validation" else "validation" for patient, split in drawn.items()}
    more = {**patients, "somebody new": (False, True)}
    assert {patient: split_patients(more, 0.5, seed, other)[patient] for patient in other} == other


def test_another_seed_is_another_split():
    patients = {str(i): (False, True) for i in range(131)}
    assert len({tuple(sorted(split_patients(patients, 0.1, seed).items())) for seed in range(20)}) == 20


KINDS = st.lists(st.lists(st.sampled_from(("lesion", "liver", "near", "neither")), max_size=30), min_size=1, max_size=6)


@given(KINDS, st.integers(0, 40), st.integers(0, 99))
def test_as_many_slices_with_lesions_as_without_liver_are_chosen(kinds, count, seed):
    per_case = [np.asarray(kind, "<U7") for kind in kinds]
    chosen = choose_slices(per_case, count, seed)
    assert [len(one) for one in chosen] == [len(one) for one in per_case]
    shown = np.concatenate([kind[one] for kind, one in zip(per_case, chosen, strict=True)])
    every = np.concatenate(per_case)
    lesion, neither = (every == "lesion").sum(), np.isin(every, ("near", "neither")).sum()
    assert (shown == "lesion").sum() == np.isin(shown, ("near", "neither")).sum() == min(count // 2, lesion, neither)
    assert not (shown == "liver").any()
    again = choose_slices(per_case, count, seed)
    assert all((a == b).all() for a, b in zip(chosen, again, strict=True))


def test_choice_of_slices_follows_the_seed():
    kinds = [np.repeat(["lesion", "neither"], 50)]
    assert len({tuple(choose_slices(kinds, 20, seed)[0]) for seed in range(10)}) == 10


def test_slices_next_to_the_liver_are_near_unless_they_are_single_ones():
    liver = np.zeros(14, bool)
    liver[6:8] = True
    lesion = np.zeros(14, bool)
    lesion[7] = True
    expected = ["neither"] * 2 + ["near"] * 4 + ["liver", "lesion"] + ["near"] * 4 + ["neither"] * 2
    positions = np.arange(14) * 10.0
    assert slice_kinds(liver, lesion, sparse=False, positions_mm=positions).tolist() == expected
    alone = [kind if kind in ("liver", "lesion") else "neither" for kind in expected]
    assert slice_kinds(liver, lesion, sparse=True, positions_mm=positions).tolist() == alone


@given(arrays(np.int16, st.tuples(st.integers(0, 6), st.integers(1, 4), st.integers(1, 5))), st.integers(1, 3))
def test_file_written_item_by_item_is_the_array(tmp_path_factory, array, chunk):
    path = tmp_path_factory.mktemp("npy") / "a.npy"
    with NpyWriter(path, np.int16, array.shape[1:]) as file:
        for start in range(0, len(array), chunk):
            file.append(array[start : start + chunk])
    np.testing.assert_array_equal(np.load(path, mmap_mode="r" if len(array) else None), array)
