"""The sample's report in real browsers: what a person does with it, and what it must never do."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import zlib
from dataclasses import replace

import numpy as np
import pytest
from LiverLesionCascadeLib.engine.findings import Finding
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
from LiverLesionCascadeLib.engine.reports.html_report import render_report
from LiverLesionCascadeLib.engine.reports.page import write_page
from LiverLesionCascadeLib.engine.scan.image_io import read_image
from LiverLesionCascadeLib.engine.segmenter import Segmenter
from LiverLesionCascadeLib.sample import fetch_sample

from .conftest import NARROW

LIVER, LESION, CHOSEN = (74, 222, 158), (255, 82, 70), (255, 219, 88)
EVIL = "</script><img src=x onerror=alert(1)><script>alert(2)</script>\"'{{viewer}}_(Slice)"
BOTH = pytest.mark.parametrize("browser", ["chromium", "firefox"])


@pytest.fixture(scope="module")
def ct(tmp_path_factory):
    return read_image(fetch_sample(tmp_path_factory.mktemp("sample")).image)


@pytest.fixture(scope="module")
def result(ct):
    return Segmenter(ModelBundle.shipped(), "cpu").segment(ct)


@pytest.fixture(scope="module")
def path(ct, result, tmp_path_factory):
    path = tmp_path_factory.mktemp("report ü #1") / "report.html"
    write_page(path, render_report(ct, result, input_name="sample"))
    return path


@pytest.fixture
def report(open_tab, path):
    """Function (browser, options) that opens the sample's report."""

    def opened(browser, file=path, **options):
        return Report(open_tab(browser, file, **options))

    return opened


class Report:
    """The page as a person sees it; places on the picture are worked out here anew from the page's data."""

    def __init__(self, tab):
        self.tab, self.page = tab, tab.page
        self.data = json.loads(self.page.text_content("#data"))["viewer"]
        self.wait()

    def wait(self):
        """Until what is to be drawn is drawn."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def wait_for_picture(self):
        self.page.wait_for_function(
            "() => { const { width, height } = canvas; "
            "return canvas.getContext('2d').getImageData(width / 2, height / 2, 1, 1).data[0] > 0; }"
        )

    @property
    def where(self):
        return self.page.inner_text("#where")

    @property
    def box(self):
        """What the table scrolls in."""
        return self.page.locator(".lesions .scroll")

    def row(self, lesion):
        return self.page.locator(f'tr[data-lesion="{lesion}"]')

    def cell(self, lesion, column):
        return self.row(lesion).locator("th, td").nth(column).inner_text()

    def chosen(self):
        return [int(each.get_attribute("data-lesion")) for each in self.page.locator("tr[aria-current]").all()]

    def key(self, name, times=1):
        self.page.focus("#frame")
        for _each in range(times):
            self.page.keyboard.press(name)
        self.wait()

    def pixels(self):
        """The canvas, (row, column, RGB)."""
        width, height, values = self.page.evaluate(
            """() => {
              const { width, height } = document.getElementById("canvas");
              const { data } = document.getElementById("canvas").getContext("2d").getImageData(0, 0, width, height);
              let text = "";
              for (let i = 0; i < data.length; i += 32768) text += String.fromCharCode(...data.subarray(i, i + 32768));
              return [width, height, btoa(text)];
            }"""
        )
        return np.frombuffer(base64.b64decode(values), np.uint8).reshape(height, width, 4)[..., :3].astype(int)

    def corners(self, plane, index, lesion):
        """Corners of an outline in pixels of the canvas, (n, 2) x, y, as long as the picture is fitted."""
        size, spacing = self.data["size"], self.data["spacing"]
        across, down = {"axial": (2, 1), "coronal": (2, 0), "sagittal": (1, 0)}[plane]
        frame = self.page.evaluate("() => [canvas.clientWidth, canvas.clientHeight]")
        extent = np.array([size[across] * spacing[across], size[down] * spacing[down]])
        scale = min(frame / extent)
        half = np.array([spacing[across], spacing[down]]) / 2 * scale
        corners = []
        for part in self.data["outlines"][plane][index][str(lesion)].split("z")[:-1]:
            x, y = map(int, re.match(r"M(-?\d+) (-?\d+)", part).groups())
            corners.append((x, y))
            for command, first, second in re.findall(r"([hvl])(-?\d+)(?: (-?\d+))?", part):
                x, y = x + (0 if command == "v" else int(first)), y + int(first if command == "v" else second or 0)
                corners.append((x, y))
        return (np.array(frame) - extent * scale) / 2 + np.array(corners) * half

    def is_outlined(self, plane, index, lesion, colour, share=0.8):
        """Whether an outline's corners are of a colour."""
        return self.is_drawn(self.corners(plane, index, lesion), colour, share)

    def is_drawn(self, points, colour, share=0.8):
        pixels = self.pixels()
        near = []
        for x, y in points:
            patch = pixels[max(int(y) - 1, 0) : int(y) + 2, max(int(x) - 1, 0) : int(x) + 2]
            near.append((np.abs(patch - colour).max(axis=2) < 40).any() if patch.size else True)
        return np.mean(near) >= share  # numbers and diameters cover some


