"""The lesion table as a CSV file: one row a lesion, units in the column names, the same in every locale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..measures.lesions import Lesion
from ..measures.spreadsheet import cell_number, cell_text, csv_text
from ..scan.ct_volume import CTVolume
from .source_slices import source_slice

#: Column and number of decimals; None for whole numbers. Slice numbers: see ``source_slices``.
COLUMNS: dict[str, int | None] = {
    "lesion": None,
    "volume_ml": 3,
    "long_axis_mm": 1,
    "short_axis_mm": 1,
    "mean_hu": 1,
    "sd_hu": 1,
    "confidence": 3,
    "slice": None,
    "slice_s_mm": 2,
    "centroid_r_mm": 2,
    "centroid_a_mm": 2,
    "centroid_s_mm": 2,
    "distance_to_liver_surface_mm": 1,
    "voxels": None,
}


def lesion_rows(table: Sequence[Lesion], ct: CTVolume) -> list[dict[str, float | int | None]]:
    """The rows of the table, keys as in ``COLUMNS``; what could not be measured is None.

    ``slice`` and ``slice_s_mm`` say where the axial diameters were measured, the centroid is in RAS.
    """
    rows: list[dict[str, float | int | None]] = []
    for lesion in table:
        middle = lesion.long_axis_middle
        left, posterior, superior = lesion.centroid
        rows.append(
            {
                "lesion": lesion.number,
                "volume_ml": lesion.volume_ml,
                "long_axis_mm": lesion.long_axis_mm,
                "short_axis_mm": lesion.short_axis_mm,
                "mean_hu": lesion.mean_hu,
                "sd_hu": lesion.sd_hu,
                "confidence": lesion.confidence,
                "slice": source_slice(ct, middle),
                "slice_s_mm": middle[2],
                "centroid_r_mm": -left,
                "centroid_a_mm": -posterior,
                "centroid_s_mm": superior,
                "distance_to_liver_surface_mm": lesion.distance_to_liver_surface_mm,
                "voxels": lesion.voxels,
            }
        )
    return rows


def lesion_csv(table: Sequence[Lesion], ct: CTVolume, more: Mapping[str, Mapping[int, str]] | None = None) -> str:
    """The table as text: comma separated, point as decimal sign, an empty field where nothing was measured.

    Args:
        more: More columns by name, behind the others: what to say of the lesions by their numbers.
    """
    more = more or {}
    rows = [[*COLUMNS, *map(cell_text, more)]]
    for lesion, row in zip(table, lesion_rows(table, ct), strict=True):
        measured = [cell_number(row[column], decimals) for column, decimals in COLUMNS.items()]
        rows.append([*measured, *(cell_text(column.get(lesion.number, "")) for column in more.values())])
    return csv_text(rows)
