"""A hook of MkDocs: links from the pages to files of the repository, which are checked and followed.

Pages link to `../README.md` and the like, as they do where the repository is read. On the site a picture becomes part
of it, and any other file a link to the repository's address. What is not there is a warning, and with it the end of a
strict build. Addresses on the web are checked for their form only.
"""

import logging
import posixpath
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mkdocs.structure.files import File

PICTURES = {".png", ".svg", ".jpg"}
_LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=\))")
_FENCE = re.compile(r"^( *)(```|~~~).*?^\1\2[^\n]*$", re.MULTILINE | re.DOTALL)

log = logging.getLogger("mkdocs.hooks.repository_links")


def on_page_markdown(markdown, page, config, files):
    """The page's text with its links to files outside of `docs_dir` replaced."""
    parts, end = [], 0
    for fence in _FENCE.finditer(markdown):
        parts += [_linked(markdown[end : fence.start()], page, config, files), fence[0]]
        end = fence.end()
    return "".join([*parts, _linked(markdown[end:], page, config, files)])


def _linked(text, page, config, files):
    return _LINK.sub(lambda found: _target(found[0], page.file.src_uri, config, files), text)


def _target(link, page, config, files):
    """What a link on a page (its path in `docs_dir`) becomes."""
    parts = urlsplit(link)
    if parts.scheme:
        if parts.scheme != "mailto" and not (parts.scheme == "https" and "." in parts.netloc):
            log.warning("Doc file '%s' has the link '%s', which is no https address.", page, link)
        return link
    docs = Path(config.docs_dir)
    repository = Path(config.config_file_path).parent
    path = Path(posixpath.normpath((docs / page).parent.joinpath(unquote(parts.path)).as_posix()))
    if not parts.path or path.is_relative_to(docs):
        return link  # MkDocs looks after these
    if not path.exists() or not path.is_relative_to(repository):
        log.warning("Doc file '%s' has the link '%s', but the repository has no such file.", page, link)
        return link
    if path.suffix in PICTURES:
        uri = f"pictures/{path.name}"
        if files.get_file_from_path(uri) is None:
            files.append(File.generated(config, uri, abs_src_path=str(path)))
        return posixpath.relpath(uri, posixpath.dirname(page) or ".")
    if parts.fragment and parts.fragment not in anchors(path.read_text(encoding="utf-8")):
        log.warning("Doc file '%s' has the link '%s', but that file has no such heading.", page, link)
    kind = "tree" if path.is_dir() else "blob"
    address = f"{config.extra['repository']}/{kind}/main/{path.relative_to(repository).as_posix()}"
    return f"{address}#{parts.fragment}" if parts.fragment else address


def anchors(text):
    """The anchors of a Markdown file's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.*)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}
