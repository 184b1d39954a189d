"""Scenes for segmentation: stamps on photographs, with the stamps' alpha channel as the truth for every pixel."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from torch.nn import functional

from convnets import data
from convnets.cache import cached, fingerprint
from convnets.timing import one_thread
from convnets.training import full_or_fast

CLASSES = ("background", "stamp")


class Scenes(NamedTuple):
    """Stamps on photographs."""

    x: NDArray[np.float32]
    """(N, 3, side, side), float32, −1 to 1: red, green, blue."""
    y: NDArray[np.int64]
    """(N, side, side), int64: 1 where the stamp covers at least half of the pixel, 0 elsewhere."""
    stamps: NDArray[np.int64]
    """(N,), int64: number of the stamp in each scene, an index of `data.stamps()`."""


def scenes(n: int, *, test: bool = False, side: int = 32, seed: int = 0) -> Scenes:
    """Put stamps on photographs: size, place, mirroring and background are drawn at random.

    Parameters
    ----------
    n : int
        How many, at least 1. Each stamp of the split is used once before one is used again.
    test : bool
        Whether to take the 80 stamps of the test set and three photographs that no training scene shows.
    side : int
        Height and width in pixels. A stamp's canvas takes three quarters of it to all of it.
    seed : int
        The same seed gives the same scenes.

    Returns
    -------
    Scenes

    Raises
    ------
    ValueError
        If n is below 1 or side below 8.
    """
    if n < 1 or side < 8:
        raise ValueError(f"at least 1 scene of at least 8 pixels a side, not {n} of {side}.")
    rng = np.random.default_rng(seed)
    everything = data.stamps()
    numbers = np.flatnonzero(everything.is_train != test)
    order = np.concatenate([rng.permutation(numbers) for _ in range(-(-n // len(numbers)))])[:n]
    photographs = [_half(data.photograph(name), test) for name in data.photograph_names()]
    x, y = np.empty((n, side, side, 3), np.float32), np.empty((n, side, side), np.int64)
    for i, number in enumerate(order):
        background = _resized(_square(photographs[rng.integers(len(photographs))], side, rng), side)
        size = int(rng.integers(3 * side // 4, side + 1))
        stamp = everything.images[number].astype(np.float32) / 255
        stamp[..., :3] *= stamp[..., 3:]  # colours of transparent pixels must not leak in when the stamp is shrunk
        stamp = _resized(stamp, size)
        if rng.random() < 0.5:
            stamp = stamp[:, ::-1]
        canvas = np.zeros((side, side, 4), np.float32)
        top, left = rng.integers(0, side - size + 1, 2)
        canvas[top : top + size, left : left + size] = stamp
        alpha = canvas[..., 3:]
        x[i] = canvas[..., :3] + background * (1 - alpha)
        y[i] = alpha[..., 0] >= 0.5
    return Scenes(np.ascontiguousarray(x.transpose(0, 3, 1, 2)) * 2 - 1, y, order.astype(np.int64))


def _half(photograph: NDArray[np.uint8], test: bool) -> NDArray[np.uint8]:
    """Return the left part of a photograph for training, the right one for tests."""
    middle = photograph.shape[1] * 6 // 10
    return photograph[:, middle:] if test else photograph[:, :middle]


def _square(photograph: NDArray[np.uint8], side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Cut a square of random size and place out of a photograph, mirrored half the time."""
    size = int(rng.integers(side, min(photograph.shape[:2]) + 1))
    top, left = (int(rng.integers(0, length - size + 1)) for length in photograph.shape[:2])
    square = photograph[top : top + size, left : left + size].astype(np.float32) / np.float32(255)
    return square[:, ::-1] if rng.random() < 0.5 else square


