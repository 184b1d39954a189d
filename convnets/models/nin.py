"""Network in network: small perceptrons slide over the picture, and nothing is fully connected; 966,986 parameters.

Source: Lin, Chen and Yan, "Network in network" (2014), the network for CIFAR-10.
"""

from __future__ import annotations

from torch import nn


def mlpconv(c_in: int, hidden: tuple[int, int, int], kernel: int) -> list[nn.Module]:
    """Return a convolution and two 1×1 convolutions, each with its ReLU: a perceptron at every position."""
    first, second, third = hidden
    return [
        *(nn.Conv2d(c_in, first, kernel, padding=kernel // 2), nn.ReLU()),
        *(nn.Conv2d(first, second, 1), nn.ReLU()),
        *(nn.Conv2d(second, third, 1), nn.ReLU()),
    ]


class NIN(nn.Sequential):
    """Three mlpconv layers; the average of each of the last maps is a logit: (N, 3, H, W) to (N, classes)."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__(
            *mlpconv(3, (192, 160, 96), 5),
            *(nn.MaxPool2d(3, 2, padding=1), nn.Dropout(0.5)),
            *mlpconv(96, (192, 192, 192), 5),
            *(nn.AvgPool2d(3, 2, padding=1), nn.Dropout(0.5)),
            *mlpconv(192, (192, 192, classes), 3),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        )
