"""Draw the picture of module 03's prose: ``python solutions/03_keeping_signals_alive/pictures.py``."""

from pathlib import Path

import numpy as np

from convnets import plots

FOLDER = Path(__file__).parent / "pictures"
INK = "#333333"


def activations() -> None:
    """Draw five activations with their slopes; the slopes are differences, the jumps at a kink left open."""
    x = np.linspace(-4, 4, 1600)
    curves = {
        "sigmoid": 1 / (1 + np.exp(-x)),
        "tanh": np.tanh(x),
        "ReLU": np.maximum(x, 0),
        "leaky ReLU, α = 0.1": np.where(x < 0, 0.1 * x, x),
        "maxout of 2 pieces": np.maximum(-0.5 * x - 0.5, x - 1),
    }
    fig, axes = plots.figure(1, len(curves), width=10.0, height=2.6, sharey=True)
    for ax, (name, y) in zip(axes, curves.items(), strict=True):
        slope = np.gradient(y, x)
        slope[np.abs(np.gradient(slope)) > 0.1] = np.nan
        ax.plot(x, y, color=plots.PALETTE[0], linestyle="-", marker="")
        ax.plot(x, slope, color=plots.PALETTE[1], linestyle="--", marker="")
        ax.set(xlim=(-4, 4), ylim=(-1.3, 2.3), xticks=[-4, -2, 0, 2, 4], yticks=[-1, 0, 1, 2])
        ax.set_title(name, fontsize=10)
        ax.tick_params(colors=INK)
    axes[0].text(-3.8, 1.95, "value", color=plots.PALETTE[0], fontsize=10, va="center")
    axes[0].text(-3.8, 1.55, "slope", color=plots.PALETTE[1], fontsize=10, va="center")
    fig.savefig(FOLDER / "activations.png", metadata={"Software": None})


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    activations()
