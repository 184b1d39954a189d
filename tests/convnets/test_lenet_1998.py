"""LeNet-5 of 1998: its table, its counts, its input."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from convnets.models.lenet_1998 import C3_TABLE, OriginalLeNet5, SparseConv2d, Subsample, as_input


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_parameters_of_the_paper_layer_by_layer():
    net = OriginalLeNet5()
    counted = [parameters(layer) for layer in net if parameters(layer)]
    # Table of section II.B: C1 156, S2 12, C3 1,516, S4 32, C5 48,120, F6 10,164; and a linear layer of 850.
    assert counted == [156, 12, 1516, 32, 48120, 10164, 850]
    assert parameters(net) == 60_850
    assert net(torch.zeros(2, 1, 32, 32)).shape == (2, 10)


def test_every_map_of_s2_is_seen_by_ten_of_c3():
    seen = [c for row in C3_TABLE for c in row]
    assert len(seen) == 60
    assert [seen.count(c) for c in range(6)] == [10] * 6
    assert len(set(C3_TABLE)) == 16


def test_a_sparse_convolution_is_the_sum_over_its_connections():
    torch.manual_seed(0)
    layer = SparseConv2d(((0, 2), (1,), (0, 1, 2)), 3, 2)
    nn.init.uniform_(layer.bias)
    x = torch.randn(2, 3, 4, 5)
    y = layer(x)
    expected = torch.zeros(2, 3, 3, 4) + layer.bias[:, None, None]
    for kernel, (k, c) in zip(layer.weight, [(0, 0), (0, 2), (1, 1), (2, 0), (2, 1), (2, 2)], strict=True):
        expected[:, k] += F.conv2d(x[:, [c]], kernel[None, None])[:, 0]
    assert torch.allclose(y, expected, atol=1e-6)
    y.sum().backward()
    assert bool((layer.weight.grad != 0).all())


def test_subsampling_starts_as_the_mean_and_has_two_numbers_a_map():
    layer = Subsample(3)
    x = torch.randn(2, 3, 4, 6)
    assert torch.allclose(layer(x), F.avg_pool2d(x, 2), atol=1e-6)
    assert parameters(layer) == 6


@pytest.mark.parametrize("side", [28, 20, 32])
def test_input_is_paper_around_a_digit_in_the_middle(side):
    images = np.ones((2, 1, side, side), np.float32)
    x = as_input(images)
    assert x.shape == (2, 1, 32, 32)
    assert x.dtype == torch.float32
    assert x[0, 0, 16, 16].item() == pytest.approx(1.175)
    margin = (32 - side) // 2
    assert int((x[0, 0] > 0).sum()) == side * side
    if margin:
        assert x[0, 0, margin - 1, 16].item() == pytest.approx(-0.1)
        assert x[0, 0, margin, 16].item() == pytest.approx(1.175)
