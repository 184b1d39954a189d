"""Draw the picture in the prose of 04 Optimizers: ``python solutions/04_optimizers/pictures.py``."""

from pathlib import Path

import numpy as np

from convnets import plots
from convnets.widgets.optimizer_race import RULES, Runner

FOLDER = Path(__file__).parent / "pictures"
INK = "#333333"


def race():
    """Draw three rules on the ravine, from one start, with the toolkit's own update rules."""
    fig, ax = plots.figure(width=8.6, height=3.3)
    x, y = np.meshgrid(np.linspace(-11, 3, 160), np.linspace(-1.75, 1.75, 100))
    height = 0.5 * (x**2 + 50 * y**2)
    ax.contourf(x, y, np.log(height + 0.3), levels=16, cmap="Greys_r", alpha=0.28)
    ax.contour(x, y, height, levels=np.geomspace(0.5, 120, 12), colors="0.72", linewidths=0.7)
    runner = Runner(dict.fromkeys(RULES))
    start = (-10.0, 1.35)
    runs = (("sgd", 0.037, 40, "gradient descent"), ("momentum", 0.012, 60, "momentum"), ("adam", 0.5, 60, "Adam"))
    for k, (rule, lr, steps, label) in enumerate(runs):
        path = runner.path(rule, lr, start, "ravine", 0, steps)
        style = {"color": plots.PALETTE[k], "linestyle": plots.LINES[k], "marker": plots.MARKERS[k]}
        ax.plot(*path.T, label=label, markersize=3.5, linewidth=1.3, **style)
    ax.plot(*start, marker="o", markersize=11, markerfacecolor="none", markeredgecolor=INK)
    ax.annotate("start", start, (8, 6), textcoords="offset points", color=INK)
    ax.plot(0, 0, marker="*", markersize=13, color=INK, linestyle="none")
    ax.annotate("minimum", (0, 0), (-24, -52), textcoords="offset points", color=INK)
    ax.set(xlim=(-11, 3), ylim=(-1.75, 1.75))
    ax.axis("off")
    ax.legend(loc="lower left", ncols=3, frameon=True, framealpha=0.85, edgecolor="none")
    fig.savefig(FOLDER / "race.png", dpi=150, metadata={"Software": None})


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    race()
