"""What the lesion pass is shown: the slice, its priors, and where the bundle says so the slices below and above."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from fixtures.small_bundle import METADATA, write_tiny_bundle
from LiverLesionCascadeLib.engine.errors import BundleError
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle, save_bundle
from LiverLesionCascadeLib.engine.model.network import CascadeResNet
from LiverLesionCascadeLib.engine.model.view import View
from LiverLesionCascadeLib.engine.passes.lesion_pass import LesionPassInputs, neighbour_step
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume

VIEW = View(0, 0, 16, 16, (16, 16))


def scan(slices: int, slice_mm: float) -> CTVolume:
    """Each slice has HU of its own: 10 times its number."""
    hu = np.broadcast_to(10 * np.arange(slices, dtype=np.int16)[:, None, None], (slices, 16, 16)).copy()
    return CTVolume.from_array(hu, np.diag([1.0, 1.0, slice_mm, 1.0]))


def numbers(planes: torch.Tensor) -> list[int]:
    """The slices that are shown in planes (n, rows, columns)."""
    return (planes[:, 8, 8] * 16).round().int().tolist()


@pytest.mark.parametrize(
    ("slice_mm", "step"), [(0.7, 4), (1.0, 3), (1.6, 2), (2.0, 2), (2.5, 1), (5.0, 1), (5.5, 1), (5.6, 0), (10.0, 0)]
)
def test_neighbours_lie_about_as_far_away_as_the_network_knows_them(tmp_path, slice_mm, step):
    settings = ModelBundle.load(write_tiny_bundle(tmp_path)).settings.lesion_pass
    assert neighbour_step(replace(settings, neighbour_mm=3.0), slice_mm) == step
    assert neighbour_step(settings, slice_mm) == 0


@pytest.mark.parametrize(("slice_mm", "step"), [(1.5, 2), (10.0, 0)])
def test_the_network_sees_neighbours_and_at_the_ends_the_slice_itself(tmp_path, slice_mm, step):
    bundle = ModelBundle.load(write_tiny_bundle(tmp_path))
    indices = [3, 0, 11]
    priors = torch.rand(3, 2, 16, 16)
    plain = LesionPassInputs(scan(12, slice_mm), VIEW, indices, bundle, 0.0)(slice(None), priors)
    assert plain.shape == (3, 3, 16, 16) and numbers(plain[:, 0]) == indices
    seen = replace(bundle.settings.lesion_pass, neighbour_mm=3.0)
    bundle.settings = replace(bundle.settings, lesion_pass=seen)
    seen = LesionPassInputs(scan(12, slice_mm), VIEW, indices, bundle, 0.0)(slice(1, None), priors[1:])
    assert seen.shape == (2, 5, 16, 16)
    assert torch.equal(seen[:, 1:3], priors[1:])
    below, above = [max(0, i - step) for i in indices], [min(11, i + step) for i in indices]
    assert [numbers(seen[:, plane]) for plane in (0, 3, 4)] == [indices[1:], below[1:], above[1:]]


def test_a_bundle_whose_lesion_pass_sees_neighbours_comes_back_as_it_was(tmp_path):
    networks = {"liver": CascadeResNet(0.03125), "lesion": CascadeResNet(0.03125, 5)}
    settings = METADATA["lesion_pass"] | {"neighbour_mm": 3.0}
    save_bundle(tmp_path, networks, METADATA | {"lesion_pass": settings})
    bundle = ModelBundle.load(tmp_path)
    assert bundle.metadata["network"]["input_channels"] == {"liver": 3, "lesion": 5}
    loaded = bundle.networks(torch.device("cpu"))
    assert {name: network.stem.in_channels for name, network in loaded.items()} == {"liver": 3, "lesion": 5}
    save_bundle(tmp_path, networks, METADATA)
    with pytest.raises(BundleError, match="unknown network"):
        ModelBundle.load(tmp_path)


def test_new_input_planes_count_for_nothing_in_trained_weights():
    torch.manual_seed(0)
    trained = CascadeResNet(0.03125).eval()
    wider = CascadeResNet(0.03125, 5).eval()
    wider.load_trained(trained.state_dict())
    x = torch.rand(1, 5, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(wider(x), trained(x[:, :3]))
