"""Make the curves of plain and residual networks: train twenty small networks (about five minutes on one core)."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from convnets.data import small_fashion_mnist
from convnets.models.resnet import NarrowResNet, he_init
from convnets.training import sgd_epochs

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from sources import main

HEAD = ("depth", "kind", "seed", "epoch", "train_error", "test_error")
DEPTHS = (8, 20, 32, 44, 56)
SEEDS = (0, 1)
EPOCHS, WIDTH, LR, BATCH_SIZE = 8, 8, 0.02, 64
LICENCE = """\
The file curves.csv holds measurements that the authors of this course made with datasets/plain_and_residual/make.py.
To the extent that they can be protected, the authors dedicate them to the public domain under CC0 1.0 Universal:
https://creativecommons.org/publicdomain/zero/1.0/
"""


def curve(depth: int, kind: str, seed: int, epochs: int = EPOCHS) -> Iterator[tuple[float, float]]:
    """Train one network; yield its errors after each epoch, in percent: on the epoch's pictures and on others."""
    images = small_fashion_mnist()
    x, x_test = (torch.from_numpy(pictures) for pictures in (images.x_train, images.x_test))
    y, y_test = torch.from_numpy(images.y_train), torch.from_numpy(images.y_test)
    model = NarrowResNet(depth, residual=kind == "residual", channels=1, width=WIDTH)
    he_init(model, seed)
    for right in sgd_epochs(model, x, y, epochs, lr=LR, batch_size=BATCH_SIZE, seed=seed):
        model.eval()
        with torch.no_grad():
            wrong = (model(x_test).argmax(dim=1) != y_test).double().mean().item()
        yield 100 - right, 100 * wrong


def make(folder: Path) -> None:
    """Train all networks and write their curves and the licence."""
    torch.set_num_threads(1)  # the same sums in the same order, and the fastest for networks this small
    with (folder / "curves.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(HEAD)
        for depth in DEPTHS:
            for kind in ("plain", "residual"):
                for seed in SEEDS:
                    for epoch, (train, test) in enumerate(curve(depth, kind, seed), start=1):
                        writer.writerow((depth, kind, seed, epoch, f"{train:.2f}", f"{test:.2f}"))
    (folder / "LICENSE.txt").write_text(LICENCE, encoding="utf-8")


if __name__ == "__main__":
    main(make)
