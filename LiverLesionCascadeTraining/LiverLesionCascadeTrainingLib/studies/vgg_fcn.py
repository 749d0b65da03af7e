"""VGG-FCN: FCN-8s of Long et al. 2015 on the 16-layer network of Simonyan and Zisserman 2014."""

from __future__ import annotations

from LiverLesionCascadeLib.engine.model.network import SliceNetwork, scaled_channels
from torch import Tensor, nn
from torch.nn import functional as F

#: (channels at width 1, 3x3 convolutions) of the five stages; each ends in a 2x2 max pooling.
VGG_16 = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
CLASSIFIER_CHANNELS = 4096
#: The five poolings divide the image size by this.
STRIDE = 32


def _stage(channels: int, out_channels: int, count: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(count):
        # With batch normalisation, which the original lacks: from random weights it does not learn without.
        layers += [nn.Conv2d(channels, out_channels, 3, padding=1, bias=False), nn.BatchNorm2d(out_channels), nn.ReLU()]
        channels = out_channels
    return nn.Sequential(*layers, nn.MaxPool2d(2))


class VggFcn(SliceNetwork):
    """FCN-8s: scores of the last layer and of the third and fourth pooling, added at their own resolutions.

    Args:
        width: Scales every channel count (1 = the original: 134 M parameters).
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        self.width = width
        channels = [3, *(scaled_channels(c, width) for c, _ in VGG_16)]
        self.blocks = nn.Sequential(
            *(_stage(channels[i], channels[i + 1], count) for i, (_, count) in enumerate(VGG_16))
        )
        hidden = scaled_channels(CLASSIFIER_CHANNELS, width)
        self.classifier = nn.Sequential(
            nn.Conv2d(channels[5], hidden, 7, padding=3),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Conv2d(hidden, hidden, 1),
            nn.ReLU(),
            nn.Dropout(0.5),
        )
        self.score = nn.Conv2d(hidden, 2, 1)
        self.score_pool4 = nn.Conv2d(channels[4], 2, 1)
        self.score_pool3 = nn.Conv2d(channels[3], 2, 1)
        self._initialise()
        # As in FCN-8s the skips start at nothing.
        nn.init.zeros_(self.score_pool4.weight)
        nn.init.zeros_(self.score_pool3.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Scores the images.

        Args:
            x: (batch, 3, rows, columns).

        Returns:
            Logits (batch, 2, rows, columns): channel 0 liver (Y^v), channel 1 lesion (Y^t).
        """
        rows, columns = x.shape[-2:]
        x = F.pad(x, (0, -columns % STRIDE, 0, -rows % STRIDE))
        pooled = []
        for block in self.blocks:
            x = block(x)
            pooled.append(x)
        scores = self.score(self.classifier(x)).float()
        scores = _doubled(scores) + self.score_pool4(pooled[3]).float()
        scores = _doubled(scores) + self.score_pool3(pooled[2]).float()
        scores = F.interpolate(scores, scale_factor=8.0, mode="bilinear", align_corners=False)
        return scores[..., :rows, :columns]


def _doubled(scores: Tensor) -> Tensor:
    return F.interpolate(scores, scale_factor=2.0, mode="bilinear", align_corners=False)
