"""Draw the picture of module 03's prose: ``python solutions/03_keeping_signals_alive/pictures.py``."""

from pathlib import Path
from typing import Any

import numpy as np

from convnets import data, plots

FOLDER = Path(__file__).parent / "pictures"
INK = "#333333"
WIDTH, DEPTH = 400, 20
#: Name of each size of weights, and its standard deviation for n inputs.
SCHEMES: dict[str, Any] = {
    "0.01": lambda n: 0.01,
    "√(1/n)": lambda n: (1 / n) ** 0.5,
    "√(2/n)": lambda n: (2 / n) ** 0.5,
}


def layers(std: Any) -> list[Any]:
    """Return the ReLU activations of all layers for 500 images of clothing."""
    images = data.fashion_mnist(500, 1).x_train
    h = ((images - images.mean()) / images.std()).reshape(500, -1)
    rng = np.random.default_rng(0)
    found = []
    for _ in range(DEPTH):
        fan_in = h.shape[1]
        h = np.maximum(h @ (std(fan_in) * rng.standard_normal((WIDTH, fan_in))).T, 0)
        found.append(h)
    return found


def signal() -> None:
    """Draw the spread by layer on the left, two histograms of layer 20 on the right."""
    by_scheme = {name: layers(std) for name, std in SCHEMES.items()}
    fig, (left, upper, lower) = plots.figure(1, 3, width=9.6, height=3.3, width_ratios=[2.2, 1, 1])
    for at, (name, found) in enumerate(by_scheme.items()):
        stds = [h.std() for h in found]
        left.semilogy(range(1, DEPTH + 1), stds, marker=plots.MARKERS[at], markersize=4, linestyle="-")
        left.text(DEPTH + 0.5, stds[-1], name, color=plots.PALETTE[at], va="center", fontsize=11)
    left.set(xlim=(0.5, DEPTH + 4), xticks=[1, 5, 10, 15, 20], xlabel="layer", title="Spread of the activations")
    for ax, name, at in [(upper, "√(1/n)", 1), (lower, "√(2/n)", 2)]:
        ax.hist(by_scheme[name][-1].ravel(), bins=40, range=(0, 2), color=plots.PALETTE[at], density=True)
        ax.set(title=f"Layer 20, {name}", yticks=[], xlabel="activation", yscale="log", ylim=(1e-3, 60))
        ax.grid(visible=False)
        ax.minorticks_off()
        ax.set_yticks([])
    for ax in (left, upper, lower):
        ax.tick_params(colors=INK)
    fig.savefig(FOLDER / "signal.png", metadata={"Software": None})


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    signal()
