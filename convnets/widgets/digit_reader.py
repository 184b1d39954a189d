"""What the widgets of module 08 read with: the learner's LeNet, trained by the learner's loop; how a digit is cut out.

Pictures of ink are float64 arrays from 0 (paper) to 1 (ink).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812  # the field's own name
from PIL import Image
from torch import Tensor, nn

from convnets import data, timing, training
from convnets.models.lenet import LeNet5
from convnets.models.lenet_1998 import as_input
from convnets.widgets.base import Array, Learner

#: Learning rate of each epoch, and digits of a batch.
LRS = (0.05, 0.05, 0.01)
BATCH = 64
#: MNIST's digits: 20 pixels in their longer direction, the centre of mass in the middle of 28.
DIGIT, SIDE = 20, 28
#: The test digits that the confusion browser shows.
UNSEEN = 1000


@dataclass(frozen=True)
class Reader:
    """A trained network and what there is to say about it.

    Attributes
    ----------
    model : nn.Module
        Maps (N, 1, 32, 32) to logits (N, 10).
    notes : tuple of (str, bool)
        Sentences to show, each with whether it says that something is wrong.
    """

    model: nn.Module
    notes: tuple[tuple[str, bool], ...]

    def probabilities(self, x: Tensor) -> Array:
        """Return the probability of each class, shape (N, 10), of pictures (N, 1, 32, 32)."""
        with torch.no_grad(), timing.one_thread():
            return np.asarray(F.softmax(self.model(x).double(), dim=1).numpy())


def toolkit_epoch(
    model: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor, batch_size: int, rng: np.random.Generator
) -> float:
    """Train for an epoch and return the mean loss: the toolkit's ``train_epoch`` of module 08."""
    model.train()
    order, total = torch.from_numpy(rng.permutation(len(x))), 0.0
    for start in range(0, len(x), batch_size):
        batch = order[start : start + batch_size]
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[batch]), y[batch])
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(x)


def trained(make: Callable[..., Any], train_epoch: Callable[..., Any]) -> nn.Module:
    """Make a network and train it on the digits; a few seconds.

    Raises
    ------
    ValueError
        If what comes out does not answer pictures with ten finite numbers each.
    """
    digits = data.digits(training.full_or_fast(8000, 2000), 1)
    x, y = as_input(digits.x_train), torch.from_numpy(digits.y_train)
    with torch.random.fork_rng(devices=[]), timing.one_thread():
        torch.manual_seed(0)
        model: nn.Module = make()
        optimizer = torch.optim.SGD(model.parameters(), lr=LRS[0], momentum=0.9)
        rng = np.random.default_rng(0)
        for lr in LRS:
            optimizer.param_groups[0]["lr"] = lr
            train_epoch(model, optimizer, x, y, BATCH, rng)
        model.eval()
        with torch.no_grad():
            logits = model(x[:2])
    if tuple(logits.shape) != (2, 10) or not bool(torch.isfinite(logits).all()):
        raise ValueError(f"the net answers two pictures with {tuple(logits.shape)} and not with 2 × 10 finite numbers")
    return model


@lru_cache(maxsize=4)
def reader_of(lenet5: Learner, train_epoch: Learner) -> Reader:
    """Train the learner's network with the learner's loop, or the toolkit's where one of them is missing or fails.

    Parameters
    ----------
    lenet5, train_epoch : callable or None
        The learner's. Asked again with the same two, the trained network is returned as it is.
    """
    mine: dict[str, Learner] = {"LeNet5": lenet5, "train_epoch": train_epoch}
    notes = []
    for name, function in mine.items():
        if function is None:
            notes.append((f"Your {name} is not written yet: the toolkit's is used.", False))
    while True:
        try:
            return Reader(trained(mine["LeNet5"] or LeNet5, mine["train_epoch"] or toolkit_epoch), tuple(notes))
        except Exception as error:  # whatever a learner's code raises is shown, and the toolkit reads in its place
            # The one that raised: a network that cannot even be made, and otherwise the loop, is replaced first.
            name = "LeNet5" if mine["LeNet5"] and not _is_network(mine["LeNet5"]) else "train_epoch"
            name = name if mine[name] else "LeNet5"
            if mine[name] is None:
                raise
            mine[name] = None
            if isinstance(error, NotImplementedError):
                notes.append((f"Your {name} is not written yet: the toolkit's is used.", False))
            else:
                reason = next(iter(str(error).splitlines()), "")
                words = f"With your {name}: {type(error).__name__}: {reason}".rstrip(": ")
                notes.append((f"{words}. The toolkit's is used.", True))


def _is_network(make: Callable[..., Any]) -> bool:
    """Tell whether a learner's network can be made and answers a picture with ten numbers."""
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            return tuple(make()(torch.zeros(2, 1, 32, 32)).shape) == (2, 10)
    except Exception:  # the caller tells what was raised
        return False


@lru_cache(maxsize=1)
def unseen_digits() -> tuple[Tensor, npt.NDArray[np.int64]]:
    """Return 1,000 test digits, (1000, 1, 32, 32) and (1000,): never seen in training."""
    digits = data.digits(1, UNSEEN)
    return as_input(digits.x_test), digits.y_test


def pieces(ink: Array) -> list[tuple[int, int, int, int]]:
    """Find the pieces of a line that empty columns keep apart.

    Returns
    -------
    list of (top, left, height, width)
        From left to right; without specks of less than 4 × 4 pixels.
    """
    columns = np.concatenate([[False], (ink > 0.5).any(axis=0), [False]])
    starts, ends = (np.flatnonzero(np.diff(columns.astype(int)) == step) for step in (1, -1))
    found = []
    for left, end in zip(starts.tolist(), ends.tolist(), strict=True):
        rows = np.flatnonzero((ink[:, left:end] > 0.5).any(axis=1))
        box = (int(rows[0]), left, int(rows[-1] - rows[0] + 1), end - left)
        if max(box[2:]) >= 4:
            found.append(box)
    return found


def normalised(piece: Array) -> npt.NDArray[np.float32]:
    """Bring a cut-out digit into the form of MNIST's: 20 pixels at its longer side, centred by its mass in 28 × 28.

    Parameters
    ----------
    piece : ndarray, shape (H, W)
        Ink from 0 to 1, cut out without margin.

    Returns
    -------
    ndarray of float32, shape (28, 28)
    """
    scale = DIGIT / max(piece.shape)
    height, width = (max(1, round(side * scale)) for side in piece.shape)
    picture = Image.fromarray(piece.astype(np.float32)).resize((width, height), Image.Resampling.BOX)
    return centred(np.asarray(picture, dtype=np.float32))


def centred(digit: npt.NDArray[np.float32], axes: tuple[int, ...] = (0, 1)) -> npt.NDArray[np.float32]:
    """Put a small picture into 28 × 28, with its centre of mass in the middle as far as it fits.

    Parameters
    ----------
    digit : ndarray of float32, shape (H, W)
        H and W at most 28.
    axes : tuple of int
        Axes along which the mass decides: 0 down, 1 across. Along the other the picture itself is put in the middle.
    """
    field = np.zeros((SIDE, SIDE), np.float32)
    corner = []
    for axis, size in enumerate(digit.shape):
        weights = digit.sum(axis=1 - axis) if axis in axes and digit.any() else np.ones(size)
        centre = float(np.average(np.arange(size), weights=weights))
        corner.append(int(np.clip(round((SIDE - 1) / 2 - centre), 0, SIDE - size)))
    top, left = corner
    field[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return field
