"""The Parquet tables of an archive: ``cases.parquet``, a row an entry, and ``lesions.parquet``, a row a lesion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from ..engine.files import atomic_file, shown_name
from ..engine.reports.lesion_csv import COLUMNS
from .records import DONE, Record

CASES_FILE, LESIONS_FILE = "cases.parquet", "lesions.parquet"

_TEXT, _NUMBER, _WHOLE = pa.string(), pa.float64(), pa.int64()
CASE_SCHEMA = pa.schema(
    {
        "case": _TEXT,
        "source": _TEXT,
        "series": _TEXT,
        "state": _TEXT,
        "error": _TEXT,
        "liver_volume_ml": _NUMBER,
        "lesion_volume_ml": _NUMBER,
        "tumour_burden_percent": _NUMBER,
        "lesions": _WHOLE,
        "longest_diameter_mm": _NUMBER,
        "doubt": _NUMBER,
        "findings": pa.list_(_TEXT),
        "voxels_ijk": pa.list_(_WHOLE),
        "spacing_ijk_mm": pa.list_(_NUMBER),
        "bundle": _TEXT,
        "bundle_version": _TEXT,
        "preset": _TEXT,
        "device": _TEXT,
        "seconds": _NUMBER,
        "finished": _TEXT,
    }
)
LESION_SCHEMA = pa.schema(
    {"case": _TEXT} | {name: _WHOLE if decimals is None else _NUMBER for name, decimals in COLUMNS.items()}
)


def write_tables(records: Sequence[Record], folder: Path) -> None:
    """Replaces both tables; rows are in the records' order. Raises OSError."""
    cases = [case_row(record) for record in records]
    lesions = [{"case": record["name"], **row} for record in records for row in record.get("lesions", ())]
    write_table(cases, CASE_SCHEMA, folder / CASES_FILE)
    write_table(lesions, LESION_SCHEMA, folder / LESIONS_FILE)


def write_table(rows: list[dict[str, Any]], schema: pa.Schema, path: Path) -> None:
    """Raises OSError."""
    with atomic_file(path) as temporary:
        parquet.write_table(pa.Table.from_pylist([_encodable(row) for row in rows], schema=schema), temporary)


def case_row(record: Record) -> dict[str, Any]:
    """A record as a row of ``CASE_SCHEMA``; what a case without a result has not is None."""
    row = {name: record.get(name) for name in CASE_SCHEMA.names} | {"case": record["name"]}
    if record["state"] != DONE:
        return row | {"lesions": None}
    lesions = record["lesions"]
    return row | {
        "lesions": len(lesions),
        "longest_diameter_mm": max((lesion["long_axis_mm"] for lesion in lesions), default=None),
        "doubt": record["doubts"]["score"],
        "findings": [finding["code"] for finding in record["findings"]],
        "voxels_ijk": record["scan"]["voxels_ijk"],
        "spacing_ijk_mm": record["scan"]["spacing_ijk_mm"],
        "bundle": record["bundle"]["name"],
        "bundle_version": record["bundle"]["version"],
    }


def _encodable(row: dict[str, Any]) -> dict[str, Any]:
    """File names that are no text, as an old disk may have them, with question marks."""
    return {key: shown_name(value) if isinstance(value, str) else value for key, value in row.items()}
