"""The report, the lesion table and the key images: what a radiologist and a script read from them."""

import base64
import csv
import io
import locale
import re
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser

import numpy as np
import pytest
from fixtures.phantom import LIVER_HU, SPACING_KJI, PhantomSegmenter, phantom_hu
from LiverLesionCascadeLib.engine.findings import Finding
from LiverLesionCascadeLib.engine.grid.boxed import EMPTY, Boxed
from LiverLesionCascadeLib.engine.progress import finish
from LiverLesionCascadeLib.engine.reports.html_report import render_report, tumour_burden
from LiverLesionCascadeLib.engine.reports.key_images import (
    AXIS_COLOUR,
    LESION_COLOUR,
    LIVER_COLOUR,
    encode_jpeg,
    key_image_steps,
    key_slices,
)
from LiverLesionCascadeLib.engine.reports.lesion_csv import COLUMNS, lesion_csv, lesion_rows
from LiverLesionCascadeLib.engine.reports.source_slices import source_slice
from LiverLesionCascadeLib.engine.results.result import SegmentationResult
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from PIL import Image

IJK_TO_LPS = np.array([[2.0, 0, 0, -130], [0, 2, 0, -100], [0, 0, 3, 500], [0, 0, 0, 1]])
CT = CTVolume.from_array(phantom_hu(), IJK_TO_LPS, "phantom")
NOTICE = (
    "For research use only. This is no medical device: outlines and measures were made automatically and have to be "
    "checked by a qualified person before anything follows from them."
)


@pytest.fixture(scope="module")
def result() -> SegmentationResult:
    return PhantomSegmenter().segment(CT)


