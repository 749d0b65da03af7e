"""Curves of a training in Slicer's plot view."""

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

    def __init__(self, scene=None):
        self._scene = scene or slicer.mrmlScene
        self._tables, self._series, self._chart = {}, {}, None

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
        if chart.GetTitle() != title:
            chart.SetTitle(title)
        for series in self._series.values():
            if not chart.HasPlotSeriesNodeID(series.GetID()):
                chart.AddAndObservePlotSeriesNodeID(series.GetID())

    def show(self):
        """Bring the chart into the plot view; a layout without one is changed to one that has it."""
        if self.chart is not None:
            slicer.modules.plots.logic().ShowChartInLayout(self.chart)

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
        node = self._scene.AddNewNodeByClass(className, name)
        node.SetSaveWithScene(False)
        return node
