"""Draw the picture of module 15's prose: ``python solutions/15_autoencoders/pictures.py``."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.patches import FancyArrowPatch

from convnets import data, plots
from convnets.models.autoencoder import denoising_layer, sigmoid

FOLDER = Path(__file__).parent / "pictures"
INK = "#333333"
UNITS = 256


def spoil(batch: Any, rng: np.random.Generator) -> Any:
    """Set a third of the pixels to black or white."""
    u = rng.random(batch.shape)
    return np.select([u < 0.165, u < 0.33], [0.0, 1.0], batch).astype(np.float32)


def repair() -> None:
    """Draw a digit, the spoilt one, its code, what is painted from it, and four filters."""
    images = data.digits(8000, 10)
    x = images.x_train.reshape(len(images.x_train), -1)
    rng = np.random.default_rng(0)
    weight, bias_hidden, bias_visible = denoising_layer(x, UNITS, spoil, rng, epochs=8)
    clean = images.x_test.reshape(10, -1)[3]
    spoilt = spoil(clean, np.random.default_rng(2))
    code = sigmoid(weight @ spoilt + bias_hidden)
    painted = sigmoid(code @ weight + bias_visible)

    fig, ax = plots.figure(width=10.2, height=3.7)
    ax.axis("off")
    ax.set(xlim=(0, 10.2), ylim=(0, 3.7))

    def panel(place: tuple[float, float, float], picture: Any, title: str, **kwargs: Any) -> None:
        left, bottom, side = place
        inset = ax.inset_axes((left, bottom, side, side), transform=ax.transData)
        inset.imshow(picture, **kwargs)
        inset.set(xticks=[], yticks=[])
        inset.grid(visible=False)
        for spine in inset.spines.values():
            spine.set(visible=True, color="#999999")
        ax.text(left + side / 2, bottom + side + 0.1, title, ha="center", fontsize=10, color=INK)

    grey = {"cmap": "gray_r", "vmin": 0, "vmax": 1}
    middle = 1.25
    panel((0.1, middle, 1.5), clean.reshape(28, 28), "clean: $x$", **grey)
    panel((2.5, middle, 1.5), spoilt.reshape(28, 28), "spoilt: $\\tilde{x}$", **grey)
    panel((5.3, middle, 1.5), code.reshape(16, 16), "code: 256 numbers $h$", cmap="viridis", vmin=0, vmax=1)
    panel((8.2, middle, 1.5), painted.reshape(28, 28), "repaired: $\\hat{x}$", **grey)
    arrow = {"arrowstyle": "-|>", "mutation_scale": 15, "linewidth": 1.8, "color": INK}
    for start, end, words in ((1.65, 2.45, "noise"), (4.05, 5.25, "$W^T$, σ"), (6.85, 8.15, "$W$, σ")):
        ax.add_patch(FancyArrowPatch((start, middle + 0.75), (end, middle + 0.75), **arrow))
        ax.text((start + end) / 2, middle + 0.88, words, ha="center", fontsize=10, color=INK)
    strongest = np.argsort(-code)[:4]
    for k, unit in enumerate(strongest):
        limit = np.abs(weight[unit]).max()
        panel((4.3 + 0.82 * k, 0.1, 0.75), weight[unit].reshape(28, 28), "", cmap="RdBu_r", vmin=-limit, vmax=limit)
    ax.text(4.2, 0.48, "four rows of $W$:\nlooked for, and painted", ha="right", va="center", fontsize=10, color=INK)
    back = FancyArrowPatch((8.95, 3.15), (0.85, 3.15), connectionstyle="arc3,rad=0.08", **(arrow | {"linestyle": "--"}))
    ax.add_patch(back)
    ax.text(4.9, 3.22, "the loss compares these two", ha="center", va="center", fontsize=10, color=INK)
    fig.savefig(FOLDER / "repair.png", dpi=120, metadata={"Software": None})


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    repair()