@BOTH
def test_it_opens_to_a_picture_and_asks_for_nothing(report, browser):
    opened = report(browser)
    opened.wait_for_picture()
    seconds = opened.page.evaluate("() => performance.now()") / 1000
    print(f"\n{browser}: the first picture was seen {seconds:.2f} s after the page was asked for at the latest")
    assert opened.tab.requests == []
    assert opened.pixels().std() > 30


@BOTH
def test_every_slice_can_be_scrolled_to_by_keys_wheel_and_slider(report, browser):
    opened = report(browser)
    numbers = opened.data["numbers"]
    opened.key("Home")
    assert opened.where.startswith(f"Slice {numbers[0]}, ")
    seen = set()
    for _each in numbers:
        seen.add(opened.where)
        opened.key("ArrowUp")
    assert len(seen) == len(numbers) and opened.where.startswith(f"Slice {numbers[-1]}, ")
    opened.key("PageDown", 2)
    assert opened.where.startswith(f"Slice {numbers[-21]}, ")
    opened.page.locator("#frame").hover()
    opened.page.mouse.wheel(0, 100)
    opened.page.wait_for_function(f"() => where.textContent.startsWith('Slice {numbers[-22]}, ')")
    opened.page.mouse.wheel(0, -100)
    opened.page.wait_for_function(f"() => where.textContent.startsWith('Slice {numbers[-21]}, ')")
    opened.page.focus("#slice")
    opened.page.keyboard.press("ArrowRight")
    opened.wait()
    assert opened.where.startswith(f"Slice {numbers[-20]}, ")
    assert opened.page.get_attribute("#slice", "aria-valuetext") == opened.where


@BOTH
def test_a_click_on_a_row_goes_to_the_slice_of_its_diameters_and_marks_the_lesion(report, browser):
    opened = report(browser)
    for lesion in (3, 12, 40):
        opened.row(lesion).click()
        opened.wait()
        assert opened.chosen() == [lesion]
        number, superior = opened.cell(lesion, 5), opened.cell(lesion, 6)
        assert opened.where == f"Slice {number}, S {superior} mm"
        index = opened.data["numbers"].index(int(number))
        assert opened.is_outlined("axial", index, lesion, CHOSEN)
        others = [int(each) for each in opened.data["outlines"]["axial"][index] if int(each) not in (0, lesion)]
        for other in others:
            assert opened.is_outlined("axial", index, other, LESION, 0.6)


