"""Draw the pictures in module 01's prose: ``python solutions/01_features_to_functions/pictures.py``."""

from pathlib import Path

import numpy as np
from matplotlib.patches import FancyBboxPatch, Rectangle

from convnets import data, plots

FOLDER = Path(__file__).parent / "pictures"
INK = "#333333"
BLUE, RED, GREEN = plots.PALETTE[:3]
LEARNED, WRITTEN = "#CFE6F5", "#E8E8E8"


def save(fig, name):
    """Write a picture, byte for byte the same each time."""
    fig.savefig(FOLDER / name, dpi=140, metadata={"Software": None})


def eras():
    """Draw the three eras: which stages of recognition are written by hand and which are learned."""
    rows = [
        (
            "Traditional\nsince the late 1950s",
            [("hand-crafted features", "HoG, SIFT, MFCC", WRITTEN, 5.2), ("simple classifier", "", LEARNED, 2.6)],
        ),
        (
            "Mid-level features\nspeech: early 1990s-2011\nobjects: 2006-2012",
            [
                ("hand-crafted features", "HoG, SIFT, MFCC", WRITTEN, 2.5),
                ("mid-level features", "learned without labels", LEARNED, 2.5),
                ("simple classifier", "", LEARNED, 2.6),
            ],
        ),
        (
            "Deep learning",
            [
                ("low-level\nfeatures", "", LEARNED, 1.6),
                ("mid-level\nfeatures", "", LEARNED, 1.6),
                ("high-level\nfeatures", "", LEARNED, 1.6),
                ("classifier", "", LEARNED, 2.6),
            ],
        ),
    ]
    fig, ax = plots.figure(width=9.2, height=3.7)
    ax.set(xlim=(-3.7, 10.6), ylim=(-4.8, 1.05))
    ax.axis("off")
    arrow = {"arrowstyle": "->", "color": INK, "lw": 1.4}
    for row, (era, stages) in enumerate(rows):
        y = -1.75 * row
        lines = era.split("\n")
        ax.text(-3.6, y + 0.2 * (len(lines) - 1), lines[0], fontsize=11.5, weight="bold", color=INK, va="center")
        for k, line in enumerate(lines[1:], start=1):
            ax.text(-3.6, y + 0.2 * (len(lines) - 1) - 0.4 * k, line, fontsize=9, color=INK, va="center")
        x = 0.9
        ax.text(0.25, y, "x", fontsize=13, style="italic", ha="center", va="center", color=INK)
        ax.annotate("", (x, y), (0.45, y), arrowprops=arrow)
        for k, (name, detail, fill, width) in enumerate(stages):
            edge = BLUE if fill == LEARNED else "#888888"
            box = FancyBboxPatch((x, y - 0.55), width, 1.1, "round,pad=0,rounding_size=0.12", fc=fill, ec=edge, lw=1.5)
            ax.add_patch(box)
            ax.text(x + width / 2, y + (0.17 if detail else 0), name, fontsize=10, ha="center", va="center", color=INK)
            ax.text(x + width / 2, y - 0.25, detail, fontsize=8.5, ha="center", va="center", color=INK)
            x += width
            last = k == len(stages) - 1
            ax.annotate("", (x + (0.55 if last else 0.2), y), (x, y), arrowprops=arrow if last else arrow | {"lw": 1.0})
            x += 0.2
        ax.text(x + 0.6, y, "y", fontsize=13, style="italic", ha="center", va="center", color=INK)
    ax.text(0.9, 0.85, "φ: features", fontsize=10, color=INK)
    ax.text(6.35, 0.85, "g: decides", fontsize=10, color=INK)
    for x, fill, words in ((5.0, WRITTEN, "written by a person"), (7.6, LEARNED, "learned from data")):
        ax.add_patch(Rectangle((x, -4.6), 0.3, 0.3, fc=fill, ec=INK, lw=1))
        ax.text(x + 0.42, -4.45, words, fontsize=9, va="center", color=INK)
    save(fig, "eras.png")


def unit(ax, x, y, text="", fill="white", size=560):
    """Draw a circle with a sign in it."""
    ax.scatter([x], [y], s=size, color=fill, edgecolor=INK, linewidth=1.3, zorder=3)
    ax.text(x, y, text, fontsize=12, ha="center", va="center", color=INK, zorder=4)


def wire(ax, start, end, label="", at=0.5, lift=0.16):
    """Draw a line with its weight."""
    ax.plot(*zip(start, end, strict=True), color="#8A8A8A", linewidth=1.3, linestyle="-", zorder=1)
    if label:
        x, y = (a + at * (b - a) for a, b in zip(start, end, strict=True))
        ax.text(x, y + lift, label, fontsize=10.5, ha="center", va="center", color=BLUE, zorder=4)