def _resized(picture: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Resize a square picture (H, H, C), averaging over what falls into one pixel."""
    channels = [
        Image.fromarray(np.ascontiguousarray(picture[..., channel])).resize((side, side), Image.Resampling.BILINEAR)
        for channel in range(picture.shape[2])
    ]
    stacked = np.stack([np.asarray(channel, np.float32) for channel in channels], axis=-1)
    return np.clip(stacked, np.float32(0), np.float32(1))


def fitted(
    net: nn.Module,
    x: NDArray[np.float32],
    y: NDArray[np.int64],
    epochs: int,
    *,
    lr: float = 0.01,
    batch_size: int = 32,
    seed: int = 0,
) -> nn.Module:
    """Train a segmenter; the weights are kept on disk, so that a second run takes a moment.

    Parameters
    ----------
    net : nn.Module
        Maps pictures (N, 3, H, W) to logits (N, classes, H, W). Trained in place, then in evaluation mode.
    x : float32 array, shape (N, 3, H, W)
    y : int64 array, shape (N, H, W)
        The class of every pixel.
    epochs, batch_size : int
        A last batch that is not full is left out.
    lr : float
        Highest learning rate of Adam; it rises to this and falls again (one cycle).
    seed : int
        Of the order of the pictures.

    Returns
    -------
    nn.Module
        `net` itself.
    """
    # A class of a notebook has no text to take a fingerprint of. What stands for it is its layers, its weights and what
    # it computes before training, which also tells settings that are neither, as "no skips".
    with one_thread():  # on several threads sums may differ in their last digit
        description = fingerprint(repr(net), dict(net.state_dict()), predicted(net.eval(), x[:2]))
    _waiting[description] = net
    try:
        learnt = torch.from_numpy(cached(_train, description, x, y, epochs, lr, batch_size, seed))
    finally:
        del _waiting[description]
    state = net.state_dict()
    sizes = [value.numel() for value in state.values()]
    with torch.no_grad():
        for value, part in zip(state.values(), torch.split(learnt, sizes), strict=True):
            value.copy_(part.reshape(value.shape))
    return net.eval()


#: Nets to be trained by `_train`, by their descriptions.
_waiting: dict[str, nn.Module] = {}


def _train(
    description: str,
    x: NDArray[np.float32],
    y: NDArray[np.int64],
    epochs: int,
    lr: float,
    batch_size: int,
    seed: int,
) -> NDArray[np.float64]:
    """Train the net that waits under this description; return all numbers of its state in one row."""
    net = _waiting[description]
    order_of = np.random.default_rng(seed)
    # Half the time on a CPU: the channels of a pixel lie side by side in memory.
    pictures = torch.from_numpy(x).contiguous(memory_format=torch.channels_last)
    labels = torch.from_numpy(y)
    optimizer = torch.optim.Adam(net.parameters(), lr=lr, fused=True)  # one pass over all weights: the same, faster
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=epochs * (len(x) // batch_size))
    net.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    with one_thread():
        for _ in range(epochs):
            order = torch.from_numpy(order_of.permutation(len(x)))
            for start in range(0, len(x) - batch_size + 1, batch_size):
                batch = order[start : start + batch_size]
                optimizer.zero_grad()
                functional.cross_entropy(net(pictures[batch]), labels[batch]).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
    return np.concatenate([value.double().flatten().numpy() for value in net.state_dict().values()])


def trained_unet(make: Callable[..., nn.Module], skips: bool) -> nn.Module:
    """Train ``make(3, 2, skips=skips)`` on 1,008 training scenes, twelve times over, always from the same start.

    Parameters
    ----------
    make : callable
        A class of U-Nets: ``make(c_in, classes, skips=...)``.
    skips : bool

    Returns
    -------
    nn.Module
        In evaluation mode.
    """
    n, epochs = full_or_fast((1008, 12), (64, 1))
    train = _training_scenes(n)
    with torch.random.fork_rng(devices=[]):  # the caller's random numbers stay as they are
        torch.manual_seed(0)
        net = make(3, 2, skips=skips)
    return fitted(net, train.x, train.y, epochs)


@lru_cache(maxsize=2)
def _training_scenes(n: int) -> Scenes:
    """Return training scenes, composed once: that takes two seconds, and two nets learn from them."""
    return scenes(n)


def unseen_scenes() -> Scenes:
    """Return 240 scenes with the stamps of the test set, always the same; fewer in fast mode."""
    return scenes(full_or_fast(240, 20), test=True, seed=1)


def predicted(net: nn.Module, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the probability of each class at every pixel, float32 (N, classes, H, W), of pictures (N, 3, H, W)."""
    with torch.no_grad():
        return np.asarray(functional.softmax(net(torch.from_numpy(x)), dim=1).numpy())
