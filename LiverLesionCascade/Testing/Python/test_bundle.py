"""Bundles: verified before they are used, and refused with a reason."""

import hashlib
import io
import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from fixtures.phantom import phantom_hu
from fixtures.small_bundle import METADATA, write_tiny_bundle
from LiverLesionCascadeLib.engine.errors import BundleError
from LiverLesionCascadeLib.engine.model.bundle import METADATA_FILE, WEIGHTS_FILE, ModelBundle, save_bundle
from LiverLesionCascadeLib.engine.model.model_settings import LesionPassSettings, LiverPassSettings, ModelSettings
from LiverLesionCascadeLib.engine.model.network import CascadeResNet
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from LiverLesionCascadeLib.engine.segmenter import Segmenter

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path):
    return write_tiny_bundle(tmp_path / "Bündel mit Leerzeichen")


def change(folder, **changes):
    path = folder / METADATA_FILE
    metadata = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps(metadata), encoding="utf-8")


def replace_weights(folder, content: bytes):
    (folder / WEIGHTS_FILE).write_bytes(content)
    change(folder, weights={"file": WEIGHTS_FILE, "sha256": hashlib.sha256(content).hexdigest()})


def test_saved_networks_are_read_back_within_half_precision(tmp_path):
    torch.manual_seed(0)
    networks = {name: CascadeResNet(width=0.03125).eval() for name in ("liver", "lesion")}
    save_bundle(tmp_path, networks, METADATA)
    loaded = ModelBundle.load(tmp_path).networks(CPU)
    image = torch.rand(1, 3, 32, 32)
    for name, network in networks.items():
        torch.testing.assert_close(loaded[name](image), network(image), atol=5e-3, rtol=5e-3)


def test_a_bundle_says_which_networks_have_a_decoder(tmp_path):
    networks = {"liver": CascadeResNet(0.03125).eval(), "lesion": CascadeResNet(0.03125, decoder=True).eval()}
    torch.nn.init.normal_(networks["lesion"].decoder.score.weight, std=0.1)
    save_bundle(tmp_path, networks, METADATA)
    loaded = ModelBundle.load(tmp_path).networks(CPU)
    image = torch.rand(1, 3, 32, 32)
    assert loaded["liver"].decoder is None
    torch.testing.assert_close(loaded["lesion"](image), networks["lesion"](image), atol=0.05, rtol=0.05)


def test_a_bundle_from_before_decoders_is_read(folder):
    network = json.loads((folder / METADATA_FILE).read_text(encoding="utf-8"))["network"]
    del network["decoders"]
    change(folder, network=network)
    assert ModelBundle.load(folder).networks(CPU)["lesion"].decoder is None


def test_normalisation_statistics_keep_single_precision(tmp_path):
    networks = {name: CascadeResNet(width=0.03125) for name in ("liver", "lesion")}
    networks["lesion"].norm.running_var.fill_(1e-7)
    save_bundle(tmp_path, networks, METADATA)
    assert ModelBundle.load(tmp_path).networks(CPU)["lesion"].norm.running_var[0].item() == pytest.approx(1e-7)


def test_settings_come_from_the_metadata(folder):
    bundle = ModelBundle.load(folder)
    assert (bundle.name, bundle.version, bundle.settings.window_hu) == ("tiny", "0.1", (0.0, 160.0))
    assert bundle.settings.liver_pass.pixel_mm == 4.0 and bundle.settings.lesion_pass.iterations == 2


def test_altered_weights_are_refused(folder):
    content = bytearray((folder / WEIGHTS_FILE).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / WEIGHTS_FILE).write_bytes(content)
    with pytest.raises(BundleError, match="damaged or altered"):
        ModelBundle.load(folder)


def test_pickled_code_is_never_run(folder, tmp_path):
    witness = tmp_path / "executed"

    class Payload:
        def __reduce__(self):
            return open, (str(witness), "w")

    buffer = io.BytesIO()
    torch.save({"liver": Payload()}, buffer)
    for content in (buffer.getvalue(), pickle.dumps(Payload())):
        replace_weights(folder, content)
        with pytest.raises(BundleError, match="something other than tensors"):
            ModelBundle.load(folder).networks(CPU)
    assert not witness.exists()