@BOTH
@pytest.mark.parametrize("dots", [1, 2])
def test_a_click_on_an_outline_chooses_its_row_and_beside_all_none(report, browser, dots):
    opened = report(browser, device_scale_factor=dots)
    assert opened.page.evaluate("() => devicePixelRatio") == dots
    opened.row(3).click()
    opened.wait()
    index = opened.data["numbers"].index(int(opened.cell(3, 5)))
    opened.page.locator("#canvas").scroll_into_view_if_needed()
    box = opened.page.locator("#canvas").bounding_box()
    other = next(each for each in opened.data["outlines"]["axial"][index] if each not in ("0", "3"))
    x, y = opened.corners("axial", index, other)[0]
    opened.page.mouse.click(box["x"] + x, box["y"] + y)
    opened.wait()
    assert opened.chosen() == [int(other)]
    opened.page.mouse.click(box["x"] + box["width"] - 4, box["y"] + 4)
    opened.wait()
    assert opened.chosen() == []


@BOTH
@pytest.mark.parametrize("viewport", [{"width": 1400, "height": 700}, NARROW], ids=["wide", "narrow"])
def test_the_picture_stays_in_sight_and_the_row_of_a_lesion_chosen_in_it_too_where_it_is_beside(
    report, browser, viewport
):
    opened = report(browser, viewport=viewport)
    page = opened.page
    opened.row(3).click()
    opened.wait()
    canvas = page.locator("#canvas").bounding_box()
    assert canvas["y"] >= -1 and canvas["y"] + canvas["height"] <= viewport["height"] + 1
    index = opened.data["numbers"].index(int(opened.cell(3, 5)))
    other = next(each for each in opened.data["outlines"]["axial"][index] if each not in ("0", "3"))
    x, y = opened.corners("axial", index, other)[0]
    page.mouse.click(canvas["x"] + x, canvas["y"] + y)
    opened.wait()
    assert opened.chosen() == [int(other)] and page.locator("#canvas").bounding_box() == canvas
    opened.key("Escape")
    for key, place in (("p", -1), ("n", 0)):
        opened.key(key)
        chosen = page.locator("#lesions tbody tr").nth(place)
        assert chosen.get_attribute("aria-current") == "true" and page.locator("#canvas").bounding_box() == canvas
        if viewport != NARROW:
            row, head, box = (each.bounding_box() for each in (chosen, page.locator("#lesions thead"), opened.box))
            assert row["y"] >= head["y"] + head["height"] - 1
            assert row["y"] + row["height"] <= box["y"] + box["height"] + 1


@BOTH
def test_a_click_that_trembles_chooses_the_lesion_and_leaves_the_window(report, browser):
    opened = report(browser)
    page = opened.page
    index = opened.data["first"]
    lesion = next(each for each in opened.data["outlines"]["axial"][index] if each != "0")
    page.locator("#canvas").scroll_into_view_if_needed()
    box = page.locator("#canvas").bounding_box()
    x, y = opened.corners("axial", index, lesion)[0] + (box["x"], box["y"])
    page.mouse.move(x, y)
    page.mouse.down()
    for dx, dy in ((1, 0), (2, 0), (2, 1), (1, 1), (0, 1), (1, 0)):
        page.mouse.move(x + dx, y + dy)
    page.mouse.up()
    opened.wait()
    assert opened.chosen() == [int(lesion)] and page.is_checked('[name="window"][value="liver"]')


@BOTH
def test_outlines_can_be_switched_off(report, browser):
    opened = report(browser)
    opened.row(3).click()
    opened.wait()
    index = opened.data["numbers"].index(int(opened.cell(3, 5)))
    assert opened.is_outlined("axial", index, 0, LIVER, 0.6)
    opened.page.uncheck('[name="outlines"]')
    opened.wait()
    assert not opened.is_outlined("axial", index, 0, LIVER, 0.1)
    assert not opened.is_outlined("axial", index, 3, CHOSEN, 0.1)
    opened.key("o")
    assert opened.is_outlined("axial", index, 3, CHOSEN) and opened.page.is_checked('[name="outlines"]')


