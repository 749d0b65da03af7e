"""``summary.html`` of an archive: counts, distributions, the most doubtful cases with pictures, every failure."""

from __future__ import annotations

import base64
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from urllib.parse import quote

import numpy as np

from .. import __version__
from ..engine.files import write_atomically
from ..engine.reports.html_report import RESEARCH_USE
from ..outputs.result_files import REPORT_FILE
from .archive_folder import CASES
from .case_run import PICTURE_FILE
from .records import DONE, FAILED, LEFT_OUT, Record

SUMMARY_FILE = "summary.html"
DOUBTFUL = 10
_BINS = 24
_LISTED = 1000
_DASH = "\N{EN DASH}"


def write_summary(records: Sequence[Record], folder: Path, created: datetime | None = None) -> None:
    """Replaces ``summary.html`` in a run's folder; it links the cases' reports there. Raises OSError."""
    write_atomically(folder / SUMMARY_FILE, render_summary(records, folder, created).encode("utf-8", errors="replace"))


def render_summary(records: Sequence[Record], folder: Path, created: datetime | None = None) -> str:
    """The page as HTML; pictures are taken from the cases' folders."""
    created = datetime.now().astimezone() if created is None else created
    done = [record for record in records if record["state"] == DONE]
    name = escape(folder.name)
    body = [
        f"<h1>Archive {name}</h1><p class=sub>Liver Lesion Cascade {escape(__version__)} · "
        f'<time datetime="{created.isoformat(timespec="seconds")}">{created:%Y-%m-%d %H:%M}</time></p>'
        f"<p class=notice>{escape(RESEARCH_USE)}</p>",
        _counts(records, done),
        _doubtful(done, folder),
        _not_done(records, FAILED, "Failed"),
        _not_done(records, LEFT_OUT, "Left out: no scan to segment"),
        _distributions(done),
        _findings(done),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>Archive {name} {_DASH} liver and lesions</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + "\n</body>\n</html>\n"
    )


def _counts(records: Sequence[Record], done: Sequence[Record]) -> str:
    states = Counter(record["state"] for record in records)
    lesions = [len(record["lesions"]) for record in done]
    models = sorted({f"{record['bundle']['name']} {record['bundle']['version']}" for record in done})
    figures = [
        ("Segmented", str(states[DONE])),
        ("Failed", str(states[FAILED])),
        ("Left out", str(states[LEFT_OUT])),
        ("With lesions", str(sum(count > 0 for count in lesions))),
        ("Lesions", str(sum(lesions))),
        ("Seconds a case, median", _number(np.median([record["seconds"] for record in done]) if done else None, 1)),
        ("Model", escape(", ".join(models)) or _DASH),
    ]
    return "<dl>" + "".join(f"<div><dt>{label}</dt><dd>{value}</dd></div>" for label, value in figures) + "</dl>"


def _doubtful(done: Sequence[Record], folder: Path) -> str:
    first = sorted(done, key=lambda record: (-record["doubts"]["score"], record["name"]))[:DOUBTFUL]
    first = [record for record in first if record["doubts"]["score"] > 0]
    if not first:
        return ""
    figures = (f"{_picture(record, folder)}<figcaption>{_why(record)}</figcaption>" for record in first)
    items = "".join(f"<figure>{figure}</figure>" for figure in figures)
    count = f"<p class=sub>The {len(first)} most doubtful results.</p>"
    return f"<h2>Look at these first</h2>{count}<div class=images>{items}</div>"


def _picture(record: Record, folder: Path) -> str:
    try:
        data = base64.b64encode((folder / CASES / record["name"] / PICTURE_FILE).read_bytes()).decode("ascii")
    except OSError:
        return "<p class=sub>The picture is gone.</p>"
    return f'<img src="data:image/png;base64,{data}" alt="Key image of {escape(record["name"])}">'


def _why(record: Record) -> str:
    doubts = record["doubts"]
    reasons = [escape(text) for text in doubts["warnings"]]
    if doubts["unsure_liver"] >= 0.5:
        reasons.append("The liver's outline is unsure.")
    if doubts["unsure_lesions"] >= 0.3:
        reasons.append(f"The lesions are unsure: mean confidence {100 - 100 * doubts['unsure_lesions']:.0f} %.")
    link = f"{CASES}/{quote(record['name'])}/{REPORT_FILE}"
    volumes = f"liver {record['liver_volume_ml']:.0f} mL, {len(record['lesions'])} lesions"
    return f'<a href="{link}">{escape(record["source"])}</a><br>{volumes}<br>{" ".join(reasons)}'


def _not_done(records: Sequence[Record], state: str, title: str) -> str:
    chosen = [record for record in records if record["state"] == state]
    if not chosen:
        return ""
    rows = "".join(
        f"<tr><th>{escape(record['source'])}</th><td>{escape(record['error'])}</td></tr>" for record in chosen[:_LISTED]
    )
    more = f"<p class=sub>{len(chosen) - _LISTED} more are in the table of cases.</p>" if len(chosen) > _LISTED else ""
    return f"<h2>{title} ({len(chosen)})</h2><table><tr><th>Where</th><th>Why</th></tr>{rows}</table>{more}"


