"""The summary of ten thousand cases, and of a few with odd names, in real browsers."""

from __future__ import annotations

import io
import os
import random
import threading

import pytest
from LiverLesionCascadeLib.archive.summary import write_summary
from LiverLesionCascadeLib.outputs.folder_server import FolderServer
from PIL import Image

from .conftest import NARROW

BOTH = pytest.mark.parametrize("browser", ["chromium", "firefox"])
CASES = 10_000
EVIL = "<img src=x onerror=alert(1)></script><script>alert(2)</script>\"'"


def records(count):
    """Records as a run leaves them; every 50th failed."""
    rng = random.Random(1)
    for number in range(count):
        common = {"name": f"case-{number:05}", "source": f"scans/{number:05}/portal phase.nii.gz"}
        if number % 50 == 49:
            yield common | {"state": "failed", "error": "The file is damaged."}
            continue
        lesions = [
            {"long_axis_mm": rng.uniform(4, 80), "confidence": rng.random()}
            for _each in range(rng.choice((0, 1, 2, 7)))
        ]
        yield common | {
            "state": "done",
            "lesions": lesions,
            "bundle": {"name": "lits-compact", "version": "0.6.0"},
            "seconds": rng.uniform(8, 30),
            "liver_volume_ml": rng.gauss(1600, 300),
            "tumour_burden_percent": rng.expovariate(0.2) if lesions else 0.0,
            "findings": [],
            "doubts": {
                "score": rng.expovariate(2),
                "warnings": ["The field of view is small."] if number % 9 == 0 else [],
                "unsure_liver": 0.1,
                "unsure_lesions": 0.1,
            },
        }


def write_archive(folder, entries):
    file = io.BytesIO()
    Image.new("RGB", (360, 300), (90, 90, 120)).save(file, "JPEG")
    (folder / "picture.jpg").write_bytes(file.getvalue())
    for entry in entries:
        case = folder / "cases" / entry["name"]
        case.mkdir(parents=True)
        os.link(folder / "picture.jpg", case / "key-image.jpg")
        (case / "report.html").write_text("<!DOCTYPE html><title>the report</title>")
    write_summary(entries, folder)
    return folder / "summary.html"


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    return write_archive(tmp_path_factory.mktemp("Archiv ü #1"), list(records(CASES)))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write_archive(tmp_path_factory.mktemp("archive"), list(records(120)))


def names(page):
    return [each.inner_text() for each in page.locator(".case th > :first-child").all()]


