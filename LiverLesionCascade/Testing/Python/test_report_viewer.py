"""What the report's viewer has to show: outlines as paths, the scan as pictures, and the page that holds them."""

import base64
import hashlib
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from fixtures.phantom import PhantomSegmenter, phantom_hu
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from LiverLesionCascadeLib.engine.grid.boxed import EMPTY
from LiverLesionCascadeLib.engine.progress import finish
from LiverLesionCascadeLib.engine.reports import html_report
from LiverLesionCascadeLib.engine.reports.html_report import MAX_BYTES, render_report
from LiverLesionCascadeLib.engine.reports.outlines import outline_paths, outlines
from LiverLesionCascadeLib.engine.reports.page import render_page, write_page
from LiverLesionCascadeLib.engine.reports.source_slices import source_slice
from LiverLesionCascadeLib.engine.reports.viewer_data import HIGHEST_HU, LOWEST_HU, viewer_data_steps
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from PIL import Image

IJK_TO_LPS = np.array([[2.0, 0, 0, -130], [0, 2, 0, -100], [0, 0, 3, 500], [0, 0, 0, 1]])
CT = CTVolume.from_array(phantom_hu(), IJK_TO_LPS, "phantom")


@pytest.fixture(scope="module")
def result():
    return PhantomSegmenter().segment(CT)


@pytest.fixture(scope="module")
def data(result):
    return finish(viewer_data_steps(CT, result, MAX_BYTES))


# Outlines.


def loops_of(path):
    """Corners of a path's loops, (n, 2) x, y each."""
    loops = []
    for part in path.split("z")[:-1]:
        x, y = map(int, re.match(r"M(-?\d+) (-?\d+)", part).groups())
        corners = [(x, y)]
        for command, first, second in re.findall(r"([hvl])(-?\d+)(?: (-?\d+))?", part):
            x, y = x + (0 if command == "v" else int(first)), y + int(first if command == "v" else second or 0)
            corners.append((x, y))
        loops.append(np.array(corners))
    return loops


def filled(path, shape):
    """The pixels whose middles a path encloses, by the even-odd rule."""
    inside = np.zeros(shape, bool)
    rows, columns = np.indices(shape) * 2 + 1
    for loop in loops_of(path):
        for (x0, y0), (x1, y1) in zip(loop, np.roll(loop, -1, axis=0), strict=True):
            if y0 != y1:
                crossed = (min(y0, y1) <= rows) & (rows < max(y0, y1))
                inside ^= crossed & (columns < x0 + (rows - y0) * (x1 - x0) / (y1 - y0))
    return inside


@settings(deadline=None)
@given(arrays(bool, st.tuples(st.integers(1, 3), st.integers(1, 7), st.integers(1, 7))))
def test_a_path_encloses_its_mask_and_nothing_else(masks):
    for mask, path in zip(masks, outline_paths(masks), strict=True):
        assert np.array_equal(filled(path, mask.shape), mask)


@settings(deadline=None)
@given(arrays(bool, st.tuples(st.integers(1, 2), st.integers(1, 6), st.integers(1, 6))))
def test_loops_are_closed_by_short_steps_along_and_across_the_pixels(masks):
    for loop in (loop for loops in outlines(masks) for loop in loops):
        steps = np.abs(np.roll(loop, -1, axis=0) - loop)
        assert ((steps[:, 0] == steps[:, 1]) | (steps.min(axis=1) == 0)).all() and (steps.max(axis=1) > 0).all()


def test_paths_are_short_and_lie_where_they_are_asked_for():
    mask = np.zeros((2, 4, 5), bool)
    mask[1, 1:3, 1:3] = mask[1, 3, 3] = True
    assert outline_paths(mask) == ["", "M3 2h2l1 1v2l-1 1h-2l-1 -1v-2zM7 6l1 1l-1 1l-1 -1z"]
    assert outline_paths(mask, (10, 20))[1].startswith("M13 22h2")


# Data of the viewer.


def picture(data, index):
    file = io.BytesIO(base64.b64decode(data["pictures"]["slices"][index]))
    return np.asarray(Image.open(file).convert("L")).astype(float)


def box_of(result, data):
    """The box's place on the grid of the scan."""
    s, r, c = np.rint(CT.geometry.from_lps(np.array(data["origin"]) * (-1, -1, 1))).astype(int)
    return tuple(slice(int(n), int(n) + size) for n, size in zip((s, r, c), data["size"], strict=True))


