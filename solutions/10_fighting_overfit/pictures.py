"""Draw the picture of module 10's prose: ``python solutions/10_fighting_overfit/pictures.py``."""

from pathlib import Path

import numpy as np

from convnets import data, plots

FOLDER = Path(__file__).parent / "pictures"


def augmented() -> None:
    """Draw a photograph and seven changes of it that keep its label."""
    photo = data.photograph("cat")
    top, left = (photo.shape[0] - 288) // 2, (photo.shape[1] - 288) // 2
    square = photo[top : top + 288, left : left + 288].reshape(144, 2, 144, 2, 3).mean(axis=(1, 3)) / 255
    rng = np.random.default_rng(2)
    shifted = np.zeros_like(square)
    shifted[24:, 30:] = square[:-24, :-30]
    noisy = np.clip(square + 0.12 * rng.normal(size=square.shape), 0, 1)
    brighter = np.clip(square + 0.2, 0, 1)
    bluer = np.clip(square + np.array([-0.12, 0.0, 0.16]), 0, 1)
    crop = square[10:110, 20:120]
    everything = np.zeros_like(square)
    everything[16:] = bluer[:-16, ::-1]
    everything = np.clip(everything[:130, :130] + 0.08 * rng.normal(size=(130, 130, 3)), 0, 1)
    pictures = {
        "the photograph": square,
        "mirrored": square[:, ::-1],
        "shifted": shifted,
        "a crop": crop,
        "with noise": noisy,
        "brighter": brighter,
        "bluer": bluer,
        "all together": everything,
    }
    fig = plots.images(list(pictures.values()), list(pictures), columns=4, size=1.7)
    fig.savefig(FOLDER / "augmented.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    augmented()
