"""Plain against residual networks at several depths: curves of training that is too long for a notebook."""

from __future__ import annotations

import csv
import io
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convnets.data.files import read_verified
from convnets.data.images import LabelledImages, fashion_mnist


class TrainingCurve(NamedTuple):
    """One training run of a network; see datasets/plain_and_residual/README.md for its recipe."""

    depth: int
    """Layers with weights."""
    residual: bool
    """Whether two convolutions each have a skip."""
    seed: int
    """Of the first weights and of the order of the pictures."""
    train_error: NDArray[np.float64]
    """After each epoch: pictures of the epoch that were given a wrong class, in percent."""
    test_error: NDArray[np.float64]
    """After each epoch: other pictures that are given a wrong class, in percent."""


def plain_and_residual() -> tuple[TrainingCurve, ...]:
    """Return the stored curves of plain and residual networks, ordered by depth, kind (plain first) and seed.

    Returns
    -------
    tuple of TrainingCurve
        20 curves of 8 epochs: depths 8, 20, 32, 44 and 56, plain and residual, seeds 0 and 1.

    Raises
    ------
    DataError
        If the file is missing or damaged.

    Notes
    -----
    Made by datasets/plain_and_residual/make.py.
    """
    runs: dict[tuple[int, bool, int], list[tuple[float, float]]] = {}
    for row in csv.DictReader(io.StringIO(read_verified("plain_and_residual/curves.csv").decode())):
        key = int(row["depth"]), row["kind"] == "residual", int(row["seed"])
        runs.setdefault(key, []).append((float(row["train_error"]), float(row["test_error"])))
    return tuple(TrainingCurve(*key, *np.array(errors).T) for key, errors in sorted(runs.items()))


def small_fashion_mnist(n_train: int = 2_000, n_test: int = 1_000) -> LabelledImages:
    """Return Fashion-MNIST at half its size: the pictures that the curves were measured on.

    Parameters
    ----------
    n_train, n_test : int
        The first so many of each part.

    Returns
    -------
    LabelledImages
        Pictures float32 (N, 1, 14, 14): means over squares of 2×2 pixels, less the mean of all pixels of the training
        pictures, over their standard deviation.

    Raises
    ------
    DataError
        If a file is missing or damaged.
    ValueError
        If there are not so many pictures.
    """
    full = fashion_mnist(n_train, n_test)
    train, test = (x.reshape(-1, 1, 14, 2, 14, 2).mean(axis=(3, 5)) for x in (full.x_train, full.x_test))
    mean, std = train.mean(), train.std()
    return full._replace(x_train=(train - mean) / std, x_test=(test - mean) / std)
