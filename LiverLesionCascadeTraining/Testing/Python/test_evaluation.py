"""Evaluation of cases: what is measured on which case, what means are over, and files in LiTS layout."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.grid.boxed import Boxed
from LiverLesionCascadeLib.engine.grid.geometry import ImageGeometry
from LiverLesionCascadeLib.engine.model.model_settings import LesionPassSettings
from LiverLesionCascadeLib.engine.passes.lesion_pass import neighbour_step
from LiverLesionCascadeLib.engine.passes.presets import PRESETS, Preset
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from LiverLesionCascadeLib.engine.scan.image_io import write_image
from LiverLesionCascadeTrainingLib.cases.training_case import SINGLE_SLICES_MM
from LiverLesionCascadeTrainingLib.datasets.cases import find_cases
from LiverLesionCascadeTrainingLib.evaluation.evaluation import (
    EvaluationSummary,
    evaluate_case,
    evaluate_sparse_case,
)
from LiverLesionCascadeTrainingLib.evaluation.evaluation_task import evaluate_cases
from LiverLesionCascadeTrainingLib.evaluation.evaluation_text import format_comparison, format_table
from LiverLesionCascadeTrainingLib.slices.slice_store import slices_beside

SPACING = (3.0, 0.8, 0.8)
SHAPE = (6, 40, 48)


def labels(lesion_columns: tuple[int, int] | None = (20, 30)) -> np.ndarray:
    """Liver in slices 1 to 4 with, unless None, one lesion in slices 2 and 3."""
    reference = np.zeros(SHAPE, dtype=np.uint8)
    reference[1:5, 5:35, 5:40] = 1
    if lesion_columns is not None:
        reference[2:4, 15:20, slice(*lesion_columns)] = 2
    return reference


def masks(label_map: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return label_map > 0, label_map == 2


def write_case(folder: Path, name: str, reference: np.ndarray, direction: np.ndarray | None = None) -> None:
    """A scan whose HU tell the label (0 HU background, 100 liver, 200 lesion), so that a test can segment it."""
    folder.mkdir(exist_ok=True, parents=True)
    geometry = ImageGeometry.from_axes(reference.shape, SPACING[::-1], (10.0, 20.0, 30.0), direction)
    hu = reference.astype(np.int16) * 100
    hu[0, 0, 0] = -1000
    write_image(folder / f"volume-{name}.nii.gz", hu, geometry)
    write_image(folder / f"segmentation-{name}.nii.gz", reference, geometry)


def test_a_case_whose_lesions_nobody_labelled_counts_for_its_liver_alone():
    reference = labels(None)
    liver, lesions = reference > 0, labels() == 2
    reference[reference == 1] = 3
    unknown = evaluate_case(liver, lesions, reference, SPACING, "unknown")
    assert unknown.liver.dice == 1.0
    assert unknown.lesion_free_score is None and not unknown.has_lesions
    assert unknown.lesions.counts().false_positives == 0
    summary = EvaluationSummary((unknown, evaluate_case(liver, lesions, labels(None), SPACING, "none")))
    assert summary.lesion_free_score == 0.0 and len(summary.lesion_free) == 1
    assert "| unknown   | no lesion" not in format_table(summary) and "no lesion" in format_table(summary)
    sparse = evaluate_sparse_case(liver, lesions, reference, "sparse")
    assert sparse.liver_dice == 1.0 and not sparse.has_lesions
    row = format_table(EvaluationSummary(sparse=(sparse,))).splitlines()[2]
    assert [cell.strip() for cell in row.strip("|").split("|")] == ["sparse", "6", "0", "1.000", "-"]


def test_a_case_of_which_some_lesions_are_labelled_counts_for_its_liver_alone():
    reference = labels()
    reference[reference == 1] = 3
    some = evaluate_case(reference > 0, reference == 2, reference, SPACING, "some")
    assert not some.has_lesions and not some.lesions_known
    assert some.lesions.counts().reference == 0
    assert EvaluationSummary((some,)).lesion_mean["dice"] is None


def test_false_lesions_a_case_are_of_the_cases_whose_lesions_are_known():
    reference = labels(None)
    false = evaluate_case(reference > 0, labels() == 2, reference, SPACING, "false")
    reference[reference == 1] = 3
    unknown = evaluate_case(reference > 0, labels() == 2, reference, SPACING, "unknown")
    counted = EvaluationSummary((false, unknown)).detection["touched"]["all"]
    assert counted["false_positives_per_case"] == 1.0
    assert EvaluationSummary((unknown,)).detection["touched"]["all"]["false_positives_per_case"] is None


class Perfect:
    """A segmenter that is always right; it remembers how it was asked."""

    def __init__(self) -> None:
        self.presets: list[Preset] = []
        self.spacings: list[tuple[float, float, float]] = []

    def segment(self, ct: CTVolume, preset: Preset) -> SimpleNamespace:
        self.presets.append(preset)
        self.spacings.append(ct.spacing)
        return SimpleNamespace(liver=Boxed.mask(ct.hu >= 100), lesions=Boxed.mask(ct.hu >= 200))


def test_a_perfect_case_scores_one_everywhere() -> None:
    case = evaluate_case(*masks(labels()), labels(), SPACING, "7")
    assert case.name == "7"
    for region in (case.liver, case.lesion):
        assert (region.dice, region.jaccard, region.voe, region.rvd) == (1.0, 1.0, 0.0, 0.0)
        assert (region.assd_mm, region.msd_mm) == (0.0, 0.0)
    assert case.has_lesions and case.lesion_free_score is None
    assert case.liver.volume_ml == pytest.approx(4 * 30 * 35 * 3.0 * 0.8 * 0.8 / 1000)


def test_lesions_belong_to_the_liver_in_prediction_and_reference() -> None:
    reference = labels()
    case = evaluate_case(reference == 1, reference == 2, reference, SPACING)
    assert case.liver.dice == 1.0


def test_instance_maps_count_as_masks() -> None:
    reference = labels()
    case = evaluate_case(reference > 0, (reference == 2) * np.uint16(7), reference, SPACING)
    assert case.lesion.dice == 1.0


def test_a_case_without_lesions_scores_one_if_none_is_found_and_else_zero() -> None:
    reference = labels(None)
    none = np.zeros(SHAPE, dtype=bool)
    one = none.copy()
    one[2, 10, 10] = True
    assert evaluate_case(reference > 0, none, reference, SPACING).lesion_free_score == 1.0
    false = evaluate_case(reference > 0, one, reference, SPACING)
    assert (false.lesion_free_score, false.lesion.dice) == (0.0, 0.0)
    assert not false.has_lesions


def summary_of_three() -> EvaluationSummary:
    """A case half of whose lesion was found, one missed, and one without lesions where two were invented."""
    half = evaluate_case(labels() > 0, labels((20, 25)) == 2, labels(), SPACING, "1")
    missed = evaluate_case(labels() > 0, np.zeros(SHAPE, dtype=bool), labels(), SPACING, "2")
    invented = np.zeros(SHAPE, dtype=bool)
    invented[2, 10, 10] = invented[2, 30, 30] = True
    free = evaluate_case(labels(None) > 0, invented, labels(None), SPACING, "3")
    return EvaluationSummary((half, missed, free))


def test_lesion_means_are_over_cases_with_lesions_and_others_are_reported_apart() -> None:
    summary = summary_of_three()
    assert summary.lesion_mean["dice"] == pytest.approx((2 / 3 + 0) / 2)
    assert summary.liver_mean["dice"] == pytest.approx(1.0)
    assert summary.lesion_free_score == 0.0
    assert [case.name for case in summary.with_lesions] == ["1", "2"]
    assert [case.name for case in summary.lesion_free] == ["3"]


def test_means_leave_out_what_is_not_defined_and_say_of_how_many_cases_they_are() -> None:
    summary = summary_of_three()
    assert summary.lesion_mean["assd_mm"] == summary.cases[0].lesion.assd_mm
    assert summary.lesion_mean["cases_with_distances"] == 1


def test_volume_differences_of_opposite_sign_do_not_cancel() -> None:
    cases = tuple(
        evaluate_case(labels() > 0, labels(columns) == 2, labels(), SPACING) for columns in ((20, 25), (20, 35))
    )
    assert [case.lesion.rvd for case in cases] == pytest.approx([-0.5, 0.5])
    assert EvaluationSummary(cases).lesion_mean["absolute_rvd"] == pytest.approx(0.5)


def test_lesions_are_counted_over_all_cases_and_false_ones_in_lesion_free_cases_too() -> None:
    counts = summary_of_three().counts()
    assert (counts.reference, counts.found, counts.predicted, counts.correct) == (2, 1, 3, 1)
    detection = summary_of_three().to_dict()["mean"]["lesions"]
    assert detection["touched"]["all"]["false_positives_per_case"] == pytest.approx(2 / 3)
    assert detection["touched"][">=20 mm"]["reference"] == 0
    assert detection["touched"]["<10 mm"]["recall"] == pytest.approx(0.5)
    assert detection["IoU > 0.5"]["all"]["recall"] == 0.0  # half of a lesion is an overlap of 0.5, not more


def test_json_holds_every_case_and_null_for_what_is_not_defined() -> None:
    data = json.loads(json.dumps(summary_of_three().to_dict(), allow_nan=False))
    assert [case["name"] for case in data["cases"]] == ["1", "2", "3"]
    assert data["cases"][1]["lesion"]["assd_mm"] is None
    assert data["mean"]["cases_with_lesions"] == 2
    assert data["cases"][0]["lesions"]["touched"]["all"]["found"] == 1
    assert "sparse_cases" not in data


def test_the_table_is_aligned_markdown_with_a_row_per_case_and_the_means() -> None:
    sparse = (evaluate_sparse_case(*masks(labels()), labels(), "9"),)
    text = format_table(EvaluationSummary(summary_of_three().cases, sparse))
    tables = [table.splitlines() for table in text.split("\n\n")]
    assert len(tables) == 3
    for table in tables:
        assert len({len(line) for line in table}) == 1
        assert len({line.count("|") for line in table}) == 1
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in tables[0]]
    assert cells[3][:3] == ["1", "lesion", "0.667"]
    assert cells[5] == ["2", "lesion", "0.000", "0.000", "1.000", "-1.000", "-", "-", "1", "0", "0"]
    assert cells[7][:3] + cells[7][-3:] == ["3", "no lesion", "0.000", "0", "0", "2"]
    assert [row[:3] for row in cells[-3:]] == [
        ["Mean of 3", "liver", "1.000"],
        ["Mean of 2", "lesion", "0.333"],
        ["Mean of 1", "no lesion", "0.000"],
    ]


def test_evaluations_are_compared_also_where_one_has_measured_no_single_slices() -> None:
    sparse = (evaluate_sparse_case(*masks(labels()), labels(), "9"),)
    whole = summary_of_three()
    text = format_comparison({"fast": EvaluationSummary(whole.cases, sparse), "paper": whole})
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    assert rows[0] == ["Mean Dice", "Liver", "Lesion", "Liver (slices)", "Lesion (slices)"]
    assert rows[2:] == [["fast", "1.000", "0.333", "1.000", "1.000"], ["paper", "1.000", "0.333", "-", "-"]]


def test_an_empty_evaluation_says_so() -> None:
    assert format_table(EvaluationSummary()) == "No case was evaluated."
    assert EvaluationSummary().lesion_free_score is None
    json.dumps(EvaluationSummary().to_dict(), allow_nan=False)


def test_a_sparse_case_gets_dice_over_all_its_slices_only() -> None:
    prediction = labels((20, 25))
    case = evaluate_sparse_case(*masks(prediction), labels(), "9")
    assert (case.slices, case.lesion_slices) == (6, 2)
    assert case.lesion_dice == pytest.approx(2 / 3)
    measured = {"slices", "lesion_slices", "liver_dice", "lesion_dice"}
    assert set(case.to_dict()) == {"name", "has_lesions", "lesions_known"} | measured


def test_sparse_lesion_means_are_over_patients_with_lesions() -> None:
    with_lesions = evaluate_sparse_case(*masks(labels((20, 25))), labels(), "1")
    without = evaluate_sparse_case(*masks(labels(None)), labels(None), "2")
    summary = EvaluationSummary(sparse=(with_lesions, without))
    assert summary.sparse_lesion_dice == pytest.approx(2 / 3)
    assert summary.to_dict()["sparse_mean"]["cases_with_lesions"] == 1


def test_cases_are_read_segmented_and_measured_with_progress(tmp_path: Path) -> None:
    write_case(tmp_path, "3", labels())
    write_case(tmp_path, "4", labels(None))
    steps: list[tuple[int, int, str]] = []
    summary = evaluate_cases(find_cases([tmp_path]), PRESETS["fast"], Perfect(), lambda *step: steps.append(step))
    assert [(case.name, case.liver.dice, case.lesion.dice) for case in summary.cases] == [
        ("3", 1.0, 1.0),
        ("4", 1.0, 1.0),
    ]
    assert steps == [(0, 2, "3"), (1, 2, "4"), (2, 2, "")]
    assert summary.cases[0].liver.reference_ml == pytest.approx(4 * 30 * 35 * 3.0 * 0.8 * 0.8 / 1000)


def test_the_reference_is_turned_into_axial_order_as_the_scan_is(tmp_path: Path) -> None:
    sagittal = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
    write_case(tmp_path, "3", labels(), sagittal)
    case = evaluate_cases(find_cases([tmp_path]), PRESETS["fast"], Perfect()).cases[0]
    assert (case.liver.dice, case.lesion.dice) == (1.0, 1.0)
    # Along the file's i, j, k the lesion is 10, 5, 2 voxels of 0.8, 0.8, 3 mm; k and i lie in the axial plane.
    assert case.lesions.reference_mm[0] == pytest.approx(np.hypot(9 * 0.8, 2 * 3.0), abs=0.8)


def test_sparse_cases_of_a_folder_get_slice_dice_only(tmp_path: Path) -> None:
    write_case(tmp_path / "val", "5", labels())
    write_case(tmp_path / "val", "6", labels())
    (tmp_path / "dataset.json").write_text(json.dumps({"5": {"slice_index": [1, 9, 12, 30, 31, 40]}}))
    segmenter = Perfect()
    summary = evaluate_cases(find_cases([tmp_path / "val"]), PRESETS["fast"], segmenter)
    assert [case.name for case in summary.sparse] == ["5"]
    assert [case.name for case in summary.cases] == ["6"]
    sparse, whole = segmenter.presets
    assert whole == PRESETS["fast"]
    # Single slices are no neighbours: they are too far apart for that, and nothing is judged in 3D.
    assert segmenter.spacings == [pytest.approx((SINGLE_SLICES_MM, *SPACING[1:])), pytest.approx(SPACING)]
    assert (sparse.postprocessing.largest_liver_component, sparse.postprocessing.min_lesion_mm) == (False, 0)


def test_the_slices_of_a_selection_are_as_far_apart_as_in_the_patient(tmp_path: Path) -> None:
    """Its file has the slice distance of the whole scan."""
    write_case(tmp_path / "val", "5", labels())
    numbers = [1, 5, 9, 13, 17, 30]
    (tmp_path / "dataset.json").write_text(json.dumps({"5": {"source_slice_index": numbers}}))
    segmenter = Perfect()
    (case,) = evaluate_cases(find_cases([tmp_path / "val"]), PRESETS["fast"], segmenter).cases
    assert segmenter.spacings == [pytest.approx((4 * SPACING[0], *SPACING[1:]))]
    assert case.liver.volume_ml == pytest.approx(4 * 30 * 35 * 12.0 * 0.8 * 0.8 / 1000)
    assert (case.liver.dice, case.lesion.dice) == (1.0, 1.0)


@pytest.mark.parametrize("every", [1, 2, 3, 5])
def test_the_lesion_pass_is_shown_the_neighbours_of_a_selection_that_it_was_trained_with(every: int, tmp_path: Path):
    write_case(tmp_path, "5", labels())
    (tmp_path / "dataset.json").write_text(json.dumps({"5": {"source_slice_index": [every * i for i in range(6)]}}))
    (case,) = find_cases([tmp_path])
    settings = LesionPassSettings(64, 0.1, 1, 0.5, 0.5, neighbour_mm=3.0)
    step = neighbour_step(settings, case.read_as_scanned()[0].spacing[0])
    trained = slices_beside(case.positions_mm(6, SPACING[0]), 3.0)
    np.testing.assert_array_equal(trained, np.clip(np.add.outer(range(6), (-step, step)), 0, 5))


def test_a_reference_with_other_labels_is_refused(tmp_path: Path) -> None:
    reference = labels()
    write_case(tmp_path, "3", reference)
    geometry = ImageGeometry.from_axes(SHAPE, SPACING[::-1], (10.0, 20.0, 30.0))
    reference[0, 0, 0] = 4
    write_image(tmp_path / "segmentation-3.nii.gz", reference, geometry)
    with pytest.raises(InputError, match=r"segmentation-3.nii.gz: unknown labels 4.*0 background, 1 liver, 2 lesion"):
        evaluate_cases(find_cases([tmp_path]), PRESETS["fast"], Perfect())


def test_a_reference_on_another_grid_is_refused(tmp_path: Path) -> None:
    write_case(tmp_path, "3", labels())
    elsewhere = ImageGeometry.from_axes(SHAPE, SPACING[::-1], (60.0, 20.0, 30.0))
    write_image(tmp_path / "segmentation-3.nii.gz", labels(), elsewhere)
    with pytest.raises(InputError, match="segmentation-3.nii.gz"):
        evaluate_cases(find_cases([tmp_path]), PRESETS["fast"], Perfect())


def test_a_segmentation_on_another_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="not on one grid"):
        evaluate_case(np.zeros((2, 3, 4)), np.zeros((2, 3, 4)), labels(), SPACING)
