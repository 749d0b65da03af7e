"""The report of a run: one HTML file that needs nothing else, to work through in a browser, and for paper."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from ..grid.boxed import Boxed, union
from ..measures.lesions import Lesion
from ..progress import Steps, finish
from .key_images import WINDOW, KeyImage, encode_jpeg, key_image_steps
from .page import Translate, english, figure_list, fill, render_page
from .source_slices import source_slice
from .viewer_data import viewer_data_steps

if TYPE_CHECKING:
    from ..results.result import SegmentationResult
    from ..scan.ct_volume import CTVolume

MAX_IMAGES = 8
#: Of a report with its viewer.
MAX_BYTES = 12_000_000
_STYLES = ("page.css", "viewer/report.css")
_SCRIPTS = (
    "page.js",
    *(f"viewer/{name}.js" for name in ("geometry", "volume", "viewer", "controls", "lesion_table", "report")),
)
_NONE = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
_NO_BREAK = "\N{NO-BREAK SPACE}"


def render_report(ct: CTVolume, result: SegmentationResult, **options: Any) -> str:
    """The report as HTML; options as `report_steps` takes them."""
    return finish(report_steps(ct, result, **options))


def report_steps(
    ct: CTVolume,
    result: SegmentationResult,
    *,
    input_name: str = "",
    notes: Mapping[int, str] | None = None,
    undecided: Collection[int] | None = None,
    with_viewer: bool = True,
    translate: Translate = english,
) -> Steps[str]:
    """The report as HTML, in steps.

    Args:
        ct: The scan.
        result: What is reported, on the grid of ``ct.hu``.
        input_name: The scan as the user knows it, by default the volume's name.
        notes: What a person decided about the lesions, by their numbers; a column of the table.
        undecided: Numbers of the lesions that wait for a person, which may be marked as in doubt; by default all.
        with_viewer: With all slices of the liver to scroll through, 12 MB at most; without, some hundred kB.
        translate: Gives the page's own texts in the reader's language. What the engine says stays English.
    """
    _ = translate
    name = input_name or ct.name or _("Unnamed scan")
    images = yield from key_image_steps(ct, result, MAX_IMAGES)
    doubtful = {
        lesion.number
        for lesion in result.table
        if lesion.is_doubtful and (undecided is None or lesion.number in undecided)
    }

    def page(data: dict[str, object] | None) -> str:
        main = fill(
            "viewer/report.html",
            translate,
            figures=_figures(result, len(doubtful), _),
            findings=_findings(result, _),
            viewer=fill("viewer/viewer.html", translate) if data else "",
            images=_pictures(ct, result, images, _),
            lesions=_lesion_table(ct, result, doubtful, notes or {}, _),
            details=_details(ct, result, _),
        )
        scripts = _SCRIPTS if data else ()
        return render_page(name, main, styles=_STYLES, scripts=scripts, data=data, translate=translate)

    if with_viewer:
        room = MAX_BYTES - len(page({"viewer": None}).encode("utf-8", errors="replace"))
        yield
        data = yield from viewer_data_steps(ct, result, room)
        if data is not None:
            return page({"viewer": data})
    return page(None)


def tumour_burden(result: SegmentationResult) -> float | None:
    """Share of the liver that is lesion, in percent; None where there is no liver.

    What a person painted as lesion outside of the liver belongs to the organ: the whole is liver and lesions united.
    """
    if not result.liver.count:
        return None
    lesions = Boxed.mask(result.lesions.values, result.lesions.start)
    return 100.0 * lesions.count / union((result.liver, lesions)).count


def _figures(result: SegmentationResult, doubtful: int, _: Translate) -> str:
    largest = max((lesion.long_axis_mm for lesion in result.table), default=None)
    found = _("found") if result.table else _("none found")
    if doubtful:
        found = _("found, {count} in doubt").format(count=doubtful)
    figures = (
        (_("Liver with lesions"), _number(result.liver_volume_ml, 0), "mL"),
        (_("Lesions"), str(len(result.table)), found),
        (_("Lesion volume"), _number(result.lesion_volume_ml, 1), _("mL in all")),
        (_("Tumour burden"), _number(tumour_burden(result), 1), _("% of the liver")),
        (_("Longest diameter"), _number(largest, 0), _("mm, axial")),
    )
    return figure_list(figures)


def _findings(result: SegmentationResult, _: Translate) -> str:
    if not result.findings:
        return ""
    rank = {"error": 0, "warning": 1, "info": 2}
    titles = {"error": _("Error"), "warning": _("Check"), "info": _("Note")}
    items = "".join(
        f'<li class="{finding.severity}"><b>{escape(titles[finding.severity])}</b>'
        f'<span lang="en">{escape(finding.message)}</span></li>'
        for finding in sorted(result.findings, key=lambda finding: rank[finding.severity])
    )
    title = escape(_("Findings"))
    return f'<section class="findings-section"><h2>{title}</h2><ul class="findings">{items}</ul></section>'


def _pictures(ct: CTVolume, result: SegmentationResult, images: Sequence[KeyImage], _: Translate) -> str:
    if not images:
        return ""
    figures = []
    for image in images:
        data = base64.b64encode(encode_jpeg(image.pixels)).decode("ascii")
        # In a tilted scan it lies across several slices: each lesion has the number of its own in the table.
        place = (_("S {mm} mm") if ct.resampled else _("Slice {slice}, S {mm} mm")).format(
            slice=source_slice(ct, image.centre), mm=_number(image.centre[2], 1)
        )
        caption = place
        if image.measured:
            caption = _("{place}; diameters of {lesions}").format(place=place, lesions=_names(image.measured, _))
        seen = _("liver and {lesions}").format(lesions=_names(image.visible, _)) if image.visible else _("liver")
        alternative = _("Axial {place}: {seen} outlined").format(place=place, seen=seen)
        figures.append(
            f'<figure><img src="data:image/jpeg;base64,{data}" decoding="async" width="{image.pixels.shape[1]}" '
            f'height="{image.pixels.shape[0]}" alt="{escape(alternative)}">'
            f"<figcaption>{escape(caption)}</figcaption></figure>"
        )
    legend = f'<span class="liver">{escape(_("liver"))}</span>'
    if result.table:
        legend += (
            f' <span class="lesion">{escape(_("lesions"))}</span>'
            f' <span class="axes">{escape(_("longest diameter and the longest across it"))}</span><br>'
            + escape(_("The slices on which the largest lesions are measured."))
        )
    left_out = len(result.table) - len({number for image in images for number in image.measured})
    if left_out == 1:
        legend += " " + escape(_("The other lesion is in the table."))
    elif left_out > 1:
        legend += " " + escape(_("The other {count} lesions are in the table.").format(count=left_out))
    return (
        f'<section class="images-section"><h2>{escape(_("Key images"))}</h2><p class="legend small">{legend}</p>'
        f'<div class="images">{"".join(figures)}</div></section>'
    )


def _lesion_table(
    ct: CTVolume, result: SegmentationResult, doubtful: Collection[int], notes: Mapping[int, str], _: Translate
) -> str:
    title = f'<section class="lesions"><h2 id="lesions-title">{escape(_("Lesions"))}</h2>'
    if not result.table:
        return f"{title}<p>{escape(_('No lesion was found.'))}</p></section>"
    heads = (
        (_("Lesion"), ""),
        (_("Volume"), "mL"),
        (_("Axial diameters"), "mm"),
        (_("Mean ± SD"), "HU"),
        (_("Confidence"), "%"),
        (_("Slice"), ""),
        ("S", "mm"),
        (_("To surface"), "mm"),
        *([(_("Review"), "")] if notes else []),
    )
    head = "".join(
        f'<th scope="col">{escape(title)}{f"<small>{unit}</small>" if unit else ""}</th>' for title, unit in heads
    )
    rows = "".join(_lesion_row(ct, lesion, doubtful, notes, _) for lesion in result.table)
    note = _(
        "Diameters: longest in an axial slice, and the longest perpendicular to it in that slice. Slice: of the long "
        "diameter, counted from 0 as in Slicer's Data Probe; S: its position in Slicer. Confidence: how likely it is a "
        "lesion, by the network's probability; below 50 % it is in doubt (?). To surface: shortest distance to the "
        "liver's surface."
    )
    return (
        f'{title}<div class="scroll" tabindex="0" role="region" aria-labelledby="lesions-title">'
        f'<table id="lesions"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f'<p class="small">{escape(note)}</p></section>'
    )


def _lesion_row(ct: CTVolume, lesion: Lesion, doubtful: Collection[int], notes: Mapping[int, str], _: Translate) -> str:
    middle = lesion.long_axis_middle
    superior = middle[2]
    confidence = None if lesion.confidence is None else 100 * lesion.confidence
    number = source_slice(ct, middle)
    surface = lesion.distance_to_liver_surface_mm
    note = notes.get(lesion.number, "")
    doubt = f' <b class="doubt" title="{escape(_("in doubt"))}">?</b>' if lesion.number in doubtful else ""
    cells: list[tuple[str, float | str | None]] = [
        (_number(lesion.volume_ml, 2 if lesion.volume_ml < 10 else 1), lesion.volume_ml),
        (f"{_number(lesion.long_axis_mm, 1)} × {_number(lesion.short_axis_mm, 1)}", lesion.long_axis_mm),
        (f"{_number(lesion.mean_hu, 0)} ± {_number(lesion.sd_hu, 0)}", lesion.mean_hu),
        (_number(confidence, 0) + doubt, confidence),
        (str(number), number),
        (_number(superior, 1), superior),
        (_number(surface, 0), surface),
        *([(escape(note) or _NONE, note)] if notes else []),
    ]
    fields = "".join(f'<td data-value="{_value(value)}">{text}</td>' for text, value in cells)
    head = f'<th scope="row" data-value="{lesion.number}">{lesion.number}</th>'
    return f'<tr data-lesion="{lesion.number}">{head}{fields}</tr>'


def _value(value: float | str | None) -> str:
    """What a column is sorted by; empty where there is nothing."""
    if value is None or value != value:
        return ""
    return escape(value) if isinstance(value, str) else f"{value:.6g}"


def _details(ct: CTVolume, result: SegmentationResult, _: Translate) -> str:
    source = ct.source
    size = " × ".join(str(n) for n in source.shape[::-1])
    spacing = " × ".join(f"{mm:.3g}" for mm in source.spacing)
    total = sum(result.timings.values())
    stages = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in result.timings.items())
    low, high = (_number(hu, 0) for hu in WINDOW)
    scan = _("{size} voxels of {spacing} mm").format(size=size, spacing=spacing)
    if ct.resampled:
        scan = _("{scan}, resampled to axial slices").format(scan=scan)
    rows = [
        (_("Model bundle"), f"{result.bundle_name} {result.bundle_version}".strip()),
        (_("Preset"), result.preset),
        (_("Device"), result.device or _NONE),
        (_("Time"), f"{total:.1f} s ({stages})" if result.timings else _NONE),
        (_("Scan"), scan),
        (_("Window of the key images"), _("{low} to {high} HU").format(low=low, high=high)),
    ]
    return "".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in rows)


def _number(value: float | None, decimals: int) -> str:
    """As printed: a real minus sign, no minus zero, a dash where there is no value."""
    if value is None or value != value:
        return _NONE
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        return text.removeprefix("-")
    return text.replace("-", _MINUS)


def _names(numbers: Iterable[int], _: Translate) -> str:
    listed = [str(number) for number in numbers]
    text = _("lesion {numbers}") if len(listed) == 1 else _("lesions {numbers}")
    return text.replace(" ", _NO_BREAK).format(numbers=", ".join(listed))
