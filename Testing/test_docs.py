"""The documentation: it builds without a warning, loads nothing from the web, and a dead link does not go unnoticed."""

import argparse
import logging
import re
import shutil
from pathlib import Path

import pytest
from LiverLesionCascadeLib.commands.segment import add_segment_arguments
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """The documentation, and of the repository what the tests' pages link to."""
    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")
    for name in ("mkdocs.yml", "README.md"):
        shutil.copy(REPOSITORY / name, tmp_path)
    (tmp_path / "Docs").mkdir()
    shutil.copy(REPOSITORY / "Docs" / "repository_links.py", tmp_path / "Docs")
    return tmp_path


def site(root, folder, **changes):
    """Build as `make docs` does. Raises Abort where anything is to be warned of."""
    build(load_config(str(root / "mkdocs.yml"), strict=True, site_dir=str(folder), **changes))
    return folder


def page(root, text):
    (root / "Docs" / "index.md").write_text(text, encoding="utf-8")
    return site(root, root / "site", nav=["index.md"])


def test_the_site_builds_without_a_warning_and_loads_nothing_from_the_web(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")
    with caplog.at_level(logging.WARNING, "mkdocs"):
        pages = list(site(REPOSITORY, tmp_path / "site").rglob("*.html"))
    assert not caplog.records and len(pages) > 15
    for each in pages:
        loaded = re.findall(
            r"<(?:script|link|img|iframe)[^>]*(?:src|href)=\"?(https?:[^\s\">]+)", each.read_text("utf-8")
        )
        assert not loaded, each.name


def test_links_to_the_repository_become_its_address_and_pictures_part_of_the_site(copy):
    (copy / "Pictures").mkdir()
    (copy / "Pictures" / "a.png").write_bytes(b"picture")
    folder = page(
        copy, "# A\n\n[figures](../README.md#how-it-works) ![a](../Pictures/a.png)\n\n```sh\n[b](../none.md)\n```\n"
    )
    html = (folder / "index.html").read_text("utf-8")
    assert "/blob/main/README.md#how-it-works" in html and 'src="pictures/a.png"' in html
    assert (folder / "pictures" / "a.png").read_bytes() == b"picture"


@pytest.mark.parametrize(
    "link",
    [
        "other.md",
        "#nothing",
        "../NONE.md",
        "../README.md#no-such-heading",
        "../../outside.md",
        "http://example.org",
        "https://nowhere",
    ],
)
def test_a_dead_link_ends_the_build(copy, link):
    with pytest.raises(Abort, match="with [12] warning"):
        page(copy, f"# A\n\n[link]({link})\n")


def test_the_page_on_the_command_line_has_every_option_of_a_segmentation():
    text = (REPOSITORY / "Docs" / "command-line.md").read_text(encoding="utf-8")
    table = text.partition("| option | meaning |")[2].partition("\n\n")[0]
    parser = argparse.ArgumentParser(add_help=False)
    add_segment_arguments(parser)
    options = [action.option_strings for action in parser._actions if action.option_strings and not action.required]
    assert len(options) > 15
    assert [names for names in options if not any(re.search(rf"`{name}\b", table) for name in names)] == []