def test_weights_of_another_network_are_refused(folder):
    change(folder, network={"architecture": "table1", "width": 0.0625, "input_channels": 3})
    with pytest.raises(BundleError, match="do not fit the liver pass"):
        ModelBundle.load(folder).networks(CPU)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / METADATA_FILE).unlink(), "not a model bundle"),
        (lambda folder: (folder / METADATA_FILE).write_text("{"), "cannot be read"),
        (lambda folder: (folder / METADATA_FILE).write_text("[]"), "format"),
        (lambda folder: (folder / WEIGHTS_FILE).unlink(), "cannot be read"),
        (lambda folder: change(folder, format=2), "format 1"),
        (lambda folder: change(folder, window_hu=[0]), "incomplete or wrong"),
        (lambda folder: change(folder, lesion_pass={"size": 64}), "incomplete or wrong"),
        (lambda folder: change(folder, network={"architecture": "unet", "input_channels": 3}), "unknown network"),
    ],
    ids=["no metadata", "not json", "not an object", "no weights", "newer format", "window", "settings", "net"],
)
def test_damaged_bundle_is_refused_with_a_reason(folder, damage, message):
    damage(folder)
    with pytest.raises(BundleError, match=message) as caught:
        ModelBundle.load(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["../weights.pt", "a/weights.pt", "\ud800.pt", "a\0b", ""])
def test_weights_outside_of_the_folder_or_of_a_name_that_no_file_has_are_refused(folder, name):
    change(folder, weights={"file": name, "sha256": ""})
    with pytest.raises(BundleError, match="no file of its folder") as caught:
        ModelBundle.load(folder)
    str(caught.value).encode()


SENSELESS = {
    "an empty window": ("window_hu", [100, 100]),
    "a window upside down": ("window_hu", [160, 0]),
    "a window of words": ("window_hu", ["0", "160"]),
    "a window that is none": ("window_hu", [0, float("nan")]),
    "an endless window": ("window_hu", [0, float("inf")]),
    "no window": ("window_hu", None),
    "a threshold that is none": ("liver_pass.threshold", float("nan")),
    "a threshold of 0": ("lesion_pass.lesion_threshold", 0),
    "a threshold of 2": ("lesion_pass.liver_threshold", 2),
    "a threshold of true": ("liver_pass.threshold", True),
    "a size in words": ("liver_pass.size", "512"),
    "a negative size": ("lesion_pass.size", -5),
    "a size in parts": ("lesion_pass.size", 64.5),
    "a huge size": ("liver_pass.size", 10**9),
    "a width that is none": ("network.width", float("nan")),
    "a width of 0": ("network.width", 0),
    "a width beyond all floats": ("network.width", 10**400),
    "pixels of 0 mm": ("liver_pass.pixel_mm", 0),
    "a margin that is none": ("lesion_pass.margin", float("inf")),
    "iterations in words": ("lesion_pass.iterations", "two"),
    "a density that is none": ("lesion_pass.liver_hu", float("nan")),
    "a name that is a group": ("name", {"a": 1}),
    "a number for a version": ("version", 5),
    "a list for a network": ("network", []),
    "a word for a pass": ("liver_pass", "fast"),
    "an unknown decoder": ("network.decoders", ["kidney"]),
    "a number for decoders": ("network.decoders", 5),
    "a list for the weights": ("weights", ["weights.pt"]),
    "a number for a checksum": ("weights.sha256", 5),
    "a word for a filter": ("lesion_filter", "on"),
    "half a filter": ("lesion_filter", {"intercept": 1.0}),
    "a filter that is none": ("lesion_filter", {"intercept": float("nan"), "log_odds": 1, "reject_below": 0.1}),
    "a nested list for training": ("training", [[[]]]),
    "a number for limitations": ("limitations", 5),
    "a list of lists for citations": ("citations", [["a"]]),
}


@pytest.mark.parametrize("kind", SENSELESS)
def test_senseless_settings_are_refused_by_name(folder, kind):
    name, value = SENSELESS[kind]
    metadata = json.loads((folder / METADATA_FILE).read_text())
    *groups, last = name.split(".")
    within = metadata
    for group in groups:
        within = within[group]
    within[last] = value
    (folder / METADATA_FILE).write_text(json.dumps(metadata))
    with pytest.raises(BundleError, match=last.split(".")[-1]) as caught:
        ModelBundle.load(folder)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600


