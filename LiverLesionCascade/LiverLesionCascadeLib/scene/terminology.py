"""Codes and colours of the segments, from Slicer's stock terminology, so that a scene opens the same anywhere.

The strings are what ``vtkSlicerTerminologiesModuleLogic.SerializeTerminologyEntry`` makes of the stock entries; they
are composed here because the terminology files are part of the Slicer application and absent without it.
"""

from __future__ import annotations

from typing import NamedTuple

SEGMENT_CONTEXT = "Segmentation category and type - 3D Slicer General Anatomy list"
REGION_CONTEXT = "Anatomic codes - DICOM master list"


class Code(NamedTuple):
    scheme: str
    value: str
    meaning: str

    def __str__(self) -> str:
        return "^".join(self)


NO_CODE = Code("", "", "")
ANATOMICAL_STRUCTURE = Code("SCT", "123037004", "Anatomical Structure")
MORPHOLOGICALLY_ALTERED_STRUCTURE = Code("SCT", "49755003", "Morphologically Altered Structure")
LIVER = Code("SCT", "10200004", "Liver")
MASS = Code("SCT", "4147007", "Mass")

LIVER_COLOR = (221 / 255, 130 / 255, 101 / 255)
MASS_COLOR = (144 / 255, 238 / 255, 144 / 255)


def terminologyEntry(category: Code, type_: Code, region: Code = NO_CODE) -> str:
    """A segment's terminology tag: context~category~type~modifier~region context~region~region modifier."""
    fields = (SEGMENT_CONTEXT, category, type_, NO_CODE, REGION_CONTEXT, region, NO_CODE)
    return "~".join(str(field) for field in fields)


LIVER_TERMINOLOGY = terminologyEntry(ANATOMICAL_STRUCTURE, LIVER)
LESION_TERMINOLOGY = terminologyEntry(MORPHOLOGICALLY_ALTERED_STRUCTURE, MASS, region=LIVER)
