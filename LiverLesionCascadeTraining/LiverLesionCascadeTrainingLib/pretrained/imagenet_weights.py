"""ResNet-38 trained on ImageNet (Wu et al. 2016, ``ilsvrc-cls_rna-a1``) as the weights that a training starts from.

Table 1 is that network with another head. Understood are the published MXNet file and its PyTorch conversions (those
that name blocks ``b2``, ``b2_1`` .. ``b7``, and state dictionaries with MXNet's own names).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from LiverLesionCascadeLib.engine.errors import InputError, reason
from LiverLesionCascadeLib.engine.model.network import TABLE_1_BLOCKS, CascadeResNet
from LiverLesionCascadeLib.engine.model.tensor_file import read_tensors
from torch import Tensor

from .mxnet_params import LIST_MAGIC, read_params

#: How the images were normalised on which the weights were trained: red, green, blue.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
#: What a batch normalisation's tensors are called in MXNet.
_NORM_PARTS = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_var",
}
#: Wu et al.'s names of the blocks, in the order of Table 1: 2a, 2b1, 2b2, 3a, ... 7a.
_BLOCKS = [
    f"{spec.name[3]}b{i + 1}" if spec.name.endswith("b") else f"{spec.name[3]}a"
    for spec in TABLE_1_BLOCKS
    for i in range(spec.count)
]


def _torch_block(block: str) -> str:
    """``2a`` and ``2b1`` as the PyTorch conversions call them: ``b2`` and ``b2_1``."""
    return f"b{block[0]}" if block[1] == "a" else f"b{block[0]}_{block[2:]}"


def source_names(network: CascadeResNet) -> dict[str, tuple[str, str]]:
    """For each tensor of the network that ResNet-38 has too: its name in MXNet's file and in PyTorch conversions."""
    names = {"stem.weight": ("conv1a_weight", "conv1a.weight")}

    def norm(own: str, mxnet: str, converted: str) -> None:
        for part, mxnet_part in _NORM_PARTS.items():
            names[f"{own}.{part}"] = f"{mxnet}_{mxnet_part}", f"{converted}.{part}"

    for i, block in enumerate(_BLOCKS):
        other = _torch_block(block)
        for j in range(len(network.blocks[i].convs)):  # type: ignore[arg-type]
            branch = "branch2a" if j == 0 else f"branch2b{j}"
            names[f"blocks.{i}.convs.{j}.weight"] = f"res{block}_{branch}_weight", f"{other}.conv_{branch}.weight"
            norm(f"blocks.{i}.norms.{j}", f"bn{block}_{branch}", f"{other}.bn_{branch}")
        if network.blocks[i].projection is not None:
            names[f"blocks.{i}.projection.weight"] = f"res{block}_branch1_weight", f"{other}.conv_branch1.weight"
    norm("norm", "bn7", "bn7")
    return names


@dataclass
class ImageNetWeights:
    """Tensors by the name that they have in the file.

    Attributes:
        width: Of the network that they fit.
    """

    path: Path
    tensors: dict[str, Tensor]
    width: float

    @property
    def name(self) -> str:
        return self.path.name

    @classmethod
    def load(cls, path: Path) -> ImageNetWeights:
        """Reads an MXNet ``.params`` file or a PyTorch state dictionary.

        Raises:
            InputError: If it is neither.
        """
        try:
            with path.open("rb") as file:
                mxnet = file.read(8) == LIST_MAGIC.to_bytes(8, "little")
        except OSError as error:
            raise InputError(f"The weights {path} cannot be read ({reason(error)})") from error
        if mxnet:
            arrays = read_params(path)
            tensors = {name: torch.from_numpy(array.astype(np.float32)) for name, array in arrays.items()}
        else:
            tensors = _state_dictionary(path)
        last = next((tensors[name] for name in ("bn7_gamma", "bn7.weight") if name in tensors), None)
        if last is None:
            raise InputError(f"{path} holds no ResNet-38 (it has no bn7): use ilsvrc-cls_rna-a1 or a conversion of it")
        return cls(path, tensors, len(last) / TABLE_1_BLOCKS[-1].channels[-1])

    def fill(self, network: CascadeResNet) -> list[str]:
        """Copies every tensor that fits into the network, and adapts the first layer to images in 0..1.

        Returns:
            Lines for the user: how many fitted, and each tensor of the file or the network that did not.
        """
        state = network.state_dict()
        used, filled, lines = set(), set(), []
        for own, (mxnet, converted) in source_names(network).items():
            name = mxnet if mxnet in self.tensors else converted
            if name not in self.tensors:
                continue
            used.add(name)
            if self.tensors[name].shape != state[own].shape:
                shapes = f"{tuple(self.tensors[name].shape)} instead of {tuple(state[own].shape)}"
                lines.append(f"{name}: did not fit {own} ({shapes})")
                continue
            state[own].copy_(self.tensors[name])
            filled.add(own)
        lines += [f"{name}: in the file, but not in the network" for name in self.tensors if name not in used]
        counters = {own for own in state if own.endswith("num_batches_tracked")}
        lines += [f"{own}: not in the file, keeps its random start" for own in state if own not in filled | counters]
        if "stem.weight" in filled:
            _take_normalisation_in(state)
        return [f"{self.name}: {len(filled)} tensors of {len(state) - len(counters)} taken over", *lines]


def _take_normalisation_in(state: dict[str, Tensor]) -> None:
    """Makes the first convolution, which was trained on (I - mean) / deviation, take images I in 0..1.

    The scale goes into the weights. The shift, for lack of a bias, goes into the mean of the normalisation that
    follows, through which alone (pre-activation) the rest of the network sees the result; at the image's border, where
    zeros are around it, that is an approximation.
    """
    weight = state["stem.weight"]
    weight /= torch.tensor(DEVIATION)[:, None, None]
    state["blocks.0.norms.0.running_mean"] += (weight * torch.tensor(MEAN)[:, None, None]).sum(dim=(1, 2, 3))


def _state_dictionary(path: Path) -> dict[str, Tensor]:
    try:
        content: Any = read_tensors(path)
    except ValueError as error:
        raise InputError(
            f"{path} is neither an MXNet .params file nor a PyTorch state dictionary of tensors only: "
            "use ilsvrc-cls_rna-a1 or a conversion of it"
        ) from error
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no state dictionary: use ilsvrc-cls_rna-a1 or a conversion of it")
    # As DataParallel saved it, every name begins with "module.".
    return {str(k).removeprefix("module."): v.float() for k, v in content.items() if isinstance(v, Tensor)}