def _distributions(done: Sequence[Record]) -> str:
    with_liver = [record for record in done if record["liver_volume_ml"] > 0]
    lesions = [lesion for record in done for lesion in record["lesions"]]
    charts = (
        ("Liver volume with lesions", "mL", [record["liver_volume_ml"] for record in with_liver]),
        ("Tumour burden of livers with lesions", "%", [r["tumour_burden_percent"] for r in with_liver if r["lesions"]]),
        ("Lesions a case", "", [float(len(record["lesions"])) for record in done]),
        ("Longest diameter of lesions", "mm", [lesion["long_axis_mm"] for lesion in lesions]),
        ("Confidence of lesions", "", [lesion["confidence"] for lesion in lesions if lesion["confidence"] is not None]),
        ("Time a case", "s", [record["seconds"] for record in done]),
    )
    drawn = "".join(_histogram(title, unit, values) for title, unit, values in charts if values)
    return f"<h2>Distributions</h2><div class=images>{drawn}</div>" if drawn else ""


def _histogram(title: str, unit: str, values: Sequence[float]) -> str:
    """Bars of the counts from the smallest to the largest value, quartiles in words."""
    counts, edges = np.histogram(values, bins=_BINS)
    top = counts.max()
    bars = "".join(
        f'<rect x="{10 * i + 1}" y="{80 - 80 * count / top:.1f}" width="8" height="{80 * count / top:.1f}"/>'
        for i, count in enumerate(counts)
        if count
    )
    low, middle, high = np.percentile(values, [25, 50, 75])
    digits = 0 if edges[-1] >= 100 else 1 if edges[-1] > 2 else 2
    half = f"half of {len(values)}: {_number(low, digits)} to {_number(high, digits)}"
    words = f"median {_number(middle, digits)} {unit} ({half})"
    ends = f'<text x="0" y="96">{_number(edges[0], digits)}</text>'
    ends += f'<text x="{10 * _BINS}" y="96" text-anchor="end">{_number(edges[-1], digits)} {unit}</text>'
    label = escape(f"{title}: {words}")
    return (
        f'<figure><svg viewBox="0 0 {10 * _BINS} 100" role="img" aria-label="{label}">{bars}'
        f'<line x1="0" x2="{10 * _BINS}" y1="80" y2="80"/>{ends}</svg>'
        f"<figcaption><b>{escape(title)}</b><br>{escape(words)}</figcaption></figure>"
    )


def _findings(done: Sequence[Record]) -> str:
    codes: Counter[str] = Counter()
    example: dict[str, str] = {}
    for record in done:
        for finding in record["findings"]:
            if finding["severity"] != "info":
                codes[finding["code"]] += 1
                example.setdefault(finding["code"], finding["message"])
    if not codes:
        return ""
    rows = _rows((str(count), example[code]) for code, count in codes.most_common())
    return f"<h2>Warnings</h2><table><tr><th>Times</th><th>Such as</th></tr>{rows}</table>"


def _rows(rows: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<tr><th>{escape(head)}</th><td>{escape(text)}</td></tr>" for head, text in rows)


def _number(value: float | None, digits: int) -> str:
    return _DASH if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


_STYLE = """
:root { --ink: #1b2430; --soft: #5b6775; --line: #dde3ea; --paper: #fff; --accent: #b4302a; --bar: #2a5f95; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa7b5; --line: #2e3844; --paper: #12171d;
  --accent: #ff8178; --bar: #8fc1f2; } }
body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 72rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.7rem; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 1.05rem; margin: 2.4rem 0 .7rem; }
a { color: var(--bar); overflow-wrap: anywhere; }
.sub { margin: .25rem 0 .8rem; color: var(--soft); }
.notice { padding-left: .8rem; border-left: 3px solid var(--accent); font-size: .92rem; }
dl { display: flex; flex-wrap: wrap; gap: 1rem 2.4rem; margin: 1.6rem 0 0; }
dt { color: var(--soft); font-size: .82rem; }
dd { margin: 0; font-size: 1.3rem; font-weight: 650; font-variant-numeric: tabular-nums; }
.images { display: grid; grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); gap: 1.2rem; }
figure { margin: 0; break-inside: avoid; } img { display: block; width: 100%; background: #000; border-radius: 6px; }
figcaption { margin-top: .35rem; font-size: .88rem; }
svg { width: 100%; } rect { fill: var(--bar); } line { stroke: var(--line); }
text { fill: var(--soft); font-size: 10px; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { padding: .38rem .7rem .38rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
tr:first-child th { color: var(--soft); font-size: .82rem; } th { font-weight: 600; max-width: 28rem; }
"""
