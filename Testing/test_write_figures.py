"""Figures in the documentation are those that were measured: no one copies them by hand."""

import json
import re

import pytest
from benchmarks import benchmark_panel, benchmark_training
from tools.write_figures import BUNDLE, README, REPOSITORY, readme_figures, with_block


def test_the_readme_has_the_figures_of_the_shipped_bundle():
    page = README.read_text(encoding="utf-8")
    assert with_block(page, "figures", readme_figures(json.loads(BUNDLE.read_text(encoding="utf-8")))) == page


def test_the_readme_is_short_enough_to_be_read():
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 130


def test_the_words_beside_the_figures_of_speed_are_those_that_the_benchmarks_print():
    page = (REPOSITORY / "Docs" / "speed.md").read_text(encoding="utf-8")
    assert f"<!-- panel -->\n{benchmark_panel.HEAD}\n" in page
    block = re.search(r"<!-- training -->\n(.*?)\n<!-- end", page, re.DOTALL)[1]
    printed = benchmark_training.sentence("compact", 320, "2 threads", 10.3, 9.4)
    assert without_figures(printed) == without_figures(block)


def without_figures(text):
    return re.sub(r"[\d.]+", "0", " ".join(text.split()))


def test_only_the_block_changes():
    page = "a\n<!-- x -->\nold\n\\1 text\n<!-- end of x -->\nb\n"
    assert with_block(page, "x", "new \\1\n") == "a\n<!-- x -->\nnew \\1\n<!-- end of x -->\nb\n"


@pytest.mark.parametrize("page", ["", "<!-- x -->\n", "<!-- x -->\n<!-- end of x --><!-- x -->\n<!-- end of x -->"])
def test_a_page_without_just_one_such_block_is_left_alone(page):
    with pytest.raises(ValueError, match="one block"):
        with_block(page, "x", "new")