class Page(HTMLParser):
    """Text, tags and whatever a page would load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "srcset", "data")]
        if tag not in ("meta", "img", "br", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def page(result: SegmentationResult, **options: object) -> Page:
    return Page(render_report(CT, result, input_name="scan.nii.gz", **options))  # type: ignore[arg-type]


def test_the_report_is_one_well_formed_file_that_loads_nothing(result):
    for with_viewer in (True, False):
        report = page(result, with_viewer=with_viewer)
        assert report.open == []
        assert report.tags.count("script") == (2 if with_viewer else 0) and "link" not in report.tags
        assert report.links and all(link.startswith("data:image/jpeg;base64,") for link in report.links)
        assert "@import" not in render_report(CT, result) and "url(" not in render_report(CT, result)


def test_the_report_says_volumes_burden_bundle_preset_device_times_and_geometry(result):
    before = datetime.now()
    text = page(result).text
    assert any(f"· {when:%Y-%m-%d %H:%M} {NOTICE}" in text for when in (before, datetime.now()))
    burden = 100 * result.lesion_volume_ml / result.liver_volume_ml
    for words in (
        "scan.nii.gz",
        f"{result.liver_volume_ml:.0f} mL",
        f"{result.lesion_volume_ml:.1f} mL",
        f"{burden:.1f} % of the liver",
        "phantom 1.2.3",
        "fast",
        "cpu (fp32)",
        "liver pass 0.1 s",
        "130 × 100 × 24 voxels of 2 × 2 × 3 mm",
    ):
        assert words in text, words


def test_the_research_use_notice_is_there_once(result):
    assert page(result).text.count(NOTICE) == 1
    assert page(result).text.lower().count("research use") == 1


def test_text_from_outside_is_escaped_everywhere(result):
    evil = '<img src=x onerror="alert(1)">&'
    poisoned = replace(
        result,
        findings=[Finding("x", "warning", evil)],
        bundle_name=evil,
        device=evil,
        preset=evil,
        timings={evil: 1.0},
    )
    html = render_report(CT, poisoned, input_name=evil)
    assert "<img src=x" not in html
    assert Page(html).text.count(evil) == 7  # title, heading, finding, bundle, device, preset, stage


def test_each_lesion_is_a_row_with_its_measures(result):
    text = page(result).text
    for lesion in result.table:
        assert f"{lesion.long_axis_mm:.1f} × {lesion.short_axis_mm:.1f}" in text
        assert f"{lesion.mean_hu:.0f} ± {lesion.sd_hu:.0f}" in text
    assert page(result).tags.count("tr") == 1 + len(result.table)


def test_findings_are_listed_with_the_gravest_first(result):
    findings = [Finding("a", "info", "Ordinary remark."), Finding("b", "warning", "Grave remark.")]
    text = page(replace(result, findings=findings)).text
    assert text.index("Grave remark.") < text.index("Ordinary remark.")


def test_a_scan_without_lesions_has_one_picture_and_says_so(result):
    empty = without_lesions(result)
    report = page(empty)
    assert "No lesion was found." in report.text and report.tags.count("img") == 1


def test_a_scan_without_liver_has_a_report_without_numbers_that_mean_nothing(result):
    report = page(replace(without_lesions(result), liver=EMPTY, liver_volume_ml=0.0))
    assert "nan" not in report.text.lower() and "– % of the liver" in report.text


def test_missing_measures_are_dashes_and_negative_ones_have_a_minus_sign(result):
    lesion = replace(result.table[0], confidence=None, distance_to_liver_surface_mm=None, mean_hu=-12.0)
    text = page(replace(result, table=[lesion])).text
    assert "\N{MINUS SIGN}12 ±" in text and "None" not in text and "nan" not in text.lower()


def test_a_lesion_of_low_confidence_is_marked_until_somebody_decides(result):
    low, even = (replace(result.table[0], number=number, confidence=value) for number, value in ((1, 0.49), (2, 0.5)))
    html = render_report(CT, replace(result, table=[low, even]), with_viewer=False)
    assert re.findall(r'<td data-value="(\d+)">\d+ <b class="doubt"', html) == ["49"]
    assert "found, 1 in doubt" in Page(html).text
    # A note is no decision: it may say that there is none yet.
    options = {"with_viewer": False, "notes": {1: "unreviewed", 2: "accepted"}}
    html = render_report(CT, replace(result, table=[low, even]), undecided={1}, **options)
    assert html.count('class="doubt"') == 1 and "found, 1 in doubt" in Page(html).text
    html = render_report(CT, replace(result, table=[low, even]), undecided=(), **options)
    assert 'class="doubt"' not in html and "in doubt" not in Page(html).text.split("Confidence:")[0]


# Lesion table.


def test_the_table_has_one_row_a_lesion_with_the_units_in_the_column_names(result):
    rows = list(csv.DictReader(io.StringIO(lesion_csv(result.table, CT))))
    assert list(rows[0]) == list(COLUMNS)
    assert [float(row["volume_ml"]) for row in rows] == pytest.approx([x.volume_ml for x in result.table], abs=1e-3)
    assert float(rows[0]["centroid_r_mm"]) == pytest.approx(-result.table[0].centroid[0], abs=0.01)
    assert float(rows[0]["centroid_a_mm"]) == pytest.approx(-result.table[0].centroid[1], abs=0.01)
    assert float(rows[0]["centroid_s_mm"]) == pytest.approx(result.table[0].centroid[2], abs=0.01)


def test_the_table_is_the_same_in_every_locale(result):
    before = lesion_csv(result.table, CT)
    assert ";" not in before and re.search(r"\d\.\d", before)
    saved = locale.setlocale(locale.LC_ALL)
    try:
        for name in ("de_DE.UTF-8", "C.UTF-8"):
            try:
                locale.setlocale(locale.LC_ALL, name)
            except locale.Error:
                continue
            assert lesion_csv(result.table, CT) == before
    finally:
        locale.setlocale(locale.LC_ALL, saved)


def test_the_table_of_no_lesions_is_its_heading(result):
    assert lesion_csv([], CT) == ",".join(COLUMNS) + "\n"


def test_what_was_not_measured_is_an_empty_field(result):
    lesion = replace(result.table[0], confidence=None)
    row = next(csv.DictReader(io.StringIO(lesion_csv([lesion], CT))))
    assert row["confidence"] == ""


def test_slice_numbers_are_those_of_the_source_whatever_its_order(result):
    flipped = CTVolume.from_array(
        phantom_hu()[::-1].transpose(1, 2, 0),  # stored as (row, column, slice from head to feet)
        np.array([[0, 2, 0, -130.0], [0, 0, 2, -100], [-3, 0, 0, 500 + 23 * 3], [0, 0, 0, 1]]),
    )
    assert np.array_equal(flipped.hu, CT.hu)
    for lesion in result.table:
        index = round(CT.geometry.from_lps(np.array(lesion.centroid))[0])
        assert source_slice(CT, lesion.centroid) == index
        assert source_slice(flipped, lesion.centroid) == 23 - index
    first, second = lesion_rows(result.table, CT)[0], lesion_rows(result.table, flipped)[0]
    assert second["slice"] == 23 - int(first["slice"] or 0)
    assert second["slice_s_mm"] == pytest.approx(first["slice_s_mm"])


# Key images.


def images(result: SegmentationResult, limit: int = 8, ct: CTVolume = CT):
    return finish(key_image_steps(ct, result, limit))


def without_lesions(result: SegmentationResult) -> SegmentationResult:
    return replace(result, lesions=Boxed.nothing(np.uint8), table=[])


def near(pixels: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.abs(pixels.astype(int) - colour).max(axis=2) < 25


def test_key_slices_are_those_of_the_largest_lesions_from_feet_to_head(result):
    slices = [lesion.slice_in(CT.geometry) for lesion in result.table]
    assert key_slices(CT, result, 8) == sorted(set(slices))
    assert key_slices(CT, result, 1) == [slices[0]]


def test_without_lesions_the_key_slice_is_the_one_with_most_liver(result):
    area = result.liver.full(CT.hu.shape).sum(axis=(1, 2))
    assert area[key_slices(CT, without_lesions(result), 8)[0]] == area.max()
    assert key_slices(CT, replace(without_lesions(result), liver=EMPTY), 8) == [CT.hu.shape[0] // 2]


def test_pictures_have_square_pixels_whatever_the_spacing(result):
    ct = CTVolume.from_array(CT.hu, np.diag([1.0, 4.0, 3.0, 1.0]))
    mask = np.zeros(CT.hu.shape, bool)
    mask[10, 20:40, 40:80] = True  # 40 voxels of 1 mm by 20 rows of 4 mm: twice as high as wide
    image = images(replace(without_lesions(result), liver=Boxed.mask(mask)), 1, ct)[0].pixels
    rows, columns = np.nonzero(near(image, LIVER_COLOUR))
    assert np.ptp(rows) / np.ptp(columns) == pytest.approx(80 / 40, rel=0.05)


def test_outlines_lie_on_the_edges_and_the_patients_right_is_on_the_left(result):
    image = images(result)[0]
    liver = near(image.pixels, LIVER_COLOUR)
    shown = round(CT.geometry.from_lps(np.array(image.centre))[0])
    rows, columns = np.nonzero(result.liver.full(CT.hu.shape)[shown])
    extent = (np.ptp(columns) + 1) * SPACING_KJI[2], (np.ptp(rows) + 1) * SPACING_KJI[1]
    drawn_rows, drawn_columns = np.nonzero(liver)
    mm = extent[0] / np.ptp(drawn_columns)
    assert np.ptp(drawn_rows) * mm == pytest.approx(extent[1], rel=0.04)
    # Muscle (grey) lies on the patient's left of the liver, air (black) soon on its right.
    row = int(drawn_rows.mean())
    left, right = drawn_columns.min(), drawn_columns.max()
    assert image.pixels[row, right + 8].min() > 50
    assert (columns.min() - CT.geometry.from_lps(np.array(image.centre))[2]) * SPACING_KJI[2] == pytest.approx(
        (left - image.pixels.shape[1] / 2) * mm, abs=3
    )


def test_lesions_are_outlined_and_their_diameters_drawn_in_their_own_slice(result):
    for image in images(result):
        lesion = next(x for x in result.table if x.number in image.measured)
        assert near(image.pixels, LESION_COLOUR).any()
        axes = near(image.pixels, AXIS_COLOUR)
        assert np.count_nonzero(axes) > 20
        assert lesion.number in image.visible


def test_diameters_cross_the_lesion_through_its_middle(result):
    image = images(result, limit=1)[0]  # of the larger lesion, an ellipsoid alone in its slice
    (drawn, outlined) = (
        [(values.min() + values.max()) / 2 for values in np.nonzero(near(image.pixels, colour))]
        for colour in (AXIS_COLOUR, LESION_COLOUR)
    )
    assert drawn == pytest.approx(outlined, abs=3)  # half a voxel is 5 pixels here


def test_a_picture_without_lesions_has_no_red_and_no_yellow(result):
    image = images(without_lesions(result))[0]
    assert near(image.pixels, LIVER_COLOUR).any()
    assert not near(image.pixels, LESION_COLOUR).any() and not near(image.pixels, AXIS_COLOUR).any()


def test_the_window_maps_hu_to_black_and_white(result):
    for more_hu, expected in ((0, 255 * (LIVER_HU + 60) / 260), (-260, 0), (200, 255)):
        shifted = CTVolume.from_array(CT.hu + more_hu, IJK_TO_LPS)
        image = images(without_lesions(result), 1, shifted)[0]
        rows, columns = np.nonzero(near(image.pixels, LIVER_COLOUR))
        r, c = int(rows.mean()), int(columns.mean())
        patch = image.pixels[r - 3 : r + 4, c - 3 : c + 4]
        assert patch.mean() == pytest.approx(expected, abs=12)


def test_pictures_are_encoded_as_they_are_drawn(result):
    pixels = images(result, limit=1)[0].pixels
    decoded = np.asarray(Image.open(io.BytesIO(encode_jpeg(pixels))))
    assert decoded.shape == pixels.shape
    assert np.abs(decoded.astype(int) - pixels).mean() < 3
    assert near(decoded, LESION_COLOUR).any() and near(decoded, AXIS_COLOUR).any()


def test_the_reports_pictures_are_of_the_stated_size(result):
    html = render_report(CT, replace(result, table=result.table[:1]))
    match = re.search(r'src="data:image/jpeg;base64,([^"]+)" decoding="async" width="(\d+)" height="(\d+)"', html)
    assert match is not None
    assert Image.open(io.BytesIO(base64.b64decode(match[1]))).size == (int(match[2]), int(match[3]))


def test_the_tumour_burden_counts_lesions_outside_of_the_liver_as_part_of_the_organ(result):
    liver, lesions = result.liver.full(CT.hu.shape), result.lesions.full(CT.hu.shape) > 0
    outside = replace(result, liver=Boxed.mask(liver & ~lesions))

    assert tumour_burden(outside) == pytest.approx(100 * lesions.sum() / (liver | lesions).sum())
    assert tumour_burden(replace(result, liver=EMPTY)) is None
