"""GoogLeNet (Inception v1): 22 layers with weights, and 6,998,552 parameters without the auxiliary classifiers.

Source: Szegedy et al., "Going deeper with convolutions" (2015), table 1.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

#: Per module: channels of the 1×1 path; of the 3×3 path, before (reduced) and after; of the 5×5 path; of the pool path.
INCEPTION = {
    "3a": (64, (96, 128), (16, 32), 32),
    "3b": (128, (128, 192), (32, 96), 64),
    "4a": (192, (96, 208), (16, 48), 64),
    "4b": (160, (112, 224), (24, 64), 64),
    "4c": (128, (128, 256), (24, 64), 64),
    "4d": (112, (144, 288), (32, 64), 64),
    "4e": (256, (160, 320), (32, 128), 128),
    "5a": (256, (160, 320), (32, 128), 128),
    "5b": (384, (192, 384), (48, 128), 128),
}


def conv(c_in: int, c_out: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    """Return a convolution that keeps the size at stride 1, and its ReLU."""
    return [nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2), nn.ReLU()]


class Inception(nn.Module):
    """Four paths side by side, their maps stacked: 1×1; 1×1 then 3×3; 1×1 then 5×5; pooling then 1×1."""

    def __init__(self, c_in: int, one: int, three: tuple[int, int], five: tuple[int, int], pool: int) -> None:
        super().__init__()
        self.paths = nn.ModuleList(
            [
                nn.Sequential(*conv(c_in, one, 1)),
                nn.Sequential(*conv(c_in, three[0], 1), *conv(three[0], three[1], 3)),
                nn.Sequential(*conv(c_in, five[0], 1), *conv(five[0], five[1], 5)),
                nn.Sequential(nn.MaxPool2d(3, 1, padding=1), *conv(c_in, pool, 1)),
            ]
        )
        self.c_out = one + three[1] + five[1] + pool

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, c_in, H, W) to (N, c_out, H, W)."""
        return torch.cat([path(x) for path in self.paths], dim=1)


class GoogLeNet(nn.Module):
    """Stem, nine Inception modules, the average of each map, one fully connected layer."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        halve = {"kernel_size": 3, "stride": 2, "ceil_mode": True}
        self.stem = nn.Sequential(
            *(*conv(3, 64, 7, stride=2), nn.MaxPool2d(**halve), nn.LocalResponseNorm(5)),  # type: ignore[arg-type]
            *(*conv(64, 64, 1), *conv(64, 192, 3)),
            *(nn.LocalResponseNorm(5), nn.MaxPool2d(**halve)),  # type: ignore[arg-type]
        )
        layers: list[nn.Module] = []
        c_in, stage = 192, "3"
        for name, channels in INCEPTION.items():
            if name[0] != stage:
                layers.append(nn.MaxPool2d(**halve))  # type: ignore[arg-type]
                stage = name[0]
            module = Inception(c_in, *channels)
            layers.append(module)
            c_in = module.c_out
        self.modules_3_to_5 = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.4), nn.Linear(c_in, classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures (N, 3, 224, 224) to logits (N, classes)."""
        return cast(Tensor, self.classifier(self.modules_3_to_5(self.stem(x))))
