"""ResNet-18 to ResNet-152 for ImageNet, and the narrow nets for small pictures; ResNet-50 has 25,557,032 parameters.

Source: He, Zhang, Ren and Sun, "Deep residual learning for image recognition" (2016). As in most code since, the stride
of a bottleneck block stands at its 3×3 convolution; the paper has it at the first 1×1. Counts are the same.
"""

from __future__ import annotations

from typing import cast

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
