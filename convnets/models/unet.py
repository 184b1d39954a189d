"""U-Net: a label for every pixel, with skips from the way down to the way up; 31,030,658 parameters.

Source: Ronneberger, Fischer and Brox, "U-Net: convolutional networks for biomedical image segmentation" (2015). The
convolutions here are padded, as in most code since, so that the labels have the size of the picture; the paper's lose a
frame of 92 pixels. Counts are the same.
"""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn


def two_convs(c_in: int, c_out: int, *, batch_norm: bool = False) -> nn.Sequential:
    """Return two 3×3 convolutions that keep the size, each with its ReLU, and batch normalization if asked.

    With batch normalization the convolutions have no bias: its shift takes their place.
    """
    layers: list[nn.Module] = []
    for source in (c_in, c_out):
        layers.append(nn.Conv2d(source, c_out, 3, padding=1, bias=not batch_norm))
        layers += [nn.BatchNorm2d(c_out), nn.ReLU()] if batch_norm else [nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """The network.

    Parameters
    ----------
    c_in : int
        Channels of the pictures.
    classes : int
        Number of logits for each pixel.
    width : int
        Channels at full size; they double at each of the levels below.
    levels : int
        How often the picture is halved.
    skips : bool
        Whether the maps of the way down are stacked onto those of the way up. Without them the same layers see zeros
        instead, so that both nets have the same parameters.
    batch_norm : bool
        Whether batch normalization follows each 3×3 convolution. The paper has none; small nets learn faster with it.
    """

    def __init__(
        self,
        c_in: int = 1,
        classes: int = 2,
        width: int = 64,
        levels: int = 4,
        *,
        skips: bool = True,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()

        def convs(narrow: int, wide: int) -> nn.Sequential:
            return two_convs(narrow, wide, batch_norm=batch_norm)

        widths = [width * 2**level for level in range(levels + 1)]
        pairs = list(pairwise(widths))
        self.down = nn.ModuleList([convs(c_in, width), *(convs(narrow, wide) for narrow, wide in pairs)])
        self.enlarge = nn.ModuleList([nn.ConvTranspose2d(wide, narrow, 2, 2) for narrow, wide in reversed(pairs)])
        self.up = nn.ModuleList([convs(wide, narrow) for narrow, wide in reversed(pairs)])
        self.pool = nn.MaxPool2d(2)
        self.classifier = nn.Conv2d(width, classes, 1)
        self.has_skips = skips

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures (N, c_in, H, W) to logits (N, classes, H, W); H and W are multiples of 2 ** levels."""
        x = self.down[0](x)
        kept = []
        for convs in self.down[1:]:
            kept.append(x)
            x = convs(self.pool(x))
        for enlarge, convs in zip(self.enlarge, self.up, strict=True):
            skip = kept.pop()
            x = convs(torch.cat([skip if self.has_skips else torch.zeros_like(skip), enlarge(x)], dim=1))
        return cast(Tensor, self.classifier(x))
