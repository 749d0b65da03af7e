"""``summary.html`` of an archive: counts, distributions, and all cases to search, sort and open."""

from __future__ import annotations

import base64
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from ..engine.reports.page import figure_list, fill, render_page, write_page
from ..outputs.result_files import REPORT_FILE, SUMMARY_FILE
from .archive_folder import CASES
from .case_run import PICTURE_FILE
from .records import DONE, FAILED, LEFT_OUT, Record

DOUBTFUL = 10
_BINS = 24
_LISTED = 1000
_DASH = "\N{EN DASH}"
_STYLES = ("page.css", "archive/summary.css")
_SCRIPTS = ("page.js", "archive/cases.js", "archive/summary.js")
#: The thumbnails are the cases' files beside the page, as its links are.
_PICTURES = "data: 'self' file:"


def write_summary(records: Sequence[Record], folder: Path) -> None:
    """Replaces ``summary.html`` in a run's folder; it links the cases' reports there. Raises OSError."""
    write_page(folder / SUMMARY_FILE, render_summary(records, folder))


def render_summary(records: Sequence[Record], folder: Path) -> str:
    """The page as HTML; the pictures of the most doubtful are in it, others are taken from the cases' folders."""
    done = [record for record in records if record["state"] == DONE]
    main = fill(
        "archive/summary.html",
        figures=_counts(records, done),
        doubtful=_doubtful(done, folder),
        not_done=_not_done(records, FAILED, "Failed") + _not_done(records, LEFT_OUT, "Left out: no scan to segment"),
        distributions=_distributions(done),
        warnings=_findings(done),
    )
    data = {
        "cases": [_case(record) for record in records],
        "folder": CASES,
        "picture": PICTURE_FILE,
        "report": REPORT_FILE,
    }
    heading = f"Archive {folder.name}"
    return render_page(heading, main, styles=_STYLES, scripts=_SCRIPTS, data=data, pictures=_PICTURES)


def _case(record: Record) -> dict[str, Any]:
    """A row of the list, as ``archive/cases.js`` has it."""
    row = {"name": quote(record["name"], errors="replace"), "source": record["source"], "state": record["state"]}
    if record["state"] != DONE:
        measures = ("lesions", "liver", "burden", "longest", "doubt")
        return row | {"text": record["error"], **dict.fromkeys(measures)}
    lesions = record["lesions"]
    return row | {
        "text": " ".join(_reasons(record)),
        "lesions": len(lesions),
        "liver": round(record["liver_volume_ml"], 1),
        "burden": _rounded(record["tumour_burden_percent"]),
        "longest": _rounded(max((lesion["long_axis_mm"] for lesion in lesions), default=None)),
        "doubt": _rounded(record["doubts"]["score"]),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 2)


def _counts(records: Sequence[Record], done: Sequence[Record]) -> str:
    states = Counter(record["state"] for record in records)
    lesions = [len(record["lesions"]) for record in done]
    models = sorted({f"{record['bundle']['name']} {record['bundle']['version']}" for record in done})
    figures = [
        ("Segmented", str(states[DONE]), ""),
        ("Failed", str(states[FAILED]), ""),
        ("Left out", str(states[LEFT_OUT]), ""),
        ("With lesions", str(sum(count > 0 for count in lesions)), ""),
        ("Lesions", str(sum(lesions)), ""),
        ("Time a case, median", _number(np.median([record["seconds"] for record in done]) if done else None, 1), "s"),
    ]
    model = escape(", ".join(models)) or _DASH
    return f"{figure_list(figures)}<div class=text><dt>Model</dt><dd><b>{model}</b> <span></span></dd></div>"


def _doubtful(done: Sequence[Record], folder: Path) -> str:
    first = sorted(done, key=lambda record: (-record["doubts"]["score"], record["name"]))[:DOUBTFUL]
    first = [record for record in first if record["doubts"]["score"] > 0]
    if not first:
        return ""
    figures = (f"{_picture(record, folder)}<figcaption>{_why(record)}</figcaption>" for record in first)
    items = "".join(f"<figure>{figure}</figure>" for figure in figures)
    title = f"<h2>Look at these first</h2><p class=small>The {len(first)} most doubtful results.</p>"
    return f"<section>{title}<div class=images>{items}</div></section>"


