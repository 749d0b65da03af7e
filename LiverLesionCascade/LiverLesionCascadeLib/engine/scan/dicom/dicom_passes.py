"""Several passes (phases, acquisitions) of the scanner within one series, told apart before they are taken for one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from ...errors import InputError
from .dicom_slice import Slice

#: What ``--acquisition`` takes for "all of it is one scan".
ALL = "all"
# Fewer slices than this, or than this part of the series, are strays and no pass.
_FEWEST, _SMALLEST_PART = 3, 0.1
# Where only the order of times or numbers tells passes apart: fewer may be in order by chance.
_FEWEST_IN_ORDER = 6
_MOST_PASSES = 10
# As many times the usual time between slices part passes.
_PAUSE = 10
_PLURALS = {"acquisition": "acquisitions", "phase": "phases", "pass": "passes"}


def one_pass(slices: Sequence[Slice], name: str, asked: str | None = None) -> tuple[list[Slice], str]:
    """The slices of one pass, and what it is called; all of them and "" where the series is one pass.

    Args:
        asked: Which pass the user wants, or ``ALL``.

    Raises InputError, with the choices, where several lie within each other and none was asked for, or where that
    which was asked for is not there.
    """
    what, found = _passes(slices)
    if asked == ALL:
        return list(slices), ""
    if asked is not None:
        # Acquisitions that follow each other are one scan, but whoever asks for one of them gets it.
        known = found or _by_label(slices, "acquisition")
        if asked in known:
            return known[asked], f"{what} {asked}" if len(known) > 1 else ""
        listed = _listed(known) if known else " none is named"
        raise InputError(f"{name} holds no acquisition {asked}. It holds:{listed}")
    if found:
        raise InputError(
            f"{name} holds {len(found)} {_PLURALS[what]} ({', '.join(found)}) within each other and is not one scan; "
            f"export one of them as a series of its own, or segment it with --acquisition N. They are:{_listed(found)}"
        )
    return list(slices), ""


def _passes(slices: Sequence[Slice]) -> tuple[str, dict[str, list[Slice]]]:
    """What the passes are and their slices by name; empty where the series is one pass."""
    for what in ("acquisition", "phase"):
        groups = _by_label(slices, what)
        large = {key: own for key, own in groups.items() if len(own) >= max(_FEWEST, _SMALLEST_PART * len(slices))}
        if len(large) > 1 and _alternate(list(large.values())):
            return what, groups
    for what in ("time", "shown", "number"):
        passes = _by_order(slices, what)
        if passes:
            return "pass", {str(number): own for number, own in enumerate(passes, 1)}
    return "acquisition", {}


def _by_label(slices: Sequence[Slice], attribute: str) -> dict[str, list[Slice]]:
    groups: dict[str, list[Slice]] = defaultdict(list)
    for one in slices:
        if label := getattr(one, attribute):
            groups[label].append(one)
    return dict(sorted(groups.items(), key=lambda item: (len(item[0]), item[0])))


def _alternate(groups: Sequence[Sequence[Slice]]) -> bool:
    """Whether they lie within each other along the stack, not one behind the other."""
    normal = groups[0][0].normal
    places = sorted((one.along(normal), number) for number, own in enumerate(groups) for one in own)
    runs = 1 + sum(a[1] != b[1] for a, b in zip(places, places[1:], strict=False))
    return runs > len(groups)


def _by_order(slices: Sequence[Slice], attribute: str) -> list[list[Slice]]:
    """Split where, in the order of that attribute (a time, a number), the table turns round, starts anew or rests.

    [] for one pass. Numbers without an order split into very many, which are no passes.
    """
    values = [value for one in slices if (value := getattr(one, attribute)) is not None]
    if len(values) < len(slices) or len(set(values)) < 2:
        return []
    normal = slices[0].normal
    for direction in (1.0, -1.0):  # of slices of one moment
        ordered = sorted(
            zip(values, slices, strict=True), key=lambda item: (item[0], direction * item[1].along(normal))
        )
        pauses = np.diff([value for value, _ in ordered], prepend=ordered[0][0])
        long = _PAUSE * np.median(pauses[pauses > 0])
        passes: list[list[Slice]] = [[]]
        heading = 0.0
        for (_, one), pause in zip(ordered, pauses, strict=True):
            if passes[-1]:
                step = np.sign(one.along(normal) - passes[-1][-1].along(normal))
                if pause > long or heading and step != heading:
                    passes.append([])
                    heading = 0.0
                else:
                    heading = float(step)
            passes[-1].append(one)
        fewest = max(_FEWEST_IN_ORDER, _SMALLEST_PART * len(slices))
        if 1 < len(passes) <= _MOST_PASSES and min(map(len, passes)) >= fewest and _alternate(passes):
            return passes
        if len(passes) == 1:
            return []
    return []


def _listed(passes: dict[str, list[Slice]]) -> str:
    lines = []
    for label, own in passes.items():
        heights = [one.position[2] for one in own]
        times = [one.time for one in own if one.time is not None]
        clock = f", at {_clock(min(times))}" if times else ""
        lines.append(f"\n  {label}: {len(own)} slices, z = {min(heights):.1f} to {max(heights):.1f} mm{clock}")
    return "".join(lines)


def _clock(seconds: float) -> str:
    whole = int(seconds) % 86400
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"
