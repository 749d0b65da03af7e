"""What the table of lesions says of each, column by column, and of all below it."""

import math

import qt
from slicer.i18n import tr as _

from ...scene.workspace.review import ACCEPTED, FLAGGED, REJECTED, UNREVIEWED

COLOR_PIXELS = 12
TEXT_COLUMNS = (0, 1)


def totalsText(totals) -> str:
    """What lies below the table: :class:`Totals` in words."""
    if totals.count == 0:
        parts = [_("No lesion")]
    elif totals.count == 1:
        parts = [_("1 lesion of {volume:.1f} mL").format(volume=totals.lesionMl)]
    else:
        parts = [_("{count} lesions, {volume:.1f} mL together").format(count=totals.count, volume=totals.lesionMl)]
    if totals.liverMl is not None:
        parts.append(_("liver {volume} mL").format(volume=round(totals.liverMl)))
    if totals.burdenPercent is not None:
        parts.append(_("tumour burden {percent:.1f} %").format(percent=totals.burdenPercent))
    if totals.rejected:
        parts.append(_("{count} rejected, not counted").format(count=totals.rejected))
    return ", ".join(parts)


def statusText(status) -> str:
    return {
        UNREVIEWED: _("To review"),
        ACCEPTED: _("Accepted"),
        REJECTED: _("Rejected"),
        FLAGGED: _("Flagged"),
    }[status]


def _statusWithEdits(row) -> str:
    return _("{status}, edited").format(status=statusText(row.status)) if row.edited else statusText(row.status)


def _lesionText(row) -> str:
    """The number; with the name where somebody gave the lesion one."""
    return str(row.number) if row.name == f"Lesion {row.number}" else f"{row.number} {row.name}"


def rowToolTip(row) -> str:
    if row.measures is None:
        return _("{name}: no voxel").format(name=row.name)
    return row.name


def colorIcon(color):
    pixels = qt.QPixmap(COLOR_PIXELS, COLOR_PIXELS)
    pixels.fill(qt.QColor(*(round(255 * part) for part in color)))
    return qt.QIcon(pixels)


def _column(heading, toolTip, name, decimals):
    """A column of a measure; a person is shown what they may want to compare, in so many decimals."""

    def value(row):
        found = None if row.measures is None else getattr(row.measures, name)
        return None if found is None or math.isnan(found) else found

    def text(row):
        found = value(row)
        return "" if found is None else f"{found:.{decimals}f}"

    return heading, toolTip, value, text


COLUMNS = (
    (
        lambda: _("Lesion"),
        lambda: _("Number, colour, and the name where it was given another"),
        lambda row: row.number,
        _lesionText,
    ),
    (lambda: _("Status"), lambda: _("Your verdict"), lambda row: statusText(row.status), _statusWithEdits),
    _column(lambda: _("Volume\nmL"), lambda: _("Volume of the segment in mL"), "volume_ml", 2),
    _column(
        lambda: _("Long\nmm"), lambda: _("Longest diameter in any axial slice in mm, as RECIST 1.1"), "long_axis_mm", 1
    ),
    _column(
        lambda: _("Short\nmm"),
        lambda: _("Longest diameter perpendicular to it in the same slice in mm"),
        "short_axis_mm",
        1,
    ),
    _column(
        lambda: _("Slice"),
        lambda: _("Slice in which the diameters were measured: its index in the volume, from 0, as in the Data Probe"),
        "long_axis_slice",
        0,
    ),
    _column(lambda: _("Mean\nHU"), lambda: _("Mean density in HU"), "mean_hu", 0),
    _column(lambda: _("SD\nHU"), lambda: _("Standard deviation of the density in HU"), "sd_hu", 0),
    _column(
        lambda: _("Conf."),
        lambda: _("Confidence: how likely this is a lesion, 0 to 1, by the network's probability and the density"),
        "confidence",
        2,
    ),
    _column(
        lambda: _("Surface\nmm"),
        lambda: _("Distance to the liver's surface in mm; 0 where the lesion touches it"),
        "distance_to_liver_surface_mm",
        0,
    ),
)
