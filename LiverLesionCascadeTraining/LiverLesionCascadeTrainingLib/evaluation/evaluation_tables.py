"""The Parquet tables of an evaluation: ``cases.parquet``, a row a case, and ``lesions.parquet``, a row a lesion.

A column ``run`` says which of the compared ways to run the cascade a row is of. Means over a column are those of the
printed tables: lesion measures are empty where the reference has no lesion, counts of lesions where nobody labelled
them, and single slices (``sparse``) are apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
from LiverLesionCascadeLib.archive.tables import CASES_FILE, LESIONS_FILE, write_table
from LiverLesionCascadeLib.engine.files import writing_to

from .evaluation import CaseMetrics, SparseCaseMetrics
from .evaluation_records import EvaluationRecord
from .metrics import RegionMetrics

REFERENCE, PREDICTED = "reference", "predicted"

_TEXT, _NUMBER, _WHOLE, _YES_NO = pa.string(), pa.float64(), pa.int64(), pa.bool_()
CASE_SCHEMA = pa.schema(
    {"run": _TEXT, "case": _TEXT, "patient": _TEXT, "state": _TEXT, "error": _TEXT, "sparse": _YES_NO}
    | {f"{region}_{field.name}": _NUMBER for region in ("liver", "lesion") for field in fields(RegionMetrics)}
    | {"lesion_free_score": _NUMBER}
    | dict.fromkeys(("reference_lesions", "found_lesions", "predicted_lesions", "false_lesions"), _WHOLE)
    | dict.fromkeys(("slices", "lesion_slices"), _WHOLE)
    | dict.fromkeys(("bundle", "bundle_version", "preset", "device", "version"), _TEXT)
    | {"seconds": _NUMBER, "finished": _TEXT}
)
#: ``iou`` is the overlap that `match_lesions` gives a lesion; ``found`` whether it is above 0: a reference lesion was
#: found, a predicted one is correct. ``iou_1_to_1`` is that with the one lesion that it is assigned to at 0.1.
LESION_SCHEMA = pa.schema(
    {"run": _TEXT, "case": _TEXT, "role": _TEXT, "lesion": _WHOLE, "long_axis_mm": _NUMBER, "found": _YES_NO}
    | {"iou": _NUMBER, "iou_1_to_1": _NUMBER}
)


def write_evaluation_tables(runs: Mapping[str, Sequence[EvaluationRecord]], folder: Path) -> None:
    """Replaces both tables; rows are in the order of the runs and of their records. Raises OutputError."""
    cases = [_case_row(run, record) for run, records in runs.items() for record in records]
    lesions = [row for run, records in runs.items() for record in records for row in _lesion_rows(run, record)]
    with writing_to(folder):
        write_table(cases, CASE_SCHEMA, folder / CASES_FILE)
        write_table(lesions, LESION_SCHEMA, folder / LESIONS_FILE)


def _case_row(run: str, record: EvaluationRecord) -> dict[str, Any]:
    known = ("case", "patient", "state", "bundle", "bundle_version", "preset", "device", "version", "finished")
    row = {"run": run} | {name: getattr(record, name) for name in known}
    row |= {"error": record.result.error, "seconds": record.result.seconds}
    measures = record.result.measures
    if isinstance(measures, CaseMetrics):
        return row | _scan_columns(measures)
    return row if measures is None else row | _sparse_columns(measures)


def _scan_columns(measures: CaseMetrics) -> dict[str, Any]:
    columns: dict[str, Any] = {"sparse": False, "lesion_free_score": measures.lesion_free_score}
    if (counts := measures.lesion_counts) is not None:
        columns |= {f"{name}_lesions": getattr(counts, name) for name in ("reference", "found", "predicted")}
        columns["false_lesions"] = counts.false_positives
    columns |= {f"liver_{name}": value for name, value in asdict(measures.liver).items()}
    if measures.has_lesions:
        columns |= {f"lesion_{name}": value for name, value in asdict(measures.lesion).items()}
    return columns


def _sparse_columns(measures: SparseCaseMetrics) -> dict[str, Any]:
    columns = {
        "sparse": True,
        "slices": measures.slices,
        "lesion_slices": measures.lesion_slices,
        "liver_dice": measures.liver_dice,
    }
    if measures.lesions_known:
        columns["lesion_dice" if measures.has_lesions else "lesion_free_score"] = measures.lesion_dice
    return columns


def _lesion_rows(run: str, record: EvaluationRecord) -> Iterator[dict[str, Any]]:
    measures = record.result.measures
    if not isinstance(measures, CaseMetrics):
        return
    lesions = measures.lesions
    reference, predicted = lesions.one_to_one(0.1)
    for role, *columns in (
        (REFERENCE, lesions.reference_mm, lesions.reference_overlap, reference),
        (PREDICTED, lesions.predicted_mm, lesions.predicted_overlap, predicted),
    ):
        for number, (size, overlap, own) in enumerate(zip(*columns, strict=True), start=1):
            found = {"long_axis_mm": size, "found": overlap > 0.0, "iou": overlap, "iou_1_to_1": own}
            yield {"run": run, "case": record.case, "role": role, "lesion": number, **found}
