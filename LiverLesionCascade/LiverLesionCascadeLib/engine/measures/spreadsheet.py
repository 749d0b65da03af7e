"""Tables that spreadsheets open: CSV, the same in every locale."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

# Also as full-width characters, which some spreadsheets take for the same.
_FORMULA = ("=", "+", "-", "@", "\t", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def cell_text(text: str) -> str:
    """A text that a spreadsheet shows and does not calculate, in one line: names come from anybody (CWE-1236)."""
    text = text.replace("\r", " ").replace("\n", " ")
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def cell_number(value: float | int | None, decimals: int | None) -> str:
    """A number, with so many decimals or, for None, a whole one; empty for no number, and 0 has no sign."""
    if value is None:
        return ""
    text = str(int(value)) if decimals is None else f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """Rows of texts, comma separated."""
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()
