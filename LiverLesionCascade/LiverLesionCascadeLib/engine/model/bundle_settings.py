"""The settings in a bundle's metadata, each by its type and range: what is senseless finds no liver and says so
of the scan, so that it is refused before anything is run."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import BundleError
from .model_settings import PASSES

_GET_AGAIN = "get the bundle again, or correct its metadata.json"


@dataclass(frozen=True)
class _Rule:
    """What a setting must be; ``needed`` is False where it may be missing or null."""

    what: str
    holds: Callable[[Any], bool]
    needed: bool = True


def _number(low: float, high: float, needed: bool = True) -> _Rule:
    return _Rule(
        f"a number from {low:g} to {high:g}",
        lambda v: isinstance(v, (int, float)) and not isinstance(v, bool) and low <= v <= high,
        needed,
    )


def _whole(low: int, high: int) -> _Rule:
    return _Rule(
        f"a whole number from {low} to {high}",
        lambda v: isinstance(v, int) and not isinstance(v, bool) and low <= v <= high,
    )


def _text(needed: bool = True) -> _Rule:
    return _Rule("a text", lambda v: isinstance(v, str), needed)


def _group(needed: bool = True) -> _Rule:
    return _Rule("a group of settings", lambda v: isinstance(v, dict), needed)


def _is_window(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(_number(-10_000, 40_000).holds(each) for each in value)
        and value[1] - value[0] >= 1
    )


_PROBABILITY = _number(0.001, 0.999)
_TEXTS = _Rule("a list of texts", lambda v: isinstance(v, list) and all(isinstance(each, str) for each in v), False)
#: By name; within a group that may be missing, they are needed where it is not.
_RULES = {
    "name": _text(),
    "version": _text(),
    "network": _group(),
    "network.width": _number(0.01, 2),
    "network.decoders": _Rule(
        "a list of passes", lambda v: isinstance(v, list) and all(each in PASSES for each in v), False
    ),
    "window_hu": _Rule("two HU, the second at least 1 above the first", _is_window),
    "liver_pass": _group(),
    "liver_pass.size": _whole(16, 4096),
    "liver_pass.pixel_mm": _number(0.05, 50, needed=False),
    "liver_pass.threshold": _PROBABILITY,
    "lesion_pass": _group(),
    "lesion_pass.size": _whole(16, 4096),
    "lesion_pass.margin": _number(0, 4),
    "lesion_pass.iterations": _whole(0, 20),
    "lesion_pass.liver_threshold": _PROBABILITY,
    "lesion_pass.lesion_threshold": _PROBABILITY,
    "lesion_pass.liver_hu": _number(-1024, 3071, needed=False),
    "lesion_pass.neighbour_mm": _number(0.1, 50, needed=False),
    "lesion_filter": _group(needed=False),
    "weights": _group(),
    "weights.file": _text(),
    "weights.sha256": _text(),
    "training": _group(needed=False),
    "training.jobs": _group(needed=False),
    "training.scans": _Rule("a list", lambda v: isinstance(v, list), False),
    "validation": _group(needed=False),
    "cross_validation": _group(needed=False),
    "intended_use": _text(needed=False),
    "license": _text(needed=False),
    "attribution": _text(needed=False),
    "limitations": _TEXTS,
    "citations": _TEXTS,
    "lesion_filter.intercept": _number(-100, 100),
    "lesion_filter.log_odds": _number(-100, 100),
    "lesion_filter.reject_below": _number(0, 1),
}


def check_settings(metadata: Mapping[str, Any], place: str) -> None:
    """Raises BundleError, with the setting, its value and what it must be."""
    for name, rule in _RULES.items():
        group, _, last = name.rpartition(".")
        within = metadata.get(group) if group else metadata
        if within is None:
            continue
        value = within.get(last)
        if value is None and rule.needed:
            wrong = f"{name} is missing"
        elif value is not None and not rule.holds(value):
            wrong = f"{name} is {reprlib.repr(value)}, it must be {rule.what}"
        else:
            continue
        raise BundleError(f"{place} is incomplete or wrong ({wrong}): {_GET_AGAIN}")