@BOTH
def test_windows_are_chosen_dragged_and_typed(report, browser):
    opened = report(browser)
    page = opened.page
    page.wait_for_function(
        "() => canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data[0]"
    )
    liver = opened.pixels()
    page.check('[name="window"][value="soft"]')
    opened.wait()
    assert page.input_value('[name="width"]') == "400" and opened.pixels().std() < liver.std()
    page.locator("#frame").scroll_into_view_if_needed()
    box = page.locator("#frame").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 50, y + 20, steps=4)
    page.mouse.up()
    opened.wait()
    assert page.is_checked('[name="window"][value="own"]')
    assert int(page.input_value('[name="width"]')) > 440 and int(page.input_value('[name="level"]')) > 50
    page.focus('[name="width"]')
    page.keyboard.press("Control+a")
    page.keyboard.type("1")
    page.keyboard.press("Tab")
    opened.wait()
    grey = opened.pixels()[:, :, 1]
    assert np.mean((grey < 10) | (grey > 245)) > 0.8
    page.check('[name="window"][value="liver"]')
    page.focus('[name="width"]')
    page.keyboard.press("ArrowUp")
    assert page.input_value('[name="width"]') == "170"


@BOTH
def test_after_a_reload_or_a_look_at_another_page_the_controls_say_what_the_picture_shows(report, browser, tmp_path):
    (tmp_path / "other.html").write_text("<!DOCTYPE html><title>another page</title>")
    opened = report(browser)
    page = opened.page
    said = """() => [...document.querySelectorAll("#viewer input")].map(each => [each.value, each.checked])"""
    picture = opened.where, page.evaluate(said)
    for come_back in (page.reload, lambda: (page.goto((tmp_path / "other.html").as_uri()), page.go_back())):
        page.evaluate("() => addEventListener('unload', () => {})")  # so that going back makes the page anew
        page.check('[value="coronal"]')
        page.check('[name="window"][value="soft"]')
        page.check('[name="drag"][value="place"]')
        page.uncheck('[name="outlines"]')
        opened.wait()
        come_back()
        opened.wait()
        assert (opened.where, page.evaluate(said)) == picture


@BOTH
def test_it_zooms_where_the_pointer_is_and_fits_again(report, browser):
    opened = report(browser)
    opened.wait_for_picture()
    fitted = opened.pixels()
    corners = opened.corners("axial", opened.data["first"], 1)
    frame = opened.page.locator("#frame")
    box = frame.bounding_box()
    pointer = np.array([0.4 * box["width"], 0.3 * box["height"]])
    zoomed = pointer + 1.25 * (corners - pointer)
    zoomed = zoomed[((zoomed >= 0) & (zoomed < (box["width"], box["height"]))).all(axis=1)]
    assert len(zoomed) > 5 and not opened.is_drawn(zoomed, LESION, 0.5)
    opened.page.evaluate("() => frame.addEventListener('wheel', () => { window.isTurned = true; })")
    frame.hover(position={"x": pointer[0], "y": pointer[1]})
    opened.page.keyboard.down("Control")
    opened.page.mouse.wheel(0, -100)
    opened.page.keyboard.up("Control")
    opened.page.wait_for_function("() => window.isTurned")
    opened.wait()
    assert opened.is_drawn(zoomed, LESION)
    opened.key("+", 3)
    larger = opened.pixels()
    opened.key("Shift+ArrowLeft")
    assert not np.array_equal(opened.pixels(), larger)
    opened.page.click('[name="fit"]')
    opened.wait()
    assert np.array_equal(opened.pixels(), fitted)


@BOTH
def test_a_touchpads_many_small_turns_zoom_no_more_than_a_notch_of_a_wheel(report, browser):
    opened = report(browser)
    opened.wait_for_picture()
    turn = """([delta, mode, times]) => {
      const { left, top, width, height } = canvas.getBoundingClientRect();
      for (let i = 0; i < times; i++) {
        frame.dispatchEvent(new WheelEvent("wheel", { deltaY: delta, deltaMode: mode, ctrlKey: true, cancelable: true,
                                                      clientX: left + width / 3, clientY: top + height / 3 }));
      }
    }"""
    pictures = []
    for turns in ([-5, 0, 10], [-120, 0, 1], [-3, 1, 1]):
        opened.key("0")
        opened.page.evaluate(turn, turns)
        opened.wait()
        pictures.append(opened.pixels())
    opened.key("0")
    fitted = opened.pixels()
    assert np.array_equal(pictures[1], pictures[2]) and np.abs(pictures[1] - fitted).mean() > 5
    assert np.abs(pictures[0] - pictures[1]).mean() < 0.5


