"""Texts in tables that spreadsheets open."""

from __future__ import annotations

# Also as full-width characters, which some spreadsheets take for the same.
_FORMULA = ("=", "+", "-", "@", "\t", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def cell_text(text: str) -> str:
    """A text that a spreadsheet shows and does not calculate, in one line: names come from anybody (CWE-1236)."""
    text = text.replace("\r", " ").replace("\n", " ")
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
