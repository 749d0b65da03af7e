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
from LiverLesionCascadeLib.engine.reports.html_report import render_report, tumour_burden
from LiverLesionCascadeLib.engine.reports.key_images import (
    AXIS_COLOUR,
    LESION_COLOUR,
    LIVER_COLOUR,
    encode_jpeg,
    key_images,
    key_slices,
)
from LiverLesionCascadeLib.engine.reports.lesion_csv import COLUMNS, lesion_csv, lesion_rows
from LiverLesionCascadeLib.engine.reports.page import english, research_use
from LiverLesionCascadeLib.engine.reports.source_slices import source_slice, source_voxel
from LiverLesionCascadeLib.engine.results.result import SegmentationResult
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from PIL import Image

IJK_TO_LPS = np.array([[2.0, 0, 0, -130], [0, 2, 0, -100], [0, 0, 3, 500], [0, 0, 0, 1]])
CREATED = datetime(2026, 3, 4, 5, 6)


@pytest.fixture(scope="module")
def result() -> SegmentationResult:
    return PhantomSegmenter().segment(CTVolume.from_array(phantom_hu(), IJK_TO_LPS, "phantom"))


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
    return Page(render_report(result, input_name="scan.nii.gz", created=CREATED, **options))  # type: ignore[arg-type]


def test_the_report_is_one_well_formed_file_that_loads_nothing(result):
    for with_viewer in (True, False):
        report = page(result, with_viewer=with_viewer)
        assert report.open == []
        assert report.tags.count("script") == (2 if with_viewer else 0) and "link" not in report.tags
        assert report.links and all(link.startswith("data:image/jpeg;base64,") for link in report.links)
        assert "@import" not in render_report(result) and "url(" not in render_report(result)


