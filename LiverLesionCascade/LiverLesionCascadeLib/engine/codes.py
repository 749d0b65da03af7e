"""Coded words: what a term is called, and which coding scheme says so."""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """A term of a coding scheme, as Slicer's terminologies and DICOM write it."""

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

LONG_AXIS = Code("SCT", "103339001", "Long axis")
SHORT_AXIS = Code("SCT", "103340004", "Short axis")
VOLUME = Code("SCT", "118565006", "Volume")
ATTENUATION = Code("DCM", "112031", "Attenuation Coefficient")
MEAN = Code("SCT", "373098007", "Mean")
STANDARD_DEVIATION = Code("SCT", "386136009", "Standard Deviation")
SUM_OF_VOXELS = Code("DCM", "126030", "Sum of segmented voxel volumes")

MILLIMETER = Code("UCUM", "mm", "millimeter")
MILLILITER = Code("UCUM", "mL", "milliliter")
HOUNSFIELD_UNIT = Code("UCUM", "[hnsf'U]", "Hounsfield unit")
