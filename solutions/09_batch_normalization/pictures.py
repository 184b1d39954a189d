"""Draw the picture of module 09's prose: ``python solutions/09_batch_normalization/pictures.py``."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.patches import FancyArrowPatch, Rectangle

from convnets import plots

FOLDER = Path(__file__).parent / "pictures"
INK = "#333333"
BATCH = np.array([[1.0, 40.0, -0.3], [3.0, 10.0, -0.1], [2.0, 30.0, -0.2], [6.0, 20.0, 0.2]])


def table(ax: Any, left: float, numbers: Any, form: str, colours: list[str]) -> None:
    """Draw a table of numbers whose columns have their own colours; its upper edge is at 4."""
    for (i, j), value in np.ndenumerate(numbers):
        box = {"facecolor": colours[j] + "30", "edgecolor": colours[j], "linewidth": 1.1}
        ax.add_patch(Rectangle((left + 1.3 * j, 3 - i), 1.3, 1, **box))
        ax.text(
            left + 1.3 * (j + 0.5),
            3.5 - i,
            format(value, form).replace("-", "−"),
            ha="center",
            va="center",
            fontsize=10,
            color=INK,
        )


def columns_and_rows() -> None:
    """Draw a batch, the two directions, the normalised batch, and one feature's three histograms."""
    colours = [plots.PALETTE[0], plots.PALETTE[1], plots.PALETTE[2]]
    fig, (left, right) = plots.figure(1, 2, width=10.2, height=3.9, width_ratios=[1.75, 1])
    left.axis("off")
    left.set(xlim=(-2.4, 12.2), ylim=(-1.5, 6.1))
    left.set_aspect("equal")
    normalised = (BATCH - BATCH.mean(axis=0)) / BATCH.std(axis=0)
    table(left, 0, BATCH, "g", colours)
    table(left, 7.4, normalised, "+.2f", colours)
    arrow = {"arrowstyle": "-|>", "mutation_scale": 15, "linewidth": 1.8}
    left.add_patch(FancyArrowPatch((0.65, 4.95), (0.65, 4.1), color=colours[0], **arrow))
    left.text(-0.4, 5.1, "batch normalization:\ndown a column", fontsize=10, va="bottom", color=colours[0])
    left.add_patch(FancyArrowPatch((-1.1, 0.5), (-0.1, 0.5), color=plots.PALETTE[3], **arrow))
    left.text(-2.4, -0.2, "layer normalization:\nalong a row", fontsize=10, va="top", color=plots.PALETTE[3])
    left.add_patch(FancyArrowPatch((4.2, 2), (7.1, 2), color=INK, **arrow))
    left.text(5.65, 2.25, "− mean\n÷ std", ha="center", va="bottom", fontsize=10, color=INK)
    left.text(7.4 + 1.95, 4.25, "mean 0, standard deviation 1\nin every column", ha="center", fontsize=10, color=INK)
    left.text(-0.3, 2.5, "4 examples", ha="right", va="center", fontsize=10, color=INK)
    left.text(3.4, -0.25, "3 features", ha="center", va="top", fontsize=10, color=INK)

    logits = 5 + 2 * np.random.default_rng(0).normal(size=3000)
    standard = (logits - logits.mean()) / logits.std()
    shown = (
        ("the logits x", logits, plots.PALETTE[6]),
        ("normalised", standard, plots.PALETTE[0]),
        ("× weight + bias", 1.5 * standard - 4, plots.PALETTE[1]),
    )
    for k, (name, values, colour) in enumerate(shown):
        counts, edges = np.histogram(values, bins=np.arange(-10, 12.1, 0.25), density=True)
        base = 2 - k
        heights = base + 2.0 * counts
        right.fill_between(edges[:-1], base, heights, step="post", color=colour, alpha=0.35)
        right.plot(edges[:-1], heights, drawstyle="steps-post", color=colour, linewidth=1.2, linestyle="-")
        right.text(11.8 if k else -9.8, base + 0.45, name, ha="right" if k else "left", fontsize=10, color=colour)
    right.axvline(0, color=INK, linewidth=0.8, linestyle="--")
    right.set(xlim=(-10, 12), ylim=(-0.05, 3), yticks=[], xlabel="value of one feature")
    right.spines["left"].set_visible(False)
    fig.savefig(FOLDER / "columns_and_rows.png", dpi=130, metadata={"Software": None})


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    columns_and_rows()
