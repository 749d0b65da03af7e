"""The residual network of Table 1 of Bi et al. 2017: ResNet-38 of Wu et al. 2016 with a dilated score head.

Beyond the paper, the network can have a decoder that adds detail to the scores: one cell of Table 1's map is 8 pixels,
as large as a small lesion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: In-plane size of the score map is the input's size divided by this (three strides of 2 in Table 1).
OUTPUT_STRIDE = 8
#: 0 is the liver (Y^v), 1 the lesion (Y^t).
OUTPUT_MAPS = 2


@dataclass(frozen=True)
class BlockSpec:
    """One kind of residual block in Table 1.

    Attributes:
        name: Name of the stage, as in Wu et al. 2016 (``res2`` .. ``res7``).
        kernels: Kernel size of each convolution of the block.
        channels: Output channels of each convolution at width 1.
        stride: Stride of the first convolution.
        dilation: Dilation of the 3x3 convolutions that Table 1 marks as dilated.
        dilate_first: Whether the first convolution is dilated as well.
        count: Number of consecutive blocks.
        dropout: Dropout rate before the last convolution (Wu et al. 2016: 0.3 and 0.5 in the last two blocks).
    """

    name: str
    kernels: tuple[int, ...]
    channels: tuple[int, ...]
    stride: int = 1
    dilation: int = 1
    dilate_first: bool = False
    count: int = 1
    dropout: float = 0.0


#: Table 1, from the second row to the last residual block.
TABLE_1_BLOCKS: tuple[BlockSpec, ...] = (
    BlockSpec("res2a", (3, 3), (128, 128), stride=2),
    BlockSpec("res2b", (3, 3), (128, 128), count=2),
    BlockSpec("res3a", (3, 3), (256, 256), stride=2),
    BlockSpec("res3b", (3, 3), (256, 256), count=2),
    BlockSpec("res4a", (3, 3), (512, 512), stride=2),
    BlockSpec("res4b", (3, 3), (512, 512), count=5),
    BlockSpec("res5a", (3, 3), (512, 1024), dilation=2),
    BlockSpec("res5b", (3, 3), (512, 1024), dilation=2, dilate_first=True, count=2),
    BlockSpec("res6", (1, 3, 1), (512, 1024, 2048), dilation=4, dropout=0.3),
    BlockSpec("res7", (1, 3, 1), (1024, 2048, 4096), dilation=4, dropout=0.5),
)
STEM_CHANNELS = 64
HEAD_CHANNELS = 512
HEAD_DILATION = 12
#: Blocks after which the features have a stride of 2 and of 4 (the last of res2 and of res3).
_STRIDE_2_END, _STRIDE_4_END = 3, 6


def scaled_channels(channels: int, width: float) -> int:
    return max(4, round(channels * width))


class ResidualBlock(nn.Module):
    """Pre-activation block (BN-ReLU-conv), with a projection shortcut where stride or channels change (eq. 1)."""

    def __init__(self, in_channels: int, spec: BlockSpec, width: float) -> None:
        super().__init__()
        channels = [in_channels, *(scaled_channels(c, width) for c in spec.channels)]
        self.stride = spec.stride
        self.norms = nn.ModuleList(nn.BatchNorm2d(c) for c in channels[:-1])
        self.convs = nn.ModuleList()
        for i, kernel in enumerate(spec.kernels):
            dilation = spec.dilation if kernel == 3 and (i > 0 or spec.dilate_first) else 1
            self.convs.append(
                nn.Conv2d(
                    channels[i],
                    channels[i + 1],
                    kernel,
                    stride=spec.stride if i == 0 else 1,
                    padding=dilation * (kernel // 2),
                    dilation=dilation,
                    bias=False,
                )
            )
        self.dropout = nn.Dropout(spec.dropout) if spec.dropout else nn.Identity()
        same = spec.stride == 1 and channels[0] == channels[-1]
        self.projection = None if same else nn.Conv2d(channels[0], channels[-1], 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        activated = F.relu(self.norms[0](x))
        if self.projection is None:
            shortcut = x
        else:
            # Subsampled by hand: the backward of a strided 1x1 convolution on channels_last tensors crashes in
            # torch 2.13 on CPU ("double free"); the numbers are the same.
            strided = activated[..., :: self.stride, :: self.stride] if self.stride > 1 else activated
            shortcut = self.projection(strided)
        out = self.convs[0](activated)
        for i in range(1, len(self.convs)):
            out = F.relu(self.norms[i](out))
            if i == len(self.convs) - 1:
                out = self.dropout(out)
            out = self.convs[i](out)
        return shortcut + out


NetworkT = TypeVar("NetworkT", bound="SliceNetwork")


class SliceNetwork(nn.Module):
    """A network that scores slices, as the passes and the training take it.

    Attributes:
        width: Its channel counts relative to the published ones.
        blocks: Parts that run one after another; a cancelled run stops between two of them.
        score: The last convolution, which gives the score maps.
    """

    width: float
    blocks: nn.Sequential
    score: nn.Conv2d

    def _initialise(self) -> None:
        """Draws new weights for all convolutions; for the end of a constructor."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        # Few pixels are liver or lesion: start near "nothing" so that the first steps do not drown in false positives.
        with torch.no_grad():
            self.score.weight.mul_(0.1)
            assert self.score.bias is not None
            self.score.bias.fill_(-2.0)

    def placed(self: NetworkT, device: torch.device) -> NetworkT:
        """This network on a device, with channels last, which makes its convolutions a tenth to a half faster."""
        self.to(device)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's annotations
        return self


