"""Draw the picture of module 06's prose: ``python solutions/06_convolutional_layer/pictures.py``."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.patches import FancyArrowPatch, Rectangle

from convnets import plots

FOLDER = Path(__file__).parent / "pictures"
COLOURS = [plots.PALETTE[0], plots.PALETTE[1], plots.PALETTE[2], plots.PALETTE[3]]
NAMES = ["a", "b", "c", "d"]
INK = "#333333"


def grid(
    ax: Any, left: float, top: float, texts: Any, *, fill: Any = None, size: float = 1.0, fontsize: int = 9
) -> None:
    """Draw a table of texts with its upper left corner at (left, top); rows run downwards."""
    for i, row in enumerate(texts):
        for j, text in enumerate(row):
            colour = fill[i][j] if fill is not None else "white"
            ax.add_patch(
                Rectangle(
                    (left + j * size, top - (i + 1) * size),
                    size,
                    size,
                    facecolor=colour,
                    edgecolor="#999999",
                    linewidth=0.7,
                )
            )
            ax.text(
                left + (j + 0.5) * size,
                top - (i + 0.5) * size,
                text,
                ha="center",
                va="center",
                fontsize=fontsize,
                color=INK,
            )


def pale(colour: str) -> tuple[float, ...]:
    """Mix a colour with white."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return tuple(0.72 + 0.28 * channel for channel in channels)


def columns() -> None:
    """Draw the image with its windows, the matrix of columns, the product, and the way back."""
    image = np.arange(1, 17).reshape(4, 4)
    starts = [(0, 0), (0, 1), (1, 0), (1, 1)]
    cols = np.array([image[i : i + 3, j : j + 3].ravel() for i, j in starts]).T
    seen = np.zeros((4, 4), int)
    for i, j in starts:
        seen[i : i + 3, j : j + 3] += 1

    fig, ax = plots.figure(width=9.6, height=3.9)
    ax.axis("off")
    ax.set_aspect("equal")
    top = 9.0

    grid(
        ax,
        0,
        top - 2.4,
        image,
        fill=[[pale(COLOURS[0]) if i < 3 and j < 3 else "white" for j in range(4)] for i in range(4)],
        size=1.05,
        fontsize=10,
    )
    for k, (i, j) in enumerate(starts):
        shift = 0.07 * (k - 1.5)
        ax.add_patch(
            Rectangle(
                (1.05 * j + shift, top - 2.4 - 1.05 * (i + 3) - shift),
                3.15,
                3.15,
                fill=False,
                edgecolor=COLOURS[k],
                linewidth=2,
                linestyle=plots.LINES[k],
            )
        )
    ax.text(2.1, top - 2.0, "image, 4 windows", ha="center", fontsize=11)

    left = 10.6
    ax.text(7.6, top - 4.3, "im2col", ha="center", fontsize=11)
    ax.add_patch(FancyArrowPatch((4.7, top - 4.8), (10.3, top - 4.8), arrowstyle="-|>", mutation_scale=16, color=INK))
    ax.add_patch(
        FancyArrowPatch((10.3, top - 6.0), (4.7, top - 6.0), arrowstyle="-|>", mutation_scale=16, color=COLOURS[1])
    )
    ax.text(7.6, top - 6.8, "col2im: adds up", ha="center", fontsize=11, color=COLOURS[1])
    grid(ax, left, top, cols, fill=[[pale(colour) for colour in COLOURS]] * 9)
    for k, (name, colour) in enumerate(zip(NAMES, COLOURS, strict=True)):
        ax.text(left + k + 0.5, top + 0.35, name, ha="center", fontsize=11, color=colour, weight="bold")
    ax.text(left + 2, -0.75, "columns, 9 × 4", ha="center", fontsize=11)

    weights = [[f"$w_{{{i}{j}}}$" for i in (1, 2, 3) for j in (1, 2, 3)]]
    grid(ax, 15.8, top - 1.6, weights, fontsize=9)
    ax.text(20.3, top - 1.2, "one filter, a row of 9 weights", ha="center", fontsize=11)
    ax.text(25.3, top - 2.1, "×  columns", ha="left", va="center", fontsize=12)
    outputs = [f"$y_{name}$" for name in NAMES]
    colours = [pale(colour) for colour in COLOURS]
    grid(ax, 19.2, top - 4.8, [outputs], fill=[colours], fontsize=10)
    ax.text(18.8, top - 5.3, "=", ha="right", va="center", fontsize=15)
    ax.text(24.0, top - 5.3, "→", ha="center", va="center", fontsize=15)
    grid(ax, 24.8, top - 4.3, [outputs[:2], outputs[2:]], fill=[colours[:2], colours[2:]], fontsize=10)
    ax.text(25.8, top - 3.9, "output, a map", ha="center", fontsize=11)

    grid(ax, 19.2, top - 7.0, seen, size=0.62, fontsize=8, fill=[[pale(COLOURS[1])] * 4] * 4)
    ax.text(
        22.2,
        top - 8.2,
        "terms that come back to each\npixel on the way back",
        va="center",
        fontsize=10,
        color=COLOURS[1],
    )
    ax.set_xlim(-0.4, 29.6)
    ax.set_ylim(-1.2, top + 1.1)
    fig.savefig(FOLDER / "columns.png", dpi=130, metadata={"Software": None})


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    columns()
