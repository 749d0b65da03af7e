"""The pages of this package, each one file that loads nothing: templates, style and script of ``Resources/Report``."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from ... import __version__
from ..files import write_atomically
from ..resources import RESOURCES

TEMPLATES = RESOURCES / "Report"

#: Gives a text of a page in the reader's language.
Translate = Callable[[str], str]

_FIELD = re.compile(r"_\(([^()]+)\)|\{\{(\w+)\}\}")
_SCRIPT_TEXT = re.compile(r'\b_\(\s*"([^"]+)"')
_IMPORT = re.compile(r'^import [^;]*? from "[^"]+";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)


def english(text: str) -> str:
    """Translates nothing."""
    return text


def render_page(
    heading: str,
    main: str,
    *,
    styles: Sequence[str],
    scripts: Sequence[str] = (),
    data: Mapping[str, Any] | None = None,
    pictures: str = "data:",
    translate: Translate = english,
) -> str:
    """A page as HTML, to be written as UTF-8; its head says when it was made, and that it is for research use only.

    Its content security policy lets it run only its own script and load only what ``pictures`` allows, whatever a file
    name or a finding may contain.

    Args:
        heading: Plain text, of what the page is.
        main: HTML, what stands below the head.
        styles: CSS files of ``TEMPLATES``.
        scripts: JavaScript modules there, each before those that import it. Their lines of import and export are left
            out: all are one module in the page.
        data: What the script finds as JSON; the translations of its texts are added as ``texts``.
        pictures: Sources of pictures, as the policy's img-src has them.
    """
    style = "".join(_template(name) for name in styles)
    policy = ["default-src 'none'", f"img-src {pictures}", f"style-src {_hash(style)}", "base-uri 'none'"]
    elements = ""
    if scripts:
        script = _EXPORT.sub("", "".join(_IMPORT.sub("", _template(name)) for name in scripts))
        texts = {text: translate(text) for text in _SCRIPT_TEXT.findall(script)}
        policy.append(f"script-src {_hash(script)}")
        elements = (
            f'<script type="application/json" id="data">{_json({"texts": texts, **(data or {})})}</script>\n'
            f'<script type="module">{script}</script>'
        )
    _ = translate
    created = datetime.now().astimezone()
    title = _("{name}: liver and lesions").format(name=heading)
    return fill(
        "page.html",
        translate,
        title=escape(title),
        policy="; ".join(policy),
        style=style,
        heading=escape(heading),
        version=escape(__version__),
        created_iso=created.isoformat(timespec="seconds"),
        created=f"{created:%Y-%m-%d %H:%M}",
        main=main,
        scripts=elements,
    )


def write_page(path: Path, html: str) -> None:
    """Replaces a page; what is no text, as in names on old disks, becomes question marks. Raises OSError."""
    write_atomically(path, html.encode("utf-8", errors="replace"))


def fill(template: str, translate: Translate = english, /, **values: str) -> str:
    """A template with its texts, ``_(...)``, translated and its fields, ``{{name}}``, filled in by HTML."""

    def filled(match: re.Match[str]) -> str:
        return values[match[2]] if match[2] else escape(translate(match[1]))

    return _FIELD.sub(filled, _template(template))


def figure_list(figures: Iterable[tuple[str, str, str]]) -> str:
    """The figures at the head of a page: label, value and unit of each, of which the value is HTML."""
    return "".join(
        f"<div><dt>{escape(label)}</dt><dd><b>{value}</b> <span>{escape(unit)}</span></dd></div>"
        for label, value, unit in figures
    )


def _template(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _json(value: Any) -> str:
    """JSON that ends no script element, ASCII only."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"
