"""Renders the pictures of the training module: its panel idle, and beside its curves while a training runs.

    python Testing/tools/render_training_screenshots.py

Everything is synthetic: phantoms as cases, and a trainer that only writes what the real one would. The panel runs in
the harness; the curves are the module's plot nodes, drawn by VTK as Slicer's plot view draws them.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / name) for name in ("Testing", "LiverLesionCascade", "LiverLesionCascadeTraining")]

import slicer_harness  # noqa: E402
from fakes.training_fakes import useFakeTrainer  # noqa: E402
from fixtures.lits_phantoms import write_lits_folders  # noqa: E402

SCREENSHOTS = REPOSITORY / "Resources" / "Screenshots"
NAME = "LiverLesionCascadeTraining"
PANEL_WIDTH = 350
PLOT_SIZE = (620, 420)
WAIT_S = 120


def main() -> int:
    slicer_harness.install()
    import qt
    import slicer

    loaded = slicer_harness.load(REPOSITORY / NAME / f"{NAME}.py")
    slicer.util.selectModule(NAME)
    widget = loaded.widget
    panel_picture(widget).save(str(SCREENSHOTS / "training-idle.png"))

    os.environ["FAKE_TRAINER"] = "steps=400 pause=0.005"
    with tempfile.TemporaryDirectory() as folder:
        train, validation = write_lits_folders(Path(folder))
        useFakeTrainer(widget)
        parameters = widget.logic.getParameterNode()
        parameters.trainFolder, parameters.validationFolder = str(train), str(validation)
        parameters.device, parameters.runFolder = "cuda:0", str(Path(folder) / "run")
        widget.initializeParameterNode()
        widget.training.onStart()
        end = time.monotonic() + WAIT_S
        while not (widget.training._status.job == "lesion" and widget.training._status.step > 250):
            if time.monotonic() > end:
                raise RuntimeError("the training did not come so far")
            widget.training.poll()
            time.sleep(0.05)
        panel = panel_picture(widget)
        plot = qt.QImage(*PLOT_SIZE, qt.QImage.Format_RGB32)
        slicer.qMRMLUtils().vtkImageDataToQImage(plot_picture(widget.training.curves.chart), plot)
        picture = qt.QImage(panel.width() + plot.width(), panel.height(), qt.QImage.Format_RGB32)
        picture.fill(qt.QColor("white"))
        painter = qt.QPainter(picture)
        painter.drawImage(0, 0, panel)
        painter.drawImage(panel.width(), 0, plot)
        painter.end()
        picture.save(str(SCREENSHOTS / "training-running.png"))
        widget.training.onStop()
        while widget.training.busy:
            widget.training.poll()
            time.sleep(0.05)
        widget.cleanup()
    return 0


def panel_picture(widget):
    """The panel as high as its content needs."""
    import slicer

    parent = widget.parent
    parent.show()
    for _ in range(3):  # word-wrapped labels get their height from the width
        parent.resize(PANEL_WIDTH, parent.layout().heightForWidth(PANEL_WIDTH))
        slicer.app.processEvents()
    return parent.grab().toImage()


def plot_picture(chart_node):
    """vtkImageData with the chart of a plot chart node."""
    import vtk

    view = vtk.vtkContextView()
    window = view.GetRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetSize(*PLOT_SIZE)
    view.GetRenderer().SetBackground(1, 1, 1)
    chart = vtk.vtkChartXY()
    view.GetScene().AddItem(chart)
    chart.SetTitle(chart_node.GetTitle())
    chart.GetTitleProperties().SetFontSize(chart_node.GetTitleFontSize())
    chart.SetShowLegend(True)
    chart.GetLegend().SetLabelSize(chart_node.GetLegendFontSize())
    chart.GetAxis(vtk.vtkAxis.BOTTOM).SetTitle(chart_node.GetXAxisTitle())
    chart.GetAxis(vtk.vtkAxis.LEFT).SetTitle(chart_node.GetYAxisTitle())
    for index in range(chart_node.GetNumberOfPlotSeriesNodes()):
        series = chart_node.GetNthPlotSeriesNode(index)
        plot = chart.AddPlot(vtk.vtkChart.LINE)
        plot.SetInputData(series.GetTableNode().GetTable(), series.GetXColumnName(), series.GetYColumnName())
        plot.SetLabel(series.GetName())
        plot.SetColorF(*series.GetColor())
        plot.SetWidth(series.GetLineWidth())
        plot.SetMarkerStyle(series.GetMarkerStyle())
    window.Render()
    grabbed = vtk.vtkWindowToImageFilter()
    grabbed.SetInput(window)
    grabbed.ReadFrontBufferOff()
    grabbed.Update()
    return grabbed.GetOutput()


if __name__ == "__main__":
    sys.exit(main())
