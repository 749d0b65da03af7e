"""Views: what a network sees of a slice, and the way back."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from LiverLesionCascadeLib.engine.model.view import View, liver_box_view, normalise, whole_slice_view

extents = st.integers(8, 60)
offsets = st.integers(-30, 30)


@given(top=offsets, left=offsets, height=extents, width=extents, rows=extents, columns=extents)
@settings(max_examples=60, deadline=None)
def test_unscaled_view_returns_every_pixel_it_covers_and_changes_no_other(top, left, height, width, rows, columns):
    view = View(top, left, height, width, (height, width))
    image = torch.arange(1, rows * columns + 1, dtype=torch.float32).view(1, rows, columns)
    back = torch.full_like(image, -7)
    view.paste(view.extract(image, fill=0), back)
    r, c = np.indices((rows, columns))
    covered = torch.from_numpy((r >= top) & (r < top + height) & (c >= left) & (c < left + width))
    assert torch.equal(back[0][covered], image[0][covered])
    assert (back[0][~covered] == -7).all()


@given(top=offsets, left=offsets, side=st.integers(24, 80), size=st.sampled_from([16, 32, 64]))
@settings(max_examples=40, deadline=None)
def test_position_survives_scaling_within_half_a_pixel(top, left, side, size):
    view = View(top, left, side, side, (size, size))
    rows, columns = 100, 90
    ramp = torch.stack(torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")).float()
    seen = view.extract(ramp, fill=float("nan"))
    pixel = side / size
    expected = top + (torch.arange(size) + 0.5) * pixel - 0.5
    inside = torch.isfinite(seen[0])
    difference = (seen[0] - expected[:, None])[inside].abs()
    assert inside.sum() == 0 or difference.max() <= 0.51


def test_outside_of_the_image_is_filled():
    view = View(-4, -4, 8, 8, (8, 8))
    seen = view.extract(torch.ones(1, 10, 10), fill=0.25)
    assert (seen[0, :4] == 0.25).all() and (seen[0, 4:, 4:] == 1).all()


def test_small_field_of_view_keeps_the_pixel_size_the_network_knows():
    view = whole_slice_view(128, 128, (1.36, 1.36), 160, 2.6)
    assert view.size == (160, 160)
    assert view.height * 1.36 / 160 == pytest.approx(2.6, rel=0.01)
    assert view.top < 0 and view.left < 0


def test_large_field_of_view_gives_a_larger_image_not_larger_pixels():
    view = whole_slice_view(512, 512, (0.98, 0.98), 160, 2.6)
    assert view.size == (200, 200)
    assert view.top <= 0 and view.top + view.height >= 512


def test_paper_scales_the_whole_slice_whatever_its_pixels_measure():
    assert whole_slice_view(512, 400, (0.5, 2.0), 504, None) == View(0, 0, 512, 400, (504, 504))


@given(
    rows=st.tuples(st.integers(0, 40), st.integers(1, 60)),
    columns=st.tuples(st.integers(0, 40), st.integers(1, 60)),
    spacing=st.tuples(st.floats(0.4, 2.0), st.floats(0.4, 2.0)),
)
@settings(max_examples=80, deadline=None)
def test_box_is_square_in_mm_and_holds_the_liver(rows, columns, spacing):
    profile_rows, profile_columns = np.zeros(120, bool), np.zeros(120, bool)
    profile_rows[rows[0] : rows[0] + rows[1]] = True
    profile_columns[columns[0] : columns[0] + columns[1]] = True
    view = liver_box_view(profile_rows, profile_columns, spacing, 64, 0.16)
    assert abs(view.height * spacing[0] - view.width * spacing[1]) <= max(spacing) * 8
    assert view.top <= rows[0] and view.top + view.height >= rows[0] + rows[1]
    assert view.left <= columns[0] and view.left + view.width >= columns[0] + columns[1]


def test_box_of_no_liver_is_an_error():
    with pytest.raises(ValueError, match="empty"):
        liver_box_view(np.zeros(4, bool), np.zeros(4, bool), (1, 1), 64, 0.16)


def test_hu_are_clipped_to_the_window_and_scaled():
    values = normalise(torch.tensor([-1000, -160, 40, 240, 3000], dtype=torch.int16), (-160, 240))
    assert values.tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]


def test_a_shift_moves_what_was_clipped_and_is_clipped_again():
    values = normalise(torch.tensor([-1000.0, 0.0, 60.0, 160.0, 3000.0]), (0.0, 160.0), shift_hu=40.0)
    assert values.tolist() == pytest.approx([0.25, 0.25, 0.625, 1.0, 1.0])
