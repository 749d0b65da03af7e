"""Starting from ResNet-38 trained on ImageNet: MXNet's file format, its PyTorch conversions, and what did not fit."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from fixtures.lits_phantoms import write_lits_folders
from fixtures.tiny_recipe import tiny_recipe
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from LiverLesionCascadeLib.cli import main
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.model.network import CascadeResNet
from LiverLesionCascadeTrainingLib import recipes
from LiverLesionCascadeTrainingLib.pretrained.imagenet_weights import DEVIATION, MEAN, ImageNetWeights
from LiverLesionCascadeTrainingLib.pretrained.mxnet_params import DTYPES, read_params

WIDTH = 0.125


def array_bytes(array: np.ndarray, version: int | None) -> bytes:
    """One NDArray as MXNet's NDArray::Save writes it, or wrote it: version 2, 1, or before there were versions."""
    kind = [np.dtype(d) for d in DTYPES].index(array.dtype)
    shape = struct.pack(f"<I{array.ndim}q", array.ndim, *array.shape)
    head = {
        3: struct.pack("<Ii", 0xF993FACA, 0) + shape,
        2: struct.pack("<Ii", 0xF993FAC9, 0) + shape,
        1: struct.pack("<I", 0xF993FAC8) + shape,
        None: struct.pack(f"<I{array.ndim}I", array.ndim, *array.shape),
    }[version]
    return head + struct.pack("<iii", 1, 0, kind) + array.tobytes()


def write_params(path: Path, content: dict[str, np.ndarray], version: int | None = 2) -> None:
    """A list of named arrays as MXNet's ``nd.save`` writes it."""
    with path.open("wb") as file:
        file.write(struct.pack("<QQQ", 0x112, 0, len(content)))
        for array in content.values():
            file.write(array_bytes(array, version))
        file.write(struct.pack("<Q", len(content)))
        for name in content:
            encoded = name.encode()
            file.write(struct.pack("<Q", len(encoded)) + encoded)


def published(width: float = WIDTH) -> dict[str, np.ndarray]:
    """Random tensors under the names of Wu et al.'s Model A1, as their training script saves it."""
    random = np.random.default_rng(38)
    content: dict[str, np.ndarray] = {}

    def channels(count: int) -> int:
        return max(4, round(count * width))

    def conv(name: str, outputs: int, inputs: int, kernel: int) -> None:
        shape = (channels(outputs), inputs if inputs == 3 else channels(inputs), kernel, kernel)
        content[f"arg:{name}_weight"] = random.normal(0, 0.1, shape).astype(np.float32)

    def norm(name: str, count: int) -> None:
        for prefix, part in (("arg", "gamma"), ("arg", "beta"), ("aux", "moving_mean"), ("aux", "moving_var")):
            content[f"{prefix}:{name}_{part}"] = random.uniform(0.5, 1.5, channels(count)).astype(np.float32)

    def block(name: str, inputs: int, outputs: tuple[int, ...], kernels: tuple[int, ...], projected: bool) -> None:
        branches = ["branch2a", *(f"branch2b{i}" for i in range(1, len(outputs)))]
        first = inputs
        for branch, count, kernel in zip(branches, outputs, kernels, strict=True):
            norm(f"bn{name}_{branch}", first)
            conv(f"res{name}_{branch}", count, first, kernel)
            first = count
        if projected:
            conv(f"res{name}_branch1", outputs[-1], inputs, 1)

    conv("conv1a", 64, 3, 3)
    inputs = 64
    for level, outputs, more in ((2, (128, 128), 2), (3, (256, 256), 2), (4, (512, 512), 5), (5, (512, 1024), 2)):
        block(f"{level}a", inputs, outputs, (3, 3), True)
        for i in range(1, more + 1):
            block(f"{level}b{i}", outputs[-1], outputs, (3, 3), False)
        inputs = outputs[-1]
    block("6a", 1024, (512, 1024, 2048), (1, 3, 1), True)
    block("7a", 2048, (1024, 2048, 4096), (1, 3, 1), True)
    norm("bn7", 4096)
    content["arg:linear1000_weight"] = random.normal(0, 0.1, (10, channels(4096))).astype(np.float32)
    content["arg:linear1000_bias"] = np.zeros(10, np.float32)
    return content


def converted(content: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """The same under the names of the common PyTorch conversions."""
    parts = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "var": "running_var", "weight": "weight"}
    state = {}
    for name, array in content.items():
        words = name.split(":")[1].split("_")
        if words[0] == "conv1a":
            own = "conv1a"
        elif words[0] == "bn7":
            own = "bn7"
        elif words[0].startswith("linear"):
            own = "fc"
        else:
            kind, block = ("bn", words[0][2:]) if words[0].startswith("bn") else ("conv", words[0][3:])
            place = f"b{block[0]}" if block.endswith("a") else f"b{block[0]}_{block[-1]}"
            own = f"{place}.{kind}_{words[1]}"
        state[f"{own}.{parts.get(words[-1], words[-1])}"] = torch.from_numpy(array)
    return state


NEW = ["head.weight", "head.bias", "score.weight", "score.bias"]


