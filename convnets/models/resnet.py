"""ResNet-18 to ResNet-152 for ImageNet, and the narrow nets for small pictures; ResNet-50 has 25,557,032 parameters.

Source: He, Zhang, Ren and Sun, "Deep residual learning for image recognition" (2016). As in most code since, the stride
of a bottleneck block stands at its 3×3 convolution; the paper has it at the first 1×1. Counts are the same.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Blocks in each of the four stages, and whether they are bottleneck blocks.
DEPTHS = {
    18: ((2, 2, 2, 2), False),
    34: ((3, 4, 6, 3), False),
    50: ((3, 4, 6, 3), True),
    101: ((3, 4, 23, 3), True),
    152: ((3, 8, 36, 3), True),
}


def conv_bn(c_in: int, c_out: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    """Return a convolution that keeps the size at stride 1, and its batch normalisation in place of a bias."""
    return [nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(c_out)]


class Residual(nn.Module):
    """relu(x + f(x)): f is two 3×3 convolutions, or 1×1, 3×3, 1×1 with a quarter of the channels in between."""

    def __init__(self, c_in: int, c_out: int, stride: int = 1, *, bottleneck: bool = False) -> None:
        super().__init__()
        if bottleneck:
            narrow = c_out // 4
            first = [*conv_bn(c_in, narrow, 1), nn.ReLU(), *conv_bn(narrow, narrow, 3, stride), nn.ReLU()]
            self.path = nn.Sequential(*first, *conv_bn(narrow, c_out, 1))
        else:
            self.path = nn.Sequential(*conv_bn(c_in, c_out, 3, stride), nn.ReLU(), *conv_bn(c_out, c_out, 3))
        same = stride == 1 and c_in == c_out
        self.skip = nn.Identity() if same else nn.Sequential(*conv_bn(c_in, c_out, 1, stride))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, c_in, H, W) to (N, c_out, H / stride, W / stride)."""
        return functional.relu(self.skip(x) + self.path(x))


class ResNet(nn.Module):
    """The network for ImageNet.

    Parameters
    ----------
    depth : {18, 34, 50, 101, 152}
        Layers with weights, those of the skips not counted.
    classes : int
        Number of logits.

    Raises
    ------
    ValueError
        If there is no such depth.
    """

    def __init__(self, depth: int = 50, classes: int = 1000) -> None:
        super().__init__()
        if depth not in DEPTHS:
            raise ValueError(f"ResNet has the depths {', '.join(map(str, DEPTHS))}, not {depth}.")
        blocks, bottleneck = DEPTHS[depth]
        self.stem = nn.Sequential(*conv_bn(3, 64, 7, stride=2), nn.ReLU(), nn.MaxPool2d(3, 2, padding=1))
        layers, c_in = [], 64
        for stage, count in enumerate(blocks):
            c_out = 64 * 2**stage * (4 if bottleneck else 1)
            for i in range(count):
                stride = 2 if stage > 0 and i == 0 else 1
                layers.append(Residual(c_in, c_out, stride, bottleneck=bottleneck))
                c_in = c_out
        self.blocks = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c_in, classes))

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures (N, 3, H, W), 224×224 in the paper, to logits (N, classes)."""
        return cast(Tensor, self.classifier(self.blocks(self.stem(x))))


class TwoConvs(nn.Module):
    """Two 3×3 convolutions, plain or with the input added before the last ReLU; both have the same weights.

    A skip that changes shape has no weights either: it takes every second pixel and fills new channels with zeros.
    """

    def __init__(self, c_in: int, c_out: int, stride: int = 1, *, residual: bool = True) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv_bn(c_in, c_out, 3, stride)
        self.conv2, self.bn2 = conv_bn(c_out, c_out, 3)
        self.stride, self.new_channels, self.residual = stride, c_out - c_in, residual

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, c_in, H, W) to (N, c_out, H / stride, W / stride), halves rounded up."""
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        if self.residual:
            y = y + functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new_channels))
        return functional.relu(y)


class NarrowResNet(nn.Module):
    """The network for small pictures, plain or residual: CIFAR-10's in the paper, with 3 channels and width 16.

    Parameters
    ----------
    depth : int
        Layers with weights: 6n + 2 for n blocks in each of the three stages, so 8, 14, 20, …
    residual : bool
        With the skips, or plain. Both have the same parameters.
    channels, width, classes : int
        Of the picture, of the first stage (the others have 2 and 4 times as many), of the answer.

    Raises
    ------
    ValueError
        If there is no such depth.
    """

    def __init__(
        self, depth: int = 20, *, residual: bool = True, channels: int = 3, width: int = 16, classes: int = 10
    ) -> None:
        super().__init__()
        blocks, left_over = divmod(depth - 2, 6)
        if blocks < 1 or left_over:
            raise ValueError(f"A narrow ResNet has depth 6n + 2, such as 8, 20 or 56, not {depth}.")
        layers: list[nn.Module] = [*conv_bn(channels, width, 3), nn.ReLU()]
        c_in = width
        for stage in range(3):
            c_out = width * 2**stage
            for i in range(blocks):
                layers.append(TwoConvs(c_in, c_out, 2 if stage > 0 and i == 0 else 1, residual=residual))
                c_in = c_out
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c_in, classes))

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures (N, channels, H, W), 32×32 in the paper, to logits (N, classes)."""
        return cast(Tensor, self.classifier(self.features(x)))


def he_init(model: nn.Module, seed: int) -> None:
    """Start a network anew: kernels of convolutions with variance 2 / fan-in, fully connected layers with 0.01².

    With a last layer that small all classes are about equally likely at first, however large the maps before it are.
    Biases become 0.

    Parameters
    ----------
    model : nn.Module
        Changed in place. Batch normalizations stay as they are.
    seed : int
        The draw does not touch PyTorch's global generator.
    """
    generator = torch.Generator().manual_seed(seed)
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
        elif isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.01, generator=generator)
        if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
            nn.init.zeros_(layer.bias)
