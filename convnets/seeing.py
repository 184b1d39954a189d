"""What module 17 looks at, and through which eyes: EfficientNet-Lite0 for pictures from 0 to 1, and pictures for it.

Pictures are float32 tensors (N, 3, H, W) with values from 0 to 1, red, green and blue.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from convnets import data
from convnets.models.efficientnet_lite0 import SameConv2d, efficientnet_lite0, preprocess
from convnets.timing import one_thread


class FromPixels(nn.Module):
    """EfficientNet-Lite0 with its preprocessing inside; its weights need no gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.network = efficientnet_lite0()
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures (N, 3, H, W) to logits (N, 1000)."""
        return self.classify(self.maps(x, 17))

    def maps(self, x: Tensor, block: int) -> Tensor:
        """Map pictures to the feature maps behind the stem (block 0), block 1 to 16, or the head (17)."""
        maps = self.network.stem(((255 * x - 127) / 128).contiguous(memory_format=torch.channels_last))
        for one in list(self.network.blocks)[:block]:
            maps = one(maps)
        result: Tensor = self.network.head(maps) if block > 16 else maps
        return result

    def classify(self, maps: Tensor) -> Tensor:
        """Map the head's feature maps (N, 1280, h, w) to logits (N, 1000)."""
        logits: Tensor = self.network.classifier(maps.mean(dim=(2, 3)))
        return logits


@cache
def network() -> FromPixels:
    """Return the network in evaluation mode, loaded once."""
    return FromPixels().eval()


class AnyOf(nn.Module):
    """A score that does not care for breeds: the probability of any of some classes.

    Parameters
    ----------
    names : sequence of str
        Of ``data.imagenet_classes()``.

    Raises
    ------
    ValueError
        If there is no class of a name.
    """

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        known = data.imagenet_classes()
        if missing := [name for name in names if name not in known]:
            raise ValueError(f"ImageNet has no class {missing[0]!r}: see data.imagenet_classes().")
        self.numbers = [known.index(name) for name in names]

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures (N, 3, H, W) to probabilities (N, 1)."""
        chances: Tensor = network()(x).softmax(dim=1)[:, self.numbers].sum(dim=1, keepdim=True)
        return chances


def layers_up_to(block: int, side: int) -> list[tuple[int, int, int, int]]:
    """Return the layers that decide what a unit behind a block of EfficientNet-Lite0 can see.

    Parameters
    ----------
    block : int
        0 for the stem, 1 to 16.
    side : int
        Height and width of the pictures in pixels: how much the network pads depends on it.

    Returns
    -------
    list of (int, int, int, int)
        Kernel size, stride, padding (at the top and the left) and dilation, the first layer next to the pixels. 1×1
        layers and the skips, which see no more than the path beside them, are left out.

    Raises
    ------
    ValueError
        If there is no such block or no pixel.
    """
    if not 0 <= block <= 16 or side < 1:
        raise ValueError(f"block is 0 to 16 and side at least 1, not {block} and {side}.")
    parts = [network().network.stem, *list(network().network.blocks)[:block]]
    layers = []
    for part in parts:
        for layer in part.modules():
            if isinstance(layer, SameConv2d) and layer.kernel_size[0] > 1:
                kernel, stride = layer.kernel_size[0], layer.stride[0]
                following = -(-side // stride)
                layers.append((kernel, stride, max((following - 1) * stride + kernel - side, 0) // 2, 1))
                side = following
    return layers


def photograph(name: str, side: int) -> Tensor:
    """Return the middle of one of the course's photographs, (1, 3, side, side)."""
    return (preprocess(data.photograph(name), side) * 128 + 127) / 255


@lru_cache(maxsize=2)
def album(side: int) -> NDArray[np.uint8]:
    """Return many pictures to look for patches in: the 206 stamps on mid-grey, then the ten photographs.

    Parameters
    ----------
    side : int
        Height and width in pixels.

    Returns
    -------
    uint8 array, shape (216, side, side, 3)
        The same array each time: do not change it.
    """
    pictures = []
    for stamp in data.stamps().images:
        page = Image.new("RGB", (stamp.shape[1], stamp.shape[0]), (127, 127, 127))
        drawn = Image.fromarray(stamp)
        page.paste(drawn, mask=drawn.getchannel("A"))
        pictures.append(np.asarray(page.resize((side, side), Image.Resampling.BICUBIC)))
    for name in data.photograph_names():
        pixels = photograph(name, side)[0].permute(1, 2, 0).numpy()
        pictures.append((255 * pixels).round().clip(0, 255).astype(np.uint8))
    return np.stack(pictures)


@lru_cache(maxsize=2)
def album_maps(blocks: tuple[int, ...], side: int, count: int | None = None) -> dict[int, NDArray[np.float32]]:
    """Return the feature maps behind some blocks for the first pictures of the album.

    Parameters
    ----------
    blocks : tuple of int
        0 for the stem, 1 to 16.
    side : int
        Height and width of the pictures in pixels.
    count : int, optional
        How many pictures; all 216 without it, which at 160 px take about three seconds up to block 8.

    Returns
    -------
    dict of int to float32 array, shape (count, C, h, w)
        By block. Kept until others are asked for: do not change the arrays.
    """
    pictures = album(side)[:count]
    found: dict[int, list[NDArray[np.float32]]] = {block: [] for block in blocks}
    with torch.inference_mode(), one_thread():
        for start in range(0, len(pictures), 8):
            x = torch.from_numpy(pictures[start : start + 8]).permute(0, 3, 1, 2) / 255
            maps = network().maps(x, 0)
            for block in range(max(blocks) + 1):
                maps = network().network.blocks[block - 1](maps) if block else maps
                if block in found:
                    found[block].append(maps.contiguous().numpy())
    return {block: np.concatenate(parts) for block, parts in found.items()}


def pair(left: str, right: str, side: int) -> tuple[Tensor, NDArray[np.bool_]]:
    """Put two stamps side by side on a lawn.

    Parameters
    ----------
    left, right : str
        Names of stamps, of ``data.stamps().names``.
    side : int
        Height and width in pixels, even.

    Returns
    -------
    picture : Tensor, shape (1, 3, side, side)
    on_the_left : bool array, shape (side, side)
        True in the half of the left stamp.

    Raises
    ------
    ValueError
        If there is no stamp of a name.
    """
    stamps = data.stamps()
    lawn = Image.fromarray(data.photograph("grass")).convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
    for place, name in enumerate((left, right)):
        if name not in stamps.names:
            raise ValueError(f"no stamp is called {name!r}: see data.stamps().names.")
        half = Image.fromarray(stamps.images[stamps.names.index(name)]).resize((side // 2, side // 2))
        lawn.paste(half, (place * side // 2, side // 4), half.getchannel("A"))
    picture = torch.from_numpy(np.array(lawn, dtype=np.float32) / 255).permute(2, 0, 1)[None]
    on_the_left = np.zeros((side, side), dtype=np.bool_)
    on_the_left[:, : side // 2] = True
    return picture, on_the_left


def blur(x: Tensor, sigma: float) -> Tensor:
    """Blur pictures with a Gaussian of standard deviation `sigma` in pixels; the border is continued."""
    reach = max(1, round(3 * sigma))
    distance = torch.arange(-reach, reach + 1, dtype=x.dtype)
    kernel = torch.exp(-(distance**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).expand(x.shape[1], 1, 1, -1)
    x = nn.functional.pad(x, (reach, reach, reach, reach), mode="replicate")
    x = nn.functional.conv2d(x, kernel, groups=x.shape[1])
    return nn.functional.conv2d(x, kernel.transpose(2, 3), groups=x.shape[1])
