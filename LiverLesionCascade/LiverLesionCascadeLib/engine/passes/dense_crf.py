"""3D-CRF: a fully connected conditional random field over a volume (Krähenbühl and Koltun 2011), as post-processing.

Every voxel is a neighbour of every other: voxels that are near (smoothness kernel), and all the more those that are
near and equally bright (appearance kernel), are drawn to one label. The labels are background, liver and lesion; their
marginals Q are found by mean field, in which each iteration filters the whole volume with both kernels:

    Q_i(l) ~ P_i(l) * exp( sum over kernels m of w_m * sum over j != i of n_i n_j k_m(i, j) Q_j(l) )

The symmetric weights n_i = (sum over j of k_m(i, j)) ^ -1/2 make a weight w mean the same on any grid.

How two sums over all pairs of voxels become cheap: a Gaussian kernel is a product over the axes z, y, x and intensity,
and along one axis it has low rank. With nodes closer together than its width, k(a, b) = F(a) . F(b) up to one part in a
thousand. So a filter takes the volume down to the nodes, axis by axis, by small matrix products, and back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

#: Distance between nodes relative to the kernel's width.
NODE_DISTANCE = 0.75
#: Windowed intensities are told apart in steps of one part in this many.
INTENSITY_STEPS = 1000

_SMALLEST = 1e-5


@dataclass(frozen=True)
class CrfSettings:
    """The field's kernels.

    Attributes:
        iterations: Of mean field.
        appearance_weight: Weight of the appearance kernel; ``appearance_mm``, ``appearance_hu``: its widths.
        smoothness_weight: Weight of the smoothness kernel; ``smoothness_mm``: its width.
    """

    iterations: int = 5
    appearance_weight: float = 3.0
    appearance_mm: float = 10.0
    appearance_hu: float = 20.0
    smoothness_weight: float = 1.0
    smoothness_mm: float = 2.0


@dataclass(frozen=True)
class CrfVolume:
    """What the field is defined on.

    Attributes:
        image: (slice, row, column) float32, windowed intensities in [0, 1].
        z_mm: (slice,) positions of the slices.
        pixel_mm: (row, column) spacing.
        window_hu: HU of intensities 0 and 1.
    """

    image: Tensor
    z_mm: Tensor
    pixel_mm: tuple[float, float]
    window_hu: tuple[float, float]

    @property
    def axes_mm(self) -> tuple[Tensor, Tensor, Tensor]:
        """Positions along slice, row and column."""
        rows, columns = (torch.arange(n) * step for n, step in zip(self.image.shape[1:], self.pixel_mm, strict=True))
        return self.z_mm, rows, columns


def gaussian(a: Tensor, b: Tensor, width: float) -> Tensor:
    """Gaussian of standard deviation width of the distances between positions a (n,) and b (m,): (n, m) float64."""
    a, b = a.detach().cpu().double(), b.detach().cpu().double()
    return torch.exp(-0.5 * ((a[:, None] - b[None, :]) / width) ** 2)


def gaussian_features(positions: Tensor, width: float) -> Tensor:
    """Features F (n, nodes) float32 of n positions on an axis; F F^T is the Gaussian of their distances.

    The kernel is interpolated from evenly spaced nodes (Nyström); a node more on either side keeps the ends accurate.
    """
    low, high = float(positions.min()), float(positions.max())
    distance = NODE_DISTANCE * width
    count = int((high - low) / distance) + 4
    nodes = (low + high) / 2 + distance * (torch.arange(count, dtype=torch.float64) - (count - 1) / 2)
    root = torch.linalg.cholesky(gaussian(nodes, nodes, width))
    features = torch.linalg.solve_triangular(root, gaussian(nodes, positions, width), upper=False)
    return features.T.float().contiguous()


class _Kernel:
    """A kernel with its symmetric weights. ``sums`` adds up (labels, slice, row, column) over all voxels j of a volume,
    with k(i, j), for each voxel i."""

    def __init__(self, image: Tensor, sums: Callable[[Tensor], Tensor]) -> None:
        self._sums = sums
        ones = torch.ones_like(image)[None]
        self._weights = (sums(ones) + _SMALLEST).rsqrt()
        # Labels' marginals sum to 1, so their messages do to this.
        self.total = self.message(ones)[0]

    def message(self, marginals: Tensor) -> Tensor:
        """To each voxel the weighted sum over all others; marginals and result (labels, slice, row, column)."""
        weighted = marginals * self._weights
        return self._weights * (self._sums(weighted) - weighted)


def smoothness_kernel(volume: CrfVolume, mm: float, check: Callable[[], None]) -> _Kernel:
    """Gaussian of the distance in space: the product of one along each axis, exact."""
    z, y, x = (gaussian(axis, axis, mm).float().to(volume.image.device) for axis in volume.axes_mm)

    def sums(maps: Tensor) -> Tensor:
        check()
        in_plane = y @ maps @ x
        return torch.stack([torch.tensordot(z, label, 1) for label in in_plane])

    return _Kernel(volume.image, sums)


def appearance_kernel(volume: CrfVolume, mm: float, hu: float, check: Callable[[], None]) -> _Kernel:
    """Gaussian of the distance in space times one of the difference in HU."""
    image, slices = volume.image, len(volume.image)
    z, y, x = (gaussian_features(axis, mm).to(image.device) for axis in volume.axes_mm)
    levels = gaussian_features(torch.linspace(*volume.window_hu, INTENSITY_STEPS + 1), hu).T.contiguous()
    levels = levels.to(image.device)

    def intensity(index: int) -> Tensor:
        """Features of the intensities of a slice: (nodes, 1, row, column)."""
        step = (image[index] * INTENSITY_STEPS).round().long()
        return levels.index_select(1, step.flatten()).view(-1, 1, *step.shape)

    def sums(maps: Tensor) -> Tensor:
        # First all slices down to the nodes (z, intensity, labels, y, x), then back up to the voxels.
        nodes = maps.new_zeros(z.shape[1], len(levels), len(maps), y.shape[1], x.shape[1])
        for i in range(slices):
            check()
            nodes += z[i].view(-1, 1, 1, 1, 1) * (y.T @ ((intensity(i) * maps[:, i]) @ x))
        result = torch.empty_like(maps)
        for i in range(slices):
            check()
            result[:, i] = (intensity(i) * (y @ torch.tensordot(z[i], nodes, 1) @ x.T)).sum(0)
        return result

    return _Kernel(image, sums)


def dense_crf(
    maps: Tensor,
    volume: CrfVolume,
    settings: CrfSettings | None = None,
    advance: Callable[[float], None] = lambda fraction: None,
    check: Callable[[], None] = lambda: None,
) -> Tensor:
    """Marginals of the field whose unary term are the networks' maps.

    Args:
        maps: (slice, 2, row, column) probabilities of liver (lesions included) and lesion.
        volume: The image on the same grid.
        advance: Told of the fraction done; check: called often, may raise to end the work.

    Returns:
        As ``maps``, of the same type and on the same device.
    """
    settings = settings or CrfSettings()
    device = volume.image.device
    liver, lesion = maps.to(device, torch.float32).unbind(1)
    unary = torch.stack([1 - torch.maximum(liver, lesion), liver - lesion, lesion]).clamp_(min=_SMALLEST).log_()
    kernels = [
        (settings.appearance_weight, appearance_kernel(volume, settings.appearance_mm, settings.appearance_hu, check)),
        (settings.smoothness_weight, smoothness_kernel(volume, settings.smoothness_mm, check)),
    ]
    marginals = unary.softmax(0)
    for iteration in range(settings.iterations):
        energy = unary.clone()
        for weight, kernel in kernels:
            message = kernel.message(marginals[1:])
            energy[1:] += weight * message
            energy[0] += weight * (kernel.total - message.sum(0))
        marginals = energy.softmax(0)
        advance((iteration + 1) / settings.iterations)
    return torch.stack([marginals[1] + marginals[2], marginals[2]], 1).to(maps.device, maps.dtype)
