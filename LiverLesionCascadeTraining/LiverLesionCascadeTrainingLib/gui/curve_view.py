"""Curves of a training in Slicer's plot view."""

import numpy as np
import slicer
from slicer.i18n import tr as _

STEP = "Step"
TITLE_FONT_SIZE, LEGEND_FONT_SIZE = 14, 12
"""Smaller than Slicer's own, with which the title reaches the legend in a view of four."""


class TrainingCurves:
    """The chart of one job: its loss, and the validation Dice of liver and lesions.

    The nodes are made when they are first needed, and again where they were removed from the scene. They are not saved
    with it: they come from the run folder.
    """

    def __init__(self):
        self._tables, self._series, self._chart = {}, {}, None
        self._bounds = None  # of the values drawn last: first and last step, lowest and highest value

    @property
    def chart(self):
        """The chart node; None before the first curves, and after it was removed."""
        return self._chart if self._chart is not None and self._chart.GetScene() is not None else None

    def update(self, title, curves):
        """Show other values.

        :param title: of the chart.
        :param curves: Curves of a log, as many values as are to be drawn.
        """
        loss, liver, lesion = _("Loss"), _("Liver Dice"), _("Lesion Dice")
        self._fill(_("Training loss"), (STEP, loss), (curves.steps, curves.losses))
        validation = (curves.validation_steps, curves.liver_dice, curves.lesion_dice)
        self._fill(_("Training validation"), (STEP, liver, lesion), validation)
        self._draw(loss, _("Training loss"), (0.35, 0.35, 0.35), markers=False)
        self._draw(liver, _("Training validation"), (0.87, 0.51, 0.40), markers=True)
        self._draw(lesion, _("Training validation"), (0.0, 0.62, 0.45), markers=True)
        chart = self.chart
        if chart is None:
            chart = self._chart = self._add("vtkMRMLPlotChartNode", _("Training curves"))
            chart.SetXAxisTitle(STEP)
            chart.SetYAxisTitle(_("Loss, Dice"))
            chart.SetTitleFontSize(TITLE_FONT_SIZE)
            chart.SetLegendFontSize(LEGEND_FONT_SIZE)
            chart.SetXAxisRangeAuto(False)  # Slicer's view finds its range when curves are added, and keeps it then
            chart.SetYAxisRangeAuto(False)
        if chart.GetTitle() != title:
            chart.SetTitle(title)
            self._bounds = None
        self._frame(chart, curves)
        for series in self._series.values():
            if not chart.HasPlotSeriesNodeID(series.GetID()):
                chart.AddAndObservePlotSeriesNodeID(series.GetID())

    def show(self):
        """Bring the chart into the plot view; a layout without one is changed to one that has it."""
        if self.chart is not None:
            slicer.modules.plots.logic().ShowChartInLayout(self.chart)

    def _frame(self, chart, curves):
        """All of the curves is in the view. Who has zoomed in keeps that while the same job's curves grow."""
        steps = np.concatenate([curves.steps, curves.validation_steps])
        values = np.concatenate([curves.losses, curves.liver_dice, curves.lesion_dice])
        values = values[np.isfinite(values)]
        if not len(steps) or not len(values):
            return
        before, self._bounds = self._bounds, (steps.min(), steps.max(), values.min(), values.max())
        (left, right), (bottom, top) = chart.GetXAxisRange(), chart.GetYAxisRange()
        if before is not None and (left > before[0] or right < before[1] or bottom > before[2] or top < before[3]):
            return
        wasModifying = chart.StartModify()
        chart.SetXAxisRange(0, steps.max())
        chart.SetYAxisRange(min(0, values.min()), max(1, values.max()))
        chart.EndModify(wasModifying)

    def _fill(self, name, columns, arrays):
        table = self._tables.get(name)
        if table is None or table.GetScene() is None:
            table = self._tables[name] = self._add("vtkMRMLTableNode", name)
        wasModifying = table.StartModify()
        slicer.util.updateTableFromArray(table, list(arrays), list(columns))
        table.EndModify(wasModifying)

    def _draw(self, column, table, color, markers):
        series = self._series.get(column)
        if series is None or series.GetScene() is None:
            series = self._series[column] = self._add("vtkMRMLPlotSeriesNode", column)
            series.SetPlotType(series.PlotTypeScatter)  # a line through points that are anywhere on the x axis
            series.SetMarkerStyle(series.MarkerStyleCircle if markers else series.MarkerStyleNone)
            series.SetColor(*color)
            series.SetXColumnName(STEP)
            series.SetYColumnName(column)
        if series.GetTableNodeID() != self._tables[table].GetID():
            series.SetAndObserveTableNodeID(self._tables[table].GetID())

    def _add(self, className, name):
        node = slicer.mrmlScene.AddNewNodeByClass(className, name)
        node.SetSaveWithScene(False)
        return node