def test_every_slice_of_the_liver_is_there_with_its_densities(result, data):
    box = box_of(result, data)
    assert result.liver.within(box).sum() == result.liver.count
    hu = CT.hu[box]
    assert len(data["pictures"]["slices"]) == hu.shape[0] == len(data["numbers"])
    for index in (0, hu.shape[0] // 2, hu.shape[0] - 1):
        shown = LOWEST_HU + picture(data, index) * (HIGHEST_HU - LOWEST_HU) / 255
        assert shown.shape == hu[index].shape
        assert np.abs(shown - np.clip(hu[index], LOWEST_HU, HIGHEST_HU)).mean() < 12


def test_outlines_of_all_three_planes_enclose_liver_and_lesions(result, data):
    box = box_of(result, data)
    labels = np.where(result.liver.within(box), 1, 0) + result.lesions.within(box).astype(int)
    planes = {
        "axial": labels,
        "coronal": labels[::-1].transpose(1, 0, 2),  # head above
        "sagittal": labels[::-1].transpose(2, 0, 1),
    }
    for name, stack in planes.items():
        assert len(data["outlines"][name]) == len(stack)
        for paths, expected in zip(data["outlines"][name], stack, strict=True):
            # A lesion's outline lies within the liver's, which counts as 1.
            found = np.zeros(expected.shape, int)
            for number, path in paths.items():
                found += filled(path, expected.shape) * max(int(number), 1)
            assert np.array_equal(found, expected)


def test_lesions_points_and_slice_numbers_are_those_of_the_table(result, data):
    start = np.array([each.start for each in box_of(result, data)])
    for lesion, shown in zip(result.table, data["lesions"], strict=True):
        assert shown["number"] == lesion.number
        for points, expected in (("long", lesion.long_axis_points), ("middle", lesion.centroid)):
            voxels = np.array(shown[points]) + start
            assert np.allclose(CT.geometry.to_lps(voxels), expected, atol=0.03)
        slice_ = lesion.slice_in(CT.geometry)
        assert data["numbers"][slice_ - start[0]] == source_slice(CT, lesion.long_axis_middle)
        origin, spacing = np.array(data["origin"]), np.array(data["spacing"])
        superior = origin[2] + spacing[0] * (slice_ - start[0])
        assert superior == pytest.approx(lesion.long_axis_middle[2], abs=0.01)


def test_in_a_tilted_scan_only_lesions_have_slice_numbers():
    """Its axial pictures cross several slices: one number for all of a picture would contradict the table's."""
    sine, cosine = np.sin(np.radians(15)), np.cos(np.radians(15))
    tilt = np.array([[2.0, 0, 0, -130], [0, 2 * cosine, 0, -100], [0, 2 * sine, 3, 500], [0, 0, 0, 1]])
    ct = CTVolume.from_array(phantom_hu(), tilt, "tilted")
    result = PhantomSegmenter().segment(ct)
    assert finish(viewer_data_steps(ct, result, MAX_BYTES))["numbers"] is None
    html = render_report(ct, result)
    captions = re.findall("<figcaption>(.*?)</figcaption>", html)
    assert captions and all(re.match(r"S -?\d+\.\d mm", each) for each in captions)
    assert re.findall('alt="Axial (.*?)mm:', html) == [each.split("mm")[0] for each in captions]
    for lesion in result.table:
        assert f'<td data-value="{source_slice(ct, lesion.long_axis_middle)}">' in html


def test_without_liver_and_lesions_there_is_no_viewer(result):
    nothing = replace(
        result, liver=EMPTY, lesions=EMPTY, table=[]
    )  # fmt: skip
    assert finish(viewer_data_steps(CT, nothing, MAX_BYTES)) is None
    assert 'id="viewer"' not in render_report(CT, nothing)


def test_a_long_noisy_scan_is_made_to_fit(result, monkeypatch):
    """The worst that can come: noise that no encoder can do anything with. Less room stands for more slices."""
    noise = np.random.default_rng(1).normal(60, 90, CT.hu.shape).astype(np.float32)
    noisy = CTVolume.from_array(noise, IJK_TO_LPS, "noise")
    free = finish(viewer_data_steps(noisy, result, MAX_BYTES))
    bytes_needed = len(json.dumps(free, separators=(",", ":")))
    for share in (0.8, 0.5, 0.35):
        most = int(share * bytes_needed)
        fitted = finish(viewer_data_steps(noisy, result, most))
        assert len(json.dumps(fitted, separators=(",", ":"))) <= most
        assert len(fitted["pictures"]["slices"]) == len(free["pictures"]["slices"])
    assert fitted["pictures"]["columns"] < free["pictures"]["columns"]
    assert finish(viewer_data_steps(noisy, result, 1000)) is None
    monkeypatch.setattr(
        html_report, "MAX_BYTES", len(render_report(noisy, result, with_viewer=False)) + bytes_needed // 2
    )
    assert len(render_report(noisy, result).encode()) <= html_report.MAX_BYTES


# The page.


def policy_of(html):
    content = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)[1]
    return dict(part.strip().split(" ", 1) for part in content.split(";"))


def test_the_policy_allows_only_the_pages_own_script_and_style(result):
    html = render_report(CT, result)
    policy = policy_of(html)
    for tag, directive in (("<style>", "style-src"), ('<script type="module">', "script-src")):
        text = html.split(tag)[1].split(f"</{tag[1:6].rstrip('>')}")[0]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert policy[directive] == f"'sha256-{digest}'"
    assert policy["default-src"] == "'none'" and policy["img-src"] == "data:"
    assert "unsafe" not in html.split("</head>")[0] and " style=" not in html
    assert "script-src" not in policy_of(render_report(CT, result, with_viewer=False))


def test_data_cannot_end_its_script_element():
    evil = "</script><script>alert(1)</script><!--"
    html = render_page("a", "", styles=[], scripts=["page.js"], data={"evil": evil})
    data = html.split('id="data">')[1].split("</script>")[0]
    assert json.loads(data)["evil"] == evil and html.count("<script") == 2


def test_names_that_are_no_text_are_written_with_question_marks(tmp_path, result):
    write_page(tmp_path / "a.html", render_report(CT, result, input_name="Mül\udcffler"))
    assert "Mül?ler" in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_texts_of_page_and_script_are_translated_and_what_was_found_is_not(result):
    html = render_report(CT, result, translate=lambda text: {"en": "xx"}.get(text, f"<{text}>"))
    assert '<html lang="xx">' in html and "&lt;Key images&gt;" in html and "<Key images>" not in html
    texts = json.loads(html.split('id="data">')[1].split("</script>")[0])["texts"]
    assert texts["Slice {slice}, S {mm} mm"] == "<Slice {slice}, S {mm} mm>"
    for finding in result.findings:
        assert f'<span lang="en">{finding.message}</span>' in html
