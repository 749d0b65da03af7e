"""Which segments are the liver and which are lesions of it: by their codes, then by their names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatch

from ..cases.labels import LESION, LIVER

#: SNOMED CT, and the same concepts in the older SNOMED RT that DICOM used before 2017.
LIVER_CODES = {"10200004", "T-62000"}
LESION_CODES = {
    "4147007",  # mass
    "M-03000",
    "52988006",  # lesion
    "M-01100",
    "108369006",  # neoplasm
    "M-8FFFF",
    "86049000",  # neoplasm, primary
    "M-80003",
    "14799000",  # neoplasm, secondary
    "M-80006",
    "27925004",  # nodule
    "M-03010",
}
#: Codes that say nothing: what Slicer gives a new segment, and the bare categories.
UNSPECIFIC_CODES = {"", "85756007", "T-D0050", "123037004", "T-D000A", "49755003", "M-01000"}

_LIVER_WORDS = set("liver hepar hepatic leber foie hígado higado fegato fígado 肝 肝臓 肝脏".split())
_LESION_WORDS = set(
    "lesion lesions tumor tumors tumour tumours mass masses neoplasm neoplasms metastasis metastases met mets hcc "
    "cancer carcinoma nodule nodules malignancy läsion läsionen tumore tumoren metastase metastasen herd herde".split()
)
_FILLING_WORDS = set("the of in and whole organ parenchyma mask label segment segmentation seg".split())
_PLACE_WORDS = set("left right lobe large small central dome caudate".split())


@dataclass(frozen=True)
class SegmentIdentity:
    """What is known of a segment: its name, the code of its type and of the region it lies in ("" where unknown)."""

    name: str
    type_code: str = ""
    region_code: str = ""

    @property
    def role(self) -> int | None:
        """LIVER, LESION, or None for anything else."""
        if self.type_code not in UNSPECIFIC_CODES:
            if self.type_code in LIVER_CODES:
                return LIVER
            elsewhere = self.region_code not in LIVER_CODES | UNSPECIFIC_CODES
            return LESION if self.type_code in LESION_CODES and not elsewhere else None
        return role_of_name(self.name)

    def matches(self, patterns: tuple[str, ...]) -> bool:
        """Whether the name is one of the patterns (``*`` for any characters), in capitals or not."""
        return any(fnmatch(self.name.casefold(), pattern.casefold()) for pattern in patterns)


def role_of_name(name: str) -> int | None:
    """LIVER for the whole organ, LESION for lesions of it; None for others, as "liver vessels" and "kidney tumor"."""
    words = {word for word in re.findall(r"[^\W\d_]+", name.casefold()) if len(word) > 2 or not word.isascii()}
    words -= _FILLING_WORDS
    if words & _LESION_WORDS:
        return LESION if not words - _LESION_WORDS - _LIVER_WORDS - _PLACE_WORDS else None
    return LIVER if words and words <= _LIVER_WORDS else None


def terminology_codes(entry: str) -> tuple[str, str]:
    """Type and region code of a Slicer terminology entry, "" where there is none."""
    fields = [*entry.split("~"), *[""] * 7]

    def code(field: str) -> str:
        return [*field.split("^"), "", ""][1]

    return code(fields[2]), code(fields[5])
