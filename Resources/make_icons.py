"""Draw the icons of the extension and its modules: a liver with a lesion, refined pass by pass.

python Resources/make_icons.py      needs PySide6
"""

import os
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter, QPainterPath, QPen

REPOSITORY = Path(__file__).resolve().parents[1]
SIZE = 128
LIVER = QColor(221, 130, 101)  # the colours of Slicer's stock terminology
LESION = QColor(144, 238, 144)
OUTLINE = QColor(122, 58, 40)
CURVE = QColor(46, 94, 170)


def liver_path():
    """A liver from the front, 104 x 70 units: the large right lobe on the viewer's left."""
    path = QPainterPath(QPointF(8, 22))
    path.cubicTo(16, 2, 46, -2, 66, 6)
    path.cubicTo(82, 11, 98, 8, 104, 15)
    path.cubicTo(101, 29, 83, 35, 69, 41)
    path.cubicTo(58, 46, 50, 60, 35, 67)
    path.cubicTo(20, 73, 5, 61, 3, 46)
    path.cubicTo(2, 37, 4, 30, 8, 22)
    return path


def draw(training):
    image = QImage(SIZE, SIZE, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    path = liver_path()
    # The cascade: two coarser passes behind, the result in front.
    for offset, opacity in ((0, 0.28), (14, 0.5)):
        painter.save()
        painter.translate(18 - offset * 0.55, 12 + offset)
        painter.setOpacity(opacity)
        painter.fillPath(path, LIVER)
        painter.restore()
    painter.translate(6, 43)
    painter.fillPath(path, LIVER)
    painter.strokePath(path, QPen(OUTLINE, 3.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.setPen(QPen(OUTLINE, 2.5))
    painter.setBrush(LESION)
    painter.drawEllipse(QPointF(34, 34), 13, 12)
    painter.drawEllipse(QPointF(70, 23), 6, 6)
    if training:
        curve = QPainterPath(QPointF(34, 76))
        curve.cubicTo(50, 44, 72, 42, 114, 38)
        painter.strokePath(curve, QPen(Qt.GlobalColor.white, 11, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.strokePath(curve, QPen(CURVE, 6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.end()
    return image


def main():
    application = QGuiApplication([])
    for name, training in (("LiverLesionCascade", False), ("LiverLesionCascadeTraining", True)):
        folder = REPOSITORY / name / "Resources" / "Icons"
        folder.mkdir(parents=True, exist_ok=True)
        draw(training).save(str(folder / f"{name}.png"))
    folder = REPOSITORY / "Resources" / "Icons"
    folder.mkdir(parents=True, exist_ok=True)
    draw(False).save(str(folder / "LiverLesionCascade.png"))
    application.quit()


if __name__ == "__main__":
    main()