def _picture(record: Record, folder: Path) -> str:
    try:
        data = base64.b64encode((folder / CASES / record["name"] / PICTURE_FILE).read_bytes()).decode("ascii")
    except OSError:
        return "<p class=small>The picture is gone.</p>"
    return f'<img src="data:image/jpeg;base64,{data}" alt="Key image of {escape(record["name"])}">'


def _why(record: Record) -> str:
    link = f"{CASES}/{quote(record['name'], errors='replace')}/{REPORT_FILE}"
    volumes = f"liver {record['liver_volume_ml']:.0f} mL, {len(record['lesions'])} lesions"
    return f'<a href="{link}">{escape(record["source"])}</a><br>{volumes}<br>{escape(" ".join(_reasons(record)))}'


def _reasons(record: Record) -> list[str]:
    """What is to be looked at in a result."""
    doubts = record["doubts"]
    reasons = list(doubts["warnings"])
    if doubts["unsure_liver"] >= 0.5:
        reasons.append("The liver's outline is unsure.")
    if doubts["unsure_lesions"] >= 0.3:
        reasons.append(f"The lesions are unsure: mean confidence {100 - 100 * doubts['unsure_lesions']:.0f} %.")
    return reasons


def _not_done(records: Sequence[Record], state: str, title: str) -> str:
    chosen = [record for record in records if record["state"] == state]
    if not chosen:
        return ""
    rows = [(record["source"], record["error"]) for record in chosen[:_LISTED]]
    more = len(chosen) - len(rows)
    note = f"<p class=small>{more} more are in the table of cases.</p>" if more else ""
    return _table(f"{title} ({len(chosen)})", ("Where", "Why"), rows, note)


def _distributions(done: Sequence[Record]) -> str:
    with_liver = [record for record in done if record["liver_volume_ml"] > 0]
    lesions = [lesion for record in done for lesion in record["lesions"]]
    charts = (
        ("Liver volume with lesions", "mL", [record["liver_volume_ml"] for record in with_liver]),
        ("Tumour burden of livers with lesions", "%", [r["tumour_burden_percent"] for r in with_liver if r["lesions"]]),
        ("Lesions a case", "", [float(len(record["lesions"])) for record in done]),
        ("Longest diameter of lesions", "mm", [lesion["long_axis_mm"] for lesion in lesions]),
        ("Confidence of lesions", "", [lesion["confidence"] for lesion in lesions]),
        ("Time a case", "s", [record["seconds"] for record in done]),
    )
    known = ((title, unit, [value for value in values if value is not None]) for title, unit, values in charts)
    drawn = "".join(_histogram(title, unit, values) for title, unit, values in known if values)
    return f"<section><h2>Distributions</h2><div class=images>{drawn}</div></section>" if drawn else ""


def _histogram(title: str, unit: str, values: Sequence[float]) -> str:
    """Bars of the counts from the smallest to the largest value, quartiles in words."""
    counts, _edges = np.histogram(values, bins=_BINS)
    top = counts.max()
    bars = "".join(
        f'<rect x="{10 * i + 1}" y="{80 - 80 * count / top:.1f}" width="8" height="{80 * count / top:.1f}"/>'
        for i, count in enumerate(counts)
        if count
    )
    low, middle, high = np.percentile(values, [25, 50, 75])
    smallest, largest = min(values), max(values)  # not the edges, which lie apart where all values are equal
    digits = 0 if largest >= 100 else 1 if largest > 2 else 2
    half = f"half of {len(values)}: {_number(low, digits)} to {_number(high, digits)}"
    words = f"median {_number(middle, digits)} {unit} ({half})"
    ends = f'<text x="0" y="96">{_number(smallest, digits)}</text>'
    ends += f'<text x="{10 * _BINS}" y="96" text-anchor="end">{_number(largest, digits)} {unit}</text>'
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
    rows = [(str(count), example[code]) for code, count in codes.most_common()]
    return _table("Warnings", ("Times", "Such as"), rows)


def _table(title: str, heads: tuple[str, str], rows: Iterable[tuple[str, str]], note: str = "") -> str:
    head = "".join(f"<th scope=col>{each}</th>" for each in heads)
    body = "".join(f"<tr><th scope=row>{escape(first)}</th><td>{escape(text)}</td></tr>" for first, text in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<section><h2>{title}</h2>{table}{note}</section>"


def _number(value: float | None, digits: int) -> str:
    return _DASH if value is None or not math.isfinite(value) else f"{value:.{digits}f}"
