"""The network is that of Table 1 of Bi et al. 2017, row by row."""

import pytest
import torch
from LiverLesionCascadeLib.engine.model.network import CascadeResNet
from torch import nn

# (output size of a 504 x 504 image, kernels, channels, stride, dilation of each convolution, number) as printed.
TABLE_1 = [
    (504, (3,), (64,), 1, (1,), 1),
    (252, (3, 3), (128, 128), 2, (1, 1), 1),
    (252, (3, 3), (128, 128), 1, (1, 1), 2),
    (126, (3, 3), (256, 256), 2, (1, 1), 1),
    (126, (3, 3), (256, 256), 1, (1, 1), 2),
    (63, (3, 3), (512, 512), 2, (1, 1), 1),
    (63, (3, 3), (512, 512), 1, (1, 1), 5),
    (63, (3, 3), (512, 1024), 1, (1, 2), 1),
    (63, (3, 3), (512, 1024), 1, (2, 2), 2),
    (63, (1, 3, 1), (512, 1024, 2048), 1, (1, 4, 1), 1),
    (63, (1, 3, 1), (1024, 2048, 4096), 1, (1, 4, 1), 1),
    (63, (3,), (512,), 1, (12,), 1),
    (63, (3,), (2,), 1, (12,), 1),
]


@pytest.fixture(scope="module")
def full_width() -> CascadeResNet:
    with torch.device("meta"):
        return CascadeResNet(width=1.0)


def test_network_follows_table_1_row_by_row(full_width):
    convolutions = [
        (name, module)
        for name, module in full_width.named_modules()
        if isinstance(module, nn.Conv2d) and "projection" not in name
    ]
    sizes = {}
    for name, module in convolutions:
        module.register_forward_hook(lambda m, i, output, name=name: sizes.update({name: tuple(output.shape[-2:])}))
    full_width(torch.empty(1, 3, 504, 504, device="meta"))
    remaining = iter(convolutions)
    for size, kernels, channels, stride, dilations, number in TABLE_1:
        for _ in range(number):
            for i, kernel in enumerate(kernels):
                name, conv = next(remaining)
                assert conv.kernel_size == (kernel, kernel), name
                assert conv.out_channels == channels[i], name
                assert conv.stride == ((stride, stride) if i == 0 else (1, 1)), name
                assert conv.dilation == (dilations[i], dilations[i]), name
                assert sizes[name] == (size, size), name
    assert next(remaining, None) is None


def test_full_width_network_has_124_million_parameters(full_width):
    assert round(sum(p.numel() for p in full_width.parameters()) / 1e6, 1) == 124.0


def test_dropout_is_in_the_last_two_blocks_only(full_width):
    rates = [module.p for module in full_width.modules() if isinstance(module, nn.Dropout)]
    assert rates == [0.3, 0.5]
    assert isinstance(full_width.blocks[-2].dropout, nn.Dropout)
    assert isinstance(full_width.blocks[-1].dropout, nn.Dropout)


def test_width_scales_all_channels():
    network = CascadeResNet(width=0.125)
    assert network.stem.out_channels == 8
    assert network.blocks[-1].convs[-1].out_channels == 512
    assert network.score.out_channels == 2


@pytest.mark.parametrize("size", [(64, 64), (72, 104)])
def test_scores_have_the_size_of_the_image(size):
    network = CascadeResNet(width=0.03125).eval()
    assert network(torch.zeros(2, 3, *size)).shape == (2, 2, *size)


def test_new_network_predicts_little_so_that_training_starts_calmly():
    torch.manual_seed(0)
    # Training mode: batch statistics are what its first steps see.
    network = CascadeResNet(width=0.0625).train()
    assert torch.sigmoid(network(torch.rand(4, 3, 64, 64))).mean() < 0.3


def test_subsampled_shortcut_equals_a_strided_projection():
    block = CascadeResNet(width=0.0625).blocks[0].eval()
    x = torch.rand(1, block.norms[0].num_features, 16, 16)
    activated = torch.relu(block.norms[0](x))
    strided = nn.functional.conv2d(activated, block.projection.weight, stride=2)
    inner = block.convs[1](torch.relu(block.norms[1](block.convs[0](activated))))
    torch.testing.assert_close(block(x), strided + inner)


def test_a_new_decoder_leaves_the_scores_of_a_trained_network_as_they_are():
    trained = CascadeResNet(width=0.0625).eval()
    network = CascadeResNet(width=0.0625, decoder=True).eval()
    network.load_trained(trained.state_dict())
    image = torch.rand(1, 3, 64, 72)
    torch.testing.assert_close(network(image), trained(image), rtol=0, atol=0)


def test_a_decoder_tells_pixels_of_one_cell_of_the_score_map_apart():
    network = CascadeResNet(width=0.0625, decoder=True).eval()
    nn.init.normal_(network.decoder.score.weight)
    point = torch.zeros(1, 3, 64, 64)
    point[..., 32:34, 32:34] = 1
    change = (network(point) - network(torch.zeros(1, 3, 64, 64)))[0, 0].detach()
    # Bilinear upsampling by 8 alone is linear between the centres of cells: its second differences vanish there.
    second = change[:, 2:] - 2 * change[:, 1:-1] + change[:, :-2]
    inside = [i for i in range(62) if (i + 1) % 8 not in (3, 4)]
    assert second[:, inside].abs().max() > 1e-3 * change.abs().max()


def test_weights_that_lack_more_than_a_decoder_are_refused():
    state = CascadeResNet(width=0.0625).state_dict()
    del state["head.weight"]
    with pytest.raises(RuntimeError, match="head.weight"):
        CascadeResNet(width=0.0625, decoder=True).load_trained(state)


def test_backward_runs_on_channels_last_tensors():
    network = CascadeResNet(width=0.03125, decoder=True).placed(torch.device("cpu")).train()
    nn.init.normal_(network.decoder.score.weight)
    network(torch.rand(2, 3, 32, 32).contiguous(memory_format=torch.channels_last)).sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())