@pytest.mark.parametrize("version", [None, 1, 2, 3])
def test_every_tensor_of_the_published_file_but_its_classifier_is_taken_over(tmp_path, version):
    content = published()
    write_params(tmp_path / "ilsvrc-cls_rna-a1_cls1000_ep-0001.params", content, version)
    network = CascadeResNet(WIDTH)
    lines = ImageNetWeights.load(tmp_path / "ilsvrc-cls_rna-a1_cls1000_ep-0001.params").fill(network)
    state = network.state_dict()
    assert torch.equal(state["blocks.1.convs.1.weight"], torch.from_numpy(content["arg:res2b1_branch2b1_weight"]))
    assert torch.equal(
        state["blocks.16.norms.2.running_var"], torch.from_numpy(content["aux:bn7a_branch2b2_moving_var"])
    )
    assert torch.equal(state["blocks.12.projection.weight"], torch.from_numpy(content["arg:res5a_branch1_weight"]))
    taken = len(content) - 2
    assert lines[0].endswith(f": {taken} tensors of {taken + len(NEW)} taken over")
    assert lines[1:3] == [f"linear1000_{part}: in the file, but not in the network" for part in ("weight", "bias")]
    assert lines[3:] == [f"{name}: not in the file, keeps its random start" for name in NEW]


@pytest.mark.parametrize("wrapped", [False, True])
def test_pytorch_conversion_gives_the_same_network(tmp_path, wrapped):
    content = published()
    write_params(tmp_path / "a1.params", content)
    state = converted(content)
    saved = {"state_dict": {f"module.{name}": tensor for name, tensor in state.items()}} if wrapped else state
    torch.save(saved, tmp_path / "a1.pth")
    networks = []
    for name in ("a1.params", "a1.pth"):
        torch.manual_seed(0)
        network = CascadeResNet(WIDTH).eval()
        ImageNetWeights.load(tmp_path / name).fill(network)
        networks.append(network)
    for (name, expected), found in zip(
        networks[0].state_dict().items(), networks[1].state_dict().values(), strict=True
    ):
        assert torch.equal(expected, found), name


def test_tensor_of_another_shape_is_named_with_both_shapes(tmp_path):
    content = published()
    content["arg:res3b2_branch2a_weight"] = np.zeros((1, 2, 3, 3), np.float32)
    del content["aux:bn7_moving_mean"]
    write_params(tmp_path / "odd.params", content)
    lines = ImageNetWeights.load(tmp_path / "odd.params").fill(CascadeResNet(WIDTH))
    assert (
        "res3b2_branch2a_weight: did not fit blocks.5.convs.0.weight ((1, 2, 3, 3) instead of (32, 32, 3, 3))" in lines
    )
    assert "blocks.5.convs.0.weight: not in the file, keeps its random start" in lines
    assert "norm.running_mean: not in the file, keeps its random start" in lines


def test_first_layer_sees_images_in_0_to_1_as_the_normalised_ones_it_was_trained_on(tmp_path):
    content = published()
    write_params(tmp_path / "a1.params", content)
    network = CascadeResNet(WIDTH).eval()
    ImageNetWeights.load(tmp_path / "a1.params").fill(network)
    image = torch.rand(1, 3, 16, 16)
    normalised = (image - torch.tensor(MEAN)[:, None, None]) / torch.tensor(DEVIATION)[:, None, None]
    norm = network.blocks[0].norms[0]
    seen = norm(network.stem(image))
    original = torch.nn.functional.conv2d(normalised, torch.from_numpy(content["arg:conv1a_weight"]), padding=1)
    mean = torch.from_numpy(content["aux:bn2a_branch2a_moving_mean"])[:, None, None]
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    expected = (original - mean) * scale[:, None, None] + norm.bias[:, None, None]
    torch.testing.assert_close(seen[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1], rtol=1e-4, atol=1e-4)


@given(
    st.dictionaries(
        st.text(min_size=1).filter(lambda name: ":" not in name),
        st.sampled_from(DTYPES).flatmap(lambda d: arrays.arrays(d, arrays.array_shapes(max_dims=4, max_side=4))),
        max_size=4,
    ),
    st.sampled_from([None, 1, 2, 3]),
)
def test_whatever_is_written_is_read(tmp_path_factory, content, version):
    path = tmp_path_factory.mktemp("params") / "any.params"
    write_params(path, content, version)
    found = read_params(path)
    assert list(found) == list(content)
    for name, array in content.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


@given(st.data())
def test_damaged_file_is_refused_in_one_sentence(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("params") / "damaged.params"
    write_params(path, {"arg:conv1a_weight": np.ones((4, 3, 3, 3), np.float32), "aux:b": np.ones(4, np.float32)})
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(InputError, match="damaged"):
        read_params(path)


def test_file_that_is_no_weights_is_refused(tmp_path):
    path = tmp_path / "notes.params"
    path.write_text("nothing of the kind")
    with pytest.raises(InputError, match="neither an MXNet"):
        ImageNetWeights.load(path)
    torch.save({"fc.weight": torch.ones(2, 2)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match="no ResNet-38"):
        ImageNetWeights.load(tmp_path / "other.pth")


def test_training_starts_from_the_weights_and_says_what_did_not_fit(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(recipes.RECIPES, "compact", tiny_recipe(1))
    train, validation = write_lits_folders(tmp_path / "data")
    weights = tmp_path / "a1.params"
    content = published(tiny_recipe().model.width)
    write_params(weights, content)
    command = ["train", str(train), "--validation", str(validation), "-o", str(tmp_path / "run"), "--device", "cpu"]
    assert main([*command, "--job", "liver-fold-0", "--start-from", str(weights)]) == 0
    assert "linear1000_weight: in the file, but not in the network" in capsys.readouterr().out
    started = json.loads((tmp_path / "run" / "liver-fold-0" / "start.json").read_text())
    assert started == {"name": "ResNet-38 trained on ImageNet (a1.params)"}
    state = torch.load(tmp_path / "run" / "liver-fold-0" / "last.pt", weights_only=True)["network"]
    expected = torch.from_numpy(content["arg:res7a_branch2a_weight"])
    assert (state["blocks.16.convs.0.weight"] - expected).norm() < 0.1 * expected.norm()
    write_params(weights, published(0.25))
    assert main([*command, "--start-from", str(weights)]) == 3
    assert "width" in capsys.readouterr().err