@BOTH
def test_the_middle_button_moves_the_picture_and_the_right_one_drags_nothing(report, browser):
    opened = report(browser)
    page = opened.page
    opened.wait_for_picture()
    page.evaluate("() => addEventListener('mousedown', event => { window.isPrevented = event.defaultPrevented; })")
    opened.key("+", 3)
    page.locator("#frame").scroll_into_view_if_needed()
    page.evaluate("() => document.activeElement.blur()")
    box = page.locator("#frame").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    isOwn = lambda: page.is_checked('[name="window"][value="own"]')  # noqa: E731
    for button in ("middle", "right"):
        before = opened.pixels()
        page.mouse.move(x, y)
        page.mouse.down(button=button)
        page.mouse.move(x + 50, y + 20, steps=4)
        page.mouse.up(button=button)
        opened.wait()
        assert np.array_equal(opened.pixels(), before) == (button == "right") and not isOwn()
        if button == "middle":
            assert page.evaluate("() => [window.isPrevented, document.activeElement.id]") == [True, "frame"]


@BOTH
def test_a_drag_ends_where_no_button_is_held_any_more(report, browser):
    opened = report(browser)
    page = opened.page
    page.evaluate("() => frame.addEventListener('pointerdown', event => { window.pointer = event.pointerId; })")
    page.locator("#frame").scroll_into_view_if_needed()
    box = page.locator("#frame").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(
        "([x, y]) => frame.dispatchEvent(new PointerEvent('pointermove', "
        "{ pointerId: window.pointer, buttons: 0, clientX: x + 50, clientY: y }))",
        [x, y],
    )
    page.mouse.move(x + 60, y + 20, steps=2)
    page.mouse.up()
    assert page.is_checked('[name="window"][value="liver"]')


@BOTH
def test_coronal_and_sagittal_planes_go_through_the_lesion(report, browser):
    opened = report(browser)
    opened.page.wait_for_timeout(100)
    opened.row(3).click()
    lesion = next(each for each in opened.data["lesions"] if each["number"] == 3)
    for plane, axis in (("coronal", 1), ("sagittal", 2)):
        opened.page.check(f'[value="{plane}"]')
        opened.wait()
        index = round(lesion["middle"][axis])
        assert opened.where.lower().startswith(plane)
        assert opened.is_outlined(plane, index, 3, CHOSEN)
        assert opened.page.input_value("#slice") == str(index)


@BOTH
def test_positions_are_those_of_the_slices_after_a_click_between_them(report, browser):
    opened = report(browser)
    origin, spacing = opened.data["origin"], opened.data["spacing"]
    opened.page.check('[value="coronal"]')
    size = opened.page.locator("#canvas").bounding_box()
    opened.page.locator("#canvas").click(position={"x": 0.453 * size["width"], "y": 0.557 * size["height"]})
    for plane, axis, sign, letter in (("axial", 0, 1, "S"), ("coronal", 1, -1, "A"), ("sagittal", 2, -1, "R")):
        opened.page.check(f'[value="{plane}"]')
        opened.wait()
        mm = origin[2 - axis] + sign * spacing[axis] * int(opened.page.input_value("#slice"))
        said = re.search(rf"{letter} (\S+) mm", opened.where)[1].replace("\N{MINUS SIGN}", "-")
        assert abs(float(said) - mm) <= 0.051


