"""AlexNet, the network that won ImageNet in 2012: 60,965,224 parameters.

Source: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks" (2012).
"""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn


def conv(c_in: int, c_out: int, kernel: int, padding: int, *, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """Return a convolution and its ReLU."""
    return [nn.Conv2d(c_in, c_out, kernel, stride, padding, groups=groups), nn.ReLU()]


class AlexNet(nn.Module):
    """Five convolutions and three fully connected layers.

    Parameters
    ----------
    classes : int
        Number of logits.
    two_gpus : bool
        As trained: the second, fourth and fifth convolution see only the half of the maps that lies on their own GPU,
        so that they are grouped convolutions. Otherwise every map sees all: 62,378,344 parameters.
    """

    def __init__(self, classes: int = 1000, *, two_gpus: bool = True) -> None:
        super().__init__()
        groups = 2 if two_gpus else 1
        normalise = {
            "size": 5,
            "alpha": 5e-4,
            "beta": 0.75,
            "k": 2.0,
        }  # PyTorch divides alpha by size: 1e-4 as published
        self.features = nn.Sequential(
            *conv(3, 96, 11, 0, stride=4),
            *(nn.LocalResponseNorm(**normalise), nn.MaxPool2d(3, 2)),  # type: ignore[arg-type]
            *conv(96, 256, 5, 2, groups=groups),
            *(nn.LocalResponseNorm(**normalise), nn.MaxPool2d(3, 2)),  # type: ignore[arg-type]
            *conv(256, 384, 3, 1),
            *conv(384, 384, 3, 1, groups=groups),
            *conv(384, 256, 3, 1, groups=groups),
            nn.MaxPool2d(3, 2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            *(nn.Dropout(0.5), nn.Linear(256 * 6 * 6, 4096), nn.ReLU()),
            *(nn.Dropout(0.5), nn.Linear(4096, 4096), nn.ReLU()),
            nn.Linear(4096, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures (N, 3, 227, 227) to logits (N, classes). The paper says 224, which does not fit: 227 does."""
        return cast(Tensor, self.classifier(self.features(x)))
