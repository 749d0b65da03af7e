"""What listing lesions from lower confidences on finds, and what it costs: free-response ROC (Bunch et al. 1977)."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FrocPoint:
    """All lesions listed whose confidence is not lower.

    Attributes:
        confidence: 0..1.
        recall: Share of the reference's lesions that a listed one touches.
        false_per_scan: Listed ones that touch none.
    """

    confidence: float
    recall: float
    false_per_scan: float


def froc(
    confidences: Sequence[float],
    touched: Sequence[Collection[Hashable]],
    references: Collection[Hashable],
    scans: int,
) -> list[FrocPoint]:
    """The curve, by falling confidence; empty where there is nothing to find or to list.

    Args:
        confidences: (n,) of the lesions that could be listed.
        touched: (n,) lesions of the reference that each of them touches; it is false if there are none.
        references: Those that are to be found; others that are touched count for nothing.
        scans: Number of scans, also of those without lesions.
    """
    wanted = set(references)
    found: set[Hashable] = set()
    points: list[FrocPoint] = []
    false = 0
    order = sorted(range(len(confidences)), key=lambda i: -confidences[i]) if wanted else []
    for i in order:
        found |= wanted.intersection(touched[i])
        false += not touched[i]
        if points and points[-1].confidence == confidences[i]:
            points.pop()
        points.append(FrocPoint(confidences[i], len(found) / len(wanted), false / scans))
    return points


def at_false_rates(points: Sequence[FrocPoint], rates: Sequence[float]) -> list[FrocPoint]:
    """Of a curve, the last point with no more false ones a scan than each rate; none where there is no such point."""
    last = [[point for point in points if point.false_per_scan <= rate][-1:] for rate in rates]
    return [point for points in last for point in points]


def listed_from(points: Sequence[FrocPoint], false_per_scan: float, at_most: float) -> float:
    """The confidence from which on lesions are listed for the best recall that costs no more false ones a scan.

    Halfway to the next lesion, which would be too much; 0 where all can be listed.

    Args:
        points: As `froc` gives them.
        at_most: What is more confident is always listed.
    """
    allowed = [point.false_per_scan <= false_per_scan for point in points]
    count = sum(allowed)  # false ones only become more
    if count == len(points):
        return 0.0
    if count == 0:
        return at_most
    return min(at_most, (points[count - 1].confidence + points[count].confidence) / 2)
