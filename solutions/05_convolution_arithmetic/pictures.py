"""Draw the pictures of module 05's prose: ``python solutions/05_convolution_arithmetic/pictures.py``."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.patches import Rectangle

from convnets import plots

FOLDER = Path(__file__).parent / "pictures"
BLUE, RED, GREEN = plots.PALETTE[0], plots.PALETTE[1], plots.PALETTE[2]

TRIANGLE = ["...#...", "..#.#..", "..#.#..", ".#...#.", ".#...#.", "#.....#", "#######"]
SQUARE = ["#######", "#.....#", "#.....#", "#.....#", "#.....#", "#.....#", "#######"]
THRESHOLD = 14


def strokes(rows: list[str]) -> Any:
    """Return a drawing as zeros and ones."""
    return np.array([[character == "#" for character in row] for row in rows]) * 1.0


def triangle() -> dict[str, float]:
    """Draw the title picture: image, filter, sums, activation, maximum and threshold.

    Returns
    -------
    dict
        The figures its caption quotes: the strongest sum at the triangle and at the square.
    """
    image = np.zeros((18, 18))
    image[1:8, 1:8] = strokes(TRIANGLE)
    image[10:17, 10:17] = strokes(SQUARE)
    template = strokes(TRIANGLE)
    kernel = np.where(template > 0, 1.0, -template.sum() / (template == 0).sum())
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    sums = np.einsum("ijab,ab->ij", windows, kernel)
    activation = np.maximum(0, sums)
    strongest = activation.max()
    row, column = np.unravel_index(activation.argmax(), activation.shape)

    fig, axes = plots.figure(1, 5, width=10.4, height=2.75, width_ratios=[18, 10, 14, 14, 9])
    panels = [
        (image, "image", {"cmap": "gray_r", "vmin": 0, "vmax": 1}),
        (kernel, "filter", {"cmap": "PuOr_r", "vmin": -1.2, "vmax": 1.2}),
        (sums, "multiply, sum", {"cmap": "PuOr_r", "vmin": -18, "vmax": 18}),
        (activation, "activation", {"cmap": "PuOr_r", "vmin": -18, "vmax": 18}),
    ]
    for ax, (picture, title, options) in zip(axes, panels, strict=False):
        ax.imshow(picture, **options)
        ax.set_title(title, loc="center")
        ax.set_xticks([])
        ax.set_yticks([])
        ax.grid(visible=False)
        for spine in ax.spines.values():
            spine.set_visible(True)
            spine.set_color("#888888")
    axes[0].add_patch(Rectangle((column - 0.5, row - 0.5), 7, 7, fill=False, edgecolor=BLUE, linewidth=2.5))
    for ax in axes[2:4]:
        ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=BLUE, linewidth=2.5))
    for ax, sign in zip(axes[1:], ["×", "=", "→", "→"], strict=True):
        ax.annotate(
            sign, (0, 0.5), (-11, 0), "axes fraction", textcoords="offset points", ha="center", va="center", fontsize=17
        )
    last = axes[4]
    last.axis("off")
    last.text(0.55, 0.72, "max, threshold", ha="center", fontsize=11, transform=last.transAxes)
    last.text(
        0.55, 0.5, f"{strongest:.0f} > {THRESHOLD}", ha="center", fontsize=17, color=BLUE, transform=last.transAxes
    )
    last.text(0.55, 0.22, "triangle\nfound", ha="center", fontsize=12, transform=last.transAxes)
    fig.savefig(FOLDER / "triangle.png", dpi=130, metadata={"Software": None})
    return {"triangle": strongest, "square": float(activation[4:, 4:].max())}


def windows() -> None:
    """Draw the windows of a kernel of three on seven pixels, at five settings."""
    settings = [
        ("stride 1", 1, 0, 1, "(7 − 3)/1 + 1 = 5"),
        ("stride 2", 2, 0, 1, "(7 − 3)/2 + 1 = 3"),
        ("stride 3", 3, 0, 1, "(7 − 3)/3 + 1 = 2.33: cannot fit"),
        ("stride 3, padding 1", 3, 1, 1, "(7 + 2 − 3)/3 + 1 = 3"),
        ("stride 1, dilation 2", 1, 0, 2, "(7 − 5)/1 + 1 = 3"),
    ]
    fig, ax = plots.figure(width=8.6, height=5.3)
    ax.axis("off")
    ax.set_aspect("equal")
    top = 0.0
    for title, stride, padding, dilation, formula in settings:
        extent = dilation * 2 + 1
        first, end = -padding, 7 + padding
        for pixel in range(first, end):
            real = 0 <= pixel < 7
            ax.add_patch(
                Rectangle(
                    (pixel, top),
                    1,
                    0.9,
                    facecolor="#dde7f0" if real else "white",
                    edgecolor="#555555",
                    linestyle="-" if real else ":",
                )
            )
            ax.text(
                pixel + 0.5,
                top + 0.45,
                str(pixel) if real else "pad",
                ha="center",
                va="center",
                fontsize=10 if real else 8,
                color="#333333",
            )
        ax.text(-1.4, top + 0.5, title, ha="right", va="center", fontsize=11)
        starts = list(range(first, end - extent + 1, stride))
        level = top
        for start in starts:
            level -= 0.42
            for tooth in range(0, extent, dilation):
                ax.add_patch(Rectangle((start + tooth + 0.06, level), 0.88, 0.28, facecolor=BLUE, edgecolor="none"))
            ax.plot([start + 0.06, start + extent - 0.06], [level + 0.14] * 2, color=BLUE, linewidth=2, linestyle="-")
        left_over = end - (starts[-1] + extent)
        if left_over:
            level -= 0.42
            start = starts[-1] + stride
            ax.add_patch(
                Rectangle(
                    (start + 0.06, level), extent - 0.12, 0.28, fill=False, edgecolor=RED, hatch="////", linewidth=1.5
                )
            )
            ax.text(
                start + extent + 0.25,
                level + 0.14,
                f"sticks out by {start + extent - end}",
                va="center",
                fontsize=10,
                color=RED,
            )
        ax.text(10.6, top + 0.5, formula, va="center", fontsize=11, color=RED if left_over else "black")
        top = level - 1.6
    ax.set_xlim(-6.2, 18.6)
    ax.set_ylim(top + 1.4, 1.1)
    fig.savefig(FOLDER / "windows.png", dpi=120, metadata={"Software": None})


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    print({name: f"{value:.2f}" for name, value in triangle().items()})
    windows()