def test_the_report_says_volumes_burden_bundle_preset_device_times_and_geometry(result):
    text = page(result).text
    burden = 100 * result.lesion_volume_ml / result.liver_volume_ml
    for words in (
        "scan.nii.gz",
        "2026-03-04 05:06",
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
    assert page(result).text.count(research_use(english)) == 1
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
    html = render_report(poisoned, input_name=evil)
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
    empty = replace(result, lesions=np.zeros_like(result.lesions), table=[])
    report = page(empty)
    assert "No lesion was found." in report.text and report.tags.count("img") == 1


def test_a_scan_without_liver_has_a_report_without_numbers_that_mean_nothing(result):
    nothing = np.zeros_like(result.liver)
    report = page(replace(result, liver=nothing, lesions=np.zeros_like(result.lesions), table=[]))
    assert "nan" not in report.text.lower() and "– % of the liver" in report.text


def test_missing_measures_are_dashes_and_negative_ones_have_a_minus_sign(result):
    lesion = replace(result.table[0], confidence=None, distance_to_liver_surface_mm=None, mean_hu=-12.0)
    text = page(replace(result, table=[lesion])).text
    assert "\N{MINUS SIGN}12 ±" in text and "None" not in text and "nan" not in text.lower()


# Lesion table.


def test_the_table_has_one_row_a_lesion_with_the_units_in_the_column_names(result):
    rows = list(csv.DictReader(io.StringIO(lesion_csv(result.table, result.ct))))
    assert list(rows[0]) == list(COLUMNS)
    assert [float(row["volume_ml"]) for row in rows] == pytest.approx([x.volume_ml for x in result.table], abs=1e-3)
    assert float(rows[0]["centroid_r_mm"]) == pytest.approx(-result.table[0].centroid_lps[0], abs=0.01)
    assert float(rows[0]["centroid_a_mm"]) == pytest.approx(-result.table[0].centroid_lps[1], abs=0.01)
    assert float(rows[0]["centroid_s_mm"]) == pytest.approx(result.table[0].centroid_lps[2], abs=0.01)


def test_the_table_is_the_same_in_every_locale(result):
    before = lesion_csv(result.table, result.ct)
    assert ";" not in before and re.search(r"\d\.\d", before)
    saved = locale.setlocale(locale.LC_ALL)
    try:
        for name in ("de_DE.UTF-8", "C.UTF-8"):
            try:
                locale.setlocale(locale.LC_ALL, name)
            except locale.Error:
                continue
            assert lesion_csv(result.table, result.ct) == before
    finally:
        locale.setlocale(locale.LC_ALL, saved)


def test_the_table_of_no_lesions_is_its_heading(result):
    assert lesion_csv([], result.ct) == ",".join(COLUMNS) + "\n"


def test_what_was_not_measured_is_an_empty_field(result):
    lesion = replace(result.table[0], confidence=None)
    row = next(csv.DictReader(io.StringIO(lesion_csv([lesion], result.ct))))
    assert row["confidence"] == ""


def test_slice_numbers_are_those_of_the_source_whatever_its_order(result):
    flipped = CTVolume.from_array(
        phantom_hu()[::-1].transpose(1, 2, 0),  # stored as (row, column, slice from head to feet)
        np.array([[0, 2, 0, -130.0], [0, 0, 2, -100], [-3, 0, 0, 500 + 23 * 3], [0, 0, 0, 1]]),
    )
    assert np.array_equal(flipped.hu, result.ct.hu)
    for lesion in result.table:
        s, r, c = (int(round(x)) for x in lesion.centroid)
        assert source_slice(result.ct, (s, r, c)) == s
        assert source_slice(flipped, (s, r, c)) == 23 - s
        assert source_voxel(flipped, (s, r, c)) == (23 - s, c, r)
    first, second = lesion_rows(result.table, result.ct)[0], lesion_rows(result.table, flipped)[0]
    assert second["slice"] == 23 - int(first["slice"] or 0)
    assert second["slice_s_mm"] == pytest.approx(first["slice_s_mm"])


# Key images.


def images(result: SegmentationResult, **options: object):
    ct = result.ct
    return key_images(ct.hu, result.liver, result.lesions, result.table, ct.spacing, **options)  # type: ignore[arg-type]


def near(pixels: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.abs(pixels.astype(int) - colour).max(axis=2) < 25


def test_key_slices_are_those_of_the_largest_lesions_from_feet_to_head(result):
    slices = [lesion.long_axis_slice for lesion in result.table]
    assert key_slices(result.table, result.liver, 8) == sorted(set(slices))
    assert key_slices(result.table, result.liver, 1) == [slices[0]]


def test_without_lesions_the_key_slice_is_the_one_with_most_liver(result):
    area = result.liver.sum(axis=(1, 2))
    assert area[key_slices([], result.liver, 8)[0]] == area.max()


def test_pictures_have_square_pixels_whatever_the_spacing(result):
    ct = result.ct
    mask = np.zeros_like(result.liver)
    mask[10, 20:40, 40:80] = True  # 40 voxels of 1 mm by 20 rows of 4 mm: twice as high as wide
    image = key_images(ct.hu, mask, result.lesions * 0, [], (3.0, 4.0, 1.0), limit=1)[0].pixels
    rows, columns = np.nonzero(near(image, LIVER_COLOUR))
    assert np.ptp(rows) / np.ptp(columns) == pytest.approx(80 / 40, rel=0.05)


def test_outlines_lie_on_the_edges_and_the_patients_right_is_on_the_left(result):
    image = images(result)[0]
    liver = near(image.pixels, LIVER_COLOUR)
    rows, columns = np.nonzero(result.liver[image.slice])
    extent = (np.ptp(columns) + 1) * SPACING_KJI[2], (np.ptp(rows) + 1) * SPACING_KJI[1]
    drawn_rows, drawn_columns = np.nonzero(liver)
    mm = extent[0] / np.ptp(drawn_columns)
    assert np.ptp(drawn_rows) * mm == pytest.approx(extent[1], rel=0.04)
    # Muscle (grey) lies on the patient's left of the liver, air (black) soon on its right.
    row = int(drawn_rows.mean())
    left, right = drawn_columns.min(), drawn_columns.max()
    assert image.pixels[row, right + 8].min() > 50
    assert (columns.min() - image.centre[2]) * SPACING_KJI[2] == pytest.approx(
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
    image = key_images(result.ct.hu, result.liver, result.lesions * 0, [], result.ct.spacing)[0]
    assert near(image.pixels, LIVER_COLOUR).any()
    assert not near(image.pixels, LESION_COLOUR).any() and not near(image.pixels, AXIS_COLOUR).any()


def test_the_window_maps_hu_to_black_and_white(result):
    for window, expected in (((-60.0, 200.0), 255 * (LIVER_HU + 60) / 260), ((200.0, 400.0), 0), ((-400.0, 0.0), 255)):
        image = key_images(
            result.ct.hu, result.liver, result.lesions * 0, [], result.ct.spacing, limit=1, window=window
        )[0]
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
    html = render_report(result, max_images=1)
    match = re.search(r'src="data:image/jpeg;base64,([^"]+)" decoding="async" width="(\d+)" height="(\d+)"', html)
    assert match is not None
    assert Image.open(io.BytesIO(base64.b64decode(match[1]))).size == (int(match[2]), int(match[3]))


def test_the_tumour_burden_counts_lesions_outside_of_the_liver_as_part_of_the_organ(result):
    lesions = result.lesions > 0
    outside = replace(result, liver=result.liver & ~lesions)

    assert tumour_burden(outside) == pytest.approx(100 * lesions.sum() / (result.liver | lesions).sum())
    assert tumour_burden(replace(result, liver=np.zeros_like(result.liver))) is None
