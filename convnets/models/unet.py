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


def two_convs(c_in: int, c_out: int) -> nn.Sequential:
    """Return two 3×3 convolutions that keep the size, each with its ReLU."""
    first = (nn.Conv2d(c_in, c_out, 3, padding=1), nn.ReLU())
    return nn.Sequential(*first, nn.Conv2d(c_out, c_out, 3, padding=1), nn.ReLU())


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
    """

    def __init__(
        self, c_in: int = 1, classes: int = 2, width: int = 64, levels: int = 4, *, skips: bool = True
    ) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(levels + 1)]
        pairs = list(pairwise(widths))
        self.down = nn.ModuleList([two_convs(c_in, width), *(two_convs(narrow, wide) for narrow, wide in pairs)])
        self.enlarge = nn.ModuleList([nn.ConvTranspose2d(wide, narrow, 2, 2) for narrow, wide in reversed(pairs)])
        self.up = nn.ModuleList([two_convs(wide, narrow) for narrow, wide in reversed(pairs)])
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