@BOTH
def test_every_column_sorts_both_ways(report, browser, ct, result):
    opened = report(browser)
    order = lambda: [int(each.get_attribute("data-lesion")) for each in opened.page.locator("tbody tr").all()]  # noqa: E731
    table = {lesion.number: lesion for lesion in result.table}
    for column, value in (
        (0, lambda lesion: lesion.number),
        (1, lambda lesion: lesion.volume_ml),
        (2, lambda lesion: lesion.long_axis_mm),
        (3, lambda lesion: lesion.mean_hu),
        (4, lambda lesion: lesion.confidence),
        (5, lambda lesion: lesion.slice_in(ct.geometry)),
        (6, lambda lesion: lesion.slice_in(ct.geometry)),
        (7, lambda lesion: lesion.distance_to_liver_surface_mm),
    ):
        heading = opened.page.locator("#lesions thead th").nth(column)
        for direction, name in ((1, "ascending"), (-1, "descending")):
            heading.locator("button").click()
            assert heading.get_attribute("aria-sort") == name
            values = [direction * round(value(table[number]), 3) for number in order()]
            assert values == sorted(values)
    assert len(order()) == len(table)


@BOTH
def test_all_can_be_done_by_keys_alone(report, browser):
    opened = report(browser)
    page = opened.page
    visited = []
    for _each in range(40):
        page.keyboard.press("Tab")
        visited.append(
            page.evaluate(
                "() => document.activeElement.id || document.activeElement.name || document.activeElement.tagName"
            )
        )
        if page.evaluate("() => document.activeElement.closest('tbody') !== null"):
            break
    for name in ("plane", "window", "level", "width", "drag", "outlines", "larger", "frame", "slice"):
        assert name in visited, name
    page.keyboard.press("Enter")
    opened.wait()
    assert opened.chosen() == [1] and "Lesion 1," in page.inner_text("#chosen")
    opened.key("n", 2)
    assert opened.chosen() == [3]
    opened.key("p")
    assert opened.chosen() == [2] and opened.where.startswith(f"Slice {opened.cell(2, 5)},")
    opened.key("Escape")
    assert opened.chosen() == []


@BOTH
def test_on_a_narrow_screen_nothing_is_cut_off_and_the_table_follows_the_picture(report, browser):
    opened = report(browser, viewport=NARROW)
    assert opened.page.evaluate("() => document.documentElement.scrollWidth") <= NARROW["width"]
    frame, table = (opened.page.locator(each).bounding_box() for each in ("#frame", "#lesions"))
    assert frame["x"] >= 0 and frame["x"] + frame["width"] <= NARROW["width"]
    assert frame["y"] + frame["height"] <= table["y"]


@pytest.mark.parametrize("width", [1093, 1366])
def test_on_a_hospitals_screens_the_picture_is_large_and_no_verdict_is_cut_off(report, ct, result, tmp_path, width):
    notes = {lesion.number: "In Frage gestellt, bearbeitet" for lesion in result.table}
    write_page(tmp_path / "report.html", render_report(ct, result, notes=notes))
    page = report("chromium", tmp_path / "report.html", viewport={"width": width, "height": 520}).page
    assert page.locator("#frame").bounding_box()["width"] > 0.45 * width
    table, box = (page.locator(each).bounding_box() for each in ("#lesions", ".lesions .scroll"))
    assert table["x"] + table["width"] <= box["x"] + box["width"] + 1


def test_in_high_contrast_the_chosen_row_and_the_legend_are_told_by_their_colours(report):
    opened = report("chromium", forced_colors="active")
    opened.row(3).click()
    outline = "each => getComputedStyle(each).outlineStyle"
    assert [opened.row(lesion).evaluate(outline) for lesion in (3, 4)] == ["solid", "none"]
    assert len(set(swatches(opened.page))) == 3


def test_the_legends_colours_are_printed(open_tab, path):
    page = open_tab("chromium", path).page
    page.emulate_media(media="print")
    assert len(set(swatches(page))) == 3


def swatches(page):
    """Colours of the legend's lines that are seen also where backgrounds are left out."""
    return page.evaluate(
        """() => [...document.querySelectorAll(".legend span")].map(each => {
          const { borderTopWidth, borderTopColor } = getComputedStyle(each, "::before");
          return borderTopWidth === "0px" ? "" : borderTopColor;
        })"""
    )


