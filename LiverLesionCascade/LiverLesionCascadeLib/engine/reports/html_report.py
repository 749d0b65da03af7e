"""The report of a run: one HTML file that needs nothing else, for screen (light and dark) and paper."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ... import __version__
from ..measures.lesions import Lesion
from .key_images import DEFAULT_WINDOW, KeyImage, encode_png, key_images
from .source_slices import long_axis_middle, ras, source_slice

if TYPE_CHECKING:
    from ..results.result import SegmentationResult

MAX_IMAGES = 8
RESEARCH_USE = (
    "For research use only. This is no medical device: outlines and measures were made automatically and have to be "
    "checked by a qualified person before anything follows from them."
)
_TABLE_NOTE = (
    "Diameters: longest in an axial slice, and the longest perpendicular to it in that slice. Slice: of the long "
    "diameter, counted from 0 as in Slicer's Data Probe; S: its position in Slicer. Confidence: how "
    "likely it is a lesion, by the network's probability and the density. To surface: shortest distance to the liver's "
    "surface."
)
_NONE = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
_NO_BREAK = "\N{NO-BREAK SPACE}"


def write_report(
    path: Path, result: SegmentationResult, *, input_name: str = "", created: datetime | None = None
) -> None:
    """Write the report to ``path``. Raises OSError."""
    Path(path).write_bytes(render_report(result, input_name=input_name, created=created).encode("utf-8"))


def render_report(
    result: SegmentationResult,
    *,
    input_name: str = "",
    created: datetime | None = None,
    max_images: int = MAX_IMAGES,
    window: tuple[float, float] = DEFAULT_WINDOW,
    notes: Mapping[int, str] | None = None,
) -> str:
    """The report as HTML.

    Args:
        result: What is reported.
        input_name: The scan as the user knows it, by default the volume's name.
        created: When, by default now.
        max_images: Number of key images at most.
        window: HU shown as black and as white.
        notes: What a person decided about the lesions, by their numbers; a column of the table.
    """
    ct = result.ct
    created = datetime.now().astimezone() if created is None else created
    name = input_name or ct.name or "Unnamed scan"
    images = key_images(ct.hu, result.liver, result.lesions, result.table, ct.spacing, limit=max_images, window=window)
    body = [
        f"<header><h1>{escape(name)}</h1>"
        f'<p class="sub">Liver Lesion Cascade {escape(__version__)} · '
        f'<time datetime="{created.isoformat(timespec="seconds")}">{created:%Y-%m-%d %H:%M}</time></p>'
        f'<p class="notice">{escape(RESEARCH_USE)}</p></header>',
        _figures(result),
        _findings(result),
        _pictures(result, images),
        _lesion_table(result, notes or {}),
        _details(result, window),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        # Nothing is loaded from anywhere, whatever a file name or a finding may contain.
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(name)} {_NONE} liver and lesions</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + "\n</body>\n</html>\n"
    )


def tumour_burden(result: SegmentationResult) -> float | None:
    """Share of the liver that is lesion, in percent; None where there is no liver.

    What a person painted as lesion outside of the liver belongs to the organ: the whole is liver and lesions united.
    """
    lesions = result.lesions > 0
    if not result.liver.any():
        return None
    return 100.0 * np.count_nonzero(lesions) / np.count_nonzero(result.liver | lesions)


def _figures(result: SegmentationResult) -> str:
    largest = max((lesion.long_axis_mm for lesion in result.table), default=None)
    figures = (
        ("Liver with lesions", _number(result.liver_volume_ml, 0), "mL"),
        ("Lesions", str(len(result.table)), "found" if result.table else "none found"),
        ("Lesion volume", _number(result.lesion_volume_ml, 1), "mL in all"),
        ("Tumour burden", _number(tumour_burden(result), 1), "% of the liver"),
        ("Longest diameter", _number(largest, 0), "mm, axial"),
    )
    items = "".join(
        f"<div><dt>{label}</dt><dd><b>{value}</b> <span>{unit}</span></dd></div>" for label, value, unit in figures
    )
    return f'<dl class="figures">{items}</dl>'


def _findings(result: SegmentationResult) -> str:
    if not result.findings:
        return ""
    rank = {"error": 0, "warning": 1, "info": 2}
    titles = {"error": "Error", "warning": "Check", "info": "Note"}
    items = "".join(
        f'<li class="{finding.severity}"><b>{titles[finding.severity]}</b><span>{escape(finding.message)}</span></li>'
        for finding in sorted(result.findings, key=lambda finding: rank[finding.severity])
    )
    return f'<section><h2>Findings</h2><ul class="findings">{items}</ul></section>'


def _pictures(result: SegmentationResult, images: Sequence[KeyImage]) -> str:
    if not images:
        return ""
    figures = []
    for image in images:
        data = base64.b64encode(encode_png(image.pixels)).decode("ascii")
        place = f"Slice {source_slice(result.ct, image.centre)}, S {_number(ras(result.ct, image.centre)[2], 1)} mm"
        measured = f"; diameters of {_names(image.measured)}" if image.measured else ""
        figures.append(
            f'<figure><img src="data:image/png;base64,{data}" width="{image.pixels.shape[1]}" '
            f'height="{image.pixels.shape[0]}" alt="Axial {escape(place)}: liver'
            f'{" and " + _names(image.visible) if image.visible else ""} outlined">'
            f"<figcaption>{escape(place)}{escape(measured)}</figcaption></figure>"
        )
    drawn = {number for image in images for number in image.measured}
    left_out = len(result.table) - len(drawn)
    more = (
        f" The other {left_out} {_plural(left_out, 'lesion is', 'lesions are')} in the table." if left_out > 0 else ""
    )
    legend = '<span class="liver">liver</span>'
    if result.table:
        legend += (
            ' <span class="lesion">lesions</span> <span class="axes">longest diameter and the longest across it</span>'
        )
        legend += "<br>The slices on which the largest lesions are measured."
    return (
        f'<section><h2>Key images</h2><p class="legend">{legend}{more}</p>'
        f'<div class="images">{"".join(figures)}</div></section>'
    )


def _lesion_table(result: SegmentationResult, notes: Mapping[int, str]) -> str:
    if not result.table:
        return "<section><h2>Lesions</h2><p>No lesion was found.</p></section>"
    heads = (
        ("Lesion", ""),
        ("Volume", "mL"),
        ("Axial diameters", "mm"),
        ("Mean ± SD", "HU"),
        ("Confidence", "%"),
        ("Slice", ""),
        ("S", "mm"),
        ("To surface", "mm"),
        *([("Review", "")] if notes else []),
    )
    head = "".join(f'<th scope="col">{title}{f"<small>{unit}</small>" if unit else ""}</th>' for title, unit in heads)
    rows = "".join(_lesion_row(result, lesion, notes) for lesion in result.table)
    return (
        f'<section><h2>Lesions</h2><div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f'<tbody>{rows}</tbody></table></div><p class="small">{_TABLE_NOTE}</p></section>'
    )


def _lesion_row(result: SegmentationResult, lesion: Lesion, notes: Mapping[int, str]) -> str:
    middle = long_axis_middle(lesion)
    confidence = None if lesion.confidence is None else 100 * lesion.confidence
    cells = (
        _number(lesion.volume_ml, 2 if lesion.volume_ml < 10 else 1),
        f"{_number(lesion.long_axis_mm, 1)} × {_number(lesion.short_axis_mm, 1)}",
        f"{_number(lesion.mean_hu, 0)} ± {_number(lesion.sd_hu, 0)}",
        _number(confidence, 0),
        str(source_slice(result.ct, middle)),
        _number(ras(result.ct, middle)[2], 1),
        _number(lesion.distance_to_liver_surface_mm, 0),
        *([escape(notes.get(lesion.number, _NONE))] if notes else []),
    )
    return f'<tr><th scope="row">{lesion.number}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def _details(result: SegmentationResult, window: tuple[float, float]) -> str:
    source = result.ct.source
    size = " × ".join(str(n) for n in source.shape[::-1])
    spacing = " × ".join(f"{mm:.3g}" for mm in source.spacing)
    total = sum(result.timings.values())
    stages = ", ".join(f"{escape(stage)} {seconds:.1f} s" for stage, seconds in result.timings.items())
    rows = [
        ("Model bundle", escape(f"{result.bundle_name} {result.bundle_version}".strip())),
        ("Preset", escape(result.preset)),
        ("Device", escape(result.device) or _NONE),
        ("Time", f"{total:.1f} s ({stages})" if result.timings else _NONE),
        ("Scan", f"{size} voxels of {spacing} mm{', resampled to axial slices' if result.ct.resampled else ''}"),
        ("Window of the images", f"{_number(window[0], 0)} to {_number(window[1], 0)} HU"),
    ]
    items = "".join(f"<dt>{label}</dt><dd>{value}</dd>" for label, value in rows)
    return f'<section><h2>How it was made</h2><dl class="details">{items}</dl></section>'


def _number(value: float | None, decimals: int) -> str:
    """As printed: a real minus sign, no minus zero, a dash where there is no value."""
    if value is None or value != value:
        return _NONE
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        return text.removeprefix("-")
    return text.replace("-", _MINUS)


def _names(numbers: Iterable[int]) -> str:
    listed = [str(number) for number in numbers]
    return f"{_plural(len(listed), 'lesion', 'lesions')}{_NO_BREAK}{', '.join(listed)}"


def _plural(count: int, one: str, many: str) -> str:
    return one if count == 1 else many


_STYLE = """
:root { --ink: #1b2430; --soft: #5b6775; --line: #dde3ea; --paper: #ffffff; --panel: #f4f6f9; --accent: #b4302a;
  --warn: #8a5a00; --warn-bg: #fff6e0; --note-bg: #eef4fb; --note: #2a5f95; --liver: #128a5c; --axes: #8a6d00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa7b5; --line: #2e3844; --paper: #12171d;
  --panel: #1a212a; --accent: #ff8178; --warn: #f2c36b; --warn-bg: #2b2413; --note-bg: #16222f; --note: #8fc1f2;
  --liver: #4ade9e; --axes: #ffdb58; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 66rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; font-weight: 650; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 2.4rem 0 .7rem; font-weight: 650; }
.sub { margin: .25rem 0 0; color: var(--soft); }
.notice { margin: 1.1rem 0 0; padding-left: .8rem; border-left: 3px solid var(--accent); font-size: .92rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1px; margin: 1.8rem 0 0;
  background: var(--line); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
.figures div { background: var(--panel); padding: .9rem 1rem; }
.figures dt { font-size: .82rem; color: var(--soft); }
.figures dd { margin: .1rem 0 0; }
.figures b { font-size: 1.6rem; font-weight: 650; font-variant-numeric: tabular-nums; }
.figures span { font-size: .82rem; color: var(--soft); }
.findings { list-style: none; margin: 0; padding: 0; display: grid; gap: .5rem; }
.findings li { display: grid; grid-template-columns: 4rem 1fr; padding: .6rem .9rem; border-radius: 6px;
  background: var(--note-bg); font-size: .95rem; }
.findings b { color: var(--note); font-weight: 650; }
.findings .warning, .findings .error { background: var(--warn-bg); }
.findings .warning b, .findings .error b { color: var(--warn); }
.legend, .small { color: var(--soft); font-size: .88rem; margin: 0 0 .8rem; }
.legend span::before { content: ""; display: inline-block; width: 1.3em; height: .22em; margin: 0 .4em .25em 0;
  border-radius: 2px; background: currentColor; }
.legend span { margin-right: .7em; }
.legend .liver { color: var(--liver); } .legend .lesion { color: var(--accent); } .legend .axes { color: var(--axes); }
.images { display: grid; grid-template-columns: repeat(auto-fill, minmax(24rem, 1fr)); gap: 1.1rem; }
figure { margin: 0; break-inside: avoid; }
img { display: block; width: 100%; height: auto; background: #000; border-radius: 6px; }
figcaption { margin-top: .35rem; font-size: .85rem; color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { padding: .38rem .7rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child { text-align: left; }
thead th { font-weight: 600; font-size: .82rem; color: var(--soft); vertical-align: bottom; }
thead small { display: block; font-weight: 400; font-size: .78rem; }
tbody th { font-weight: 650; }
.scroll + .small { margin: .8rem 0 0; }
.details { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.4rem; margin: 0; font-size: .92rem; }
.details dt { color: var(--soft); } .details dd { margin: 0; overflow-wrap: anywhere; }
@media print {
  :root { --ink: #000; --soft: #444; --line: #bbb; --paper: #fff; --panel: #fff; --accent: #a00; --warn: #640;
    --warn-bg: #fff; --note-bg: #fff; --note: #036; --liver: #075; --axes: #640; }
  @page { margin: 14mm; }
  body { padding: 0; max-width: none; font-size: 10.5pt; }
  .images { grid-template-columns: 1fr 1fr; }
  .findings li { border: 1px solid var(--line); }
  thead { display: table-header-group; } tr, .findings li { break-inside: avoid; } h2 { break-after: avoid; }
}
"""