@BOTH
def test_ten_thousand_cases_are_there_at_once_and_few_rows_are_made(open_tab, large, browser):
    page = open_tab(browser, large).page
    page.wait_for_selector(".case")
    milliseconds = page.evaluate("() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    print(f"\n{browser}: {CASES} cases can be worked with after {milliseconds / 1000:.2f} s")
    assert page.inner_text("#count") == f"{CASES} of {CASES}"
    assert page.locator(".case").count() < 40
    page.evaluate("() => { list.scrollTop = list.scrollHeight; }")
    page.wait_for_function(f"() => document.querySelector('[aria-rowindex=\"{CASES + 1}\"]')")
    assert page.locator(".case").count() < 40
    height = page.evaluate("() => [list.scrollHeight, document.querySelector('#table thead').offsetHeight]")
    assert abs(height[0] - height[1] - CASES * 72) <= 2


@pytest.mark.parametrize("pixels", [12, 24])
def test_all_rows_are_of_the_height_that_is_counted_with_in_every_size_of_text(open_tab, tmp_path, pixels):
    entries = list(records(120))
    for entry in entries:
        entry["source"] = entry.get("error", "scan ") + 20 * "long name "
        entry.get("doubts", {}).update(warnings=20 * ["The field of view is small."])
    page = open_tab(
        "firefox", write_archive(tmp_path, entries), preferences={"font.size.variable.x-western": pixels}
    ).page
    page.locator(".case img").first.scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelector('.case img').naturalWidth === 360")
    assert page.evaluate("() => getComputedStyle(document.body).fontSize") == f"{pixels}px"
    height = page.evaluate("() => [list.scrollHeight, document.querySelector('#table thead').offsetHeight]")
    assert abs(height[0] - height[1] - 120 * 4.5 * pixels) <= 2


@BOTH
def test_keys_alone_go_through_the_list_and_scroll_it(open_tab, large, browser):
    page = open_tab(browser, large).page
    page.locator(".case a").first.focus()
    focused = "() => document.activeElement.closest('.case')?.ariaRowIndex ?? document.activeElement.id"
    visited = []
    for _each in range(40):
        visited.append(page.evaluate(focused))
        page.keyboard.press("Tab")
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert visited == [str(index) for index in range(2, 42)]
    page.keyboard.press("Shift+Tab")
    for _each in range(20):
        page.keyboard.press("Shift+Tab")
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        link, head = (page.locator(each).bounding_box() for each in (":focus", "#table thead th:first-child"))
        assert link["y"] >= head["y"] + head["height"]  # not below the heading, which stays
    for _each in range(8):  # so far that the link is not kept: then its list takes the keys
        top = page.evaluate("() => list.scrollTop")
        page.keyboard.press("PageDown")
        page.wait_for_function(f"() => list.scrollTop > {top} + 200")
    assert page.evaluate(focused) == "list"


@BOTH
def test_cases_are_searched_filtered_and_sorted(open_tab, large, browser):
    page = open_tab(browser, large).page
    page.fill('[name="text"]', "04999 PORTAL")
    assert names(page) == ["scans/04999/portal phase.nii.gz"] and page.inner_text("#count") == f"1 of {CASES}"
    page.click('[type="reset"]')
    page.wait_for_function(f"() => count.textContent.startsWith('{CASES} ')")
    page.select_option('[name="state"]', "failed")
    assert page.inner_text("#count") == f"{CASES // 50} of {CASES}"
    assert "damaged" in page.locator(".case").first.inner_text() and page.locator(".case a").count() == 0
    page.select_option('[name="state"]', "")
    page.fill('[name="from"]', "20")
    burden = lambda: [float(each.inner_text()) for each in page.locator(".case td:nth-child(6)").all()]  # noqa: E731
    assert burden() and min(burden()) >= 20
    page.click("#table thead th:nth-child(6) button")
    assert burden() == sorted(burden())
    page.click("#table thead th:nth-child(6) button")
    assert burden() == sorted(burden(), reverse=True)


@BOTH
def test_who_comes_back_from_a_case_finds_the_list_as_it_was(open_tab, small, browser):
    page = open_tab(browser, small).page
    page.evaluate("() => addEventListener('unload', () => {})")  # so that going back makes the page anew
    page.select_option('[name="state"]', "done")
    page.fill('[name="text"]', "portal")
    page.click("#table thead th:nth-child(6) button")
    page.evaluate("() => { list.scrollTop = 2000; }")
    page.wait_for_function("() => document.querySelector('.case').ariaRowIndex > 20")
    seen = """() => [count.textContent, list.scrollTop, document.querySelector("#table [aria-sort]").cellIndex,
      [...document.querySelectorAll(".case")].map(each => each.textContent)]"""
    before = page.evaluate(seen)
    page.locator(".case a").nth(8).evaluate("link => link.click()")  # where it is, unlike Playwright's own click
    page.wait_for_function("() => document.title === 'the report'")
    page.go_back()
    page.wait_for_function("() => document.querySelector('.case')?.ariaRowIndex > 20")
    assert page.evaluate(seen) == before


@BOTH
def test_a_case_has_its_picture_and_leads_to_its_report(open_tab, small, browser):
    tab = open_tab(browser, small)
    picture = tab.page.locator(".case img").first
    picture.scroll_into_view_if_needed()
    tab.page.wait_for_function("() => document.querySelector('.case img').naturalWidth === 360")
    assert all("/key-image.jpg" in url for url in tab.requests)
    tab.page.locator(".case a").first.click()
    tab.page.wait_for_function("() => document.title === 'the report'")


def test_it_works_through_the_command_view(launch, small):
    with FolderServer(small.parent) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        page = launch("chromium").new_page()
        try:
            page.goto(server.address("summary.html"))
            page.locator(".case img").first.scroll_into_view_if_needed()
            page.wait_for_function("() => document.querySelector('.case img').naturalWidth === 360")
            page.locator(".case a").first.click()
            page.wait_for_function("() => document.title === 'the report'")
        finally:
            page.close()
            server.shutdown()
            thread.join()


@BOTH
def test_names_and_reasons_that_hold_markup_do_nothing(open_tab, tmp_path, browser):
    entries = list(records(50))
    for entry in entries:
        entry["source"] = EVIL
        if entry["state"] == "failed":
            entry["error"] = EVIL
        else:
            entry["doubts"] |= {"warnings": [EVIL], "score": 2.0}
            entry["findings"] = [{"severity": "warning", "code": "x", "message": EVIL}]
            entry["bundle"]["name"] = EVIL
    tab = open_tab(browser, write_archive(tmp_path, entries))
    tab.page.wait_for_selector(".case")
    assert names(tab.page)[0] == EVIL
    assert tab.page.locator('img[src="x"]').count() == 0 and tab.page.locator("script").count() == 2


@BOTH
@pytest.mark.parametrize("viewport", [{"width": 1400, "height": 900}, NARROW], ids=["wide", "narrow"])
def test_nothing_speaks_against_its_use_by_everyone(open_tab, small, browser, viewport, violations):
    page = open_tab(browser, small, viewport=viewport).page
    page.wait_for_selector(".case")
    assert violations(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= viewport["width"]


def test_it_is_dark_where_the_screen_is(open_tab, small, violations):
    page = open_tab("chromium", small, color_scheme="dark").page
    page.wait_for_selector(".case")
    assert violations(page) == []


@BOTH
def test_without_javascript_failures_and_distributions_are_there(open_tab, small, browser):
    options = {"preferences": {"javascript.enabled": False}} if browser == "firefox" else {"java_script_enabled": False}
    page = open_tab(browser, small, **options).page
    assert not page.locator("#cases").is_visible()
    assert page.locator("svg").count() == 6 and "damaged" in page.inner_text("#not-done")
