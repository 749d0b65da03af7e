"""What the table of lesions says of each, column by column, and of all below it."""

import math

import qt
from slicer.i18n import tr as _

from ...scene.tools.lesion_looks import isDoubtful
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


def statusText(row) -> str:
    """What a person did with a lesion."""
    status = {
        UNREVIEWED: _("To review"),
        ACCEPTED: _("Accepted"),
        REJECTED: _("Rejected"),
        FLAGGED: _("Flagged"),
    }[row.status]
    return _("{status}, edited").format(status=status) if row.edited else status


def _statusSymbol(row) -> str:
    """Tells verdicts apart without colours and in any language."""
    symbol = {UNREVIEWED: "?" if isDoubtful(row) else "", ACCEPTED: "\u2713", REJECTED: "\u2717", FLAGGED: "\u2691"}[
        row.status
    ]
    return f"{symbol}\u270e" if row.edited else symbol


def _lesionText(row) -> str:
    """The number; with the name where somebody gave the lesion one."""
    return str(row.number) if row.name == f"Lesion {row.number}" else f"{row.number} {row.name}"


def detailText(row) -> str:
    """All that is known of a lesion and has no column; its name and verdict first."""
    if row.measures is None:
        return _("{name}: no voxel").format(name=row.name)
    lesion = row.measures
    parts = [
        _("{name}: {status}").format(name=row.name, status=statusText(row)),
        _("{long:.1f} x {short:.1f} mm in slice {number}").format(
            long=lesion.long_axis_mm, short=lesion.short_axis_mm, number=row.slice
        ),
        _("{mean:.0f} HU, SD {sd:.0f}").format(mean=lesion.mean_hu, sd=lesion.sd_hu),
    ]
    distance = lesion.distance_to_liver_surface_mm
    if distance is not None and not math.isnan(distance):
        parts.append(_("{distance:.0f} mm from the liver's surface").format(distance=distance))
    return ", ".join(parts)


def colorIcon(color):
    pixels = qt.QPixmap(COLOR_PIXELS, COLOR_PIXELS)
    pixels.fill(qt.QColor(*(round(255 * part) for part in color)))
    return qt.QIcon(pixels)


def _measure(name):
    """What is compared where a person sorts; None where there is none."""

    def value(row):
        found = None if row.measures is None else getattr(row.measures, name)
        return None if found is None or math.isnan(found) else found

    return value


def _number(name, decimals):
    value = _measure(name)
    return value, lambda row: "" if value(row) is None else f"{value(row):.{decimals}f}"


def _diameters(row) -> str:
    return "" if row.measures is None else f"{row.measures.long_axis_mm:.0f} \u00d7 {row.measures.short_axis_mm:.0f}"


#: (heading, tooltip, value to sort by, text): what fits a panel of 350 pixels. The rest is in `detailText`.
COLUMNS = (
    (
        lambda: _("Lesion"),
        lambda: _("Number, colour, and the name where it was given another"),
        lambda row: row.number,
        _lesionText,
    ),
    (
        lambda: "\u2713",
        lambda: _("Your verdict: \u2713 accepted, \u2717 rejected, \u2691 flagged, ? in doubt; \u270e edited"),
        lambda row: (ACCEPTED, FLAGGED, UNREVIEWED, REJECTED).index(row.status),
        _statusSymbol,
    ),
    (lambda: _("Vol.\nmL"), lambda: _("Volume of the segment in mL"), *_number("volume_ml", 2)),
    (
        lambda: _("Diam.\nmm"),
        lambda: _(
            "Longest diameter in any axial slice in mm, as RECIST 1.1, and the longest perpendicular to it there"
        ),
        _measure("long_axis_mm"),
        _diameters,
    ),
    (
        lambda: _("Conf."),
        lambda: _("Confidence: how likely this is a lesion, 0 to 1, by the network's mean probability in it"),
        *_number("confidence", 2),
    ),
)
