"""Draw the picture of module 19's prose: ``python solutions/19_brains_chips_claims/pictures.py``."""

from pathlib import Path

import numpy as np

from convnets import plots
from convnets.models import specs

FOLDER = Path(__file__).parent / "pictures"


def membrane(steps: int = 1200, dt: float = 0.1) -> np.ndarray:
    """Return the potential in mV of a leaky integrate-and-fire neuron at 3 nA, as the notebook's."""
    v, values = -70.0, []
    for _ in range(steps):
        v += dt / 20 * (-(v + 70) + 30)
        v = -65.0 if v >= -50 else v
        values.append(v)
    return np.array(values)


def gabor(side: int = 61) -> np.ndarray:
    """Return an even Gabor function whose wave runs at 30 degrees."""
    y, x = np.mgrid[:side, :side] - side // 2
    across, along = x * np.cos(0.5) + y * np.sin(0.5), -x * np.sin(0.5) + y * np.cos(0.5)
    bell: np.ndarray = np.exp(-(across**2 + 0.4 * along**2) / (2 * 10**2))
    return bell * np.cos(2 * np.pi * across / 24)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    fig, (left, middle, right) = plots.figure(1, 3, width=9.6, height=2.9, width_ratios=(1.3, 0.8, 1.3))
    left.plot(0.1 * np.arange(1200), membrane(), color=plots.PALETTE[0], linestyle="-")
    left.axhline(-50, color=plots.PALETTE[1], linestyle="--", linewidth=1)
    left.set(title="a neuron", xlabel="time in ms", ylabel="potential in mV", ylim=(-72, -46))
    middle.imshow(gabor(), cmap="gray", vmin=-1, vmax=1)
    middle.axis("off")
    middle.set_title("what a cell looks for")
    rows = [row for row in specs.layer_table(specs.alexnet()) if row["weights"]]
    names = ["C1", "C2", "C3", "C4", "C5", "FC6", "FC7", "FC8"]
    right.bar(names, [row["macs"] / row["weights"] for row in rows], color=plots.PALETTE[0])
    right.set_yscale("log")
    right.set(title="how often a weight is used", ylim=(0.5, 6000))
    right.tick_params(axis="x", labelsize=8)
    fig.savefig(FOLDER / "three_themes.png", dpi=110, metadata={"Software": None})
