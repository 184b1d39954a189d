"""Draw the picture of module 16's prose: ``python solutions/16_every_pixel/pictures.py``."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.patches import FancyArrowPatch, Rectangle

from convnets import data, plots

FOLDER = Path(__file__).parent / "pictures"
INK = "#333333"


def arrow(ax: Any, start: tuple[float, float], end: tuple[float, float], colour: str = INK) -> None:
    """Draw an arrow from one point to another."""
    ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=10, color=colour, lw=1.4))


def the_u(ax: Any) -> None:
    """Draw the boxes of a U-Net, its way down on the left, and the arrows across."""
    sides = [1.0, 0.66, 0.42, 0.24]
    for level, side in enumerate(sides):
        low = 3.3 - 1.1 * level - side / 2
        places = [0.8 * level, 6.4 - 0.8 * level] if level < 3 else [3.2]
        for x in places:
            face = plots.PALETTE[0] if x < 3.2 else plots.PALETTE[2] if x > 3.2 else plots.PALETTE[5]
            width = 0.22 + 0.13 * level
            ax.add_patch(Rectangle((x - width / 2, low), width, side, fc=face + "55", ec=face, lw=1.3))
        if level < 3:
            y = 3.3 - 1.1 * level
            arrow(ax, (0.8 * level + 0.32, y), (6.4 - 0.8 * level - 0.32, y), plots.PALETTE[1])
            below = y - 1.1
            reach = 0.62 if level < 2 else 1.2
            arrow(ax, (0.8 * level + 0.15, y - side / 2 - 0.05), (0.8 * level + reach, below + 0.18))
            arrow(ax, (6.4 - 0.8 * level - reach, below + 0.18), (6.4 - 0.8 * level - 0.15, y - side / 2 - 0.05))
    ax.set_xlim(-0.5, 6.9)
    ax.set_ylim(-0.4, 4.0)
    ax.set_aspect("equal")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    stamps = data.stamps()
    number = stamps.subjects.index("butterflyfish")
    stamp = stamps.images[number] / 255
    alpha = stamp[..., 3:]
    ground = data.photograph("flower")[150:278, 60:188] / 255
    scene = stamp[..., :3] * alpha + ground * (1 - alpha)
    mask = (alpha[..., 0] >= 0.5).astype(float)
    coarse = mask.reshape(4, 32, 4, 32).mean(axis=(1, 3))

    fig, axes = plots.figure(1, 4, width=9.6, height=2.5, width_ratios=[1, 1, 1.7, 1])
    for ax in axes:
        ax.axis("off")
    axes[0].imshow(scene)
    axes[1].imshow(coarse, cmap="Blues", vmin=0, vmax=1.2)
    the_u(axes[2])
    axes[3].imshow(np.where(mask[..., None] > 0, [0.0, 0.447, 0.698], [0.93, 0.93, 0.93]))
    for ax, words in zip(
        axes, ("one picture", "a classifier that slides", "down, up and across", "every pixel"), strict=True
    ):
        ax.set_title(words, loc="center", fontsize=10, color=INK)
    fig.savefig(FOLDER / "every_pixel.png", dpi=110, metadata={"Software": None})
