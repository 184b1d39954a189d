"""Running experiments: full or fast, with a progress bar that can be interrupted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

# PyTorch is imported where it is used: most notebooks that show a progress bar need none.
if TYPE_CHECKING:
    from torch import Tensor, nn

T = TypeVar("T")


def fast_mode() -> bool:
    """Tell whether ``CONVNETS_FAST=1`` asks for small data and few steps, as the course's own tests do."""
    return os.environ.get("CONVNETS_FAST", "") not in ("", "0")


def full_or_fast(full: T, fast: T) -> T:
    """Return `full`, or `fast` in fast mode: the same code runs on less."""
    return fast if fast_mode() else full


def progress(items: Iterable[T], what: str = "", total: int | None = None) -> Iterable[T]:
    """Iterate with a progress bar.

    Parameters
    ----------
    items : iterable
        What to go through.
    what : str
        What one item is, shown beside the bar.
    total : int, optional
        Number of items where `items` cannot tell.

    Returns
    -------
    iterable
        The items. Interrupting the kernel stops the loop and leaves what was computed.
    """
    from tqdm.auto import tqdm

    # The bar is quiet in fast mode: tests read the output.
    bar: Iterable[T] = tqdm(items, desc=what, total=total, leave=False, disable=fast_mode())
    return bar


def sgd_epochs(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    epochs: int,
    *,
    lr: float,
    batch_size: int = 64,
    momentum: float = 0.9,
    weight_decay: float = 1e-4,
    seed: int = 0,
) -> Iterator[float]:
    """Train a classifier by gradient descent with momentum; after each epoch the caller may look at it.

    Parameters
    ----------
    model : nn.Module
        Maps pictures to logits (N, classes). Trained in place, and in training mode at the start of each epoch.
    x : Tensor, shape (N, C, H, W)
    y : Tensor of int64, shape (N,)
    epochs, batch_size : int
        The last batch of an epoch may be smaller.
    lr, momentum, weight_decay : float
        Of `torch.optim.SGD`; lr stays the same.
    seed : int
        Of the order of the pictures. PyTorch's global generator is not touched.

    Yields
    ------
    float
        Pictures that were given their class during the epoch, in training mode and before the step on their batch, in
        percent.
    """
    import torch

    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        model.train()
        right = 0
        for batch in torch.randperm(len(x), generator=generator).split(batch_size):  # type: ignore[no-untyped-call]
            logits = model(x[batch])
            right += int((logits.argmax(dim=1) == y[batch]).sum())
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(logits, y[batch]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        yield 100 * right / len(x)