class Decoder(nn.Module):
    """Scores at half the image's size from features of three strides, joined as in U-Net (Ronneberger et al. 2015).

    Args:
        deep, middle, shallow: Channels of the features of stride 8, 4 and 2.
    """

    def __init__(self, deep: int, middle: int, shallow: int) -> None:
        super().__init__()
        self.lift4 = nn.Conv2d(deep, middle, 1, bias=False)
        self.norm4 = nn.BatchNorm2d(2 * middle)
        self.conv4 = nn.Conv2d(2 * middle, middle, 3, padding=1, bias=False)
        self.lift2 = nn.Conv2d(middle, shallow, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(2 * shallow)
        self.conv2 = nn.Conv2d(2 * shallow, shallow, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(shallow)
        self.score = nn.Conv2d(shallow, OUTPUT_MAPS, 3, padding=1)

    def forward(self, deep: Tensor, middle: Tensor, shallow: Tensor) -> Tensor:
        x = torch.cat([_upsample(self.lift4(deep), 2), middle], dim=1)
        x = self.conv4(F.relu(self.norm4(x)))
        x = torch.cat([_upsample(self.lift2(x), 2), shallow], dim=1)
        x = self.conv2(F.relu(self.norm2(x)))
        scores: Tensor = self.score(F.relu(self.norm(x)))
        return scores


def _upsample(x: Tensor, factor: int) -> Tensor:
    return F.interpolate(x, scale_factor=float(factor), mode="bilinear", align_corners=False)


class CascadeResNet(SliceNetwork):
    """Table 1: stem, residual blocks, dilated score head, x8 upsampling.

    Args:
        width: Scales every channel count of Table 1 (1 = the paper: 124.0 M parameters with 3 input channels).
        in_channels: Input planes; the paper feeds three: (I, I, I) to stage 1 and (I, Y^t, Y^v) to stage 2.
        decoder: Add what a decoder sees to the scores. A new decoder adds nothing: a network that was trained without
            one gives the same scores with it until it is trained on.
    """

    def __init__(self, width: float = 1.0, in_channels: int = 3, *, decoder: bool = False) -> None:
        super().__init__()
        self.width = width
        channels = scaled_channels(STEM_CHANNELS, width)
        self.stem = nn.Conv2d(in_channels, channels, 3, padding=1, bias=False)
        blocks: list[nn.Module] = []
        for spec in TABLE_1_BLOCKS:
            for _ in range(spec.count):
                blocks.append(ResidualBlock(channels, spec, width))
                channels = scaled_channels(spec.channels[-1], width)
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.BatchNorm2d(channels)
        hidden = scaled_channels(HEAD_CHANNELS, width)
        self.head = nn.Conv2d(channels, hidden, 3, padding=HEAD_DILATION, dilation=HEAD_DILATION)
        self.score = nn.Conv2d(hidden, OUTPUT_MAPS, 3, padding=HEAD_DILATION, dilation=HEAD_DILATION)
        self.decoder: Decoder | None = None
        if decoder:
            shallow, middle = (scaled_channels(spec.channels[-1], width) for spec in TABLE_1_BLOCKS[0:4:2])
            self.decoder = Decoder(hidden, middle, shallow)
        self._initialise()
        if self.decoder is not None:
            nn.init.zeros_(self.decoder.score.weight)

    def load_trained(self, state: dict[str, Tensor]) -> None:
        """Takes over trained weights; a decoder that they lack stays as it is, more input planes count for nothing yet.

        Raises:
            RuntimeError: If they are not those of this network.
        """
        own = {key: value for key, value in self.state_dict().items() if key.startswith("decoder.")}
        new = self.stem.in_channels - state["stem.weight"].shape[1]
        self.load_state_dict({**own, **state, "stem.weight": F.pad(state["stem.weight"], (0, 0, 0, 0, 0, max(0, new)))})

    def forward(self, x: Tensor) -> Tensor:
        """Scores the images.

        Args:
            x: (batch, in_channels, rows, columns), rows and columns multiples of 8.

        Returns:
            Logits (batch, 2, rows, columns): channel 0 liver, channel 1 lesion.
        """
        shallow = self.blocks[:_STRIDE_2_END](self.stem(x))
        middle = self.blocks[_STRIDE_2_END:_STRIDE_4_END](shallow)
        deep = self.blocks[_STRIDE_4_END:](middle)
        hidden = F.relu(self.head(F.relu(self.norm(deep))))
        # fp32: bilinear weights of bf16 would cost boundary accuracy for nothing.
        scores = _upsample(self.score(hidden).float(), OUTPUT_STRIDE)
        if self.decoder is not None:
            scores = scores + _upsample(self.decoder(hidden, middle, shallow).float(), 2)
        return scores