def neurons():
    """Draw a single neuron, and a network with one hidden layer."""
    fig, (left, right) = plots.figure(1, 2, width=9.0, height=3.3, width_ratios=(1, 1.15))
    for ax, title in ((left, "A single neuron"), (right, "One hidden layer")):
        ax.set_title(title, loc="center")
        ax.axis("off")
    left.set(xlim=(-0.6, 5.6), ylim=(-2.1, 2.1))
    inputs = [("$F_1$", 1.5, "$W_1$"), ("$F_2$", 0.5, "$W_2$"), ("$F_N$", -0.9, "$W_N$"), ("1", -1.8, "$b$")]
    for name, y, weight in inputs:
        wire(left, (0, y), (2.4, 0), weight, at=0.45)
        unit(left, 0, y, name)
    left.text(0, -0.2, "⋮", fontsize=15, ha="center", va="center", color=INK)
    wire(left, (2.4, 0), (5.0, 0))
    unit(left, 2.4, 0, "Σ", LEARNED, 760)
    left.add_patch(Rectangle((3.3, -0.4), 0.9, 0.8, fc="white", ec=INK, lw=1.3, zorder=3))
    left.plot([3.42, 3.75, 3.75, 4.08], [-0.22, -0.22, 0.22, 0.22], color=INK, linewidth=1.6, linestyle="-", zorder=4)
    left.text(3.75, -0.68, "sign", fontsize=10, ha="center", color=INK)
    left.text(5.25, 0, "y", fontsize=14, style="italic", ha="center", va="center", color=INK)

    right.set(xlim=(-0.6, 6.4), ylim=(-2.1, 2.1))
    heights = (1.6, 0.75, -0.1, -1.6)
    for k, (y, out) in enumerate(zip(heights, ("w_0", "w_1", "w_2", "w_{n-1}"), strict=True)):
        wire(right, (0, 0), (2.3, y))
        wire(right, (2.3, y), (4.8, 0), f"${out}$", at=0.35, lift=0.24)
        unit(right, 2.3, y, "", LEARNED)
        bend = 0.05 * (k - 1)
        right.plot(
            [2.12, 2.3 + bend, 2.48], [y - 0.1, y - 0.1, y + 0.16], color=INK, linewidth=1.5, linestyle="-", zorder=4
        )
    right.text(2.3, -0.85, "⋮", fontsize=15, ha="center", va="center", color=INK)
    right.text(2.3, -2.07, "n units max(0, x − t)", fontsize=10, ha="center", color=INK)
    unit(right, 0, 0, "$x$")
    wire(right, (4.8, 0), (5.9, 0))
    unit(right, 4.8, 0, "Σ", LEARNED, 760)
    right.text(6.15, 0, "f(x)", fontsize=12, style="italic", ha="center", va="center", color=INK)
    right.text(4.8, -0.62, "+ b", fontsize=11, ha="center", color=BLUE)
    save(fig, "neurons.png")


def hog():
    """Draw the steps of HoG on an ankle boot: cells, gradients of one cell, its histogram, its block."""
    picture = data.fashion_mnist(1, 1).x_train[0, 0].astype(float)
    across, down = np.zeros_like(picture), np.zeros_like(picture)
    across[:, 1:-1] = picture[:, 2:] - picture[:, :-2]
    down[1:-1] = picture[2:] - picture[:-2]
    magnitude, angle = np.hypot(across, down), np.degrees(np.arctan2(down, across)) % 180
    histograms = np.zeros((7, 7, 9))
    for r, c in np.ndindex(picture.shape):
        histograms[r // 4, c // 4, int(angle[r, c] // 20) % 9] += magnitude[r, c]
    row, column = 3, 3
    fig, (a, b, c, d) = plots.figure(1, 4, width=10.6, height=2.8, width_ratios=(1, 1, 1.1, 1.7))
    a.imshow(picture, cmap="gray")
    for edge in range(0, 29, 4):
        a.axhline(edge - 0.5, color=BLUE, linewidth=0.5, linestyle="-")
        a.axvline(edge - 0.5, color=BLUE, linewidth=0.5, linestyle="-")
    a.add_patch(Rectangle((4 * column - 0.5, 4 * row - 0.5), 8, 8, fill=False, ec=GREEN, lw=2.2, linestyle="--"))
    a.add_patch(Rectangle((4 * column - 0.5, 4 * row - 0.5), 4, 4, fill=False, ec=RED, lw=2.4))
    a.set_title("cells", loc="center")
    rows, columns = slice(4 * row, 4 * row + 4), slice(4 * column, 4 * column + 4)
    b.imshow(picture[rows, columns], cmap="gray", vmin=0, vmax=1, alpha=0.55)
    y, x = np.mgrid[0:4, 0:4]
    options = {"angles": "xy", "scale_units": "xy", "scale": 2 * magnitude[rows, columns].max() / 1.5, "color": RED}
    b.quiver(x, y, across[rows, columns], down[rows, columns], pivot="mid", width=0.014, **options)
    b.set_title("gradients of one cell", loc="center")
    for ax in (a, b):
        ax.set_xticks([])
        ax.set_yticks([])
        ax.grid(visible=False)
    c.bar(np.arange(9), histograms[row, column], 0.85, color=RED)
    c.set_xticks([-0.5, 4, 8.5], ["0°", "90°", "180°"])
    c.set(ylabel="sum of magnitudes")
    c.set_title("its histogram", loc="center")
    block = histograms[row : row + 2, column : column + 2].ravel()
    length = np.sqrt(np.sum(block**2) + 0.01**2)
    d.bar(np.arange(36) - 0.2, block, 0.42, color="0.7", label="before")
    d.bar(np.arange(36) + 0.2, block / length, 0.42, color=GREEN, label=f"divided by {length:.2f}")
    for edge in (8.5, 17.5, 26.5):
        d.axvline(edge, color=INK, linewidth=0.7, linestyle=":")
    d.set_xticks([4, 13, 22, 31], ["cell\n(0, 0)", "cell\n(0, 1)", "cell\n(1, 0)", "cell\n(1, 1)"])
    d.set_title("its block: 2 × 2 cells", loc="center")
    d.legend(fontsize=8)
    save(fig, "hog.png")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    eras()
    neurons()
    hog()
