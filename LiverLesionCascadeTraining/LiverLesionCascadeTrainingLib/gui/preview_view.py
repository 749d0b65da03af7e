"""The validation slices with outlines, as a picture in the panel."""

import numpy as np
import qt
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk

from ..runs.preview_image import montage

WIDTH = 310
"""Pixels that the panel has for the picture at least."""


class PreviewView:
    """Shows a run folder's preview in a label.

    :param label: QLabel; hidden while there is no preview.
    :param legend: QLabel that explains the colours; hidden with it.
    """

    def __init__(self, label, legend):
        self._label, self._legend = label, legend
        self._shown = None
        self.clear()

    def show(self, runFolder, job):
        """Show the job's newest preview; one that is shown already is not read again."""
        path = runFolder.preview_path(job)
        try:
            key = (path, path.stat().st_mtime_ns)
        except OSError:
            key = None  # the job has not been validated yet
        if key == self._shown:
            return
        preview = runFolder.preview(job) if key else None
        if preview is None:
            self.clear()
            return
        self._shown = key
        pixmap = qt.QPixmap.fromImage(imageFromArray(montage(preview)))
        room = max(WIDTH, self._label.width if self._label.visible else 0)
        if pixmap.width() > room:
            pixmap = pixmap.scaledToWidth(room, qt.Qt.SmoothTransformation)
        self._label.setPixmap(pixmap)
        self._label.visible = self._legend.visible = True
        self._label.toolTip = ", ".join(preview.names)

    def clear(self):
        self._shown = None
        self._label.visible = self._legend.visible = False


def imageFromArray(array):
    """QImage of (rows, columns, 3) uint8 RGB, first row at the top."""
    rows, columns, _channels = array.shape
    image = vtk.vtkImageData()
    image.SetDimensions(columns, rows, 1)
    # VTK's first row is at the bottom.
    pixels = np.ascontiguousarray(array[::-1]).reshape(-1, 3)
    image.GetPointData().SetScalars(numpy_to_vtk(pixels, deep=True))
    result = qt.QImage()
    slicer.qMRMLUtils().vtkImageDataToQImage(image, result)
    return result
