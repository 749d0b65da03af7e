"""Cases whose labels come as named segments in a file beside the scan."""

from __future__ import annotations

from dataclasses import dataclass

from ..cases.case_source import CaseSource


@dataclass(frozen=True)
class SegmentsSource(CaseSource):
    """A scan and a segmentation of it.

    Attributes:
        ignore: Patterns of the names of segments that are neither liver nor lesion and do not matter.
    """

    ignore: tuple[str, ...] = ()

    def settings(self) -> list[object]:
        return [*super().settings(), self.ignore]