@pytest.mark.parametrize(
    ("browser", "options"),
    [
        ("chromium", {"color_scheme": "dark"}),
        ("firefox", {"preferences": {"layout.css.prefers-color-scheme.content-override": 0}}),
    ],
)
def test_it_is_dark_where_the_screen_is_and_nothing_speaks_against_its_use_by_everyone(
    report, browser, options, violations
):
    opened = report(browser, **options)
    background = opened.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert max(map(int, re.findall(r"\d+", background))) < 60
    opened.row(3).click()
    assert violations(opened.page) == []


@BOTH
@pytest.mark.parametrize("viewport", [{"width": 1400, "height": 900}, NARROW], ids=["wide", "narrow"])
def test_nothing_speaks_against_its_use_by_everyone(report, browser, viewport, violations):
    opened = report(browser, viewport=viewport)
    assert violations(opened.page) == []
    opened.row(3).click()
    opened.page.click("summary")
    assert violations(opened.page) == []


def test_it_prints_as_a_paper_report(report, open_tab, path, ct, result, tmp_path):
    light = tmp_path / "light.html"
    write_page(light, render_report(ct, result, input_name="sample", with_viewer=False))
    pages = {}
    for name, file in (("full", path), ("light", light)):
        page = open_tab("chromium", file).page
        page.emulate_media(media="print")
        assert not page.locator("#viewer").is_visible()
        assert page.locator("figure").count() == 8 and page.locator("table").is_visible()
        pages[name] = len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4")))
    print(f"\nPrinted on {pages['full']} pages of A4")
    assert pages["full"] == pages["light"] and 4 <= pages["full"] <= 9


def test_no_column_is_cut_off_on_paper(open_tab, ct, result, tmp_path):
    notes = {lesion.number: "In Frage gestellt, bearbeitet" for lesion in result.table}
    write_page(tmp_path / "report.html", render_report(ct, result, notes=notes))
    width = round((210 - 2 * 14) / 25.4 * 96)  # A4 within the page's margins
    page = open_tab("chromium", tmp_path / "report.html", viewport={"width": width, "height": 1000}).page
    page.emulate_media(media="print")
    table, box = (page.locator(each).bounding_box() for each in ("#lesions", ".lesions .scroll"))
    assert table["x"] + table["width"] <= box["x"] + box["width"] + 1 <= width + 2


def test_the_tables_headings_are_printed_on_every_sheet(open_tab, ct, result, path, tmp_path):
    write_page(tmp_path / "light.html", render_report(ct, result, input_name="sample", with_viewer=False))
    with_buttons, plain = (
        words_drawn(open_tab("chromium", file).page.pdf(format="A4")) for file in (path, tmp_path / "light.html")
    )
    assert with_buttons == plain > 1000


def words_drawn(pdf):
    """How often a PDF's pages draw a run of text."""
    count = 0
    for start in re.finditer(rb"stream\r?\n", pdf):
        with contextlib.suppress(zlib.error):  # of pictures
            count += len(re.findall(rb"\bT[jJ]\b", zlib.decompressobj().decompress(pdf[start.end() :])))
    return count


@BOTH
def test_without_javascript_it_is_the_report_of_key_images(open_tab, path, browser):
    if browser == "firefox":
        page = open_tab(browser, path, preferences={"javascript.enabled": False}).page
    else:
        page = open_tab(browser, path, java_script_enabled=False).page
    assert not page.locator("#viewer").is_visible()
    assert page.locator("figure img").count() == 8 and page.locator("table").is_visible()


GUARDED = "privacy.resistFingerprinting"  # canvases give the page made-up values


