"""Codes and colours of the segments, from Slicer's stock terminology, so that a scene opens the same anywhere.

The strings are what ``vtkSlicerTerminologiesModuleLogic.SerializeTerminologyEntry`` makes of the stock entries; they
are composed here because the terminology files are part of the Slicer application and absent without it.
"""

from __future__ import annotations

from ...engine.codes import ANATOMICAL_STRUCTURE, LIVER, MASS, MORPHOLOGICALLY_ALTERED_STRUCTURE, NO_CODE, Code

SEGMENT_CONTEXT = "Segmentation category and type - 3D Slicer General Anatomy list"
REGION_CONTEXT = "Anatomic codes - DICOM master list"

LIVER_COLOR = (221 / 255, 130 / 255, 101 / 255)
MASS_COLOR = (144 / 255, 238 / 255, 144 / 255)


def terminologyEntry(category: Code, type_: Code, region: Code = NO_CODE) -> str:
    """A segment's terminology tag: context~category~type~modifier~region context~region~region modifier."""
    fields = (SEGMENT_CONTEXT, category, type_, NO_CODE, REGION_CONTEXT, region, NO_CODE)
    return "~".join(str(field) for field in fields)


LIVER_TERMINOLOGY = terminologyEntry(ANATOMICAL_STRUCTURE, LIVER)
LESION_TERMINOLOGY = terminologyEntry(MORPHOLOGICALLY_ALTERED_STRUCTURE, MASS, region=LIVER)
