"""What of the curves is in Slicer's plot view, on its nodes."""

import numpy as np
import pytest
import slicer_harness

slicer_harness.install()

import slicer  # noqa: E402
from LiverLesionCascadeTrainingLib.gui.curve_view import TrainingCurves  # noqa: E402
from LiverLesionCascadeTrainingLib.runs.log_curves import Curves  # noqa: E402


def curves(count, highest=0.9):
    steps = np.arange(1.0, count + 1)
    return Curves(steps, np.linspace(highest, 0.2, count), steps[4::5], steps[4::5] / 1000, np.full(count // 5, np.nan))


@pytest.fixture
def shown():
    slicer.mrmlScene.Clear()
    yield TrainingCurves()
    slicer.mrmlScene.Clear()


def test_all_of_growing_curves_is_in_the_view(shown):
    for count in (10, 20, 300):
        shown.update("Liver", curves(count))
        assert shown.chart.GetXAxisRange() == (0, count) and shown.chart.GetYAxisRange() == (0, 1)
        assert not shown.chart.GetXAxisRangeAuto()
    shown.update("Liver", curves(300, highest=2.5))
    assert shown.chart.GetYAxisRange() == (0, 2.5)


def test_who_has_zoomed_in_keeps_that_until_another_networks_curves_come(shown):
    shown.update("Liver", curves(100))
    shown.chart.SetXAxisRange(40, 60)
    shown.update("Liver", curves(110))
    assert shown.chart.GetXAxisRange() == (40, 60)
    shown.chart.SetXAxisRange(1, 110)  # as Slicer's button fits them
    shown.update("Liver", curves(120))
    assert shown.chart.GetXAxisRange() == (0, 120)
    shown.chart.SetXAxisRange(40, 60)
    shown.update("Lesions", curves(30))
    assert shown.chart.GetXAxisRange() == (0, 30)


def test_without_a_value_nothing_is_framed(shown):
    shown.update("Liver", Curves())
    shown.update("Liver", curves(10))
    assert shown.chart.GetXAxisRange() == (0, 10)