def test_metadata_nested_without_end_is_refused(folder):
    (folder / METADATA_FILE).write_text('{"format": 1, "name": ' + "[" * 100_000 + "]" * 100_000 + "}")
    with pytest.raises(BundleError, match="cannot be read"):
        ModelBundle.load(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(folder, value):
    weights = torch.load(folder / WEIGHTS_FILE, weights_only=True)
    key = next(key for key, each in weights["lesion"].items() if each.is_floating_point())
    weights["lesion"][key].view(-1)[0] = value
    buffer = io.BytesIO()
    torch.save(weights, buffer)
    replace_weights(folder, buffer.getvalue())
    with pytest.raises(BundleError, match="of the lesion pass holds values that are no numbers"):
        ModelBundle.load(folder).networks(CPU)


def test_a_network_that_answers_no_numbers_is_an_error_of_the_bundle_and_no_scan_without_a_liver(folder):
    weights = torch.load(folder / WEIGHTS_FILE, weights_only=True)
    for key, each in weights["liver"].items():
        if key.endswith("running_var"):
            each.fill_(1e-30)
        elif each.is_floating_point() and each.ndim == 4:
            each.fill_(60000.0)
    buffer = io.BytesIO()
    torch.save(weights, buffer)
    replace_weights(folder, buffer.getvalue())
    segmenter = Segmenter(ModelBundle.load(folder), "cpu")
    with pytest.raises(BundleError, match="no numbers"):
        segmenter.segment(CTVolume.from_array(phantom_hu(), np.diag([2.0, 2.0, 3.0, 1.0])))


@pytest.mark.parametrize("weights", [[], {"liver": 5}, {"liver": {"a": 5}}, 7, "text"])
def test_weights_that_are_something_else_are_refused(folder, weights):
    buffer = io.BytesIO()
    torch.save(weights, buffer)
    replace_weights(folder, buffer.getvalue())
    with pytest.raises(BundleError):
        ModelBundle.load(folder).networks(CPU)


#: What the shipped bundle 0.6.0 says of its model.
SHIPPED = {
    "network": {
        "architecture": "table1", "width": 0.125, "input_channels": {"liver": 3, "lesion": 5}, "decoders": ["lesion"]
    },
    "window_hu": [0.0, 160.0],
    "liver_pass": {"size": 160, "pixel_mm": 2.6, "threshold": 0.5},
    "lesion_pass": {
        "size": 320, "margin": 0.16, "iterations": 1, "liver_threshold": 0.5, "lesion_threshold": 0.5,
        "liver_hu": 100.0, "neighbour_mm": 3.0,
    },
}  # fmt: skip


def test_a_bundle_of_today_is_read_as_it_was(folder):
    settings = ModelSettings.of_metadata(SHIPPED)
    assert settings == ModelSettings(
        0.125,
        (0.0, 160.0),
        LiverPassSettings(160, 2.6, 0.5),
        LesionPassSettings(320, 0.16, 1, 0.5, 0.5, liver_hu=100.0, neighbour_mm=3.0),
        frozenset({"lesion"}),
    )
    assert settings.input_channels == {"liver": 3, "lesion": 5}
    network = settings.network("lesion")
    assert (network.width, network.stem.in_channels, network.decoder is not None) == (0.125, 5, True)
    assert settings.network("liver").decoder is None


def test_settings_are_written_as_they_are_read(folder):
    settings = ModelBundle.load(folder).settings
    settings = replace(settings, lesion_pass=replace(settings.lesion_pass, neighbour_mm=3.0, liver_hu=90.0))
    network = {"network": {"width": settings.width, "decoders": sorted(settings.decoders)}}
    assert ModelSettings.of_metadata(json.loads(json.dumps(settings.metadata() | network))) == settings
    assert settings.input_channels == {"liver": 3, "lesion": 5}


@pytest.mark.parametrize("channels", [None, 5, {"liver": 3, "lesion": 5}, {"liver": 3}])
def test_networks_that_see_what_the_settings_do_not_say_are_refused(folder, channels):
    path = folder / "metadata.json"
    metadata = json.loads(path.read_text())
    metadata["network"]["input_channels"] = channels
    path.write_text(json.dumps(metadata))
    with pytest.raises(BundleError, match="unknown network"):
        ModelBundle.load(folder)


def test_the_shipped_bundle_is_sensible():
    assert ModelBundle.shipped().settings.lesion_pass.size > 0
