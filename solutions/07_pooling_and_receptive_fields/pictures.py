"""Draw the picture of module 07's prose: ``python solutions/07_pooling_and_receptive_fields/pictures.py``."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.patches import FancyArrowPatch, Rectangle

from convnets import plots

FOLDER = Path(__file__).parent / "pictures"
COLOURS = plots.PALETTE[:4]
INK = "#333333"
GREY = "#f2f2f2"


def pale(colour: str, share: float = 0.28) -> tuple[float, ...]:
    """Mix a colour with white."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return tuple(1 - share + share * channel for channel in channels)


def square(ax: Any, left: float, top: float, text: str, fill: Any, *, bold: bool = False) -> None:
    """Draw one cell with its upper left corner at (left, top)."""
    ax.add_patch(Rectangle((left, top - 1), 1, 1, facecolor=fill, edgecolor="#999999", linewidth=0.7))
    weight = "bold" if bold else "normal"
    ax.text(left + 0.5, top - 0.5, text, ha="center", va="center", fontsize=11, color=INK, weight=weight)


def pooling(ax: Any) -> None:
    """Draw CS231n's map, its maxima, and the gradients' way back."""
    image = np.array([[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]])
    grads = ["a", "b", "c", "d"]
    for i, j in np.ndindex(4, 4):
        window = i // 2 * 2 + j // 2
        corner = image[i // 2 * 2 : i // 2 * 2 + 2, j // 2 * 2 : j // 2 * 2 + 2]
        wins = image[i, j] == corner.max()
        fill = pale(COLOURS[window], 0.5 if wins else 0.18)
        square(ax, j, 9 - i, str(image[i, j]), fill, bold=wins)
        square(ax, j, 4 - i, grads[window] if wins else "0", fill if wins else GREY, bold=wins)
    for window in range(4):
        i, j = divmod(window, 2)
        largest = image[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max()
        square(ax, 8 + j, 8 - i, str(largest), pale(COLOURS[window], 0.5), bold=True)
        square(ax, 8 + j, 3 - i, grads[window], pale(COLOURS[window], 0.5), bold=True)
    for y, ends, text in ((7, (4.3, 7.7), "max"), (2, (7.7, 4.3), "to the winner")):
        arrow = FancyArrowPatch((ends[0], y), (ends[1], y), arrowstyle="-|>", mutation_scale=15, color=INK)
        ax.add_patch(arrow)
        ax.text(6, y + 0.35, text, ha="center", fontsize=10, color=INK)
    for x, y, text in ((2, 9.3, "x"), (9, 8.3, "y"), (2, 4.3, "∂L/∂x"), (9, 3.3, "∂L/∂y")):
        ax.text(x, y, text, ha="center", fontsize=11, color=INK)


def tower(ax: Any, left: float) -> None:
    """Draw two layers of 3: what an output rests on."""
    blue = COLOURS[0]
    counts = {9: [1], 5.5: [1, 1, 1], 2: [1, 2, 3, 2, 1]}
    names = {9: "output", 5.5: "after the first 3 × 3", 2: "pixels"}
    for top, paths in counts.items():
        units = len(paths) + 2
        start = left + (7 - units) / 2
        for k in range(units):
            inside = 1 <= k <= len(paths)
            fill = pale(blue, 0.22 + 0.18 * paths[k - 1]) if inside else GREY
            square(ax, start + k, top, str(paths[k - 1]) if inside and top == 2 else "", fill)
        ax.text(left + 7.3, top - 0.5, names[top], va="center", fontsize=10, color=INK)
    for upper, width in ((9, 1), (5.5, 3)):
        middle, lower = left + 3.5, upper - 3.5
        for side in (-1, 1):
            xs = [middle + side * width / 2, middle + side * (width + 2) / 2]
            ax.plot(xs, [upper - 1, lower], color=blue, linewidth=1.2, linestyle="--")
    ax.annotate("", (left + 1, 0.6), (left + 6, 0.6), arrowprops={"arrowstyle": "<->", "color": INK})
    ax.text(
        left + 3.5,
        -0.1,
        "receptive field: 5 pixels\n(numbers: paths to the output)",
        ha="center",
        va="top",
        fontsize=10,
    )


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    fig, ax = plots.figure(width=9.6, height=4.4)
    ax.axis("off")
    ax.set_aspect("equal")
    pooling(ax)
    tower(ax, 13.5)
    ax.set_xlim(-0.3, 25.2)
    ax.set_ylim(-1.6, 10)
    fig.savefig(FOLDER / "pooling.png", dpi=130, metadata={"Software": None})