@pytest.mark.parametrize(
    ("browser", "options", "damaged"),
    [
        ("chromium", {}, True),
        ("firefox", {}, True),
        ("firefox", {"preferences": {GUARDED: True}}, False),
    ],
)
def test_where_the_pictures_cannot_be_read_it_says_so_and_is_the_report_of_key_images(
    open_tab, path, tmp_path, browser, options, damaged
):
    html = path.read_text(encoding="utf-8")
    if damaged:
        last = re.findall(r'"([\w+/]{200,}=*)"\]', html)[-1]
        html = html.replace(last, base64.b64encode(b"no picture").decode())
    (tmp_path / "report.html").write_text(html, encoding="utf-8")
    page = open_tab(browser, tmp_path / "report.html", **options).page
    page.wait_for_function("() => viewer.innerText.startsWith('The slices cannot be shown')")
    assert page.locator("canvas").count() == 0 and page.locator("figure img").count() == 8
    page.click('tr[data-lesion="3"]')
    page.wait_for_function("() => document.querySelector('tr[aria-current]').dataset.lesion === '3'")


def test_a_browser_that_changes_pictures_a_little_shows_the_slices(report):
    opened = report("firefox", preferences={"privacy.fingerprintingProtection": True})
    opened.wait_for_picture()
    assert opened.page.locator("#canvas").is_visible()


@BOTH
def test_names_that_hold_markup_do_nothing(open_tab, ct, result, tmp_path, browser):
    poisoned = replace(
        result,
        findings=[Finding("x", "warning", EVIL)],
        bundle_name=EVIL,
        preset=EVIL,
        device=EVIL,
        timings={EVIL: 1.0},
    )
    notes = {lesion.number: EVIL for lesion in result.table}
    write_page(tmp_path / "report.html", render_report(ct, poisoned, input_name=EVIL, notes=notes))
    tab = open_tab(browser, tmp_path / "report.html")
    tab.page.wait_for_timeout(300)
    assert tab.requests == []
    assert tab.page.locator("img:not(figure img)").count() == 0 and tab.page.locator("script").count() == 2
    assert tab.page.inner_text("h1") == EVIL and tab.page.title().startswith(EVIL)
    assert tab.page.locator("tbody td:last-child").first.inner_text() == EVIL
    tab.page.click("#lesions thead th:last-child button")


def test_fingers_scroll_and_zoom(report):
    opened = report("chromium", viewport=NARROW, has_touch=True, is_mobile=True)
    assert opened.page.is_checked('[name="drag"][value="slice"]')
    opened.page.locator("#frame").scroll_into_view_if_needed()
    box = opened.page.locator("#frame").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = opened.page.context.new_cdp_session(opened.page)

    def touch(kind, *points):
        session.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": x + dx, "y": y + dy, "id": n} for n, (dx, dy) in enumerate(points)]},
        )

    before = opened.where
    touch("touchStart", (0, 0))
    for step in range(1, 6):
        touch("touchMove", (0, 10 * step))
    touch("touchEnd")
    opened.wait()
    assert opened.where != before
    opened.wait()
    fitted = opened.pixels()
    touch("touchStart", (-30, 0), (30, 0))
    for step in range(1, 6):
        touch("touchMove", (-30 - 10 * step, 0), (30 + 10 * step, 0))
    touch("touchEnd")
    opened.wait()
    assert not np.array_equal(opened.pixels(), fitted)


def test_how_fast_slices_are_scrolled(report):
    """Measured and printed; what is asserted is that each was drawn."""
    opened = report("chromium")
    opened.page.wait_for_timeout(1500)
    slices = len(opened.data["numbers"])
    seconds, drawn = opened.page.evaluate(
        """async (slices) => {
          const frame = document.getElementById("frame");
          const where = document.getElementById("where");
          const seen = new Set();
          frame.dispatchEvent(new KeyboardEvent("keydown", { key: "Home" }));
          await new Promise(requestAnimationFrame);
          const started = performance.now();
          for (let i = 0; i < slices; i++) {
            frame.dispatchEvent(new WheelEvent("wheel", { deltaY: -100, cancelable: true }));
            await new Promise(requestAnimationFrame);
            canvas.getContext("2d").getImageData(0, 0, 1, 1);
            seen.add(where.textContent);
          }
          return [(performance.now() - started) / 1000, seen.size];
        }""",
        slices,
    )
    print(f"\n{slices / seconds:.0f} slices a second in headless Chromium")
    assert drawn >= slices - 1
