"""Where the files lie that are no code: beside the package in Slicer's layout, within it where a wheel installed it."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_WITHIN = _PACKAGE / "Resources"
RESOURCES = _WITHIN if _WITHIN.is_dir() else _PACKAGE.parent / "Resources"
